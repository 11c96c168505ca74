// SPDX-License-Identifier: Apache-2.0
#include "datasets/mri_scanner.h"

#include <algorithm>
#include <cmath>

#include "datasets/image_filters.h"
#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kFatShift_Hz_per_T = 220 / 1.5;
constexpr double kFineSlice_mm = 1.0;

ImageStream stream_of(Modality weighting) {
  return weighting == Modality::mr_t1   ? kMrT1Stream
         : weighting == Modality::mr_t2 ? kMrT2Stream
                                        : kMrStirStream;
}

}  // namespace

void MrStack::validate() const {
  require(pixel_mm >= 0.3 && pixel_mm <= 5, "MrStack.pixel_mm", pixel_mm, "must lie in [0.3, 5] mm");
  require(slice_mm >= 0.3 && slice_mm <= 20, "MrStack.slice_mm", slice_mm, "must lie in [0.3, 20] mm");
  require(gap_mm >= 0 && gap_mm <= 10, "MrStack.gap_mm", gap_mm, "must lie in [0, 10] mm");
}

void MrDistortion::validate() const {
  require(std::abs(gradient_mm) <= 5, "MrDistortion.gradient_mm", gradient_mm, "must lie in [-5, 5] mm");
  require(std::abs(metal_shift_mm) <= 1.5, "MrDistortion.metal_shift_mm", metal_shift_mm,
          "must lie in [-1.5, 1.5] mm: the image folds beyond");
}

Eigen::Vector3d MrDistortion::displacement_mm(const Eigen::Vector3d& apparent_mm,
                                              const Eigen::Vector3d& readout) const {
  Eigen::Vector3d out = Eigen::Vector3d::Zero();
  if (gradient_mm != 0) {
    const Eigen::Vector3d u = (apparent_mm - isocentre_mm) / 100;
    out += gradient_mm * u.squaredNorm() * u;
  }
  if (metal_mm && metal_shift_mm != 0) {
    const Eigen::Vector3d d = apparent_mm - *metal_mm;
    const double r = std::max(d.norm(), 1e-9), cosine = d.z() / r, near = std::min(r / 10, 1.0);
    const double falls = std::pow(10 / std::max(r, 10.0), 3) * near * near;  // smooth through the middle
    out += readout * (metal_shift_mm * (3 * cosine * cosine - 1) / 2 * falls);
  }
  return out;
}

void MrOptions::validate() const {
  stack.validate();
  require(field_T >= 0.2 && field_T <= 7, "MrOptions.field_T", field_T, "must lie in [0.2, 7] T");
  require(psf_sigma_px >= 0 && psf_sigma_px < 5, "MrOptions.psf_sigma_px", psf_sigma_px,
          "must lie in [0, 5)");
  require(bias >= 0 && bias < 1, "MrOptions.bias", bias, "must lie in [0, 1)");
  require(scale > 0 && scale <= 10000, "MrOptions.scale", scale, "must lie in (0, 10000]");
  distortion.validate();
  for (const MrSequence* q : {&t1, &t2, &stir}) q->validate();
}

double chemical_shift_px(const MrSequence& sequence, double field_T) {
  return kFatShift_Hz_per_T * field_T / sequence.bandwidth_Hz_per_px;
}

Grid fine_stack_grid(const MrStack& stack, const Eigen::Vector3d& centre_mm,
                     const Eigen::Vector3d& extent_mm) {
  stack.validate();
  Grid g;
  if (stack.plane == MrPlane::sagittal) {
    g.direction.col(0) = Eigen::Vector3d::UnitY();
    g.direction.col(1) = -Eigen::Vector3d::UnitZ();
    g.direction.col(2) = -Eigen::Vector3d::UnitX();
  }
  const int parts = std::max(1, int(std::ceil(stack.slice_mm / kFineSlice_mm - 1e-9)));
  g.spacing_mm = {stack.pixel_mm, stack.pixel_mm, stack.slice_mm / parts};
  const Eigen::Vector3d along = g.direction.transpose() * extent_mm;
  for (int a = 0; a < 2; ++a)
    g.size[std::size_t(a)] = std::max(1, int(std::round(std::abs(along[a]) / g.spacing_mm[a])));
  const double step = stack.slice_mm + stack.gap_mm;
  const int slices = std::max(1, int(std::round(std::abs(along[2]) / step)));
  // As many fine slices as hold the thick ones, the same number on both sides.
  const double covered = (slices - 1) * step + stack.slice_mm;
  g.size[2] = int(std::ceil(covered / g.spacing_mm[2] - 1e-6));
  const Eigen::Vector3d half = Eigen::Vector3d(g.size[0] - 1, g.size[1] - 1, g.size[2] - 1) / 2;
  g.origin_mm = centre_mm - g.direction * g.spacing_mm.cwiseProduct(half);
  return g;
}

Grid stack_grid(const MrStack& stack, const Grid& fine) {
  return thick_grid(fine, stack.slice_mm, stack.slice_mm + stack.gap_mm);
}

Eigen::Vector3d readout_direction(const MrStack& stack, const Grid& grid) {
  return grid.direction.col(stack.readout_along_rows ? 0 : 1);
}

Image simulate_mr(const Volume<float>& water, const Volume<float>& fat, const MrSequence& sequence,
                  const MrOptions& options, std::uint64_t seed) {
  options.validate();
  sequence.validate();
  Volume<float> sum = options.chemical_shift ? shifted(fat, options.stack.readout_along_rows ? 0 : 1,
                                                       chemical_shift_px(sequence, options.field_T))
                                             : fat;
  for (std::size_t n = 0; n < sum.values.size(); ++n) sum[n] += water[n];
  Image out{thick_slices(sum, options.stack.slice_mm, options.stack.slice_mm + options.stack.gap_mm),
            sequence.weighting,
            "phantom " + std::string(to_string(sequence.weighting)),
            {}};
  Volume<float>& v = out.volume;
  const Grid& g = v.grid;
  v = blur(v, {options.psf_sigma_px * g.spacing_mm[0], options.psf_sigma_px * g.spacing_mm[1], 0});
  const Eigen::Vector3d centre = g.centre_mm();
  const double half_mm =
      0.5 * (g.spacing_mm.cwiseProduct(Eigen::Vector3d(g.size[0], g.size[1], g.size[2]))).maxCoeff();
  const SpeciesSignals signals = species_signals(sequence);
  const double cord = std::abs(signals.water[Material::cord]);
  const double sigma = options.scale * cord / sequence.snr;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    auto rng = slice_rng(seed, stream_of(sequence.weighting), k);
    std::normal_distribution<double> noise(0, sigma);
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d u = (g.to_world(i, j, k) - centre) / half_mm;  // within about [-1, 1]
        const double coil =
            1 + options.bias * std::clamp(0.7 * u.y() + 0.3 * std::cos(kPi * u.z()), -1.0, 1.0);
        const double re = options.scale * coil * v(i, j, k) + noise(rng), im = noise(rng);
        v(i, j, k) = float(std::round(std::hypot(re, im)));
      }
  }
  return out;
}

}  // namespace spinetherm
