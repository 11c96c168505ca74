// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "imaging/core/grid.h"

namespace spinetherm {

/// Values on a grid, i fastest. Masks are Volume<std::uint8_t>, never Volume<bool>.
template <class T>
struct Volume {
  Grid grid;
  std::vector<T> values;

  Volume() = default;
  explicit Volume(const Grid& g, T fill = T{}) : grid(g), values(g.count(), fill) {}

  bool operator==(const Volume&) const = default;
  bool empty() const { return values.empty(); }
  T& operator()(int i, int j, int k) { return values[grid.index(i, j, k)]; }
  const T& operator()(int i, int j, int k) const { return values[grid.index(i, j, k)]; }
  T& operator[](std::size_t n) { return values[n]; }
  const T& operator[](std::size_t n) const { return values[n]; }
};

/// Value of the voxel that holds the point; empty outside the grid. Never invents a value: use it for labels.
template <class T>
std::optional<T> sample_nearest(const Volume<T>& volume, const Eigen::Vector3d& x_mm) {
  const auto [i, j, k] = volume.grid.nearest(x_mm);
  if (!volume.grid.contains(i, j, k)) return std::nullopt;
  return volume(i, j, k);
}

/// Trilinear value at a point; empty outside the outer faces; between an outer voxel's centre and its face
/// the edge value is held.
template <class T>
std::optional<double> sample_linear(const Volume<T>& volume, const Eigen::Vector3d& x_mm) {
  if (!volume.grid.covers(x_mm)) return std::nullopt;
  const Eigen::Vector3d ijk = volume.grid.to_index(x_mm);
  int lo[3], hi[3];
  double f[3];
  for (int a = 0; a < 3; ++a) {
    const int last = volume.grid.size[std::size_t(a)] - 1;
    const double v = std::min(std::max(ijk[a], 0.0), double(last));
    lo[a] = std::min(int(v), last);
    hi[a] = std::min(lo[a] + 1, last);
    f[a] = v - lo[a];
  }
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const double w = ((corner & 1) ? f[0] : 1 - f[0]) * ((corner & 2) ? f[1] : 1 - f[1]) *
                     ((corner & 4) ? f[2] : 1 - f[2]);
    if (w == 0) continue;  // a NaN neighbour of weight zero must not spoil the value
    sum += w * double(volume((corner & 1) ? hi[0] : lo[0], (corner & 2) ? hi[1] : lo[1],
                             (corner & 4) ? hi[2] : lo[2]));
  }
  return sum;
}

}  // namespace spinetherm
