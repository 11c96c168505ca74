// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imaging/core/anatomy.h"

namespace spinetherm {

/// What is to be ablated: a mask on a grid of its own (any spacing and axes), in the frame of the anatomy.
struct Target {
  std::string name = "tumour";
  std::string level;  ///< "L3"; empty: not known
  std::string kind;   ///< lytic, blastic, mixed, marrow; empty: not known
  Volume<std::uint8_t> mask;
};

/// An ellipsoid with axes along LPS, sampled at `spacing_mm`. ConfigError unless the radii are positive.
Volume<std::uint8_t> ellipsoid_mask(const Eigen::Vector3d& centre_mm, const Eigen::Vector3d& radii_mm,
                                    double spacing_mm = 1);

/// Where the mask is, how big, and its principal axes.
struct TargetShape {
  Eigen::Vector3d centre_mm{0, 0, 0};
  /// Columns: principal axes, the longest first; a right-handed frame.
  Eigen::Matrix3d axes = Eigen::Matrix3d::Identity();
  /// Semi-axes [mm] of the ellipsoid of the same second moments, along `axes`.
  Eigen::Vector3d half_mm{0, 0, 0};
  double volume_ml = 0;
};
/// ConfigError when the mask is empty.
TargetShape shape_of(const Target& target);

/// State of the posterior wall of the body behind the target.
struct PosteriorWall {
  /// Largest extent [mm] of the patch through which the target faces the canal without bone between;
  /// 0: intact; empty: not known.
  std::optional<double> defect_mm = {};
  std::string reason = "not assessed";
  bool operator==(const PosteriorWall&) const = default;
};
/// Looks from every voxel of the canal's surface near the target towards the target: the wall stands where
/// bone (by label, or a CT number from `bone_HU` up) lies on the way or within the target's outer 2 mm, which
/// may hold the cortex itself. Where none is seen the wall is open; but not known without a CT, or when CT or
/// labels are coarser than 1.5 mm: a wall is thinner. Not known either without a canal. `ct` may be empty.
PosteriorWall assess_posterior_wall(const Anatomy& anatomy, const Target& target, const Volume<float>& ct_HU,
                                    double bone_HU = 250);

}  // namespace spinetherm
