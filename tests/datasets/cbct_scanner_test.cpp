// SPDX-License-Identifier: Apache-2.0
#include "datasets/cbct_scanner.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <functional>

#include "datasets/cbct_quality.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A coarse scanner with a field of 2 * 69 mm, quick enough for a test.
ProjectionCbctOptions small_scanner() {
  ProjectionCbctOptions options;
  options.geometry.columns = 128;
  options.geometry.rows = 48;
  options.geometry.pitch_mm = 1.93;
  options.orbit.views = 120;
  return options;
}
ProjectionCbctOptions quiet_scanner() {
  ProjectionCbctOptions options = small_scanner();
  options.detector.photons = {};
  options.detector.scatter_to_primary = 0;
  return options;
}
WaterCylinderOptions small_cylinder() {
  WaterCylinderOptions options;
  options.diameter_mm = 110;
  options.spacing_mm = 1;
  options.slices = 3;
  return options;
}
Grid cube(const std::array<int, 3>& size, double spacing_mm) {
  Grid g;
  g.size = size;
  g.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  g.origin_mm = -g.to_world(Eigen::Vector3d(size[0] - 1, size[1] - 1, size[2] - 1) / 2);
  return g;
}
Volume<float> body(const Grid& grid, const std::function<double(const Eigen::Vector3d&)>& hu) {
  Volume<float> out(grid);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) out(i, j, k) = float(hu(grid.to_world(i, j, k)));
  return out;
}
/// Water of 100 mm with a rod of dense bone and one of fat.
double rods(const Eigen::Vector3d& x) {
  if (std::hypot(x.x() - 20, x.y()) < 8) return 900;
  if (std::hypot(x.x() + 20, x.y() - 5) < 8) return -95;
  return std::hypot(x.x(), x.y()) < 50 ? 0 : -1000;
}
double mean_about(const Volume<float>& v, double x, double y, double radius) {
  double sum = 0;
  int n = 0;
  for (int k = 0; k < v.grid.size[2]; ++k)
    for (int j = 0; j < v.grid.size[1]; ++j)
      for (int i = 0; i < v.grid.size[0]; ++i) {
        const Eigen::Vector3d at = v.grid.to_world(i, j, k);
        if (std::hypot(at.x() - x, at.y() - y) > radius) continue;
        sum += v(i, j, k);
        ++n;
      }
  return sum / n;
}

TEST(CbctScanner, WaterIsCalibratedAndFlatAfterItsCorrection) {
  const auto figures = measure_water_cylinder(quiet_scanner(), small_cylinder(), 1);
  ASSERT_TRUE(figures);
  EXPECT_NEAR(figures->mean_HU, 0, 8);
  EXPECT_NEAR(figures->cupping_HU, 0, 8);
}

TEST(CbctScanner, CuppingComesWithThePolyenergeticBeamAndGoesWithTheWaterCorrection) {
  ProjectionCbctOptions options = quiet_scanner();
  options.beam = {.tube_kV = 80, .aluminium_mm = 2.5, .copper_mm = 0, .bins = 8};
  options.water_correction = false;
  const auto poly = measure_water_cylinder(options, small_cylinder(), 1);
  options.water_correction = true;
  const auto corrected = measure_water_cylinder(options, small_cylinder(), 1);
  options.water_correction = false;
  options.beam.bins = 1;  // one energy: no hardening
  const auto mono = measure_water_cylinder(options, small_cylinder(), 1);
  ASSERT_TRUE(poly && mono && corrected);
  EXPECT_GT(poly->cupping_HU, 25);
  EXPECT_NEAR(corrected->cupping_HU, 0, 8);
  EXPECT_NEAR(mono->cupping_HU, 0, 8);
}

TEST(CbctScanner, ScatterMakesCuppingThatTheWaterCorrectionLeaves) {
  ProjectionCbctOptions options = quiet_scanner();
  options.detector.scatter_to_primary = 1;
  options.detector.scatter_corrected = 0;
  const auto raw = measure_water_cylinder(options, small_cylinder(), 1);
  options.detector.scatter_corrected = 1;
  const auto corrected = measure_water_cylinder(options, small_cylinder(), 1);
  ASSERT_TRUE(raw && corrected);
  EXPECT_LT(raw->mean_HU, -100);
  EXPECT_GT(raw->cupping_HU, 30);
  EXPECT_NEAR(corrected->mean_HU, 0, 8);
  EXPECT_NEAR(corrected->cupping_HU, 0, 8);
}

TEST(CbctScanner, NoiseFallsWithTheRootOfTheDose) {
  ProjectionCbctOptions options = small_scanner();
  options.detector.photons = 3e3;
  const auto low = measure_water_cylinder(options, small_cylinder(), 1);
  options.detector.photons = 1.2e4;
  const auto high = measure_water_cylinder(options, small_cylinder(), 2);
  ASSERT_TRUE(low && high);
  EXPECT_GT(low->noise_HU, 10);
  EXPECT_NEAR(low->noise_HU / high->noise_HU, 2, 0.15);
}

TEST(CbctScanner, BlurOfTheEdgeGrowsWithTheDetectors) {
  ProjectionCbctOptions options = quiet_scanner();
  options.orbit.views = 240;
  options.detector.blur_sigma_mm = 0;
  const auto sharp = measure_water_cylinder(options, small_cylinder(), 1);
  options.detector.blur_sigma_mm = 3;
  const auto soft = measure_water_cylinder(options, small_cylinder(), 1);
  ASSERT_TRUE(sharp && soft && sharp->edge_fwhm_mm && soft->edge_fwhm_mm);
  // 3 mm on the detector is 1.7 mm at the axis; widths of blurs add by squares. The rim on the far side is
  // magnified less, hence the wide bound.
  const double added = std::sqrt(std::pow(*soft->edge_fwhm_mm, 2) - std::pow(*sharp->edge_fwhm_mm, 2));
  EXPECT_NEAR(added, 2.355 * 3 * 650 / 1150, 0.8);
}

TEST(CbctScanner, BoneAndFatHaveTheirNumbers) {
  const Grid grid = cube({110, 110, 41}, 1);
  const auto scan = simulate_projection_cbct(body(grid, rods), cube({110, 110, 3}, 1), quiet_scanner(), 1);
  EXPECT_NEAR(mean_about(scan.image.volume, -20, 5, 4), -95, 15);
  // Bone hardens the beam and the effective energy is not that of CT: 10 % is what such scanners do.
  EXPECT_NEAR(mean_about(scan.image.volume, 20, 0, 4), 900, 150);
  EXPECT_NEAR(mean_about(scan.image.volume, 0, -30, 6), 0, 25);
  EXPECT_EQ(scan.image.modality, Modality::cbct);
}

TEST(CbctScanner, OutsideTheFieldIsNotMeasuredAndTheCutBodyIsNot) {
  // Water wider than the field, with and without continuing the rows.
  const Grid wide = cube({190, 190, 31}, 1);
  const auto water = body(
      wide, [](const Eigen::Vector3d& x) { return std::hypot(x.x() / 90, x.y() / 75) < 1 ? 0.0 : -1000.0; });
  ProjectionCbctOptions options = quiet_scanner();
  const auto scan = simulate_projection_cbct(water, cube({150, 150, 3}, 1), options, 1);
  int outside = 0;
  ConeBeamGeometry g = options.geometry;
  for (int j = 0; j < 150; ++j)
    for (int i = 0; i < 150; ++i) {
      const bool seen = g.sees(scan.valid.grid.to_world(i, j, 1));
      EXPECT_EQ(scan.valid(i, j, 1), seen ? 1 : 0);
      EXPECT_EQ(scan.image.volume(i, j, 1) == kCbctOutside_HU, !seen);
      outside += !seen;
    }
  EXPECT_GT(outside, 1000);
  EXPECT_NEAR(mean_about(scan.image.volume, 0, 0, 20), 0, 60);
  options.fdk.extension_per_m = {};
  const auto bare = simulate_projection_cbct(water, cube({150, 150, 3}, 1), options, 1);
  EXPECT_GT(mean_about(bare.image.volume, 66, 0, 1.5), mean_about(scan.image.volume, 66, 0, 1.5) + 200);
}

TEST(CbctScanner, NeedleMakesItsStreaks) {
  const Grid grid = cube({110, 110, 41}, 1);
  const auto water =
      body(grid, [](const Eigen::Vector3d& x) { return std::hypot(x.x(), x.y()) < 50 ? 0.0 : -1000.0; });
  ProjectionCbctOptions options = quiet_scanner();
  const Grid slice = cube({110, 110, 3}, 1);
  const auto plain = simulate_projection_cbct(water, slice, options, 1);
  options.needles = {{{-30, 0, 0}, {30, 0, 0}, 3.4, XrayMaterial::iron}};
  const auto steel = simulate_projection_cbct(water, slice, options, 1);
  options.needles[0].metal = XrayMaterial::titanium;
  const auto titanium = simulate_projection_cbct(water, slice, options, 1);
  EXPECT_GT(mean_about(steel.image.volume, 0, 0, 1), 2000);
  // Rays along the needle pass nothing but hard photons: dark beyond its ends, bright beside it, less by
  // titanium.
  const auto change = [&](const CbctScan& scan, double x, double y) {
    return mean_about(scan.image.volume, x, y, 1.5) - mean_about(plain.image.volume, x, y, 1.5);
  };
  for (const double side : {-1.0, 1.0}) {
    EXPECT_LT(change(steel, 37 * side, 0), -400);
    EXPECT_LT(change(steel, 37 * side, 0), change(titanium, 37 * side, 0) - 100);
    EXPECT_GT(change(steel, 0, 8 * side), 200);
    EXPECT_GT(change(steel, 0, 8 * side), change(titanium, 0, 8 * side) + 100);
    EXPECT_LT(std::abs(change(steel, 0, 35 * side)), 0.3 * change(steel, 0, 8 * side));  // fades away from it
  }
}

TEST(CbctScanner, ThreadsChangeNothingAndTheSeedDoes) {
  const auto water = body(cube({60, 60, 31}, 2), rods);
  const Grid grid = cube({40, 40, 6}, 2);
  ProjectionCbctOptions options = small_scanner();
  options.orbit.views = 20;
  options.needles = {{{-20, 0, 0}, {20, 5, 0}, 3, XrayMaterial::iron}};
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = simulate_projection_cbct(water, grid, options, 9);
  omp_set_num_threads(2);
  const auto two = simulate_projection_cbct(water, grid, options, 9);
  const auto other = simulate_projection_cbct(water, grid, options, 10);
  omp_set_num_threads(before);
  EXPECT_EQ(one.image.volume, two.image.volume);
  EXPECT_EQ(one.valid, two.valid);
  EXPECT_NE(one.image.volume, other.image.volume);
}

TEST(CbctScanner, TellsHowFarItIsAndStops) {
  const auto water = body(cube({20, 20, 20}, 2), rods);
  ProjectionCbctOptions options = small_scanner();
  options.orbit.views = 24;
  std::vector<double> fractions;
  simulate_projection_cbct(water, cube({10, 10, 3}, 2), options, 1,
                           {[&](double f, std::string_view) { fractions.push_back(f); }, {}});
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1);
  std::stop_source stop;
  const auto cancelled = simulate_projection_cbct(water, cube({10, 10, 3}, 2), options, 1,
                                                  {[&](double f, std::string_view) {
                                                     if (f > 0.1) stop.request_stop();
                                                   },
                                                   stop.get_token()});
  EXPECT_TRUE(cancelled.image.volume.empty());
}

TEST(CbctScanner, RefusesWhatCannotBeMeant) {
  const Volume<float> water(cube({8, 8, 8}, 1), 0);
  const auto refused = [&](auto change, const char* part) {
    ProjectionCbctOptions options = small_scanner();
    change(options);
    EXPECT_THAT([&] { simulate_projection_cbct(water, water.grid, options, 1); },
                ThrowsMessage<ConfigError>(HasSubstr(part)));
  };
  refused([](auto& o) { o.geometry.rows = 0; }, "ConeBeamGeometry.rows = 0");
  refused([](auto& o) { o.orbit.views = -3; }, "ConeBeamOrbit.views = -3");
  refused([](auto& o) { o.beam.tube_kV = 500; }, "XrayBeamOptions.tube_kV = 500");
  refused([](auto& o) { o.detector.photons = -1; }, "XrayDetectorOptions.photons = -1");
  refused([](auto& o) { o.fdk.hann_cutoff = -1; }, "FdkOptions.hann_cutoff = -1");
  refused([](auto& o) { o.calibration_mm = 0; }, "calibration_mm = 0");
  refused([](auto& o) { o.isocentre_mm = Eigen::Vector3d(0, std::nan(""), 0); }, "isocentre_mm");
  refused([](auto& o) { o.needles = {{{0, 0, 0}, {1, 0, 0}, 0, XrayMaterial::iron}}; }, "diameter_mm = 0");
  WaterCylinderOptions cylinder;
  cylinder.diameter_mm = 0;
  EXPECT_THAT([&] { measure_water_cylinder(small_scanner(), cylinder, 1); },
              ThrowsMessage<ConfigError>(HasSubstr("diameter_mm = 0")));
  cylinder = {};
  cylinder.slices = 0;
  EXPECT_THAT([&] { measure_water_cylinder(small_scanner(), cylinder, 1); },
              ThrowsMessage<ConfigError>(HasSubstr("slices = 0")));
}

}  // namespace
}  // namespace spinetherm
