// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_bodies.h"

#include <gmock/gmock.h>

#include <cmath>
#include <memory>

#include "imaging/core/units.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

constexpr double kTheta_K = 40;

Region outside(const Region& inside) { return {Outside{std::make_shared<const Region>(inside)}}; }
Source held(const Region& region, double degC) { return {FixedTemperatureSource{region, {{0, degC}}}}; }

/// A closed box of tissue centred on the origin. Its start is given as a field, so that all cells are stepped
/// and nothing is lost at the edge of the window.
ThermalProblem closed(std::array<int, 3> size, double h, const UniformTissue& t = {}) {
  ThermalProblem p = uniform_problem(t, size, h);
  p.tissue_map.labels.grid.origin_mm = -h / 2 * Vector3d(size[0] - 1, size[1] - 1, size[2] - 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.initial_field = Volume<float>(p.grid(), 37);
  return p;
}
void cool(ThermalProblem& p, std::initializer_list<BoxFace> faces) {
  for (const BoxFace f : faces) p.boundary[f] = {BoundaryKind::fixed, 37, 0};
}
BioheatOptions in_double() {
  BioheatOptions o;
  o.double_precision = true;
  return o;
}
/// Power [W] that the sources give in the last 60 s, long after everything is steady.
double steady_W(ThermalProblem p, double steady_after_s) {
  p.duration_s = steady_after_s;
  const double before_J = solve(p, in_double()).energy.in_J;
  p.duration_s += 60;
  const ThermalResult r = solve(p, in_double());
  EXPECT_LT(r.energy.relative_residual, 1e-10);
  return (r.energy.in_J - before_J) / 60;
}
/// Sub-cell positions in cells of half a millimetre.
std::vector<Vector3d> positions() { return {{0, 0, 0}, {0.25, 0.25, 0.25}, {0.11, -0.07, 0.19}}; }

TEST(HeldSphere, GivesTheFlowOfTheClosedFormWhereverItLies) {
  // In the middle of a cold cube of side L: 4 pi k theta / (1/a - 1.7476/L).
  const UniformTissue t;
  const double expected_W = 4 * kPi * t.conductivity_W_per_m_K * kTheta_K / (1 / 1.5e-3 - 1.7476 / 10e-3);
  for (const Vector3d& x : positions()) {
    ThermalProblem p = closed({20, 20, 20}, 0.5, t);
    cool(p, {x_min, x_max, y_min, y_max, z_min, z_max});
    p.sources = {held({Sphere{x, 1.5}}, 37 + kTheta_K)};
    EXPECT_NEAR(steady_W(p, 150) / expected_W, 1, 0.01) << x.transpose();
  }
}

TEST(HeldSphere, GivesTheFieldOfTheClosedFormWithPerfusion) {
  UniformTissue t;
  t.perfusion_per_s = 0.01;
  for (const Vector3d& x : positions()) {
    ThermalProblem p = closed({24, 24, 24}, 0.5, t);
    p.sources = {held({Sphere{x, 2}}, 37 + kTheta_K), held(outside({Sphere{x, 5}}), 37)};
    p.duration_s = 200;
    p.sample.times_s = {200};
    const Vector3d oblique = Vector3d(1, -0.6, 0.3).normalized();
    for (const double r : {2.4, 3.0, 3.7, 4.5})
      for (const Vector3d& u : {Vector3d(1, 0, 0), Vector3d(0, -1, 0), oblique})
        p.sample.points_mm.push_back(x + r * u);
    const ThermalResult result = solve(p, in_double());
    for (const Sample& s : result.samples) {
      const double r = (s.at_mm - x).norm();
      EXPECT_NEAR(s.T_degC - 37, sphere_in_shell_K(t, kTheta_K, 2, r, 5), 0.01 * kTheta_K)
          << x.transpose() << " at " << r;
    }
  }
}

TEST(HeldCylinder, GivesTheFlowOfTheClosedFormWhereverItLies) {
  // Per length in the middle of a cold square of side L: 2 pi k theta / ln(1.0787 L / 2a) (conformal map).
  const UniformTissue t;
  const double expected_W = 2 * kPi * t.conductivity_W_per_m_K * kTheta_K / std::log(1.0787 * 12 / 3) * 2e-3;
  for (const Vector3d& x : positions()) {
    ThermalProblem p = closed({24, 24, 4}, 0.5, t);
    cool(p, {x_min, x_max, y_min, y_max});
    p.sources = {held({Cylinder{x - Vector3d(0, 0, 20), x + Vector3d(0, 0, 20), 1.5}}, 37 + kTheta_K)};
    EXPECT_NEAR(steady_W(p, 240) / expected_W, 1, 0.01) << x.transpose();
  }
}

TEST(HeldPlate, GivesTheFlowOfALayerWhereverItsFacesLie) {
  const UniformTissue t;
  for (const double face : {-3.0, -2.87, -2.75, -2.6}) {
    ThermalProblem p = closed({20, 4, 4}, 0.5);
    p.boundary[x_max] = {BoundaryKind::fixed, 37, 0};
    p.sources = {held({Box{{-9, -9, -9}, {face, 9, 9}}}, 37 + kTheta_K)};
    const double expected_W = t.conductivity_W_per_m_K * kTheta_K / ((5 - face) * 1e-3) * 4e-6;
    EXPECT_NEAR(steady_W(p, 600) / expected_W, 1, 2e-3) << face;
  }
}

TEST(HeldBody, ColdOnesTakeHeatOut) {
  ThermalProblem p = closed({12, 12, 12}, 1);
  p.sources = {held({Sphere{{0.1, 0.2, -0.1}, 2}}, 10)};
  p.duration_s = 60;
  const ThermalResult r = solve(p, in_double());
  EXPECT_EQ(r.energy.in_J, 0);
  EXPECT_GT(r.energy.out_J, 0);
  EXPECT_LT(r.energy.stored_J, 0);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(HeldBody, ItsCellsHoldItsTemperatureAndSoDoPointsInIt) {
  ThermalProblem p = closed({12, 12, 12}, 1);
  p.sources = {held({Sphere{{0.5, 0.5, 0.5}, 2.2}}, 80)};
  p.duration_s = 30;
  p.fields.temperature = true;
  p.sample = {{{0.5, 0.5, 0.5}, {1.9, 0.5, 0.5}}, {0, 30}};
  const ThermalResult r = solve(p);
  for (const Sample& s : r.samples) EXPECT_EQ(s.T_degC, 80);
  EXPECT_EQ(r.temperature(6, 6, 6), 80);
  for (const float T : r.temperature.values) {
    EXPECT_GE(T, 37 - 1e-3F);
    EXPECT_LE(T, 80);
  }
}

TEST(HeldBody, FollowsItsCurve) {
  ThermalProblem p = closed({12, 12, 12}, 1);
  const Curve curve{{0, 37}, {20, 90}, {40, 60}};
  p.sources = {{FixedTemperatureSource{{Sphere{{0.5, 0.5, 0.5}, 2.2}}, curve}}};
  p.duration_s = 60;
  p.sample = {{{0.5, 0.5, 0.5}}, {5, 20, 30, 60}};
  const ThermalResult r = solve(p, in_double());
  EXPECT_NEAR(r.samples[0].T_degC, 50.25, 1e-9);
  EXPECT_NEAR(r.samples[1].T_degC, 90, 1e-9);
  EXPECT_NEAR(r.samples[2].T_degC, 75, 1e-9);
  EXPECT_NEAR(r.samples[3].T_degC, 60, 1e-9);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(Curves, ArePiecewiseLinearAndConstantBeyondTheirEnds) {
  const Curve curve{{10, 37}, {20, 57}, {25, -3}};
  EXPECT_EQ(value_at(curve, 0), 37);
  EXPECT_EQ(value_at(curve, 10), 37);
  EXPECT_DOUBLE_EQ(value_at(curve, 15), 47);
  EXPECT_DOUBLE_EQ(value_at(curve, 20), 57);
  EXPECT_DOUBLE_EQ(value_at(curve, 21), 45);
  EXPECT_EQ(value_at(curve, 1e9), -3);
  EXPECT_EQ(value_at({{5, 70}}, 1), 70);
}

TEST(ReleasedBody, BecomesTissueAtItsTemperatureAndKeepsTheBalance) {
  ThermalProblem p = closed({14, 14, 14}, 1);
  const Region ball{Sphere{{0.2, 0.1, -0.3}, 2.4}};
  p.sources = {{FixedTemperatureSource{ball, {{0, 80}}}, {{0, 60}}}};
  p.duration_s = 60.001;
  p.fields.temperature = true;
  const ThermalResult r = solve(p, in_double());
  EXPECT_NEAR(r.temperature(7, 7, 7), 80, 0.1);
  p.duration_s = 600;
  const ThermalResult later = solve(p, in_double());
  EXPECT_LT(later.temperature(7, 7, 7), 70);
  EXPECT_LT(later.energy.relative_residual, 1e-10);
}

TEST(ReleasedBody, AnInsulatedHoleStaysAHole) {
  ThermalProblem p = closed({14, 14, 14}, 1);
  FixedTemperatureSource source{{Sphere{{0.2, 0.1, -0.3}, 2.4}}, {{0, 80}}, true};
  p.sources = {{source, {{0, 60}}}};
  p.duration_s = 600;
  const ThermalResult r = solve(p, in_double());
  EXPECT_LT(r.energy.relative_residual, 1e-10);
  source.insulated_when_off = false;
  p.sources = {{source, {{0, 60}}}};
  EXPECT_LT(r.energy.stored_J,
            solve(p, in_double()).energy.stored_J);  // what the ball held is not in the box
}

TEST(InsulatedHole, PassesNoHeat) {
  // A plate across the whole box, thinner or thicker than a cell, between warm and cold tissue.
  for (const auto& [low, high] :
       std::vector<std::array<double, 2>>{{-0.3, 0.4}, {-0.1, 0.1}, {0.02, 1.3}, {-1.5, 2}}) {
    ThermalProblem p = closed({20, 5, 5}, 0.5);
    p.sources = {{FixedTemperatureSource{{Box{{low, -9, -9}, {high, 9, 9}}}, {{0, 37}}, true}, {{9e5, 1e6}}}};
    p.initial_field = Volume<float>(p.grid(), 37);
    for (std::size_t c = 0; c < p.grid().count(); ++c)
      if (p.grid().to_world(int(c % 20), 0, 0)[0] < (low + high) / 2) p.initial_field[c] = 60;
    p.duration_s = 300;
    p.fields.temperature = true;
    const ThermalResult r = solve(p, in_double());
    for (std::size_t c = 0; c < p.grid().count(); ++c) {
      const double x = p.grid().to_world(int(c % 20), 0, 0)[0];
      if (x > low && x < high) continue;
      EXPECT_NEAR(r.temperature[c], x < low ? 60 : 37, 1e-5) << low << " at " << x;
    }
  }
}

TEST(InsulatedHole, LetsHeatPassAroundItAndKeepsIt) {
  // A ball in a warm half: heat flows around, none is lost, and in the end all tissue is equally warm.
  ThermalProblem p = closed({12, 12, 12}, 1);
  p.sources = {{FixedTemperatureSource{{Sphere{{0.2, 0.1, -0.3}, 3.1}}, {{0, 37}}, true}, {{9e5, 1e6}}}};
  p.initial_field = Volume<float>(p.grid(), 37);
  double warm = 0, cells = 0;
  for (int k = 0; k < 12; ++k)
    for (int j = 0; j < 12; ++j)
      for (int i = 0; i < 12; ++i) {
        if ((p.grid().to_world(i, j, k) - Vector3d(0.2, 0.1, -0.3)).norm() <= 3.1) continue;
        cells += 1;
        if (k < 6) continue;
        p.initial_field(i, j, k) = 57;
        warm += 1;
      }
  p.duration_s = 4000;
  p.fields.temperature = true;
  const ThermalResult r = solve(p, in_double());
  EXPECT_NEAR(r.energy.stored_J, 0, 1e-9);
  for (const std::size_t c : {p.grid().index(0, 0, 0), p.grid().index(11, 11, 11), p.grid().index(6, 0, 6)})
    EXPECT_NEAR(r.temperature[c], 37 + 20 * warm / cells, 0.05);
}

}  // namespace
}  // namespace spinetherm
