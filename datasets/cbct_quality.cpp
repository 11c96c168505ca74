// SPDX-License-Identifier: Apache-2.0
#include "datasets/cbct_quality.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

constexpr double kEdge_mm = 5;   ///< on either side that the edge is looked at
constexpr double kPlain_mm = 2;  ///< of it, at the ends, where the image is taken as flat
constexpr double kBin_mm = 0.1;

/// Water within the cylinder and air around it, each voxel by its share; alike in all slices.
Volume<float> cylinder(const Grid& grid, double radius_mm) {
  Volume<float> out(grid);
  constexpr int kPoints = 8;
  for (int j = 0; j < grid.size[1]; ++j)
    for (int i = 0; i < grid.size[0]; ++i) {
      int inside = 0;
      for (int b = 0; b < kPoints; ++b)
        for (int a = 0; a < kPoints; ++a) {
          const Eigen::Vector3d x =
              grid.to_world(Eigen::Vector3d(i + (a + 0.5) / kPoints - 0.5, j + (b + 0.5) / kPoints - 0.5, 0));
          inside += std::hypot(x.x(), x.y()) < radius_mm;
        }
      const float hu = -1000 + 1000 * float(inside) / (kPoints * kPoints);
      for (int k = 0; k < grid.size[2]; ++k) out(i, j, k) = hu;
    }
  return out;
}

/// About the cylinder; slices of `slice_mm` about z = 0.
Grid grid_about(const WaterCylinderOptions& options, double slice_mm, int slices) {
  Grid grid;
  const int n = int(std::ceil((options.diameter_mm + 20) / options.spacing_mm));
  grid.size = {n, n, slices};
  grid.spacing_mm = {options.spacing_mm, options.spacing_mm, slice_mm};
  grid.origin_mm = -grid.to_world(Eigen::Vector3d(n - 1, n - 1, slices - 1) / 2);
  return grid;
}

struct Sum {
  double total = 0, squares = 0;
  int count = 0;
  void add(double x) {
    total += x;
    squares += x * x;
    ++count;
  }
  double mean() const { return total / count; }
  double sd() const { return std::sqrt(std::max(0.0, squares / count - mean() * mean())); }
};

/// Where a falling profile, one value each bin from -kEdge_mm on, passes `level` [mm].
double crossing_mm(const std::vector<Sum>& profile, double level) {
  for (std::size_t n = 1; n < profile.size(); ++n) {
    const double a = profile[n - 1].mean(), b = profile[n].mean();
    if (a >= level && b < level) return kBin_mm * (double(n) - 0.5 + (a - level) / (a - b)) - kEdge_mm;
  }
  return std::nan("");
}

double edge_fwhm_mm(const std::vector<Sum>& profile) {
  Sum inside, outside;
  const auto plain = std::size_t(kPlain_mm / kBin_mm);
  for (std::size_t n = 0; n < plain; ++n) {
    inside.add(profile[n].mean());
    outside.add(profile[profile.size() - 1 - n].mean());
  }
  const double low = outside.mean(), height = inside.mean() - low;
  const double sigmas =
      crossing_mm(profile, low + 0.158655 * height) - crossing_mm(profile, low + 0.841345 * height);
  return 2.354820 * 0.5 * sigmas;
}

/// Figures of a scan of the cylinder, seen out to `field_mm` from the axis.
WaterCylinderFigures figures_of(const CbctScan& scan, double radius_mm, double field_mm) {
  const Grid& grid = scan.image.volume.grid;
  const double wide = std::min(radius_mm, field_mm);
  Sum centre, rim;
  std::vector<Sum> profile(std::size_t(2 * kEdge_mm / kBin_mm));
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        if (scan.valid(i, j, k) == 0) continue;
        const Eigen::Vector3d x = grid.to_world(i, j, k);
        const double r = std::hypot(x.x(), x.y()), value = scan.image.volume(i, j, k);
        if (r < 0.15 * radius_mm) centre.add(value);
        if (r > 0.8 * wide && r < 0.9 * wide) rim.add(value);
        const double bin = std::floor((r - radius_mm + kEdge_mm) / kBin_mm);
        if (bin >= 0 && bin < double(profile.size())) profile[std::size_t(bin)].add(value);
      }
  WaterCylinderFigures out{centre.mean(), centre.sd(), rim.mean() - centre.mean(), {}};
  const bool filled = std::all_of(profile.begin(), profile.end(), [](const Sum& s) { return s.count > 0; });
  if (radius_mm + kEdge_mm < field_mm && filled) out.edge_fwhm_mm = edge_fwhm_mm(profile);
  return out;
}

}  // namespace

void WaterCylinderOptions::validate() const {
  require(diameter_mm >= 20 && diameter_mm <= 500, "WaterCylinderOptions.diameter_mm", diameter_mm,
          "must lie in [20, 500] mm");
  require(spacing_mm >= 0.1 && spacing_mm <= 2, "WaterCylinderOptions.spacing_mm", spacing_mm,
          "must lie in [0.1, 2] mm");
  require(slices >= 1 && slices <= 1000, "WaterCylinderOptions.slices", slices, "must lie in 1 .. 1000");
}

std::optional<WaterCylinderFigures> measure_water_cylinder(const ProjectionCbctOptions& scanner,
                                                           const WaterCylinderOptions& options,
                                                           std::uint64_t seed, const Progress& progress) {
  options.validate();
  scanner.validate();
  const ConeBeamGeometry& g = scanner.geometry;
  const double radius = options.diameter_mm / 2, slice_mm = 20;
  // Along all that the detector sees.
  const double tall = 2 * g.v_mm(g.rows - 1) * (g.source_axis_mm + radius) / g.source_detector_mm;
  const Volume<float> body =
      cylinder(grid_about(options, slice_mm, int(std::ceil(tall / slice_mm)) + 2), radius);
  ProjectionCbctOptions centred = scanner;
  centred.isocentre_mm = Eigen::Vector3d::Zero();
  const CbctScan scan = simulate_projection_cbct(
      body, grid_about(options, options.spacing_mm, options.slices), centred, seed, progress);
  if (scan.image.volume.empty()) return std::nullopt;
  return figures_of(scan, radius, g.fov_radius_mm());
}

WaterCylinderFigures measure_water_cylinder(const CbctOptions& model, const WaterCylinderOptions& options,
                                            std::uint64_t seed) {
  options.validate();
  model.validate();
  const double radius = options.diameter_mm / 2;
  const Volume<float> body = cylinder(grid_about(options, options.spacing_mm, options.slices), radius);
  CbctOptions quiet = model;
  quiet.noise_HU = 0;
  const CbctScan still = simulate_cbct(body, quiet, seed);
  CbctScan noise = simulate_cbct(body, model, seed);
  for (std::size_t n = 0; n < noise.image.volume.values.size(); ++n)
    noise.image.volume[n] -= still.image.volume[n];
  WaterCylinderFigures out = figures_of(still, radius, model.fov_diameter_mm / 2);
  out.noise_HU = figures_of(noise, radius, model.fov_diameter_mm / 2).noise_HU;
  return out;
}

}  // namespace spinetherm
