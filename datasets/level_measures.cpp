// SPDX-License-Identifier: Apache-2.0
#include "datasets/level_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "datasets/lesion_grade.h"
#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr std::array<std::array<int, 3>, 6> kSides = {
    {{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}}};
constexpr double kLeastBody_ml = 0.5;
/// Part of the height, at each end, where width and depth are taken; a rim juts out there.
constexpr double kRimZone = 0.2;
constexpr double kCanalZone = 0.5;  ///< part of the height, about the middle, where the canal is taken

StructureValue value_of(const char* name) { return *structure_value(name); }

struct CanalValues {
  StructureValue tumour = value_of("tumour"), canal = value_of("canal"), sac = value_of("dural_sac"),
                 dura = value_of("dura"), cord = value_of("cord"), cauda = value_of("cauda");
  bool holds(StructureValue v) const {
    return v == canal || v == sac || v == dura || v == cord || v == cauda;
  }
};

/// Voxels of a body and of the canal behind it.
struct LevelVoxels {
  Volume<std::uint8_t> body;  ///< on a part of the grid
  std::vector<Eigen::Vector3d> in_body, in_canal, in_cord, in_tumour;
  bool whole = true;
};

LevelVoxels collect(const Volume<StructureValue>& labels, StructureValue body, const CanalValues& values) {
  const Grid& g = labels.grid;
  std::array<int, 3> first = g.size, last{-1, -1, -1};
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (labels(i, j, k) == body) {
          const std::array<int, 3> at = {i, j, k};
          for (std::size_t a = 0; a < 3; ++a) {
            first[a] = std::min(first[a], at[a]);
            last[a] = std::max(last[a], at[a]);
          }
        }
  LevelVoxels out;
  std::array<int, 3> size{};
  for (std::size_t a = 0; a < 3; ++a) {
    if (last[a] < 0 || first[a] == 0 || last[a] == g.size[a] - 1) out.whole = false;
    size[a] = last[a] - first[a] + 1;
  }
  if (!out.whole) return out;
  const Grid part = sub_grid(g, first, size);
  out.body = Volume<std::uint8_t>(part);
  // A voxel about the body, and all behind it.
  for (int k = first[2] - 1; k <= last[2] + 1; ++k)
    for (int j = first[1] - 1; j < g.size[1]; ++j)
      for (int i = first[0] - 1; i <= last[0] + 1; ++i) {
        const StructureValue here = labels(i, j, k);
        if (here == 0) continue;
        if (here == body) {
          out.body(i - first[0], j - first[1], k - first[2]) = 1;
          out.in_body.push_back(g.to_world(i, j, k));
        } else if (values.holds(here)) {
          out.in_canal.push_back(g.to_world(i, j, k));
          if (here == values.cord) out.in_cord.push_back(out.in_canal.back());
        } else if (here == values.tumour) {
          out.in_tumour.push_back(g.to_world(i, j, k));
          for (const auto& [a, b, c] : kSides)
            if (g.contains(i + a, j + b, k + c) && labels(i + a, j + b, k + c) == body) out.whole = false;
        }
      }
  return out;
}

Eigen::Vector3d mean(const std::vector<Eigen::Vector3d>& points) {
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (const Eigen::Vector3d& p : points) sum += p;
  return sum / double(std::max<std::size_t>(points.size(), 1));
}

/// Rows: left, back, up; up along the canal (least squares of its voxels' x and y over z).
Eigen::Matrix3d body_axes(const LevelVoxels& v) {
  const Eigen::Vector3d body = mean(v.in_body), canal = mean(v.in_canal);
  Eigen::Vector3d slope = Eigen::Vector3d::Zero();
  double zz = 0;
  for (const Eigen::Vector3d& p : v.in_canal) {
    slope += (p - canal) * (p.z() - canal.z());
    zz += (p.z() - canal.z()) * (p.z() - canal.z());
  }
  Eigen::Vector3d up = Eigen::Vector3d::UnitZ();
  if (zz > 0) up = (slope / zz).normalized();
  Eigen::Vector3d back = canal - body;
  back = (back - back.dot(up) * up).normalized();
  Eigen::Matrix3d axes;
  axes.row(0) = back.cross(up).transpose();
  axes.row(1) = back.transpose();
  axes.row(2) = up.transpose();
  return axes;
}

/// Extent along x and y of the points whose z lies in [low, high], a voxel counted.
struct Span {
  Eigen::Vector2d low = Eigen::Vector2d::Constant(1e9), high = Eigen::Vector2d::Constant(-1e9);
  void add(const Eigen::Vector3d& p) {
    low = low.cwiseMin(p.head<2>());
    high = high.cwiseMax(p.head<2>());
  }
  Eigen::Vector2d size(const Grid& g) const { return high - low + g.spacing_mm.head<2>(); }
};

/// Empty when tumour lies behind or beside the middle of the body.
std::optional<LevelMeasures> measure(const LevelVoxels& v, const Grid& g, const std::string& level) {
  LevelMeasures out;
  out.level = level;
  const double voxel_ml = g.voxel_volume_mm3() / 1000;
  out.body_ml = double(v.in_body.size()) * voxel_ml;
  Rigid body_from_world;
  const Eigen::Matrix3d axes = body_axes(v);
  body_from_world.rotation = Eigen::Quaterniond(axes).normalized();
  body_from_world.translation_mm = -(axes * mean(v.in_body));
  out.body_height_mm = measure_heights(v.body, body_from_world).posterior_mm;

  const double zone = kCanalZone * out.body_height_mm;
  for (const Eigen::Vector3d& x : v.in_tumour)
    if (std::abs((body_from_world * x).z()) <= zone / 2) return std::nullopt;

  double low = 1e9, high = -1e9;
  for (const Eigen::Vector3d& x : v.in_body) {
    const double z = (body_from_world * x).z();
    low = std::min(low, z);
    high = std::max(high, z);
  }
  Span upper, lower, canal;
  for (const Eigen::Vector3d& x : v.in_body) {
    const Eigen::Vector3d p = body_from_world * x;
    if (p.z() > high - kRimZone * (high - low)) upper.add(p);
    if (p.z() < low + kRimZone * (high - low)) lower.add(p);
  }
  const Eigen::Vector2d rim = (upper.size(g) + lower.size(g)) / 2;
  out.body_width_mm = rim.x();
  out.body_depth_mm = rim.y();
  const auto beside = [&](const std::vector<Eigen::Vector3d>& points, Span* span) {
    double count = 0;
    for (const Eigen::Vector3d& x : points) {
      const Eigen::Vector3d p = body_from_world * x;
      if (std::abs(p.z()) > zone / 2) continue;
      ++count;
      if (span) span->add(p);
    }
    return count * voxel_ml / kCanalZone;
  };
  out.canal_ml = beside(v.in_canal, &canal);
  out.cord_ml = beside(v.in_cord, nullptr);
  if (out.canal_ml > 0) {
    out.canal_width_mm = canal.size(g).x();
    out.canal_depth_mm = canal.size(g).y();
  }
  return out;
}

double cylinder_ml(double width_mm, double depth_mm, double height_mm) {
  return kPi / 4 * width_mm * depth_mm * height_mm / 1000;
}

}  // namespace

const std::vector<LevelMeasure>& level_measure_list() {
  static const std::vector<LevelMeasure> list = {{"body_ml", &LevelMeasures::body_ml},
                                                 {"canal_ml", &LevelMeasures::canal_ml},
                                                 {"cord_ml", &LevelMeasures::cord_ml},
                                                 {"body_width_mm", &LevelMeasures::body_width_mm},
                                                 {"body_depth_mm", &LevelMeasures::body_depth_mm},
                                                 {"body_height_mm", &LevelMeasures::body_height_mm},
                                                 {"canal_width_mm", &LevelMeasures::canal_width_mm},
                                                 {"canal_depth_mm", &LevelMeasures::canal_depth_mm}};
  return list;
}

std::vector<LevelMeasures> measure_levels(const Volume<StructureValue>& labels) {
  if (!labels.grid.direction.isIdentity(1e-6))
    throw ConfigError("the labels' grid is turned", "measure_levels", "give labels along LPS axes");
  const CanalValues values;
  std::vector<bool> present(65536);
  for (const StructureValue v : labels.values) present[v] = true;
  std::vector<LevelMeasures> out;
  for (const VertebraSize& row : vertebra_table().rows) {
    const auto body = structure_value("vertebra_body_" + row.level);
    if (row.level == "sacrum" || !body || !present[*body]) continue;
    const LevelVoxels voxels = collect(labels, *body, values);
    if (!voxels.whole || voxels.in_canal.empty() ||
        double(voxels.in_body.size()) * labels.grid.voxel_volume_mm3() / 1000 < kLeastBody_ml)
      continue;
    if (const auto measured = measure(voxels, labels.grid, row.level)) out.push_back(*measured);
  }
  return out;
}

/// Of a cylinder's volume, what the waist leaves: 10 % narrower across and 6 % in depth at mid-height, over
/// 0.8 of the height (SpinePatient).
constexpr double kWaistShare = 0.88;

LevelMeasures expected_measures(const VertebraSize& s) {
  LevelMeasures out;
  out.level = s.level;
  out.body_width_mm = (s.body_width_upper_mm + s.body_width_lower_mm) / 2;
  out.body_depth_mm = (s.body_depth_upper_mm + s.body_depth_lower_mm) / 2;
  out.body_height_mm = s.posterior_height_mm;
  const double middle_mm = s.posterior_height_mm + out.body_depth_mm / 2 * std::tan(s.wedge_deg * kPi / 180);
  out.body_ml = kWaistShare * cylinder_ml(out.body_width_mm, out.body_depth_mm, middle_mm);
  out.canal_width_mm = s.canal_width_mm;
  out.canal_depth_mm = s.canal_depth_mm;
  out.canal_ml = cylinder_ml(s.canal_width_mm, s.canal_depth_mm, s.posterior_height_mm);
  // The conus ends somewhere in L1 or L2.
  if (*level_index(s.level) <= *level_index("T12"))
    out.cord_ml = cylinder_ml(s.cord_width_mm, s.cord_depth_mm, s.posterior_height_mm);
  return out;
}

}  // namespace spinetherm
