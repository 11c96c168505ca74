// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "datasets/streak_field.h"
#include "imaging/core/image.h"

namespace spinetherm {

struct CtOptions {
  double psf_sigma_mm = 0.4;    ///< in the slice, of the reconstruction kernel (FWHM 0.9 mm, soft to medium)
  double noise_HU = 15;         ///< standard deviation; diagnostic CT 12-20, a sharp kernel 40
  double noise_grain_mm = 0.5;  ///< of the noise's texture, as SliceNoise; 0: white
  double slice_mm = 0;          ///< thickness and spacing of the slices; 0: those of the sharp volume
  double bone_gain = 1;         ///< of what exceeds 100 HU: below 120 kV calcium attenuates more
  double hu_gain = 1;           ///< calibration: CT number = gain * HU + offset, exact by default
  double hu_offset = 0;
  double beam_hardening_HU = 60;  ///< dark bands between dense bones: at a shadow of 1, see bone_shadow()
  std::optional<Needle> needle = {};
  double needle_streak_HU = 400;  ///< at the surface of the needle
  void validate() const;
};

/// CT of the sharp HU volume (as at 120 kV), whose slices are the planes of its first two axes: slices of
/// `slice_mm` with a rectangular profile, blur within them, beam hardening, needle, noise (independent from
/// slice to slice, band-limited within). Values are cut to [-1024, 3071] and rounded, as scanners store them.
/// Depends on `seed` and the options only, never on threads. ConfigError that names the option.
Image simulate_ct(const Volume<float>& sharp_HU, const CtOptions& options, std::uint64_t seed);

}  // namespace spinetherm
