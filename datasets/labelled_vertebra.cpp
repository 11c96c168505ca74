// SPDX-License-Identifier: Apache-2.0
#include "datasets/labelled_vertebra.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "datasets/image_filters.h"
#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "planning/labelled_canal.h"

namespace spinetherm {
namespace {

/// Below this a vertebra is not in the scan [ml].
constexpr double kLeast_ml = 2;
/// Half thickness below which no pedicle was found [mm].
constexpr double kLeastPedicle_mm = 1;
constexpr float kFar_mm = 1e3F;
constexpr int kRoom = 3;  ///< voxels about a structure, for its distance

template <class Visit>
void for_each_voxel(const Grid& g, const Visit& visit) {
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) visit(i, j, k);
}

double percentile(std::vector<double>& values, double share) {
  const auto at = values.begin() + std::ptrdiff_t(share * double(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Least squares y = a + b z.
struct Line {
  double a = 0, b = 0;
  double operator()(double z) const { return a + b * z; }
};
Line fit(const std::vector<double>& z, const std::vector<double>& y) {
  double n = double(z.size()), sz = 0, sy = 0, szz = 0, szy = 0;
  for (std::size_t m = 0; m < z.size(); ++m) {
    sz += z[m];
    sy += y[m];
    szz += z[m] * z[m];
    szy += z[m] * y[m];
  }
  const double determinant = n * szz - sz * sz;
  const double b = std::abs(determinant) < 1e-9 ? 0 : (n * szy - sz * sy) / determinant;
  return {(sy - b * sz) / n, b};
}

/// The canal about a vertebra: lines of its centre and of its front wall along z.
struct CanalLines {
  Line x, y, front;
};
CanalLines canal_lines(const Volume<std::uint8_t>& canal, double z_low, double z_high,
                       const std::string& level) {
  const Grid& g = canal.grid;
  std::vector<double> z, x, y, front;
  for (int k = 0; k < g.size[2]; ++k) {
    const double at = g.to_world(0, 0, k).z();
    if (at < z_low || at > z_high) continue;
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    int count = 0;
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (canal(i, j, k)) {
          sum += g.to_world(i, j, k);
          ++count;
        }
    if (count == 0) continue;
    sum /= count;
    double first = std::numeric_limits<double>::infinity();
    for (int j = 0; j < g.size[1] && std::isinf(first); ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (canal(i, j, k) && std::abs(g.to_world(i, j, k).x() - sum.x()) < 3) {
          first = g.to_world(i, j, k).y() - g.spacing_mm.y() / 2;
          break;
        }
    if (std::isinf(first)) continue;
    z.push_back(at);
    x.push_back(sum.x());
    y.push_back(sum.y());
    front.push_back(first);
  }
  if (z.size() < 3)
    throw ConfigError("no canal beside " + level + ": the body cannot be told from the arch", "labels",
                      "give a label of the canal, the cord or whole vertebrae");
  return {fit(z, x), fit(z, y), fit(z, front)};
}

/// Signed distance about the voxels that hold a value, on the part of their grid with `room` voxels about
/// them; without room on all of it. Empty without such voxels.
template <class T>
Volume<float> part_distance(const Volume<T>& labels, T value, std::optional<int> room = {}) {
  const Grid& g = labels.grid;
  std::array<int, 3> first = g.size, last{-1, -1, -1};
  for_each_voxel(g, [&](int i, int j, int k) {
    if (labels(i, j, k) != value) return;
    const std::array<int, 3> at = {i, j, k};
    for (std::size_t a = 0; a < 3; ++a) {
      first[a] = std::min(first[a], at[a]);
      last[a] = std::max(last[a], at[a]);
    }
  });
  if (last[0] < 0) return {};
  std::array<int, 3> size{};
  for (std::size_t a = 0; a < 3; ++a) {
    first[a] = room ? std::max(0, first[a] - *room) : 0;
    last[a] = room ? std::min(g.size[a] - 1, last[a] + *room) : g.size[a] - 1;
    size[a] = last[a] - first[a] + 1;
  }
  Volume<std::uint8_t> mask(sub_grid(g, first, size));
  for_each_voxel(mask.grid, [&](int i, int j, int k) {
    mask(i, j, k) = labels(first[0] + i, first[1] + j, first[2] + k) == value ? 1 : 0;
  });
  return blur(signed_distance_mm(mask), 0.5 * g.spacing_mm);
}

}  // namespace

Volume<float> smooth_distance_mm(const Volume<std::uint8_t>& mask, const Grid& grid) {
  Volume<float> out(grid, kFar_mm);
  const Volume<float> distance = part_distance<std::uint8_t>(mask, 1);
  if (distance.empty()) return out;
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        if (const auto d = sample_linear(distance, grid.to_world(i, j, k))) out(i, j, k) = float(*d);
  return out;
}

Volume<StructureValue> smooth_labels(const Volume<StructureValue>& labels, const Grid& grid) {
  Volume<StructureValue> out(grid);
  std::vector<bool> present(std::size_t(std::numeric_limits<StructureValue>::max()) + 1);
  for (const StructureValue v : labels.values) present[v] = true;
  Volume<float> nearest(grid, 0);
  for (const auto& row : structure_table()) {
    const StructureValue value = row.first;
    if (value == 0 || !present[value]) continue;
    const Volume<float> distance = part_distance<StructureValue>(labels, value, kRoom);
    const Grid& g = distance.grid;
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i) {
          const Eigen::Vector3d x = grid.to_world(i, j, k);
          if (!g.covers(x)) continue;
          const double d = sample_linear(distance, x).value_or(0);
          if (d >= double(nearest(i, j, k))) continue;
          nearest(i, j, k) = float(d);
          out(i, j, k) = value;
        }
  }
  return out;
}

LabelledVertebra measure_vertebra(const Anatomy& anatomy, const std::string& level) {
  const Grid& g = anatomy.labels.grid;
  const auto whole = structure_value("vertebra_" + level);
  if (level == "C1" || level == "C2" || level == "sacrum" || level == "S1" || !whole)
    throw ConfigError("a lesion in the body of '" + level + "' cannot be made on a real scan",
                      "--lesion-level " + level, "use C3 to L5");
  LabelledVertebra out;
  out.level = level;
  const Volume<std::uint8_t> bone = anatomy.mask("vertebra_" + level);
  double z_low = 1e9, z_high = -1e9, voxels = 0;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!bone(i, j, k)) return;
    const double z = g.to_world(i, j, k).z();
    z_low = std::min(z_low, z);
    z_high = std::max(z_high, z);
    ++voxels;
  });
  if (voxels * g.voxel_volume_mm3() / 1000 < kLeast_ml)
    throw ConfigError("no voxel is labelled as " + level, "--lesion-level " + level,
                      "name a level that the labels hold");
  const LabelledCanal canal = find_labelled_canal(anatomy, g);
  if (canal.mask.empty())
    throw ConfigError("no canal is known beside " + level + " (" + canal.reason + ")", "labels",
                      "give a label of the canal, the cord or whole vertebrae");
  out.canal = canal.mask;
  const CanalLines lines = canal_lines(canal.mask, z_low, z_high, level);

  const StructureValue body_value = structure_value("vertebra_body_" + level).value_or(0);
  const bool own_label = std::find(anatomy.labels.values.begin(), anatomy.labels.values.end(), body_value) !=
                         anatomy.labels.values.end();
  out.body = Volume<std::uint8_t>(g);
  Eigen::Vector3d centre = Eigen::Vector3d::Zero();
  double count = 0;
  bool cut = false;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!bone(i, j, k)) return;
    const Eigen::Vector3d x = g.to_world(i, j, k);
    if (own_label ? anatomy.labels(i, j, k) != body_value : x.y() > lines.front(x.z())) return;
    out.body(i, j, k) = 1;
    centre += x;
    ++count;
    cut = cut || k == 0 || k == g.size[2] - 1 || j == 0 || i == 0 || i == g.size[0] - 1;
  });
  if (count * g.voxel_volume_mm3() / 1000 < kLeast_ml)
    throw ConfigError("the labels of " + level + " hold no body", "--lesion-level " + level,
                      "use labels of whole vertebrae");
  if (cut)
    throw ConfigError(level + " is cut by the edge of the scan", "--lesion-level " + level,
                      "name a level that the scan shows whole");
  centre /= count;

  const Eigen::Vector3d up = Eigen::Vector3d(lines.x.b, lines.y.b, 1).normalized();
  Eigen::Vector3d back = Eigen::Vector3d(lines.x(centre.z()), lines.y(centre.z()), centre.z()) - centre;
  back = (back - back.dot(up) * up).normalized();
  Eigen::Matrix3d axes;  // rows: left, back, up
  axes.row(0) = back.cross(up).transpose();
  axes.row(1) = back.transpose();
  axes.row(2) = up.transpose();
  std::array<std::vector<double>, 3> at;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!out.body(i, j, k)) return;
    const Eigen::Vector3d p = axes * (g.to_world(i, j, k) - centre);
    for (int a = 0; a < 3; ++a) at[std::size_t(a)].push_back(p[a]);
  });
  Eigen::Vector3d middle;
  for (int a = 0; a < 3; ++a) {
    std::vector<double>& values = at[std::size_t(a)];
    const double low = percentile(values, 0.01), high = percentile(values, 0.99);
    middle[a] = (low + high) / 2;
    out.half_mm[a] = (high - low) / 2;
  }
  out.vertebra_from_world.rotation = Eigen::Quaterniond(axes).normalized();
  out.vertebra_from_world.translation_mm = -(axes * centre) - middle;

  std::vector<double> wall, width;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!out.body(i, j, k) && !out.canal(i, j, k)) return;
    const Eigen::Vector3d p = out.vertebra_from_world * g.to_world(i, j, k);
    if (std::abs(p.z()) > 0.6 * out.half_mm.z()) return;
    if (out.canal(i, j, k)) width.push_back(std::abs(p.x()));
    if (out.body(i, j, k) && std::abs(p.x()) < 6) wall.push_back(p.y());
  });
  out.wall_y_mm = wall.empty() ? out.half_mm.y() : percentile(wall, 0.99);
  out.canal_half_width_mm = width.empty() ? 8 : percentile(width, 0.97);
  out.depth_mm = signed_distance_mm(bone);
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!bone(i, j, k)) return;
    const Eigen::Vector3d p = out.vertebra_from_world * g.to_world(i, j, k);
    const std::size_t side = p.x() > 0 ? 0 : 1;
    if (std::abs(p.x()) < 0.7 * out.canal_half_width_mm || std::abs(p.x()) > out.half_mm.x() + 3) return;
    if (p.y() < out.wall_y_mm + 1 || p.y() > out.wall_y_mm + 6) return;
    if (p.z() < -0.4 * out.half_mm.z() || p.z() > out.half_mm.z()) return;
    const double half = -double(out.depth_mm(i, j, k));
    if (half < kLeastPedicle_mm || half <= out.pedicle_half_mm[side]) return;
    out.pedicle_half_mm[side] = half;
    out.pedicles[side] = p;
  });
  return out;
}

}  // namespace spinetherm
