// SPDX-License-Identifier: Apache-2.0
#include "datasets/body_grid.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// Calls f(i, j, k, values) for every coarse voxel in the fine grid, with the values of its block.
template <class T, class F>
void over_blocks(const NestedGrids& g, const Volume<T>& fine, F f) {
  const int n = g.parts;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.fine.size[2] / n; ++k) {
    std::vector<T> block;
    for (int j = 0; j < g.fine.size[1] / n; ++j)
      for (int i = 0; i < g.fine.size[0] / n; ++i) {
        block.clear();
        for (int c = 0; c < n; ++c)
          for (int b = 0; b < n; ++b)
            for (int a = 0; a < n; ++a) block.push_back(fine(i * n + a, j * n + b, k * n + c));
        f(g.first[0] + i, g.first[1] + j, g.first[2] + k, block);
      }
  }
}

}  // namespace

bool NestedGrids::inside(int i, int j, int k) const {
  const std::array<int, 3> at{i, j, k};
  for (std::size_t a = 0; a < 3; ++a)
    if (at[a] < first[a] || at[a] >= first[a] + fine.size[a] / parts) return false;
  return true;
}

NestedGrids nested_grids(const Eigen::Vector3d& low_mm, const Eigen::Vector3d& high_mm, double spacing_mm,
                         const Eigen::Vector3d& around_low_mm, const Eigen::Vector3d& around_high_mm,
                         double coarse_mm) {
  if (!((around_low_mm.array() <= low_mm.array()).all() && (around_high_mm.array() >= high_mm.array()).all()))
    throw ConfigError("the box around does not hold the inner one", "nested_grids", "make it larger");
  NestedGrids out;
  out.parts = std::max(1, int(std::lround(coarse_mm / spacing_mm)));
  out.fine = box_grid(low_mm, high_mm, spacing_mm);
  const double step = out.parts * spacing_mm;
  out.coarse.spacing_mm.setConstant(step);
  for (int a = 0; a < 3; ++a) {
    const auto n = std::size_t(a);
    const int blocks = (out.fine.size[n] + out.parts - 1) / out.parts;
    out.fine.size[n] = blocks * out.parts;
    const double face = low_mm[a] - spacing_mm / 2;
    out.first[n] = int(std::ceil((face - around_low_mm[a]) / step - 1e-9));
    const int beyond = int(std::ceil((around_high_mm[a] - face) / step - 1e-9)) - blocks;
    out.coarse.size[n] = out.first[n] + blocks + std::max(beyond, 0);
    out.coarse.origin_mm[a] = face + step * (0.5 - out.first[n]);
  }
  return out;
}

void fill_means(const NestedGrids& grids, const Volume<float>& fine, Volume<float>& coarse) {
  over_blocks(grids, fine, [&](int i, int j, int k, const std::vector<float>& block) {
    double sum = 0;
    for (const float v : block) sum += double(v);
    coarse(i, j, k) = float(sum / double(block.size()));
  });
}

void fill_labels(const NestedGrids& grids, const Volume<std::uint16_t>& fine, Volume<std::uint16_t>& coarse) {
  over_blocks(grids, fine, [&](int i, int j, int k, std::vector<std::uint16_t>& block) {
    std::ranges::sort(block);
    std::size_t most = 0;
    for (std::size_t from = 0, to = 0; from < block.size(); from = to) {
      while (to < block.size() && block[to] == block[from]) ++to;
      if (to - from <= most) continue;
      most = to - from;
      coarse(i, j, k) = block[from];
    }
  });
}

Eigen::AlignedBox3d box_of(const Grid& grid) {
  Eigen::AlignedBox3d box;
  for (int corner = 0; corner < 8; ++corner)
    box.extend(grid.to_world((corner & 1) ? grid.size[0] - 1 : 0, (corner & 2) ? grid.size[1] - 1 : 0,
                             (corner & 4) ? grid.size[2] - 1 : 0));
  return box;
}

}  // namespace spinetherm
