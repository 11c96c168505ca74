// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace spinetherm {

/// Coefficients of one macro-step of the second-order Runge-Kutta-Legendre scheme with s stages (Meyer,
/// Balsara & Aslam 2014, doi:10.1016/j.jcp.2013.08.021), written in differences from Y_0 so that rest stays
/// rest to the last bit:
///   Y_1 = Y_0 + mu~_1 dt L(Y_0)
///   Y_j = Y_0 + mu_j (Y_{j-1} - Y_0) + nu_j (Y_{j-2} - Y_0) + mu~_j dt L(Y_{j-1}) + gamma~_j dt L(Y_0)
/// Entries [1..s]; `time` holds c_j, the stage's time as a fraction of dt; `weight` [0..s-1] holds b_j of
///   Y_s = Y_0 + dt sum_j b_j L(Y_j).
struct Rkl2 {
  int stages = 0;
  std::vector<double> mu, nu, mu_t, gamma_t, time, weight;
};
Rkl2 make_rkl2(int stages);

/// Largest stable macro-step over that of forward Euler, (s^2 + s - 2)/4.
inline double rkl2_reach(int stages) { return (double(stages) * stages + stages - 2) / 4; }
/// Smallest odd number of stages, 3 or more, whose reach is `ratio`.
int rkl2_stages(double ratio);

}  // namespace spinetherm
