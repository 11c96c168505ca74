// SPDX-License-Identifier: Apache-2.0
#include "thermal/interpolation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace spinetherm {
namespace {

using Eigen::Vector3d;

Grid grid_of(std::array<int, 3> size, const Vector3d& spacing_mm) {
  Grid g;
  g.size = size;
  g.spacing_mm = spacing_mm;
  g.origin_mm = {-1.3, 0.4, 2};
  return g;
}
double uniform(std::size_t) { return 0.5; }

/// x^degree scaled to the box, and its average from a to b.
struct Power {
  int degree = 0;
  double operator()(double x) const { return std::pow(x / 5, degree); }
  double average(double a, double b) const {
    return 5 * (std::pow(b / 5, degree + 1) - std::pow(a / 5, degree + 1)) / (degree + 1) / (b - a);
  }
};
/// Averages over the cells of a product of one power per axis.
std::vector<double> averages(const Grid& g, const std::array<Power, 3>& p) {
  std::vector<double> v;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Vector3d x = g.to_world(i, j, k);
        double product = 1;
        for (int a = 0; a < 3; ++a)
          product *= p[std::size_t(a)].average(x[a] - g.spacing_mm[a] / 2, x[a] + g.spacing_mm[a] / 2);
        v.push_back(product);
      }
  return v;
}
double value(const std::array<Power, 3>& p, const Vector3d& x) {
  return p[0](x[0]) * p[1](x[1]) * p[2](x[2]);
}

/// Points in the middle and near every outer face, out to the faces themselves.
std::vector<Vector3d> points(const Grid& g) {
  const Vector3d low = g.to_world(Vector3d::Constant(-0.5));
  const Vector3d span = g.spacing_mm.cwiseProduct(Vector3d(g.size[0], g.size[1], g.size[2]));
  std::vector<Vector3d> list;
  for (const double f : {0.0, 0.03, 0.5, 0.61, 0.97, 1.0})
    for (const double e : {0.0, 0.37, 0.999}) list.push_back(low + span.cwiseProduct(Vector3d(f, e, 1 - f)));
  return list;
}
void expect_exact(const Grid& g, int degree) {
  const Volume<std::uint8_t> labels(g, 0);
  for (const auto& p : std::vector<std::array<Power, 3>>{
           {Power{degree}, Power{0}, Power{0}},
           {Power{std::min(degree, 1)}, Power{degree}, Power{std::min(degree, 2)}},
           {Power{degree}, Power{degree}, Power{degree}}}) {
    const auto v = averages(g, p);
    for (const Vector3d& x : points(g)) {
      const double exact = value(p, x);
      EXPECT_NEAR(make_stencil(labels, {}, uniform, x)(v.data()), exact, 1e-9 * (1 + std::abs(exact)))
          << degree << " at " << x.transpose();
    }
  }
}

TEST(PointStencil, IsExactForAveragesOfPolynomialsOfTheFifthDegree) {
  for (int degree = 0; degree <= 5; ++degree) expect_exact(grid_of({9, 8, 7}, {1, 0.8, 0.5}), degree);
}

TEST(PointStencil, UsesWhatAThinGridHas) {
  for (int degree = 0; degree <= 3; ++degree) expect_exact(grid_of({4, 5, 4}, {1, 0.8, 0.5}), degree);
  expect_exact(grid_of({2, 3, 2}, {1, 1, 1}), 1);
  const Grid one = grid_of({1, 1, 1}, {1, 1, 1});
  const double only = 42;
  EXPECT_DOUBLE_EQ(make_stencil(Volume<std::uint8_t>(one, 0), {}, uniform, {-1.5, 0.3, 2.4})(&only), 42);
}

TEST(PointStencil, ErrorFallsWithTheSixthPowerOfTheSpacing) {
  const auto error = [](int n) {
    const Grid g = grid_of({n, 1, 1}, {12. / n, 1, 1});
    std::vector<double> v;
    const double h = 12. / n;
    for (int i = 0; i < n; ++i) {
      const double x = g.to_world(i, 0, 0)[0];
      v.push_back((std::cos(x - h / 2) - std::cos(x + h / 2)) / h);
    }
    double worst = 0;
    for (double x = 2; x < 8; x += 0.07)
      worst = std::max(worst,
                       std::abs(make_stencil(Volume<std::uint8_t>(g, 0), {}, uniform, {x, 0.4, 2})(v.data()) -
                                std::sin(x)));
    return worst;
  };
  EXPECT_NEAR(std::log2(error(16) / error(32)), 6, 0.6);
}

TEST(PointStencil, NearAnotherTissueFourCellsOfItsOwnAreTaken) {
  const Grid g = grid_of({12, 6, 6}, {1, 1, 1});
  Volume<std::uint8_t> labels(g, 0);
  for (std::size_t c = 0; c < g.count(); ++c) labels[c] = c % 12 >= 8 ? 1 : 0;
  const std::array<Power, 3> cubic{Power{3}, Power{3}, Power{2}};
  const auto v = averages(g, cubic);
  const Vector3d x = g.to_world(Vector3d(5.2, 2.5, 2.5));
  const PointStencil s = make_stencil(labels, {}, uniform, x);
  EXPECT_NEAR(s(v.data()), value(cubic, x), 1e-10);
  for (const std::size_t c : s.cells) EXPECT_EQ(labels[c], 0);
  EXPECT_LE(s.cells.size(), 64U);
}

TEST(PointStencil, IsExactForLayersWithKinksOnTheirFaces) {
  // Steady flow through three layers along each axis: piecewise linear, kinks on cell faces.
  const std::array<double, 3> k{0.5, 0.1, 1.7};
  for (int axis = 0; axis < 3; ++axis) {
    Grid g = grid_of({5, 5, 5}, {1, 1, 1});
    g.size[std::size_t(axis)] = 12;
    Volume<std::uint8_t> labels(g, 0);
    const auto label_at = [](double index) { return index < 3.5 ? 0 : index < 5.5 ? 1 : 2; };
    const auto degC = [&](double index) {
      double T = 90 - index / k[0];
      if (index > 3.5) T = 90 - 3.5 / k[0] - (index - 3.5) / k[1];
      if (index > 5.5) T = 90 - 3.5 / k[0] - 2 / k[1] - (index - 5.5) / k[2];
      return T;
    };
    std::vector<double> v(g.count());
    for (int kz = 0; kz < g.size[2]; ++kz)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) {
          const double index = std::array{i, j, kz}[std::size_t(axis)];
          labels(i, j, kz) = std::uint8_t(label_at(index));
          v[g.index(i, j, kz)] = degC(index);
        }
    const auto conductivity = [&](std::size_t c) { return k[labels[c]]; };
    for (double index = -0.5; index <= 11.5; index += 0.0625) {
      Vector3d at(2.2, 1.9, 2.4);
      at[axis] = index;
      EXPECT_NEAR(make_stencil(labels, {}, conductivity, g.to_world(at))(v.data()), degC(index), 1e-10)
          << "axis " << axis << " at " << index;
    }
  }
}

TEST(PointStencil, LeavesExcludedCellsOut) {
  const Grid g = grid_of({10, 10, 10}, {1, 1, 1});
  const Volume<std::uint8_t> labels(g, 0);
  std::vector<std::uint8_t> excluded(g.count(), 0);
  std::vector<double> v(g.count(), 55);
  for (int k = 4; k <= 6; ++k)
    for (int j = 4; j <= 6; ++j)
      for (int i = 4; i <= 6; ++i) {
        excluded[g.index(i, j, k)] = 1;
        v[g.index(i, j, k)] = NAN;
      }
  for (const Vector3d& index :
       {Vector3d(3.4, 5, 5), Vector3d(3.6, 3.6, 3.6), Vector3d(5, 5, 5), Vector3d(6.5, 4.2, 6.5),
        Vector3d(1, 1, 1), Vector3d(4, 4, 4), Vector3d(-0.5, 5, 9.5)}) {
    const PointStencil s = make_stencil(labels, excluded, uniform, g.to_world(index));
    EXPECT_NEAR(std::accumulate(s.weights.begin(), s.weights.end(), 0.0), 1, 1e-12);
    EXPECT_NEAR(s(v.data()), 55, 1e-10) << index.transpose();
  }
}

TEST(PointStencil, DeepInsideItTakesTheNearestCellThatIsLeft) {
  const Grid g = grid_of({11, 11, 11}, {1, 1, 1});
  std::vector<std::uint8_t> excluded(g.count(), 1);
  excluded[g.index(9, 5, 5)] = 0;
  excluded[g.index(2, 2, 2)] = 0;
  excluded[g.index(5, 0, 5)] = 0;
  const PointStencil s =
      make_stencil(Volume<std::uint8_t>(g, 0), excluded, uniform, g.to_world(Vector3d(5.4, 5, 5)));
  ASSERT_EQ(s.cells.size(), 1U);
  EXPECT_EQ(s.cells[0], g.index(9, 5, 5));  // 3.6 away; the others 5.0 and 5.4
}

TEST(PointStencil, BesideExcludedCellsNothingIsExtrapolated) {
  const Grid g = grid_of({8, 1, 1}, {1, 1, 1});
  std::vector<std::uint8_t> excluded(8, 0);
  excluded[1] = 1;
  std::vector<double> v{10, NAN, 30, 40, 50, 60, 70, 80};
  const Volume<std::uint8_t> labels(g, 0);
  for (double index = -0.5; index < 1; index += 0.25) {
    const double T = make_stencil(labels, excluded, uniform, g.to_world(Vector3d(index, 0, 0)))(v.data());
    EXPECT_GE(T, 10 - 1e-12);
    EXPECT_LE(T, 30 + 1e-12);
  }
}

TEST(PointStencil, AddsItsConstant) {
  PointStencil s;
  s.cells = {0, 1};
  s.weights = {0.25, 0.75};
  s.constant = 37;
  const float v[2] = {4, 8};
  EXPECT_DOUBLE_EQ(s(v), 44);
}

}  // namespace
}  // namespace spinetherm
