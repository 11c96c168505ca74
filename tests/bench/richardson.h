// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <limits>

namespace spinetherm {

/// Limit of v(h) = value + C h^order, and the order; NaN where no order between 0.1 and 10 fits.
struct Limit {
  double value = 0, order = 0;
};

/// Through three values, coarsest first. The ratio of the differences,
///   (v1 - v2) / (v2 - v3) = (h1^p - h2^p) / (h2^p - h3^p),
/// rises with p: bisection.
inline Limit richardson(const std::array<double, 3>& h, const std::array<double, 3>& v) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const double ratio = (v[0] - v[1]) / (v[1] - v[2]);
  const auto ratio_of = [&](double p) {
    return (std::pow(h[0], p) - std::pow(h[1], p)) / (std::pow(h[1], p) - std::pow(h[2], p));
  };
  double low = 0.1, high = 10;
  if (!(ratio >= ratio_of(low) && ratio <= ratio_of(high))) return {kNone, kNone};
  for (int n = 0; n < 80; ++n) {
    const double middle = (low + high) / 2;
    (ratio_of(middle) < ratio ? low : high) = middle;
  }
  const double C = (v[1] - v[2]) / (std::pow(h[1], low) - std::pow(h[2], low));
  return {v[2] - C * std::pow(h[2], low), low};
}

}  // namespace spinetherm
