// SPDX-License-Identifier: Apache-2.0
#include "planning/coverage.h"

#include <gmock/gmock.h>

#include "imaging/core/units.h"
#include "tests/planning/synthetic_heat.h"

namespace spinetherm {
namespace {

using namespace testing;

/// A zone that is a ball of the given radius, sharp to a hundredth of a millimetre by its level function.
ThermalResult ball_zone(double radius_mm, double half_box_mm = 30, double spacing_mm = 1) {
  const Eigen::Vector3d h = Eigen::Vector3d::Constant(half_box_mm);
  auto run = run_of(box_grid(-h, h, spacing_mm), [](const Eigen::Vector3d&) { return 37.0; });
  const Grid& g = run.arrhenius.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        run.arrhenius(i, j, k) = float(std::pow(10, (radius_mm - g.to_world(i, j, k).norm()) / 3));
  return run;
}
Target ball(const Eigen::Vector3d& centre_mm, double radius_mm, double spacing_mm = 0.5) {
  Target t;
  t.mask = ellipsoid_mask(centre_mm, Eigen::Vector3d::Constant(radius_mm), spacing_mm);
  return t;
}

TEST(PercentText, SaysAllOfAllAlone) {
  EXPECT_EQ(percent_text(1.0), "100 %");
  EXPECT_EQ(percent_text(0.9999), "99 %");
  EXPECT_EQ(percent_text(0.79), "79 %");
  EXPECT_EQ(percent_text(0.0), "0 %");
  EXPECT_EQ(percent_text(std::nullopt), "unknown");
}

TEST(AssessCoverage, ABallInsideABallIsCoveredWithTheMarginBetweenThem) {
  const auto c = assess_coverage(ball({2, 0, 0}, 8), ball_zone(14), {});
  ASSERT_TRUE(c.coverage) << c.reason;
  EXPECT_DOUBLE_EQ(*c.coverage, 1);
  EXPECT_NEAR(*c.min_margin_mm, 14 - 2 - 8, 0.6);
  EXPECT_NEAR(c.volume_ml, 4.0 / 3 * kPi * 512 * 1e-3, 0.03);
}

TEST(AssessCoverage, TwoBallsThatOverlapAgreeWithTheLens) {
  // Volume of the lens of balls R, r at distance d.
  const double R = 12, r = 8, d = 10;
  const double lens = kPi * std::pow(R + r - d, 2) *
                      (d * d + 2 * d * r - 3 * r * r + 2 * d * R + 6 * r * R - 3 * R * R) / (12 * d);
  const auto c = assess_coverage(ball({d, 0, 0}, r), ball_zone(R), {});
  EXPECT_NEAR(*c.coverage, lens / (4.0 / 3 * kPi * r * r * r), 0.01);
  EXPECT_NEAR(*c.min_margin_mm, R - d - r, 0.6);  // negative: target is left
}

TEST(AssessCoverage, ConvergesOnCoarseTargetGrids) {
  const double fine = *assess_coverage(ball({10, 0, 0}, 8, 0.5), ball_zone(12), {}).coverage;
  EXPECT_NEAR(*assess_coverage(ball({10, 0, 0}, 8, 2), ball_zone(12), {}).coverage, fine, 0.03);
}

TEST(AssessCoverage, IsUnknownWhereItCannotBeKnown) {
  EXPECT_FALSE(assess_coverage(ball({0, 0, 0}, 8), ball_zone(29), {}).coverage);  // touches the box
  EXPECT_TRUE(assess_coverage(ball({0, 0, 0}, 8), ball_zone(29), {}).zone_touches_box);
  EXPECT_FALSE(assess_coverage(ball({25, 0, 0}, 8), ball_zone(10), {}).coverage);  // target leaves the box
  ThermalResult not_run;
  const auto c = assess_coverage(ball({0, 0, 0}, 8), not_run, {});
  EXPECT_FALSE(c.coverage);
  EXPECT_THAT(c.reason, ::testing::HasSubstr("solve() was not called"));
}

TEST(AssessCoverage, NothingAblatedIsZeroAndHasNoMargin) {
  const auto c = assess_coverage(ball({0, 0, 0}, 8), ball_zone(-60), {});
  EXPECT_DOUBLE_EQ(*c.coverage, 0);
  EXPECT_FALSE(c.min_margin_mm);
}

}  // namespace
}  // namespace spinetherm
