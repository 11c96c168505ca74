// SPDX-License-Identifier: Apache-2.0
#include "planning/body.h"

#include <gmock/gmock.h>

#include <limits>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// A round body with a lung that is open to the upper end of the image only, in air, with a table behind.
Volume<float> torso() {
  Volume<float> ct(box_grid({-60, -60, -30}, {60, 60, 30}, 2), -1000.0F);
  const Grid& g = ct.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        if (x.head<2>().norm() < 45) ct(i, j, k) = 40;
        if ((x.head<2>() - Eigen::Vector2d(20, 0)).norm() < 12) ct(i, j, k) = -850;
        if (x.y() > 53 && x.y() < 57) ct(i, j, k) = 200;
      }
  return ct;
}

TEST(FindBody, LungsBelongToItAndTheTableDoesNot) {
  const Body body = find_body(torso(), {-20, 0, 0});
  EXPECT_TRUE(body.reaches_skin);
  EXPECT_EQ(sample_nearest(body.inside, {20, 0, 0}), 1);
  EXPECT_EQ(sample_nearest(body.inside, {20, 0, 30}), 1);  // the end face is no way in
  EXPECT_EQ(sample_nearest(body.inside, {0, 55, 0}), 0);
  EXPECT_EQ(sample_nearest(body.inside, {0, 50, 0}), 0);
  EXPECT_EQ(sample_nearest(body.air, {0, 50, 0}), 1);
}

TEST(FindBody, ATargetInAirOrOutsideIsRefused) {
  EXPECT_THAT(
      [] {
        find_body(torso(), {55, 40, 0});
      },
      ::testing::ThrowsMessage<ConfigError>(::testing::HasSubstr("lies in air")));
  EXPECT_THAT(
      [] {
        find_body(torso(), {200, 0, 0});
      },
      ::testing::ThrowsMessage<ConfigError>(::testing::HasSubstr("outside the image")));
}

TEST(FindBody, PaddingIsNoSkin) {
  Volume<float> ct = torso();
  for (float& v : ct.values)
    if (v == -1000.0F) v = -3024.0F;
  EXPECT_FALSE(find_body(ct, {-20, 0, 0}).reaches_skin);
  for (float& v : ct.values)
    if (v == -3024.0F) v = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(find_body(ct, {-20, 0, 0}).reaches_skin);
}

TEST(FindBody, LungAndBowelGasThatTheImageCutsAreNoOuterAir) {
  Volume<float> ct(box_grid({-40, -40, -40}, {40, 40, 40}, 2), 60.0F);
  const Grid& g = ct.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        if (x.x() > 20) ct(i, j, k) = -820;                                      // 128 ml of lung
        if ((x - Eigen::Vector3d(-38, -38, 0)).norm() < 10) ct(i, j, k) = -990;  // a few ml of gas
      }
  const Body body = find_body(ct, {0, 0, 0});
  EXPECT_FALSE(body.reaches_skin);
  EXPECT_EQ(sample_nearest(body.inside, {30, 0, 0}), 1);
  EXPECT_EQ(sample_nearest(body.inside, {-38, -38, 0}), 1);
}

TEST(FindBody, ACropWithinTheBodyHasNoSkin) {
  Volume<float> ct(box_grid({-20, -20, -20}, {20, 20, 20}, 1.5), 60.0F);
  EXPECT_FALSE(find_body(ct, {0, 0, 0}).reaches_skin);
  EXPECT_TRUE(find_body({}, {0, 0, 0}).inside.empty());
}

}  // namespace
}  // namespace spinetherm
