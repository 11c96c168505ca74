// SPDX-License-Identifier: Apache-2.0
#include "apps/bench_cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::array<int, 4> label_counts(const ThermalProblem& p) {
  std::array<int, 4> counts{};
  for (const auto label : p.tissue_map.labels.values) ++counts.at(label);
  return counts;
}

/// The peers' generator (gen_cases.py of the benchmark) counts these voxels of soft tissue, cortical bone,
/// cancellous bone and fluid, and this highest power density.
TEST(BenchCases, AreThoseOfThePeers) {
  const ThermalProblem small = bench_problem("BH-1s");
  EXPECT_EQ(label_counts(small), (std::array<int, 4>{245336, 3560, 9408, 3840}));
  const auto& q = std::get<VolumetricSource>(small.sources.at(0).what).power_W_per_m3.values;
  EXPECT_FLOAT_EQ(*std::max_element(q.begin(), q.end()), 897658.9375F);
  EXPECT_NEAR(std::accumulate(q.begin(), q.end(), 0.0) * 8e-9, 5, 1e-4) << "5 W in cells of 2 mm";
  EXPECT_EQ(label_counts(bench_problem("BH-1")), (std::array<int, 4>{1955200, 39836, 69348, 32768}));
}

TEST(BenchCases, AreProblemsThatTheEngineAccepts) {
  for (const BenchCase& c : bench_cases()) {
    if (c.name == "BH-2") continue;  // as BH-1, at 7 million cells
    SCOPED_TRACE(c.name);
    EXPECT_NO_THROW(validate(bench_problem(c.name)));
  }
  EXPECT_THAT([] { bench_problem("BH-3"); }, ThrowsMessage<ConfigError>(HasSubstr("unknown case 'BH-3'")));
}

}  // namespace
}  // namespace spinetherm
