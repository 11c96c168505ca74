// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator_geometry.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

Volume<std::uint8_t> cube(int n, double h) {
  Grid g;
  g.size = {n, n, n};
  g.spacing_mm.setConstant(h);
  g.origin_mm.setConstant(-(n - 1) * h / 2);
  return Volume<std::uint8_t>(g, 0);
}
Region outside(const Region& inside) { return {Outside{std::make_shared<const Region>(inside)}}; }

TEST(WallProfile, IsTheIntegralOfItsDefinition) {
  for (const auto& [k1, k2] : std::vector<std::array<double, 2>>{
           {0, 0}, {0.5, 0}, {0.5, 0.5}, {1.3, 0.2}, {-0.3, 0}, {-0.2, -0.2}, {0.7, -0.4}})
    for (const double d : {-0.3, 0.001, 0.4, 1.7}) {
      double sum = 0;  // by the midpoint rule
      const int n = 20000;
      for (int i = 0; i < n; ++i) {
        const double s = d * (i + 0.5) / n;
        sum += d / n / ((1 + k1 * s) * (1 + k2 * s));
      }
      EXPECT_NEAR(wall_profile_mm(k1, k2, d), sum, 1e-7) << k1 << " " << k2 << " " << d;
    }
}

TEST(WallProfile, IsContinuousWhereTheCurvaturesAgree) {
  for (const double d : {-0.2, 0.3, 2.0})
    for (const double k : {-0.2, 0.6})
      for (const double apart : {1e-9, 1e-7, 1e-6, 1e-5})
        EXPECT_NEAR(wall_profile_mm(k, k * (1 + apart), d), wall_profile_mm(k, k, d), 1e-4);
}

TEST(Curvatures, OfEveryShape) {
  const auto near = [](const Region& r, const Vector3d& x, double first, double second) {
    const auto [a, b] = curvatures_per_mm(r, x);
    EXPECT_NEAR(std::max(a, b), std::max(first, second), 1e-4);
    EXPECT_NEAR(std::min(a, b), std::min(first, second), 1e-4);
  };
  near({Sphere{{1, 2, 3}, 2}}, {4, 4, 4}, 0.5, 0.5);
  const Region capsule{Capsule{{0, 0, -3}, {0, 0, 3}, 0.8}};
  near(capsule, {2, 0, 1}, 1.25, 0);
  near(capsule, {0.4, 0, 4}, 1.25, 1.25);
  const Region cylinder{Cylinder{{0, 0, -3}, {0, 0, 3}, 0.8}};
  near(cylinder, {0, 1.1, 2}, 1.25, 0);
  near(cylinder, {0.1, 0.2, 3.5}, 0, 0);
  const Region prolate{Prolate{{0, 0, 0}, {0, 0, 1}, 5, 2}};
  near(prolate, {0, 0, 6}, 5. / 4, 5. / 4);   // at the pole a/b^2
  near(prolate, {3, 0, 0}, 1. / 2, 2. / 25);  // at the equator 1/b and b/a^2
  near({Box{{-1, -1, -1}, {1, 1, 1}}}, {0, 0, 2}, 0, 0);
  near(outside({Sphere{{0, 0, 0}, 4}}), {1, 1, 1}, -0.25, -0.25);
}

/// Sub-cell positions of a body in cells of 1 mm.
std::vector<Vector3d> positions() {
  return {{0, 0, 0}, {0.5, 0.5, 0.5}, {0.5, 0, 0.25}, {0.13, -0.31, 0.44}};
}

TEST(HeldBodies, TakeTheCellsTheyHoldOrNearlyTouch) {
  const auto labels = cube(13, 1);
  for (const Vector3d& x : positions()) {
    const Region ball{Sphere{x, 3.2}};
    const BodyLinks links = link_bodies(labels, {{ball, 0}}, false);
    ASSERT_EQ(links.owner.size(), labels.grid.count());
    for (int k = 0; k < 13; ++k)
      for (int j = 0; j < 13; ++j)
        for (int i = 0; i < 13; ++i) {
          const double d = signed_distance_mm(ball, labels.grid.to_world(i, j, k));
          EXPECT_EQ(links.owner[labels.grid.index(i, j, k)] != 0, d <= 0.25) << d;
        }
    for (const BodyLinks::Wall& w : links.walls) {
      EXPECT_EQ(links.owner[w.cell], 0);
      EXPECT_GT(w.conductance_per_m2, 0);
    }
  }
}

/// Sum of the heat that wall cells take from a wall 1 K warmer than all the tissue, per conductivity [m].
double uptake_m(const BodyLinks& links, const Grid& g) {
  double sum = 0;
  for (const BodyLinks::Wall& w : links.walls) sum += w.conductance_per_m2 * g.voxel_volume_mm3() * 1e-9;
  return sum;
}

TEST(HeldBodies, VoxelWallsLieOnTheFacesOfWholeCells) {
  const auto labels = cube(11, 1);
  const BodyLinks links = link_bodies(labels, {{{Box{{-1.2, -1.2, -1.2}, {1.2, 1.2, 1.2}}}, 0}}, true);
  EXPECT_EQ(std::count_if(links.owner.begin(), links.owner.end(), [](auto o) { return o != 0; }), 27);
  // 54 faces of 1 mm2, half a millimetre from the centres.
  EXPECT_EQ(links.walls.size(), 54U);
  EXPECT_NEAR(uptake_m(links, labels.grid), 54 * 1e-6 / 0.5e-3, 1e-9);
}

TEST(HeldBodies, AFlatWallIsAsFarAsItLies) {
  const auto labels = cube(11, 1);
  // The centres nearest to it are at 2 mm, those that it takes at 1 mm and below (or within a quarter).
  for (const double face : {1.0, 1.2, 1.5, 1.7}) {
    const BodyLinks links = link_bodies(labels, {{{Box{{-9, -9, -9}, {face, 9, 9}}}, 0}}, false);
    ASSERT_EQ(links.walls.size(), 121U) << face;
    for (const BodyLinks::Wall& w : links.walls)
      EXPECT_NEAR(w.conductance_per_m2, 1e6 / (2 - face), 1) << face;
  }
}

TEST(HeldBodies, AreLinkedAlikeOnAllSidesOfASymmetricBody) {
  const auto labels = cube(12, 1);
  const BodyLinks links = link_bodies(labels, {{{Sphere{{0, 0, 0}, 2.9}}, 0}}, false);
  const auto& g = labels.grid;
  std::vector<double> conductance(g.count(), 0);
  for (const BodyLinks::Wall& w : links.walls) conductance[w.cell] += w.conductance_per_m2;
  for (int k = 0; k < 12; ++k)
    for (int j = 0; j < 12; ++j)
      for (int i = 0; i < 12; ++i) {
        const double c = conductance[g.index(i, j, k)];
        for (const std::size_t image :
             {g.index(11 - i, j, k), g.index(i, 11 - j, k), g.index(i, j, 11 - k), g.index(j, k, i)})
          EXPECT_NEAR(conductance[image], c, 1e-6 * std::abs(c));
      }
}

TEST(HeldBodies, AThinNeedleIsNeverLost) {
  const auto labels = cube(11, 1);
  for (const Vector3d& x : positions()) {
    const Region needle{Capsule{x + Vector3d(0, 0, -3), x + Vector3d(0, 0, 3), 0.2}};
    const BodyLinks links = link_bodies(labels, {{needle, 0}}, false);
    for (int k = 3; k <= 7; ++k) {  // every plane that it crosses
      bool found = false;
      for (std::size_t c = labels.grid.index(0, 0, k); c < labels.grid.index(0, 0, k + 1); ++c)
        found = found || links.owner[c] != 0;
      EXPECT_TRUE(found) << x.transpose() << " plane " << k;
    }
    EXPECT_FALSE(links.walls.empty());
  }
}

TEST(HeldBodies, TheFirstOfTwoThatOverlapOwnsTheCells) {
  const auto labels = cube(11, 1);
  const BodyLinks links =
      link_bodies(labels, {{{Sphere{{0, 0, 0}, 2}}, 0}, {{Sphere{{1, 0, 0}, 3}}, 1}}, false);
  EXPECT_EQ(links.owner[labels.grid.index(5, 5, 5)], 1);
  EXPECT_EQ(links.owner[labels.grid.index(8, 5, 5)], 2);
  EXPECT_TRUE(link_bodies(labels, {}, false).owner.empty());
  EXPECT_TRUE(link_bodies(labels, {{{Sphere{{99, 0, 0}, 2}}, 0}}, false).owner.empty());
}

TEST(ClosedBodies, OpenWhatTheyDoNotCoverOnBothSidesOfAFace) {
  const auto labels = cube(13, 1);
  const auto& g = labels.grid;
  const std::array<std::size_t, 3> stride{1, 13, 169};
  for (const Vector3d& x : positions()) {
    const Region ball{Sphere{x, 3.2}};
    const BodyLinks links = link_bodies(labels, {{ball, -1}}, false);
    EXPECT_TRUE(links.walls.empty());
    for (const BodyLinks::Face& f : links.faces) {
      EXPECT_EQ(links.owner[f.cell], 0);
      const std::size_t s = stride[std::size_t(f.axis)], q = f.side > 0 ? f.cell + s : f.cell - s;
      if (links.owner[q] != 0) {
        EXPECT_EQ(f.open, 0);
        continue;
      }
      const auto back = std::find_if(links.faces.begin(), links.faces.end(), [&](const BodyLinks::Face& b) {
        return b.cell == q && b.axis == f.axis && b.side == -f.side;
      });
      ASSERT_NE(back, links.faces.end());
      EXPECT_NEAR(back->open, f.open, 1e-12);
      EXPECT_GE(f.open, 0);
      EXPECT_LT(f.open, 1);
    }
    for (std::size_t c = 0; c < g.count(); ++c) {
      const Vector3d at = g.to_world(int(c % 13), int(c / 13 % 13), int(c / 169));
      EXPECT_EQ(links.owner[c] != 0, contains(ball, at));
    }
  }
}

TEST(ClosedBodies, ASheetThinnerThanACellClosesTheFacesItLiesOn) {
  const auto labels = cube(9, 1);
  const BodyLinks links = link_bodies(labels, {{{Box{{0.4, -9, -9}, {0.6, 9, 9}}}, -1}}, false);
  EXPECT_TRUE(links.owner.empty());
  int closed = 0;
  for (const BodyLinks::Face& f : links.faces) {
    if (f.axis == 0) ++closed;
    // It covers all of the faces at 0.5 mm, and a tenth of those that it crosses.
    EXPECT_NEAR(f.open, f.axis == 0 ? 0 : 0.9, 1e-9);
  }
  EXPECT_EQ(closed, 2 * 81);
}

}  // namespace
}  // namespace spinetherm
