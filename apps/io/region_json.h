// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "imaging/core/json_reader.h"
#include "thermal/region.h"

namespace spinetherm {

/// A region of the problem format, an object of one key that names the shape:
///   {"sphere": {"centre_mm": [], "radius_mm": 2}}, {"capsule" | "cylinder": {"a_mm": [], "b_mm": [],
///   "radius_mm": 1}},
///   {"prolate": {"centre_mm": [], "axis": [0, 0, 1], "long_half_mm": 5, "short_half_mm": 1}} or, by its two
///   poles,
///   {"prolate": {"a_mm": [], "b_mm": [], "radius_mm": 1}}, {"box": {"min_mm": [], "max_mm": []}},
///   {"outside": {region}}.
/// ConfigError with the JSON pointer for anything else; sizes are judged by validate(Region).
Region read_region(const JsonReader& reader);
nlohmann::ordered_json to_json(const Region& region);

/// Of random numbers: a whole number of 0 or above; 1 when absent.
std::uint32_t read_seed(const JsonReader& parent);

/// Three numbers as a JSON list.
nlohmann::ordered_json to_json(const Eigen::Vector3d& v);

}  // namespace spinetherm
