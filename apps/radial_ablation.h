// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <vector>

namespace spinetherm {

/// A sphere at a potential in a ball of tissue whose outer surface is grounded and held at rest, the coupled
/// problem of radiofrequency ablation in one dimension:
///   rho c dT/dt = 1/r2 d/dr(r2 k dT/dr) + w rho_b c_b exp(-Omega) (T_b - T) + sigma (dV/dr)2,
///   d/dr(r2 sigma dV/dr) = 0,   dOmega/dt = A exp(-E/RT);
/// the electrode's wall passes no heat. No closed form: a numerical solution of its own, independent of the
/// engine, that converges in its mesh (the physics notes' reference (j)). Lengths mm, the rest SI and degC.
struct RadialAblation {
  double electrode_mm = 1.5, outer_mm = 50, potential_V = 17;
  double rest_degC = 37;
  double heat_capacity_J_per_m3_K = 1060.0 * 3600;
  double conductivity_W_per_m_K = 0.5, conductivity_per_K = 0.0012;  ///< growth ends at 100 degC
  double perfusion_W_per_m3_K = 0.003 * 1050 * 3617;                 ///< w rho_b c_b
  double electrical_S_per_m = 0.2, electrical_per_K = 0.015;         ///< growth ends at 100 degC
  /// Beyond this radius the electrical conductivity is divided by a factor: a thin shell in place of a thick
  /// one.
  double shell_from_mm = std::numeric_limits<double>::infinity(), shell_divisor = 1;
  /// From `dries_from` to `dries_to` sigma falls to `dry_residual`: by 3x2 - 2x3, or on a straight line.
  double dries_from_degC = 100, dries_to_degC = 105, dry_residual = 0.01;
  bool dries_straight = false;
  double damage_per_s = 7.39e39, damage_J_per_mol = 2.577e5;  ///< liver, Jacques 1996
};

struct RadialState {
  double t_s = 0, current_A = 0;
  std::vector<double> r_mm, T_degC, omega;  ///< at the centres of the shells
  double T_at(double r_mm) const;
  /// Outermost radius at which the profile passes a temperature; 0 when it stays below.
  double isotherm_mm(double T_degC) const;
};

struct RadialMesh {
  int shells = 400;     ///< widths grow 40-fold from the electrode outwards
  double dt_s = 0.125;  ///< Crank-Nicolson, coefficients at the middle of the step
};

/// States at the given times (multiples of the time step, ascending).
std::vector<RadialState> solve_radial(const RadialAblation& problem, const std::vector<double>& times_s,
                                      const RadialMesh& mesh = {});

}  // namespace spinetherm
