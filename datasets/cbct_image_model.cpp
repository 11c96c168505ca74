// SPDX-License-Identifier: Apache-2.0
#include "datasets/cbct_image_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/image_filters.h"
#include "datasets/material_render.h"
#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kTruncationWidth_mm = 10, kRingStep_mm = 0.8, kRingShare = 1.0 / 6;

/// What the whole field has in common: the direction of the shading, and the rings by radius.
struct Drawn {
  Eigen::Vector3d shading;  ///< per unit of the radius
  std::vector<double> ring_HU;
};
Drawn draw(const CbctOptions& options, std::uint64_t seed) {
  auto rng = slice_rng(seed, kCbctFieldStream, 0);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::normal_distribution<double> normal(0, 1);
  const double angle = 2 * kPi * uniform(rng), tilt = 0.5 * (2 * uniform(rng) - 1);
  Drawn out{options.shading_HU * Eigen::Vector3d(std::cos(angle), std::sin(angle), tilt), {}};
  const int count = 2 + int(options.fov_diameter_mm / 2 / kRingStep_mm);
  for (int n = 0; n < count; ++n) {
    const bool there = uniform(rng) < kRingShare;
    const double value = normal(rng);
    out.ring_HU.push_back(there ? options.ring_HU * value : 0);
  }
  return out;
}

double ring_at(const std::vector<double>& rings, double r_mm) {
  const double n = r_mm / kRingStep_mm;
  const auto i = std::min(std::size_t(n), rings.size() - 2);
  const double t = n - double(i);
  return (1 - t) * rings[i] + t * rings[i + 1];
}

}  // namespace

void CbctOptions::validate() const {
  const auto within = [](const std::string& name, double value, double low, double high) {
    require(value >= low && value < high, "CbctOptions." + name, value,
            fmt::format("must lie in [{:g}, {:g})", low, high));
  };
  require(fov_diameter_mm > 0 && fov_diameter_mm <= 1000, "CbctOptions.fov_diameter_mm", fov_diameter_mm,
          "must lie in (0, 1000] mm");
  require(fov_height_mm > 0, "CbctOptions.fov_height_mm", fov_height_mm, "must be > 0 mm");
  within("psf_sigma_mm", psf_sigma_mm, 0, 5);
  within("noise_HU", noise_HU, 0, 1000);
  within("noise_grain_mm", noise_grain_mm, 0, 5);
  within("cupping_HU", cupping_HU, -1000, 1000);
  within("shading_HU", shading_HU, 0, 500);
  within("streak_HU", streak_HU, 0, 5000);
  within("truncation_HU", truncation_HU, 0, 1000);
  within("ring_HU", ring_HU, 0, 500);
  within("needle_streak_HU", needle_streak_HU, 0, 3000);
  require(hu_scale > 0.2 && hu_scale < 5, "CbctOptions.hu_scale", hu_scale, "must lie in (0.2, 5)");
  within("hu_offset", hu_offset, -1000, 1000);
  if (needle) needle->validate();
}

CbctScan simulate_cbct(const Volume<float>& sharp_HU, const CbctOptions& options, std::uint64_t seed) {
  options.validate();
  CbctScan out{
      {blur(sharp_HU, Eigen::Vector3d::Constant(options.psf_sigma_mm)), Modality::cbct, "phantom CBCT", {}},
      Volume<std::uint8_t>(sharp_HU.grid)};
  Volume<float>& v = out.image.volume;
  const Grid& g = v.grid;
  if (options.needle) add_needle(v, *options.needle, options.needle_streak_HU);
  if (options.streak_HU > 0) add_field(v, bone_shadow(sharp_HU), -options.streak_HU);
  const Eigen::Vector3d centre = g.centre_mm();
  const double radius_mm = options.fov_diameter_mm / 2;
  const Drawn drawn = draw(options, seed);
  const SliceNoise noise(options.noise_grain_mm / g.spacing_mm[0]);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    auto rng = slice_rng(seed, kCbctStream, k);
    const std::vector<float> n = noise.draw(g.size[0], g.size[1], rng);
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k) - centre;
        const double r_mm = std::hypot(x.x(), x.y()), r = r_mm / radius_mm;
        if (r > 1 || std::abs(x.z()) > options.fov_height_mm / 2) {
          v(i, j, k) = kCbctOutside_HU;
          continue;
        }
        out.valid(i, j, k) = 1;
        const double edge = std::max(0.0, 1 - (radius_mm - r_mm) / kTruncationWidth_mm);
        const double hu = options.hu_scale * v(i, j, k) + options.hu_offset +
                          options.cupping_HU * (1 - r * r) + drawn.shading.dot(x) / radius_mm +
                          options.truncation_HU * edge * edge + ring_at(drawn.ring_HU, r_mm) +
                          options.noise_HU * n[std::size_t(j) * std::size_t(g.size[0]) + std::size_t(i)];
        v(i, j, k) = stored_HU(hu, kCbctOutside_HU + 1);
      }
  }
  out.image.warnings.emplace_back("voxels outside the cylinder of view hold -1024: not measured");
  return out;
}

}  // namespace spinetherm
