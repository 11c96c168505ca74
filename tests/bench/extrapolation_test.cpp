// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/extrapolation.h"

#include <gtest/gtest.h>

namespace spinetherm {
namespace {

TEST(Extrapolation, IsExactForErrorsOfFirstAndSecondOrder) {
  const auto value = [](double h) { return 1219 + 90 * h - 33 * h * h; };
  EXPECT_NEAR(limit_at_zero({0.5, 1.0 / 3, 0.25}, {value(0.5), value(1.0 / 3), value(0.25)}), 1219, 1e-9);
  EXPECT_NEAR(limit_at_zero({0.25, 1, 0.5}, {value(0.25), value(1), value(0.5)}), 1219, 1e-9) << "any order";
}

TEST(Extrapolation, OfAConstantIsTheConstant) {
  EXPECT_NEAR(limit_at_zero({1, 0.5, 0.25}, {29.5, 29.5, 29.5}), 29.5, 1e-12);
}

}  // namespace
}  // namespace spinetherm
