// SPDX-License-Identifier: Apache-2.0
#include "thermal/placed_antenna.h"

#include <gtest/gtest.h>

#include "tests/thermal/antenna_fixture.h"

namespace spinetherm {
namespace {

PlacedAntenna oblique() {
  PlacedAntenna p;
  p.antenna = slot_antenna();
  p.tip_mm = {0.3, -0.2, -4.1};
  p.entry_mm = p.tip_mm + 60 * Eigen::Vector3d(0.5, 0.2, 0.84).normalized();
  return p;
}
Grid box(int cells, double spacing_mm) {
  Grid grid;
  grid.size = {cells, cells, cells};
  grid.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  grid.origin_mm = Eigen::Vector3d::Constant(-(cells - 1) / 2.0 * spacing_mm);
  return grid;
}

TEST(PlacedAntenna, KnowsWhereAPointLies) {
  PlacedAntenna p;
  p.tip_mm = {1, 2, 3};
  p.entry_mm = {1, 2, 43};
  EXPECT_NEAR(p.r_z_mm({4, 6, 10})[0], 5, 1e-12);
  EXPECT_NEAR(p.r_z_mm({4, 6, 10})[1], 7, 1e-12);
}

/// On the plane between two layers of cells.
TEST(PlacedAntenna, IsAlikeOnBothSides) {
  PlacedAntenna p;
  p.antenna = slot_antenna();
  p.tip_mm = {0, 0, -5.5};
  p.entry_mm = {0, 0, 60};
  const Grid grid = box(20, 1);
  const Volume<float> squared = squared_field(grid, p, solve_antenna(p.antenna, everywhere(kLiver)));
  for (int k = 0; k < 20; ++k)
    for (int j = 0; j < 20; ++j)
      for (int i = 0; i < 20; ++i) {
        EXPECT_NEAR(squared(i, j, k), squared(19 - i, j, k), 1e-5F * squared(i, j, k));
        EXPECT_NEAR(squared(i, j, k), squared(j, i, k), 1e-5F * squared(i, j, k));
      }
}

/// The cells take what the field gives to the box, however the antenna lies in them.
TEST(PlacedAntenna, CellsTakeWhatTissueAbsorbs) {
  const PlacedAntenna p = oblique();
  const AntennaField field = solve_antenna(p.antenna, everywhere(kLiver));
  for (const double spacing : {1.0, 0.5}) {
    const Grid grid = box(int(40 / spacing), spacing);
    const Volume<float> squared = squared_field(grid, p, field);
    double sum = 0;
    // Of a cell only the part outside the catheter counts.
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i) {
          int outside = 0;
          for (int n = 0; n < 216; ++n) {
            const auto at = [](int m) { return (m % 6 + 0.5) / 6 - 0.5; };
            const auto [r, z] =
                p.r_z_mm(grid.to_world(Eigen::Vector3d(i + at(n), j + at(n / 6), k + at(n / 36))));
            outside += z > 0 && r < p.antenna.catheter_radius_mm ? 0 : 1;
          }
          sum += double(squared(i, j, k)) * kLiver.conductivity_S_per_m / 2 * outside / 216 *
                 grid.voxel_volume_mm3() * 1e-9;
        }
    const double wanted = absorbed_in_box_W(grid, p, field);
    EXPECT_NEAR(sum, wanted, 0.02 * wanted) << spacing;
    EXPECT_GT(wanted, 0.6 * field.absorbed_W);
    EXPECT_LT(wanted, field.absorbed_W);
  }
}

TEST(PlacedAntenna, MeanAroundIsTheTissueItself) {
  const Grid grid = box(60, 1);
  const DielectricAround same = mean_around(grid, oblique(), [](std::size_t) { return kLiver; });
  for (const double r : {0.1, 3.0, 25.0, 80.0})
    for (const double z : {-40.0, 0.0, 5.0, 100.0}) {
      EXPECT_NEAR(same(r, z).relative_permittivity, kLiver.relative_permittivity, 1e-9);
      EXPECT_NEAR(same(r, z).conductivity_S_per_m, kLiver.conductivity_S_per_m, 1e-9);
    }
}

TEST(PlacedAntenna, MeanAroundSeesAShellAndAHalfSpace) {
  const Grid grid = box(60, 1);
  const PlacedAntenna p = oblique();
  const Dielectric bone{11, 0.4};
  const DielectricAround shell = mean_around(grid, p, [&](std::size_t c) {
    const auto [r, z] = p.r_z_mm(grid.to_world(int(c) % 60, int(c) / 60 % 60, int(c) / 3600));
    return r < 8 ? kLiver : bone;
  });
  EXPECT_NEAR(shell(4, 5).relative_permittivity, kLiver.relative_permittivity, 1e-9);
  EXPECT_NEAR(shell(12, 5).relative_permittivity, bone.relative_permittivity, 1e-9);
  const Eigen::Vector3d across = (p.entry_mm - p.tip_mm).unitOrthogonal();
  const DielectricAround half = mean_around(grid, p, [&](std::size_t c) {
    const Eigen::Vector3d x = grid.to_world(int(c) % 60, int(c) / 60 % 60, int(c) / 3600);
    return (x - p.tip_mm).dot(across) > 0 ? kLiver : bone;
  });
  EXPECT_NEAR(half(10, 5).relative_permittivity,
              (kLiver.relative_permittivity + bone.relative_permittivity) / 2, 2);
}

}  // namespace
}  // namespace spinetherm
