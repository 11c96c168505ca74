// SPDX-License-Identifier: Apache-2.0
#include "thermal/tissue_law.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Tissue plain() { return soft_tissue({}); }
Tissue freezing() {
  Tissue t = plain();
  t.conductivity_per_K = 0.002;
  t.frozen = Frozen{1000, 2000, 2.2, 250e3, -8, -0.6};
  return t;
}
Tissue boiling() {
  Tissue t = plain();
  t.boiling = Boiling{1.5e6, 99, 101};
  return t;
}
Tissue both() {
  Tissue t = freezing();
  t.boiling = boiling().boiling;
  return t;
}
std::vector<Tissue> all() { return {plain(), freezing(), boiling(), both()}; }

double capacity(const Tissue& t) { return t.density_kg_per_m3 * t.specific_heat_J_per_kg_K; }
/// Heat [J/m3] from 37 degC.
double heat(const Tissue& t, double T_degC) { return capacity(t) * u_of_theta(t, T_degC - 37); }

TEST(Enthalpy, AndTemperatureAreInverseThroughAllPhases) {
  const auto table = make_tissue_table<double>(all());
  for (int label = 0; label < 4; ++label)
    for (double T = -160; T < 160; T += 0.37) {
      const double u = u_of_theta(all()[std::size_t(label)], T - 37);
      EXPECT_NEAR(theta_of_u(table, label, u), T - 37, 1e-9) << label << " at " << T;
    }
  const auto single = make_tissue_table<float>(all());
  for (double T = -160; T < 160; T += 0.37)
    EXPECT_NEAR(double(theta_of_u(single, 3, float(u_of_theta(both(), T - 37)))), T - 37, 2e-4) << T;
}

TEST(Enthalpy, IsTemperatureItselfWhereNothingMeltsOrBoils) {
  for (const Tissue& t : all())
    for (const double T : {-0.6, 0.0, 37.0, 60.0, 99.0}) EXPECT_EQ(u_of_theta(t, T - 37), T - 37);
  const auto table = make_tissue_table<float>(all());
  for (int label = 0; label < 4; ++label) EXPECT_EQ(theta_of_u(table, label, 12.3F), 12.3F);
}

TEST(Enthalpy, GrowsWithTemperatureWithoutAJump) {
  for (const Tissue& t : all()) {
    double before = u_of_theta(t, -200);
    for (double theta = -200 + 1e-3; theta < 150; theta += 1e-3) {
      const double u = u_of_theta(t, theta);
      ASSERT_GT(u, before) << theta;
      ASSERT_LT(u - before, 1e-3 * 250) << theta;  // the steepest is boiling, 1.5e6 J/kg over 2 K
      before = u;
    }
  }
}

TEST(Enthalpy, HoldsTheLatentHeatOfIceAndSteam) {
  const Tissue t = both();
  const double ice = 1000 * 2000;
  EXPECT_NEAR(heat(t, -0.6) - heat(t, -8), 1000 * 250e3 + 7.4 * (ice + capacity(t)) / 2, 1);
  EXPECT_NEAR(heat(t, -8) - heat(t, -58), 50 * ice, 1);
  EXPECT_NEAR(heat(t, 101) - heat(t, 99), 1060 * 1.5e6 + 2 * capacity(t), 10);
  EXPECT_NEAR(heat(t, 111) - heat(t, 101), 10 * capacity(t), 10);
  // Evenly spread: half of it at half the way.
  EXPECT_NEAR(heat(t, -4.3) - heat(t, -8), heat(t, -0.6) - heat(t, -4.3), 1);
  EXPECT_NEAR(heat(t, 100) - heat(t, 99), heat(t, 101) - heat(t, 100), 10);
}

TEST(Conductivity, IsLinearAndItsGrowthEndsAtOneHundredDegrees) {
  Tissue t = plain();
  t.conductivity_per_K = 0.002;
  const auto table = make_tissue_table<double>({t});
  const auto k = [&](double T) { return conductivity(table, 0, T - 37); };
  EXPECT_DOUBLE_EQ(k(37), 0.5);
  EXPECT_DOUBLE_EQ(k(87), 0.5 * 1.1);
  EXPECT_DOUBLE_EQ(k(100), 0.5 * 1.126);
  EXPECT_DOUBLE_EQ(k(100.01), k(100));
  EXPECT_DOUBLE_EQ(k(400), k(100));
  EXPECT_DOUBLE_EQ(k(-13), 0.5 * 0.9);
  t.conductivity_per_K = 0.01;
  EXPECT_GT(conductivity(make_tissue_table<double>({t}), 0, -237.), 0);  // never negative, however cold
}

TEST(Conductivity, GoesOverIntoThatOfIceBetweenLiquidusAndSolidus) {
  const auto table = make_tissue_table<double>({freezing()});
  const auto k = [&](double T) { return conductivity(table, 0, T - 37); };
  const double wet = 0.5 * (1 - 0.002 * 37.6);
  EXPECT_NEAR(k(-0.6), wet, 1e-12);
  EXPECT_NEAR(k(-0.6 + 1e-9), wet, 1e-9);
  EXPECT_NEAR(k(-4.3), (wet + 2.2) / 2, 1e-12);
  EXPECT_NEAR(k(-8), 2.2, 1e-12);
  EXPECT_NEAR(k(-150), 2.2, 1e-12);
  for (double T = -20; T < 120; T += 0.01) EXPECT_NEAR(k(T), k(T + 0.01), 0.003) << T;
}

TEST(ElectricalConductivity, GrowsThenDriesSmoothly) {
  Tissue t = plain();
  t.electrical_S_per_m = 0.2;
  t.electrical_per_K = 0.015;
  EXPECT_DOUBLE_EQ(electrical_S_per_m(t, 37), 0.2);
  EXPECT_NEAR(electrical_S_per_m(t, 57), 0.26, 1e-12);
  EXPECT_NEAR(electrical_S_per_m(t, 140), electrical_S_per_m(t, 100), 1e-12);  // capped, not dried
  t.drying = Drying{100, 105, 0.01};
  const double peak = 0.2 * (1 + 0.015 * 63);
  EXPECT_NEAR(electrical_S_per_m(t, 100), peak, 1e-12);
  EXPECT_NEAR(electrical_S_per_m(t, 102.5), peak * 1.01 / 2, 1e-12);
  EXPECT_NEAR(electrical_S_per_m(t, 105), 0.01 * peak, 1e-12);
  EXPECT_NEAR(electrical_S_per_m(t, 300), 0.01 * peak, 1e-12);
  double before = peak;
  for (double T = 100.01; T < 106; T += 0.01) {
    const double sigma = electrical_S_per_m(t, T);
    EXPECT_LE(sigma, before);
    before = sigma;
  }
  // No kink where it begins and ends, unlike in the middle.
  const auto slope = [&](double T) {
    return (electrical_S_per_m(t, T + 1e-4) - electrical_S_per_m(t, T)) / 1e-4;
  };
  EXPECT_LT(std::abs(slope(100)), 1e-3 * std::abs(slope(102.5)));
  EXPECT_LT(std::abs(slope(105 - 1e-4)), 1e-3 * std::abs(slope(102.5)));
}

TEST(ElectricalConductivity, StaysPositiveInTheCold) {
  Tissue t = plain();
  t.electrical_S_per_m = 0.2;
  t.electrical_per_K = 0.02;
  EXPECT_GT(electrical_S_per_m(t, -190), 0);
}

TEST(ElectricalConductivity, IsRefusedWhereItIsNotKnown) {
  EXPECT_THAT([] { electrical_S_per_m(plain(), 37); },
              ThrowsMessage<ConfigError>(HasSubstr("'soft tissue' has no electrical conductivity")));
}

}  // namespace
}  // namespace spinetherm
