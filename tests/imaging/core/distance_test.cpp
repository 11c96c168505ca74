// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace spinetherm {
namespace {

Volume<std::uint8_t> random_mask(double density, unsigned seed) {
  Grid g;
  g.size = {11, 7, 9};
  g.spacing_mm = {0.7, 1.3, 2.9};
  Volume<std::uint8_t> mask(g);
  std::mt19937 rng(seed);
  std::bernoulli_distribution set(density);
  for (auto& v : mask.values) v = set(rng) ? 1 : 0;
  return mask;
}

TEST(Distance, EqualsBruteForceOnAnisotropicGrids) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    const auto mask = random_mask(0.02 * seed, seed);
    const auto distance = distance_to_mm(mask);
    const Grid& g = mask.grid;
    for (int k = 0; k < g.size[2]; ++k)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) {
          double best = std::numeric_limits<double>::infinity();
          for (int c = 0; c < g.size[2]; ++c)
            for (int b = 0; b < g.size[1]; ++b)
              for (int a = 0; a < g.size[0]; ++a)
                if (mask(a, b, c)) best = std::min(best, (g.to_world(a, b, c) - g.to_world(i, j, k)).norm());
          if (std::isinf(best))
            EXPECT_TRUE(std::isinf(distance(i, j, k)));
          else
            EXPECT_NEAR(distance(i, j, k), best, 1e-4);
        }
  }
}

TEST(Distance, OfAnEmptyMaskIsInfiniteNotZero) {
  const auto mask = random_mask(0, 1);
  for (float v : distance_to_mm(mask).values) EXPECT_TRUE(std::isinf(v) && v > 0);
  for (float v : signed_distance_mm(mask).values) EXPECT_TRUE(std::isinf(v) && v > 0);
}

TEST(Distance, SignedDistanceOfABallIsNearItsRadius) {
  Grid g;
  g.size = {41, 41, 41};
  g.spacing_mm.setConstant(0.5);
  g.origin_mm.setConstant(-10);
  Volume<std::uint8_t> ball(g);
  for (int k = 0; k < 41; ++k)
    for (int j = 0; j < 41; ++j)
      for (int i = 0; i < 41; ++i) ball(i, j, k) = g.to_world(i, j, k).norm() <= 6 ? 1 : 0;
  const auto d = signed_distance_mm(ball);
  for (int k = 0; k < 41; ++k)
    for (int j = 0; j < 41; ++j)
      for (int i = 0; i < 41; ++i) EXPECT_NEAR(d(i, j, k), g.to_world(i, j, k).norm() - 6, 0.5);
}

}  // namespace
}  // namespace spinetherm
