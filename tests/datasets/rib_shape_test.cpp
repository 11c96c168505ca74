// SPDX-License-Identifier: Apache-2.0
#include "datasets/rib_shape.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spinetherm {
namespace {

TEST(RibShape, RunsFromTheBodyPastTheTransverseProcessOutwardsAndDown) {
  const VertebraShape v(vertebra_size("T8"));
  const RibShape rib(v, 7, 1);
  const auto inside = [&](const Eigen::Vector3d& x) { return rib.distance(rib.wall(x), x.z()) < 0; };
  const auto lowest_bone = [&](const Eigen::Vector3d& x) { return v.at(x).distance_mm; };
  // Somewhere within 4 mm of the body's upper edge, and of the transverse tip.
  double to_body = 99, to_tip = 99, farthest = 0, lowest = 0;
  for (double x = 8; x < 126; x += 1)
    for (double y = -100; y < 60; y += 1)
      for (double z = rib.low_z(); z < rib.high_z(); z += 2)
        if (inside({x, y, z})) {
          EXPECT_TRUE(inside({-x, y, z}));
          if (x < 20) to_body = std::min(to_body, lowest_bone({x, y, z}));
          to_tip = std::min(to_tip, (Eigen::Vector3d(x, y, z) - v.transverse_tip(1)).norm());
          farthest = std::max(farthest, x);
          lowest = std::min(lowest, z);
        }
  EXPECT_LT(to_body, 3);
  EXPECT_LT(to_tip, 12);
  EXPECT_GT(farthest, 110);
  EXPECT_LT(lowest, -30);
  // A shaft is about 6.6 mm thick and 13 mm high.
  const double along = 80, z = rib.centre_z(along);
  EXPECT_NEAR(rib.distance({0, 0, along}, z), -3.3, 0.1);
  EXPECT_LT(rib.distance({3.2, 3.2, along}, z), 0);
  EXPECT_GT(rib.distance({3.4, 3.4, along}, z), 0);
  EXPECT_GT(rib.distance({0, 0, rib.length_mm() + 1}, rib.centre_z(rib.length_mm())), 0);
}

TEST(RibShape, ChestLiesInsideTheWall) {
  const VertebraShape v(vertebra_size("T8"));
  const RibShape rib(v, 7, 1);
  EXPECT_LT(rib.wall({60, v.canal_y() - 40, 0}).outward_mm, -20);
  EXPECT_GT(rib.wall({60, v.canal_y() + 40, 0}).outward_mm, 10);
  EXPECT_GT(rib.wall({140, v.canal_y() - 50, 0}).outward_mm, 5);
}

}  // namespace
}  // namespace spinetherm
