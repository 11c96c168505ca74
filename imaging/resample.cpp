// SPDX-License-Identifier: Apache-2.0
#include "imaging/resample.h"

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

/// Continuous source index of a target index: index = matrix * ijk + offset.
struct IndexMap {
  Eigen::Matrix3d matrix;
  Eigen::Vector3d offset;
};

IndexMap source_index_from_target(const Grid& source, const Grid& target, const Rigid& source_from_target) {
  const Eigen::Matrix3d to_index =
      source.spacing_mm.cwiseInverse().asDiagonal() * source.direction.transpose();
  const Eigen::Matrix3d to_world = target.direction * target.spacing_mm.asDiagonal();
  return {to_index * source_from_target.rotation.toRotationMatrix() * to_world,
          to_index * (source_from_target * target.origin_mm - source.origin_mm)};
}

bool inside(const Grid& grid, const Eigen::Vector3d& index) {
  // A hair of tolerance, so that a face that both grids share counts as inside.
  constexpr double half = 0.5 + 1e-6;
  for (int a = 0; a < 3; ++a)
    if (!(index[a] >= -half && index[a] <= grid.size[std::size_t(a)] - 1 + half)) return false;
  return true;
}

float linear_at(const Volume<float>& v, const Eigen::Vector3d& index) {
  int lo[3], hi[3];
  double f[3];
  for (int a = 0; a < 3; ++a) {
    const int last = v.grid.size[std::size_t(a)] - 1;
    const double x = std::clamp(index[a], 0.0, double(last));
    lo[a] = int(x);
    hi[a] = std::min(lo[a] + 1, last);
    f[a] = x - lo[a];
  }
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const bool x = corner & 1, y = corner & 2, z = corner & 4;
    const double w = (x ? f[0] : 1 - f[0]) * (y ? f[1] : 1 - f[1]) * (z ? f[2] : 1 - f[2]);
    if (w == 0) continue;  // a NaN neighbour of weight zero must not spoil the value
    sum += w * double(v(x ? hi[0] : lo[0], y ? hi[1] : lo[1], z ? hi[2] : lo[2]));
  }
  return float(sum);
}

template <class T, class ValueAt>
Volume<T> fill(const Grid& target, const ValueAt& value_at) {
  Volume<T> out(target);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < target.size[2]; ++k)
    for (int j = 0; j < target.size[1]; ++j)
      for (int i = 0; i < target.size[0]; ++i) out(i, j, k) = value_at(Eigen::Vector3d(i, j, k));
  return out;
}

}  // namespace

Volume<float> resample_linear(const Volume<float>& source, const Grid& target, float outside,
                              const Rigid& source_from_target) {
  const IndexMap map = source_index_from_target(source.grid, target, source_from_target);
  return fill<float>(target, [&](const Eigen::Vector3d& ijk) {
    const Eigen::Vector3d index = map.matrix * ijk + map.offset;
    return inside(source.grid, index) ? linear_at(source, index) : outside;
  });
}

Volume<float> resample_mean(const Volume<float>& source, const Grid& target, float outside,
                            const Rigid& source_from_target) {
  const IndexMap map = source_index_from_target(source.grid, target, source_from_target);
  std::array<int, 3> points{};
  for (int a = 0; a < 3; ++a) {
    // The source voxels that one step along this target axis crosses.
    const double step = map.matrix.col(a).cwiseAbs().maxCoeff();
    points[std::size_t(a)] = std::clamp(int(std::ceil(step - 1e-6)), 1, 8);
  }
  return fill<float>(target, [&](const Eigen::Vector3d& ijk) {
    if (!inside(source.grid, map.matrix * ijk + map.offset)) return outside;
    double sum = 0;
    int count = 0;
    for (int c = 0; c < points[2]; ++c)
      for (int b = 0; b < points[1]; ++b)
        for (int a = 0; a < points[0]; ++a) {
          const Eigen::Vector3d within((a + 0.5) / points[0] - 0.5, (b + 0.5) / points[1] - 0.5,
                                       (c + 0.5) / points[2] - 0.5);
          const Eigen::Vector3d index = map.matrix * (ijk + within) + map.offset;
          if (!inside(source.grid, index)) continue;
          sum += linear_at(source, index);
          ++count;
        }
    return count == 0 ? outside : float(sum / count);
  });
}

template <class T>
Volume<T> resample_nearest(const Volume<T>& source, const Grid& target, T outside,
                           const Rigid& source_from_target) {
  const IndexMap map = source_index_from_target(source.grid, target, source_from_target);
  return fill<T>(target, [&](const Eigen::Vector3d& ijk) {
    const Eigen::Vector3d index = map.matrix * ijk + map.offset;
    if (!inside(source.grid, index)) return outside;
    std::array<int, 3> n{};
    for (int a = 0; a < 3; ++a)
      n[std::size_t(a)] =
          std::clamp(int(std::floor(index[a] + 0.5)), 0, source.grid.size[std::size_t(a)] - 1);
    return source(n[0], n[1], n[2]);
  });
}

template Volume<std::uint8_t> resample_nearest(const Volume<std::uint8_t>&, const Grid&, std::uint8_t,
                                               const Rigid&);
template Volume<std::uint16_t> resample_nearest(const Volume<std::uint16_t>&, const Grid&, std::uint16_t,
                                                const Rigid&);
template Volume<std::uint32_t> resample_nearest(const Volume<std::uint32_t>&, const Grid&, std::uint32_t,
                                                const Rigid&);
template Volume<float> resample_nearest(const Volume<float>&, const Grid&, float, const Rigid&);

}  // namespace spinetherm
