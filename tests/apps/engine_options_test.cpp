// SPDX-License-Identifier: Apache-2.0
#include "apps/engine_options.h"

#include <gtest/gtest.h>

namespace spinetherm {
namespace {

ThermalProblem of_size(int nx, int ny, int nz) {
  ThermalProblem problem;
  problem.tissue_map.labels.grid.size = {nx, ny, nz};
  return problem;
}

TEST(EngineOptions, DoubleWhereItCostsNothing) {
  EXPECT_TRUE(engine_options(of_size(1, 1, 60), 1).double_precision);
  EXPECT_TRUE(engine_options(of_size(100, 100, 30), 1).double_precision);
  EXPECT_FALSE(engine_options(of_size(100, 100, 31), 1).double_precision);
}

TEST(EngineOptions, DosesOfSmallProblemsAreHeldToAMillikelvin) {
  EXPECT_LE(engine_options(of_size(10, 10, 10), 1).step_error_K, 1e-3);
  EXPECT_EQ(engine_options(of_size(100, 100, 31), 1).step_error_K, BioheatOptions{}.step_error_K);
}

TEST(EngineOptions, ThreadsAreHandedOnAndTheRestIsTheEnginesDefault) {
  BioheatOptions expected;
  expected.threads = 3;
  EXPECT_EQ(engine_options(of_size(100, 100, 31), 3), expected);
  EXPECT_NO_THROW(engine_options(of_size(10, 10, 10), 3).validate());
}

}  // namespace
}  // namespace spinetherm
