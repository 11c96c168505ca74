// SPDX-License-Identifier: Apache-2.0
#include "thermal/film_wall.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "thermal/tissue_law.h"

namespace spinetherm {
namespace {

/// Conductivity depends on the wall's temperature and that on the conductivity; beside ice at -150 degC three
/// rounds are good to 1e-3 K.
constexpr int kRounds = 4;

}  // namespace

template <class Real>
void FilmWalls<Real>::link(const Grid& grid, const BodyLinks& links, bool voxel, bool in_patch) {
  voxel_ = voxel;
  for (Wall& w : walls_) {
    w.links.clear();
    double area_per_m = 0;
    for (std::size_t n = 0; n < links.walls.size(); ++n) {
      const BodyLinks::Wall& l = links.walls[n];
      if (l.wall != w.wall) continue;
      w.links.push_back({n, l.cell, l.conductance_per_m2, l.area_per_m, 0});
      area_per_m += l.area_per_m;
    }
    if (!(area_per_m > 0) && in_patch) continue;
    if (!(area_per_m > 0))
      throw ConfigError("a cryoprobe is lost between the cells of the grid", "/grid/spacing_mm",
                        "take finer cells, or exact applicators");
    const double exact_per_m = w.law.area_mm2 * 1e-6 / (grid.voxel_volume_mm3() * 1e-9);
    for (Link& l : w.links) l.area_per_m *= exact_per_m / area_per_m;
    w.area_per_m = exact_per_m;
  }
}

template <class Real>
void FilmWalls<Real>::update_wall(HeatLevel<Real>& level, const std::vector<Real>& u, double gas_theta,
                                  Wall& w) {
  if (w.links.empty()) return;  // a patch has it, see take_states()
  const double volume_m3 = level.cell_volume_m3(), h = w.law.film_W_per_m2_K;
  const double limit_W_per_m3 = w.law.limit_W / volume_m3;
  double gas = gas_theta, flow = 0;
  const auto conductivity_at = [&](std::size_t c, double theta) {
    const auto k = double(conductivity(level.table, level.label[c], Real(theta)));
    return level.conductivity_factor != nullptr ? k * double(level.conductivity_factor[c]) : k;
  };
  for (Link& l : w.links) {
    l.theta = l.theta_cell = double(theta_of_u(level.table, level.label[l.cell], u[l.cell]));
    l.k_cell = conductivity_at(l.cell, l.theta_cell);
  }
  for (int round = 0; h > 0 && round < kRounds; ++round) {
    double sum_g = 0, sum_g_theta = 0;
    for (const Link& l : w.links) {
      const double k = voxel_ ? l.k_cell : (l.k_cell + conductivity_at(l.cell, l.theta)) / 2;
      const double tissue = l.conductance_per_m2 * k;
      // The kernel multiplies by the cell's conductivity; what it is given is the same number here and there.
      const Real given = Real(tissue / (1 + tissue / (h * l.area_per_m)) / l.k_cell);
      level.fixes.walls[l.fix].conductance = given;
      const double g = double(given) * l.k_cell;
      sum_g += g;
      sum_g_theta += g * l.theta_cell;
    }
    gas = gas_theta;
    flow = sum_g_theta - sum_g * gas;
    const double allowed = std::clamp(flow, -limit_W_per_m3, limit_W_per_m3);
    if (allowed != flow) gas = (sum_g_theta - allowed) / sum_g;
    flow = allowed;
    for (Link& l : w.links) {
      const double g = double(level.fixes.walls[l.fix].conductance) * l.k_cell;
      l.theta = gas + g * (l.theta_cell - gas) / (h * l.area_per_m);
    }
  }
  if (!(h > 0))
    for (const Link& l : w.links) level.fixes.walls[l.fix].conductance = 0;
  for (const Link& l : w.links) level.fixes.walls[l.fix].wall_share = 0;
  level.fixes.wall_theta[std::size_t(w.wall)] = Real(gas);
  w.state = {flow * volume_m3, gas, 0, w.links.front().theta};
  for (const Link& l : w.links) {
    w.state.mean_theta += l.theta * l.area_per_m / w.area_per_m;
    w.state.coldest_theta = std::min(w.state.coldest_theta, l.theta);
  }
}

template <class Real>
void FilmWalls<Real>::update(HeatLevel<Real>& level, const std::vector<Real>& u,
                             const std::vector<double>& gas_theta) {
  for (std::size_t n = 0; n < walls_.size(); ++n) update_wall(level, u, gas_theta[n], walls_[n]);
}

template class FilmWalls<float>;
template class FilmWalls<double>;

}  // namespace spinetherm
