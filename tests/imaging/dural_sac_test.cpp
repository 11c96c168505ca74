// SPDX-License-Identifier: Apache-2.0
#include "imaging/dural_sac.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "tests/imaging/toy_spine.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

ToySpine turned_spine(std::vector<std::string> levels) {
  ToySpine spine;
  spine.levels = std::move(levels);
  spine.patient_from_spine = {
      Eigen::Quaterniond(Eigen::AngleAxisd(0.15, Eigen::Vector3d(1, 0.5, 0.5).normalized())), {-30, 80, 500}};
  return spine;
}

TEST(DuralSac, LiesAMillimetreWithinTheCanalAndHoldsTheCord) {
  const ToySpine spine = turned_spine({"L1", "L2", "L3"});
  const Grid grid = spine.grid(1);
  Anatomy a = spine.anatomy(grid, true);
  const StructureValue cord = *structure_value("cord");
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  const auto at = [&](double x, double y, double z) {
    return std::string(structure_name(
        sample_nearest(a.labels, spine.patient_from_spine * Eigen::Vector3d(x, y, z)).value_or(0)));
  };
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Eigen::Vector3d s = spine_from_patient * grid.to_world(i, j, k);
        if (std::hypot(s.x(), s.y()) < 4) a.labels(i, j, k) = cord;
      }
  a.status["cord"] = StructureStatus::imported;
  const auto cord_before = a.mask("cord");
  add_dural_sac(a);
  EXPECT_EQ(a.status_of("dural_sac"), StructureStatus::estimated);
  EXPECT_EQ(a.mask("cord").values, cord_before.values);
  EXPECT_EQ(at(0, 0, -32), "cord");
  EXPECT_EQ(at(7, 0, -32), "dural_sac");
  EXPECT_EQ(at(0, 6.5, -32), "dural_sac");
  EXPECT_EQ(at(10.4, 0, -32), "canal");
  // Called again, it changes nothing.
  const Anatomy once = a;
  add_dural_sac(a);
  EXPECT_EQ(a.labels, once.labels);
}

TEST(DuralSac, NothingIsKnownOfNothing) {
  Anatomy a;
  a.labels = Volume<StructureValue>(box_grid({0, 0, 0}, {40, 40, 40}, 2));
  add_dural_sac(a);
  EXPECT_FALSE(a.has("dural_sac"));
  EXPECT_THAT(a.warnings, Contains(HasSubstr("no dural sac")));
  EXPECT_FALSE(canal_from_vertebrae(a));
}

TEST(DuralSac, CanalFromVertebraeIsThatOfTheToy) {
  const ToySpine spine = turned_spine({"L1", "L2", "L3"});
  const Anatomy a = spine.anatomy(spine.grid(1), false);
  const auto canal = canal_from_vertebrae(a);
  ASSERT_TRUE(canal);
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  double both = 0, truth = 0;
  const Grid& g = canal->mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d s = spine_from_patient * g.to_world(i, j, k);
        if (s.z() > -4 || s.z() < -60 || !spine.in_canal(s)) continue;
        ++truth;
        both += canal->mask(i, j, k) != 0;
      }
  EXPECT_GT(both / truth, 0.9);
}

TEST(DuralSac, OptionsAreChecked) {
  Anatomy a;
  a.labels = Volume<StructureValue>(box_grid({0, 0, 0}, {10, 10, 10}, 2));
  EXPECT_THROW(add_dural_sac(a, {.epidural_mm = -1}), ConfigError);
  EXPECT_THROW(add_dural_sac(a, {.epidural_mm = 6}), ConfigError);
}

TEST(DuralSac, AWiderEpiduralSpaceLeavesASmallerSac) {
  const ToySpine spine;
  const auto voxels = [&](double epidural_mm) {
    Anatomy a = spine.anatomy(spine.grid(1), true);
    add_dural_sac(a, {.epidural_mm = epidural_mm});
    const auto mask = a.mask("dural_sac");
    return std::count(mask.values.begin(), mask.values.end(), 1);
  };
  EXPECT_GT(voxels(3), 0);
  EXPECT_GT(voxels(0), 1.2 * double(voxels(2)));
}

}  // namespace
}  // namespace spinetherm
