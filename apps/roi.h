// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "imaging/core/image.h"

namespace spinetherm {

/// How much of a scan the planning looks at, around the target's centre [mm]: the neighbours of the vertebra
/// up and down, and all the way back to the skin.
struct RoiOptions {
  double side_mm = 110, front_mm = 60, back_mm = 130, up_down_mm = 60;
  double spacing_mm = 1;  ///< axis-aligned LPS, isotropic
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
  bool operator==(const RoiOptions&) const = default;
};

/// Axis-aligned LPS grid around `centre_mm`, cut to the box of the scan.
Grid roi_grid(const Grid& scan, const Eigen::Vector3d& centre_mm, const RoiOptions& options = {});

/// The scan on the region of interest: mean over the voxel where the scan is finer, linear where it is
/// coarser; NaN outside the scan.
Image crop_to_roi(const Image& scan, const Grid& roi);

}  // namespace spinetherm
