// SPDX-License-Identifier: Apache-2.0
#include "thermal/cell_fate.h"

#include <gmock/gmock.h>

#include <cmath>

namespace spinetherm {
namespace {

FreezeHistory course(float start_degC, const std::vector<double>& then_degC) {
  FreezeHistory h({start_degC});
  for (const double T : then_degC) h.add(0, T);
  return h;
}

TEST(Freezes, AreCountedByFallsBelowZero) {
  EXPECT_EQ(course(37, {20, 5, 0}).freezes()[0], 0);
  EXPECT_EQ(course(37, {1, -1, -30, -2}).freezes()[0], 1);
  EXPECT_EQ(course(37, {-1, -30, -0.5, -20}).freezes()[0], 1) << "not above 0 in between";
  EXPECT_EQ(course(37, {-1, 0, -1, 3, -1}).freezes()[0], 3);
}

TEST(Freezes, WhatIsFrozenAtTheStartHasNotFrozenYet) {
  const FreezeHistory h = course(-10, {-40, 5, -25});
  EXPECT_EQ(h.freezes()[0], 1);
  EXPECT_EQ(h.lowest_twice()[0], 0);
}

TEST(LowestTwice, IsTheSecondColdestOfTheFreezes) {
  EXPECT_EQ(course(37, {-50}).lowest_twice()[0], 0);
  EXPECT_EQ(course(37, {-50, 1}).lowest_twice()[0], 0);
  EXPECT_FLOAT_EQ(course(37, {-50, 1, -21}).lowest_twice()[0], -21) << "while the second goes on";
  EXPECT_FLOAT_EQ(course(37, {-50, 1, -21, 1}).lowest_twice()[0], -21);
  EXPECT_FLOAT_EQ(course(37, {-21, 1, -50}).lowest_twice()[0], -21);
  EXPECT_FLOAT_EQ(course(37, {-30, 1, -10, 1, -50}).lowest_twice()[0], -30);
  EXPECT_FLOAT_EQ(course(37, {-30, 1, -10, 1, -15, 1}).lowest_twice()[0], -15);
  EXPECT_FLOAT_EQ(course(37, {-30, -5, -25, 1, -2}).lowest_twice()[0], -2) << "warming within a freeze";
}

CellState held(double T_degC, double t_s, int steps) {
  CellState s{CellDeathModel{}.alive, 0};
  for (int n = 0; n < steps; ++n) s = advance({}, s, straight_step(T_degC, T_degC, t_s / steps));
  return s;
}
/// The same by forward Euler in a great many steps.
CellState by_euler(double T0_degC, double T1_degC, double t_s) {
  const CellDeathModel m;
  CellState s{m.alive, 0};
  constexpr int kSteps = 400000;
  for (int n = 0; n < kSteps; ++n) {
    const double T = T0_degC + (T1_degC - T0_degC) * n / kSteps, dt = t_s / kSteps;
    if (T < 39) {
      s.alive += dt * 7.77e-3 * std::max(0.0, 1 - s.alive - s.dead - 0.01);
      continue;
    }
    const double kf = 3.33e-3 * std::exp(T / 40.5) * (1 - s.alive), v = 1 - s.alive - s.dead;
    s = {s.alive + dt * (-kf * s.alive + 7.77e-3 * v), s.dead + dt * kf * v};
  }
  return s;
}

TEST(CellDeath, FollowsItsEquations) {
  for (const auto& [T0, T1, t] :
       std::vector<std::array<double, 3>>{{65, 65, 120}, {37, 80, 300}, {50, 50, 900}, {60, 20, 600}}) {
    const CellState expected = by_euler(T0, T1, t);
    const CellState s = advance({}, {CellDeathModel{}.alive, 0}, straight_step(T0, T1, t));
    EXPECT_NEAR(s.dead, expected.dead, 1e-4) << T0;
    EXPECT_NEAR(s.alive, expected.alive, 1e-4) << T0;
  }
}

TEST(CellDeath, IsNoneAtRestAndNearlyAllWhenCooked) {
  EXPECT_EQ(held(37, 3600, 60).dead, 0);
  EXPECT_DOUBLE_EQ(held(37, 3600, 60).alive, 0.99);
  EXPECT_GT(held(90, 600, 60).dead, 0.9);
}

TEST(CellDeath, DoesNotDependOnTheSteps) {
  EXPECT_NEAR(held(55, 600, 1).dead, held(55, 600, 100).dead, 1e-5);
}

}  // namespace
}  // namespace spinetherm
