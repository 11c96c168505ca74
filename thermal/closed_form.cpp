// SPDX-License-Identifier: Apache-2.0
#include "thermal/closed_form.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Potential at the centre of a grounded cube of side 1 of a unit charge's images, times 4 pi eps.
constexpr double kCubeImages = 1.7476;

/// Integral over [0, end] of a function that may change fast near 0: 16-point Gauss-Legendre on pieces that
/// double in length.
template <class F>
double integral_from_zero(double end, F&& f) {
  static constexpr std::array<double, 8> x = {
      0.0950125098376374402, 0.2816035507792589132, 0.4580167776572273863, 0.6178762444026437484,
      0.7554044083550030339, 0.8656312023878317439, 0.9445750230732325761, 0.9894009349916499326};
  static constexpr std::array<double, 8> w = {
      0.1894506104550684963, 0.1826034150449235889, 0.1691565193950025382, 0.1495959888165767321,
      0.1246289712555338721, 0.0951585116824927848, 0.0622535239386478929, 0.0271524594117540949};
  const auto piece = [&](double a, double b) {
    const double middle = (a + b) / 2, half = (b - a) / 2;
    double sum = 0;
    for (std::size_t n = 0; n < x.size(); ++n)
      sum += w[n] * (f(middle - half * x[n]) + f(middle + half * x[n]));
    return sum * half;
  };
  constexpr int kDoublings = 60;
  double a = end * std::pow(2.0, -kDoublings);
  double sum = piece(0, a);
  for (int n = 0; n < kDoublings; ++n, a *= 2) sum += piece(a, 2 * a);
  return sum;
}

/// {e^{-mx} erfc[u - b] + e^{mx} erfc[u + b]}, where m x = 2 u b for finite times.
double advancing(double mx, double u, double b) {
  const double ahead = std::exp(-mx) * std::erfc(u - b);
  // e^{mx} erfc(u+b) = e^{mx-(u+b)^2} erfcx(u+b): no overflow.
  const double back = std::isfinite(b) ? std::exp(mx - (u + b) * (u + b)) * scaled_erfc(u + b) : 0;
  return ahead + back;
}

}  // namespace

double UniformTissue::inverse_length() const {
  return std::sqrt(perfusion_per_s * blood_J_per_m3_K / conductivity_W_per_m_K);
}

double scaled_erfc(double z) {
  if (z < 25) return std::exp(z * z) * std::erfc(z);
  const double s = 1 / (2 * z * z);
  return (1 - s * (1 - 3 * s * (1 - 5 * s))) / (z * std::sqrt(kPi));
}

double sphere_steady_K(const UniformTissue& t, double theta_s, double a_mm, double r_mm) {
  return theta_s * a_mm / r_mm * std::exp(-(r_mm - a_mm) * kMetre_per_mm * t.inverse_length());
}

double sphere_in_shell_K(const UniformTissue& t, double theta_s, double a_mm, double r_mm, double R_mm) {
  const double m = t.inverse_length() * kMetre_per_mm;
  const double shape =
      m == 0 ? (R_mm - r_mm) / (R_mm - a_mm) : std::sinh(m * (R_mm - r_mm)) / std::sinh(m * (R_mm - a_mm));
  return theta_s * a_mm / r_mm * shape;
}

double sphere_in_cube_K(double theta_s, double a_mm, double r_mm, double side_mm) {
  return theta_s * (1 / r_mm - kCubeImages / side_mm) / (1 / a_mm - kCubeImages / side_mm);
}

double sphere_transient_K(const UniformTissue& t, double theta_s, double a_mm, double r_mm, double t_s) {
  const double x = (r_mm - a_mm) * kMetre_per_mm;
  return theta_s * a_mm / (2 * r_mm) *
         advancing(t.inverse_length() * x, x / (2 * std::sqrt(t.diffusivity() * t_s)),
                   std::sqrt(t.decay() * t_s));
}

double sphere_power_W(const UniformTissue& t, double theta_s, double a_mm) {
  const double a = a_mm * kMetre_per_mm;
  return 4 * kPi * t.conductivity_W_per_m_K * a * (1 + a * t.inverse_length()) * theta_s;
}

double sphere_isotherm_mm(const UniformTissue& t, double theta_s, double a_mm, double theta) {
  const double m = t.inverse_length() * kMetre_per_mm;
  if (m == 0) return a_mm * theta_s / theta;
  const double y = a_mm * m * std::exp(a_mm * m) * theta_s / theta;
  double w = std::log1p(y);
  for (int n = 0; n < 50; ++n) w -= (w * std::exp(w) - y) / (std::exp(w) * (w + 1));
  return w / m;
}

double point_source_K(const UniformTissue& t, double power_W, double r_mm, double t_s) {
  const double r = r_mm * kMetre_per_mm;
  const double b = t.decay() == 0 ? 0 : std::sqrt(t.decay() * t_s);
  return power_W / (8 * kPi * t.conductivity_W_per_m_K * r) *
         advancing(t.inverse_length() * r, r / (2 * std::sqrt(t.diffusivity() * t_s)), b);
}

double gaussian_source_K(const UniformTissue& t, double power_W, double sigma_mm, double r_mm, double t_s) {
  const double sigma = sigma_mm * kMetre_per_mm;
  const double tau = sigma * sigma / (2 * t.diffusivity()), beta = t.decay();
  if (r_mm > 0)
    return std::exp(beta * tau) *
           (point_source_K(t, power_W, r_mm, t_s + tau) - point_source_K(t, power_W, r_mm, tau));
  const auto primitive = [&](double s) {
    return -2 / std::sqrt(s) * std::exp(-beta * s) -
           2 * std::sqrt(kPi * beta) * std::erf(std::sqrt(beta * s));
  };
  return std::exp(beta * tau) * power_W / t.heat_capacity() * std::pow(4 * kPi * t.diffusivity(), -1.5) *
         (primitive(tau + t_s) - primitive(tau));
}

double box_source_K(const UniformTissue& t, double power_W, const Eigen::Vector3d& half_mm,
                    const Eigen::Vector3d& x_mm, double t_s) {
  const Eigen::Vector3d b = half_mm * kMetre_per_mm, x = x_mm * kMetre_per_mm;
  const double q = power_W / (8 * b.prod());
  return integral_from_zero(t_s, [&](double s) {
    const double d = 2 * std::sqrt(t.diffusivity() * s);
    double product = q / t.heat_capacity() * std::exp(-t.decay() * s);
    for (int a = 0; a < 3; ++a) product *= (std::erf((x[a] + b[a]) / d) - std::erf((x[a] - b[a]) / d)) / 2;
    return product;
  });
}

double line_source_K(const UniformTissue& t, double W_per_m, double half_length_mm, double rho_mm,
                     double z_mm, double t_s) {
  const double rho = rho_mm * kMetre_per_mm, z = z_mm * kMetre_per_mm, l = half_length_mm * kMetre_per_mm;
  return W_per_m / (4 * kPi * t.conductivity_W_per_m_K) * integral_from_zero(t_s, [&](double s) {
           const double d = 2 * std::sqrt(t.diffusivity() * s);
           const double part = std::isfinite(l) ? (std::erf((z + l) / d) - std::erf((z - l) / d)) / 2 : 1;
           return std::exp(-t.decay() * s - rho * rho / (d * d)) * part / s;
         });
}

double semi_infinite_K(const UniformTissue& t, double theta_s, double x_mm, double t_s) {
  const double x = x_mm * kMetre_per_mm;
  return theta_s / 2 *
         advancing(t.inverse_length() * x, x / (2 * std::sqrt(t.diffusivity() * t_s)),
                   std::sqrt(t.decay() * t_s));
}

double slab_K(const UniformTissue& t, double theta_s, double length_mm, double x_mm, double t_s) {
  const double m = t.inverse_length() * kMetre_per_mm, alpha = t.diffusivity() * 1e6;  // mm2/s
  double sum =
      m == 0 ? (length_mm - x_mm) / length_mm : std::sinh(m * (length_mm - x_mm)) / std::sinh(m * length_mm);
  for (int n = 1; n < 100000; ++n) {
    const double wave = n * kPi / length_mm;
    const double decay = std::exp(-(alpha * wave * wave + t.decay()) * t_s);
    sum -= 2 * n * kPi / (n * kPi * n * kPi + m * length_mm * m * length_mm) * std::sin(wave * x_mm) * decay;
    if (decay < 1e-18) break;
  }
  return theta_s * sum;
}

double layers_flux_W_per_m2(const std::vector<Layer>& layers, double T0_degC, double T1_degC) {
  double resistance = 0;
  for (const Layer& l : layers) resistance += l.thickness_mm * kMetre_per_mm / l.conductivity_W_per_m_K;
  return (T0_degC - T1_degC) / resistance;
}

double layers_degC(const std::vector<Layer>& layers, double T0_degC, double T1_degC, double x_mm) {
  const double q = layers_flux_W_per_m2(layers, T0_degC, T1_degC);
  double T = T0_degC, left_mm = x_mm;
  for (const Layer& l : layers) {
    const double part = std::min(left_mm, l.thickness_mm);
    T -= q * part * kMetre_per_mm / l.conductivity_W_per_m_K;
    left_mm -= part;
  }
  return T;
}

double heated_layer_degC(const Layer& heated, const Layer& cold, double q_W_per_m3, double T_degC,
                         double x_mm) {
  const double l1 = heated.thickness_mm * kMetre_per_mm, l2 = cold.thickness_mm * kMetre_per_mm;
  const double k1 = heated.conductivity_W_per_m_K, k2 = cold.conductivity_W_per_m_K, x = x_mm * kMetre_per_mm;
  // T1 = T + A x - q x^2/2 k1, T2 = T + B (l1 + l2 - x), temperature and flux continuous at l1.
  const double B = q_W_per_m3 * l1 * l1 / 2 / (k1 * l2 + k2 * l1);
  const double A = (B * l2 + q_W_per_m3 * l1 * l1 / (2 * k1)) / l1;
  return x <= l1 ? T_degC + A * x - q_W_per_m3 * x * x / (2 * k1) : T_degC + B * (l1 + l2 - x);
}

double sphere_layers_degC(double a_mm, double b_mm, double R_mm, double k1, double k2, double Ts_degC,
                          double T_degC, double r_mm) {
  const double flow = (Ts_degC - T_degC) / ((1 / a_mm - 1 / b_mm) / k1 + (1 / b_mm - 1 / R_mm) / k2);
  return r_mm <= b_mm ? Ts_degC - flow / k1 * (1 / a_mm - 1 / r_mm)
                      : T_degC + flow / k2 * (1 / r_mm - 1 / R_mm);
}

double necrotic_core_K(const UniformTissue& outside, double k1, double a_mm, double b_mm, double theta_s,
                       double r_mm) {
  const double m = outside.inverse_length() * kMetre_per_mm, k2 = outside.conductivity_W_per_m_K;
  // Core C + D/r, outside E e^{-m(r-b)}/r; flux k1 D = k2 E (1 + m b).
  Eigen::Matrix3d equations;
  equations << 1, 1 / a_mm, 0, 1, 1 / b_mm, -1 / b_mm, 0, -k1, k2 * (1 + m * b_mm);
  const Eigen::Vector3d x = equations.partialPivLu().solve(Eigen::Vector3d(theta_s, 0, 0));
  return r_mm <= b_mm ? x[0] + x[1] / r_mm : x[2] * std::exp(-m * (r_mm - b_mm)) / r_mm;
}

double contact_degC(const UniformTissue& left, double T_left_degC, const UniformTissue& right,
                    double T_right_degC, double x_mm, double t_s) {
  const auto effusivity = [](const UniformTissue& t) {
    return std::sqrt(t.conductivity_W_per_m_K * t.heat_capacity());
  };
  const double e1 = effusivity(left), e2 = effusivity(right);
  const double T = (e1 * T_left_degC + e2 * T_right_degC) / (e1 + e2);
  const UniformTissue& here = x_mm < 0 ? left : right;
  const double far = x_mm < 0 ? T_left_degC : T_right_degC;
  return T + (far - T) * std::erf(std::abs(x_mm) * kMetre_per_mm / (2 * std::sqrt(here.diffusivity() * t_s)));
}

double sphere_resistance_ohm(double sigma, double a_mm) {
  return 1 / (4 * kPi * sigma * a_mm * kMetre_per_mm);
}
double grounded_cube_correction_ohm(double sigma, double side_mm) {
  return kCubeImages / (4 * kPi * sigma * side_mm * kMetre_per_mm);
}
double sphere_in_shell_resistance_ohm(double sigma, double a_mm, double R_mm) {
  return sphere_resistance_ohm(sigma, a_mm) - sphere_resistance_ohm(sigma, R_mm);
}
double layered_sphere_resistance_ohm(double sigma_1, double sigma_2, double a_mm, double b_mm) {
  return sphere_in_shell_resistance_ohm(sigma_1, a_mm, b_mm) + sphere_resistance_ohm(sigma_2, b_mm);
}
double sphere_power_density_W_per_m3(double sigma, double V0, double a_mm, double r_mm) {
  const double field = V0 * a_mm / (r_mm * r_mm * kMetre_per_mm);
  return sigma * field * field;
}

namespace {
double bispherical_A(double sigma, double a_mm, double distance_mm, double V, double sign) {
  const double eta = std::acosh(distance_mm / (2 * a_mm));
  double sum = 0, factor = 1;
  for (int n = 1; n < 100000; ++n, factor *= sign) {
    const double term = 1 / std::sinh(n * eta);
    sum += factor * term;
    if (term < 1e-17) break;
  }
  return 4 * kPi * sigma * a_mm * kMetre_per_mm * std::sinh(eta) * V * sum;
}
}  // namespace

double two_spheres_bipolar_A(double sigma, double a_mm, double distance_mm, double V) {
  return bispherical_A(sigma, a_mm, distance_mm, V, 1);
}
double two_spheres_parallel_A(double sigma, double a_mm, double distance_mm, double V) {
  return bispherical_A(sigma, a_mm, distance_mm, V, -1);
}

std::pair<double, double> two_spheres_field(double sigma, double a_mm, double distance_mm, double V1,
                                            double V2, double x_mm, double y_mm) {
  const std::array<double, 2> centre = {-distance_mm / 2, distance_mm / 2};
  const std::array<double, 2> V = {V1, V2};
  double potential = 0, ex = 0, ey = 0;
  for (std::size_t first = 0; first < 2; ++first) {
    double charge = a_mm * V[first], at = centre[first];
    for (std::size_t n = 0, in = first; n < 400 && std::abs(charge) > 1e-17 * a_mm; ++n) {
      const double dx = x_mm - at, r = std::hypot(dx, y_mm);
      potential += charge / r;
      ex += charge * dx / (r * r * r);
      ey += charge * y_mm / (r * r * r);
      in = 1 - in;  // image in the other sphere: -q a/D at a^2/D from its centre
      const double D = centre[in] - at;
      charge *= -a_mm / std::abs(D);
      at = centre[in] - a_mm * a_mm / D;
    }
  }
  const double field = std::hypot(ex, ey) / kMetre_per_mm;
  return {potential, sigma * field * field};
}

double prolate_resistance_ohm(double sigma, double long_half_mm, double short_half_mm) {
  const double c = std::sqrt(long_half_mm * long_half_mm - short_half_mm * short_half_mm);
  return std::atanh(c / long_half_mm) / (4 * kPi * sigma * c * kMetre_per_mm);
}

std::pair<double, double> prolate_field(double sigma, double V0, double long_half_mm, double short_half_mm,
                                        double z_mm, double rho_mm) {
  const double c = std::sqrt(long_half_mm * long_half_mm - short_half_mm * short_half_mm);
  const double whole = std::atanh(c / long_half_mm);
  const double r1 = std::hypot(z_mm + c, rho_mm), r2 = std::hypot(z_mm - c, rho_mm);
  const double xi = (r1 + r2) / (2 * c), eta = (r1 - r2) / (2 * c);
  const double scale = V0 / (c * kMetre_per_mm * whole);
  return {V0 * std::atanh(1 / xi) / whole, sigma * scale * scale / ((xi * xi - 1) * (xi * xi - eta * eta))};
}

double cooled_sphere_degC(double sigma, double k, double V0, double a_mm, double Te_degC, double Tb_degC,
                          double r_mm) {
  const double K = sigma * V0 * V0 / k, x = a_mm / r_mm;
  return Tb_degC + (Te_degC - Tb_degC + K / 2) * x - K * x * x / 2;
}

double cooled_sphere_in_shell_degC(double sigma, double k, double V0, double a_mm, double Te_degC,
                                   double Tb_degC, double R_mm, double r_mm) {
  // T = Tb + A + B/r - C/2r^2 with C of the field V0 (1/r - 1/R)/(1/a - 1/R).
  const double scale = V0 / (1 / a_mm - 1 / R_mm), C = sigma * scale * scale / k;
  const double at_a = Te_degC - Tb_degC + C / (2 * a_mm * a_mm), at_R = C / (2 * R_mm * R_mm);
  const double B = (at_a - at_R) / (1 / a_mm - 1 / R_mm), A = at_R - B / R_mm;
  return Tb_degC + A + B / r_mm - C / (2 * r_mm * r_mm);
}

double cem43_min(const std::vector<std::array<double, 2>>& minutes_degC) {
  double sum = 0;
  for (const auto& [minutes, T] : minutes_degC)
    if (T >= 39) sum += minutes * std::pow(T >= 43 ? 0.5 : 0.25, 43 - T);
  return sum;
}

double cem43_of_ramp_min(double T0_degC, double T1_degC, double K_per_min) {
  const auto part = [&](double base, double low, double high) {
    if (high <= low) return 0.0;
    return (std::pow(base, high - 43) - std::pow(base, low - 43)) / (K_per_min * std::log(base));
  };
  return part(4, std::max(T0_degC, 39.0), std::min(T1_degC, 43.0)) +
         part(2, std::max(T0_degC, 43.0), T1_degC);
}

double cem43_of_cooling_min(double D_K, double tau_min) {
  const auto part = [&](double base, double low, double high) {
    if (high <= low) return 0.0;
    const double l = std::log(base);
    return tau_min * std::pow(base, -6.0) * (std::expint(high * l) - std::expint(low * l));
  };
  return part(2, 6, D_K) + part(4, 2, std::min(D_K, 6.0));
}

double arrhenius_time_s(double frequency_per_s, double energy_J_per_mol, double T_degC, double omega) {
  // In logarithms: the frequencies reach 1e108.
  return std::exp(std::log(omega) - std::log(frequency_per_s) +
                  energy_J_per_mol / (kGasConstant_J_per_mol_K * (T_degC + kZeroCelsius_K)));
}

}  // namespace spinetherm
