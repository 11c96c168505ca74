// SPDX-License-Identifier: Apache-2.0
#include "apps/radial_ablation.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kKelvin = 273.15;

double grown(double per_K, double T_degC) { return 1 + per_K * (std::min(T_degC, 100.0) - 37); }

double sigma_S_per_m(const RadialAblation& p, double T_degC) {
  const double wet = p.electrical_S_per_m * grown(p.electrical_per_K, T_degC);
  if (T_degC <= p.dries_from_degC) return wet;
  const double x = std::min(1.0, (T_degC - p.dries_from_degC) / (p.dries_to_degC - p.dries_from_degC));
  const double share = p.dries_straight ? x : x * x * (3 - 2 * x);
  return p.electrical_S_per_m * grown(p.electrical_per_K, p.dries_from_degC) *
         (1 - share * (1 - p.dry_residual));
}

/// Shells between spheres, in metres.
struct Shells {
  std::vector<double> face_m, centre_m, volume_m3, inner, outer;  ///< heat resistance of the halves times k
  std::vector<double> electric;                                   ///< electrical resistance times sigma

  Shells(const RadialAblation& p, int count) {
    const double ratio = std::pow(40.0, 1.0 / (count - 1));
    double sum = 0, width = 1;
    std::vector<double> grown_to = {0};
    for (int n = 0; n < count; ++n, width *= ratio) grown_to.push_back(sum += width);
    const double a = p.electrode_mm * kMetre_per_mm, R = p.outer_mm * kMetre_per_mm;
    for (const double x : grown_to) face_m.push_back(a + (R - a) * x / sum);
    const double shell = p.shell_from_mm * kMetre_per_mm;
    for (int n = 0; n < count; ++n) {
      const double r1 = face_m[std::size_t(n)], r2 = face_m[std::size_t(n) + 1], rc = (r1 + r2) / 2;
      centre_m.push_back(rc);
      volume_m3.push_back(4 * kPi / 3 * (r2 * r2 * r2 - r1 * r1 * r1));
      inner.push_back((1 / r1 - 1 / rc) / (4 * kPi));
      outer.push_back((1 / rc - 1 / r2) / (4 * kPi));
      const double middle = std::clamp(shell, r1, r2);
      electric.push_back(((1 / r1 - 1 / middle) + (1 / middle - 1 / r2) * p.shell_divisor) / (4 * kPi));
    }
  }
};

/// Solves a tridiagonal system in place (Thomas).
void solve_tridiagonal(const std::vector<double>& low, std::vector<double>& middle,
                       const std::vector<double>& high, std::vector<double>& x) {
  for (std::size_t n = 1; n < x.size(); ++n) {
    const double m = low[n] / middle[n - 1];
    middle[n] -= m * high[n - 1];
    x[n] -= m * x[n - 1];
  }
  x.back() /= middle.back();
  for (std::size_t n = x.size() - 1; n-- > 0;) x[n] = (x[n] - high[n] * x[n + 1]) / middle[n];
}

}  // namespace

double RadialState::T_at(double r) const {
  const auto above = std::upper_bound(r_mm.begin(), r_mm.end(), r);
  if (above == r_mm.begin()) return T_degC.front();
  if (above == r_mm.end()) return T_degC.back();
  const auto n = std::size_t(above - r_mm.begin());
  return T_degC[n - 1] + (T_degC[n] - T_degC[n - 1]) * (r - r_mm[n - 1]) / (r_mm[n] - r_mm[n - 1]);
}

double RadialState::isotherm_mm(double T) const {
  for (std::size_t n = r_mm.size() - 1; n > 0; --n)
    if (T_degC[n - 1] >= T && T_degC[n] < T)
      return r_mm[n - 1] + (r_mm[n] - r_mm[n - 1]) * (T_degC[n - 1] - T) / (T_degC[n - 1] - T_degC[n]);
  return 0;
}

std::vector<RadialState> solve_radial(const RadialAblation& p, const std::vector<double>& times_s,
                                      const RadialMesh& mesh) {
  const Shells s(p, mesh.shells);
  const auto count = std::size_t(mesh.shells);
  std::vector<double> T(count, p.rest_degC), omega(count, 0), change(count, 0), k(count), current_heat(count);
  std::vector<double> low(count), middle(count), high(count);
  std::vector<RadialState> states;
  double current_A = 0;
  long done = 0;
  const auto add_state = [&](double t_s) {
    RadialState state{t_s, current_A, {}, T, omega};
    for (const double r : s.centre_m) state.r_mm.push_back(r / kMetre_per_mm);
    states.push_back(std::move(state));
  };
  for (const double t_s : times_s) {
    for (const long end = std::lround(t_s / mesh.dt_s); done < end; ++done) {
      std::fill(change.begin(), change.end(), 0.0);
      for (int iteration = 0; iteration < 4; ++iteration) {
        double resistance_ohm = 0;
        for (std::size_t n = 0; n < count; ++n) {
          const double T_mid = T[n] + change[n] / 2;
          current_heat[n] = s.electric[n] / sigma_S_per_m(p, T_mid);
          resistance_ohm += current_heat[n];
          k[n] = p.conductivity_W_per_m_K * grown(p.conductivity_per_K, T_mid);
        }
        current_A = p.potential_V / resistance_ohm;
        for (std::size_t n = 0; n < count; ++n) {
          const double blood = p.perfusion_W_per_m3_K * std::exp(-omega[n]) * s.volume_m3[n];
          change[n] = current_A * current_A * current_heat[n] - blood * (T[n] - p.rest_degC);
          middle[n] = p.heat_capacity_J_per_m3_K * s.volume_m3[n] / mesh.dt_s + blood / 2;
          low[n] = high[n] = 0;
        }
        for (std::size_t n = 0; n < count; ++n) {
          const bool last = n + 1 == count;
          const double g = 1 / (s.outer[n] / k[n] + (last ? 0 : s.inner[n + 1] / k[n + 1]));
          const double flow = g * ((last ? p.rest_degC : T[n + 1]) - T[n]);
          middle[n] += g / 2;
          change[n] += flow;
          if (last) break;
          middle[n + 1] += g / 2;
          high[n] = low[n + 1] = -g / 2;
          change[n + 1] -= flow;
        }
        solve_tridiagonal(low, middle, high, change);
      }
      for (std::size_t n = 0; n < count; ++n) {
        const double T_mid = T[n] + change[n] / 2;
        omega[n] += mesh.dt_s * p.damage_per_s *
                    std::exp(-p.damage_J_per_mol / (kGasConstant_J_per_mol_K * (T_mid + kKelvin)));
        T[n] += change[n];
      }
    }
    add_state(t_s);
  }
  return states;
}

}  // namespace spinetherm
