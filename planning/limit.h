// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace spinetherm {

/// Classes of structures that limits speak of: dura, cord, cauda, motor_root, thoracic_root, foramen, vessel,
/// viscera, skin, and `plan` for what is judged once for the plan (protections, overshoot).
const std::vector<std::string>& limit_classes();

/// Quantities that the safety check computes (or reports as unknown):
///   peak_degC, lowest_degC         extreme temperature over the structure, its surface included
///   cem43_min, arrhenius           largest dose over the structure
///   ice_edge_distance_mm           structure to the region that was ever below 0 degC; 0 when touched
///   zone_distance_mm               structure to the ablation zone; <= 0 when touched
///   shaft_distance_mm              structure to the surface of the nearest shaft; < 0 when crossed
///   active_distance_mm             structure to the surface of the nearest active part
///   wall_defect_mm                 class plan: opening of the posterior wall
///   unprotected                    class plan: 1 when neither a sensor nor a dissection is planned, else 0
///   overshoot_K, sensor_mismatch_K class plan: rise after stop; hottest dural point minus sensor reading
const std::vector<std::string>& exposure_quantities();

/// Facts of a plan that a limit may be bound to: no_sensor, no_sensor_no_dissection, intact_wall,
/// wall_defect.
const std::vector<std::string>& limit_conditions();

/// One row of the verdict table: "peak temperature of the dura: caution from 42, unsafe from 45 degC".
/// Values come from datasets/tables/limits.json; planning holds none of its own.
struct ExposureLimit {
  std::string id;         ///< "dura-heat-peak"
  std::string structure;  ///< one of limit_classes()
  std::string quantity;   ///< one of exposure_quantities()
  /// A value at or past the bound breaks it: value >= bound when `above`, else value < bound.
  std::optional<double> caution = {}, unsafe = {};
  bool above = true;
  /// All must hold for the limit to count; a condition that is not known turns unsafe into unknown.
  std::vector<std::string> when = {};
  /// Id of a limit whose unsafe bound must be broken as well, or unsafe becomes caution ("45 degC with
  /// CEM43 >= 10").
  std::string unsafe_with = {};
  std::string unit, source, confidence, text;
  bool operator==(const ExposureLimit&) const = default;
};

/// ConfigError at `where` for a class, quantity or condition nobody knows, for a row without a bound, and for
/// a caution bound on the wrong side of the unsafe one.
void validate(const ExposureLimit& limit, const std::string& where);
/// All rows: each valid, ids unique, every `unsafe_with` names a row of the same class.
void validate(const std::vector<ExposureLimit>& limits, const std::string& where);

}  // namespace spinetherm
