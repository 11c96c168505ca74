// SPDX-License-Identifier: Apache-2.0
#include "datasets/labelled_vertebra.h"

#include <gmock/gmock.h>

#include <cmath>

#include "datasets/spine_phantom.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A ball of a structure on voxels of `spacing_mm`.
Volume<StructureValue> ball(const char* name, double radius_mm, double spacing_mm) {
  Volume<StructureValue> out(
      box_grid(Eigen::Vector3d::Constant(-25), Eigen::Vector3d::Constant(25), spacing_mm));
  for (int k = 0; k < out.grid.size[2]; ++k)
    for (int j = 0; j < out.grid.size[1]; ++j)
      for (int i = 0; i < out.grid.size[0]; ++i)
        if (out.grid.to_world(i, j, k).norm() < radius_mm) out(i, j, k) = *structure_value(name);
  return out;
}

TEST(SmoothLabels, CoarseVoxelsOfABallBecomeABall) {
  const Grid fine = box_grid(Eigen::Vector3d::Constant(-22), Eigen::Vector3d::Constant(22), 1.0);
  const Volume<StructureValue> smooth = smooth_labels(ball("vertebra_L3", 12, 3), fine);
  double count = 0, roughest = 0;
  for (int k = 0; k < fine.size[2]; ++k)
    for (int j = 0; j < fine.size[1]; ++j)
      for (int i = 0; i < fine.size[0]; ++i) {
        const double off = fine.to_world(i, j, k).norm() - 12;
        const bool in = smooth(i, j, k) != 0;
        count += in;
        if (in != (off < 0)) roughest = std::max(roughest, std::abs(off));
      }
  EXPECT_NEAR(count / (4.0 / 3 * 3.14159265 * 12 * 12 * 12), 1, 0.08);
  EXPECT_LT(roughest, 1.5) << "steps of 3 mm voxels are gone";
}

TEST(SmoothLabels, NeighboursMeetHalfWayAndNothingIsInvented) {
  Volume<StructureValue> two(box_grid(Eigen::Vector3d::Constant(-15), Eigen::Vector3d::Constant(15), 3.0));
  const StructureValue upper = *structure_value("vertebra_L2"), lower = *structure_value("vertebra_L3");
  const Grid& g = two.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) two(i, j, k) = g.to_world(i, j, k).z() > 1 ? upper : lower;
  const Grid fine = box_grid(Eigen::Vector3d::Constant(-9), Eigen::Vector3d::Constant(9), 1.0);
  const Volume<StructureValue> smooth = smooth_labels(two, fine);
  for (int k = 0; k < fine.size[2]; ++k) {
    const double z = fine.to_world(0, 0, k).z();
    const StructureValue here = smooth(9, 9, k);
    if (std::abs(z - 1.5) > 1.01) {
      EXPECT_EQ(here, z > 1.5 ? upper : lower) << z;
    }
    EXPECT_TRUE(here == upper || here == lower || here == 0);
  }
}

TEST(LabelledVertebra, OfThePhantomHasTheSizeItWasMadeWith) {
  SpinePhantomOptions o;
  o.levels = {"L2", "L3", "L4"};
  o.lesion_level = "L2";
  o.spacing_mm = 1.5;
  o.supersample = 1;
  o.spine.spread = 0;
  const SpinePhantom p = make_spine_phantom(o);
  const LabelledVertebra v = measure_vertebra(p.anatomy, "L3");
  const VertebraSize& size = vertebra_size("L3");
  // 98 % of its voxels: within the widest, at the endplates, and not within the waist.
  const double width_mm = (size.body_width_upper_mm + size.body_width_lower_mm) / 2;
  EXPECT_LT(2 * v.half_mm.x(), width_mm + 1);
  EXPECT_GT(2 * v.half_mm.x(), 0.85 * width_mm);
  EXPECT_NEAR(2 * v.half_mm.y(), size.body_depth_upper_mm, 4);
  EXPECT_NEAR(2 * v.half_mm.z(), size.posterior_height_mm, 4);
  EXPECT_NEAR(2 * v.canal_half_width_mm, size.canal_width_mm, 4);
  const Eigen::Vector3d centre = inverse(v.vertebra_from_world) * Eigen::Vector3d::Zero();
  EXPECT_LT(centre.norm(), 3) << "the phantom's origin is the middle of L3's body";
  const Eigen::Matrix3d axes = v.vertebra_from_world.rotation.toRotationMatrix();
  EXPECT_GT(axes(0, 0), 0.97);
  EXPECT_GT(axes(1, 1), 0.9);
  ASSERT_TRUE(v.pedicles[0] && v.pedicles[1]);
  EXPECT_GT(v.pedicles[0]->x(), 8);
  EXPECT_LT(v.pedicles[1]->x(), -8);
  for (const double half : v.pedicle_half_mm) EXPECT_NEAR(2 * half, size.pedicle_width_mm, 4);

  EXPECT_THAT([&] { measure_vertebra(p.anatomy, "T5"); },
              ThrowsMessage<ConfigError>(HasSubstr("labelled as T5")));
  EXPECT_THAT([&] { measure_vertebra(p.anatomy, "sacrum"); },
              ThrowsMessage<ConfigError>(HasSubstr("C3 to L5")));
  EXPECT_THAT([&] { measure_vertebra(p.anatomy, "L5"); }, ThrowsMessage<ConfigError>(HasSubstr("L5")));
}

}  // namespace
}  // namespace spinetherm
