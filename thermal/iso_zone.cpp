// SPDX-License-Identifier: Apache-2.0
#include "thermal/iso_zone.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace spinetherm {
namespace {

/// Part of a tetrahedron in which the linear function with these corner values is above 0.
double part_above(std::array<double, 4> v) {
  std::sort(v.begin(), v.end(), std::greater<>());
  if (v[3] >= 0) return 1;
  if (v[0] <= 0) return 0;
  if (v[1] <= 0)  // one corner above
    return v[0] * v[0] * v[0] / ((v[0] - v[1]) * (v[0] - v[2]) * (v[0] - v[3]));
  if (v[2] >= 0)  // one corner below
    return 1 - v[3] * v[3] * v[3] / ((v[3] - v[0]) * (v[3] - v[1]) * (v[3] - v[2]));
  // Two above: a wedge, as three tetrahedra between the crossings on its edges.
  const double a = v[0] / (v[0] - v[2]), b = v[0] / (v[0] - v[3]);
  const double c = v[1] / (v[1] - v[2]), d = v[1] / (v[1] - v[3]);
  return a * b + a * d * (1 - b) + (1 - a) * c * d;
}

/// Value relative to the level, positive inside the zone; NaN and the logarithm of 0 lie far outside.
double inside(double value, double level, const IsoOptions& o) {
  constexpr double kFar = -1e9;
  if (std::isnan(value)) return kFar;
  double v = value - level;
  if (o.logarithmic) v = value > 0 ? std::log(value / level) : -60;
  return o.side == IsoSide::above ? v : -v;
}

using Corners = std::array<double, 8>;  // x fastest

/// Part of a cube in which the field is above 0.
double cube_part_above(const Corners& v) {
  // Corners of the six faces, in order around each.
  constexpr std::array<std::array<int, 4>, 6> kFaces{
      {{0, 2, 6, 4}, {1, 3, 7, 5}, {0, 1, 5, 4}, {2, 3, 7, 6}, {0, 1, 3, 2}, {4, 5, 7, 6}}};
  const double centre = ((v[0] + v[7]) + (v[1] + v[6]) + ((v[2] + v[5]) + (v[3] + v[4]))) / 8;
  double sum = 0;
  for (const auto& f : kFaces) {
    const auto at = [&](int n) { return v[std::size_t(f[std::size_t(n % 4)])]; };
    const double middle = ((at(0) + at(2)) + (at(1) + at(3))) / 4;
    for (int n = 0; n < 4; ++n) sum += part_above({centre, middle, at(n), at(n + 1)});
  }
  return sum / 24;
}

double volume_mm3(const Grid& grid, const std::vector<float>& v) {
  const auto& size = grid.size;
  // Cube n lies between centres n - 1 and n; the first and the last are the outer half cells.
  const auto width = [&](std::size_t a, int n) {
    return (n == 0 || n == size[a] ? 0.5 : 1.0) * grid.spacing_mm[Eigen::Index(a)];
  };
  double total = 0;
  for (int k = 0; k <= size[2]; ++k) {
    const int k0 = std::max(k - 1, 0), k1 = std::min(k, size[2] - 1);
    double plane = 0;
    for (int j = 0; j <= size[1]; ++j) {
      const int j0 = std::max(j - 1, 0), j1 = std::min(j, size[1] - 1);
      const std::array<std::size_t, 4> row{grid.index(0, j0, k0), grid.index(0, j1, k0),
                                           grid.index(0, j0, k1), grid.index(0, j1, k1)};
      for (int i = 0; i <= size[0]; ++i) {
        const auto i0 = std::size_t(std::max(i - 1, 0)), i1 = std::size_t(std::min(i, size[0] - 1));
        Corners c;
        int above = 0;
        for (std::size_t r = 0; r < 4; ++r) {
          c[2 * r] = double(v[row[r] + i0]);
          c[2 * r + 1] = double(v[row[r] + i1]);
          above += (c[2 * r] >= 0) + (c[2 * r + 1] >= 0);
        }
        if (above == 0) continue;
        plane += (above == 8 ? 1.0 : cube_part_above(c)) * width(0, i) * width(1, j);
      }
    }
    total += plane * width(2, k);
  }
  return total;
}

/// Cells [low, high) that hold the zone and one cell around it, as far as there is one.
struct Box {
  std::array<int, 3> low, high;
};
std::optional<Box> box_of_zone(const Grid& grid, const std::vector<float>& values, double level,
                               const IsoOptions& o) {
  const bool above = o.side == IsoSide::above;
  const float limit = std::nextafter(float(level), above ? -HUGE_VALF : HUGE_VALF);
  Box box{grid.size, {0, 0, 0}};
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j) {
      const float* row = values.data() + grid.index(0, j, k);
      int within = 0;
      for (int i = 0; i < grid.size[0]; ++i) within |= int(above ? row[i] >= limit : row[i] <= limit);
      if (within == 0) continue;
      int first = 0, last = grid.size[0] - 1;
      const auto is_in = [&](int i) { return inside(double(row[i]), level, o) >= 0; };
      while (first <= last && !is_in(first)) ++first;
      while (last > first && !is_in(last)) --last;
      if (first > last) continue;
      const std::array<int, 3> from{first, j, k}, to{last, j, k};
      for (std::size_t a = 0; a < 3; ++a) {
        box.low[a] = std::min(box.low[a], std::max(from[a] - 1, 0));
        box.high[a] = std::max(box.high[a], std::min(to[a] + 2, grid.size[a]));
      }
    }
  if (box.high[0] == 0) return std::nullopt;
  return box;
}

}  // namespace

std::vector<float> fill_taken(const Grid& grid, const std::vector<float>& values,
                              const std::vector<std::uint8_t>& taken) {
  std::vector<float> filled = values;
  if (taken.empty()) return filled;
  std::vector<std::uint8_t> open = taken;
  std::vector<std::size_t> waiting;
  for (std::size_t c = 0; c < open.size(); ++c)
    if (open[c] != 0) waiting.push_back(c);
  const auto nx = std::size_t(grid.size[0]), ny = std::size_t(grid.size[1]);
  while (!waiting.empty()) {
    std::vector<std::size_t> left;
    std::vector<std::pair<std::size_t, float>> done;
    for (const std::size_t c : waiting) {
      const int i = int(c % nx), j = int(c / nx % ny), k = int(c / (nx * ny));
      double sum = 0;
      int count = 0;
      for (int n = 0; n < 6; ++n) {
        const int step = n % 2 == 0 ? -1 : 1;
        const std::array<int, 3> q{i + (n / 2 == 0 ? step : 0), j + (n / 2 == 1 ? step : 0),
                                   k + (n / 2 == 2 ? step : 0)};
        if (!grid.contains(q[0], q[1], q[2])) continue;
        const std::size_t m = grid.index(q[0], q[1], q[2]);
        if (open[m] != 0 || std::isnan(filled[m])) continue;
        sum += double(filled[m]);
        ++count;
      }
      if (count > 0)
        done.emplace_back(c, float(sum / count));
      else
        left.push_back(c);
    }
    if (done.empty()) break;  // nothing around them has a value
    for (const auto& [c, value] : done) {
      filled[c] = value;
      open[c] = 0;
    }
    waiting = std::move(left);
  }
  for (const std::size_t c : waiting) filled[c] = std::numeric_limits<float>::quiet_NaN();
  return filled;
}

Zone iso_zone(const Grid& whole, const std::vector<float>& all, double level, const IsoOptions& options,
              const std::vector<std::uint8_t>& taken) {
  if (!taken.empty()) return iso_zone(whole, fill_taken(whole, all, taken), level, options, {});
  Zone zone;
  const std::optional<Box> box = box_of_zone(whole, all, level, options);
  if (!box) return zone;
  Grid grid = whole;
  for (std::size_t a = 0; a < 3; ++a) grid.size[a] = box->high[a] - box->low[a];
  grid.origin_mm = whole.to_world(box->low[0], box->low[1], box->low[2]);
  std::vector<float> v(grid.count());
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const float x = all[whole.index(box->low[0] + i, box->low[1] + j, box->low[2] + k)];
        v[grid.index(i, j, k)] = float(inside(double(x), level, options));
      }
  zone.volume_ml = volume_mm3(grid, v) * 1e-3;

  Eigen::Vector3d low = Eigen::Vector3d::Constant(1e300), high = -low;
  const std::array<std::size_t, 3> stride{1, std::size_t(grid.size[0]),
                                          std::size_t(grid.size[0]) * std::size_t(grid.size[1])};
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const std::size_t c = grid.index(i, j, k);
        if (v[c] < 0) continue;
        const std::array<int, 3> at{i, j, k};
        for (std::size_t a = 0; a < 3; ++a) {
          const auto axis = Eigen::Index(a);
          // How far the zone reaches on from this centre, in cells, on either side.
          const auto reach = [&](bool edge, std::size_t q) {
            if (edge) return 0.5;
            return v[q] >= 0 ? 0.0 : double(v[c]) / (double(v[c]) - double(v[q]));
          };
          const bool first = at[a] == 0, last = at[a] + 1 == grid.size[a];
          zone.touches_box = zone.touches_box || first || last;
          const double x = grid.origin_mm[axis] + at[a] * grid.spacing_mm[axis];
          low[axis] =
              std::min(low[axis], x - reach(first, first ? c : c - stride[a]) * grid.spacing_mm[axis]);
          high[axis] =
              std::max(high[axis], x + reach(last, last ? c : c + stride[a]) * grid.spacing_mm[axis]);
        }
      }
  zone.extent_mm = high - low;
  return zone;
}

std::map<std::string, Zone> result_zones(const Grid& grid, const std::vector<float>& peak_degC,
                                         const std::vector<float>& lowest_degC,
                                         const std::vector<float>& cem43_min,
                                         const std::vector<float>& arrhenius,
                                         const std::vector<std::uint8_t>& taken, int threads) {
  const IsoOptions above, below{IsoSide::below, false}, dose{IsoSide::above, true};
  struct Wanted {
    const char* name;
    const std::vector<float>& values;
    double level;
    const IsoOptions& options;
  };
  std::vector<Wanted> wanted{
      {"over_50_degC", peak_degC, 50, above},          {"over_60_degC", peak_degC, 60, above},
      {"cem43_over_240", cem43_min, 240, dose},        {"under_0_degC", lowest_degC, 0, below},
      {"under_minus20_degC", lowest_degC, -20, below}, {"under_minus40_degC", lowest_degC, -40, below}};
  if (!arrhenius.empty()) wanted.push_back({"arrhenius_over_1", arrhenius, 1, dose});
  std::vector<Zone> found(wanted.size());
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::size_t n = 0; n < wanted.size(); ++n)
    found[n] = iso_zone(grid, wanted[n].values, wanted[n].level, wanted[n].options, taken);
  std::map<std::string, Zone> zones;
  for (std::size_t n = 0; n < wanted.size(); ++n) zones[wanted[n].name] = found[n];
  return zones;
}

}  // namespace spinetherm
