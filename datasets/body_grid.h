// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Geometry>

#include "imaging/core/volume.h"

namespace spinetherm {

/// A fine grid and a coarser one about it whose voxels are whole blocks of `parts` x `parts` x `parts` fine
/// ones: the faces of the fine grid are faces of coarse voxels, so that nothing is counted twice or left out
/// where they meet.
struct NestedGrids {
  Grid fine, coarse;
  int parts = 1;
  std::array<int, 3> first{0, 0, 0};  ///< coarse voxel that holds the fine voxel (0, 0, 0)
  /// Whether a coarse voxel lies in the fine grid.
  bool inside(int i, int j, int k) const;
};
/// The fine grid starts at `low_mm` and covers the box to `high_mm`, widened to whole blocks; the coarse one
/// covers the box from `around_low_mm` to `around_high_mm` at the multiple of `spacing_mm` nearest to
/// `coarse_mm`. Axes along the patient's. ConfigError when the second box does not hold the first.
NestedGrids nested_grids(const Eigen::Vector3d& low_mm, const Eigen::Vector3d& high_mm, double spacing_mm,
                         const Eigen::Vector3d& around_low_mm, const Eigen::Vector3d& around_high_mm,
                         double coarse_mm);

/// Puts into the coarse voxels that lie in the fine grid the mean of their block.
void fill_means(const NestedGrids& grids, const Volume<float>& fine, Volume<float>& coarse);
/// The label that fills most of their block; of several the lowest.
void fill_labels(const NestedGrids& grids, const Volume<std::uint16_t>& fine, Volume<std::uint16_t>& coarse);

/// About the centres of all voxels of a grid [mm].
Eigen::AlignedBox3d box_of(const Grid& grid);

}  // namespace spinetherm
