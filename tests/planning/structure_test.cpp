// SPDX-License-Identifier: Apache-2.0
#include "planning/structure.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "imaging/core/error.h"
#include "planning/limit.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using testing::make_spine;
using testing::make_target;
using testing::SpineOptions;

const Structure* find(const std::vector<Structure>& all, const std::string& name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const Structure& s) { return s.name == name; });
  return it == all.end() ? nullptr : &*it;
}
Eigen::Vector3d furthest_from_axis(const Structure& s) {
  return *std::max_element(s.points_mm.begin(), s.points_mm.end(),
                           [](const auto& a, const auto& b) { return std::abs(a.x()) < std::abs(b.x()); });
}

TEST(FindStructures, LumbarLevelWithEverythingLabelled) {
  const auto spine = make_spine();
  const auto all = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  ASSERT_TRUE(find(all, "dura"));
  EXPECT_EQ(find(all, "dura")->status, StructureStatus::estimated);  // the canal's wall stands for it
  EXPECT_FALSE(find(all, "dura")->caution_at_best);                  // the cauda itself is labelled
  EXPECT_NEAR(std::abs(furthest_from_axis(*find(all, "dura")).x()), testing::kCanalHalfWidth, 0.6);
  EXPECT_EQ(find(all, "cord"), nullptr);
  EXPECT_EQ(find(all, "cauda")->status, StructureStatus::imported);
  for (const char* name : {"root_L3_left", "root_L3_right", "root_L2_left", "aorta", "vena_cava", "bowel"})
    EXPECT_TRUE(find(all, name)) << name;
  EXPECT_EQ(find(all, "root_L3_left")->status, StructureStatus::modelled);
  EXPECT_EQ(find(all, "skin")->status, StructureStatus::segmented);
  for (const auto& s : all) {
    EXPECT_NE(s.status, StructureStatus::missing) << s.name << ": " << s.reason;
    EXPECT_THAT(limit_classes(), ::testing::Contains(s.limit_class)) << s.name;
  }
}

TEST(FindStructures, LeftRootsLieOnTheLeft) {
  const auto spine = make_spine();
  const auto all = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  for (const auto& x : find(all, "root_L3_left")->points_mm) EXPECT_GT(x.x(), 0);
}

TEST(FindStructures, RootEnvelopesAreInflatedByTwoMillimetresAtLeast) {
  const auto spine = make_spine();
  const auto all = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  const auto& tube = *std::find_if(spine.anatomy.roots.begin(), spine.anatomy.roots.end(),
                                   [](const RootTube& t) { return t.name == "root_L3_left"; });
  double widest = 0;
  const Eigen::Vector3d axis = (tube.to_mm - tube.from_mm).normalized();
  for (const auto& x : find(all, "root_L3_left")->points_mm)
    widest = std::max(widest, (x - tube.from_mm).cross(axis).norm());
  EXPECT_NEAR(widest, tube.radius_mm + 2, 1e-6);
  StructureOptions thin;
  thin.root_inflate_mm = 1;
  EXPECT_THROW(find_structures(spine.anatomy, make_target(), spine.ct_HU, thin), ConfigError);
}

TEST(FindStructures, CanalWithoutCordIsCautionAtBest) {
  SpineOptions o;
  o.level = "T9";
  o.content = false;
  const auto spine = make_spine(o);
  const auto all = find_structures(spine.anatomy, make_target({9, -23, 2}, 7, "T9"), spine.ct_HU);
  EXPECT_TRUE(find(all, "dura")->caution_at_best);
  ASSERT_TRUE(find(all, "cord"));
  EXPECT_EQ(find(all, "cord")->status, StructureStatus::estimated);
  EXPECT_TRUE(find(all, "cord")->caution_at_best);
  EXPECT_EQ(find(all, "cauda"), nullptr);
  EXPECT_EQ(find(all, "root_T9_left")->limit_class, "thoracic_root");
  EXPECT_THAT(find(all, "root_T9_left")->also_classes, ::testing::ElementsAre("foramen"));
}

TEST(FindStructures, WithoutCanalAndCordTheyAreMissing) {
  SpineOptions o;
  o.level = "T9";
  o.canal = o.content = o.pedicles = false;
  const auto spine = make_spine(o);
  const auto all = find_structures(spine.anatomy, make_target({9, -23, 2}, 7, "T9"), spine.ct_HU);
  for (const char* name : {"dura", "cord"}) {
    ASSERT_TRUE(find(all, name));
    EXPECT_EQ(find(all, name)->status, StructureStatus::missing);
    EXPECT_EQ(find(all, name)->whereabouts, Whereabouts::anywhere);
  }
}

TEST(FindStructures, ACordWithoutCanalGetsADuraAroundIt) {
  SpineOptions o;
  o.level = "T9";
  o.canal = o.pedicles = false;
  const auto spine = make_spine(o);
  const auto all = find_structures(spine.anatomy, make_target({9, -23, 2}, 7, "T9"), spine.ct_HU);
  EXPECT_EQ(find(all, "cord")->status, StructureStatus::imported);
  EXPECT_EQ(find(all, "dura")->status, StructureStatus::estimated);
  EXPECT_NEAR(std::abs(furthest_from_axis(*find(all, "dura")).x()), 5 + 3, 1.0);
}

TEST(FindStructures, OrgansThatNobodyLabelledAreMissingAndJudgedByTissueWithoutLabel) {
  SpineOptions o;
  o.organs = false;
  const auto spine = make_spine(o);
  const auto all = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  const auto* aorta = find(all, "aorta");
  ASSERT_TRUE(aorta);
  EXPECT_EQ(aorta->status, StructureStatus::missing);
  EXPECT_EQ(aorta->whereabouts, Whereabouts::unlabelled);
  ASSERT_FALSE(aorta->points_mm.empty());
  for (const auto& x : aorta->points_mm) {
    ASSERT_EQ(sample_nearest(spine.anatomy.labels, x).value_or(0), 0);
    ASSERT_LE((x - Eigen::Vector3d(9, -23, 2)).norm(), 60.1);
  }
}

TEST(FindStructures, RootsThatNobodyModelledAreMissing) {
  SpineOptions o;
  o.roots = false;
  const auto spine = make_spine(o);
  const auto all = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  ASSERT_TRUE(find(all, "root_L3_left"));
  EXPECT_EQ(find(all, "root_L3_left")->status, StructureStatus::missing);
}

TEST(FindStructures, AnImageWithoutSkinSaysSo) {
  SpineOptions o;
  o.edge_mm = 50;  // the body ends at 70
  auto spine = make_spine(o);
  for (float& v : spine.ct_HU.values) v = std::max(v, 0.0F);
  const auto all = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  EXPECT_EQ(find(all, "skin")->status, StructureStatus::missing);
  EXPECT_EQ(find(all, "skin")->whereabouts, Whereabouts::outside_image);
  EXPECT_EQ(find(find_structures(spine.anatomy, make_target(), {}), "skin")->whereabouts,
            Whereabouts::anywhere);
}

TEST(FindStructures, ATargetOutsideIsRefused) {
  const auto spine = make_spine();
  EXPECT_THAT(
      [&] {
        find_structures(spine.anatomy, make_target({500, 0, 0}), spine.ct_HU);
      },
      ::testing::ThrowsMessage<ConfigError>(::testing::HasSubstr("outside the anatomy")));
}

TEST(LimitClass, ByName) {
  EXPECT_EQ(limit_class_of("root_C6_left"), "motor_root");
  EXPECT_EQ(limit_class_of("root_T1_left"), "motor_root");
  EXPECT_EQ(limit_class_of("root_T2_right"), "thoracic_root");
  EXPECT_EQ(limit_class_of("ganglion_L4_left"), "motor_root");
  EXPECT_EQ(limit_class_of("kidney_left"), "viscera");
  EXPECT_EQ(limit_class_of("iliac_vein"), "vessel");
  EXPECT_EQ(limit_class_of("muscle"), "");
  EXPECT_TRUE(expects_cord("L2"));
  EXPECT_FALSE(expects_cord("L3"));
  EXPECT_TRUE(expects_cord(""));
  EXPECT_TRUE(expects_cauda("sacrum"));
}

}  // namespace
}  // namespace spinetherm
