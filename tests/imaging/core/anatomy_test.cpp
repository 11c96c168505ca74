// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/anatomy.h"

#include <gtest/gtest.h>

#include <set>

namespace spinetherm {
namespace {

TEST(Anatomy, EveryNameHasOneValueAndBack) {
  std::set<StructureValue> values;
  for (const auto& [value, name] : structure_table()) {
    EXPECT_TRUE(values.insert(value).second) << name;
    EXPECT_EQ(structure_value(name), value);
    EXPECT_EQ(structure_name(value), name);
  }
  for (const char* name : {"vertebra_L3",
                           "vertebra_body_L3",
                           "disc_L3_L4",
                           "disc_T12_L1",
                           "disc_L5_sacrum",
                           "canal",
                           "dural_sac",
                           "dura",
                           "cord",
                           "cauda",
                           "root_L3_left",
                           "root_S2_left",
                           "root_S4_right",
                           "ganglion_L3_left",
                           "lumbar_plexus_left",
                           "tumour",
                           "aorta",
                           "vena_cava",
                           "segmental_artery_L3_left",
                           "lung_left",
                           "oesophagus",
                           "bowel",
                           "kidney_left",
                           "liver",
                           "muscle",
                           "fat",
                           "skin",
                           "implant"})
    EXPECT_TRUE(structure_value(name)) << name;
  EXPECT_FALSE(structure_value("vertebra_L9"));
  EXPECT_TRUE(structure_name(0).empty());
}

TEST(Anatomy, KnowsTheOrderOfTheSpine) {
  EXPECT_EQ(level_below("T12"), "L1");
  EXPECT_EQ(level_above("L1"), "T12");
  EXPECT_EQ(level_below("L5"), "sacrum");
  EXPECT_EQ(structure_level(*structure_value("root_T7_right")), "T7");
  EXPECT_EQ(structure_level(*structure_value("vertebra_body_L3")), "L3");
  EXPECT_EQ(structure_level(*structure_value("aorta")), "");
}

TEST(Anatomy, AbsentStructuresAreMissing) {
  Anatomy a;
  EXPECT_EQ(a.status_of("cord"), StructureStatus::missing);
  EXPECT_FALSE(a.has("cord"));
}

TEST(Anatomy, MaskOfAVertebraIncludesItsBody) {
  Anatomy a;
  Grid g;
  g.size = {3, 1, 1};
  a.labels = Volume<StructureValue>(g);
  a.labels[0] = *structure_value("vertebra_L3");
  a.labels[1] = *structure_value("vertebra_body_L3");
  EXPECT_EQ(a.mask("vertebra_L3").values, (std::vector<std::uint8_t>{1, 1, 0}));
  EXPECT_EQ(a.mask("vertebra_body_L3").values, (std::vector<std::uint8_t>{0, 1, 0}));
  EXPECT_EQ(a.levels_present(), (std::vector<std::string>{"L3"}));
  EXPECT_LT((*centroid_mm(a.mask("vertebra_L3")) - Eigen::Vector3d(0.5, 0, 0)).norm(), 1e-12);
}

}  // namespace
}  // namespace spinetherm
