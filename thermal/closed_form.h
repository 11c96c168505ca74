// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <utility>
#include <vector>

namespace spinetherm {

// Exact solutions that the engine is held against (`verify`, tests, bench). Lengths mm, times s, the rest SI;
// theta is the rise [K] over the undisturbed tissue. Everything here is independent of the engine.
// General source: Carslaw & Jaeger, Conduction of Heat in Solids, 2nd ed. 1959 ("C&J"); perfusion enters by
// theta -> theta exp(-beta t), beta = w rho_b c_b / (rho c).

/// Uniform tissue with constant properties.
struct UniformTissue {
  double density_kg_per_m3 = 1060, specific_heat_J_per_kg_K = 3600, conductivity_W_per_m_K = 0.5;
  double perfusion_per_s = 0;
  double blood_J_per_m3_K = 1050.0 * 3617.0;  ///< rho_b c_b

  double heat_capacity() const { return density_kg_per_m3 * specific_heat_J_per_kg_K; }
  double diffusivity() const { return conductivity_W_per_m_K / heat_capacity(); }        ///< alpha [m2/s]
  double decay() const { return perfusion_per_s * blood_J_per_m3_K / heat_capacity(); }  ///< beta [1/s]
  double inverse_length() const;  ///< m = 1/L = sqrt(w rho_b c_b / k) [1/m]
};

/// exp(z^2) erfc(z) without overflow, z >= 0.
double scaled_erfc(double z);

// (a) Sphere of radius a held at theta_s (C&J 9.10; Pennes 1948).
/// (a/r) exp(-(r-a)/L)
double sphere_steady_K(const UniformTissue& t, double theta_s, double a_mm, double r_mm);
/// Outer shell R at theta 0: (a/r) sinh((R-r)/L) / sinh((R-a)/L)
double sphere_in_shell_K(const UniformTissue& t, double theta_s, double a_mm, double r_mm, double R_mm);
/// Centre of a cube of side L at theta 0, w = 0, r << L: (1/r - 1.7476/L) / (1/a - 1.7476/L); the constant is
/// the potential of the cube's images (Madelung-type sum).
double sphere_in_cube_K(double theta_s, double a_mm, double r_mm, double side_mm);
/// theta_s a/2r {e^{-(r-a)/L} erfc[x - sqrt(beta t)] + e^{(r-a)/L} erfc[x + sqrt(beta t)]},
/// x = (r-a) / (2 sqrt(alpha t))
double sphere_transient_K(const UniformTissue& t, double theta_s, double a_mm, double r_mm, double t_s);
/// 4 pi k a (1 + a/L) theta_s
double sphere_power_W(const UniformTissue& t, double theta_s, double a_mm);
/// Radius where the steady rise is theta: L W0[(a/L) e^{a/L} theta_s/theta], W0 the Lambert function.
double sphere_isotherm_mm(const UniformTissue& t, double theta_s, double a_mm, double theta);

// (b) Sources switched on at t = 0 in endless tissue (C&J 10.4).
/// F = Q/(8 pi k r) {e^{-mr} erfc[r/2sqrt(alpha t) - sqrt(beta t)] + e^{mr} erfc[... + ...]}; t may be
/// infinite.
double point_source_K(const UniformTissue& t, double power_W, double r_mm, double t_s);
/// e^{beta tau} [F(r, t + tau) - F(r, tau)], tau = sigma^2 / 2 alpha; its limit at r = 0.
double gaussian_source_K(const UniformTissue& t, double power_W, double sigma_mm, double r_mm, double t_s);
/// Integral over s of q/(rho c) e^{-beta s} product of [erf((x+b)/2sqrt(alpha s)) - erf((x-b)/...)]/2 by
/// Gauss-Legendre quadrature, relative error below 1e-9.
double box_source_K(const UniformTissue& t, double power_W, const Eigen::Vector3d& half_mm,
                    const Eigen::Vector3d& x_mm, double t_s);
/// Segment along z from -half to half (infinite: an endless line), rho from the axis:
/// Q'/(4 pi k) integral of e^{-beta s - rho^2/4 alpha s} [erf((z+l)/2sqrt(alpha s)) - erf((z-l)/...)]/2 ds/s
double line_source_K(const UniformTissue& t, double W_per_m, double half_length_mm, double rho_mm,
                     double z_mm, double t_s);

// (c) Surface step in one dimension (C&J 2.4, 3.4).
double semi_infinite_K(const UniformTissue& t, double theta_s, double x_mm, double t_s);
/// theta(0) = theta_s, theta(l) = 0: sinh m(l-x)/sinh ml - sum 2 n pi/(n^2 pi^2 + m^2 l^2) sin(n pi x/l)
/// e^{-(alpha n^2 pi^2/l^2 + beta) t}
double slab_K(const UniformTissue& t, double theta_s, double length_mm, double x_mm, double t_s);

// (f) Layers.
struct Layer {
  double thickness_mm = 0, conductivity_W_per_m_K = 0;
};
/// Heat flux q = (T0 - T1) / sum(d/k) [W/m2], from x = 0 to the far side.
double layers_flux_W_per_m2(const std::vector<Layer>& layers, double T0_degC, double T1_degC);
double layers_degC(const std::vector<Layer>& layers, double T0_degC, double T1_degC, double x_mm);
/// Power density q in the first of two layers, both ends at T_degC.
double heated_layer_degC(const Layer& heated, const Layer& cold, double q_W_per_m3, double T_degC,
                         double x_mm);
/// Shells a..b (k1), b..R (k2), T_s at a, T at R. Returns temperature at r.
double sphere_layers_degC(double a_mm, double b_mm, double R_mm, double k1, double k2, double Ts_degC,
                          double T_degC, double r_mm);
/// Sphere a at theta_s, core a..b without perfusion (conductivity k1), perfused tissue outside.
double necrotic_core_K(const UniformTissue& outside, double k1, double a_mm, double b_mm, double theta_s,
                       double r_mm);
/// Two half-spaces brought together at t = 0: e = sqrt(k rho c), T_if = (e1 T1 + e2 T2)/(e1 + e2); x < 0 in
/// the first one.
double contact_degC(const UniformTissue& left, double T_left_degC, const UniformTissue& right,
                    double T_right_degC, double x_mm, double t_s);

// (e) Electrodes in tissue of conductivity sigma [S/m].
/// 1/(4 pi sigma a)
double sphere_resistance_ohm(double sigma, double a_mm);
/// At the centre of a grounded cube: (1/a - 1.7476/L)/(4 pi sigma), a << L; any compact electrode: its own
/// resistance less 1.7476/(4 pi sigma L).
double grounded_cube_correction_ohm(double sigma, double side_mm);
/// Grounded shell R: (1/a - 1/R)/(4 pi sigma)
double sphere_in_shell_resistance_ohm(double sigma, double a_mm, double R_mm);
/// sigma_1 to radius b, sigma_2 beyond: (1/a - 1/b)/(4 pi sigma_1) + 1/(4 pi sigma_2 b)
double layered_sphere_resistance_ohm(double sigma_1, double sigma_2, double a_mm, double b_mm);
/// q = sigma V0^2 a^2 / r^4
double sphere_power_density_W_per_m3(double sigma, double V0, double a_mm, double r_mm);

/// Two equal spheres, centres d apart, by bispherical sums: eta = arccosh(d/2a),
/// I(+-V) = 4 pi sigma a sinh(eta) V sum_{n>=1} 1/sinh(n eta); both at V: sum (-1)^{n+1}/sinh(n eta)
/// (Smythe, Static and Dynamic Electricity; Jeffery 1912).
double two_spheres_bipolar_A(double sigma, double a_mm, double distance_mm, double V);
double two_spheres_parallel_A(double sigma, double a_mm, double distance_mm, double V);  ///< of each sphere
/// Potential [V] and power density [W/m3] beside them at (x along the line of centres from the middle, y
/// across), by image charges; spheres at V1 (x < 0) and V2.
std::pair<double, double> two_spheres_field(double sigma, double a_mm, double distance_mm, double V1,
                                            double V2, double x_mm, double y_mm);

/// Prolate spheroid, semi-axes A > b, c = sqrt(A^2 - b^2): R = atanh(c/A)/(4 pi sigma c).
double prolate_resistance_ohm(double sigma, double long_half_mm, double short_half_mm);
/// Potential and power density at (z along, rho across): V0 atanh(1/xi)/atanh(c/A),
/// sigma [V0/(c atanh(c/A))]^2 / [(xi^2 - 1)(xi^2 - eta^2)]
std::pair<double, double> prolate_field(double sigma, double V0, double long_half_mm, double short_half_mm,
                                        double z_mm, double rho_mm);
/// Sphere a at V0 with its wall at Te in tissue at Tb without perfusion:
/// T = Tb + B/r - K a^2/(2 r^2), K = sigma V0^2/k, B = a (Te - Tb + K/2)
double cooled_sphere_degC(double sigma, double k, double V0, double a_mm, double Te_degC, double Tb_degC,
                          double r_mm);
/// The same inside a grounded shell R held at Tb.
double cooled_sphere_in_shell_degC(double sigma, double k, double V0, double a_mm, double Te_degC,
                                   double Tb_degC, double R_mm, double r_mm);

// (g) Dose. CEM43: R = 0.5 from 43 degC up, 0.25 from 39 degC up, none below (Sapareto & Dewey 1984,
// doi:10.1016/0360-3016(84)90379-1).
/// Pieces of constant temperature (minutes, degC).
double cem43_min(const std::vector<std::array<double, 2>>& minutes_degC);
/// From T0 to T1 >= T0 at a constant rate.
double cem43_of_ramp_min(double T0_degC, double T1_degC, double K_per_min);
/// T = 37 + D exp(-t/tau) for ever: tau 2^-6 [Ei(D ln 2) - Ei(6 ln 2)] + tau 4^-6 [Ei(min(D,6) ln 4) - Ei(2
/// ln 4)]
double cem43_of_cooling_min(double D_K, double tau_min);
/// Time [s] at constant temperature to the damage integral Omega: Omega / (A exp(-E/RT)).
double arrhenius_time_s(double frequency_per_s, double energy_J_per_mol, double T_degC, double omega = 1);

// (d) Freezing. Equal densities of the phases.
struct FreezingTissue {
  double density_kg_per_m3 = 1000;
  double frozen_k = 2.2, frozen_c = 2000, unfrozen_k = 0.55, unfrozen_c = 3700;
  double latent_J_per_kg = 250e3;
  double solidus_degC = -8, liquidus_degC = -0.6;  ///< a sharp front melts at the liquidus
  double mushy_k() const { return (frozen_k + unfrozen_k) / 2; }
  /// (cs + cl)/2 + L/(Tl - Ts): latent heat spread evenly.
  double mushy_c() const {
    return (frozen_c + unfrozen_c) / 2 + latent_J_per_kg / (liquidus_degC - solidus_degC);
  }
};
/// Similarity solution: fronts at 2 lambda sqrt(alpha_s t). `solid` = `liquid` for a sharp front.
struct FreezingFronts {
  double lambda_solid = 0, lambda_liquid = 0;
  double alpha_s = 0;  ///< [m2/s]
  double solid_mm(double t_s) const;
  double liquid_mm(double t_s) const;
};
/// One phase, liquid at the melting point: lambda e^{lambda^2} erf(lambda) = Ste/sqrt(pi) (C&J 11.2; Stefan).
FreezingFronts stefan_fronts(const FreezingTissue& t, double wall_degC);
/// Two phases (Neumann, C&J 11.2): wall at `wall_degC`, tissue at `initial_degC`.
FreezingFronts neumann_fronts(const FreezingTissue& t, double wall_degC, double initial_degC);
double neumann_degC(const FreezingTissue& t, double wall_degC, double initial_degC, double x_mm, double t_s);
/// Three regions with constant mushy properties; flux continuous at both fronts (Oezisik & Uzzell, J. Heat
/// Transfer 101, 1979, for the line).
FreezingFronts mushy_slab_fronts(const FreezingTissue& t, double wall_degC, double initial_degC);
double mushy_slab_degC(const FreezingTissue& t, double wall_degC, double initial_degC, double x_mm,
                       double t_s);
/// Line sink of Q [W/m] (C&J 11.2 by Ei functions; Paterson 1952), sharp front.
FreezingFronts line_sink_fronts(const FreezingTissue& t, double Q_W_per_m, double initial_degC);
double line_sink_degC(const FreezingTissue& t, double Q_W_per_m, double initial_degC, double r_mm,
                      double t_s);
FreezingFronts mushy_line_sink_fronts(const FreezingTissue& t, double Q_W_per_m, double initial_degC);
double mushy_line_sink_degC(const FreezingTissue& t, double Q_W_per_m, double initial_degC, double r_mm,
                            double t_s);

}  // namespace spinetherm
