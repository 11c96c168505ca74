// SPDX-License-Identifier: Apache-2.0
#include "thermal/damage.h"

#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kLn2 = 0.69314718055994531;

/// Antiderivative of R^(43 - T) in T.
double cem43_primitive(double T, DoseBelow39 below) {
  const double at_43 = 1 / (2 * kLn2);
  if (T >= 43) return at_43 + (std::exp2(T - 43) - 1) / kLn2;
  if (T >= 39 || below == DoseBelow39::quarter) return std::exp2(2 * (T - 43)) / (2 * kLn2);
  return std::exp2(-8.0) / (2 * kLn2);
}
/// d ln R^(43 - T) / dT
double cem43_growth_per_K(double T, DoseBelow39 below) {
  return T >= 43 ? kLn2 : T >= 39 || below == DoseBelow39::quarter ? 2 * kLn2 : 0;
}
double cem43_weight(double T, DoseBelow39 below) {
  return T >= 43 ? std::exp2(T - 43) : T >= 39 || below == DoseBelow39::quarter ? std::exp2(2 * (T - 43)) : 0;
}

/// Mean of the weight over a straight course.
double mean_weight(double T0, double T1, DoseBelow39 below) {
  const double change = T1 - T0;
  if (std::abs(change) > 1e-4) return (cem43_primitive(T1, below) - cem43_primitive(T0, below)) / change;
  return cem43_weight((T0 + T1) / 2, below);
}

/// Middle of the Hermite cubic, and the mean distance of each half from its chord.
struct Halves {
  double middle_degC = 0, bow_left_K = 0, bow_right_K = 0;
};
Halves halves(const TemperatureStep& s) {
  const double change = s.T1_degC - s.T0_degC;
  const double a = s.dt_s * s.rate0_K_per_s - change, b = s.dt_s * s.rate1_K_per_s - change;
  return {(s.T0_degC + s.T1_degC) / 2 + (a - b) / 8, (2.5 * a + 0.5 * b) / 48, -(0.5 * a + 2.5 * b) / 48};
}

}  // namespace

TemperatureStep straight_step(double T0_degC, double T1_degC, double dt_s) {
  const double slope = (T1_degC - T0_degC) / dt_s;
  return {T0_degC, T1_degC, slope, slope, dt_s};
}

double cem43_min(const TemperatureStep& s, DoseBelow39 below) {
  const Halves h = halves(s);
  const auto half = [&](double T0, double T1, double bow) {
    const double growth = cem43_growth_per_K((T0 + T1) / 2, below) * bow;
    return mean_weight(T0, T1, below) * (1 + growth + growth * growth / 2);
  };
  return s.dt_s / 120 *
         (half(s.T0_degC, h.middle_degC, h.bow_left_K) + half(h.middle_degC, s.T1_degC, h.bow_right_K));
}

double arrhenius_rate_per_s(const Arrhenius& d, double T_degC) {
  return d.frequency_per_s *
         std::exp(-d.energy_J_per_mol / (kGasConstant_J_per_mol_K * (T_degC + kZeroCelsius_K)));
}

double arrhenius(const Arrhenius& d, const TemperatureStep& s) {
  const Halves h = halves(s);
  const double activation_K = d.energy_J_per_mol / kGasConstant_J_per_mol_K;
  const auto half = [&](double T0, double T1, double bow) {
    const double T0_K = T0 + kZeroCelsius_K, T1_K = T1 + kZeroCelsius_K, T_K = (T0_K + T1_K) / 2;
    // k is exponential along the chord, but for the bow of -E/RT, whose mean is (E/RT^3) dT^2 / 6.
    const double log_ratio = activation_K * (T1_K - T0_K) / (T0_K * T1_K);
    const double k_middle = d.frequency_per_s * std::exp(-(activation_K / T0_K + activation_K / T1_K) / 2);
    const double x = log_ratio / 2;
    const double spread = std::abs(x) > 1e-3 ? std::sinh(x) / x : 1 + x * x / 6;
    const double bend = activation_K / (T_K * T_K * T_K) * (T1_K - T0_K) * (T1_K - T0_K) / 6;
    const double growth = activation_K / (T_K * T_K) * bow + bend;
    return k_middle * spread * (1 + growth + growth * growth / 2);
  };
  return s.dt_s / 2 *
         (half(s.T0_degC, h.middle_degC, h.bow_left_K) + half(h.middle_degC, s.T1_degC, h.bow_right_K));
}

}  // namespace spinetherm
