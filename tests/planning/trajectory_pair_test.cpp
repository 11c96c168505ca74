// SPDX-License-Identifier: Apache-2.0
#include "planning/trajectory_pair.h"

#include <gmock/gmock.h>

#include <random>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::ThrowsMessage;

/// A path from 80 mm behind to its goal, coming in from one side.
Trajectory path(const std::string& side, const Vector3d& goal_mm, double oblique_mm = 40) {
  Trajectory t;
  t.side = side;
  t.kind = ApproachKind::transpedicular;
  t.goal_mm = goal_mm;
  t.entry_mm = goal_mm + Vector3d(side == "left" ? oblique_mm : -oblique_mm, 80, 0);
  t.tip_mm = goal_mm - 6 * (t.entry_mm - goal_mm).normalized();
  t.penalties = {{"off_centre", 2 * goal_mm.norm() / 10}, {"tilt", 0.1}};
  for (const auto& [name, value] : t.penalties) t.score += value;
  return t;
}

TEST(SegmentGap, AgreesWithASearchOverBothSegments) {
  std::mt19937 rng(3);
  std::uniform_real_distribution<double> u(-5, 5);
  for (int n = 0; n < 50; ++n) {
    const auto at = [&] { return Vector3d(u(rng), u(rng), u(rng)); };
    const Vector3d a = at(), b = at(), c = at(), d = at();
    double best = 1e9;
    constexpr int kSteps = 200;
    for (int i = 0; i <= kSteps; ++i)
      for (int j = 0; j <= kSteps; ++j)
        best = std::min(best, (a + i * (b - a) / kSteps - c - j * (d - c) / kSteps).norm());
    EXPECT_NEAR(segment_gap_mm(a, b, c, d), best, 0.05);
    EXPECT_LE(segment_gap_mm(a, b, c, d), best + 1e-12);
  }
  EXPECT_NEAR(segment_gap_mm({0, 0, 0}, {0, 9, 0}, {2, -3, 0}, {2, 20, 0}), 2, 1e-12) << "parallel";
}

TEST(BipedicularPairs, OneOnEachSideApartFromEachOther) {
  const std::vector<Trajectory> paths = {path("left", {0, 0, 0}), path("right", {0, 0, 0.5}),
                                         path("left", {7, 0, 0}), path("right", {-7, 0, 1})};
  TrajectoryPairOptions o;
  o.spread_mm = 10;
  const auto pairs = bipedicular_pairs(paths, {0, 0, 0}, o);
  ASSERT_FALSE(pairs.empty());
  // The two that meet in the centre would collide; the spread pair is best, though each is off the centre.
  EXPECT_EQ(pairs[0].left.goal_mm, Vector3d(7, 0, 0));
  EXPECT_EQ(pairs[0].right.goal_mm, Vector3d(-7, 0, 1));
  EXPECT_NEAR(pairs[0].spread_mm, std::hypot(14, 1), 1e-12);
  for (const TrajectoryPair& p : pairs) {
    EXPECT_EQ(p.left.side, "left");
    EXPECT_EQ(p.right.side, "right");
    EXPECT_GE(p.gap_mm, o.shaft_diameter_mm);
    EXPECT_NEAR(p.gap_mm + o.shaft_diameter_mm,
                segment_gap_mm(p.left.entry_mm, p.left.tip_mm, p.right.entry_mm, p.right.tip_mm), 1e-12);
  }
}

TEST(BipedicularPairs, NeedATranspedicularPathOnEitherSide) {
  std::vector<Trajectory> paths = {path("left", {5, 0, 0}), path("left", {7, 0, 0})};
  EXPECT_TRUE(bipedicular_pairs(paths, {0, 0, 0}).empty());
  paths.push_back(path("right", {-5, 0, 0}));
  EXPECT_EQ(bipedicular_pairs(paths, {0, 0, 0}).size(), 1U) << "no path in two pairs";
  paths.back().kind = ApproachKind::parapedicular;
  EXPECT_TRUE(bipedicular_pairs(paths, {0, 0, 0}).empty());
}

TEST(BipedicularPairs, OptionsAreChecked) {
  TrajectoryPairOptions o;
  o.spread_mm = 0;
  EXPECT_THAT(
      [&] {
        bipedicular_pairs({}, {0, 0, 0}, o);
      },
      ThrowsMessage<ConfigError>(testing::HasSubstr("spread_mm")));
}

}  // namespace
}  // namespace spinetherm
