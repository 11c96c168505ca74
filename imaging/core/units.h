// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spinetherm {

/// Kelvin of 0 degC. Kelvin is used inside Arrhenius only.
inline constexpr double kZeroCelsius_K = 273.15;
/// Molar gas constant [J/mol/K], CODATA 2018 (exact).
inline constexpr double kGasConstant_J_per_mol_K = 8.31446261815324;
inline constexpr double kPi = 3.14159265358979323846;
inline constexpr double kMetre_per_mm = 1e-3;

}  // namespace spinetherm
