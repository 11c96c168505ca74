// SPDX-License-Identifier: Apache-2.0
#include "thermal/antenna_field.h"

#include <gtest/gtest.h>

#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "tests/thermal/antenna_fixture.h"

namespace spinetherm {
namespace {

TEST(AntennaField, PowerIsReflectedAbsorbedOrLeaves) {
  const AntennaField f = solve_antenna(slot_antenna(), everywhere(kLiver));
  EXPECT_NEAR(f.reflected_W + f.absorbed_W + f.radiated_W, 1, 1e-8);
  EXPECT_GT(f.absorbed_W, 0.8);
  EXPECT_LT(f.radiated_W, 0.05);
  for (const double q : f.power_density_W_per_m3) EXPECT_GE(q, 0);
}

TEST(AntennaField, WithoutLossesWhatIsNotReflectedLeaves) {
  const AntennaField f = solve_antenna(slot_antenna(), everywhere({43.03, 0}));
  EXPECT_EQ(f.absorbed_W, 0);
  EXPECT_NEAR(f.reflected_W + f.radiated_W, 1, 1e-8);
}

TEST(AntennaField, ReflectionConvergesWithTheCellsAtTheSlot) {
  double previous = 0, step = HUGE_VAL;
  for (const double finest : {0.08, 0.04, 0.02, 0.01}) {
    AntennaFieldOptions o;
    o.finest_mm = finest;
    o.growth = 1.2;
    const double reflection = std::abs(solve_antenna(slot_antenna(), everywhere(kLiver), o).reflection);
    if (previous > 0) {
      EXPECT_LT(std::abs(reflection - previous), 0.75 * step) << finest << " mm";
      step = std::abs(reflection - previous);
    }
    previous = reflection;
  }
  EXPECT_LT(step, 0.003);
}

TEST(AntennaField, LongerCableTurnsThePhaseOfTheReflection) {
  AntennaFieldOptions o, longer;
  longer.behind_mm = o.behind_mm + 7;
  const CoaxialAntenna a = slot_antenna();
  const auto near = solve_antenna(a, everywhere(kLiver), o).reflection,
             far = solve_antenna(a, everywhere(kLiver), longer).reflection;
  const double k_per_m =
      2 * kPi * a.frequency_MHz * 1e6 / 2.99792458e8 * std::sqrt(a.dielectric_permittivity);
  const auto expected = near * std::exp(std::complex<double>(0, -2 * k_per_m * 7e-3));
  EXPECT_LT(std::abs(far - expected), 0.005);
}

TEST(AntennaField, TheCylinderIsLargeEnough) {
  AntennaFieldOptions o, wide;
  wide.radius_mm = 70;
  wide.before_mm = 50;
  const AntennaField f = solve_antenna(slot_antenna(), everywhere(kLiver), o),
                     w = solve_antenna(slot_antenna(), everywhere(kLiver), wide);
  EXPECT_NEAR(f.squared_V2_per_m2(3, 5.5), w.squared_V2_per_m2(3, 5.5), 0.01 * w.squared_V2_per_m2(3, 5.5));
  EXPECT_NEAR(f.squared_V2_per_m2(10, 5.5), w.squared_V2_per_m2(10, 5.5),
              0.01 * w.squared_V2_per_m2(10, 5.5));
  EXPECT_NEAR(std::abs(f.reflection), std::abs(w.reflection), 0.002);
}

/// Far from the antenna a wave loses exp(-2 alpha r) and spreads over a sphere.
TEST(AntennaField, FarAwayItIsADampedSphericalWave) {
  AntennaFieldOptions o;
  o.radius_mm = 90;
  o.before_mm = 80;
  o.behind_mm = 90;
  o.coarsest_mm = 0.7;
  const Dielectric soft{43.03, 0.5};
  const AntennaField f = solve_antenna(slot_antenna(), everywhere(soft), o);
  const double omega = 2 * kPi * 2.45e9;
  const std::complex<double> eps(soft.relative_permittivity,
                                 -soft.conductivity_S_per_m / (omega * 8.8541878128e-12));
  const double alpha_per_mm = -std::imag(omega / 2.99792458e8 * std::sqrt(eps)) * 1e-3;
  // Away from the antenna, along one direction from its middle.
  const auto at = [&](double distance_mm) {
    return f.squared_V2_per_m2(distance_mm * std::sin(2.0), 3 + distance_mm * std::cos(2.0));
  };
  const double ratio = at(70) / at(45);
  EXPECT_NEAR(ratio / (std::exp(-2 * alpha_per_mm * 25) * 45 * 45 / (70.0 * 70)), 1, 0.1);
}

TEST(AntennaField, AMetalSleeveReflectsTheMoreTheNearerItIs) {
  const auto with = [](double gap_mm, double finest_mm = 0.02) {
    CoaxialAntenna a = slot_antenna();
    a.sleeve = MetalSleeve{1.3, a.slot_to_tip_mm + gap_mm};
    AntennaFieldOptions o;
    o.finest_mm = finest_mm;
    return solve_antenna(a, everywhere(kLiver), o);
  };
  const AntennaField none = solve_antenna(slot_antenna(), everywhere(kLiver)), far = with(40), near = with(2);
  for (const AntennaField& f : {far, near}) EXPECT_NEAR(f.reflected_W + f.absorbed_W + f.radiated_W, 1, 1e-8);
  EXPECT_NEAR(std::abs(far.reflection - none.reflection), 0, 0.01);
  EXPECT_GT(std::abs(near.reflection - none.reflection), 10 * std::abs(far.reflection - none.reflection));
  EXPECT_EQ(near.squared_V2_per_m2(1.1, 20), 0) << "in the metal";
  EXPECT_GT(near.squared_V2_per_m2(1.35, 9), 0) << "beside it";
  EXPECT_NEAR(std::abs(with(2, 0.01).reflection - near.reflection), 0, 0.01);
}

TEST(AntennaField, RefusesWhatCannotBeBuilt) {
  CoaxialAntenna a = slot_antenna();
  a.slot_from_tip_mm = 0.5;
  EXPECT_THROW(solve_antenna(a, everywhere(kLiver)), ConfigError);
  a = slot_antenna();
  a.outer_radius_mm = 0.4;
  EXPECT_THROW(solve_antenna(a, everywhere(kLiver)), ConfigError);
  a = slot_antenna();
  a.slot_from_tip_mm = 80;
  a.slot_to_tip_mm = 81;
  EXPECT_THROW(solve_antenna(a, everywhere(kLiver)), ConfigError);
  a = slot_antenna();
  a.sleeve = MetalSleeve{1.3, 5.5};
  EXPECT_THROW(solve_antenna(a, everywhere(kLiver)), ConfigError);
  a.sleeve = MetalSleeve{0.8, 10};
  EXPECT_THROW(solve_antenna(a, everywhere(kLiver)), ConfigError);
}

}  // namespace
}  // namespace spinetherm
