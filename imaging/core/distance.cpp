// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/distance.h"

#include <cmath>
#include <limits>
#include <vector>

namespace spinetherm {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// One line: f(q) = min over p of (spacing (q - p))^2 + f(p). Infinite f(p) never wins.
void lower_envelope(std::vector<double>& f, double spacing_mm, std::vector<double>& out, std::vector<int>& at,
                    std::vector<double>& from) {
  const int n = int(f.size());
  const double h2 = spacing_mm * spacing_mm;
  int last = -1;  // rightmost parabola of the envelope
  for (int q = 0; q < n; ++q) {
    if (std::isinf(f[std::size_t(q)])) continue;
    double meet = -std::numeric_limits<double>::infinity();
    while (last >= 0) {
      const int p = at[std::size_t(last)];
      meet = ((f[std::size_t(q)] - f[std::size_t(p)]) / h2 + double(q) * q - double(p) * p) / (2.0 * (q - p));
      if (meet > from[std::size_t(last)]) break;
      --last;
      meet = -std::numeric_limits<double>::infinity();
    }
    ++last;
    at[std::size_t(last)] = q;
    from[std::size_t(last)] = meet;
  }
  if (last < 0) {
    out.assign(f.size(), std::numeric_limits<double>::infinity());
    return;
  }
  int piece = 0;
  for (int q = 0; q < n; ++q) {
    while (piece < last && from[std::size_t(piece) + 1] < q) ++piece;
    const double d = spacing_mm * (q - at[std::size_t(piece)]);
    out[std::size_t(q)] = d * d + f[std::size_t(at[std::size_t(piece)])];
  }
}

}  // namespace

Volume<float> distance_to_mm(const Volume<std::uint8_t>& mask) {
  const Grid& g = mask.grid;
  Volume<float> squared(g, kFar);
  for (std::size_t n = 0; n < mask.values.size(); ++n)
    if (mask[n]) squared[n] = 0;
  const std::size_t stride[3] = {1, std::size_t(g.size[0]), std::size_t(g.size[0]) * std::size_t(g.size[1])};
  for (int axis = 0; axis < 3; ++axis) {
    const int b = (axis + 1) % 3, c = (axis + 2) % 3;
    const int length = g.size[std::size_t(axis)];
    const long lines = long(g.size[std::size_t(b)]) * g.size[std::size_t(c)];
#pragma omp parallel
    {
      std::vector<double> f(static_cast<std::size_t>(length)), out(f.size()), from(f.size() + 1);
      std::vector<int> at(f.size() + 1);
#pragma omp for schedule(static)
      for (long line = 0; line < lines; ++line) {
        float* first = squared.values.data() + std::size_t(line % g.size[std::size_t(b)]) * stride[b] +
                       std::size_t(line / g.size[std::size_t(b)]) * stride[c];
        for (int q = 0; q < length; ++q) f[std::size_t(q)] = first[std::size_t(q) * stride[axis]];
        lower_envelope(f, g.spacing_mm[axis], out, at, from);
        for (int q = 0; q < length; ++q) first[std::size_t(q) * stride[axis]] = float(out[std::size_t(q)]);
      }
    }
  }
  for (float& v : squared.values) v = std::sqrt(v);
  return squared;
}

Volume<float> signed_distance_mm(const Volume<std::uint8_t>& mask) {
  Volume<std::uint8_t> outside(mask.grid);
  for (std::size_t n = 0; n < mask.values.size(); ++n) outside[n] = mask[n] ? 0 : 1;
  Volume<float> distance = distance_to_mm(mask);
  const Volume<float> depth = distance_to_mm(outside);
  const float half = float(mask.grid.spacing_mm.minCoeff() / 2);
  for (std::size_t n = 0; n < distance.values.size(); ++n)
    distance[n] = mask[n] ? -(depth[n] - half) : distance[n] - half;
  return distance;
}

}  // namespace spinetherm
