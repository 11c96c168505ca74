// SPDX-License-Identifier: Apache-2.0
#include "thermal/interpolation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace spinetherm {
namespace {

/// Cells along one axis and the weights of their averages in the value at a continuous index.
struct AxisStencil {
  int first = 0, count = 1;
  std::array<double, 6> weight{1, 0, 0, 0, 0, 0};
};

/// The polynomial of degree count - 1 with the given averages is the derivative of the one through the
/// running sums at the faces between the cells.
AxisStencil from_averages(double index, int size, int most) {
  AxisStencil s;
  s.count = std::min(most, size);
  s.first = std::clamp(int(std::floor(index)) - (s.count - 1) / 2, 0, size - s.count);
  const double x = index - s.first + 0.5;  // faces at 0, 1, ... count
  std::array<double, 7> slope{};           // of the Lagrange polynomial of each face
  for (int e = 0; e <= s.count; ++e)
    for (int skip = 0; skip <= s.count; ++skip) {
      if (skip == e) continue;
      double product = 1.0 / (e - skip);
      for (int m = 0; m <= s.count; ++m)
        if (m != e && m != skip) product *= (x - m) / double(e - m);
      slope[std::size_t(e)] += product;
    }
  for (int n = 0; n < s.count; ++n) {
    s.weight[std::size_t(n)] = 0;
    for (int e = n + 1; e <= s.count; ++e) s.weight[std::size_t(n)] += slope[std::size_t(e)];
  }
  return s;
}

template <class Visit>
void for_each(const Grid& grid, const std::array<AxisStencil, 3>& s, const Visit& visit) {
  for (int k = 0; k < s[2].count; ++k)
    for (int j = 0; j < s[1].count; ++j)
      for (int i = 0; i < s[0].count; ++i)
        visit(grid.index(s[0].first + i, s[1].first + j, s[2].first + k),
              s[0].weight[std::size_t(i)] * s[1].weight[std::size_t(j)] * s[2].weight[std::size_t(k)]);
}

std::array<AxisStencil, 3> axes(const Grid& grid, const Eigen::Vector3d& index, int most) {
  return {from_averages(index[0], grid.size[0], most), from_averages(index[1], grid.size[1], most),
          from_averages(index[2], grid.size[2], most)};
}

/// Nearest cell that takes part, searched in growing shells.
std::size_t nearest_open(const Grid& grid, const std::vector<std::uint8_t>& excluded,
                         const Eigen::Vector3d& x_mm) {
  const std::array<int, 3> c = grid.nearest(x_mm);
  const int farthest = std::max({grid.size[0], grid.size[1], grid.size[2]});
  double best_mm = 1e300;
  std::size_t best = grid.index(std::clamp(c[0], 0, grid.size[0] - 1), std::clamp(c[1], 0, grid.size[1] - 1),
                                std::clamp(c[2], 0, grid.size[2] - 1));
  bool found = false;
  int last_shell = farthest;
  for (int shell = 0; shell <= last_shell; ++shell)
    for (int k = c[2] - shell; k <= c[2] + shell; ++k)
      for (int j = c[1] - shell; j <= c[1] + shell; ++j)
        for (int i = c[0] - shell; i <= c[0] + shell; ++i) {
          if (std::max({std::abs(i - c[0]), std::abs(j - c[1]), std::abs(k - c[2])}) != shell) continue;
          if (!grid.contains(i, j, k) || excluded[grid.index(i, j, k)] != 0) continue;
          const double mm = (grid.to_world(i, j, k) - x_mm).norm();
          if (mm >= best_mm) continue;
          best_mm = mm;
          best = grid.index(i, j, k);
          if (!found) last_shell = std::min(farthest, 2 * shell + 1);  // a corner may be nearer than a face
          found = true;
        }
  return best;
}

/// Weights of two neighbouring cells at the way `f` from the first to the second, by the heat flow through
/// the face between them.
std::array<double, 2> across_face(double f, double k_first, double k_second) {
  if (f < 0.5) {
    const double w = 2 * f * k_second / (k_first + k_second);
    return {1 - w, w};
  }
  const double w = 2 * (1 - f) * k_first / (k_first + k_second);
  return {w, 1 - w};
}

/// Linear along z, then y, then x; the conductivities of each pair are those of the column that holds the
/// point.
PointStencil linear_stencil(const Grid& grid, const std::array<AxisStencil, 3>& s,
                            const Eigen::Vector3d& index,
                            const std::function<double(std::size_t)>& conductivity) {
  std::array<std::array<double, 2>, 3> weight{};
  for (std::size_t a = 0; a < 3; ++a) {
    if (s[a].count == 1) {
      weight[a] = {1, 0};
      continue;
    }
    std::array<std::size_t, 2> cell{};
    for (int side = 0; side < 2; ++side) {
      std::array<int, 3> c{};
      for (std::size_t b = 0; b < 3; ++b) {
        const int own =
            std::clamp(int(std::lround(index[Eigen::Index(b)])), s[b].first, s[b].first + s[b].count - 1);
        c[b] = b == a ? s[a].first + side : own;
      }
      cell[std::size_t(side)] = grid.index(c[0], c[1], c[2]);
    }
    weight[a] =
        across_face(index[Eigen::Index(a)] - s[a].first, conductivity(cell[0]), conductivity(cell[1]));
  }
  PointStencil stencil;
  for (int k = 0; k < s[2].count; ++k)
    for (int j = 0; j < s[1].count; ++j)
      for (int i = 0; i < s[0].count; ++i) {
        stencil.cells.push_back(grid.index(s[0].first + i, s[1].first + j, s[2].first + k));
        stencil.weights.push_back(weight[0][std::size_t(i)] * weight[1][std::size_t(j)] *
                                  weight[2][std::size_t(k)]);
      }
  return stencil;
}

}  // namespace

PointStencil make_stencil(const Volume<std::uint8_t>& labels, const std::vector<std::uint8_t>& excluded,
                          const std::function<double(std::size_t)>& conductivity,
                          const Eigen::Vector3d& x_mm) {
  const Grid& grid = labels.grid;
  const Eigen::Vector3d index = grid.to_index(x_mm);
  const auto open = [&](std::size_t cell) { return excluded.empty() || excluded[cell] == 0; };

  PointStencil stencil;
  for (const int most : {6, 4}) {
    stencil = {};
    bool one_tissue = true;
    const auto polynomial = axes(grid, index, most);
    const std::uint8_t label = labels(polynomial[0].first, polynomial[1].first, polynomial[2].first);
    for_each(grid, polynomial, [&](std::size_t cell, double weight) {
      one_tissue = one_tissue && labels[cell] == label && open(cell);
      stencil.cells.push_back(cell);
      stencil.weights.push_back(weight);
    });
    if (one_tissue) return stencil;
  }

  const auto linear = axes(grid, index, 2);
  bool all_open = true;
  for_each(grid, linear, [&](std::size_t cell, double) { all_open = all_open && open(cell); });
  if (all_open) return linear_stencil(grid, linear, index, conductivity);

  stencil = {};
  const Eigen::Vector3d last(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1);
  const Eigen::Vector3d held = index.cwiseMax(0.0).cwiseMin(last);  // no extrapolation from what is left
  double sum = 0;
  for_each(grid, axes(grid, held, 2), [&](std::size_t cell, double weight) {
    if (!open(cell)) return;
    stencil.cells.push_back(cell);
    stencil.weights.push_back(weight);
    sum += weight;
  });
  if (sum < 1e-3) {  // nothing left, or next to nothing to rescale
    stencil.cells = {nearest_open(grid, excluded, x_mm)};
    stencil.weights = {1};
    return stencil;
  }
  for (double& w : stencil.weights) w /= sum;
  return stencil;
}

}  // namespace spinetherm
