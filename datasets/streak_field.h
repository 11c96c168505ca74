// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "imaging/core/volume.h"

namespace spinetherm {

/// A straight metal needle in the image's frame.
struct Needle {
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double diameter_mm = 2.1;  ///< 14 G
  bool operator==(const Needle&) const = default;
  /// ConfigError for a length or diameter that cannot be.
  void validate() const;
};

/// How much bone lies on both sides of a point, slice by slice, for the dark bands between dense bones that
/// beam hardening and scatter leave. The second-order error of a beam through two objects is proportional to
/// the product of the paths L+ and L- in them (Brooks and Di Chiro 1976, doi:10.1088/0031-9155/21/3/004), and
/// backprojection spreads it between them:
///   shadow(x) = mean over 18 directions in the slice of L+ L- / (20 mm)^2
/// with L the integral of max(0, HU - 200) / 1000 along the ray; 1 where 20 mm of bone of 1200 HU lie on both
/// sides in every direction. An image-domain approximation: no projections, bright flanks left out. On a grid
/// of about 2 mm; the slices are the planes of the first two axes.
Volume<float> bone_shadow(const Volume<float>& hu);

/// Adds `factor` times a coarse field, interpolated, to a volume. Both have the same directions.
void add_field(Volume<float>& volume, const Volume<float>& coarse, double factor);

/// Adds a needle: metal of 3071 HU where it lies (by the part of a voxel that it fills), and streaks of
/// `strength_HU` at its surface that fall with 1 / r: a dark and a bright band along its two sides in the
/// slice, and a dark one beyond either end.
void add_needle(Volume<float>& hu, const Needle& needle, double strength_HU);

}  // namespace spinetherm
