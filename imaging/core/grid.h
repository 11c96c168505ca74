// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace spinetherm {

/// Regular voxel grid in patient space (LPS, millimetres, as DICOM and ITK):
///   x_mm = origin_mm + direction * (spacing_mm .* ijk)
/// `origin_mm` is the centre of voxel (0,0,0); i runs fastest in memory. A voxel spans half a spacing each
/// way. `direction` is orthonormal and may be a reflection (either handedness).
struct Grid {
  std::array<int, 3> size{0, 0, 0};
  Eigen::Vector3d spacing_mm{1, 1, 1};
  Eigen::Vector3d origin_mm{0, 0, 0};
  Eigen::Matrix3d direction = Eigen::Matrix3d::Identity();

  bool operator==(const Grid&) const = default;

  std::size_t count() const { return std::size_t(size[0]) * std::size_t(size[1]) * std::size_t(size[2]); }
  std::size_t index(int i, int j, int k) const {
    return (std::size_t(k) * std::size_t(size[1]) + std::size_t(j)) * std::size_t(size[0]) + std::size_t(i);
  }
  bool contains(int i, int j, int k) const {
    return i >= 0 && j >= 0 && k >= 0 && i < size[0] && j < size[1] && k < size[2];
  }
  /// Position [mm] of a continuous voxel index.
  Eigen::Vector3d to_world(const Eigen::Vector3d& ijk) const {
    return origin_mm + direction * spacing_mm.cwiseProduct(ijk);
  }
  Eigen::Vector3d to_world(int i, int j, int k) const { return to_world(Eigen::Vector3d(i, j, k)); }
  Eigen::Vector3d to_world(double, double,
                           double) const = delete;  ///< would lose the fractions: give a vector
  /// Continuous voxel index of a position [mm].
  Eigen::Vector3d to_index(const Eigen::Vector3d& x_mm) const {
    return (direction.transpose() * (x_mm - origin_mm)).cwiseQuotient(spacing_mm);
  }
  /// Nearest voxel; may lie outside the grid (ask contains()).
  std::array<int, 3> nearest(const Eigen::Vector3d& x_mm) const;
  /// True when the point lies within the outer faces of the outer voxels.
  bool covers(const Eigen::Vector3d& x_mm) const;
  double voxel_volume_mm3() const { return spacing_mm.prod(); }
  Eigen::Vector3d centre_mm() const {
    return to_world(Eigen::Vector3d(size[0] - 1, size[1] - 1, size[2] - 1) / 2);
  }
  /// Throws ConfigError naming the first rule that is broken: sizes >= 1 and their product within
  /// `max_voxels`, spacing positive and finite, origin finite, direction orthonormal to 1e-3.
  void validate(std::string_view where, double max_voxels = 4e9) const;
};

/// Same size, and every corner within `tolerance_mm`.
bool same_geometry(const Grid& a, const Grid& b, double tolerance_mm = 1e-3);

/// Axes letters of a grid as radiologists write them, for i, j, k: "LPS", "RAS", "PIR" ...:
/// each letter is the side of the patient towards which the index grows.
std::string axis_letters(const Grid& grid);

/// The voxels of `grid` from `first` (inclusive) with `size`, as a grid of its own.
Grid sub_grid(const Grid& grid, const std::array<int, 3>& first, const std::array<int, 3>& size);

/// Axis-aligned (LPS) grid of isotropic spacing that covers the box [low, high].
Grid box_grid(const Eigen::Vector3d& low_mm, const Eigen::Vector3d& high_mm, double spacing_mm);

}  // namespace spinetherm
