// SPDX-License-Identifier: Apache-2.0
#include "datasets/body_grid.h"

#include <gtest/gtest.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

NestedGrids some_grids(double spacing_mm) {
  return nested_grids({-10, -5.3, 2}, {11, 8, 20}, spacing_mm, {-40, -33, -12}, {41, 30, 37}, 2);
}

TEST(BodyGrid, FacesOfTheFineGridAreFacesOfCoarseVoxels) {
  for (const double spacing_mm : {0.5, 0.7, 1.0, 2.0, 3.0}) {
    const NestedGrids g = some_grids(spacing_mm);
    EXPECT_NEAR(g.coarse.spacing_mm.x(), 2, spacing_mm > 2 ? 1.01 : 0.11);
    for (int a = 0; a < 3; ++a) {
      const auto n = std::size_t(a);
      const double step = g.coarse.spacing_mm[a];
      const double low = g.fine.origin_mm[a] - g.fine.spacing_mm[a] / 2;
      const double high = low + g.fine.size[n] * g.fine.spacing_mm[a];
      const double face = g.coarse.origin_mm[a] - step / 2;
      for (const double at : {low, high}) {
        const double faces = (at - face) / step;
        EXPECT_NEAR(faces, std::round(faces), 1e-9) << spacing_mm << " axis " << a;
      }
      EXPECT_NEAR(face + step * g.first[n], low, 1e-9);
      EXPECT_LE(face, Eigen::Vector3d(-40, -33, -12)[a] + 1e-9);
      EXPECT_GE(face + step * g.coarse.size[n], Eigen::Vector3d(41, 30, 37)[a] - 1e-9);
    }
  }
}

TEST(BodyGrid, BlocksGiveTheirMeanAndTheirCommonestLabel) {
  const NestedGrids g = some_grids(1);
  Volume<float> fine(g.fine), coarse(g.coarse, -1);
  Volume<std::uint16_t> labels(g.fine, 7), coarse_labels(g.coarse, 3);
  for (std::size_t n = 0; n < fine.values.size(); ++n) fine[n] = float(n % 5);
  fine(2, 4, 6) = 100;
  for (int a = 0; a < 5; ++a) labels(2 + (a & 1), 4 + (a >> 1 & 1), 6 + (a >> 2)) = 9;
  double sum = 0, all = 0;
  for (const float v : fine.values) sum += double(v);
  fill_means(g, fine, coarse);
  fill_labels(g, labels, coarse_labels);
  int within = 0;
  for (int k = 0; k < g.coarse.size[2]; ++k)
    for (int j = 0; j < g.coarse.size[1]; ++j)
      for (int i = 0; i < g.coarse.size[0]; ++i) {
        const bool touched = coarse(i, j, k) >= 0;
        EXPECT_EQ(touched, g.inside(i, j, k));
        EXPECT_EQ(touched, coarse_labels(i, j, k) != 3);
        within += touched;
        if (touched) all += 8 * double(coarse(i, j, k));
      }
  EXPECT_EQ(std::size_t(within) * 8, g.fine.count());
  EXPECT_NEAR(all, sum, 1e-6 * sum);  // nothing is lost
  EXPECT_EQ(coarse_labels(g.first[0] + 1, g.first[1] + 2, g.first[2] + 3), 9);
  EXPECT_EQ(coarse_labels(g.first[0] + 2, g.first[1] + 2, g.first[2] + 3), 7);
}

TEST(BodyGrid, RefusesABoxAroundThatIsTooSmall) {
  EXPECT_THROW(nested_grids({0, 0, 0}, {10, 10, 10}, 1, {-5, 2, -5}, {15, 15, 15}, 2), ConfigError);
}

}  // namespace
}  // namespace spinetherm
