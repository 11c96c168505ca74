// SPDX-License-Identifier: Apache-2.0
#include "datasets/tube_set.h"

#include <gtest/gtest.h>

#include <random>

#include "datasets/solid.h"

namespace spinetherm {
namespace {

TEST(TubeSet, FindsWhatASearchThroughAllFinds) {
  std::mt19937_64 rng(4);
  std::uniform_real_distribution<double> u(-30, 30);
  const auto point = [&] { return Eigen::Vector3d(u(rng), u(rng), u(rng)); };
  TubeSet set;
  for (int n = 0; n < 40; ++n) {
    const Eigen::Vector3d a = point();
    set.add({a, a + 0.4 * point(), 0.5 + 0.05 * n, StructureValue(n + 1), Material::nerve});
  }
  set.build();
  int found = 0;
  for (int n = 0; n < 20000; ++n) {
    const Eigen::Vector3d x = 1.3 * point();
    const Tube* expected = nullptr;
    for (const Tube& t : set.tubes())
      if (!expected && segment_distance(x, t.from_mm, t.to_mm) <= t.radius_mm) expected = &t;
    EXPECT_EQ(set.find(x), expected);
    found += expected != nullptr;
  }
  EXPECT_GT(found, 100);
}

TEST(TubeSet, EmptySetHoldsNothing) {
  TubeSet set;
  set.build();
  EXPECT_EQ(set.find({0, 0, 0}), nullptr);
}

}  // namespace
}  // namespace spinetherm
