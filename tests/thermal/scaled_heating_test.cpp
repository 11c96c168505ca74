// SPDX-License-Identifier: Apache-2.0
#include "thermal/scaled_heating.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/units.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MeanOf, IsTheIntegralOfTheCurveOverTheLength) {
  const Curve curve = {{1, 2}, {3, 4}, {4, 0}};
  EXPECT_NEAR(mean_of(curve, 0, 5), (1 * 2 + 2 * 3 + 1 * 2 + 1 * 0) / 5.0, 1e-15);
  EXPECT_NEAR(mean_of(curve, 2, 3.5), (0.5 * (3 + 4) + 0.5 * 0.5 * (4 + 2)) / 1.5, 1e-15);
  EXPECT_NEAR(mean_of(curve, 1.5, 2.5), 3, 1e-15);
  EXPECT_EQ(mean_of(curve, -5, 0), 2);
  EXPECT_EQ(mean_of(curve, 7, 9), 0);
  EXPECT_EQ(mean_of(curve, 2, 2), 3);
  EXPECT_EQ(mean_of({{0, 5}}, 1, 8), 5);
}

TEST(SharpCorners, AreThoseThatAStepWouldBlur) {
  EXPECT_THAT(sharp_corners_s({{0, 0}, {10, 1}, {20, 1}, {21, 0}}), ElementsAre(0, 10, 20, 21));
  EXPECT_THAT(sharp_corners_s({{0, 3}}), IsEmpty());
  Curve smooth;
  for (double t = 0; t < 400; t += 0.5) smooth.push_back({t, 1 - std::cos(2 * kPi * t / 400)});
  EXPECT_THAT(sharp_corners_s(smooth), IsEmpty());
}

ThermalProblem closed_box() {
  ThermalProblem p = uniform_problem({}, {12, 10, 8}, 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  return p;
}

TEST(ScaledSources, GiveExactlyTheIntegralOfTheirPower) {
  for (const bool in_double : {false, true}) {
    ThermalProblem p = closed_box();
    // Up and down within seconds, where the engine's steps are as long; one source only in part of the time.
    p.sources = {
        {GaussianSource{2, 1.5, {5.3, 4.1, 3.6}}, {}, {{0, 0}, {7, 1}, {11, 1}, {12, -0.5}, {30, 0.25}}},
        {PointSource{1, {3, 3, 3}}, {{5, 20}}, {{0, 0}, {40, 2}}},
        {LineSource{50, {2, 2, 2}, {8, 6, 4}}}};
    p.duration_s = 40;
    BioheatOptions o;
    o.double_precision = in_double;
    const ThermalResult r = solve(p, o);
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    const double gaussian = 2 * (3.5 + 4 + 0.25 - 18 * 0.125 + 10 * 0.25);
    const double point = (0.25 + 1.0) / 2 * 15, line = 50 * std::sqrt(56.0) * 1e-3 * 40;
    // Of the Gaussian the tails beyond the box are lost.
    ThermalProblem whole = closed_box();
    whole.sources = {{GaussianSource{2, 1.5, {5.3, 4.1, 3.6}}}};
    whole.duration_s = 1;
    const double inside = solve(whole).energy.in_J / 2;
    EXPECT_NEAR(r.energy.in_J, inside * gaussian + point + line, 1e-4);
    EXPECT_LT(r.energy.relative_residual, in_double ? 1e-10 : 1e-4);
  }
}

TEST(ScaledSources, WithAFactorOfOneAreTheSourceItself) {
  ThermalProblem p = closed_box();
  p.sources = {{GaussianSource{2, 1.5, {5.3, 4.1, 3.6}}, {{0, 20}}}};
  p.duration_s = 30;
  p.sample = {{{5, 4, 4}, {2, 2, 2}}, {20, 30}};
  const ThermalResult plain = solve(p);
  p.sources[0].scale = {{0, 1}};
  const ThermalResult scaled = solve(p);
  ASSERT_EQ(plain.samples.size(), scaled.samples.size());
  for (std::size_t n = 0; n < plain.samples.size(); ++n)
    EXPECT_NEAR(plain.samples[n].T_degC, scaled.samples[n].T_degC, 1e-3);
  EXPECT_NEAR(plain.energy.in_J, scaled.energy.in_J, 1e-7);  // of 40 J; far tails may rest
}

/// Even heating of a closed box: the temperature is the integral of the curve, whatever the steps.
TEST(ScaledSources, FollowTheirCurve) {
  ThermalProblem p = closed_box();
  const double capacity = 1060.0 * 3600;
  p.sources = {{VolumetricSource{Volume<float>(p.grid(), float(capacity))}, {}, {{0, 0}, {10, 1}, {20, 0}}}};
  p.duration_s = 40;
  p.sample = {{{5, 4, 4}}, {4, 10, 15, 20, 40}};
  BioheatOptions o;
  o.double_precision = true;
  const ThermalResult r = solve(p, o);
  ASSERT_EQ(r.samples.size(), 5U);
  for (const auto& [n, rise] : {std::pair{0, 0.8}, {1, 5.0}, {2, 8.75}, {3, 10.0}, {4, 10.0}})
    EXPECT_NEAR(r.samples[std::size_t(n)].T_degC - 37, rise, 1e-6) << n;
}

TEST(ScaledSources, StayOutOfHeldBodies) {
  ThermalProblem p = closed_box();
  p.sources = {{VolumetricSource{Volume<float>(p.grid(), 1e5F)}, {}, {{0, 1}, {20, 2}}},
               {FixedTemperatureSource{{Sphere{{5, 5, 4}, 2}}, {{0, 37}}}}};
  p.duration_s = 20;
  BioheatOptions o;
  o.double_precision = true;
  const ThermalResult r = solve(p, o);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

}  // namespace
}  // namespace spinetherm
