// SPDX-License-Identifier: Apache-2.0
#include "apps/io/markups_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

Json control_point(int id, const std::string& label, const Eigen::Vector3d& x) {
  // Some versions of Slicer hide a line whose points do not say that they are defined.
  return {{"id", std::to_string(id)},   {"label", label},  {"position", {x[0], x[1], x[2]}},
          {"selected", true},           {"locked", false}, {"visibility", true},
          {"positionStatus", "defined"}};
}

Json markup(const char* type, const std::string& name, const Json& points) {
  return {{"type", type},    {"name", name},           {"coordinateSystem", "LPS"}, {"coordinateUnits", "mm"},
          {"locked", false}, {"labelFormat", "%N-%d"}, {"controlPoints", points}};
}

}  // namespace

void write_needles(const Plan& plan, const std::filesystem::path& path) {
  Json markups = Json::array();
  int number = 0;
  for (const Applicator& a : plan.applicators) {
    ++number;
    markups.push_back(
        markup("Line", fmt::format("{} {}", a.device, number),
               Json::array({control_point(1, "entry", a.entry_mm), control_point(2, "tip", a.tip_mm)})));
  }
  Json sensors = Json::array();
  for (const Protection& protection : plan.protections)
    if (const auto* sensor = std::get_if<Thermocouple>(&protection))
      sensors.push_back(control_point(int(sensors.size()) + 1, "thermocouple", sensor->at_mm));
  if (!sensors.empty()) markups.push_back(markup("Fiducial", "thermocouples", sensors));
  write_json_file(
      {{"@schema",
        "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
        "markups-schema-v1.0.3.json#"},
       {"markups", markups}},
      path);
}

}  // namespace spinetherm
