// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <array>

#include "imaging/core/grid.h"

namespace spinetherm {

/// Calls `visit(voxel, weight)` for the eight voxels about a point that the grid covers, with the weights of
/// trilinear interpolation; beyond the outer centres the outer voxels alone.
template <class Visit>
void for_each_corner(const Grid& grid, const Eigen::Vector3d& x_mm, const Visit& visit) {
  const Eigen::Vector3d at = grid.to_index(x_mm);
  for (int c = 0; c < 8; ++c) {
    std::array<int, 3> n{};
    double weight = 1;
    for (int a = 0; a < 3; ++a) {
      const int last = grid.size[std::size_t(a)] - 1;
      const double v = std::clamp(at[a], 0.0, double(last));
      const int low = std::min(int(v), std::max(last - 1, 0));
      const bool upper = ((c >> a) & 1) != 0;
      n[std::size_t(a)] = std::min(low + (upper ? 1 : 0), last);
      weight *= upper ? v - low : 1 - (v - low);
    }
    visit(grid.index(n[0], n[1], n[2]), weight);
  }
}

}  // namespace spinetherm
