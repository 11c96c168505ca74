// SPDX-License-Identifier: Apache-2.0
#include "thermal/dose_field.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

constexpr Arrhenius kLiver{7.39e39, 2.577e5}, kStasis{1.98e106, 6.67e5};
constexpr double kBlood_J_per_m3_K = 1050.0 * 3617;

/// A few cells behind insulated walls: uniform, so that the tissue follows an ordinary differential equation.
ThermalProblem closed_box(double start_degC, double perfusion_per_s = 0) {
  UniformTissue t;
  t.perfusion_per_s = perfusion_per_s;
  ThermalProblem p = uniform_problem(t, {3, 3, 3}, 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.initial_degC = start_degC;
  p.fields.cem43 = p.fields.arrhenius = p.fields.temperature = true;
  p.fields.peak_temperature = p.fields.lowest_temperature = true;
  p.sample.points_mm = {{1, 1, 1}, {0.4, 1.3, 1.7}};
  return p;
}
double capacity() { return UniformTissue{}.heat_capacity(); }
Source everywhere(const ThermalProblem& p, double W_per_m3, ActiveTimes active = {}) {
  return {VolumetricSource{Volume<float>(p.grid(), float(W_per_m3))}, std::move(active)};
}
BioheatOptions accurate() {
  BioheatOptions o;
  o.double_precision = true;
  o.step_error_K = 1e-4;
  return o;
}
Sample last_sample(const ThermalResult& r) { return r.samples.back(); }

TEST(RateTable, IsGoodToFiveInHundredThousand) {
  const RateTable doubling([](double T) { return std::exp2(T - 43); });
  for (double T = -60; T <= 140; T += 0.0137) EXPECT_NEAR(doubling(T) / std::exp2(T - 43), 1, 5e-5) << T;
  EXPECT_TRUE(RateTable::covers(140));
  EXPECT_FALSE(RateTable::covers(140.01));
  EXPECT_FALSE(RateTable::covers(-60.01));
  EXPECT_FALSE(RateTable::covers(NAN));
  EXPECT_GT(doubling(140), 0);
}

TEST(DoseInARun, ARampAcross39And43InLongStepsIsExact) {
  for (const double K_per_min : {1.0, 6.0, 30.0}) {
    ThermalProblem p = closed_box(37);
    p.sources = {everywhere(p, capacity() * K_per_min / 60)};
    p.duration_s = 60 * 23 / K_per_min;
    p.sample.times_s = {p.duration_s};
    const ThermalResult r = solve(p, accurate());
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    EXPECT_LT(r.summary.steps, 40);  // some of them leap over both bounds
    const double expected = cem43_of_ramp_min(37, 60, K_per_min);
    for (const float dose : r.cem43.values) EXPECT_NEAR(double(dose) / expected, 1, 3e-4);
    for (const Sample& s : r.samples) EXPECT_NEAR(s.cem43_min / expected, 1, 1e-5);
    EXPECT_NEAR(last_sample(r).T_degC, 60, 1e-6);
  }
}

TEST(DoseInARun, ExponentialCoolingGivesTheClosedForms) {
  // tau = 2 min: dT/dt = -(T - 37)/tau by perfusion alone.
  for (const double D : {8.0, 13.0, 23.0}) {
    ThermalProblem p = closed_box(37 + D, capacity() / kBlood_J_per_m3_K / 120);
    p.duration_s = 1200;
    p.sample.times_s = {1200};
    const ThermalResult r = solve(p, accurate());
    const double expected = cem43_of_cooling_min(D, 2);
    EXPECT_NEAR(double(r.cem43[13]) / expected, 1, 2e-3) << D;
    EXPECT_NEAR(last_sample(r).cem43_min / expected, 1, 2e-3) << D;
    EXPECT_NEAR(double(r.peak_temperature[0]), 37 + D, 1e-4);
    EXPECT_NEAR(double(r.lowest_temperature[0]), 37 + D * std::exp(-10), 1e-2);
    EXPECT_EQ(r.peak_time_s[0], 0);
    EXPECT_EQ(r.lowest_time_s[0], 1200);
  }
}

TEST(DoseInARun, RestHasItsDoseTooInsideTheWindowAndOutside) {
  for (const bool stepped : {false, true}) {
    ThermalProblem p = closed_box(50);
    p.tissue_map.tissues[0].damage = kLiver;
    if (stepped) p.initial_field = Volume<float>(p.grid(), 50);  // a given field is no state of rest
    p.duration_s = arrhenius_time_s(kLiver.frequency_per_s, kLiver.energy_J_per_mol, 50);
    p.sample.times_s = {p.duration_s};
    const ThermalResult r = solve(p, accurate());
    EXPECT_NEAR(double(r.cem43[4]) / (p.duration_s / 60 * 128), 1, 1e-4) << stepped;
    EXPECT_NEAR(double(r.arrhenius[4]), 1, 1e-4) << stepped;
    EXPECT_NEAR(last_sample(r).arrhenius.value(), 1, 1e-4) << stepped;
  }
}

TEST(DoseInARun, QuarterConventionCountsBelow39) {
  for (const bool quarter : {false, true}) {
    ThermalProblem p = closed_box(37);
    p.cem43_quarter_below_39 = quarter;
    p.duration_s = 600;
    p.sample.times_s = {600};
    const ThermalResult r = solve(p, accurate());
    const double expected = quarter ? 10 * std::pow(0.25, 6) : 0;
    EXPECT_NEAR(double(r.cem43[0]), expected, 1e-4 * expected);
    EXPECT_NEAR(last_sample(r).cem43_min, expected, 1e-4 * expected);
  }
}

TEST(DoseInARun, IsCappedAndStaysFinite) {
  ThermalProblem p = closed_box(37);
  p.initial_field = Volume<float>(p.grid(), 95);
  p.tissue_map.tissues[0].damage = Arrhenius{1e35, 1};
  p.duration_s = 100;
  p.sample.times_s = {100};
  const ThermalResult r = solve(p, accurate());
  EXPECT_EQ(r.cem43[0], float(kCem43Cap_min));
  EXPECT_EQ(r.arrhenius[0], float(kArrheniusCap));
  EXPECT_EQ(last_sample(r).cem43_min, kCem43Cap_min);
  EXPECT_EQ(last_sample(r).arrhenius.value(), kArrheniusCap);
}

TEST(DoseInARun, RestIsCappedLikeEverythingElse) {
  ThermalProblem p = closed_box(95);
  p.duration_s = 3600;
  EXPECT_EQ(solve(p, accurate()).cem43[0], float(kCem43Cap_min));
}

TEST(DoseInARun, TissueWithoutADamageLawHasNoIntegral) {
  ThermalProblem p = closed_box(60);
  p.duration_s = 10;
  EXPECT_TRUE(solve(p).arrhenius.empty());
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  p.tissue_map.tissues[1].damage = kLiver;
  for (std::size_t c = 9; c < 27; ++c) p.tissue_map.labels[c] = 1;
  p.sample = {{{1, 1, 0}, {1, 1, 2}}, {10}};
  const ThermalResult r = solve(p);
  EXPECT_TRUE(std::isnan(r.arrhenius[0]));
  EXPECT_GT(r.arrhenius[26], 0);
  EXPECT_FALSE(r.samples[0].arrhenius);
  EXPECT_TRUE(r.samples[1].arrhenius);
}

// Perfusion with rate beta = w rho_b c_b / (rho c) against an even source: T = 37 + (q/W)(1 - exp(-beta t)).
// Where it stops, T goes on by q/(rho c) per second.
constexpr double kBeta_per_s = 1.0 / 100;

BioheatOptions fine_steps() {
  BioheatOptions o = accurate();
  o.max_step_s = 0.25;
  return o;
}

TEST(PerfusionRules, FlowStopsWhereATemperatureWasReached) {
  ThermalProblem p = closed_box(37, kBeta_per_s * capacity() / kBlood_J_per_m3_K);
  p.tissue_map.tissues[0].perfusion_rule.stops_above_degC = 45;
  const double rate = 0.2;  // K/s; 57 degC in the end, 45 degC after
  p.sources = {everywhere(p, rate * capacity())};
  const double stops_s = -std::log(1 - 8 * kBeta_per_s / rate) / kBeta_per_s;
  p.duration_s = 120;
  p.sample.times_s = {40, 120};
  const ThermalResult r = solve(p, fine_steps());
  EXPECT_NEAR(r.samples[0].T_degC, 37 + rate / kBeta_per_s * (1 - std::exp(-40 * kBeta_per_s)), 1e-3);
  EXPECT_NEAR(last_sample(r).T_degC, 45 + rate * (120 - stops_s), 0.02);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(PerfusionRules, FlowStopsAtADamageIntegral) {
  // Held at 50 degC by its source until the vessels are damaged.
  ThermalProblem p = closed_box(50, kBeta_per_s * capacity() / kBlood_J_per_m3_K);
  p.tissue_map.tissues[0].damage = kStasis;
  p.tissue_map.tissues[0].perfusion_rule.stops_at_arrhenius = 0.7;
  p.sources = {everywhere(p, 13 * kBeta_per_s * capacity())};
  const double stops_s = arrhenius_time_s(kStasis.frequency_per_s, kStasis.energy_J_per_mol, 50, 0.7);
  p.duration_s = stops_s + 20;
  p.sample.times_s = {stops_s - 1, p.duration_s};
  const ThermalResult r = solve(p, fine_steps());
  EXPECT_NEAR(r.samples[0].T_degC, 50, 1e-5);
  EXPECT_NEAR(last_sample(r).T_degC, 50 + 20 * 13 * kBeta_per_s, 0.26 * 13 * kBeta_per_s);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(PerfusionRules, FlowFallsWithTheDamageIntegral) {
  // dT/dt = beta e^-Omega (37 - T) + s, dOmega/dt = A exp(-E/RT): beside small steps of a midpoint rule.
  ThermalProblem p = closed_box(37, kBeta_per_s * capacity() / kBlood_J_per_m3_K);
  p.tissue_map.tissues[0].damage = kStasis;
  p.tissue_map.tissues[0].perfusion_rule.falls_with_arrhenius = true;
  const double rate = 13.5 * kBeta_per_s;
  p.sources = {everywhere(p, rate * capacity())};
  p.duration_s = 900;
  p.sample.times_s = {300, 900};
  const ThermalResult r = solve(p, fine_steps());
  double T = 37, omega = 0;
  const double dt = 0.01;
  const auto slope = [&](double T_degC, double w) {
    return kBeta_per_s * std::exp(-w) * (37 - T_degC) + rate;
  };
  for (int n = 0; n < 90000; ++n) {
    const double T_mid = T + dt / 2 * slope(T, omega);
    const double w_mid = omega + dt / 2 * arrhenius_rate_per_s(kStasis, T);
    T += dt * slope(T_mid, w_mid);
    omega += dt * arrhenius_rate_per_s(kStasis, T_mid);
    if (n == 29999) {
      EXPECT_NEAR(r.samples[0].T_degC, T, 0.03);
    }
  }
  EXPECT_GT(omega, 0.5) << "nothing has fallen";
  EXPECT_NEAR(last_sample(r).T_degC, T, 0.05);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(PerfusionRules, WithoutARuleFlowNeverStops) {
  ThermalProblem p = closed_box(37, kBeta_per_s * capacity() / kBlood_J_per_m3_K);
  p.sources = {everywhere(p, 30 * kBeta_per_s * capacity())};
  p.duration_s = 1500;
  p.sample.times_s = {1500};
  EXPECT_NEAR(last_sample(solve(p, accurate())).T_degC, 67, 1e-3);
}

/// Freezes within a minute, is warmed above the liquidus from 100 s on, and left alone from 200 s on.
ThermalProblem frozen_and_thawed(bool returns) {
  ThermalProblem p = closed_box(10, kBeta_per_s * capacity() / kBlood_J_per_m3_K);
  Tissue& t = p.tissue_map.tissues[0];
  t.frozen = Frozen{1060, 2000, 2.2, 20e3, -8, -0.6};
  t.perfusion_rule.returns_after_freezing = returns;
  p.sources = {everywhere(p, -1.5 * capacity(), {{0, 60}}), everywhere(p, 1.0 * capacity(), {{100, 200}})};
  p.sample.times_s = {60, 90, 100, 200, 250};
  p.duration_s = 250;
  return p;
}

TEST(PerfusionRules, IceStopsTheFlowForGood) {
  const ThermalResult r = solve(frozen_and_thawed(false), fine_steps());
  EXPECT_LT(r.samples[0].T_degC, -10);
  EXPECT_NEAR(r.samples[4].T_degC, r.samples[0].T_degC, 1e-9);  // 100 s: nothing flows in ice
  EXPECT_GT(r.samples[6].T_degC, 5);
  EXPECT_NEAR(r.samples[8].T_degC, r.samples[6].T_degC, 1e-9);  // nor after it
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(PerfusionRules, FlowReturnsWithTheThawWhereItMay) {
  const ThermalResult r = solve(frozen_and_thawed(true), fine_steps());
  EXPECT_LT(r.samples[0].T_degC, -10);
  EXPECT_NEAR(r.samples[4].T_degC, r.samples[0].T_degC, 1e-9);
  const double T200 = r.samples[6].T_degC;
  EXPECT_GT(T200, 5);
  EXPECT_NEAR(r.samples[8].T_degC, 37 + (T200 - 37) * std::exp(-50 * kBeta_per_s), 1e-3);
  EXPECT_LT(r.energy.relative_residual, 1e-10);
}

TEST(PerfusionRules, WhatWasCookedDoesNotReturnAfterFreezing) {
  ThermalProblem p = frozen_and_thawed(true);
  p.initial_degC = 50;
  p.tissue_map.tissues[0].perfusion_rule.stops_above_degC = 49;
  p.sources[0].active_s = {{0, 60}};
  std::get<VolumetricSource>(p.sources[0].what).power_W_per_m3 =
      Volume<float>(p.grid(), float(-2.5 * capacity()));
  const ThermalResult r = solve(p, fine_steps());
  EXPECT_LT(r.samples[0].T_degC, -10);
  EXPECT_NEAR(r.samples[8].T_degC, r.samples[6].T_degC, 1e-9);
}

}  // namespace
}  // namespace spinetherm
