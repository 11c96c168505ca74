// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "imaging/core/volume.h"

namespace spinetherm {

/// Separable Gaussian of the standard deviations `sigma_mm` along the grid's axes, cut at 3 sigma; edge
/// values are held outside. 0: that axis is left as it is.
Volume<float> blur(const Volume<float>& volume, const Eigen::Vector3d& sigma_mm);

/// Mean over a slice: a volume of fine slices becomes one of thick slices with a rectangular profile. Thick
/// slice n takes the fine slices whose centres lie within `thickness_mm` about n * step_mm, counted from the
/// middle of the first thick slice; the stack is centred in the volume. ConfigError when no fine slice lies
/// in a thick one, or the volume holds none.
Volume<float> thick_slices(const Volume<float>& fine, double thickness_mm, double step_mm);
/// The grid of thick_slices().
Grid thick_grid(const Grid& fine, double thickness_mm, double step_mm);

/// Value moved by `shift_px` voxels towards larger indices of an axis (a fraction by Catmull-Rom's cubic);
/// edge values are held outside.
Volume<float> shifted(const Volume<float>& volume, int axis, double shift_px);

/// Image noise of mean 0 and standard deviation 1 for one slice of nx x ny pixels, i fastest. White noise
/// through the kernel G(s) - 0.7 G(2 s), G a Gaussian of s = `grain_px` pixels: noise of a reconstruction by
/// filtered back-projection lacks the low frequencies. `grain_px` 0: white.
class SliceNoise {
 public:
  explicit SliceNoise(double grain_px);
  std::vector<float> draw(int nx, int ny, std::mt19937_64& rng) const;

 private:
  std::vector<float> narrow_, wide_;  ///< half kernels, the middle first
  double gain_ = 1;
};

/// The random stream of a slice: images of one seed share no stream.
std::mt19937_64 slice_rng(std::uint64_t seed, std::uint64_t image, int slice);
/// Names of the streams, for slice_rng().
enum ImageStream : std::uint64_t {
  kCtStream = 1,
  kMrT2Stream = 2,
  kCbctStream = 3,
  kMrT1Stream = 4,
  kMrStirStream = 5,
  kCbctFieldStream = 6
};

/// A CT number as scanners store it: whole, from `lowest` to 3071.
float stored_HU(double hu, double lowest = -1024);

}  // namespace spinetherm
