// SPDX-License-Identifier: Apache-2.0
#include "datasets/material_render.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/datasets/image_fixture.h"

namespace spinetherm {
namespace {

TEST(MaterialRender, PartialVolumeShowsAWallThinnerThanAVoxel) {
  // A wall of 0.3 mm between fat and muscle in the middle of a voxel of 1 mm.
  const MaterialField field = [](const Eigen::Vector3d& x) {
    return MaterialPoint{x.x() < -0.15  ? Material::fat
                         : x.x() < 0.15 ? Material::cortical_bone
                                        : Material::muscle};
  };
  const Grid g = cube(9, 1);
  const auto hu = ct_numbers();
  const auto v = render(field, at_centres(field, g), {hu}, {5, 5, 5})[0];
  const double fat = hu[Material::fat], bone = hu[Material::cortical_bone], muscle = hu[Material::muscle];
  EXPECT_NEAR(v(4, 4, 4), 0.2 * bone + 0.4 * fat + 0.4 * muscle, 1e-3);  // 5 points: one of them in the wall
  EXPECT_NEAR(v(1, 4, 4), fat, 1e-4);
  EXPECT_NEAR(v(7, 4, 4), muscle, 1e-4);
}

TEST(MaterialRender, ABallHasItsVolumeAndPlaceInEveryValueOfOnePass) {
  const Eigen::Vector3d at(-5, 2, -1);
  const MaterialField field = [&](const Eigen::Vector3d& x) {
    return MaterialPoint{(x - at).norm() < 3 ? Material::csf : Material::muscle};
  };
  const Grid g = cube(21, 1);
  MaterialValues one{}, two{};
  one[Material::csf] = 1;
  two[Material::csf] = -2;
  const auto v = render(field, at_centres(field, g), {one, two}, {4, 4, 4});
  ASSERT_EQ(v.size(), 2u);
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  double total = 0;
  for (int k = 0; k < 21; ++k)
    for (int j = 0; j < 21; ++j)
      for (int i = 0; i < 21; ++i) {
        sum += v[0](i, j, k) * g.to_world(i, j, k);
        total += v[0](i, j, k);
        ASSERT_FLOAT_EQ(v[1](i, j, k), -2 * v[0](i, j, k));
      }
  EXPECT_NEAR(total, 4.0 / 3 * 3.14159265 * 27, 1.5);
  EXPECT_LT((sum / total - at).norm(), 0.03);
}

TEST(MaterialRender, TextureAddsItsShareInsideAndAtBoundaries) {
  const MaterialField field = [](const Eigen::Vector3d& x) {
    return x.x() < 0 ? MaterialPoint{Material::trabecular_bone, 2} : MaterialPoint{Material::muscle, -1};
  };
  MaterialValues values;
  values[Material::trabecular_bone] = 100;
  values.per_texture[std::size_t(Material::trabecular_bone)] = 10;
  values[Material::muscle] = 50;
  const Grid g = cube(7, 1);
  const auto v = render(field, at_centres(field, g), {values}, {4, 1, 1})[0];
  EXPECT_NEAR(v(0, 3, 3), 120, 1e-4);
  EXPECT_NEAR(v(6, 3, 3), 50, 1e-4);
  EXPECT_NEAR(v(3, 3, 3), 85, 1e-4);  // half and half
}

TEST(MaterialRender, SamplesAlongEachAxisAsAsked) {
  // A face at a quarter of a voxel, across the third axis.
  const MaterialField field = [](const Eigen::Vector3d& x) {
    return MaterialPoint{x.z() < 0.25 ? Material::csf : Material::air};
  };
  MaterialValues one{};
  one[Material::csf] = 1;
  const Grid g = cube(5, 1);
  EXPECT_NEAR(render(field, at_centres(field, g), {one}, {1, 1, 4})[0](2, 2, 2), 0.75, 1e-6);
  EXPECT_NEAR(render(field, at_centres(field, g), {one}, {4, 4, 1})[0](2, 2, 2), 1, 1e-6);
  EXPECT_THROW(render(field, at_centres(field, g), {one}, {1, 0, 1}), ConfigError);
}

}  // namespace
}  // namespace spinetherm
