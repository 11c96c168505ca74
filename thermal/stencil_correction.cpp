// SPDX-License-Identifier: Apache-2.0
#include "thermal/stencil_correction.h"

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

/// Ratio of a correction to what it corrects, beyond which the field is not smooth on this grid.
double fade(double correction, double flow) {
  const double s = 4 * std::abs(correction) / (std::abs(flow) + 1e-30);
  return std::max(0.0, 1 - s * s * s * s);
}

}  // namespace

std::vector<std::uint8_t> correctable_faces(const Volume<std::uint8_t>& labels, const BodyLinks& links,
                                            const Volume<float>& factor) {
  const Grid& grid = labels.grid;
  std::vector<std::uint8_t> faces(grid.count(), 0);
  std::vector<std::uint8_t> ghost;
  if (!links.ghosts.empty()) {
    ghost.assign(grid.count(), 0);
    for (const BodyLinks::Ghost& g : links.ghosts) ghost[g.taken] = 1;
  }
  const auto taken = [&](std::size_t c) { return !links.owner.empty() && links.owner[c] != 0; };
  const auto known = [&](std::size_t c) { return !taken(c) || (!ghost.empty() && ghost[c] != 0); };
  const auto alike = [&](std::size_t a, std::size_t b) {
    return labels[a] == labels[b] && (factor.empty() || factor[a] == factor[b]);
  };
  const std::array<std::size_t, 3> stride{1, std::size_t(grid.size[0]),
                                          std::size_t(grid.size[0]) * std::size_t(grid.size[1])};
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const std::size_t c = grid.index(i, j, k);
        const std::array<int, 3> at{i, j, k};
        if (taken(c)) continue;
        for (std::size_t a = 0; a < 3; ++a) {
          const std::size_t s = stride[a];
          if (at[a] >= 1 && at[a] + 2 < grid.size[a]) {
            if (!taken(c + s) && known(c - s) && known(c + 2 * s) && alike(c, c - s) && alike(c, c + s) &&
                alike(c, c + 2 * s))
              faces[c] |= std::uint8_t(1U << a);
          }
          if (grid.size[a] < 3 || (at[a] != 0 && at[a] + 1 != grid.size[a])) continue;
          const auto inward = [&](std::size_t n) { return at[a] == 0 ? c + n * s : c - n * s; };
          if (!taken(inward(1)) && !taken(inward(2)) && alike(c, inward(1)) && alike(c, inward(2)))
            faces[c] |= std::uint8_t(8U << a);
        }
      }
  for (const BodyLinks::Face& f : links.faces) {  // what a body closes in part stays plain
    const std::size_t s = stride[std::size_t(f.axis)];
    const std::size_t low = f.side > 0 ? f.cell : f.cell - s;
    faces[low] &= std::uint8_t(~(1U << f.axis));
    faces[f.cell] &= std::uint8_t(~(8U << f.axis));
    if (f.side > 0)
      faces[f.cell + s] &= std::uint8_t(~(8U << f.axis));
    else
      faces[f.cell - s] &= std::uint8_t(~(8U << f.axis));
  }
  return faces;
}

template <class Real>
double correct_flows(HeatLevel<Real>& level) {
  if (level.rows.empty() || level.correctable.empty()) return 0;
  const std::vector<Real>& state = level.y[std::size_t(level.now)];
  CorrectionView<Real> view;
  view.faces = level.correctable.data();
  view.u = level.theta.empty() ? nullptr : state.data();
  view.source = level.source.data();
  view.heating = level.heating.data();
  view.rate = level.rate.data();
  run_correction(view_of(level, state), view, level.scratch.data(), level.team());

  // The two faces of each outer cell that the kernel leaves out: the outer one and the first inside.
  const Real* theta = level.theta_now();
  double out_W = 0;
  for (std::size_t f = 0; f < 6; ++f) {
    const std::size_t a = f / 2;
    const bool lower = f % 2 == 0;
    const int at = lower ? 0 : level.grid.size[a] - 1;
    const bool closed = std::isinf(level.ghost_resistivity[f]), fixed = level.ghost_resistivity[f] == 0;
    if (level.grid.size[a] < 3 || at < level.rows.low[a] || at >= level.rows.high[a] || !(closed || fixed))
      continue;
    std::array<int, 3> l = level.rows.low, h = level.rows.high;
    l[a] = at;
    h[a] = at + 1;
    const double h_m = level.grid.spacing_mm[Eigen::Index(a)] * 1e-3, per_h2 = 1 / (h_m * h_m);
    const auto wall = double(level.ghost_theta[f]);
    double face_W = 0;
    for (int k = l[2]; k < h[2]; ++k)
      for (int j = l[1]; j < h[1]; ++j)
        for (int i = l[0]; i < h[0]; ++i) {
          const std::size_t c = level.grid.index(i, j, k);
          // What is at rest stays there, to the last bit.
          std::array<int, 3> inner_cell{i, j, k};
          inner_cell[a] += lower ? 1 : -1;
          if (!level.rows.holds(i, j, k) || !level.rows.holds(inner_cell[0], inner_cell[1], inner_cell[2]))
            continue;
          if ((level.correctable[c] & (8U << a)) == 0) continue;
          const std::size_t s = a == 0   ? 1
                                : a == 1 ? std::size_t(level.grid.size[0])
                                         : std::size_t(level.grid.size[0]) * std::size_t(level.grid.size[1]);
          const std::size_t c1 = lower ? c + s : c - s, c2 = lower ? c + 2 * s : c - 2 * s;
          if (view.u != nullptr && (theta[c] != state[c] || theta[c1] != state[c1] || theta[c2] != state[c2]))
            continue;
          const auto t0 = double(theta[c]), t1 = double(theta[c1]), t2 = double(theta[c2]);
          const double k_cell = 1 / double(level.resistivity[c]);
          // Ghost cell beyond the face: mirrored, or the average of the cubic through the face whose averages
          // over three cells are theirs.
          const double ghost = closed ? t0 : 4 * wall - (13 * t0 - 5 * t1 + t2) / 3;
          const double third = t2 - 3 * t1 + 3 * t0 - ghost;
          const double sum = std::abs(t2 - t1) + 2 * std::abs(t1 - t0) + std::abs(t0 - ghost);
          const double inner =
              fade(third / 2, sum) * third / 12 * k_cell * per_h2;  // from c1 into c, to be taken off
          double outer = 0;
          if (fixed) {
            const double excess = (5.0 / 3) * wall - (49 * t0 - 23 * t1 + 4 * t2) / 18;
            outer = fade(excess / 2, 2 * (wall - t0)) * excess * k_cell * per_h2;
          }
          const auto gain = Real((outer - inner) * double(level.inverse_capacity[c]));
          level.heating[c] += gain;
          level.rate[c] += gain;
          const auto loss = Real(inner * double(level.inverse_capacity[c1]));
          level.heating[c1] += loss;
          level.rate[c1] += loss;
          face_W -= outer;
        }
    out_W += face_W;
  }
  return out_W * level.cell_volume_m3();
}
template double correct_flows(HeatLevel<float>&);
template double correct_flows(HeatLevel<double>&);

}  // namespace spinetherm
