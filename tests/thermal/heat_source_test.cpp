// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_source.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

using Eigen::Vector3d;

Grid grid_of(std::array<int, 3> size, const Vector3d& spacing_mm) {
  Grid g;
  g.size = size;
  g.spacing_mm = spacing_mm;
  return g;
}
Grid coarse() { return grid_of({20, 22, 18}, {1, 0.8, 1.25}); }

template <class Source>
std::vector<double> density(const Grid& g, const Source& source, bool fourth_order) {
  std::vector<double> q(g.count(), 0);
  add_power_density(g, source, fourth_order, q);
  return q;
}
double total_W(const Grid& g, const std::vector<double>& q) {
  double sum = 0;
  for (const double x : q) sum += x;
  return sum * g.voxel_volume_mm3() * 1e-9;
}
/// Centre of the heat [mm] and its variance along each axis [mm2], from the cells' centres.
struct Moments {
  Vector3d centre_mm = Vector3d::Zero(), variance_mm2 = Vector3d::Zero();
};
Moments moments(const Grid& g, const std::vector<double>& q) {
  Moments m;
  Vector3d second = Vector3d::Zero();
  double sum = 0;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const double w = q[g.index(i, j, k)];
        const Vector3d x = g.to_world(i, j, k);
        sum += w;
        m.centre_mm += w * x;
        second += w * x.cwiseAbs2();
      }
  m.centre_mm /= sum;
  m.variance_mm2 = second / sum - m.centre_mm.cwiseAbs2();
  return m;
}
/// In the middle, at odd sub-cell positions, on faces and corners between cells and beside the outer faces.
std::vector<Vector3d> positions() {
  return {{9, 8, 10},         {9.37, 8.11, 10.6}, {9.5, 8.4, 10.625},  {-0.5, 8.02, 9.4},
          {19.49, 8.02, 9.4}, {9.3, -0.39, 21.8}, {-0.5, -0.4, -0.62}, {0.2, 16.9, 0.1}};
}

TEST(PointHeat, IsItsPowerWhereverItLies) {
  for (const Vector3d& x : positions())
    for (const bool fourth_order : {false, true})
      EXPECT_NEAR(total_W(coarse(), density(coarse(), PointSource{5, x}, fourth_order)), 5, 1e-11)
          << x.transpose();
}

TEST(PointHeat, LiesWhereThePointLies) {
  for (const Vector3d& x : {Vector3d(9, 8, 10), Vector3d(9.37, 8.11, 10.6), Vector3d(9.5, 8.4, 10.625)})
    for (const bool fourth_order : {false, true}) {
      const Moments m = moments(coarse(), density(coarse(), PointSource{5, x}, fourth_order));
      EXPECT_LT((m.centre_mm - x).norm(), 0.03) << x.transpose();
      EXPECT_LT(m.variance_mm2.cwiseSqrt().maxCoeff(), 1.25);
    }
}

TEST(PointHeat, TwoPointsAreTwiceOne) {
  const Grid g = coarse();
  std::vector<double> q(g.count(), 3e4);
  add_power_density(g, PointSource{5, {9, 8, 10}}, true, q);
  add_power_density(g, PointSource{5, {9, 8, 10}}, true, q);
  const auto once = density(g, PointSource{5, {9, 8, 10}}, true);
  for (std::size_t c = 0; c < q.size(); ++c) EXPECT_NEAR(q[c], 3e4 + 2 * once[c], 1e-6);
}

TEST(PointHeat, WhatWouldFallOutsideIsMirroredAtTheOuterFace) {
  const Grid g = grid_of({14, 16, 15}, {1, 0.8, 1.25});
  Grid wide = g;  // 14 cells more to the left
  wide.size[0] = 28;
  wide.origin_mm[0] = -14;
  for (const double x : {-0.3, 0.8, 3.1}) {
    const auto q = density(g, PointSource{5, {x, 6.1, 8.8}}, true);
    const auto whole = density(wide, PointSource{5, {x, 6.1, 8.8}}, true);
    const double scale = *std::max_element(q.begin(), q.end());
    for (int k = 0; k < 15; ++k)
      for (int j = 0; j < 16; ++j)
        for (int i = 0; i < 14; ++i)
          EXPECT_NEAR(q[g.index(i, j, k)], whole[wide.index(14 + i, j, k)] + whole[wide.index(13 - i, j, k)],
                      1e-10 * scale);
  }
}

TEST(PointHeat, MirroredPointsHeatMirroredCells) {
  const Grid g = grid_of({19, 19, 19}, {1, 1, 1});
  const auto q = density(g, PointSource{5, {9.25, 8.5, 10.125}}, true);
  const auto mirrored = density(g, PointSource{5, {18 - 9.25, 8.5, 10.125}}, true);
  const double scale = *std::max_element(q.begin(), q.end());
  for (int k = 0; k < 19; ++k)
    for (int j = 0; j < 19; ++j)
      for (int i = 0; i < 19; ++i)
        EXPECT_NEAR(q[g.index(i, j, k)], mirrored[g.index(18 - i, j, k)], 1e-12 * scale);
}

TEST(LineHeat, IsItsLengthTimesItsPowerAlsoWhenItCools) {
  for (const double W_per_m : {300.0, -500.0})
    for (const auto& [a, b] :
         std::vector<std::pair<Vector3d, Vector3d>>{{{9, 8, 3}, {9, 8, 15}},
                                                    {{2.3, 1.7, 3.1}, {15.2, 12.9, 17.7}},
                                                    {{-0.5, 0, 0}, {19.5, 0, 0}},
                                                    {{4, 4, 4}, {4.1, 4, 4}}})
      for (const bool fourth_order : {false, true}) {
        const double expected_W = W_per_m * (b - a).norm() * 1e-3;
        EXPECT_NEAR(total_W(coarse(), density(coarse(), LineSource{W_per_m, a, b}, fourth_order)), expected_W,
                    1e-11 * std::abs(expected_W) + 1e-12);
      }
}

TEST(LineHeat, IsEvenAlongTheLine) {
  const Vector3d a(5, 4, 4), b(14, 12, 16);
  const Moments m = moments(coarse(), density(coarse(), LineSource{300, a, b}, true));
  EXPECT_LT((m.centre_mm - (a + b) / 2).norm(), 0.02);
  // Variance of an even line, give or take what every point of it is spread on the grid.
  EXPECT_LT((m.variance_mm2 - (b - a).cwiseAbs2() / 12).cwiseAbs().maxCoeff(), 0.5);
}

TEST(GaussianHeat, KeepsPowerPlaceAndWidth) {
  const Grid g = grid_of({40, 40, 40}, {0.5, 0.4, 0.5});
  const Vector3d at(9.83, 7.71, 10.05);
  const Moments m = moments(g, density(g, GaussianSource{5, 1.2, at}, false));
  EXPECT_NEAR(total_W(g, density(g, GaussianSource{5, 1.2, at}, false)), 5, 1e-8);
  EXPECT_LT((m.centre_mm - at).norm(), 1e-7);
  // Averaged over cells it is wider by h^2 / 12.
  const Vector3d expected = Vector3d::Constant(1.44) + g.spacing_mm.cwiseAbs2() / 12;
  EXPECT_LT((m.variance_mm2 - expected).cwiseAbs().maxCoeff(), 1e-6);
}

TEST(GaussianHeat, LosesWhatLiesBeyondTheGrid) {
  const Grid g = coarse();
  EXPECT_NEAR(total_W(g, density(g, GaussianSource{5, 1, {-0.5, 8, 10}}, true)), 2.5, 1e-6);
  EXPECT_NEAR(total_W(g, density(g, GaussianSource{5, 1, {-0.5, -0.4, -0.625}}, true)), 0.625, 1e-6);
}

TEST(GaussianHeat, NarrowerThanACellStillHasItsPower) {
  for (const Vector3d& x : {Vector3d(9, 8, 10), Vector3d(9.37, 8.11, 10.6), Vector3d(9.5, 8.4, 10.625)})
    EXPECT_NEAR(total_W(coarse(), density(coarse(), GaussianSource{5, 0.02, x}, false)), 5, 1e-10);
}

TEST(GaussianHeat, KeepsItsDigitsFarFromTheCentre) {
  const Grid g = grid_of({41, 1, 1}, {1, 1, 1});
  const auto q = density(g, GaussianSource{5, 2, {0, 0, 0}}, false);
  for (int i = 0; i < 40; ++i) {
    EXPECT_GT(q[std::size_t(i) + 1], 0);
    EXPECT_LT(q[std::size_t(i) + 1], q[std::size_t(i)]);
  }
}

TEST(BoxHeat, IsItsPowerWhereverItsFacesLie) {
  for (const bool fourth_order : {false, true})
    for (const auto& [centre, half] :
         std::vector<std::pair<Vector3d, Vector3d>>{{{9, 8, 10}, {2, 2, 6}},
                                                    {{9.3, 8.1, 10.7}, {0.1, 3.3, 2.2}},
                                                    {{1.5, 8, 10}, {2, 2, 6}},
                                                    {{9.5, 8.4, 10.625}, {10, 8.8, 11.25}},
                                                    {{-0.3, -0.2, 21.6}, {0.2, 0.2, 0.2}}})
      EXPECT_NEAR(total_W(coarse(), density(coarse(), BoxSource{5, centre, half}, fourth_order)), 5, 1e-9)
          << centre.transpose();
}

TEST(BoxHeat, KeepsItsPlaceAndTheWidthThatItsStencilSees) {
  const Vector3d centre(9.3, 8.1, 10.7), half(2.1, 3.3, 1.4);
  const Vector3d h2 = coarse().spacing_mm.cwiseAbs2();
  for (const bool fourth_order : {false, true}) {
    const Moments m = moments(coarse(), density(coarse(), BoxSource{5, centre, half}, fourth_order));
    EXPECT_LT((m.centre_mm - centre).norm(), 1e-10);
    // The cell's own h^2 / 12, and the hat's h^2 / 6 that the fourth-order stencil makes up for.
    const Vector3d expected = half.cwiseAbs2() / 3 + h2 / 12 + (fourth_order ? 0.0 : 1.0) * h2 / 6;
    EXPECT_LT((m.variance_mm2 - expected).cwiseAbs().maxCoeff(), 1e-9);
  }
}

TEST(BoxHeat, PlaneLayersAreExactForBothStencils) {
  // -k T'' = q between the faces of a plane layer, wherever they lie: the cell averages of T must satisfy the
  // discrete equations to the last digit.
  const Grid g = grid_of({30, 1, 1}, {0.7, 1, 1});
  const double k = 0.5, h_m = 0.7e-3, centre = 9.83, half = 2.31, power_W = 0.4;
  const double q = power_W / (2 * half * 1e-9);     // the layer spans the grid's 1 x 1 mm2
  const auto twice_integrated = [&](double x_mm) {  // T, with T = 0 left of the layer
    const double x = std::clamp(x_mm - (centre - half), 0.0, 2 * half) * 1e-3;
    const double beyond = std::max(x_mm - (centre + half), 0.0) * 1e-3;
    return -q / k * (x * x / 2 + x * beyond);
  };
  std::vector<double> T;
  for (int i = 0; i < 30; ++i) {  // by Simpson's rule between the kinks of T''
    double sum = 0;
    std::vector<double> cuts{0.7 * i - 0.35, 0.7 * i + 0.35};
    for (const double face : {centre - half, centre + half})
      if (face > cuts.front() && face < cuts.back()) cuts.insert(cuts.end() - 1, face);
    for (std::size_t n = 0; n + 1 < cuts.size(); ++n)
      sum += (cuts[n + 1] - cuts[n]) / 6 *
             (twice_integrated(cuts[n]) + 4 * twice_integrated((cuts[n] + cuts[n + 1]) / 2) +
              twice_integrated(cuts[n + 1]));
    T.push_back(sum / 0.7);
  }
  for (const bool fourth_order : {false, true}) {
    const auto heat = density(g, BoxSource{power_W, {centre, 0, 0}, {half, 0.5, 0.5}}, fourth_order);
    const auto second = [&](std::size_t i) { return T[i + 1] - 2 * T[i] + T[i - 1]; };
    for (std::size_t i = 2; i + 2 < 30; ++i) {
      const double fourth = second(i + 1) - 2 * second(i) + second(i - 1);
      const double left = -k / (h_m * h_m) * (second(i) - (fourth_order ? fourth / 12 : 0));
      EXPECT_NEAR(left, heat[i], 1e-7 * q) << i;
    }
  }
}

TEST(VolumetricHeat, IsAddedAsItIs) {
  const Grid g = grid_of({3, 2, 1}, {1, 1, 1});
  VolumetricSource source{Volume<float>(g)};
  for (std::size_t c = 0; c < 6; ++c) source.power_W_per_m3[c] = float(c) - 2;
  std::vector<double> q(6, 10);
  add_power_density(g, source, true, q);
  for (std::size_t c = 0; c < 6; ++c) EXPECT_EQ(q[c], 8 + double(c));
}

}  // namespace
}  // namespace spinetherm
