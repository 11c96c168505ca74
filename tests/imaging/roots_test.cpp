// SPDX-License-Identifier: Apache-2.0
#include "imaging/roots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "imaging/canal.h"
#include "imaging/core/error.h"
#include "imaging/dural_sac.h"
#include "imaging/labels.h"
#include "imaging/read.h"
#include "tests/imaging/scan_folder.h"
#include "tests/imaging/toy_spine.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const RootTube* find(const Anatomy& a, const std::string& name) {
  for (const RootTube& r : a.roots)
    if (r.name == name) return &r;
  return nullptr;
}

double in_vertebrae_mm(const Anatomy& a, const RootTube& tube) {
  const Eigen::Vector3d d = tube.to_mm - tube.from_mm;
  const int steps = int(d.norm() / 0.25);
  double mm = 0;
  for (int n = 0; n <= steps; ++n)
    if (is_vertebra(sample_nearest(a.labels, tube.from_mm + d * n / steps).value_or(0))) mm += 0.25;
  return mm;
}

ToySpine turned_spine(std::vector<std::string> levels) {
  ToySpine spine;
  spine.levels = std::move(levels);
  spine.patient_from_spine = {
      Eigen::Quaterniond(Eigen::AngleAxisd(0.15, Eigen::Vector3d(1, 0.5, 0.5).normalized())), {-30, 80, 500}};
  return spine;
}

TEST(Roots, PassUnderTheirPedicleOnTheirOwnSide) {
  const ToySpine spine = turned_spine({"L1", "L2", "L3", "L4"});
  Anatomy a = spine.anatomy(spine.grid(1), true);
  add_root_tubes(a);
  EXPECT_EQ(a.roots.size(), 8u);
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  for (std::size_t n = 0; n < spine.levels.size(); ++n)
    for (const bool left : {true, false}) {
      const std::string name = "root_" + spine.levels[n] + (left ? "_left" : "_right");
      const RootTube* tube = find(a, name);
      ASSERT_NE(tube, nullptr) << name;
      EXPECT_EQ(a.status_of(name), StructureStatus::modelled);
      EXPECT_EQ(in_vertebrae_mm(a, *tube), 0) << name;
      const Eigen::Vector3d from = spine_from_patient * tube->from_mm, to = spine_from_patient * tube->to_mm;
      const double side = left ? 1 : -1;  // LPS and the toy alike: +x is the left
      EXPECT_GT(side * to.x(), 17) << name;
      EXPECT_LT(std::abs(from.x()), 13) << name;
      // Where the tube passes the middle of the pedicle (|x| = 14), it lies under it: the pedicle's lower
      // border is at z = +1 of its vertebra, the next pedicle's upper border at -21.
      const double t = (side * 14 - from.x()) / (to.x() - from.x());
      const Eigen::Vector3d under = from + t * (to - from);
      const double z = under.z() + ToySpine::pitch_mm * double(n);
      EXPECT_LT(z, 1 - tube->radius_mm) << name;
      EXPECT_GT(z, -16) << name;
      EXPECT_GT(under.y(), -16) << name;
      EXPECT_LT(under.y(), 4) << name;
      EXPECT_GE(tube->radius_mm, 1.5);
      EXPECT_LE(tube->radius_mm, 2.0);
    }
}

TEST(Roots, BeginAtTheSurfaceOfTheCord) {
  const ToySpine spine = turned_spine({"T8", "T9", "T10"});
  const Grid grid = spine.grid(1);
  Anatomy a = spine.anatomy(grid, true);
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Eigen::Vector3d s = spine_from_patient * grid.to_world(i, j, k);
        if (spine.in_canal(s))
          a.labels(i, j, k) = std::hypot(s.x(), s.y()) < 5 ? *structure_value("cord") : 0;
      }
  a.status["cord"] = StructureStatus::imported;
  a.status.erase("canal");
  add_root_tubes(a);
  ASSERT_EQ(a.roots.size(), 6u);
  for (const RootTube& r : a.roots) {
    const Eigen::Vector3d s = spine_from_patient * r.from_mm;
    EXPECT_NEAR(std::hypot(s.x(), s.y()), 5, 1.2) << r.name;
    // Thoracic roots leave nearly horizontally.
    const Eigen::Vector3d d = (spine_from_patient.rotation * (r.to_mm - r.from_mm)).normalized();
    EXPECT_LT(std::abs(d.z()), std::sin(20 * 3.14159 / 180)) << r.name;
    EXPECT_EQ(r.radius_mm, 1);
  }
}

TEST(Roots, WithoutCordOrCanalTheRingOfTheVertebraeServes) {
  const ToySpine spine = turned_spine({"L2", "L3", "L4"});
  Anatomy a = spine.anatomy(spine.grid(1), false);
  add_root_tubes(a);
  EXPECT_EQ(a.roots.size(), 6u);
  EXPECT_THAT(a.warnings, Contains(HasSubstr("estimated from the labels")));
  for (const RootTube& r : a.roots) EXPECT_LT(in_vertebrae_mm(a, r), 1) << r.name;
  EXPECT_FALSE(a.has("canal"));  // used, not claimed
}

TEST(Roots, CervicalRootsLeaveAboveTheirPedicle) {
  const ToySpine spine = turned_spine({"C5", "C6", "C7"});
  Anatomy a = spine.anatomy(spine.grid(1), true);
  add_root_tubes(a);
  // Two tubes on each side of C7: its own above the pedicle, and that of C8 below.
  EXPECT_EQ(a.roots.size(), 8u);
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  const RootTube* c6 = find(a, "root_C6_left");
  ASSERT_NE(c6, nullptr);
  const Eigen::Vector3d from = spine_from_patient * c6->from_mm, to = spine_from_patient * c6->to_mm;
  const double t = (11 - from.x()) / (to.x() - from.x());
  EXPECT_GT((from + t * (to - from)).z() + ToySpine::pitch_mm, 11);  // the pedicle's upper border
}

TEST(Roots, AreNotDoubledAndNotSilentlyMissing) {
  const ToySpine spine = turned_spine({"L1", "L2", "L3"});
  Anatomy a = spine.anatomy(spine.grid(1), true);
  add_root_tubes(a);
  add_root_tubes(a);
  EXPECT_EQ(a.roots.size(), 6u);
  // The pedicles of L2 are taken away: its roots stay, at a place that its neighbours tell.
  const RootTube before = *find(a, "root_L2_left");
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  const Grid& g = a.labels.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d s = spine_from_patient * g.to_world(i, j, k);
        if (std::abs(s.z() + 32) < 14 && s.y() > -12 && s.y() < 6 && std::abs(s.x()) > 8)
          a.labels(i, j, k) = 0;
      }
  a.warnings.clear();
  add_root_tubes(a);
  EXPECT_EQ(a.roots.size(), 6u);
  EXPECT_THAT(a.warnings, Contains(::testing::AllOf(HasSubstr("generic place"), HasSubstr("root_L2_left"))));
  EXPECT_LT((find(a, "root_L2_left")->from_mm - before.from_mm).norm(), 8);

  Anatomy nothing;
  nothing.labels = Volume<StructureValue>(box_grid({0, 0, 0}, {40, 40, 40}, 2));
  add_root_tubes(nothing);
  EXPECT_TRUE(nothing.roots.empty());
  EXPECT_THAT(nothing.warnings, Contains(HasSubstr("no roots")));
}

TEST(Roots, OptionsAreChecked) {
  Anatomy a;
  EXPECT_THROW(add_root_tubes(a, {.length_mm = -1}), ConfigError);
}

class RootsOfRealScans : public ScanFolderTest {};

TEST_F(RootsOfRealScans, LumbarLabelsOfThreeMillimetres) {
  Anatomy a = import_labels(read_label_volume(folder() / "labels" / "ts_example_seg_all.nii.gz"),
                            "totalsegmentator-v2");
  const auto cord = a.mask("cord").values, cauda = a.mask("cauda").values;
  add_dural_sac(a);
  EXPECT_EQ(a.mask("cord").values, cord);
  EXPECT_EQ(a.mask("cauda").values, cauda);
  EXPECT_EQ(a.status_of("dural_sac"), StructureStatus::estimated);
  add_root_tubes(a);
  double in_bone = 0, length = 0;
  for (const char* level : {"T12", "L1", "L2", "L3", "L4", "L5"})
    for (const std::string side : {"left", "right"}) {
      const RootTube* tube = find(a, "root_" + std::string(level) + "_" + side);
      ASSERT_NE(tube, nullptr) << level << side;
      const Eigen::Vector3d middle = (tube->from_mm + tube->to_mm) / 2;
      EXPECT_FALSE(is_vertebra(sample_nearest(a.labels, middle).value_or(0))) << tube->name;
      const double spine_x = centroid_mm(a.mask("vertebra_" + std::string(level)))->x();
      EXPECT_GT((side == "left" ? 1 : -1) * (tube->to_mm.x() - spine_x), 12) << tube->name;
      EXPECT_LT(tube->to_mm.z(), tube->from_mm.z()) << tube->name;
      in_bone += in_vertebrae_mm(a, *tube);
      length += (tube->to_mm - tube->from_mm).norm();
    }
  RecordProperty("share_in_bone", std::to_string(in_bone / length));
  EXPECT_LT(in_bone / length, 0.05);
  // The foramen of L3-L4 of this scan, seen on the picture: the left root passes within 6 mm of its middle.
  const RootTube* l3 = find(a, "root_L3_left");
  const Eigen::Vector3d d = (l3->to_mm - l3->from_mm).normalized(), foramen(16, -120, 302);
  EXPECT_LT((foramen - l3->from_mm).cross(d).norm(), 6);
  // T11 is a fragment at the upper edge: its roots are told, not left out silently.
  EXPECT_THAT(a.warnings, Contains(HasSubstr("root_T11_left")));
}

TEST_F(RootsOfRealScans, CropWithoutCord) {
  const auto crop = folder() / "labels" / "tptbox_ct";
  Anatomy a = import_labels(read_label_volume(crop / "sub-ct_seg-vert_label-22_msk.nii.gz"), "verse");
  const Image ct = read_image(crop / "sub-ct_label-22_ct.nii.gz");
  const CanalSearch search = find_canal(ct, centroid_mm(a.mask("vertebra_L3")).value());
  ASSERT_TRUE(search.canal) << search.reason;
  add_canal(a, *search.canal);
  add_dural_sac(a);
  add_root_tubes(a);
  for (const char* name : {"root_L3_left", "root_L3_right", "root_L4_left", "root_L4_right"})
    EXPECT_NE(find(a, name), nullptr) << name;
  // The pedicles of L2 lie beyond the upper edge: a guessed tube, or none, and said so.
  for (const char* name : {"root_L2_left", "root_L2_right"})
    EXPECT_THAT(a.warnings, Contains(HasSubstr(name)));
  for (const char* name : {"root_L3_left", "root_L3_right"})
    EXPECT_LT(in_vertebrae_mm(a, *find(a, name)), 2.5) << name;
  EXPECT_GT(find(a, "root_L3_left")->to_mm.x(), find(a, "root_L3_right")->to_mm.x() + 30);
}

}  // namespace
}  // namespace spinetherm
