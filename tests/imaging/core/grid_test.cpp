// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/grid.h"

#include <gtest/gtest.h>

#include <limits>

#include "imaging/core/error.h"
#include "imaging/core/rigid.h"
#include "imaging/core/volume.h"

namespace spinetherm {
namespace {

Grid oblique() {
  Grid g;
  g.size = {5, 6, 7};
  g.spacing_mm = {0.5, 2, 3};
  g.origin_mm = {-10, 20, 30};
  g.direction = Eigen::AngleAxisd(0.3, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix();
  g.direction.col(2) *= -1;  // left-handed axes are legal
  return g;
}

TEST(Grid, IndexAndWorldAreInverse) {
  const Grid g = oblique();
  const Eigen::Vector3d ijk(1.25, 4.5, 2);
  EXPECT_LT((g.to_index(g.to_world(ijk)) - ijk).norm(), 1e-12);
  EXPECT_EQ(g.nearest(g.to_world(3, 2, 1)), (std::array<int, 3>{3, 2, 1}));
  EXPECT_TRUE(g.covers(g.to_world(Eigen::Vector3d(-0.49, 0, 0))));
  EXPECT_FALSE(g.covers(g.to_world(Eigen::Vector3d(-0.51, 0, 0))));
  EXPECT_NO_THROW(g.validate("here"));
}

TEST(Grid, RefusesWhatCannotBeAGrid) {
  const auto broken = [](auto change) {
    Grid g = oblique();
    change(g);
    return g;
  };
  EXPECT_THROW(broken([](Grid& g) { g.size[1] = 0; }).validate("x"), ConfigError);
  EXPECT_THROW(broken([](Grid& g) { g.size = {100000, 100000, 100000}; }).validate("x"), ConfigError);
  EXPECT_THROW(broken([](Grid& g) { g.spacing_mm[0] = 0; }).validate("x"), ConfigError);
  EXPECT_THROW(broken([](Grid& g) { g.spacing_mm[0] = -1; }).validate("x"), ConfigError);
  EXPECT_THROW(
      broken([](Grid& g) { g.spacing_mm[2] = std::numeric_limits<double>::quiet_NaN(); }).validate("x"),
      ConfigError);
  EXPECT_THROW(broken([](Grid& g) { g.direction.setZero(); }).validate("x"), ConfigError);
}

TEST(Grid, AxisLettersFollowTheSideTheIndexGrowsTo) {
  Grid g;
  g.size = {2, 2, 2};
  EXPECT_EQ(axis_letters(g), "LPS");
  g.direction.col(0) *= -1;
  g.direction.col(1) *= -1;
  EXPECT_EQ(axis_letters(g), "RAS");
}

TEST(Volume, LinearSamplingReproducesALinearFieldAndStopsAtTheOuterFaces) {
  Volume<float> v(oblique());
  const Eigen::Vector3d slope(0.5, -2, 0.25);
  for (int k = 0; k < 7; ++k)
    for (int j = 0; j < 6; ++j)
      for (int i = 0; i < 5; ++i) v(i, j, k) = float(slope.dot(Eigen::Vector3d(i, j, k)));
  const Eigen::Vector3d ijk(1.2, 3.4, 5.6);
  EXPECT_NEAR(*sample_linear(v, v.grid.to_world(ijk)), slope.dot(ijk), 1e-5);
  EXPECT_FALSE(sample_linear(v, v.grid.to_world(Eigen::Vector3d(0, 0, 6.6))).has_value());
}

TEST(Rigid, ComposesLikeDominoes) {
  const Rigid b_from_a{Eigen::Quaterniond(Eigen::AngleAxisd(0.4, Eigen::Vector3d::UnitX())), {1, 2, 3}};
  const Rigid c_from_b{Eigen::Quaterniond(Eigen::AngleAxisd(-0.7, Eigen::Vector3d::UnitZ())), {-4, 0, 2}};
  const Eigen::Vector3d x(5, 6, 7);
  EXPECT_LT(((c_from_b * b_from_a) * x - c_from_b * (b_from_a * x)).norm(), 1e-12);
  EXPECT_LT((inverse(b_from_a) * (b_from_a * x) - x).norm(), 1e-12);
}

}  // namespace
}  // namespace spinetherm
