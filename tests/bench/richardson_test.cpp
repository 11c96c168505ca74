// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/richardson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace spinetherm {
namespace {

TEST(Richardson, FindsLimitAndOrder) {
  for (const double order : {0.7, 1.0, 1.1, 2.0}) {
    const auto value = [&](double h) { return 1219 + 130 * std::pow(h, order); };
    const Limit limit = richardson({0.5, 1.0 / 3, 0.25}, {value(0.5), value(1.0 / 3), value(0.25)});
    EXPECT_NEAR(limit.value, 1219, 1e-6) << order;
    EXPECT_NEAR(limit.order, order, 1e-6);
  }
}

TEST(Richardson, HasNoLimitWhereValuesDoNotConverge) {
  EXPECT_TRUE(std::isnan(richardson({1, 0.5, 0.25}, {1, 2, 1.5}).value)) << "to and fro";
  EXPECT_TRUE(std::isnan(richardson({1, 0.5, 0.25}, {1, 2, 4}).value)) << "runs away";
  EXPECT_TRUE(std::isnan(richardson({1, 0.5, 0.25}, {1, 1, 1}).value)) << "no difference";
}

}  // namespace
}  // namespace spinetherm
