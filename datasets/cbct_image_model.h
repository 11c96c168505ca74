// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "datasets/streak_field.h"
#include "imaging/core/image.h"

namespace spinetherm {

/// The fast model of a cone-beam CT: effects of projection and reconstruction drawn into the image.
struct CbctOptions {
  double fov_diameter_mm = 160, fov_height_mm = 150;  ///< cylinder about the grid's centre, axis along z
  double psf_sigma_mm = 0.5;
  double noise_HU = 60;         ///< mobile systems 40-90
  double noise_grain_mm = 0.6;  ///< texture of the noise, as SliceNoise; 0: white
  double cupping_HU = -120;     ///< at the axis, falling to 0 with the square of the radius
  double shading_HU = 25;  ///< a slope across the field, in a direction that the seed draws: +/- at its edge
  double streak_HU = 250;  ///< dark bands between dense bones (scatter): at a shadow of 1, see bone_shadow()
  double truncation_HU = 100;  ///< bright at the edge of the field, falling over 10 mm; 50-300 reported
  double ring_HU = 8;          ///< standard deviation of the rings about the axis, one radius in six
  double hu_scale = 0.92;      ///< CT numbers shrink towards 0 (0.8-1.1 reported)
  double hu_offset = 20;
  std::optional<Needle> needle = {};
  double needle_streak_HU = 900;  ///< at the surface of the needle
  void validate() const;
};
/// CT number of CBCT voxels outside the field of view: not measured, never air. No voxel inside has it.
inline constexpr float kCbctOutside_HU = -1024;
struct CbctScan {
  Image image;                 ///< kCbctOutside_HU where `valid` is 0
  Volume<std::uint8_t> valid;  ///< 1 inside the cylinder
};
/// CBCT of the sharp HU volume, on its grid:
///   scale * (blurred HU + needle) + offset + cupping (1 - (r/R)^2) + shading + streaks + truncation + rings
/// plus noise. The result depends on `seed` and the options only. ConfigError that names the option.
CbctScan simulate_cbct(const Volume<float>& sharp_HU, const CbctOptions& options, std::uint64_t seed);

}  // namespace spinetherm
