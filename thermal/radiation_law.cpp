// SPDX-License-Identifier: Apache-2.0
#include "thermal/radiation_law.h"

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

constexpr double kLow_MHz = 915, kHigh_MHz = 2450, kNear = 0.05;

bool is_near(double MHz, double known_MHz) { return std::abs(MHz - known_MHz) <= kNear * known_MHz; }

double sigmoid(double T_degC, double a, double b_per_K) {
  return 1 - 1 / (1 + std::exp(a - b_per_K * T_degC));
}
double fall(double T_degC, double a, double b_per_K) {
  return sigmoid(std::max(T_degC, 0.0), a, b_per_K) / sigmoid(37, a, b_per_K);
}

}  // namespace

bool is_microwave_MHz(double frequency_MHz) {
  return is_near(frequency_MHz, kLow_MHz) || is_near(frequency_MHz, kHigh_MHz);
}

std::optional<Dielectric> microwave_of(const Tissue& tissue, double frequency_MHz) {
  const bool low = is_near(frequency_MHz, kLow_MHz);
  const auto& permittivity = low ? tissue.relative_permittivity_915MHz : tissue.relative_permittivity;
  const auto& conductivity = low ? tissue.microwave_915MHz_S_per_m : tissue.microwave_S_per_m;
  if (!permittivity || !conductivity || !is_microwave_MHz(frequency_MHz)) return std::nullopt;
  return Dielectric{*permittivity, *conductivity};
}

Dielectric heated(const Dielectric& at_37_degC, double T_degC) {
  return {std::max(1.0, at_37_degC.relative_permittivity * fall(T_degC, 5.22, 0.0524)),
          at_37_degC.conductivity_S_per_m * fall(T_degC, 6.58, 0.0598)};
}

const Optical* optical_of(const Tissue& tissue, double wavelength_nm) {
  const auto& optical = wavelength_nm == 1064 ? tissue.optical_1064nm : tissue.optical;
  return optical ? &*optical : nullptr;
}

OpticalProperties coagulated(const Optical& optical, double arrhenius) {
  if (!optical.coagulated) return optical.native;
  const double part = 1 - std::exp(-arrhenius);
  const auto between = [part](double native, double done) { return native + part * (done - native); };
  return {between(optical.native.absorption_per_m, optical.coagulated->absorption_per_m),
          between(optical.native.reduced_scattering_per_m, optical.coagulated->reduced_scattering_per_m)};
}

}  // namespace spinetherm
