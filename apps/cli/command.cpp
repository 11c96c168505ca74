// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/command.h"

#include <iostream>
#include <nlohmann/json.hpp>

namespace spinetherm {

void throw_if_cancelled(const Progress& progress) {
  if (progress.cancelled()) throw ComputationFailed("cancelled", "", "nothing was written");
}

void print_json(const nlohmann::ordered_json& document) {
  std::cout << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace spinetherm
