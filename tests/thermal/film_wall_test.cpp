// SPDX-License-Identifier: Apache-2.0
#include "thermal/film_wall.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/units.h"
#include "tests/thermal/freezing_cylinder.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/cryo.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// The tissue of FreezingCylinder.
Tissue freezing_tissue(double perfusion_per_s) {
  Tissue t;
  t.name = "soft tissue";
  t.density_kg_per_m3 = 1000;
  t.specific_heat_J_per_kg_K = 3700;
  t.conductivity_W_per_m_K = 0.5;
  t.perfusion_per_s = perfusion_per_s;
  t.perfusion_rule.returns_after_freezing = true;
  t.frozen = Frozen{1000, 2000, 2, 250e3, -8, -0.6};
  return t;
}

/// A block around a probe along z, in the middle of x and y.
ThermalProblem block(int nx, int nz, double h, double perfusion_per_s = 0.003) {
  ThermalProblem p;
  Grid grid;
  grid.size = {nx, nx, nz};
  grid.spacing_mm = Vector3d::Constant(h);
  grid.origin_mm = -h / 2 * Vector3d(nx - 1, nx - 1, nz - 1);
  p.tissue_map.labels = Volume<std::uint8_t>(grid);
  p.tissue_map.tissues = {freezing_tissue(perfusion_per_s)};
  return p;
}
CryoprobeSource probe() {
  CryoprobeSource s;
  s.entry_mm = {0, 0, -40};
  s.tip_mm = {0, 0, 10};
  s.diameter_mm = 1.5;
  s.active_to_tip_mm = 20;
  s.gas_degC = -155;
  s.film_W_per_m2_K = 8500;
  s.max_W_per_m = 900;
  s.ramp_s = 30;
  return s;
}
double radius_mm(const Volume<float>& T, double degC) {
  const Grid& g = T.grid;
  const int j = g.size[1] / 2, k = g.size[2] / 2;
  for (int i = g.size[0] / 2; i + 1 < g.size[0]; ++i)
    if (T(i, j, k) <= degC && T(i + 1, j, k) > degC) {
      const double f = (degC - double(T(i, j, k))) / double(T(i + 1, j, k) - T(i, j, k));
      const Vector3d x = g.to_world(Vector3d(i + f, j, k));
      return Eigen::Vector2d(x[0], x[1]).norm();
    }
  return 0;
}

TEST(FilmWall, LongProbeMakesTheIceOfTheOneDimensionalReference) {
  // A slice of an endless cylinder: faces across the probe pass no heat.
  constexpr double kLength_mm = 3;
  ThermalProblem p = block(81, 6, 0.5);
  p.boundary[z_min].kind = p.boundary[z_max].kind = BoundaryKind::insulated;
  CryoprobeSource s = probe();
  s.entry_mm = {0, 0, -60};
  s.tip_mm = {0, 0, 60};
  s.active_from_tip_mm =
      60 - 1.49;  // the slice and no more: what is cut off would take its share of the limit
  s.active_to_tip_mm = 60 + 1.49;
  p.sources = {{s, {{0, 600}}}};
  p.duration_s = 300;
  p.fields.temperature = true;
  const ThermalResult r = solve(p);
  FreezingCylinder one_d;
  one_d.film_W_per_m2_K = 8500;
  one_d.inside_degC = -155;
  one_d.limit_W_per_m = 900;
  one_d.rows = 140;
  const auto expected = one_d.at(300);
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  EXPECT_NEAR(radius_mm(r.temperature, 0), expected.ice_mm, 0.25);
  EXPECT_NEAR(radius_mm(r.temperature, -20), expected.minus20_mm, 0.25);
  EXPECT_NEAR(radius_mm(r.temperature, -40), expected.minus40_mm, 0.25);
  EXPECT_NEAR(r.cryo->probes[0].extraction_W.back() / (kLength_mm * 1e-3), expected.extraction_W_per_m,
              0.03 * expected.extraction_W_per_m);
  EXPECT_NEAR(r.cryo->probes[0].wall_degC.back(), expected.wall_degC, 3);
}

TEST(FilmWall, SteadyFlowIsThatOfFilmAndTissueInSeries) {
  // No freezing, no perfusion, no ramp: Q = dT / (1/(h A) + ln(R/r)/(2 pi k L)) between the film and the
  // square's equivalent circle of radius 1.0787 times half its edge.
  constexpr double kHalf_mm = 10.25, kLength_mm = 3;
  ThermalProblem p = block(41, 6, 0.5, 0);
  p.tissue_map.tissues[0].frozen->liquidus_degC = -100;  // never reached
  p.tissue_map.tissues[0].frozen->solidus_degC = -110;
  p.boundary[z_min].kind = p.boundary[z_max].kind = BoundaryKind::insulated;
  for (const double film : {200.0, 1000.0, 20000.0}) {
    CryoprobeSource s = probe();
    s.entry_mm = {0, 0, -60};
    s.tip_mm = {0, 0, 60};
    s.active_from_tip_mm = 58.5;
    s.active_to_tip_mm = 61.5;
    s.gas_degC = -3;
    s.film_W_per_m2_K = film;
    s.max_W_per_m = 1e6;
    s.ramp_s = 0;
    p.sources = {{s, {}}};
    p.duration_s = 2000;
    const ThermalResult r = solve(p);
    const double L = kLength_mm * 1e-3, a = 0.75e-3;
    const double expected_W =
        40 / (1 / (film * 2 * kPi * a * L) + std::log(1.0787 * kHalf_mm / 0.75) / (2 * kPi * 0.5 * L));
    EXPECT_NEAR(r.cryo->probes[0].extraction_W.back() / expected_W, 1, 0.02) << film;
    const double wall_degC = -3 + expected_W / (film * 2 * kPi * a * L);
    EXPECT_NEAR(r.cryo->probes[0].wall_degC.back(), wall_degC, 1) << film;
  }
}

ThermalProblem freezing(const std::vector<CryoprobeSource>& probes, double duration_s = 120) {
  ThermalProblem p = block(36, 44, 1);
  for (const CryoprobeSource& s : probes) p.sources.push_back({s, {{0, duration_s}}});
  p.duration_s = duration_s;
  p.fields.temperature = p.fields.lowest_temperature = true;
  return p;
}
CryoprobeSource moved(CryoprobeSource s, const Vector3d& by_mm) {
  s.entry_mm += by_mm;
  s.tip_mm += by_mm;
  return s;
}

/// Steps as long as patients' runs have: what is asked below does not hang on the last hundredth of a kelvin.
BioheatOptions quick() {
  BioheatOptions o;
  o.fourth_order = false;
  o.step_error_K = 1;
  o.max_step_K = 20;
  return o;
}

TEST(Cryoprobe, ExtractionHoldsAtItsLimitAndEnergyCloses) {
  CryoprobeSource s = probe();
  s.max_W_per_m = 300;
  const ThermalResult r = solve(freezing({s}), quick());
  const auto& taken = r.cryo->probes[0].extraction_W;
  EXPECT_NEAR(taken.back(), 300 * 0.020, 1e-9);
  for (const double W : taken) EXPECT_LE(W, 300 * 0.020 * (1 + 1e-9));
  EXPECT_GT(r.cryo->probes[0].gas_degC.back(), -154) << "the gas is warmer than it could be";
  EXPECT_LT(r.energy.relative_residual, 1e-4);
  EXPECT_GT(r.energy.out_J, 300 * 0.020 * 60);
}

TEST(Cryoprobe, EnergyClosesInDoublePrecision) {
  ThermalProblem p = freezing({probe()}, 60);
  BioheatOptions o = quick();
  o.double_precision = true;
  const ThermalResult r = solve(p, o);
  EXPECT_LT(r.energy.relative_residual, 1e-5);
  double integral_J = 0;  // of the recorded extraction
  for (std::size_t n = 1; n < r.cryo->times_s.size(); ++n)
    integral_J += (r.cryo->times_s[n] - r.cryo->times_s[n - 1]) / 2 *
                  (r.cryo->probes[0].extraction_W[n] + r.cryo->probes[0].extraction_W[n - 1]);
  EXPECT_NEAR(integral_J, -r.energy.stored_J, 0.1 * integral_J) << "but for what blood and box gave";
  EXPECT_GT(integral_J, 0);
}

TEST(Cryoprobe, StartsFromAStateThatIsNotAtRest) {
  // Metabolic heat: the whole box is stepped from the beginning, and no property is known before the first
  // step.
  ThermalProblem p = freezing({probe()}, 20);
  p.tissue_map.tissues[0].metabolic_W_per_m3 = 500;
  const ThermalResult r = solve(p, quick());
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  EXPECT_GT(r.zones.at("under_0_degC").volume_ml, 0);
  EXPECT_LT(r.energy.relative_residual, 1e-4);
}

TEST(Cryoprobe, HalfTheDutyDrawsLess) {
  CryoprobeSource half = probe();
  half.duty = 0.5;
  const ThermalResult full = solve(freezing({probe()}), quick()), less = solve(freezing({half}), quick());
  EXPECT_LT(less.cryo->probes[0].extraction_W.back(), full.cryo->probes[0].extraction_W.back());
  EXPECT_LT(less.zones.at("under_0_degC").volume_ml, full.zones.at("under_0_degC").volume_ml);
  for (const double W : less.cryo->probes[0].extraction_W) EXPECT_LE(W, 0.5 * 900 * 0.020 * (1 + 1e-9));
}

TEST(Cryoprobe, MirroredProbesMakeMirroredIce) {
  const CryoprobeSource s = probe();
  const ThermalResult r = solve(freezing({moved(s, {-7, 0, 0}), moved(s, {7, 0, 0})}), quick());
  const Volume<float>& T = r.lowest_temperature;
  const Grid& g = T.grid;
  double worst = 0;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        worst = std::max(worst, double(std::abs(T(i, j, k) - T(g.size[0] - 1 - i, j, k))));
  EXPECT_LT(worst, 0.01);
  EXPECT_NEAR(r.cryo->probes[0].extraction_W.back(), r.cryo->probes[1].extraction_W.back(), 1e-3);
}

TEST(Cryoprobe, PassesNoHeatWhileItThawsAndIsFreeAfterwards) {
  ThermalProblem p = freezing({probe()}, 60);
  p.until_dose_settled = true;
  const ThermalResult r = solve(p, quick());
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  const auto& c = r.cryo->probes[0];
  for (std::size_t n = 0; n < r.cryo->times_s.size(); ++n)
    if (r.cryo->times_s[n] > 60) {
      EXPECT_EQ(c.extraction_W[n], 0);
      EXPECT_TRUE(std::isnan(c.gas_degC[n]));
    }
  ASSERT_TRUE(c.free_from_s.has_value());
  EXPECT_GT(*c.free_from_s, 60) << "stuck while it is below 0 degC";
  EXPECT_LE(*c.free_from_s, r.summary.simulated_s);
  EXPECT_LT(r.energy.relative_residual, 1e-4);
}

TEST(Cryoprobe, ActiveThawFreesItSooner) {
  ThermalProblem passive = freezing({probe()}, 60);
  passive.until_dose_settled = true;
  ThermalProblem active = passive;
  CryoprobeSource warm = probe();
  warm.gas_degC = 60;
  active.sources.push_back({warm, {{60, 180}}});
  active.duration_s = 180;
  const ThermalResult slow = solve(passive, quick()), fast = solve(active, quick());
  EXPECT_LT(*fast.cryo->probes[0].free_from_s, *slow.cryo->probes[0].free_from_s);
  EXPECT_EQ(fast.cryo->probes.size(), 1) << "two steps of one probe";
}

TEST(Cryoprobe, SecondFreezeIsCountedAndGoesFurtherInPerfusedTissueWithStasis) {
  ThermalProblem p = freezing({probe()}, 120);
  p.tissue_map.tissues[0].perfusion_rule.returns_after_freezing = false;
  p.fields.freezes = p.fields.lowest_twice = true;
  const ThermalResult once = solve(p, quick());
  p.sources.push_back({probe(), {{420, 540}}});
  p.duration_s = 540;
  const ThermalResult twice = solve(p, quick());
  const auto most = [](const Volume<float>& v) {
    return *std::max_element(v.values.begin(), v.values.end());
  };
  EXPECT_EQ(most(once.freezes), 1);
  EXPECT_EQ(most(twice.freezes), 2);
  EXPECT_GT(twice.zones.at("under_0_degC").volume_ml, once.zones.at("under_0_degC").volume_ml);
  for (std::size_t c = 0; c < twice.freezes.values.size(); ++c) {
    EXPECT_EQ(twice.freezes[c] >= 1, twice.lowest_temperature[c] < 0);
    EXPECT_EQ(twice.freezes[c] >= 2, twice.lowest_twice[c] < 0);
    if (twice.freezes[c] > 0) {
      EXPECT_GE(twice.lowest_twice[c], twice.lowest_temperature[c] - 1e-4F);
    }
  }
}

TEST(Cryoprobe, SensorEndsTheStepAndWhatFollowsComesEarlier) {
  ThermalProblem p = freezing({probe()}, 120);
  p.sources.push_back({probe(), {{180, 240}}});
  p.duration_s = 240;
  p.early_ends = {{{0, 120}, {4, 0, 0}, 5.0, std::nullopt}};
  const ThermalResult r = solve(p, quick());
  ASSERT_EQ(r.ended_early.size(), 1);
  const double end_s = r.ended_early[0].at_s;
  EXPECT_GT(end_s, 5);
  EXPECT_LT(end_s, 119);
  EXPECT_NEAR(r.summary.simulated_s, 240 - (120 - end_s), 1e-6);
  double freezing_s = 0;
  for (std::size_t n = 1; n < r.cryo->times_s.size(); ++n)
    if (r.cryo->probes[0].extraction_W[n] > 0) freezing_s += r.cryo->times_s[n] - r.cryo->times_s[n - 1];
  EXPECT_NEAR(freezing_s, end_s + 60, 1.5);
}

TEST(Cryoprobe, StepWhoseSensorNeverSaysSoRunsItsTime) {
  ThermalProblem p = freezing({probe()}, 30);
  p.early_ends = {{{0, 30}, {15, 0, 0}, 5.0, std::nullopt}};
  const ThermalResult r = solve(p, quick());
  EXPECT_TRUE(r.ended_early.empty());
  EXPECT_NEAR(r.summary.simulated_s, 30, 1e-6);
}

}  // namespace
}  // namespace spinetherm
