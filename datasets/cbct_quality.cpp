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

/// Water within the cylinder and air around it, each voxel by its share, along all that the detector sees.
Volume<float> cylinder(const ConeBeamGeometry& g, const WaterCylinderOptions& options) {
  const double radius = options.diameter_mm / 2, height_z = 20;
  const double tall = 2 * g.v_mm(g.rows - 1) * (g.source_axis_mm + radius) / g.source_detector_mm;
  Grid grid;
  const int n = int(std::ceil((options.diameter_mm + 20) / options.spacing_mm));
  const int nz = int(std::ceil(tall / height_z)) + 2;
  grid.size = {n, n, nz};
  grid.spacing_mm = {options.spacing_mm, options.spacing_mm, height_z};
  grid.origin_mm = -grid.to_world(Eigen::Vector3d(n - 1, n - 1, nz - 1) / 2);
  Volume<float> out(grid);
  constexpr int kPoints = 8;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) {
      int inside = 0;
      for (int b = 0; b < kPoints; ++b)
        for (int a = 0; a < kPoints; ++a) {
          const Eigen::Vector3d x =
              grid.to_world(Eigen::Vector3d(i + (a + 0.5) / kPoints - 0.5, j + (b + 0.5) / kPoints - 0.5, 0));
          inside += std::hypot(x.x(), x.y()) < radius;
        }
      const float hu = -1000 + 1000 * float(inside) / (kPoints * kPoints);
      for (int k = 0; k < nz; ++k) out(i, j, k) = hu;
    }
  return out;
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
  const Volume<float> body = cylinder(scanner.geometry, options);
  Grid grid = body.grid;
  grid.size[2] = options.slices;
  grid.spacing_mm.z() = options.spacing_mm;
  grid.origin_mm.z() = -0.5 * (options.slices - 1) * options.spacing_mm;
  ProjectionCbctOptions centred = scanner;
  centred.isocentre_mm = Eigen::Vector3d::Zero();
  const CbctScan scan = simulate_projection_cbct(body, grid, centred, seed, progress);
  if (scan.image.volume.empty()) return std::nullopt;

  const double radius = options.diameter_mm / 2, field = scanner.geometry.fov_radius_mm();
  const double wide = std::min(radius, field);
  Sum centre, rim;
  std::vector<Sum> profile(std::size_t(2 * kEdge_mm / kBin_mm));
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        if (scan.valid(i, j, k) == 0) continue;
        const Eigen::Vector3d x = grid.to_world(i, j, k);
        const double r = std::hypot(x.x(), x.y()), value = scan.image.volume(i, j, k);
        if (r < 0.15 * radius) centre.add(value);
        if (r > 0.8 * wide && r < 0.9 * wide) rim.add(value);
        const double bin = std::floor((r - radius + kEdge_mm) / kBin_mm);
        if (bin >= 0 && bin < double(profile.size())) profile[std::size_t(bin)].add(value);
      }
  WaterCylinderFigures out{centre.mean(), centre.sd(), rim.mean() - centre.mean(), {}};
  const bool filled = std::all_of(profile.begin(), profile.end(), [](const Sum& s) { return s.count > 0; });
  if (radius + kEdge_mm < field && filled) out.edge_fwhm_mm = edge_fwhm_mm(profile);
  return out;
}

}  // namespace spinetherm
