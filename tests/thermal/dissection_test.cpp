// SPDX-License-Identifier: Apache-2.0
#include "thermal/dissection.h"

#include <gtest/gtest.h>

#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

TEST(Dissection, TakesThePlaceOfTissueThatGivesWay) {
  ThermalProblem p = uniform_problem({}, {20, 20, 20}, 1);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  for (int k = 0; k < 20; ++k)
    for (int j = 0; j < 20; ++j) p.tissue_map.labels(10, j, k) = 1;  // a wall
  p.tissue_map.factors.perfusion = Volume<float>(p.grid(), 3);
  Tissue gas;
  gas.name = "gas";
  Volume<float> start(p.grid(), 37);
  const Region ball{Sphere{{9.5, 9.5, 9.5}, 5}};
  const auto soft = [](std::uint8_t label) { return label == 0; };
  const double ml = fill_with_medium(p.tissue_map, ball, gas, soft, &start, 20);
  EXPECT_GT(ml, 0.3);
  EXPECT_LT(ml, 0.53) << "4/3 pi 5^3 = 0.52 ml, less the wall";
  ASSERT_EQ(p.tissue_map.tissues.size(), 3U);
  EXPECT_EQ(p.tissue_map.labels(8, 9, 9), 2);
  EXPECT_EQ(p.tissue_map.labels(10, 9, 9), 1);
  EXPECT_EQ(p.tissue_map.labels(2, 2, 2), 0);
  EXPECT_EQ(start(8, 9, 9), 20);
  EXPECT_EQ(start(10, 9, 9), 37);
  EXPECT_EQ(p.tissue_map.factors.perfusion(8, 9, 9), 1);
  EXPECT_EQ(p.tissue_map.factors.perfusion(10, 9, 9), 3);
  // The same medium again is the same row.
  fill_with_medium(p.tissue_map, Region{Sphere{{3, 3, 3}, 2}}, gas, soft);
  EXPECT_EQ(p.tissue_map.tissues.size(), 3U);
  EXPECT_EQ(p.tissue_map.labels(3, 3, 3), 2);
}

}  // namespace
}  // namespace spinetherm
