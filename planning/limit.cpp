// SPDX-License-Identifier: Apache-2.0
#include "planning/limit.h"

#include <algorithm>
#include <set>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

void expect_word(const std::string& word, const std::vector<std::string>& known, const std::string& what,
                 const std::string& where) {
  if (std::find(known.begin(), known.end(), word) == known.end())
    throw ConfigError("unknown " + what + " '" + word + "'", where,
                      "did you mean '" + nearest_word(word, known) + "'?");
}

}  // namespace

const std::vector<std::string>& limit_classes() {
  static const std::vector<std::string> words = {
      "dura", "cord", "cauda", "motor_root", "thoracic_root", "foramen", "vessel", "viscera", "skin", "plan"};
  return words;
}

const std::vector<std::string>& exposure_quantities() {
  static const std::vector<std::string> words = {
      "peak_degC",        "lowest_degC",       "cem43_min",          "arrhenius",      "ice_edge_distance_mm",
      "zone_distance_mm", "shaft_distance_mm", "active_distance_mm", "wall_defect_mm", "unprotected",
      "overshoot_K",      "sensor_mismatch_K"};
  return words;
}

const std::vector<std::string>& limit_conditions() {
  static const std::vector<std::string> words = {"no_sensor", "no_sensor_no_dissection", "intact_wall",
                                                 "wall_defect"};
  return words;
}

void validate(const ExposureLimit& limit, const std::string& where) {
  if (limit.id.empty())
    throw ConfigError("limit without an id", where + "/id", "give every limit its own id");
  expect_word(limit.structure, limit_classes(), "class of structures", where + "/structure");
  expect_word(limit.quantity, exposure_quantities(), "quantity", where + "/quantity");
  for (const auto& word : limit.when) expect_word(word, limit_conditions(), "condition", where + "/when");
  if (!limit.caution && !limit.unsafe)
    throw ConfigError("limit '" + limit.id + "' has no bound", where, "give caution, unsafe or both");
  if (limit.caution && limit.unsafe &&
      (limit.above ? *limit.caution > *limit.unsafe : *limit.caution < *limit.unsafe))
    throw ConfigError("limit '" + limit.id + "' is unsafe before it is caution", where,
                      "let the caution bound come first");
}

void validate(const std::vector<ExposureLimit>& limits, const std::string& where) {
  std::set<std::string> ids;
  for (std::size_t n = 0; n < limits.size(); ++n) {
    const std::string here = where + "/" + std::to_string(n);
    validate(limits[n], here);
    if (!ids.insert(limits[n].id).second)
      throw ConfigError("limit '" + limits[n].id + "' occurs twice", here + "/id",
                        "give every limit its own id");
  }
  for (std::size_t n = 0; n < limits.size(); ++n) {
    if (limits[n].unsafe_with.empty()) continue;
    const auto same_class = [&](const ExposureLimit& other) {
      return other.id == limits[n].unsafe_with && other.structure == limits[n].structure && other.unsafe;
    };
    if (std::none_of(limits.begin(), limits.end(), same_class))
      throw ConfigError("limit '" + limits[n].id + "' refers to '" + limits[n].unsafe_with + "'",
                        where + "/" + std::to_string(n) + "/unsafe_with",
                        "name a limit of the same class that has an unsafe bound");
  }
}

}  // namespace spinetherm
