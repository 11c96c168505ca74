// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace spinetherm {

/// Independent reference: ice around a long cylinder, one-dimensional explicit enthalpy finite volumes on
/// rows that grow with the radius. The tissue of the mesh-converged references (rho 1000, k 2 / 0.5 W/m/K
/// linear in the ice fraction, c 2000 / 3700 J/kg/K, 250 kJ/kg between -8 and -0.6 degC, perfusion in what
/// never froze).
struct FreezingCylinder {
  double radius_m = 0.75e-3, outer_m = 60e-3;
  double film_W_per_m2_K = 0;  ///< 0: the wall itself has the temperature
  double inside_degC = -140, ramp_s = 30, limit_W_per_m = 1e9;
  double perfusion_per_s = 0.003;
  bool blood_returns = true;  ///< after thawing
  int rows = 200;

  struct State {
    double extraction_W_per_m = 0, wall_degC = 37, ice_mm = 0, minus20_mm = 0, minus40_mm = 0;
  };
  State at(double t_s) const {
    constexpr double ks = 2, kl = 0.5, cs = 2000, cl = 3700, latent = 250e3, rho = 1000, Ts = -8, Tl = -0.6;
    const double mushy = rho * ((cs + cl) / 2 * (Tl - Ts) + latent);
    const auto n = std::size_t(rows);
    std::vector<double> edge(n + 1), mid(n), volume(n), T(n, 37), H(n), k(n), flow(n + 1), stasis(n, 0);
    for (std::size_t i = 0; i <= n; ++i)
      edge[i] = radius_m * std::pow(outer_m / radius_m, double(i) / double(n));
    for (std::size_t i = 0; i < n; ++i) {
      mid[i] = std::sqrt(edge[i] * edge[i + 1]);
      volume[i] = M_PI * (edge[i + 1] * edge[i + 1] - edge[i] * edge[i]);
      H[i] = mushy + rho * cl * (37 - Tl);
    }
    const auto k_of = [&](double degC) {
      return ks + (kl - ks) * std::clamp((degC - Ts) / (Tl - Ts), 0.0, 1.0);
    };
    const double dt = 0.4 * std::pow(edge[1] - edge[0], 2) * rho * cs / ks;
    State s;
    for (double t = 0; t < t_s; t += dt) {
      for (std::size_t i = 0; i < n; ++i) {
        T[i] = H[i] < 0       ? Ts + H[i] / (rho * cs)
               : H[i] < mushy ? Ts + H[i] / mushy * (Tl - Ts)
                              : Tl + (H[i] - mushy) / (rho * cl);
        k[i] = k_of(T[i]);
        if (!blood_returns && T[i] < Tl) stasis[i] = 1;
      }
      for (std::size_t i = 1; i < n; ++i)
        flow[i] = 2 * M_PI * (T[i] - T[i - 1]) /
                  (std::log(edge[i] / mid[i - 1]) / k[i - 1] + std::log(mid[i] / edge[i]) / k[i]);
      flow[n] = 2 * M_PI * k[n - 1] * (37 - T[n - 1]) / std::log(outer_m / mid[n - 1]);
      const double inside = 37 + (inside_degC - 37) * std::min(1.0, t / ramp_s);
      double wall = film_W_per_m2_K > 0 ? s.wall_degC : inside;
      const double tissue = 2 * M_PI * (k[0] + k_of(wall)) / 2 / std::log(mid[0] / radius_m);
      double g = tissue;
      if (film_W_per_m2_K > 0) g = 1 / (1 / tissue + 1 / (2 * M_PI * radius_m * film_W_per_m2_K));
      flow[0] = std::clamp(g * (T[0] - inside), -limit_W_per_m, limit_W_per_m);
      s.wall_degC = T[0] - flow[0] / tissue;
      s.extraction_W_per_m = flow[0];
      for (std::size_t i = 0; i < n; ++i) {
        const double blood = T[i] < Tl || stasis[i] > 0 ? 0 : perfusion_per_s * 1050 * 3617 * (37 - T[i]);
        H[i] += dt * ((flow[i + 1] - flow[i]) / volume[i] + blood);
      }
    }
    const auto radius_mm = [&](double degC) {
      std::size_t i = 0;
      while (i + 1 < n && T[i] <= degC) ++i;
      if (i == 0) return 0.0;
      return 1e3 * (mid[i - 1] + (degC - T[i - 1]) / (T[i] - T[i - 1]) * (mid[i] - mid[i - 1]));
    };
    s.ice_mm = radius_mm(0);
    s.minus20_mm = radius_mm(-20);
    s.minus40_mm = radius_mm(-40);
    return s;
  }
};

}  // namespace spinetherm
