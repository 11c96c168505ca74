// SPDX-License-Identifier: Apache-2.0
#include "datasets/epidural_curtain.h"

#include <gmock/gmock.h>

#include "datasets/spine_model.h"

namespace spinetherm {
namespace {

SpineSection thoracic() {
  SpineSection s;
  s.canal_y = 0;
  s.canal_a = 8.75;
  s.canal_b = 8;
  s.sac_y = 0.2;
  s.sac_a = 7.5;
  s.sac_b = 7;
  s.cord_y = -1.5;
  s.cord_a = 4.2;
  s.cord_b = 3.1;
  return s;
}

EpiduralCurtain curtain(double thickness_mm) {
  EpiduralCurtain c;
  c.thickness_mm = thickness_mm;
  c.half_length_mm = 12;
  c.settle([](double) { return thoracic(); });
  return c;
}

double thickness_at(const EpiduralCurtain& c, double x, double z = 0) {
  EpiduralCurtain none = c;
  none.thickness_mm = 0;
  return c.back_y(thoracic(), x, z) - none.back_y(thoracic(), x, z);
}

TEST(EpiduralCurtain, IsHeldBackAtTheMidlineByTheLigamentAndThinnerOnTheOtherSide) {
  for (const double t : {2.0, 4.0, 7.0}) {
    const EpiduralCurtain c = curtain(t);
    EXPECT_LT(thickness_at(c, 0), 0.8 * thickness_at(c, 4)) << t;
    EXPECT_LT(thickness_at(c, 0), 0.8 * thickness_at(c, -4)) << t;
    EXPECT_GE(thickness_at(c, 0), thickness_at(c, 4) - c.tether_mm - 0.2 * t) << "the tether has an end";
    EXPECT_NEAR(thickness_at(c, -5) / thickness_at(c, 5), c.other_lobe, 0.06) << t;
  }
  EpiduralCurtain right = curtain(4);
  right.side = -1;
  EXPECT_GT(thickness_at(right, -5), thickness_at(right, 5));
}

TEST(EpiduralCurtain, ThinsOutToBothEnds) {
  const EpiduralCurtain c = curtain(4);
  double last = thickness_at(c, 4, 0);
  for (double z = 2; z < 12; z += 2) {
    EXPECT_LE(thickness_at(c, 4, z), last);
    EXPECT_NEAR(thickness_at(c, 4, z), thickness_at(c, 4, -z), 1e-9);
    last = thickness_at(c, 4, z);
  }
  EXPECT_LT(last, 1.2);
  EXPECT_EQ(thickness_at(c, 4, 12), 0);
}

TEST(EpiduralCurtain, SacGivesWayOneToOneAndTheBackOfTheSacStays) {
  const SpineSection s = thoracic();
  const EpiduralCurtain c = curtain(4);
  for (double x = -6; x <= 6; x += 1.5) {
    double last = -1e9;
    for (double y = c.back_y(s, x, 0) + 0.05; y < 9; y += 0.1) {
      const Eigen::Vector3d from = c.before(s, {x, y, 0});
      EXPECT_EQ(from.x(), x);
      EXPECT_EQ(from.z(), 0);
      EXPECT_GT(from.y(), last) << "folds at " << x << ", " << y;
      EXPECT_LE(from.y(), y + 1e-9) << "nothing moves forwards";
      last = from.y();
    }
  }
  EXPECT_EQ(c.before(s, {0, 7.3, 0}), Eigen::Vector3d(0, 7.3, 0)) << "behind the sac";
  EXPECT_EQ(c.before(s, {0, -3, 20}), Eigen::Vector3d(0, -3, 20)) << "beyond the tumour";
}

TEST(EpiduralCurtain, CordMovesBackBeforeItIsFlattened) {
  const SpineSection s = thoracic();
  const auto cord_depth = [&](double thickness) {
    const EpiduralCurtain c = curtain(thickness);
    double low = 1e9, high = -1e9;
    for (double y = c.back_y(s, 0, 0) + 0.01; y < 8; y += 0.02) {
      const double from = c.before(s, {0, y, 0}).y();
      if (std::abs(from - s.cord_y) > s.cord_b) continue;
      low = std::min(low, y);
      high = std::max(high, y);
    }
    return std::pair{high - low, (high + low) / 2};
  };
  const auto [thin, thin_y] = cord_depth(3.0);
  const auto [thick, thick_y] = cord_depth(14.0);
  EXPECT_NEAR(thin, 2 * s.cord_b, 0.1) << "a thin layer leaves its shape";
  EXPECT_GE(thin_y, s.cord_y - 0.05);
  EXPECT_GT(thick_y, s.cord_y + 2);
  EXPECT_LT(thick, 0.9 * thin) << "a thick one does not";
}

}  // namespace
}  // namespace spinetherm
