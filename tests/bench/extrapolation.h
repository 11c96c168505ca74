// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace spinetherm {

/// Value at h = 0 of v(h) = value + C1 h + C2 h^2 through three pairs (Richardson). First order leads where
/// surfaces fall on whole cells, and where an electrode meets an insulator, for the flow there goes with
/// r^-1/2.
inline double limit_at_zero(const std::array<double, 3>& h, const std::array<double, 3>& v) {
  double sum = 0;
  for (std::size_t n = 0; n < 3; ++n) {
    const std::size_t a = (n + 1) % 3, b = (n + 2) % 3;
    sum += v[n] * h[a] * h[b] / ((h[n] - h[a]) * (h[n] - h[b]));
  }
  return sum;
}

}  // namespace spinetherm
