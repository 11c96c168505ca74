// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planning/target.h"
#include "planning/zone.h"

namespace spinetherm {

/// How much of the target is ablated. Never offsets a safety verdict.
struct Coverage {
  double volume_ml = 0;                 ///< of the target
  std::optional<double> coverage = {};  ///< share of the target inside the zone, 0..1
  /// Smallest distance from the target's surface to the zone's, positive inward: negative where target is
  /// left.
  std::optional<double> min_margin_mm = {};
  bool zone_touches_box = false;
  std::string reason = "not computed";
};
/// "79 %": whole percent, rounded down, so that 100 % is said of all alone; "unknown" when it is.
std::string percent_text(const std::optional<double>& coverage);

/// Unknown when the run is not usable, holds no field, the zone touches the box of the simulation, or the
/// target reaches out of it.
Coverage assess_coverage(const Target& target, const ThermalResult& thermal,
                         const std::vector<PlacedDevice>& applicators, const KillCriterion& kill = {});

}  // namespace spinetherm
