// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/tissue.h"

namespace spinetherm {

/// Course of temperature over one step: both ends [degC] and, where they are known, the rates there [K/s].
/// The course is the cubic through these four (Hermite).
struct TemperatureStep {
  double T0_degC = 37, T1_degC = 37;
  double rate0_K_per_s = 0, rate1_K_per_s = 0;
  double dt_s = 0;
};
/// A straight course: the rates are the mean slope.
TemperatureStep straight_step(double T0_degC, double T1_degC, double dt_s);

/// Which cells below 39 degC count: none (default), or with R = 0.25 as well, as the benchmark peers do.
enum class DoseBelow39 { none, quarter };

/// Largest dose kept [min]: everything beyond is dead long since, and float stays finite.
inline constexpr double kCem43Cap_min = 1e12;
/// Largest damage integral kept [-], for the same reason.
inline constexpr double kArrheniusCap = 1e30;

/// Thermal dose of one step, CEM43 [min] (Sapareto & Dewey 1984, doi:10.1016/0360-3016(84)90379-1):
///   CEM43 = integral of R^(43 - T) dt,  R = 0.5 from 43 degC up, 0.25 in [39, 43), none below 39.
/// Exact for a straight course, crossings of 43 and 39 degC included. A curved course is cut at its middle
/// and each half weighted by its mean bow: relative error below 1e-3 for steps of up to 4 K on one side of
/// 43 and 39 degC, falling with the fourth power of the step.
double cem43_min(const TemperatureStep& step, DoseBelow39 below = DoseBelow39::none);

/// dOmega/dt = A exp(-E / (R T)) [1/s]
double arrhenius_rate_per_s(const Arrhenius& damage, double T_degC);
/// Damage integral of one step [-]; the logarithm of the rate is taken as linear in each half, with the mean
/// bow of both 1/T and the course: relative error below 1e-4 for steps of up to 4 K.
double arrhenius(const Arrhenius& damage, const TemperatureStep& step);

}  // namespace spinetherm
