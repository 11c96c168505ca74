// SPDX-License-Identifier: Apache-2.0
#include "datasets/ct_scanner.h"

#include <cmath>

#include "datasets/image_filters.h"
#include "imaging/core/error.h"

namespace spinetherm {

void CtOptions::validate() const {
  require(psf_sigma_mm >= 0 && psf_sigma_mm < 5, "CtOptions.psf_sigma_mm", psf_sigma_mm,
          "must lie in [0, 5)");
  require(noise_HU >= 0 && noise_HU < 500, "CtOptions.noise_HU", noise_HU, "must lie in [0, 500)");
  require(noise_grain_mm >= 0 && noise_grain_mm < 5, "CtOptions.noise_grain_mm", noise_grain_mm,
          "must lie in [0, 5)");
  require(slice_mm >= 0 && slice_mm <= 10, "CtOptions.slice_mm", slice_mm, "must lie in [0, 10]");
  require(bone_gain > 0.5 && bone_gain < 2, "CtOptions.bone_gain", bone_gain, "must lie in (0.5, 2)");
  require(hu_gain > 0.5 && hu_gain < 2, "CtOptions.hu_gain", hu_gain, "must lie in (0.5, 2)");
  require(std::abs(hu_offset) < 200, "CtOptions.hu_offset", hu_offset, "must lie in (-200, 200)");
  require(beam_hardening_HU >= 0 && beam_hardening_HU < 2000, "CtOptions.beam_hardening_HU",
          beam_hardening_HU, "must lie in [0, 2000)");
  require(needle_streak_HU >= 0 && needle_streak_HU < 3000, "CtOptions.needle_streak_HU", needle_streak_HU,
          "must lie in [0, 3000)");
  if (needle) needle->validate();
}

Image simulate_ct(const Volume<float>& sharp_HU, const CtOptions& options, std::uint64_t seed) {
  options.validate();
  if (options.bone_gain != 1) {
    constexpr float kBone_HU = 100;
    Volume<float> scaled = sharp_HU;
    for (float& v : scaled.values)
      if (v > kBone_HU) v = kBone_HU + float(options.bone_gain) * (v - kBone_HU);
    CtOptions rest = options;
    rest.bone_gain = 1;
    return simulate_ct(scaled, rest, seed);
  }
  const double fine_mm = sharp_HU.grid.spacing_mm[2];
  const double sigma = options.psf_sigma_mm;
  // Slices as thick as the sharp volume's get the kernel's width along the table too.
  const bool thick = options.slice_mm > fine_mm * (1 + 1e-6);
  if (options.slice_mm > 0 && !thick)
    require(options.slice_mm > fine_mm * (1 - 1e-6), "CtOptions.slice_mm", options.slice_mm,
            "must not be thinner than the voxels");
  Image out{thick ? blur(thick_slices(sharp_HU, options.slice_mm, options.slice_mm), {sigma, sigma, 0})
                  : blur(sharp_HU, Eigen::Vector3d::Constant(sigma)),
            Modality::ct,
            "phantom CT",
            {}};
  Volume<float>& v = out.volume;
  if (options.beam_hardening_HU > 0) add_field(v, bone_shadow(v), -options.beam_hardening_HU);
  if (options.needle) add_needle(v, *options.needle, options.needle_streak_HU);
  const Grid& g = v.grid;
  const SliceNoise noise(options.noise_grain_mm / g.spacing_mm[0]);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    auto rng = slice_rng(seed, kCtStream, k);
    const std::vector<float> n = noise.draw(g.size[0], g.size[1], rng);
    float* row = &v.values[g.index(0, 0, k)];
    for (std::size_t p = 0; p < n.size(); ++p)
      row[p] = stored_HU(options.hu_gain * row[p] + options.hu_offset + options.noise_HU * n[p]);
  }
  return out;
}

}  // namespace spinetherm
