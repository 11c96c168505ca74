// SPDX-License-Identifier: Apache-2.0
#include "thermal/error_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Coarsened, KeepsTheBoxOnLargerCells) {
  ThermalProblem fine = uniform_problem({}, {24, 17, 3}, 1);
  fine.duration_s = 1;
  const Grid grid = coarsened(fine).grid();
  EXPECT_EQ(grid.size, (std::array<int, 3>{16, 11, 3}));  // three cells are too few
  for (int axis = 0; axis < 3; ++axis) {
    EXPECT_NEAR(low_face_mm(grid, axis), low_face_mm(fine.grid(), axis), 1e-12);
    EXPECT_NEAR(high_face_mm(grid, axis), high_face_mm(fine.grid(), axis), 1e-12);
  }
  EXPECT_NO_THROW(validate(coarsened(fine)));
}

TEST(Coarsened, TakesTheTissueThatFillsMostAndTheMeanOfSources) {
  ThermalProblem fine = uniform_problem({}, {9, 9, 9}, 1);
  fine.tissue_map.tissues.push_back(fine.tissue_map.tissues[0]);
  Volume<float> q(fine.grid(), 0);
  for (int k = 0; k < 9; ++k)
    for (int j = 0; j < 9; ++j)
      for (int i = 0; i < 9; ++i) {
        fine.tissue_map.labels(i, j, k) = i >= 1 && j < 3;  // a third of the first coarse cell along x
        q(i, j, k) = float(100 * i + 10 * j + k);
      }
  fine.sources = {{VolumetricSource{q}, {}, {{0, 1}, {5, 2}}}};
  fine.duration_s = 1;
  const ThermalProblem coarse = coarsened(fine);
  EXPECT_EQ(coarse.grid().size, (std::array<int, 3>{6, 6, 6}));
  EXPECT_EQ(coarse.tissue_map.labels(0, 0, 0), 0);
  EXPECT_EQ(coarse.tissue_map.labels(1, 0, 0), 1);
  EXPECT_EQ(coarse.tissue_map.labels(2, 1, 3), 1);
  EXPECT_EQ(coarse.tissue_map.labels(2, 2, 3), 0);
  EXPECT_EQ(coarse.sources[0].scale, fine.sources[0].scale);
  // The first cell of a pair has all of one small cell and half of the next: (0 + 0.5 * 1) / 1.5 = 1/3.
  const auto& mean = std::get<VolumetricSource>(coarse.sources[0].what).power_W_per_m3;
  EXPECT_NEAR(mean(0, 1, 2), 100.0 / 3 + 10 * 5.0 / 3 + 10.0 / 3, 1e-4);
  double fine_sum = 0, coarse_sum = 0;
  for (const float x : q.values) fine_sum += double(x);
  for (const float x : mean.values) coarse_sum += double(x);
  EXPECT_NEAR(coarse_sum * 1.5 * 1.5 * 1.5, fine_sum, 1e-2);
}

TEST(ErrorEstimates, OfAZoneIsALengthOfItsRadius) {
  ThermalResult fine, coarse;
  fine.zones["over_50_degC"].volume_ml = 4.0 / 3 * M_PI;            // a ball of 10 mm
  coarse.zones["over_50_degC"].volume_ml = 4.0 / 3 * M_PI * 1.331;  // of 11 mm
  const ErrorEstimate e = estimate_error(fine, coarse);
  ASSERT_TRUE(e.zone_radius_mm);
  EXPECT_NEAR(*e.zone_radius_mm, 1, 1e-9);
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
