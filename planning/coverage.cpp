// SPDX-License-Identifier: Apache-2.0
#include "planning/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace spinetherm {
namespace {

/// Sub-points of a target voxel lie no further apart than this [mm].
constexpr double kSubSpacing_mm = 0.5;

}  // namespace

std::string percent_text(const std::optional<double>& coverage) {
  return coverage ? fmt::format("{:.0f} %", std::floor(100 * *coverage + 1e-9)) : "unknown";
}

Coverage assess_coverage(const Target& target, const ThermalResult& thermal,
                         const std::vector<PlacedDevice>& applicators, const KillCriterion& kill) {
  Coverage out;
  out.volume_ml = shape_of(target).volume_ml;
  if (!thermal.summary.usable()) {
    out.reason = "the thermal run is not usable: " + thermal.summary.message;
    return out;
  }
  const LevelRegion zone = ablation_zone(thermal, applicators, kill);
  if (!zone.computed()) {
    out.reason = "the thermal run holds no dose field";
    return out;
  }
  out.zone_touches_box = zone.touches_box;
  if (zone.touches_box) {
    out.reason = "the ablation zone touches the box of the simulation";
    return out;
  }

  const Grid& g = target.mask.grid;
  std::array<int, 3> split{};
  for (std::size_t a = 0; a < 3; ++a)
    split[a] = std::max(1, int(std::ceil(g.spacing_mm[Eigen::Index(a)] / kSubSpacing_mm)));
  long inside = 0, all = 0;
  bool beyond = false;
  std::vector<Eigen::Vector3d> surface;
  const std::array<std::array<int, 3>, 6> faces = {
      {{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}}};
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!target.mask(i, j, k)) continue;
        for (int w = 0; w < split[2]; ++w)
          for (int v = 0; v < split[1]; ++v)
            for (int u = 0; u < split[0]; ++u) {
              const Eigen::Vector3d sub((u + 0.5) / split[0] - 0.5, (v + 0.5) / split[1] - 0.5,
                                        (w + 0.5) / split[2] - 0.5);
              const auto level = sample_linear(zone.level, g.to_world(Eigen::Vector3d(i, j, k) + sub));
              ++all;
              if (!level)
                beyond = true;
              else if (*level >= 0)
                ++inside;
            }
        for (const auto& f : faces) {
          const bool neighbour =
              g.contains(i + f[0], j + f[1], k + f[2]) && target.mask(i + f[0], j + f[1], k + f[2]);
          if (!neighbour)
            surface.push_back(g.to_world(Eigen::Vector3d(i + f[0] * 0.5, j + f[1] * 0.5, k + f[2] * 0.5)));
        }
      }
  if (beyond) {
    out.reason = "the target reaches out of the box of the simulation";
    return out;
  }
  out.coverage = double(inside) / double(all);
  if (!zone.exists) {
    out.reason = "nothing is ablated (" + zone.criterion + ")";
    return out;
  }
  const RegionDistance distance(zone);
  double margin = std::numeric_limits<double>::infinity();
  for (const auto& x : surface) margin = std::min(margin, -distance(x));
  out.min_margin_mm = margin;
  out.reason =
      fmt::format("{} of the target inside the zone ({})", percent_text(out.coverage), zone.criterion);
  return out;
}

}  // namespace spinetherm
