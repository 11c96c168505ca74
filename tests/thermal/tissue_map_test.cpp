// SPDX-License-Identifier: Apache-2.0
#include "thermal/tissue_map.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr auto kClasses = std::size_t(TissueClass::count_);

std::vector<Tissue> any_table() {
  std::vector<Tissue> table(kClasses);
  for (std::size_t n = 0; n < kClasses; ++n) table[n].name = std::string(kTissueClassWords[n]);
  return table;
}

Grid cube(int n, double h) {
  Grid g;
  g.size = {n, n, n};
  g.spacing_mm.setConstant(h);
  g.origin_mm.setConstant(-(n - 1) * h / 2);
  return g;
}

/// A scan of muscle, 40 mm across, and an anatomy without labels on the same grid.
struct Patient {
  Image ct;
  Anatomy anatomy;
  explicit Patient(double h = 1, float hu = 55) {
    ct.volume = Volume<float>(cube(int(std::lround(40 / h)), h), hu);
    ct.modality = Modality::ct;
    anatomy.labels = Volume<StructureValue>(ct.volume.grid);
  }
  template <class Inside>
  void paint(Inside&& inside, std::optional<float> hu, const char* name = nullptr) {
    const Grid& g = ct.volume.grid;
    for (int k = 0; k < g.size[2]; ++k)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) {
          if (!inside(g.to_world(i, j, k))) continue;
          if (hu) ct.volume(i, j, k) = *hu;
          if (name) anatomy.labels(i, j, k) = structure_value(name).value();
        }
  }
  TissueMap map(const Grid& grid, const TissueMapOptions& options = {}) {
    return make_tissue_map(ct, anatomy, grid, any_table(), options, report);
  }
  TissueMapReport report;
};

auto ball(Vector3d centre, double r) {
  return [=](const Vector3d& x) { return (x - centre).norm() < r; };
}
/// Upright cylinder, its end faces at z0 and z1.
auto drum(double x, double y, double r, double z0, double z1) {
  return [=](const Vector3d& p) { return std::hypot(p[0] - x, p[1] - y) < r && p[2] > z0 && p[2] < z1; };
}

TissueClass at(const TissueMap& map, const Vector3d& x) {
  return TissueClass(sample_nearest(map.labels, x).value());
}

TEST(TissueMap, SoftTissueIsReadFromCtNumbers) {
  Patient p;
  p.paint(ball({-8, 0, 0}, 5), -95.0F);
  p.paint(ball({8, 0, 0}, 5), -850.0F);
  p.paint(ball({0, 10, 0}, 5), -1000.0F);
  p.paint(ball({0, -10, 0}, 5), 900.0F);
  const TissueMap map = p.map(cube(36, 1));
  EXPECT_EQ(at(map, {0, 0, 0}), TissueClass::muscle);
  EXPECT_EQ(at(map, {-8, 0, 0}), TissueClass::fat);
  EXPECT_EQ(at(map, {8, 0, 0}), TissueClass::lung);
  EXPECT_EQ(at(map, {0, 10, 0}), TissueClass::air);
  EXPECT_EQ(at(map, {0, -10, 0}), TissueClass::cortical_bone);
  EXPECT_EQ(p.report.out_of_field_fraction, 0);
}

TEST(TissueMap, BoneIsGradedByCtNumber) {
  Patient p;
  const std::array<float, 5> hu = {20, 130, 270, 500, 900};
  for (std::size_t n = 0; n < 5; ++n)
    p.paint([&](const Vector3d& x) { return std::abs(x[0] - (6.0 * double(n) - 12)) < 3; }, hu[n],
            "vertebra_L3");
  const TissueMap map = p.map(cube(30, 1));
  EXPECT_EQ(at(map, {-12, 0, 0}), TissueClass::cancellous_bone_0);
  EXPECT_EQ(at(map, {-6, 0, 0}), TissueClass::cancellous_bone_1);
  EXPECT_EQ(at(map, {0, 0, 0}), TissueClass::cancellous_bone_2);
  EXPECT_EQ(at(map, {6, 0, 0}), TissueClass::cancellous_bone_3);
  EXPECT_EQ(at(map, {12, 0, 0}), TissueClass::cortical_bone);
}

TEST(TissueMap, TheShellOfAVertebraIsCorticalEvenInThickVoxels) {
  for (const double h : {1.0, 3.0}) {
    Patient p(h);
    // A wall of 0.3 mm and 1200 HU in the outermost voxel, beside marrow of 150 and muscle of 55.
    const float shell = h < 2 ? 430 : 215;
    p.paint(ball({0, 0, 0}, 14), shell, "vertebra_body_L3");
    p.paint(ball({0, 0, 0}, 14 - 1.2 * h), 150.0F);
    const TissueMap map = p.map(cube(36, 1));
    EXPECT_EQ(at(map, {0, 0, 0}), TissueClass::cancellous_bone_1) << h;
    int cortical = 0, outermost = 0;
    for (int angle = 0; angle < 360; angle += 5) {
      const Vector3d out(std::cos(angle * M_PI / 180), std::sin(angle * M_PI / 180), 0);
      for (double r = 17; r > 8; r -= 0.25) {
        const TissueClass c = at(map, r * out);
        if (c == TissueClass::muscle) continue;
        ++outermost;
        cortical += c == TissueClass::cortical_bone;
        break;
      }
    }
    EXPECT_GT(cortical, 0.6 * outermost) << h;
  }
}

TEST(TissueMap, MarrowIsFoundWithoutLabels) {
  Patient p;
  p.paint(ball({0, 0, 0}, 13), 600.0F);
  p.paint(ball({0, 0, 0}, 11), 140.0F);
  const TissueMap map = p.map(cube(38, 1));
  EXPECT_EQ(at(map, {9, 0, 0}), TissueClass::cancellous_bone_1);
  EXPECT_EQ(at(map, {5, 0, 0}), TissueClass::cancellous_bone_1);
  EXPECT_EQ(at(map, {18, 0, 0}), TissueClass::muscle);
  EXPECT_THAT(p.report.warnings, Contains(HasSubstr("no bone is labelled")));
}

TEST(TissueMap, CanalHoldsFatSacAndCord) {
  Patient p;
  p.paint(drum(0, 0, 10, -30, 30), 15.0F, "canal");
  p.paint(drum(0, 0, 8, -30, 30), std::nullopt, "dural_sac");
  p.paint(drum(0, 0, 5, -30, 30), 35.0F, "cord");
  const TissueMap map = p.map(cube(30, 1));
  EXPECT_EQ(at(map, {9, 0, 0}), TissueClass::epidural_fat);
  EXPECT_EQ(at(map, {6.5, 0, 0}), TissueClass::csf);
  EXPECT_EQ(at(map, {0, 0, 0}), TissueClass::cord);
}

TEST(TissueMap, ACanalWithoutASacIsReadFromCtNumbers) {
  Patient p;
  p.paint(drum(0, 0, 10, -30, 30), 15.0F, "canal");
  p.paint([](const Vector3d& x) { return std::hypot(x[0], x[1]) < 10 && x[1] > 5; }, -90.0F);
  const TissueMap map = p.map(cube(30, 1));
  EXPECT_EQ(at(map, {0, 0, 0}), TissueClass::csf);
  EXPECT_EQ(at(map, {0, 8, 0}), TissueClass::epidural_fat);
  EXPECT_THAT(p.report.warnings, Contains(HasSubstr("no dural sac")));
}

TEST(TissueMap, ACordAloneHasCsfAround) {
  Patient p;
  p.paint(drum(0, 0, 5, -30, 30), 35.0F, "cord");
  const TissueMap map = p.map(cube(30, 1));
  EXPECT_EQ(at(map, {7, 0, 0}), TissueClass::csf);
  EXPECT_EQ(at(map, {12, 0, 0}), TissueClass::muscle);
  EXPECT_THAT(p.report.warnings, Contains(HasSubstr("within 4 mm of the cord")));
}

TEST(TissueMap, TheGapBetweenVertebraeIsDiscInFrontOfTheCanalOnly) {
  Patient p;
  p.paint(drum(0, -6, 9, 4, 20), 150.0F, "vertebra_body_L3");
  p.paint(drum(0, -6, 9, -20, -4), 150.0F, "vertebra_body_L4");
  p.paint(drum(0, -6, 9, -4, 4), 90.0F);
  p.paint(drum(0, 8, 4, -20, 20), 15.0F, "canal");
  p.paint(drum(0, 15, 3, 4, 20), 150.0F, "vertebra_L3");
  p.paint(drum(0, 15, 3, -20, -4), 150.0F, "vertebra_L4");
  const TissueMap map = p.map(cube(38, 1));
  EXPECT_EQ(at(map, {0, -6, 0}), TissueClass::disc);
  EXPECT_EQ(at(map, {0, 15, 0}), TissueClass::muscle);  // ligament between spinous processes
  EXPECT_EQ(at(map, {0, -6, 10}), TissueClass::cancellous_bone_1);
}

TEST(TissueMap, RootsGiveWayToBoneAndToTheSac) {
  Patient p;
  p.paint([](const Vector3d& x) { return x[0] > 8 && x[0] < 12; }, 600.0F, "vertebra_L3");
  p.paint(drum(0, 0, 5, -30, 30), 15.0F, "dural_sac");
  p.anatomy.roots = {{"root_L3_left", {0, 0, 0}, {18, 0, 0}, 1.5},
                     {"root_L4_left", {0, 0, 9}, {18, 0, 9}, 0.3}};
  const TissueMap map = p.map(cube(38, 1));
  EXPECT_EQ(at(map, {7, 0, 0}), TissueClass::nerve);
  EXPECT_EQ(at(map, {15, 0, 0}), TissueClass::nerve);
  EXPECT_EQ(at(map, {10, 0, 0}), TissueClass::cancellous_bone_3);
  EXPECT_EQ(at(map, {2, 0, 0}), TissueClass::csf);
  EXPECT_EQ(at(map, {15, 0, 9}), TissueClass::muscle);
  EXPECT_THAT(p.report.warnings, Contains(HasSubstr("1 nerve roots are thinner")));
}

TEST(TissueMap, TheTargetIsTumourOfItsKindAndNeverCord) {
  Patient p;
  p.paint(drum(0, 8, 5, -30, 30), 35.0F, "cord");
  p.paint(ball({0, -4, 0}, 10), 480.0F);
  Volume<std::uint8_t> mask(cube(40, 1));
  for (int k = 0; k < 40; ++k)
    for (int j = 0; j < 40; ++j)
      for (int i = 0; i < 40; ++i)
        mask(i, j, k) = (mask.grid.to_world(i, j, k) - Vector3d(0, -1, 0)).norm() < 8;
  TissueMapOptions options;
  options.target = &mask;
  options.target_kind = "lytic";
  TissueMap map = p.map(cube(36, 1), options);
  EXPECT_EQ(at(map, {0, -4, 0}), TissueClass::tumour_lytic);
  EXPECT_EQ(at(map, {0, 5, 0}), TissueClass::cord);
  EXPECT_EQ(p.report.target_tissue, TissueClass::tumour_lytic);
  options.target_kind.clear();
  map = p.map(cube(36, 1), options);
  EXPECT_EQ(p.report.target_tissue, TissueClass::tumour_blastic);
  EXPECT_GT(p.report.target_mean_HU.value(), 330);
  EXPECT_THAT(p.report.warnings, Contains(HasSubstr("kind of the tumour is not given")));
}

TEST(TissueMap, MetalIsReportedWithVolumeAndDistance) {
  Patient p;
  p.paint(ball({10, 0, 0}, 3), 3071.0F);
  TissueMapOptions options;
  options.heat_centres_mm = {{0, 0, 0}, {-5, 0, 0}};
  const TissueMap map = p.map(cube(36, 1), options);
  EXPECT_EQ(at(map, {10, 0, 0}), TissueClass::metal);
  EXPECT_NEAR(p.report.metal_ml, 4.0 / 3 * M_PI * 0.027, 0.03);
  EXPECT_NEAR(p.report.metal_distance_mm.value(), 7, 1);
}

TEST(TissueMap, WhatWasNotImagedIsUnknownAndCounted) {
  Patient p;
  p.paint([](const Vector3d& x) { return x[1] > 12; }, -2000.0F);  // a scanner's padding
  TissueMapOptions options;
  options.heat_centres_mm = {{0, 0, 0}};
  const TissueMap map = p.map(cube(60, 1), options);
  EXPECT_EQ(at(map, {0, 15, 0}), TissueClass::unknown);
  EXPECT_EQ(at(map, {25, 0, 0}), TissueClass::unknown);
  EXPECT_EQ(at(map, {0, 0, 0}), TissueClass::muscle);
  EXPECT_NEAR(p.report.out_of_field_fraction, 1 - 40.0 * 32 * 40 / (60.0 * 60 * 60), 0.02);
  EXPECT_NEAR(p.report.out_of_field_distance_mm.value(), 12, 1);
  EXPECT_FALSE(p.report.metal_distance_mm);
}

TEST(TissueMap, TheReportAddsUpToTheBox) {
  Patient p;
  p.paint(ball({0, 0, 0}, 10), 300.0F, "vertebra_L3");
  p.map(cube(30, 1));
  double sum = 0;
  for (const TissueShare& s : p.report.tissues) sum += s.volume_ml;
  EXPECT_NEAR(sum, 27, 1e-9);
  const auto bone = std::ranges::find(p.report.tissues, TissueClass::cancellous_bone_2, &TissueShare::tissue);
  ASSERT_NE(bone, p.report.tissues.end());
  EXPECT_NEAR(bone->mean_HU.value(), 300, 1);
}

TEST(TissueMap, AScanInUnusualAxesGivesTheSameTissues) {
  Patient p;
  p.paint(ball({5, -3, 2}, 6), 500.0F, "vertebra_L3");
  const TissueMap straight = p.map(cube(30, 1));
  // The same voxels with i running down and k to the back.
  Patient turned;
  Grid& g = turned.ct.volume.grid;
  g.direction.col(0) = -Vector3d::UnitZ();
  g.direction.col(1) = Vector3d::UnitX();
  g.direction.col(2) = Vector3d::UnitY();
  g.origin_mm = -(g.direction * Vector3d::Constant(19.5));
  turned.anatomy.labels.grid = g;
  turned.paint(ball({5, -3, 2}, 6), 500.0F, "vertebra_L3");
  EXPECT_EQ(turned.map(cube(30, 1)), straight);
}

TEST(TissueMap, BadInputIsRefused) {
  Patient p;
  Grid far = cube(20, 1);
  far.origin_mm += Vector3d(500, 0, 0);
  EXPECT_THAT([&] { p.map(far); }, ThrowsMessage<ConfigError>(HasSubstr("does not meet the scan")));
  TissueMapOptions options;
  options.target_kind = "liver";
  EXPECT_THAT([&] { p.map(cube(20, 1), options); }, ThrowsMessage<ConfigError>(HasSubstr("'liver'")));
  options = {};
  options.fat_below_HU = 500;
  EXPECT_THAT([&] { p.map(cube(20, 1), options); }, ThrowsMessage<ConfigError>(HasSubstr("must ascend")));
  EXPECT_THROW(make_tissue_map(p.ct, p.anatomy, cube(20, 1), {}, {}, p.report), ConfigError);
  p.ct.modality = Modality::mr_t2;
  EXPECT_THAT([&] { p.map(cube(20, 1)); }, ThrowsMessage<ConfigError>(HasSubstr("MR T2")));
}

TEST(ThermalGrid, CoversActivePartsSensorsAndTarget) {
  Device d;
  d.poles = {{0, 10, 1.5, 1}};
  d.sensors = {{"far", 15, 0}};
  const Applicator a = {.device = "x", .entry_mm = {0, 80, 0}, .tip_mm = {0, -5, 0}};
  const Grid grid = thermal_grid({a}, {d}, {4, 0, 3}, 0.5, 20);
  for (const Vector3d& x : {Vector3d(0, -24.9, 0), Vector3d(0, 29.9, 0), Vector3d(23.9, 0, 22.9)})
    EXPECT_TRUE(grid.covers(x)) << x.transpose();
  EXPECT_FALSE(grid.covers({0, 32, 0}));
  EXPECT_EQ(grid.spacing_mm, Vector3d::Constant(0.5));
  EXPECT_THROW(thermal_grid({a}, {d}, {0, 0, 0}, -1, 20), ConfigError);
  EXPECT_THROW(thermal_grid({a}, {}, {0, 0, 0}, 1, 20), ConfigError);
}

}  // namespace
}  // namespace spinetherm
