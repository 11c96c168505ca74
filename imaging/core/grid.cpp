// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {

std::array<int, 3> Grid::nearest(const Eigen::Vector3d& x_mm) const {
  const Eigen::Vector3d ijk = to_index(x_mm);
  std::array<int, 3> out{};
  for (int a = 0; a < 3; ++a) {
    // Far-away and non-finite points must not overflow an int.
    const double v = std::isfinite(ijk[a]) ? std::clamp(std::floor(ijk[a] + 0.5), -1e9, 1e9) : -1e9;
    out[std::size_t(a)] = int(v);
  }
  return out;
}

bool Grid::covers(const Eigen::Vector3d& x_mm) const {
  const Eigen::Vector3d ijk = to_index(x_mm);
  for (int a = 0; a < 3; ++a)
    if (!(ijk[a] >= -0.5 && ijk[a] <= size[std::size_t(a)] - 0.5)) return false;
  return true;
}

void Grid::validate(std::string_view where, double max_voxels) const {
  const std::string at(where);
  for (int n : size)
    if (n < 1)
      throw ConfigError(fmt::format("grid size {} x {} x {}", size[0], size[1], size[2]), at,
                        "every size must be at least 1");
  const double voxels = double(size[0]) * double(size[1]) * double(size[2]);
  if (voxels > max_voxels)
    throw ConfigError(fmt::format("grid of {} x {} x {} voxels", size[0], size[1], size[2]), at,
                      fmt::format("at most {:.3g} voxels can be held", max_voxels));
  if (!spacing_mm.allFinite() || (spacing_mm.array() <= 0).any())
    throw ConfigError(fmt::format("spacing {} x {} x {} mm", spacing_mm[0], spacing_mm[1], spacing_mm[2]), at,
                      "spacing must be positive and finite");
  if (!origin_mm.allFinite()) throw ConfigError("origin is not finite", at, "give the origin in millimetres");
  if (!direction.allFinite() ||
      (direction.transpose() * direction - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff() > 1e-3)
    throw ConfigError("direction matrix is singular or not orthonormal", at,
                      "resample the image onto orthogonal axes");
}

bool same_geometry(const Grid& a, const Grid& b, double tolerance_mm) {
  if (a.size != b.size) return false;
  for (int corner = 0; corner < 8; ++corner) {
    const Eigen::Vector3d ijk((corner & 1) ? a.size[0] - 1 : 0, (corner & 2) ? a.size[1] - 1 : 0,
                              (corner & 4) ? a.size[2] - 1 : 0);
    if (!((a.to_world(ijk) - b.to_world(ijk)).norm() <= tolerance_mm)) return false;
  }
  return true;
}

std::string axis_letters(const Grid& grid) {
  std::string letters;
  for (int axis = 0; axis < 3; ++axis) {
    int main = 0;
    grid.direction.col(axis).cwiseAbs().maxCoeff(&main);
    const bool positive = grid.direction(main, axis) > 0;  // towards Left, Posterior, Superior
    letters += std::string_view(positive ? "LPS" : "RAI")[std::size_t(main)];
  }
  return letters;
}

Grid sub_grid(const Grid& grid, const std::array<int, 3>& first, const std::array<int, 3>& size) {
  Grid out = grid;
  out.size = size;
  out.origin_mm = grid.to_world(first[0], first[1], first[2]);
  return out;
}

Grid box_grid(const Eigen::Vector3d& low_mm, const Eigen::Vector3d& high_mm, double spacing_mm) {
  Grid out;
  out.spacing_mm.setConstant(spacing_mm);
  for (int a = 0; a < 3; ++a)
    out.size[std::size_t(a)] = std::max(1, int(std::ceil((high_mm[a] - low_mm[a]) / spacing_mm - 1e-9)) + 1);
  out.origin_mm = low_mm;
  return out;
}

}  // namespace spinetherm
