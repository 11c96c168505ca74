// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

StructureValue value(const char* name) { return *structure_value(name); }
const PlacedVertebra& vertebra(const SpineModel& m, const std::string& level) {
  return *std::find_if(m.vertebrae().begin(), m.vertebrae().end(),
                       [&](const auto& v) { return v.shape.size().level == level; });
}

TEST(SpineModel, LevelsStackFromTheHeadDown) {
  SpinePhantomOptions o;
  o.levels = parse_levels("T11-L2");
  const SpineModel m(o);
  ASSERT_EQ(m.vertebrae().size(), 6u);  // with T10 and L3
  for (std::size_t n = 0; n + 1 < m.vertebrae().size(); ++n) {
    const VertebraSize &up = m.vertebrae()[n].shape.size(), &low = m.vertebrae()[n + 1].shape.size();
    const Eigen::Vector3d step = m.vertebrae()[n + 1].world_from_vertebra.translation_mm -
                                 m.vertebrae()[n].world_from_vertebra.translation_mm;
    EXPECT_LT(step.z(), 0);
    EXPECT_NEAR(step.norm(), up.posterior_height_mm / 2 + up.disc_below_mm + low.posterior_height_mm / 2, 1.0)
        << up.level;
  }
  EXPECT_LT(vertebra(m, "L1").world_from_vertebra.translation_mm.norm(), 1e-9);  // the third of four
}

TEST(SpineModel, LumbarSpineIsLordoticAndThoracicSpineKyphotic) {
  const auto bow = [](const char* range) {  // how far the middle lies in front of the ends
    SpinePhantomOptions o;
    o.levels = parse_levels(range);
    const SpineModel m(o);
    const double first = m.vertebrae().front().world_from_vertebra.translation_mm.y();
    const double last = m.vertebrae().back().world_from_vertebra.translation_mm.y();
    return (first + last) / 2;
  };
  EXPECT_GT(bow("L1-L5"), 3);
  EXPECT_LT(bow("T5-T9"), -1);
}

TEST(SpineModel, CordLiesInTheSacInTheCanal) {
  for (const char* range : {"C4-C6", "T6-T8", "T12-L2", "L2-L4"}) {
    SpinePhantomOptions o;
    o.levels = parse_levels(range);
    const SpineModel m(o);
    for (double z = m.low_mm().z(); z < m.high_mm().z(); z += 1) {
      const SpineSection s = m.section(z);
      EXPECT_GT(s.sac_y - s.sac_b, s.canal_y - s.canal_b - 0.05) << range << " z " << z;
      EXPECT_LT(s.sac_y + s.sac_b, s.canal_y + s.canal_b + 0.3) << range << " z " << z;
      EXPECT_LT(s.sac_a, s.canal_a) << range << " z " << z;
      if (s.cord_a <= 1) continue;
      EXPECT_LT(s.cord_a, s.sac_a);
      EXPECT_GT(s.cord_y - s.cord_b, s.sac_y - s.sac_b) << range << " z " << z;
      EXPECT_LT(s.cord_y + s.cord_b, s.sac_y + s.sac_b) << range << " z " << z;
    }
  }
}

TEST(SpineModel, CordEndsAtL1L2AndCaudaFollows) {
  SpinePhantomOptions o;
  o.levels = parse_levels("T12-L3");
  const SpineModel m(o);
  const auto at_level = [&](const char* level) {
    const Eigen::Vector3d c = vertebra(m, level).world_from_vertebra.translation_mm;
    return m.at({0, m.section(c.z()).cord_a > 1 ? m.section(c.z()).cord_y : m.section(c.z()).sac_y, c.z()})
        .label;
  };
  EXPECT_EQ(at_level("T12"), value("cord"));
  EXPECT_EQ(at_level("L1"), value("cord"));
  EXPECT_EQ(at_level("L2"), value("cauda"));
  EXPECT_EQ(at_level("L3"), value("cauda"));
}

TEST(SpineModel, RootsLeaveTheSacAndPassTheForamenClearOfBone) {
  for (const char* range : {"C4-C6", "T7-T9", "L2-L4", "L5"}) {
    SpinePhantomOptions o;
    o.levels = parse_levels(range);
    const SpineModel m(o);
    EXPECT_GE(m.roots().size(), 2u * o.levels.size());
    for (const PlacedRoot& r : m.roots()) {
      const bool left = r.tube.name.ends_with("_left");
      EXPECT_EQ(r.tube.to_mm.x() > 0, left) << r.tube.name;
      for (int n = 0; n <= 40; ++n) {
        const Eigen::Vector3d x = r.tube.from_mm + (r.tube.to_mm - r.tube.from_mm) * (n / 40.0);
        for (const PlacedVertebra& v : m.vertebrae())
          EXPECT_GT(v.shape.at(v.vertebra_from_world * x).distance_mm, r.tube.radius_mm)
              << r.tube.name << " at " << n << "/40 meets " << v.shape.size().level;
      }
      const StructureValue start = m.at(r.tube.from_mm).label;
      EXPECT_TRUE(start == value("dural_sac") || start == value("cauda")) << r.tube.name;
    }
  }
}

TEST(SpineModel, LeftIsLeftAndTheBackIsBehind) {
  SpinePhantomOptions o;
  const SpineModel m(o);
  EXPECT_EQ(m.at({11, -28, 0}).label, value("aorta"));  // the aorta runs on the left
  EXPECT_EQ(m.at({-14, -27, 0}).label, value("vena_cava"));
  EXPECT_EQ(m.at({64, 2, 40}).label, value("kidney_left"));
  EXPECT_EQ(m.at({0, 104, 0}).label, 0);                    // air behind the back
  EXPECT_EQ(m.at({0, 50, 0}).label, value("vertebra_L3"));  // spinous process
  EXPECT_EQ(m.at({0, 0, 8}).label, value("vertebra_body_L3"));
  EXPECT_GT(m.lesion().centre_mm.x(), 5);
}

TEST(SpineModel, LesionKeepsItsDistanceToThePosteriorWall) {
  SpinePhantomOptions o;
  const SpineModel m(o);
  const PlacedVertebra& v = vertebra(m, "L3");
  double last = -1e9;
  for (double y = 0; y < 30; y += 0.1)
    for (double x = 0; x < 22; x += 0.5)
      for (double z = -8; z <= 8; z += 1)
        if (m.at({x, y, z}).label == value("tumour")) last = std::max(last, y);
  const double gap = v.shape.body_half(0).y() - last;
  EXPECT_EQ(m.lesion().wall_gap_mm, 7);
  EXPECT_GE(gap, 6.9);
  EXPECT_LE(gap, 9.5);
}

TEST(SpineModel, EveryLevelHasRoomForALesionOfItsSize) {
  for (const std::string& level : parse_levels("C3-L5")) {
    SpinePhantomOptions o;
    o.levels = {level};
    for (const auto place : {LesionPlace::anterior, LesionPlace::central, LesionPlace::posterior}) {
      o.lesion.place = place;
      const SpineModel m(o);
      EXPECT_GE(m.lesion().radius_mm, 3) << level;
      EXPECT_EQ(m.at(m.lesion().centre_mm + Eigen::Vector3d(2.2, 0, 0)).label, value("tumour")) << level;
    }
  }
}

TEST(SpineModel, DiscsFillTheSpaceBetweenTheBodies) {
  SpinePhantomOptions o;
  o.levels = parse_levels("T11-L4");
  const SpineModel m(o);
  for (std::size_t n = 0; n + 1 < m.vertebrae().size(); ++n) {
    const PlacedVertebra &up = m.vertebrae()[n], &low = m.vertebrae()[n + 1];
    const Eigen::Vector3d from = up.world_from_vertebra * Eigen::Vector3d(6, -4, 0),
                          to = low.world_from_vertebra * Eigen::Vector3d(6, -4, 0);
    int in_disc = 0;
    for (int k = 0; k <= 100; ++k) {
      const StructureValue label = m.at(from + (to - from) * (k / 100.0)).label;
      EXPECT_TRUE(label == up.body || label == low.body || label == up.disc_below || label == value("tumour"))
          << structure_name(up.disc_below) << " " << k << " " << structure_name(label);
      in_disc += label == up.disc_below;
    }
    EXPECT_NEAR(in_disc / 100.0 * (to - from).norm(), up.shape.size().disc_below_mm + 1.5, 1.5);
  }
}

TEST(SpineModel, RefusesALesionThatDoesNotFit) {
  SpinePhantomOptions o;
  o.levels = {"T3"};
  o.lesion.radius_mm = 9;
  EXPECT_THAT([&] { SpineModel m(o); }, ThrowsMessage<ConfigError>(HasSubstr("T3")));
}

}  // namespace
}  // namespace spinetherm
