// SPDX-License-Identifier: Apache-2.0
#include "thermal/bioheat_solver.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <stop_token>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

UniformTissue perfused() {
  UniformTissue t;
  t.perfusion_per_s = 0.003;
  return t;
}
BioheatOptions in_double() {
  BioheatOptions o;
  o.double_precision = true;
  return o;
}
void ask_for_all_fields(ThermalProblem& p) {
  p.fields = {.temperature = true,
              .peak_temperature = true,
              .lowest_temperature = true,
              .cem43 = true,
              .arrhenius = true};
}
bool same_bits(const Volume<float>& a, const Volume<float>& b) { return !a.empty() && a.values == b.values; }

/// Two tissues, one of which freezes, a held cold ball, heat of several kinds, every kind of boundary.
ThermalProblem everything_at_once() {
  ThermalProblem p = uniform_problem(perfused(), {18, 16, 14}, 1);
  Tissue bone = p.tissue_map.tissues[0];
  bone.conductivity_W_per_m_K = 0.3;
  bone.conductivity_per_K = 0.002;
  bone.metabolic_W_per_m3 = 700;
  bone.frozen = Frozen{1000, 2000, 1.8, 100e3, -8, -0.6};
  p.tissue_map.tissues.push_back(bone);
  for (std::size_t c = 0; c < p.grid().count(); ++c) p.tissue_map.labels[c] = int(c) % 18 >= 9;
  p.boundary = {Boundary{BoundaryKind::fixed, 37, 0},       Boundary{BoundaryKind::convective, 20, 60},
                Boundary{BoundaryKind::insulated, 37, 0},   Boundary{BoundaryKind::fixed, 35, 0},
                Boundary{BoundaryKind::convective, 37, 10}, Boundary{BoundaryKind::insulated, 37, 0}};
  p.sources = {{GaussianSource{2, 2, {4.3, 8.1, 6.2}}, {{0, 40}}},
               {LineSource{-20, {3, 3, 3}, {3, 12, 3}}},
               {PointSource{0.5, {6.4, 5.5, 9.7}}, {{10, 60}}},
               {FixedTemperatureSource{{Sphere{{13.2, 8.1, 6.9}, 1.7}}, {{0, 37}, {20, -60}}}, {{0, 50}}}};
  p.duration_s = 65;
  return p;
}

TEST(SolverAtRest, ZeroPowerLeavesItExactlyAsItIs) {
  for (const bool in_double_precision : {false, true})
    for (const bool until_settled : {false, true}) {
      ThermalProblem p = uniform_problem(perfused(), {12, 12, 12}, 1);
      p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
      p.tissue_map.tissues[0].damage = Arrhenius{7.39e39, 2.577e5};
      ElectrodesSource electrodes;
      electrodes.electrodes = {{{Sphere{{5, 5, 5}, 1.5}}, 10}};
      electrodes.control = ConstantPower{0};
      p.sources = {{PointSource{0, {3, 4, 5}}},
                   {GaussianSource{0, 2, {6, 6, 6}}},
                   {VolumetricSource{Volume<float>(p.grid(), 0)}},
                   {electrodes},
                   {FixedTemperatureSource{{Sphere{{8, 8, 8}, 1.5}}, {{0, 37}}}}};
      p.boundary[x_max] = {BoundaryKind::convective, 37, 100};
      p.boundary[z_min].kind = BoundaryKind::insulated;
      p.duration_s = 100;
      p.until_dose_settled = until_settled;
      p.sample = {{{3, 4, 5}, {6.2, 7.7, 1.3}}, {0, 50, 100}};
      ask_for_all_fields(p);
      BioheatOptions o;
      o.double_precision = in_double_precision;
      const ThermalResult r = solve(p, o);
      ASSERT_TRUE(r.summary.usable()) << r.summary.message;
      for (const auto* field : {&r.temperature, &r.peak_temperature, &r.lowest_temperature})
        for (const float T : field->values) ASSERT_EQ(T, 37);
      for (const float dose : r.cem43.values) ASSERT_EQ(dose, 0);
      for (const Sample& s : r.samples) EXPECT_EQ(s.T_degC, 37);
      EXPECT_EQ(r.energy.in_J, 0);
      EXPECT_EQ(r.energy.stored_J, 0);
      EXPECT_EQ(r.energy.out_J, 0);
    }
}

TEST(SolverAtRest, OtherTemperaturesRestToo) {
  ThermalProblem p = uniform_problem({}, {8, 8, 8}, 1);
  p.initial_degC = 20.3;
  for (Boundary& b : p.boundary) b.degC = 20.3;
  p.sources = {{GaussianSource{1, 1, {3, 3, 3}}, {{50, 60}}}};
  p.duration_s = 50;
  p.fields.temperature = true;
  for (const float T : solve(p).temperature.values) EXPECT_EQ(T, 20.3F);
}

/// The problem as seen in a mirror across an axis. Needs a grid whose numbers are exact in binary.
ThermalProblem mirrored(ThermalProblem p, int axis) {
  const Grid& g = p.grid();
  const ThermalProblem original = p;
  const double sum_mm = 2 * g.origin_mm[axis] + (g.size[std::size_t(axis)] - 1) * g.spacing_mm[axis];
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        std::array<int, 3> c{i, j, k};
        c[std::size_t(axis)] = g.size[std::size_t(axis)] - 1 - c[std::size_t(axis)];
        p.tissue_map.labels(i, j, k) = original.tissue_map.labels(c[0], c[1], c[2]);
      }
  std::swap(p.boundary[std::size_t(2 * axis)], p.boundary[std::size_t(2 * axis + 1)]);
  const auto flip = [&](Vector3d& x) { x[axis] = sum_mm - x[axis]; };
  for (Source& s : p.sources) {
    if (auto* gaussian = std::get_if<GaussianSource>(&s.what)) flip(gaussian->at_mm);
    if (auto* held = std::get_if<FixedTemperatureSource>(&s.what))
      flip(std::get<Sphere>(held->region.shape).centre_mm);
  }
  return p;
}

/// Cells whose temperature differs from that of their image, and the largest difference [K].
std::pair<std::size_t, double> unlike(const ThermalResult& a, const ThermalResult& b, int axis) {
  const Grid& g = a.temperature.grid;
  std::size_t differ = 0;
  double most_K = 0;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        std::array<int, 3> c{i, j, k};
        c[std::size_t(axis)] = g.size[std::size_t(axis)] - 1 - c[std::size_t(axis)];
        const float image = b.temperature(c[0], c[1], c[2]);
        differ += a.temperature(i, j, k) != image;
        most_K = std::max(most_K, std::abs(double(a.temperature(i, j, k) - image)));
      }
  return {differ, most_K};
}

TEST(SolverSymmetry, AMirroredProblemGivesTheMirroredAnswer) {
  ThermalProblem p = uniform_problem(perfused(), {16, 14, 12}, 1);
  Tissue bone = p.tissue_map.tissues[0];
  bone.conductivity_W_per_m_K = 0.3;
  bone.conductivity_per_K = 0.002;
  p.tissue_map.tissues.push_back(bone);
  for (int k = 0; k < 12; ++k)
    for (int j = 0; j < 14; ++j)
      for (int i = 0; i < 16; ++i) p.tissue_map.labels(i, j, k) = i + 2 * j - k > 18;
  p.boundary[x_min] = {BoundaryKind::convective, 20, 60};
  p.boundary[y_max].kind = BoundaryKind::insulated;
  p.sources = {{GaussianSource{3, 1.5, {4.25, 7.5, 6}}, {{0, 20}}}};
  p.duration_s = 40;
  p.fields.temperature = true;
  for (int axis = 0; axis < 3; ++axis) {
    SCOPED_TRACE(axis);
    BioheatOptions plain;
    plain.fourth_order = false;
    EXPECT_EQ(unlike(solve(p, plain), solve(mirrored(p, axis), plain), axis).first, 0U);  // bit for bit
    const ThermalResult a = solve(p), b = solve(mirrored(p, axis));
    EXPECT_EQ(unlike(a, b, axis).first, 0U);
    EXPECT_EQ(a.summary.steps, b.summary.steps);
  }
}

TEST(SolverThreads, OneAndTwoGiveTheSameBits) {
  ThermalProblem p = uniform_problem(perfused(), {44, 42, 40}, 1);  // enough for two threads to share
  p.boundary[x_min] = {BoundaryKind::convective, 20, 60};           // not at rest: all cells are stepped
  p.tissue_map.tissues[0].damage = Arrhenius{7.39e39, 2.577e5};
  p.tissue_map.tissues[0].perfusion_rule.stops_above_degC = 42;
  p.sources = {{GaussianSource{20, 4, {20, 22, 19}}},
               {FixedTemperatureSource{{Sphere{{32, 20, 20}, 2}}, {{0, 20}}}}};
  p.duration_s = 8;
  p.sample = {{{21.3, 20, 20}}, {5, 8}};
  ask_for_all_fields(p);
  for (const bool in_double_precision : {false, true}) {
    BioheatOptions o;
    o.double_precision = in_double_precision;
    o.threads = 1;
    const ThermalResult one = solve(p, o);
    o.threads = 2;
    const ThermalResult two = solve(p, o);
    EXPECT_TRUE(same_bits(one.temperature, two.temperature));
    EXPECT_TRUE(same_bits(one.cem43, two.cem43));
    EXPECT_TRUE(same_bits(one.arrhenius, two.arrhenius));
    EXPECT_EQ(one.energy.out_J, two.energy.out_J);
    EXPECT_EQ(one.energy.stored_J, two.energy.stored_J);
    EXPECT_EQ(one.summary.stages, two.summary.stages);
    EXPECT_EQ(one.samples.back().T_degC, two.samples.back().T_degC);
    EXPECT_EQ(one.samples.back().cem43_min, two.samples.back().cem43_min);
  }
}

TEST(SolverEnergy, IsBalancedWithEverythingAtOnce) {
  const ThermalResult fine = solve(everything_at_once(), in_double());
  ASSERT_TRUE(fine.summary.usable()) << fine.summary.message;
  EXPECT_GT(std::abs(fine.energy.in_J), 10);
  EXPECT_LT(fine.energy.relative_residual, 1e-10);
  const ThermalResult quick = solve(everything_at_once());
  EXPECT_LT(quick.energy.relative_residual, 1e-4);
  EXPECT_NEAR(quick.energy.in_J / fine.energy.in_J, 1, 1e-3);
}

TEST(SolverEnergy, IsBalancedWithElectrodesAndVoxelApplicators) {
  for (const bool voxel : {false, true}) {
    ThermalProblem p = uniform_problem(perfused(), {18, 16, 16}, 1);
    p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
    p.tissue_map.tissues[0].electrical_per_K = 0.015;
    ElectrodesSource electrodes;
    electrodes.electrodes = {{{Sphere{{5.2, 7.4, 8.1}, 1.6}}, 8, 20}, {{Sphere{{11.7, 7.4, 8.1}, 1.6}}, -8}};
    electrodes.outer_grounded = false;
    p.sources = {{electrodes, {{0, 20}}}};
    p.voxel_applicators = voxel;
    p.duration_s = 30;
    const ThermalResult r = solve(p, in_double());
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    EXPECT_GT(r.energy.in_J, 1);
    EXPECT_LT(r.energy.relative_residual, 1e-10) << voxel;
    EXPECT_LT(solve(p).energy.relative_residual, 1e-4) << voxel;
  }
}

TEST(SolverEnergy, WhatASourceGivesIsItsPowerTimesItsTime) {
  ThermalProblem p = uniform_problem({}, {20, 20, 20}, 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.sources = {{PointSource{1.5, {9.3, 9.1, 8.8}}, {{0, 10}, {20, 25}}},
               {LineSource{100, {4, 4, 4}, {4, 4, 14}}, {{5, 8}}}};
  p.duration_s = 30;
  const ThermalResult r = solve(p, in_double());
  EXPECT_NEAR(r.energy.in_J, 1.5 * 15 + 1 * 3, 1e-9);
  EXPECT_NEAR(r.energy.stored_J, r.energy.in_J - r.energy.out_J, 1e-9);
  EXPECT_LT(std::abs(r.energy.out_J), 1e-8);  // insulated; some reaches cells that are still at rest
}

/// One cosine across a closed box, cooled by blood: decays at an exact rate on its grid.
double decayed_K(double step_s, double end_s) {
  ThermalProblem p = uniform_problem(perfused(), {16, 1, 1}, 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.initial_field = Volume<float>(p.grid(), 37);
  for (int i = 0; i < 16; ++i) p.initial_field(i, 0, 0) = float(37 + 16 * std::cos(kPi * (i + 0.5) / 16));
  p.duration_s = end_s;
  p.sample = {{{0, 0, 0}}, {end_s}};
  BioheatOptions o = in_double();
  o.fourth_order = false;
  o.first_step_s = o.max_step_s = step_s;
  o.max_step_K = o.step_error_K = 1e3;
  return solve(p, o).samples.back().T_degC - 37;
}

TEST(SolverInTime, IsSecondOrder) {
  const double end_s = 120, exact = decayed_K(0.05, end_s);
  // Steps that all take three stages: the constant of the error depends on their number.
  const double coarse = std::abs(decayed_K(8, end_s) - exact);
  const double middle = std::abs(decayed_K(4, end_s) - exact);
  const double fine = std::abs(decayed_K(2, end_s) - exact);
  EXPECT_NEAR(std::log2(coarse / middle), 2, 0.15);
  EXPECT_NEAR(std::log2(middle / fine), 2, 0.15);
  // Semi-discrete decay of the mode: 4 alpha / h^2 sin^2(pi / 32) + beta.
  const UniformTissue t = perfused();
  const double rate = 4 * t.diffusivity() * 1e6 * std::pow(std::sin(kPi / 32), 2) + t.decay();
  EXPECT_NEAR(exact / (16 * std::cos(kPi / 32) * std::exp(-rate * end_s)), 1, 2e-3);
}

TEST(SolverInTime, ASlabWithAFilmEndsInItsSteadyState) {
  // q = (T0 - T1) / (L/k + 1/h)
  ThermalProblem p = uniform_problem({}, {12, 3, 3}, 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.boundary[x_min] = {BoundaryKind::fixed, 60, 0};
  p.boundary[x_max] = {BoundaryKind::convective, 20, 40};
  p.duration_s = 4000;
  p.sample = {{{-0.5, 1, 1}, {3.25, 1, 1}, {11.5, 1, 1}}, {4000}};
  const ThermalResult r = solve(p, in_double());
  const double flux = 40 / (12e-3 / 0.5 + 1 / 40.0);
  EXPECT_NEAR(r.samples[0].T_degC, 60, 1e-3);
  EXPECT_NEAR(r.samples[1].T_degC, 60 - flux * 3.75e-3 / 0.5, 1e-3);
  EXPECT_NEAR(r.samples[2].T_degC, 20 + flux / 40, 1e-3);
}

TEST(SolverInTime, SamplesComeAtTheirTimesInTheirOrder) {
  ThermalProblem p = uniform_problem({}, {9, 9, 9}, 1);
  p.sources = {{GaussianSource{1, 1.5, {4, 4, 4}}, {{0, 7.3}}}};
  p.duration_s = 20;
  p.sample = {{{4, 4, 4}, {6, 4, 4}}, {0, 3.7, 7.3, 20}};
  const ThermalResult r = solve(p);
  ASSERT_EQ(r.samples.size(), 8U);
  EXPECT_EQ(r.samples[0].T_degC, 37);
  EXPECT_EQ(r.samples[2].t_s, 3.7);
  EXPECT_EQ(r.samples[3].at_mm, Vector3d(6, 4, 4));
  EXPECT_GT(r.samples[4].T_degC, r.samples[2].T_degC);
  EXPECT_GT(r.samples[4].T_degC, r.samples[6].T_degC);
  EXPECT_NEAR(r.summary.simulated_s, 20, 1e-9);
}

TEST(SolverInTime, AnEvenStartGivenAsAFieldIsTheSameStart) {
  ThermalProblem p = uniform_problem(perfused(), {14, 14, 14}, 1);
  p.sources = {{GaussianSource{2, 1.5, {6.3, 6, 7}}}};
  p.duration_s = 30;
  p.fields.temperature = true;
  const ThermalResult number = solve(p);
  p.initial_field = Volume<float>(p.grid(), 37);
  const ThermalResult field = solve(p);
  for (std::size_t c = 0; c < p.grid().count(); ++c)
    EXPECT_NEAR(number.temperature[c], field.temperature[c], 2e-3);
}

TEST(SolverStops, WhenItIsToldToBeforeItBegins) {
  ThermalProblem p = uniform_problem({}, {9, 9, 9}, 1);
  p.sources = {{PointSource{1, {4, 4, 4}}}};
  p.duration_s = 60;
  std::stop_source stop;
  stop.request_stop();
  const ThermalResult r = solve(p, {}, {.stop = stop.get_token()});
  EXPECT_EQ(r.summary.termination, Termination::cancelled);
  EXPECT_FALSE(r.summary.usable());
  EXPECT_EQ(r.summary.simulated_s, 0);
  EXPECT_THAT(r.summary.message, HasSubstr("cancelled"));
}

TEST(SolverStops, InTheMiddleOfARun) {
  ThermalProblem p = uniform_problem({}, {9, 9, 9}, 1);
  p.sources = {{PointSource{1, {4, 4, 4}}}};
  p.duration_s = 600;
  std::stop_source stop;
  double last_fraction = 0;
  Progress progress;
  progress.stop = stop.get_token();
  progress.report = [&](double fraction, std::string_view what) {
    EXPECT_GE(fraction, last_fraction);
    EXPECT_LE(fraction, 1);
    EXPECT_FALSE(what.empty());
    last_fraction = fraction;
    if (fraction > 0.2) stop.request_stop();
  };
  const ThermalResult r = solve(p, {}, progress);
  EXPECT_EQ(r.summary.termination, Termination::cancelled);
  EXPECT_GT(r.summary.simulated_s, 100);
  EXPECT_LT(r.summary.simulated_s, 500);
}

TEST(SolverUntilSettled, GoesOnAfterTheSourceHasEnded) {
  ThermalProblem p = uniform_problem({}, {20, 20, 20}, 1);
  p.sources = {{GaussianSource{0.7, 2, {9.5, 9.5, 9.5}}, {{0, 60}}}};
  p.fields.cem43 = true;
  p.duration_s = 60;
  const ThermalResult stopped = solve(p);
  p.until_dose_settled = true;
  const ThermalResult settled = solve(p);
  p.duration_s = 0;  // from the ends of the sources
  const ThermalResult by_source = solve(p);
  p.until_dose_settled = false;
  p.duration_s = 2000;
  const ThermalResult endless = solve(p);
  ASSERT_TRUE(settled.summary.usable()) << settled.summary.message;
  EXPECT_NEAR(stopped.summary.simulated_s, 60, 1e-9);
  EXPECT_GE(settled.summary.simulated_s, 120);
  EXPECT_EQ(settled.summary.simulated_s, by_source.summary.simulated_s);
  const auto dose = [](const ThermalResult& r, int i) { return double(r.cem43(i, 9, 9)); };
  for (const int i : {4, 6, 9}) {
    EXPECT_GT(dose(settled, i), 1.02 * dose(stopped, i)) << i;
    EXPECT_NEAR(dose(settled, i) / dose(endless, i), 1, 2e-3) << i;
  }
}

TEST(SolverUntilSettled, WaitsAMinuteEvenWhereNothingIsHot) {
  ThermalProblem p = uniform_problem({}, {10, 10, 10}, 1);
  p.sources = {{GaussianSource{0.01, 2, {4.5, 4.5, 4.5}}, {{0, 30}}}};
  p.until_dose_settled = true;
  const ThermalResult r = solve(p);
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  EXPECT_GE(r.summary.simulated_s, 90);
  EXPECT_LT(r.summary.simulated_s, 300);
}

TEST(SolverUntilSettled, WaitsForTheColdToo) {
  ThermalProblem p = uniform_problem({}, {16, 16, 16}, 1);
  p.tissue_map.tissues[0].frozen = Frozen{1000, 2000, 2.2, 250e3, -8, -0.6};
  p.sources = {{FixedTemperatureSource{{Sphere{{7.5, 7.5, 7.5}, 2}}, {{0, -100}}}, {{0, 60}}}};
  p.until_dose_settled = true;
  p.fields.temperature = p.fields.lowest_temperature = true;
  const ThermalResult r = solve(p);
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  EXPECT_GE(r.summary.simulated_s, 120);
  EXPECT_LT(*std::min_element(r.lowest_temperature.values.begin(), r.lowest_temperature.values.end()), -50);
  EXPECT_GT(*std::min_element(r.temperature.values.begin(), r.temperature.values.end()), 0);
}

TEST(SolverUntilSettled, SaysSoWhenItNeverSettles) {
  ThermalProblem p = uniform_problem({}, {4, 4, 4}, 1);
  for (Boundary& b : p.boundary) b.degC = 45;
  p.until_dose_settled = true;
  const ThermalResult r = solve(p);
  EXPECT_EQ(r.summary.termination, Termination::not_converged);
  EXPECT_FALSE(r.summary.usable());
  EXPECT_THAT(r.summary.message, HasSubstr("not settled"));
}

TEST(SolverDiverged, GivesNoPicture) {
  ThermalProblem p = uniform_problem({}, {6, 6, 6}, 1);
  p.sources = {{VolumetricSource{Volume<float>(p.grid(), 3e38F)}}};
  p.duration_s = 10;
  p.sample = {{{2, 2, 2}}, {10}};
  ask_for_all_fields(p);
  const ThermalResult r = solve(p);
  EXPECT_EQ(r.summary.termination, Termination::diverged);
  EXPECT_FALSE(r.summary.usable());
  EXPECT_THAT(r.summary.message, HasSubstr("tissue 'soft tissue'"));
  for (const auto* field :
       {&r.temperature, &r.peak_temperature, &r.lowest_temperature, &r.cem43, &r.arrhenius})
    EXPECT_TRUE(field->empty());
  EXPECT_TRUE(r.zones.empty());
  EXPECT_TRUE(r.samples.empty());
}

TEST(SolverWithElectrodes, ConstantPowerIsThatPower) {
  ThermalProblem p = uniform_problem({}, {18, 18, 18}, 1);
  p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
  ElectrodesSource electrodes;
  electrodes.electrodes = {{{Sphere{{8.3, 8.6, 8.4}, 2}}, 10}};
  electrodes.control = ConstantPower{4};
  p.sources = {{electrodes, {{0, 10}}}};
  p.duration_s = 20;
  const ThermalResult r = solve(p, in_double());
  ASSERT_TRUE(r.electrical);
  for (std::size_t n = 0; n < r.electrical->times_s.size(); ++n) {
    if (r.electrical->times_s[n] >= 10) continue;
    EXPECT_NEAR(r.electrical->power_W[n], 4, 1e-6);
    EXPECT_NEAR(r.electrical->resistance_ohm[n] * std::pow(r.electrical->current_A[n], 2), 4, 1e-3);
  }
  EXPECT_NEAR(r.energy.in_J, 40, 0.1);
}

TEST(SolverRefuses, OptionsThatCannotBeMeant) {
  const auto with = [](const std::function<void(BioheatOptions&)>& spoil) {
    return [=] {
      BioheatOptions o;
      spoil(o);
      solve(uniform_problem({}, {4, 4, 4}, 1), o);
    };
  };
  EXPECT_THAT(with([](BioheatOptions& o) { o.max_step_K = 0; }),
              ThrowsMessage<ConfigError>(HasSubstr("BioheatOptions.max_step_K = 0")));
  EXPECT_THAT(with([](BioheatOptions& o) { o.max_step_s = NAN; }),
              ThrowsMessage<ConfigError>(HasSubstr("max_step_s")));
  EXPECT_THAT(with([](BioheatOptions& o) { o.first_step_s = 100; }),
              ThrowsMessage<ConfigError>(HasSubstr("first_step_s = 100")));
  EXPECT_THAT(with([](BioheatOptions& o) { o.step_error_K = -1; }),
              ThrowsMessage<ConfigError>(HasSubstr("step_error_K = -1")));
  EXPECT_THAT(with([](BioheatOptions& o) { o.max_stages = 2; }),
              ThrowsMessage<ConfigError>(HasSubstr("max_stages = 2")));
  EXPECT_THAT(with([](BioheatOptions& o) { o.threads = -1; }),
              ThrowsMessage<ConfigError>(HasSubstr("threads = -1")));
  EXPECT_THAT(with([](BioheatOptions&) {}), ThrowsMessage<ConfigError>(HasSubstr("/duration_s")));
}

TEST(SolverSummary, BeginsAsNotRun) {
  const ThermalResult r;
  EXPECT_EQ(r.summary.termination, Termination::not_run);
  EXPECT_FALSE(r.summary.usable());
}

TEST(SolverWithElectrodes, AHeldTemperatureIsReached) {
  ThermalProblem p = uniform_problem(perfused(), {24, 24, 24}, 1);
  p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
  p.tissue_map.tissues[0].electrical_per_K = 0.015;
  ElectrodesSource electrodes;
  electrodes.electrodes = {{{Sphere{{11.3, 11.6, 11.4}, 2}}, 10}};
  electrodes.control = HoldTemperature{65, {15, 11.6, 11.4}, 30};
  p.sources = {{electrodes}};
  p.duration_s = 300;
  p.sample = {{{15, 11.6, 11.4}}, {200, 250, 300}};
  const ThermalResult r = solve(p);
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  for (const Sample& s : r.samples) EXPECT_NEAR(s.T_degC, 65, 1) << s.t_s;
  ASSERT_TRUE(r.electrical);
  for (const double power : r.electrical->power_W) {
    EXPECT_GE(power, 0);
    EXPECT_LE(power, 30);
  }
}

TEST(SolverInSpace, IsFourthOrderBesideAFixedWallInPerfusedTissue) {
  UniformTissue t;
  t.perfusion_per_s = 0.01;
  const auto error_K = [&](double h) {
    ThermalProblem p = uniform_problem(t, {int(20 / h), 1, 1}, h);
    p.tissue_map.labels.grid.origin_mm = {h / 2, 0, 0};
    for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
    p.boundary[x_min] = {BoundaryKind::fixed, 67, 0};
    p.boundary[x_max] = {BoundaryKind::fixed, 37, 0};
    p.duration_s = 3000;
    p.sample = {{{1, 0, 0}, {4, 0, 0}}, {3000}};
    BioheatOptions o = in_double();
    o.step_error_K = 1e-5;
    o.max_step_s = 20;
    double worst = 0;
    for (const Sample& s : solve(p, o).samples)
      worst = std::max(worst, std::abs(s.T_degC - 37 - slab_K(t, 30, 20, s.at_mm[0], 1e6)));
    return worst;
  };
  EXPECT_NEAR(std::log2(error_K(1) / error_K(0.5)), 4, 0.4);
}

}  // namespace
}  // namespace spinetherm
