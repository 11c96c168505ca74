// SPDX-License-Identifier: Apache-2.0
#include "thermal/error_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

double low_face_mm(const Grid& g, int axis) { return g.origin_mm[axis] - g.spacing_mm[axis] / 2; }
double high_face_mm(const Grid& g, int axis) {
  return low_face_mm(g, axis) + g.size[std::size_t(axis)] * g.spacing_mm[axis];
}

TEST(Coarsened, KeepsTheBoxAndHalvesTheCells) {
  ThermalProblem fine = uniform_problem({}, {24, 17, 3}, 1);
  fine.duration_s = 1;
  const Grid grid = coarsened(fine).grid();
  EXPECT_EQ(grid.size, (std::array<int, 3>{12, 9, 3}));  // three cells are too few to halve
  for (int axis = 0; axis < 3; ++axis) {
    EXPECT_NEAR(low_face_mm(grid, axis), low_face_mm(fine.grid(), axis), 1e-12);
    EXPECT_NEAR(high_face_mm(grid, axis), high_face_mm(fine.grid(), axis), 1e-12);
  }
  EXPECT_NO_THROW(validate(coarsened(fine)));
}

TEST(Coarsened, TakesTheTissueOfMostCellsAndTheMeanOfSources) {
  ThermalProblem fine = uniform_problem({}, {8, 8, 8}, 1);
  fine.tissue_map.tissues.push_back(fine.tissue_map.tissues[0]);
  Volume<float> q(fine.grid(), 0);
  for (int k = 0; k < 8; ++k)
    for (int j = 0; j < 8; ++j)
      for (int i = 0; i < 8; ++i) {
        fine.tissue_map.labels(i, j, k) = i >= 3 && j < 4;  // half of the second coarse cell along x
        q(i, j, k) = float(100 * i + 10 * j + k);
      }
  fine.tissue_map.labels(2, 0, 0) = 1;
  fine.sources = {{VolumetricSource{q}}};
  const ThermalProblem coarse = coarsened(fine);
  EXPECT_EQ(coarse.tissue_map.labels(0, 0, 0), 0);
  EXPECT_EQ(coarse.tissue_map.labels(1, 0, 0), 1);  // five of eight
  EXPECT_EQ(coarse.tissue_map.labels(2, 0, 0), 1);
  EXPECT_EQ(coarse.tissue_map.labels(3, 3, 3), 0);
  const auto& mean = std::get<VolumetricSource>(coarse.sources[0].what).power_W_per_m3;
  EXPECT_FLOAT_EQ(mean(1, 2, 3), 100 * 2.5F + 10 * 4.5F + 6.5F);
}

/// Gaussian sources anywhere between the cells, wide enough for the coarse ones to see (sigma over one of
/// theirs): the error that is made, and its estimate.
TEST(ErrorEstimates, HoldTheErrorOfGaussianSources) {
  std::mt19937_64 rng(7);
  std::uniform_real_distribution<double> unit(0, 1);
  int runs = 0, held = 0;
  for (const bool fourth_order : {false, true})
    for (int n = 0; n < 10; ++n) {
      UniformTissue tissue;
      tissue.perfusion_per_s = 0.006 * unit(rng);
      const double sigma_mm = 2.4 + 1.6 * unit(rng), t_s = 20 + 40 * unit(rng);
      const Eigen::Vector3d at(15 + unit(rng), 15 + unit(rng), 15 + unit(rng));
      ThermalProblem p = uniform_problem(tissue, {32, 32, 32}, 1);
      p.sources = {{GaussianSource{3, sigma_mm, at}}};
      p.duration_s = t_s;
      for (const double r : {0.0, 1.5, 3.0, 5.0}) p.sample.points_mm.emplace_back(at.x() + r, at.y(), at.z());
      p.sample.times_s = {t_s};
      BioheatOptions options;
      options.fourth_order = fourth_order;
      options.step_error_K = 1e-3;
      ThermalResult r = solve(p, options);
      add_error_estimate(p, options, r);
      ASSERT_TRUE(r.error_estimate.peak_K);
      double error = 0;
      for (const Sample& x : r.samples)
        error = std::max(error, std::abs(x.T_degC - 37 -
                                         gaussian_source_K(tissue, 3, sigma_mm, (x.at_mm - at).norm(), t_s)));
      ++runs;
      held += error > 0.1 * *r.error_estimate.peak_K && error < 2 * *r.error_estimate.peak_K;
      EXPECT_LT(error, 2 * *r.error_estimate.peak_K)
          << "sigma " << sigma_mm << ", fourth order " << fourth_order;
    }
  EXPECT_GE(held, 0.9 * runs) << runs;
}

TEST(ErrorEstimates, OfAZoneIsALengthOfItsRadius) {
  ThermalResult fine, coarse;
  fine.zones["over_50_degC"].volume_ml = 4.0 / 3 * M_PI;            // a ball of 10 mm
  coarse.zones["over_50_degC"].volume_ml = 4.0 / 3 * M_PI * 1.331;  // of 11 mm
  const ErrorEstimate e = estimate_error(fine, coarse);
  ASSERT_TRUE(e.zone_radius_mm);
  EXPECT_NEAR(*e.zone_radius_mm, 0.6, 1e-9);
  EXPECT_FALSE(e.peak_K);
  EXPECT_FALSE(estimate_error({}, {}).zone_radius_mm);
}

TEST(ErrorEstimates, StayEmptyWithAWarningWhereTheCoarserRunIsNotPossible) {
  ThermalProblem p = uniform_problem({}, {4, 4, 4}, 1);
  p.duration_s = 1;
  ThermalResult r = solve(p);
  add_error_estimate(p, {}, r);
  EXPECT_FALSE(r.error_estimate.peak_K);
  ASSERT_THAT(r.warnings, SizeIs(1));
  EXPECT_THAT(r.warnings[0], HasSubstr("too few"));
}

TEST(ErrorEstimates, OfARunThatDidNotEndAreNotMade) {
  const ThermalProblem p = uniform_problem({}, {8, 8, 8}, 1);
  ThermalResult r;
  add_error_estimate(p, {}, r);
  EXPECT_FALSE(r.error_estimate.peak_K);
  EXPECT_THAT(r.warnings, IsEmpty());
}

}  // namespace
}  // namespace spinetherm
