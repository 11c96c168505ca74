// SPDX-License-Identifier: Apache-2.0
#include "thermal/modality.h"

#include <fmt/format.h>

#include "imaging/core/error.h"
#include "thermal/rfa.h"

namespace spinetherm {

const std::vector<EnergyModality>& energy_modalities() {
  static const std::vector<EnergyModality> table = {
      {"rfa", "radiofrequency electrodes: resistive heating by current between poles or to a pad",
       make_rfa_sources},
  };
  return table;
}

const EnergyModality& energy_modality(std::string_view name) {
  std::vector<std::string> known;
  for (const EnergyModality& m : energy_modalities()) {
    if (m.name == name) return m;
    known.emplace_back(m.name);
  }
  throw ConfigError(fmt::format("unknown energy '{}'", name), "/modality",
                    fmt::format("known: {}", fmt::join(known, ", ")));
}

}  // namespace spinetherm
