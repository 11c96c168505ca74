// SPDX-License-Identifier: Apache-2.0
#include "apps/io/points.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"

namespace spinetherm {
namespace {

void read_markup(const JsonReader& markup, std::vector<NamedPoint>& points) {
  const std::size_t system = markup.get_word("coordinateSystem", {"LPS", "RAS", "0", "1"});
  const bool ras = system == 1 || system == 2;  // older Slicer wrote its enumeration: 0 is RAS
  const auto list = markup.find("controlPoints");
  if (!list) return;
  for (const JsonReader& control : list->elements()) {
    NamedPoint point;
    point.name = control.get_or<std::string>("label", control.get_or<std::string>("id", ""));
    if (control.get_or<std::string>("positionStatus", "defined") != "defined")
      control.fail(fmt::format("the point '{}' was never placed", point.name),
                   "place or delete it in 3D Slicer");
    point.at_mm = control.get<Eigen::Vector3d>("position");
    if (ras) point.at_mm.head<2>() *= -1;
    points.push_back(point);
  }
}

std::vector<NamedPoint> read_document(const JsonReader& document) {
  std::vector<NamedPoint> points;
  if (const auto markups = document.find("markups")) {
    for (const JsonReader& markup : markups->elements()) read_markup(markup, points);
    if (points.empty()) markups->fail("no control points", "place points in 3D Slicer before saving");
    return points;
  }
  if (document.has("format")) expect_format(document, "points");
  for (const JsonReader& row : document.at("points").elements()) {
    points.push_back({row.get<std::string>("name"), row.get<Eigen::Vector3d>("at_mm")});
    row.finish();
  }
  document.finish();
  if (points.empty()) document.fail("no points", "list at least one");
  return points;
}

}  // namespace

std::vector<NamedPoint> read_points(const std::filesystem::path& path) {
  const nlohmann::json document = parse_json_file(path);
  try {
    return read_document(JsonReader(document));
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
}

nlohmann::ordered_json points_json(const std::vector<NamedPoint>& points) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const NamedPoint& point : points)
    rows.push_back({{"name", point.name}, {"at_mm", {point.at_mm.x(), point.at_mm.y(), point.at_mm.z()}}});
  return {{"points", rows}};
}

}  // namespace spinetherm
