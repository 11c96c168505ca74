// SPDX-License-Identifier: Apache-2.0
#include "datasets/streak_field.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/datasets/image_fixture.h"

namespace spinetherm {
namespace {

/// Two rods of dense bone on the x axis, 40 mm apart, in a cube of 100 mm.
Volume<float> two_rods() {
  Volume<float> hu(cube(50, 2));
  for (int k = 0; k < 50; ++k)
    for (int j = 0; j < 50; ++j)
      for (int i = 0; i < 50; ++i) {
        const Eigen::Vector3d x = hu.grid.to_world(i, j, k);
        if (std::hypot(std::abs(x.x()) - 20, x.y()) < 8) hu(i, j, k) = 1200;
      }
  return hu;
}

TEST(StreakField, TheShadowLiesBetweenTheBonesAndNotBesideThem) {
  const auto shadow = bone_shadow(two_rods());
  const auto at = [&](double x, double y) { return sample_linear(shadow, {x, y, 0}).value(); };
  EXPECT_GT(at(0, 0), 0.02);
  EXPECT_LT(at(0, 30), 0.1 * at(0, 0));
  EXPECT_LT(at(40, 0), 0.1 * at(0, 0));
  EXPECT_NEAR(at(0, 3), at(0, -3), 0.03 * at(0, 0));
}

TEST(StreakField, TheShadowIsTheProductOfThePathsMeanOverTheDirections) {
  // In the middle of a ring the path on each side is its thickness: 10 mm of bone of 1200 HU, in every
  // direction.
  Volume<float> hu(cube(60, 2));
  for (int k = 0; k < 60; ++k)
    for (int j = 0; j < 60; ++j)
      for (int i = 0; i < 60; ++i) {
        const double r = hu.grid.to_world(i, j, k).head<2>().norm();
        if (r > 30 && r < 40) hu(i, j, k) = 1200;
      }
  EXPECT_NEAR(sample_linear(bone_shadow(hu), {0, 0, 0}).value(), 0.25, 0.02);  // (10 / 20)^2
}

TEST(StreakField, SoftTissueCastsNone) {
  const auto shadow = bone_shadow(Volume<float>(cube(20, 2), 150));
  for (const float v : shadow.values) ASSERT_EQ(v, 0);
}

TEST(StreakField, ANeedleIsMetalWithADarkAndABrightSideThatFallWithDistance) {
  Volume<float> hu(cube(61, 1), 0);
  const Needle needle{{-20, 0, 0}, {20, 0, 0}, 3};
  add_needle(hu, needle, 400);
  EXPECT_FLOAT_EQ(hu(30, 30, 30), 3071);
  const double near = hu(30, 35, 30), far = hu(30, 40, 30);  // 5 and 10 mm to one side
  EXPECT_NEAR(near, 400 * 1.5 / 5, 1);
  EXPECT_NEAR(near / far, 2, 0.02);
  EXPECT_NEAR(hu(30, 25, 30), -near, 1);
  EXPECT_LT(hu(55, 30, 30), -50);  // beyond the tip
  EXPECT_THROW(add_needle(hu, {{0, 0, 0}, {0, 0, 0}, 2}, 1), ConfigError);
}

}  // namespace
}  // namespace spinetherm
