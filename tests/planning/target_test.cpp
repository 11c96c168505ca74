// SPDX-License-Identifier: Apache-2.0
#include "planning/target.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using testing::make_spine;
using testing::make_target;
using testing::SpineOptions;

TEST(TargetShapeOf, AnEllipsoidGivesBackItsCentreAxesAndVolume) {
  Target t;
  t.mask = ellipsoid_mask({10, -136, 315.6}, {9, 5, 13}, 0.5);
  const TargetShape s = shape_of(t);
  EXPECT_LT((s.centre_mm - Eigen::Vector3d(10, -136, 315.6)).norm(), 0.05);
  EXPECT_NEAR(s.half_mm[0], 13, 0.1);
  EXPECT_NEAR(s.half_mm[1], 9, 0.1);
  EXPECT_NEAR(s.half_mm[2], 5, 0.1);
  EXPECT_NEAR(std::abs(s.axes.col(0).z()), 1, 1e-3);
  EXPECT_NEAR(s.axes.determinant(), 1, 1e-9);
  EXPECT_NEAR(s.volume_ml, 4.0 / 3 * kPi * 9 * 5 * 13 * 1e-3, 0.02);
}

TEST(TargetShapeOf, AnEmptyTargetIsRefused) {
  Target t;
  t.mask = Volume<std::uint8_t>(box_grid({0, 0, 0}, {5, 5, 5}, 1));
  EXPECT_THROW(shape_of(t), ConfigError);
  EXPECT_THROW(ellipsoid_mask({0, 0, 0}, {1, -1, 1}), ConfigError);
}

TEST(PosteriorWallOf, BoneBetweenTargetAndCanalIsIntact) {
  const auto spine = make_spine();
  const auto wall = assess_posterior_wall(spine.anatomy, make_target({0, -20, 0}, 8), spine.ct_HU);
  ASSERT_TRUE(wall.defect_mm) << wall.reason;  // 12 mm from the centre to the canal's front: 4 mm of bone
  EXPECT_EQ(*wall.defect_mm, 0) << wall.reason;
}

TEST(PosteriorWallOf, ATargetThatMeetsTheCanalIsADefectOfItsWidth) {
  auto spine = make_spine();
  const Target t = make_target({0, -17, 0}, 10);  // reaches y = -7, the canal's front is at -8
  const Grid& g = spine.ct_HU.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (sample_nearest(t.mask, g.to_world(i, j, k)).value_or(0)) spine.ct_HU(i, j, k) = 50;  // lytic
  const auto wall = assess_posterior_wall(spine.anatomy, t, spine.ct_HU);
  ASSERT_TRUE(wall.defect_mm) << wall.reason;
  EXPECT_GT(*wall.defect_mm, 3);
  EXPECT_LT(*wall.defect_mm, 16);
}

TEST(PosteriorWallOf, ATargetDrawnToTheEdgeOfTheBoneHoldsTheWallItself) {
  const auto spine = make_spine();  // the CT is bone up to the canal
  const auto wall = assess_posterior_wall(spine.anatomy, make_target({0, -17, 0}, 10), spine.ct_HU);
  ASSERT_TRUE(wall.defect_mm) << wall.reason;
  EXPECT_EQ(*wall.defect_mm, 0);
}

TEST(PosteriorWallOf, CoarseVoxelsDoNotShowAnOpenWall) {
  SpineOptions coarse;
  coarse.spacing_mm = 3;
  auto spine = make_spine(coarse);
  for (float& v : spine.ct_HU.values) v = std::min(v, 100.0F);
  EXPECT_FALSE(assess_posterior_wall(spine.anatomy, make_target({0, -17, 0}, 11), spine.ct_HU).defect_mm);
  EXPECT_FALSE(
      assess_posterior_wall(spine.anatomy, make_target({0, -17, 0}, 11), {}).defect_mm);  // labels alone
}

TEST(PosteriorWallOf, WithoutACanalItIsUnknown) {
  SpineOptions o;
  o.canal = o.content = o.pedicles = false;
  const auto spine = make_spine(o);
  EXPECT_FALSE(assess_posterior_wall(spine.anatomy, make_target(), spine.ct_HU).defect_mm);
}

}  // namespace
}  // namespace spinetherm
