// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planning/plan.h"
#include "planning/target.h"
#include "thermal/result.h"

namespace spinetherm {

/// What counts as ablated. Heat: the tissue's own Arrhenius integral where the run has it, else CEM43.
/// First-order Arrhenius overestimates early kill below 50 degC (physics notes), which is why organs at risk
/// are judged by CEM43 instead.
struct KillCriterion {
  double arrhenius = 1;      ///< damage integral: 63 % of the cells
  double cem43_min = 240;    ///< where the run has no damage law
  double lowest_degC = -40;  ///< lethal isotherm of one freeze
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
  bool operator==(const KillCriterion&) const = default;
};

/// The ablation zone as a smooth level function on the thermal grid: >= 0 inside, interpolated linearly
/// between cells. Doses are compared by logarithm, so that a front that falls by decades within a cell stays
/// in place. Cells inside a shaft, which hold no dose, take that of their neighbours.
struct AblationZone {
  Volume<float> level;       ///< empty: the run holds no field to judge by
  bool touches_box = false;  ///< the zone reaches the outer cells: it ends somewhere beyond
  bool exists = false;       ///< some cell is inside
  std::string criterion;     ///< in words, for the report
};
AblationZone ablation_zone(const ThermalResult& thermal, const std::vector<PlacedDevice>& applicators,
                           const KillCriterion& kill = {});
/// Signed distance [mm] to the zone's surface (negative inside) on an isotropic grid around the zone and
/// `around_mm` points; error at most half of `spacing_mm`. Empty when there is no zone.
Volume<float> zone_distance_mm(const AblationZone& zone, double margin_mm = 10, double spacing_mm = 0.5);

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
/// Unknown when the run is not usable, holds no field, the zone touches the box of the simulation, or the
/// target reaches out of it.
Coverage assess_coverage(const Target& target, const ThermalResult& thermal,
                         const std::vector<PlacedDevice>& applicators, const KillCriterion& kill = {});

}  // namespace spinetherm
