// SPDX-License-Identifier: Apache-2.0
#include "datasets/level_measures.h"

#include <gmock/gmock.h>

#include "datasets/solid.h"
#include "imaging/core/anatomy.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

constexpr double kWidth_mm = 44, kDepth_mm = 34, kHeight_mm = 26, kCanalWidth_mm = 24, kCanalDepth_mm = 17,
                 kCordWidth_mm = 10, kCordDepth_mm = 7, kCanal_y = 28;

/// A body of L3, an elliptic cylinder that leans forwards, with canal and cord behind it.
Volume<StructureValue> leaning(double lean_deg, double lowest_z = -30) {
  Volume<StructureValue> out(box_grid(Eigen::Vector3d(-35, -35, lowest_z), Eigen::Vector3d(35, 50, 30), 1.0));
  const Eigen::AngleAxisd turn(lean_deg * 3.14159265 / 180, Eigen::Vector3d::UnitX());
  for (int k = 0; k < out.grid.size[2]; ++k)
    for (int j = 0; j < out.grid.size[1]; ++j)
      for (int i = 0; i < out.grid.size[0]; ++i) {
        const Eigen::Vector3d p = turn * out.grid.to_world(i, j, k);
        if (std::abs(p.z()) < kHeight_mm / 2 && in_ellipse(p.x(), p.y(), kWidth_mm / 2, kDepth_mm / 2))
          out(i, j, k) = *structure_value("vertebra_body_T12");
        else if (in_ellipse(p.x(), p.y() - kCanal_y, kCordWidth_mm / 2, kCordDepth_mm / 2))
          out(i, j, k) = *structure_value("cord");
        else if (in_ellipse(p.x(), p.y() - kCanal_y, kCanalWidth_mm / 2, kCanalDepth_mm / 2))
          out(i, j, k) = *structure_value("dural_sac");
      }
  return out;
}

TEST(LevelMeasures, AreThoseOfTheSolidsUprightOrLeaning) {
  VertebraSize size;
  size.level = "T12";
  size.body_width_upper_mm = size.body_width_lower_mm = kWidth_mm;
  size.body_depth_upper_mm = size.body_depth_lower_mm = kDepth_mm;
  size.posterior_height_mm = kHeight_mm;
  size.canal_width_mm = kCanalWidth_mm;
  size.canal_depth_mm = kCanalDepth_mm;
  size.cord_width_mm = kCordWidth_mm;
  size.cord_depth_mm = kCordDepth_mm;
  const LevelMeasures expected = expected_measures(size);
  for (const double lean_deg : {0.0, 12.0}) {
    const auto measured = measure_levels(leaning(lean_deg));
    ASSERT_EQ(measured.size(), 1U);
    EXPECT_EQ(measured[0].level, "T12");
    for (const LevelMeasure& m : level_measure_list()) {
      const double waist = m.member == &LevelMeasures::body_ml ? 0.88 : 1;  // which this body has not
      EXPECT_NEAR(measured[0].*m.member / (expected.*m.member), 1 / waist, 0.07)
          << m.name << " at " << lean_deg;
    }
  }
}

TEST(LevelMeasures, LevelsThatAreCutOrHoldTumourDoNotCount) {
  EXPECT_TRUE(measure_levels(leaning(0, -5)).empty());
  Volume<StructureValue> ill = leaning(0);
  const auto [i, j, k] = ill.grid.nearest(Eigen::Vector3d(5, 5, 0));
  ill(i, j, k) = *structure_value("tumour");
  EXPECT_TRUE(measure_levels(ill).empty());
}

TEST(LevelMeasures, ATurnedGridIsRefused) {
  Volume<StructureValue> turned = leaning(0);
  turned.grid.direction = Eigen::AngleAxisd(0.2, Eigen::Vector3d::UnitZ()).toRotationMatrix();
  EXPECT_THROW(measure_levels(turned), ConfigError);
}

}  // namespace
}  // namespace spinetherm
