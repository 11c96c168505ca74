// SPDX-License-Identifier: Apache-2.0
#include "thermal/rkl2.h"

#include <cstddef>

namespace spinetherm {

Rkl2 make_rkl2(int stages) {
  Rkl2 r;
  r.stages = stages;
  const auto size = std::size_t(stages) + 1;
  r.mu.assign(size, 0);
  r.nu = r.mu_t = r.gamma_t = r.time = r.mu;
  std::vector<double> b(size, 1.0 / 3);
  for (std::size_t j = 3; j < size; ++j) {
    const auto n = double(j);
    b[j] = (n * n + n - 2) / (2 * n * (n + 1));
  }
  const double w1 = 4 / (double(stages) * stages + stages - 2);
  // Each stage as weights of L(Y_0), L(Y_1), ...
  std::vector<std::vector<double>> rows(size, std::vector<double>(size, 0.0));
  r.mu_t[1] = b[1] * w1;
  rows[1][0] = r.mu_t[1];
  for (std::size_t j = 2; j < size; ++j) {
    const auto n = double(j);
    r.mu[j] = (2 * n - 1) / n * b[j] / b[j - 1];
    r.nu[j] = -(n - 1) / n * b[j] / b[j - 2];
    r.mu_t[j] = r.mu[j] * w1;
    r.gamma_t[j] = -(1 - b[j - 1]) * r.mu_t[j];
    for (std::size_t m = 0; m < j; ++m) rows[j][m] = r.mu[j] * rows[j - 1][m] + r.nu[j] * rows[j - 2][m];
    rows[j][j - 1] += r.mu_t[j];
    rows[j][0] += r.gamma_t[j];
  }
  // The scheme is consistent in time: c_j is the sum of the stage's weights.
  for (std::size_t j = 1; j < size; ++j)
    for (const double w : rows[j]) r.time[j] += w;
  r.weight.assign(rows[size - 1].begin(), rows[size - 1].end() - 1);
  return r;
}

int rkl2_stages(double ratio) {
  int s = 3;
  while (rkl2_reach(s) < ratio) s += 2;
  return s;
}

}  // namespace spinetherm
