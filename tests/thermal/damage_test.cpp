// SPDX-License-Identifier: Apache-2.0
#include "thermal/damage.h"

#include <gmock/gmock.h>

#include <cmath>

#include "thermal/closed_form.h"

namespace spinetherm {
namespace {

constexpr Arrhenius kLiver{7.39e39, 2.577e5}, kStasis{1.98e106, 6.67e5};

MATCHER_P2(RelativelyNear, expected, tolerance, "is within a relative tolerance of the expected value") {
  *result_listener << "off by " << arg / expected - 1;
  return std::abs(arg - expected) <= tolerance * std::abs(expected);  // false for NaN
}

double ramp_min(double T0, double T1, double K_per_min, int pieces, DoseBelow39 below = DoseBelow39::none) {
  const double dt_s = 60 * std::abs(T1 - T0) / K_per_min / pieces;
  double sum = 0;
  for (int n = 0; n < pieces; ++n)
    sum +=
        cem43_min(straight_step(T0 + (T1 - T0) * n / pieces, T0 + (T1 - T0) * (n + 1) / pieces, dt_s), below);
  return sum;
}

/// T = 37 + D exp(-t/tau), as the solver would hand it on.
TemperatureStep cooling(double D_K, double tau_s, double t_s, double dt_s) {
  const double a = D_K * std::exp(-t_s / tau_s), b = D_K * std::exp(-(t_s + dt_s) / tau_s);
  return {37 + a, 37 + b, -a / tau_s, -b / tau_s, dt_s};
}

TEST(Cem43, OfConstantTemperatureIsThatOfTheTables) {
  for (const auto& [minutes, T] : std::vector<std::array<double, 2>>{
           {1, 43}, {10, 42}, {60, 41}, {10, 39}, {10, 45}, {1, 50}, {1, 60}, {5, 38.99}})
    EXPECT_NEAR(cem43_min(straight_step(T, T, 60 * minutes)), cem43_min({{minutes, T}}),
                1e-12 * cem43_min({{minutes, T}}))
        << T;
  EXPECT_EQ(cem43_min(straight_step(38.999, 38.999, 1e6)), 0);
  EXPECT_GT(cem43_min(straight_step(39, 39, 1)), 0);
}

TEST(Cem43, ARampInOneStepIsExact) {
  EXPECT_THAT(ramp_min(37, 43, 1, 1), RelativelyNear(0.71852976, 1e-7));
  EXPECT_THAT(ramp_min(37, 45, 1, 1), RelativelyNear(5.0466149, 1e-7));
  EXPECT_THAT(ramp_min(37, 50, 2, 1), RelativelyNear(91.9704, 1e-6));
  for (const double T0 : {20.0, 38.5, 38.999, 39.0, 41.0, 42.9, 43.0, 47.0})
    for (const double rise : {1e-6, 0.03, 0.7, 4.0, 11.0})
      EXPECT_NEAR(ramp_min(T0, T0 + rise, 3, 1), cem43_of_ramp_min(T0, T0 + rise, 3),
                  1e-9 * cem43_of_ramp_min(T0, T0 + rise, 3) + 1e-15)
          << T0 << " + " << rise;
}

TEST(Cem43, OfARampIsThatOfItsPiecesAndOfTheWayBack) {
  for (const auto& [T0, T1] :
       std::vector<std::array<double, 2>>{{37, 41}, {38, 44}, {40, 60}, {42.5, 43.5}}) {
    const double whole = ramp_min(T0, T1, 2, 1);
    EXPECT_THAT(ramp_min(T0, T1, 2, 7), RelativelyNear(whole, 1e-10));
    EXPECT_THAT(ramp_min(T1, T0, 2, 1), RelativelyNear(whole, 1e-12));
    EXPECT_THAT(ramp_min(T1, T0, 2, 3), RelativelyNear(whole, 1e-10));
  }
}

TEST(Cem43, OfExponentialCoolingAgreesWithTheClosedForm) {
  for (const auto& [D, tau_min] : std::vector<std::array<double, 2>>{{8, 2}, {13, 2}, {23, 1}}) {
    const double tau_s = 60 * tau_min;
    double sum = 0, t = 0;
    while (D * std::exp(-t / tau_s) > 1) {  // below 39 degC nothing is added
      const double dt = -tau_s * std::log(1 - 0.9 / (D * std::exp(-t / tau_s)));  // by 0.9 K
      sum += cem43_min(cooling(D, tau_s, t, dt));
      t += dt;
    }
    EXPECT_THAT(sum, RelativelyNear(cem43_of_cooling_min(D, tau_min), 1e-3)) << D;
  }
  EXPECT_THAT(cem43_of_cooling_min(13, 2), RelativelyNear(32.334328, 1e-7));
}

TEST(Cem43, OfACurvedStepAgreesWithThatOfItsPieces) {
  // Steps that stay on one side of 43 and 39 degC.
  for (const double D : {22.0, 15.0, 12.0, 5.9})
    for (const double drop_K : {2.0, 1.0, 0.5}) {
      const double tau_s = 60, dt = -tau_s * std::log(1 - drop_K / D);
      double fine = 0;
      for (int n = 0; n < 400; ++n) fine += cem43_min(cooling(D, tau_s, n * dt / 400, dt / 400));
      EXPECT_THAT(cem43_min(cooling(D, tau_s, 0, dt)), RelativelyNear(fine, D > 10 ? 1e-4 : 1.5e-3))
          << D << " falling by " << drop_K;
    }
}

TEST(Cem43, ErrorOfACurvedStepFallsWithTheFourthPowerOfItsLength) {
  const double tau_s = 60, D = 20, end_s = 30;
  const auto dose = [&](int steps) {
    double sum = 0;
    for (int n = 0; n < steps; ++n) sum += cem43_min(cooling(D, tau_s, n * end_s / steps, end_s / steps));
    return sum;
  };
  const double exact = dose(2000);
  EXPECT_NEAR(std::log2((dose(4) - exact) / (dose(8) - exact)), 4, 0.4);
  EXPECT_NEAR(std::log2((dose(8) - exact) / (dose(16) - exact)), 4, 0.2);
}

TEST(Cem43, ACourseAndItsReverseAddTheSame) {
  TemperatureStep s{41, 46, 0.9, 0.2, 10};
  const TemperatureStep back{46, 41, -0.2, -0.9, 10};
  EXPECT_THAT(cem43_min(s), RelativelyNear(cem43_min(back), 1e-12));
  EXPECT_THAT(arrhenius(kLiver, s), RelativelyNear(arrhenius(kLiver, back), 1e-12));
  s.rate0_K_per_s = s.rate1_K_per_s = 0.5;  // a concave course is warmer than the chord
  EXPECT_GT(cem43_min(back), cem43_min(s));
}

TEST(Cem43, QuarterConventionGoesOnBelow39) {
  EXPECT_THAT(cem43_min(straight_step(37, 37, 60), DoseBelow39::quarter),
              RelativelyNear(std::pow(4, -6), 1e-12));
  const double ramp = (std::pow(4, -2) - std::pow(4, -8)) / std::log(4.0);  // 35 to 41 degC at 1 K/min
  for (const int pieces : {1, 3, 12})
    EXPECT_THAT(ramp_min(35, 41, 1, pieces, DoseBelow39::quarter), RelativelyNear(ramp, 1e-10));
  EXPECT_THAT(ramp_min(40, 47, 1, 1, DoseBelow39::quarter), RelativelyNear(ramp_min(40, 47, 1, 1), 1e-12));
}

/// By Simpson's rule.
double arrhenius_of_ramp(const Arrhenius& law, double T0_degC, double T1_degC, double dt_s) {
  const int n = 2000;
  double sum = 0;
  for (int i = 0; i <= n; ++i) {
    const double T_K = T0_degC + (T1_degC - T0_degC) * i / n + 273.15;
    const double rate = law.frequency_per_s * std::exp(-law.energy_J_per_mol / (8.314462618 * T_K));
    sum += rate * (i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2);
  }
  return sum / (3 * n) * dt_s;
}

TEST(ArrheniusDamage, OfConstantTemperatureReachesOneInTheClosedTime) {
  for (const Arrhenius& law : {kLiver, kStasis})
    for (const double T : {43.0, 50.0, 60.0, 70.0}) {
      const double t = arrhenius_time_s(law.frequency_per_s, law.energy_J_per_mol, T);
      EXPECT_NEAR(arrhenius(law, straight_step(T, T, t)), 1, 1e-9);
      EXPECT_NEAR(arrhenius_rate_per_s(law, T) * t, 1, 1e-9);
    }
}

TEST(ArrheniusDamage, OfARampAgreesWithItsIntegral) {
  for (const Arrhenius& law : {kLiver, kStasis})
    for (const double T0 : {39.0, 55.0, 80.0})
      for (const double change : {0.5, 4.0, -4.0}) {
        const double exact = arrhenius_of_ramp(law, T0, T0 + change, 3);
        EXPECT_THAT(arrhenius(law, straight_step(T0, T0 + change, 3)), RelativelyNear(exact, 1e-4))
            << T0 << " " << change;
      }
}

TEST(ArrheniusDamage, OfACurvedStepAgreesWithThatOfItsPieces) {
  for (const Arrhenius& law : {kLiver, kStasis})
    for (const double D : {25.0, 15.0, 8.0}) {
      const double tau_s = 60, dt = -tau_s * std::log(1 - 1.5 / D);
      double fine = 0;
      for (int n = 0; n < 400; ++n) fine += arrhenius(law, cooling(D, tau_s, n * dt / 400, dt / 400));
      EXPECT_THAT(arrhenius(law, cooling(D, tau_s, 0, dt)), RelativelyNear(fine, 1e-4)) << D;
    }
}

}  // namespace
}  // namespace spinetherm
