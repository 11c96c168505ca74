// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/io/points.h"
#include "imaging/transform_io.h"

namespace spinetherm {
namespace {

struct MapOptions {
  std::filesystem::path points, transform;
  bool inverse = false;
};

int map(const MapOptions& options, const CommandContext& context) {
  std::vector<NamedPoint> points = read_points(options.points);
  std::vector<Eigen::Vector3d> at_mm;
  at_mm.reserve(points.size());
  for (const NamedPoint& point : points) at_mm.push_back(point.at_mm);
  at_mm = map_points(options.transform, at_mm, options.inverse);
  for (std::size_t n = 0; n < points.size(); ++n) points[n].at_mm = at_mm[n];

  if (context.json) {
    print_json(points_json(points));
  } else {
    for (const NamedPoint& point : points)
      std::cout << fmt::format("{:.4f} {:.4f} {:.4f}  {}\n", point.at_mm.x(), point.at_mm.y(),
                               point.at_mm.z(), point.name);
  }
  return kExitDone;
}

}  // namespace

Run map_command(CLI::App& app) {
  auto options = std::make_shared<MapOptions>();
  app.add_option("POINTS", options->points,
                 "3D Slicer markups (.mrk.json) or {\"points\": [{\"name\", \"at_mm\"}]}")
      ->required();
  app.add_option("--transform", options->transform,
                 "ITK transform file; moving_from_fixed carries a point of FIXED to MOVING")
      ->type_name("T")
      ->required();
  app.add_flag("--inverse", options->inverse, "the way back");
  app.footer("Points come out in LPS millimetres: x y z and the name, a line each.");
  return [options](const CommandContext& context) { return map(*options, context); };
}

}  // namespace spinetherm
