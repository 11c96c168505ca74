// SPDX-License-Identifier: Apache-2.0
#include "planning/corridor.h"

#include <gmock/gmock.h>

#include <limits>

#include "imaging/core/error.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kCanalHalfDepth;
using testing::kCanalHalfWidth;
using testing::make_spine;
using testing::make_target;
using testing::pedicle_centre;
using testing::Spine;

double at(const Volume<float>& map, const Eigen::Vector3d& x_mm) {
  TrilinearCell cell;
  EXPECT_TRUE(cell.locate(map.grid, x_mm)) << x_mm.transpose();
  return cell(map);
}

TEST(TrilinearCell, ReproducesALinearFieldAndEndsAtTheOuterCentres) {
  Grid grid;
  grid.size = {4, 5, 6};
  grid.spacing_mm = {1, 2, 0.5};
  grid.origin_mm = {-1, 3, 10};
  Volume<float> map(grid);
  const auto field = [](const Eigen::Vector3d& x) { return 2 * x.x() - 3 * x.y() + x.z() + 7; };
  for (int k = 0; k < 6; ++k)
    for (int j = 0; j < 5; ++j)
      for (int i = 0; i < 4; ++i) map(i, j, k) = float(field(grid.to_world(i, j, k)));
  for (const Eigen::Vector3d& x : {Eigen::Vector3d(-0.3, 4.7, 11.1), Eigen::Vector3d(-1, 3, 10),
                                   Eigen::Vector3d(2, 11, 12.5), Eigen::Vector3d(2, 3, 12.2)})
    EXPECT_NEAR(at(map, x), field(x), 1e-4) << x.transpose();
  TrilinearCell cell;
  EXPECT_FALSE(cell.locate(grid, {-1.01, 5, 11}));
  EXPECT_FALSE(cell.locate(grid, {0, 11.01, 11}));
  EXPECT_FALSE(cell.locate(grid, {0, 5, std::numeric_limits<double>::quiet_NaN()}));
  grid.size = {1, 1, 1};
  EXPECT_TRUE(cell.locate(grid, grid.origin_mm));
  EXPECT_EQ(cell(Volume<float>(grid, 5)), 5);
}

TEST(CorridorMaps, DistancesAreThoseOfTheShapes) {
  const Spine spine = make_spine();
  const CorridorMaps m = corridor_maps(spine.anatomy, make_target(), spine.ct_HU);
  EXPECT_THAT(m.unknowns, IsEmpty());
  EXPECT_EQ(m.bone_name, "vertebra_L3");
  // Canal: an ellipse around the z axis.
  EXPECT_NEAR(at(m.canal_mm, {0, 0, 0}), -kCanalHalfDepth, 0.7);
  EXPECT_NEAR(at(m.canal_mm, {kCanalHalfWidth + 5, 0, -8}), 5, 0.7);
  EXPECT_NEAR(at(m.canal_mm, {0, -kCanalHalfDepth - 10, 0}), 10, 0.7);
  // Own bone: negative in the pedicle and the body, positive in the canal; the next vertebra is not own.
  EXPECT_LT(at(m.bone_mm, pedicle_centre(1)), -3);
  EXPECT_LT(at(m.bone_mm, {0, -25, 0}), -10);
  EXPECT_GT(at(m.bone_mm, {0, 0, 0}), 3);
  EXPECT_GT(at(m.bone_mm, {0, -25, testing::kVertebraPitch}), 5);
  EXPECT_LT(at(m.other_bone_mm, {0, -25, testing::kVertebraPitch}), -5);
  EXPECT_GT(at(m.other_bone_mm, {0, -25, 0}), 5);
  // Roots are exact tubes.
  const RootTube& root = spine.anatomy.roots.at(2);
  ASSERT_EQ(root.name, "root_L3_left");
  EXPECT_NEAR(at(m.roots_mm, (root.from_mm + root.to_mm) / 2), -root.radius_mm, 0.7);
  EXPECT_GT(at(m.roots_mm, {0, -30, 10}), 15);
  EXPECT_TRUE(m.implant_mm.empty()) << "no such label: no map, not a distance of zero";
}

TEST(CorridorMaps, NervesWithoutATubeCountByTheirLabel) {
  Spine spine = make_spine();
  const Eigen::Vector3d plexus(30, -20, 0);
  const Grid& grid = spine.anatomy.labels.grid;
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        if ((grid.to_world(i, j, k) - plexus).head<2>().norm() < 2)
          spine.anatomy.labels(i, j, k) = *structure_value("lumbar_plexus_left");
  const CorridorMaps m = corridor_maps(spine.anatomy, make_target(), spine.ct_HU);
  EXPECT_LT(at(m.roots_mm, plexus), 0);
  EXPECT_NEAR(at(m.roots_mm, plexus + Eigen::Vector3d(5, 0, 0)), 3, 0.7);
  const RootTube& tube = spine.anatomy.roots.front();
  EXPECT_LT(at(m.roots_mm, (tube.from_mm + tube.to_mm) / 2), 0);
}

TEST(CorridorMaps, TheGateOfASliceLiesBetweenFrontAndMiddleOfTheCanal) {
  const Spine spine = make_spine();
  const CorridorMaps m = corridor_maps(spine.anatomy, make_target(), spine.ct_HU);
  const CanalSlice* slice = m.slice_at(pedicle_centre(1).z());
  ASSERT_NE(slice, nullptr);
  EXPECT_TRUE(slice->known);
  EXPECT_NEAR(slice->front_mm, -kCanalHalfDepth, 1.1);
  EXPECT_NEAR(slice->middle_mm, 0, 0.6);
  EXPECT_NEAR(slice->centre_x_mm, 0, 0.6);
  EXPECT_EQ(m.slice_at(1e6), m.slice_at(m.near_grid().to_world(0, 0, m.near_grid().size[2] - 1).z()))
      << "beyond the end: the nearest known one";
}

TEST(CorridorMaps, TheTargetBelongsToItsBone) {
  const Spine spine = make_spine();
  const Eigen::Vector3d paraspinal(0, -48, 0);  // in front of the body
  const CorridorMaps without = corridor_maps(spine.anatomy, make_target(), spine.ct_HU);
  const CorridorMaps with = corridor_maps(spine.anatomy, make_target(paraspinal, 6), spine.ct_HU);
  EXPECT_GT(at(without.bone_mm, paraspinal), 3);
  EXPECT_LT(at(with.bone_mm, paraspinal), -4);
}

TEST(CorridorMaps, WithoutALabelOfTheLevelAllBoneIsOwn) {
  const Spine spine = make_spine();
  const CorridorMaps m = corridor_maps(spine.anatomy, make_target({9, -23, 2}, 7, "T9"), spine.ct_HU);
  EXPECT_EQ(m.bone_name, "all bone");
  EXPECT_LT(at(m.bone_mm, {0, -25, testing::kVertebraPitch}), -5);
  EXPECT_TRUE(m.other_bone_mm.empty());
}

TEST(CorridorMaps, WhatCannotBeLookedOutForIsSaid) {
  const Spine bare = make_spine({.organs = false, .roots = false});
  const CorridorMaps m = corridor_maps(bare.anatomy, make_target(), bare.ct_HU);
  EXPECT_TRUE(m.far_vessels_mm.empty());
  EXPECT_TRUE(m.far_viscera_mm.empty());
  EXPECT_TRUE(m.roots_mm.empty());
  EXPECT_THAT(m.unknowns, Contains(HasSubstr("nerve roots")));
  EXPECT_THAT(m.unknowns, Contains(HasSubstr("vessels")));
  EXPECT_THAT(m.unknowns, Contains(HasSubstr("lung, bowel, kidney")));

  Spine no_canal = make_spine({.canal = false, .content = false, .pedicles = false});
  for (auto& v : no_canal.anatomy.labels.values)
    if (is_vertebra(v)) v = 0;
  const CorridorMaps n = corridor_maps(no_canal.anatomy, make_target(), no_canal.ct_HU);
  EXPECT_TRUE(n.canal_mm.empty());
  EXPECT_EQ(n.slice_at(0), nullptr);
  EXPECT_THAT(n.unknowns, Contains(HasSubstr("canal: ")));
}

TEST(CorridorMaps, ATargetOutsideTheLabelsIsRefused) {
  const Spine spine = make_spine();
  EXPECT_THAT(
      [&] {
        corridor_maps(spine.anatomy, make_target({300, 0, 0}), spine.ct_HU);
      },
      ::testing::ThrowsMessage<ConfigError>(HasSubstr("outside the anatomy")));
}

}  // namespace
}  // namespace spinetherm
