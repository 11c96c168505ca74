// SPDX-License-Identifier: Apache-2.0
#include "datasets/value_noise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spinetherm {
namespace {

TEST(ValueNoise, HasMeanZeroAndUnitSpreadInBothForms) {
  for (const auto noise : {value_noise, value_noise_2}) {
    double sum = 0, squares = 0, count = 0, largest = 0;
    for (double x = -20; x < 20; x += 0.43)
      for (double y = -20; y < 20; y += 0.47)
        for (double z = -20; z < 20; z += 0.83, ++count) {
          const double v = noise({x, y, z}, 7);
          sum += v;
          squares += v * v;
          largest = std::max(largest, std::abs(v));
        }
    EXPECT_NEAR(sum / count, 0, 0.03);
    EXPECT_NEAR(std::sqrt(squares / count), 1, 0.05);
    EXPECT_LT(largest, 3.5);
  }
}

TEST(ValueNoise, IsSmoothAndBelongsToItsSeed) {
  for (double x = -3; x < 3; x += 0.1) {
    EXPECT_NEAR(value_noise({x, 0.3, -1.2}, 1), value_noise({x + 1e-4, 0.3, -1.2}, 1), 2e-3);
    EXPECT_EQ(value_noise({x, 0.3, -1.2}, 1), value_noise({x, 0.3, -1.2}, 1));
  }
  EXPECT_NE(value_noise({0.2, 0.3, -1.2}, 1), value_noise({0.2, 0.3, -1.2}, 2));
}

TEST(ValueNoise, TheLatticeLooksUpTheSameNumbers) {
  const NoiseLattice lattice(Eigen::AlignedBox3d(Eigen::Vector3d(-3.2, 0.1, -7), Eigen::Vector3d(2, 4, 5.5)),
                             11);
  for (double x = -3.2; x <= 2; x += 0.37)
    for (double y = 0.1; y <= 4; y += 0.43)
      for (double z = -7; z <= 5.5; z += 0.71) {
        const Eigen::Vector3d v = lattice.at({x, y, z});
        for (int n = 0; n < 3; ++n)
          ASSERT_EQ(v[n], value_noise({x, y, z}, std::uint32_t(11 + n))) << x << " " << y << " " << z;
      }
}

}  // namespace
}  // namespace spinetherm
