// SPDX-License-Identifier: Apache-2.0
#include "thermal/iso_zone.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;

Grid grid_of(std::array<int, 3> size, const Vector3d& spacing_mm, const Vector3d& origin_mm = {0, 0, 0}) {
  Grid g;
  g.size = size;
  g.spacing_mm = spacing_mm;
  g.origin_mm = origin_mm;
  return g;
}
/// Centred on the origin.
Grid cube(int n, double h) { return grid_of({n, n, n}, {h, h, h}, Vector3d::Constant(-(n - 1) * h / 2)); }

template <class Field>
std::vector<float> values_of(const Grid& g, const Field& field) {
  std::vector<float> v;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) v.push_back(float(field(g.to_world(i, j, k))));
  return v;
}
template <class Field>
Zone zone_of(const Grid& g, const Field& field, double level = 0, const IsoOptions& options = {}) {
  return iso_zone(g, values_of(g, field), level, options, {});
}
/// Distance by which a point lies inside a sphere.
auto ball(const Vector3d& centre, double radius) {
  return [=](const Vector3d& x) { return radius - (x - centre).norm(); };
}
double ball_ml(double radius_mm) { return 4 * kPi / 3 * radius_mm * radius_mm * radius_mm * 1e-3; }

TEST(IsoZone, AHalfSpaceIsExactWhereverItsFaceLies) {
  const Grid g = grid_of({12, 9, 7}, {0.5, 1, 2}, {3, -2, 1});
  for (const double at : {3.3, 4.0, 5.51, 8.2}) {
    const Zone z = zone_of(g, [&](const Vector3d& x) { return at - x[0]; });
    EXPECT_NEAR(z.volume_ml, (at - 2.75) * 9 * 14 * 1e-3, 1e-6);
    EXPECT_NEAR(z.extent_mm[0], at - 2.75, 1e-5);
    EXPECT_NEAR(z.extent_mm[1], 9, 1e-12);
    EXPECT_NEAR(z.extent_mm[2], 14, 1e-12);
    EXPECT_TRUE(z.touches_box);
  }
}

TEST(IsoZone, ATiltedPlaneIsExactToo) {
  // Away from the outer half cells, where the field is held constant: a thick slab between two planes.
  const Grid g = cube(24, 1);
  const Vector3d n = Vector3d(1, 0.7, -0.4).normalized();
  const auto above = [&](double d) {
    return zone_of(g, [&](const Vector3d& x) { return x.dot(n) - d; }).volume_ml;
  };
  EXPECT_NEAR(above(0), 24. * 24 * 24 / 2 * 1e-3, 1e-5);  // through the middle: half of the box
  EXPECT_NEAR(above(-2.3) + above(2.3), 24. * 24 * 24 * 1e-3, 1e-4);
}

TEST(IsoZone, SpheresBetweenCellCentresConvergeWithTheSquareOfTheSpacing) {
  std::vector<double> volume_error, extent_error;
  for (const double h : {1.0, 0.5, 0.25}) {
    const Grid g = cube(int(12 / h), h);
    double volume = 0, extent = 0;
    for (const Vector3d& centre :
         {Vector3d(0, 0, 0), Vector3d(0.13, -0.31, 0.22), Vector3d(0.5, 0.5, 0.25)}) {
      const Zone z = zone_of(g, ball(centre, 3.7));
      volume = std::max(volume, std::abs(z.volume_ml / ball_ml(3.7) - 1));
      extent = std::max(extent, (z.extent_mm - Vector3d::Constant(7.4)).cwiseAbs().maxCoeff());
      EXPECT_FALSE(z.touches_box);
    }
    volume_error.push_back(volume);
    extent_error.push_back(extent);
  }
  EXPECT_LT(volume_error[1], 0.02);
  EXPECT_LT(extent_error[1], 0.1);
  for (const auto& error : {volume_error, extent_error})
    EXPECT_NEAR(std::log2(error[0] / error[2]) / 2, 2, 0.5) << error[0] << " " << error[1] << " " << error[2];
  EXPECT_NEAR(std::log2(volume_error[1] / volume_error[2]), 2, 0.25);
}

TEST(IsoZone, BoxesBetweenCellCentres) {
  const Vector3d low(-2.2, -1.4, -3.1), high(1.7, 2.9, 2.6);
  const auto field = [&](const Vector3d& x) { return std::min((x - low).minCoeff(), (high - x).minCoeff()); };
  const Zone z = zone_of(cube(40, 0.25), field);
  EXPECT_NEAR(z.volume_ml / ((high - low).prod() * 1e-3), 1, 0.01);
  EXPECT_LT((z.extent_mm - (high - low)).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(IsoZone, BelowIsTheRestOfAbove) {
  const Grid g = cube(15, 1);
  const auto field = ball({0.3, 0.1, -0.2}, 4.4);
  const double above = zone_of(g, field).volume_ml;
  const double below = zone_of(g, field, 0, {IsoSide::below, false}).volume_ml;
  EXPECT_NEAR(above + below, 15. * 15 * 15 * 1e-3, 1e-9);
}

TEST(IsoZone, AMirroredFieldHasTheMirroredZone) {
  const Grid g = grid_of({13, 14, 12}, {1, 0.8, 1.1}, {-6, -5.2, -6.05});
  const auto lopsided = [](const Vector3d& x) {
    return 3.3 - (x - Vector3d(0.4, -0.7, 0.2)).norm() + 0.3 * std::sin(x[0] + 2 * x[1] - x[2]);
  };
  const Zone original = zone_of(g, lopsided);
  for (int axis = 0; axis < 3; ++axis) {
    const Zone z = zone_of(g, [&](Vector3d x) {
      x[axis] = -x[axis];
      return lopsided(x);
    });
    EXPECT_NEAR(z.volume_ml / original.volume_ml, 1, 1e-6);
    EXPECT_LT((z.extent_mm - original.extent_mm).cwiseAbs().maxCoeff(), 1e-5);
  }
}

TEST(IsoZone, WithoutCrossingItIsAllOrNothing) {
  const Grid g = cube(5, 1);
  const Zone none = zone_of(g, [](const Vector3d&) { return -1; });
  EXPECT_EQ(none.volume_ml, 0);
  EXPECT_EQ(none.extent_mm.norm(), 0);
  EXPECT_FALSE(none.touches_box);
  const Zone all = zone_of(g, [](const Vector3d&) { return 1; });
  EXPECT_DOUBLE_EQ(all.volume_ml, 0.125);
  EXPECT_EQ(all.extent_mm, Vector3d(5, 5, 5));
  EXPECT_TRUE(all.touches_box);
  const Zone flat = zone_of(grid_of({1, 1, 1}, {1, 2, 3}), [](const Vector3d&) { return 1; });
  EXPECT_DOUBLE_EQ(flat.volume_ml, 0.006);
}

TEST(IsoZone, TellsThatItTouchesTheBox) {
  EXPECT_FALSE(zone_of(cube(11, 1), ball({0, 0, 0}, 4.9)).touches_box);
  EXPECT_TRUE(zone_of(cube(11, 1), ball({0.2, 0, 0}, 4.9)).touches_box);
  EXPECT_TRUE(zone_of(cube(11, 1), ball({0, 0, -3}, 2.5)).touches_box);
}

TEST(IsoZone, NaNIsNotInTheZone) {
  const Grid g = cube(11, 1);
  auto v = values_of(g, [](const Vector3d&) { return 1; });
  for (int k = 0; k < 11; ++k)
    for (int j = 0; j < 11; ++j)
      for (int i = 6; i < 11; ++i) v[g.index(i, j, k)] = NAN;
  for (const IsoSide side : {IsoSide::above, IsoSide::below})
    for (const bool logarithmic : {false, true}) {
      const Zone z = iso_zone(g, v, side == IsoSide::above ? 0.5 : 1.5, {side, logarithmic}, {});
      EXPECT_GE(z.volume_ml, 5.5 * 121 * 1e-3 - 1e-6);
      EXPECT_LE(z.volume_ml, 6.5 * 121 * 1e-3 + 1e-6);
      EXPECT_GE(z.extent_mm[0], 5.5 - 1e-6);
      EXPECT_LE(z.extent_mm[0], 6.5 + 1e-6);
    }
  const Zone nothing = iso_zone(g, std::vector<float>(g.count(), NAN), 0, {}, {});
  EXPECT_EQ(nothing.volume_ml, 0);
}

TEST(IsoZone, ADoseIsInterpolatedByItsLogarithm) {
  // CEM43 of a field that falls by 1 K per millimetre halves with every millimetre.
  const Grid g = cube(20, 1);
  const auto dose = [](const Vector3d& x) { return 240 * std::exp2(2 * (4.3 - x.norm())); };
  const Zone z = zone_of(g, dose, 240, {IsoSide::above, true});
  const Zone linear = zone_of(g, [](const Vector3d& x) { return 4.3 - x.norm(); });
  EXPECT_NEAR(z.volume_ml, linear.volume_ml, 1e-5);
  EXPECT_LT((z.extent_mm - linear.extent_mm).norm(), 1e-4);
  const Zone plain = zone_of(g, dose, 240);
  EXPECT_GT(plain.volume_ml, 1.02 * z.volume_ml);  // what the logarithm is for
}

TEST(IsoZone, WhereNoDoseIsTheLogarithmEndsTheZone) {
  const Grid g = cube(9, 1);
  const Zone z =
      zone_of(g, [](const Vector3d& x) { return x[0] < 0.5 ? 1e6 : 0; }, 240, {IsoSide::above, true});
  EXPECT_GE(z.extent_mm[0], 4.5);
  EXPECT_LE(z.extent_mm[0], 5.5);
}

TEST(IsoZone, TheApplicatorBelongsToTheZoneAroundIt) {
  const Grid g = cube(21, 0.5);
  auto v = values_of(g, ball({0.1, 0, 0}, 4));
  std::vector<std::uint8_t> taken(g.count(), 0);
  for (int k = 0; k < 21; ++k)
    for (int j = 0; j < 21; ++j)
      for (int i = 0; i < 21; ++i)
        if (g.to_world(i, j, k).norm() < 1.6) {
          taken[g.index(i, j, k)] = 1;
          v[g.index(i, j, k)] = k % 2 == 0 ? -1e6F : NAN;  // what is kept there must not matter
        }
  const Zone z = iso_zone(g, v, 0, {}, taken);
  EXPECT_NEAR(z.volume_ml / ball_ml(4), 1, 0.02);
  EXPECT_LT(iso_zone(g, v, 0, {}, {}).volume_ml, 0.97 * z.volume_ml);
}

TEST(FillTaken, GivesTheMeanOfTheNeighboursLayerByLayer) {
  const Grid g = grid_of({7, 1, 1}, {1, 1, 1});
  const std::vector<float> v{1, 2, 99, 99, 99, 6, 7};
  const auto filled = fill_taken(g, v, {0, 0, 1, 1, 1, 0, 0});
  EXPECT_EQ(filled, (std::vector<float>{1, 2, 2, 4, 6, 6, 7}));
  EXPECT_EQ(fill_taken(g, v, {}), v);
  for (const float x : fill_taken(g, v, std::vector<std::uint8_t>(7, 1))) EXPECT_TRUE(std::isnan(x));
}

TEST(ResultZones, HaveTheirNamesAndAreNested) {
  const Grid g = cube(24, 0.5);
  const auto peak = values_of(g, [](const Vector3d& x) { return 37 + 40 * std::exp(-x.norm() / 4); });
  const auto lowest = values_of(g, [](const Vector3d& x) { return 37 - 110 * std::exp(-x.norm() / 4); });
  const auto dose = values_of(g, [](const Vector3d& x) { return 240 * std::exp(3 - x.norm()); });
  const auto zones = result_zones(g, peak, lowest, dose, dose, {});
  const auto ml = [&](const char* name) { return zones.at(name).volume_ml; };
  EXPECT_NEAR(ml("over_50_degC") / ball_ml(4 * std::log(40 / 13.)), 1, 0.02);
  EXPECT_NEAR(ml("over_60_degC") / ball_ml(4 * std::log(40 / 23.)), 1, 0.06);
  EXPECT_NEAR(ml("cem43_over_240") / ball_ml(3), 1, 0.02);
  EXPECT_NEAR(ml("under_0_degC") / ball_ml(4 * std::log(110 / 37.)), 1, 0.02);
  EXPECT_NEAR(ml("under_minus20_degC") / ball_ml(4 * std::log(110 / 57.)), 1, 0.03);
  EXPECT_NEAR(ml("under_minus40_degC") / ball_ml(4 * std::log(110 / 77.)), 1, 0.09);
  EXPECT_GT(ml("arrhenius_over_1"), ml("cem43_over_240"));
  EXPECT_THAT(result_zones(g, peak, lowest, dose, {}, {}), Not(Contains(Key("arrhenius_over_1"))));
}

}  // namespace
}  // namespace spinetherm
