// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

namespace spinetherm {

/// A file of datasets/tables or datasets/evidence as it was when the library was built.
struct EmbeddedTable {
  std::string_view name;  ///< "tissues.json"
  std::string_view text;
};
const std::vector<EmbeddedTable>& embedded_tables();

/// The parsed document of one table. ConfigError when there is no table of that name.
nlohmann::json embedded_document(std::string_view name);

}  // namespace spinetherm
