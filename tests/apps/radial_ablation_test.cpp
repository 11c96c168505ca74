// SPDX-License-Identifier: Apache-2.0
#include "apps/radial_ablation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "thermal/closed_form.h"

namespace spinetherm {
namespace {

TEST(RadialAblation, ConvergesInItsMesh) {
  const auto coarse = solve_radial({}, {60, 300, 600}, {100, 0.5});
  const auto fine = solve_radial({}, {60, 300, 600}, {300, 0.25});
  for (std::size_t n = 0; n < 3; ++n) {
    for (const double r : {2.0, 3.0, 5.0, 10.0}) EXPECT_NEAR(coarse[n].T_at(r), fine[n].T_at(r), 0.03);
    EXPECT_NEAR(coarse[n].isotherm_mm(50), fine[n].isotherm_mm(50), 3e-3);
    EXPECT_NEAR(coarse[n].current_A / fine[n].current_A, 1, 1e-3);
  }
}

/// The physics notes, section 4.1 (j), made with another program.
TEST(RadialAblation, IsThePublishedTable) {
  const auto states = solve_radial({}, {60, 300, 600});
  EXPECT_NEAR(states[0].T_at(2), 68.704, 5e-3);
  EXPECT_NEAR(states[1].T_at(5), 57.281, 5e-3);
  EXPECT_NEAR(states[2].T_at(10), 44.748, 5e-3);
  EXPECT_NEAR(states[0].isotherm_mm(50), 3.963, 2e-3);
  EXPECT_NEAR(states[2].isotherm_mm(60), 5.452, 2e-3);
  EXPECT_NEAR(states[2].current_A, 0.10009, 2e-5);
}

/// Constant properties, no blood: T = Tb + B/r - K a2/2r2 (cooled_sphere_degC), here with an insulated wall,
/// K a = B; in a ball of outer radius R the constant makes T(R) = Tb.
TEST(RadialAblation, HasTheSteadyStateOfConstantProperties) {
  RadialAblation p;
  p.outer_mm = 12;
  p.conductivity_per_K = p.electrical_per_K = p.perfusion_W_per_m3_K = 0;
  p.dries_from_degC = 1e6;
  p.dries_to_degC = 2e6;
  p.potential_V = 12;
  const double a = p.electrode_mm, R = p.outer_mm, u = p.potential_V / (1 / a - 1 / R);
  const double K =
      p.electrical_S_per_m * u * u / p.conductivity_W_per_m_K;  // k T'' + 2 k T'/r = -sigma u2/r4
  const auto T = [&](double r) { return K / a / r - K / (2 * r * r); };
  const auto state = solve_radial(p, {2000}, {200, 1}).back();
  for (const double r : {2.0, 4.0, 8.0}) EXPECT_NEAR(state.T_at(r), 37 + T(r) - T(R), 0.02) << r;
}

TEST(RadialAblation, AThinShellOfHigherResistanceReplacesAThickOne) {
  RadialAblation thin;
  thin.outer_mm = 25;
  thin.shell_from_mm = 20;
  thin.shell_divisor = 3;
  const auto a = solve_radial({}, {300}).back(), b = solve_radial(thin, {300}).back();
  EXPECT_NEAR(a.current_A, b.current_A, 2e-5);
  for (const double r : {2.0, 5.0, 10.0}) EXPECT_NEAR(a.T_at(r), b.T_at(r), 0.02);
}

TEST(RadialAblation, DriesWhereItBoils) {
  RadialAblation p;
  p.potential_V = 20;
  const auto states = solve_radial(p, {100, 400}, {200, 0.05});
  EXPECT_GT(states[1].T_degC.front(), 100);
  EXPECT_LT(states[1].current_A, states[0].current_A);
}

}  // namespace
}  // namespace spinetherm
