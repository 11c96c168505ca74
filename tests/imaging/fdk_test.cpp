// SPDX-License-Identifier: Apache-2.0
#include "imaging/fdk.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <cstring>

#include "imaging/core/error.h"
#include "tests/imaging/cone_beam_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// For images of the plane of the source.
ConeBeamGeometry low_detector() {
  ConeBeamGeometry g = small_geometry();
  g.rows = 6;
  return g;
}

ConeBeamOrbit turn(int views, double arc_deg = 360, double first_deg = 0) {
  ConeBeamOrbit orbit;
  orbit.views = views;
  orbit.arc_deg = arc_deg;
  orbit.first_deg = first_deg;
  return orbit;
}

/// Mean of voxels between two distances from a point.
double mean_between(const Volume<float>& v, const Eigen::Vector3d& at, double from_mm, double to_mm) {
  double sum = 0;
  int n = 0;
  for (int k = 0; k < v.grid.size[2]; ++k)
    for (int j = 0; j < v.grid.size[1]; ++j)
      for (int i = 0; i < v.grid.size[0]; ++i) {
        const double r = (v.grid.to_world(i, j, k) - at).norm();
        if (r < from_mm || r > to_mm || std::isnan(v(i, j, k))) continue;
        sum += v(i, j, k);
        ++n;
      }
  return sum / n;
}

/// Centre of what a small window about `at` holds.
Eigen::Vector3d centroid(const Volume<float>& v, const Eigen::Vector3d& at, double reach_mm) {
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  double total = 0;
  for (int k = 0; k < v.grid.size[2]; ++k)
    for (int j = 0; j < v.grid.size[1]; ++j)
      for (int i = 0; i < v.grid.size[0]; ++i) {
        const Eigen::Vector3d x = v.grid.to_world(i, j, k);
        if ((x - at).norm() > reach_mm) continue;
        sum += v(i, j, k) * x;
        total += v(i, j, k);
      }
  return sum / total;
}

TEST(Fdk, LargeSphereOfWaterIsFlatAndRight) {
  // In the plane of the source, where the method is exact, a sphere is a cylinder.
  const Sphere water{{0, 0, 0}, 55, 20};
  const auto views = closed_form({water}, low_detector(), turn(180));
  const auto v = reconstruct_fdk(views, centred_grid({121, 121, 1}, {1, 1, 1}));
  EXPECT_NEAR(mean_between(v, {0, 0, 0}, 0, 8), 20, 0.1);  // 0.5 %
  for (double r = 5; r < 48; r += 6) EXPECT_NEAR(mean_between(v, {0, 0, 0}, r, r + 6), 20, 0.15) << r;
  EXPECT_NEAR(mean_between(v, {0, 0, 0}, 58, 60), 0, 0.2);
}

TEST(Fdk, SphereOffCentreIsWhereItWasMade) {
  const Eigen::Vector3d at(31.3, -22.6, 4.4);
  const auto views = closed_form({{at, 8, 20}}, small_geometry(), turn(180));
  Grid grid = centred_grid({60, 60, 30}, {0.8, 0.8, 0.9});
  grid.origin_mm += Eigen::Vector3d(27, -25, 5);
  const auto v = reconstruct_fdk(views, grid);
  const Eigen::Vector3d miss = centroid(v, at, 10) - at;
  EXPECT_LT(std::abs(miss.x()), 0.05);
  EXPECT_LT(std::abs(miss.y()), 0.05);
  EXPECT_LT(std::abs(miss.z()), 0.05);
  EXPECT_NEAR(mean_between(v, at, 0, 5), 20, 0.3);
  // The surface at half height is where it was made; a blur of 1 mm draws a sphere this small in by 0.1 mm.
  double inside = 0;
  for (const float x : v.values) inside += x > 10;
  EXPECT_NEAR(std::cbrt(inside * grid.voxel_volume_mm3() * 3 / (4 * 3.14159265)), 8, 0.15);
}

TEST(Fdk, ProjectorAndReconstructionAreInverse) {
  const Eigen::Vector3d at(-20.2, 13.7, -3.1);
  ConeBeamGeometry g = small_geometry();
  g.isocentre_mm = {100, -50, 30};  // far from the frame's origin
  Grid grid = centred_grid({96, 96, 40}, {1, 1, 1.25});
  grid.origin_mm += g.isocentre_mm;
  const auto body = voxels_of({g.isocentre_mm + at, 10, 20}, grid);
  const auto v = reconstruct_fdk(project(body, g, turn(180)), grid);
  EXPECT_LT((centroid(v, g.isocentre_mm + at, 13) - g.isocentre_mm - at).norm(), 0.06);
  EXPECT_NEAR(mean_between(v, g.isocentre_mm + at, 0, 6), 20, 0.3);
}

TEST(Fdk, ShortScanAndHalfFanAgreeWithTheFullTurn) {
  const std::vector<Sphere> body{{{0, 0, 0}, 50, 20}, {{25, -18, 0}, 9, 20}};
  const Grid grid = centred_grid({111, 111, 1}, {1, 1, 1});
  const auto full = reconstruct_fdk(closed_form(body, low_detector(), turn(180)), grid);
  const auto shorter = reconstruct_fdk(closed_form(body, low_detector(), turn(130, 220, 40)), grid);
  ConeBeamGeometry half = low_detector();
  half.columns = 88;
  half.offset_mm = 40 * 0.5 * half.pitch_mm;  // the same field with fewer columns
  const auto shifted = reconstruct_fdk(closed_form(body, half, turn(180)), grid);
  half.offset_mm = -half.offset_mm;
  const auto other = reconstruct_fdk(closed_form(body, half, turn(180)), grid);
  for (const auto* v : {&full, &shorter, &shifted, &other}) {
    EXPECT_NEAR(mean_between(*v, {-20, 10, 0}, 0, 8), 20, 0.15);
    EXPECT_NEAR(mean_between(*v, {25, -18, 0}, 0, 6), 40, 0.4);
    EXPECT_NEAR(mean_between(*v, {0, 0, 0}, 40, 46), 20, 0.25);
  }
  // The outermost column of the shifted detector is that of the full one.
  EXPECT_NEAR(half.fov_radius_mm(), low_detector().fov_radius_mm(), 0.01);
}

TEST(Fdk, ContinuingCutRowsTakesTheRimAway) {
  // A body wider than the field.
  ConeBeamGeometry g = low_detector();
  g.columns = 64;
  const auto views = closed_form({{{0, 0, 0}, 60, 20}}, g, turn(180));
  const Grid grid = centred_grid({71, 71, 1}, {1, 1, 1});
  FdkOptions continued;
  continued.extension_per_m = 20;
  const auto bare = reconstruct_fdk(views, grid), better = reconstruct_fdk(views, grid, continued);
  const double rim = g.fov_radius_mm() - 1.5;
  EXPECT_GT(mean_between(bare, {0, 0, 0}, rim - 2, rim), 30);
  EXPECT_NEAR(mean_between(better, {0, 0, 0}, rim - 2, rim), 20, 1);
  EXPECT_NEAR(mean_between(better, {0, 0, 0}, 0, 10), 20, 0.5);
}

TEST(Fdk, HannWindowBlursAndKeepsTheMean) {
  const auto views = closed_form({{{10, 5, 0}, 20, 20}}, low_detector(), turn(180));
  const Grid grid = centred_grid({80, 80, 1}, {0.5, 0.5, 1});
  FdkOptions sharp, soft;
  sharp.hann_cutoff = {};
  soft.hann_cutoff = 0.5;
  const auto a = reconstruct_fdk(views, grid, sharp), b = reconstruct_fdk(views, grid, soft);
  const auto at_edge = [](const Volume<float>& v) {  // steepest fall along x
    double steepest = 0;
    for (int i = 1; i < 80; ++i) steepest = std::max(steepest, double(v(i - 1, 49, 0) - v(i, 49, 0)));
    return steepest;
  };
  EXPECT_GT(at_edge(a), 1.5 * at_edge(b));
  EXPECT_NEAR(mean_between(a, {10, 5, 0}, 0, 10), mean_between(b, {10, 5, 0}, 0, 10), 0.1);
}

TEST(Fdk, WhatNotEveryViewSeesIsNotANumber) {
  const ConeBeamGeometry g = small_geometry();
  const Grid grid = centred_grid({90, 90, 50}, {2, 2, 2});
  const auto v = reconstruct_fdk(closed_form({}, g, turn(8)), grid);
  for (int k = 0; k < 50; k += 3)
    for (int j = 0; j < 90; ++j)
      for (int i = 0; i < 90; ++i)
        ASSERT_EQ(std::isnan(v(i, j, k)), !g.sees(grid.to_world(i, j, k))) << i << " " << j << " " << k;
}

TEST(Fdk, ThreadsChangeNothing) {
  const auto views = closed_form({{{10, 5, 0}, 20, 20}}, small_geometry(), turn(30));
  const Grid grid = centred_grid({60, 50, 20}, {2, 2, 2});
  FdkOptions options;
  options.extension_per_m = 20;
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = reconstruct_fdk(views, grid, options);
  omp_set_num_threads(2);
  const auto two = reconstruct_fdk(views, grid, options);
  omp_set_num_threads(before);
  ASSERT_EQ(one.values.size(), two.values.size());
  EXPECT_EQ(0, std::memcmp(one.values.data(), two.values.data(), one.values.size() * sizeof(float)));
}

TEST(Fdk, StopsWhenTold) {
  std::stop_source stop;
  stop.request_stop();
  const auto views = closed_form({}, small_geometry(), turn(8));
  EXPECT_TRUE(reconstruct_fdk(views, centred_grid({8, 8, 8}, {1, 1, 1}), {}, {{}, stop.get_token()}).empty());
}

TEST(Fdk, RefusesWhatCannotBeMeant) {
  const auto views = closed_form({}, small_geometry(), turn(8));
  const Grid grid = centred_grid({8, 8, 8}, {1, 1, 1});
  FdkOptions options;
  options.hann_cutoff = 0;
  EXPECT_THAT([&] { reconstruct_fdk(views, grid, options); },
              ThrowsMessage<ConfigError>(HasSubstr("hann_cutoff = 0")));
  options = {};
  options.extension_per_m = -2;
  EXPECT_THAT([&] { reconstruct_fdk(views, grid, options); },
              ThrowsMessage<ConfigError>(HasSubstr("extension_per_m = -2")));
  auto cut = views;
  cut.values.pop_back();
  EXPECT_THAT([&] { reconstruct_fdk(cut, grid); }, ThrowsMessage<ConfigError>(HasSubstr("projections")));
  Grid turned = grid;
  turned.direction << 0, 1, 0, 1, 0, 0, 0, 0, 1;
  EXPECT_THAT([&] { reconstruct_fdk(views, turned); }, ThrowsMessage<ConfigError>(HasSubstr("resample")));
}

}  // namespace
}  // namespace spinetherm
