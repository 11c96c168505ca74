// SPDX-License-Identifier: Apache-2.0
#include "thermal/steam.h"

#include <algorithm>
#include <vector>

#include "thermal/archive.h"

namespace spinetherm {

template <class Real>
Steam<Real>::Steam(const HeatLevel<Real>& level) {
  bool any = false;
  for (std::size_t n = 0; n < level.used.size(); ++n) {
    if (!level.used[n] || level.table.boil_slope[n] == Real(1)) continue;
    lowest_u_ = any ? std::min(lowest_u_, level.table.u_boil[n]) : level.table.u_boil[n];
    any = true;
  }
  boils_ = any;
}

template <class Real>
double Steam<Real>::latent_u(const HeatLevel<Real>& level, std::size_t cell, double u) const {
  const std::uint8_t l = level.label[cell];
  const double over = std::clamp(u - double(level.table.u_boil[l]), 0.0, double(level.table.boil_width[l]));
  return over * (1 - double(level.table.boil_slope[l]));
}

template <class Real>
double Steam<Real>::follow(HeatLevel<Real>& level, double highest_theta) {
  constexpr double kFalls_K = 3;
  changed_ = false;
  if (!boils_ || (cells_.empty() && highest_theta <= double(lowest_u_))) return 0;
  std::vector<Real>& state = level.y[std::size_t(level.now)];
  double left_J = 0;
  const auto shift = [&](std::size_t c, double by_u) {
    state[c] = Real(double(state[c]) + by_u);
    left_J -= by_u / double(level.inverse_capacity[c]) * level.cell_volume_m3();
    changed_ = true;
  };
  for (auto& [c, cell] : cells_) {
    if (cell.lost_u > 0 || double(state[c]) >= cell.most_u - kFalls_K) continue;
    cell.lost_u = latent_u(level, c, cell.most_u);
    shift(c, -cell.lost_u);
  }
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k)
    for (int j = level.rows.low[1]; j < level.rows.high[1]; ++j) {
      const std::size_t row = level.rows.row(j, k), c0 = level.grid.index(0, j, k);
      const Real* u = state.data() + c0;
      Real hottest = lowest_u_;
      for (int i = level.rows.begin[row]; i < level.rows.end[row]; ++i)
        hottest = u[i] > hottest ? u[i] : hottest;
      if (!(hottest > lowest_u_)) continue;
      for (int i = level.rows.begin[row]; i < level.rows.end[row]; ++i) {
        const std::size_t c = c0 + std::size_t(i);
        const std::uint8_t l = level.label[c];
        if (!(u[i] > level.table.u_boil[l]) || level.table.boil_slope[l] == Real(1) || level.is_out(c))
          continue;
        Boiled& cell = cells_[c];
        if (cell.lost_u > 0) {  // dry already: to where it was
          shift(c, cell.lost_u);
          cell.lost_u = 0;
        }
        cell.most_u = std::max(cell.most_u, double(u[i]));
      }
    }
  return left_J;
}

template <class Real>
void Steam<Real>::exchange_state(Archive& archive) {
  archive(cells_);
}

template class Steam<float>;
template class Steam<double>;

}  // namespace spinetherm
