// SPDX-License-Identifier: Apache-2.0
#include "thermal/scaled_heating.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"
#include "thermal/heat_bodies.h"
#include "thermal/heat_source.h"

namespace spinetherm {

double mean_of(const Curve& curve, double from_s, double to_s) {
  if (!(to_s > from_s)) return value_at(curve, from_s);
  double sum = 0, t = from_s, value = value_at(curve, from_s);
  const auto first = std::upper_bound(curve.begin(), curve.end(), from_s,
                                      [](double s, const auto& corner) { return s < corner[0]; });
  for (auto corner = first; corner != curve.end() && (*corner)[0] < to_s; ++corner) {
    sum += ((*corner)[0] - t) * (value + (*corner)[1]) / 2;
    t = (*corner)[0];
    value = (*corner)[1];
  }
  sum += (to_s - t) * (value + value_at(curve, to_s)) / 2;
  return sum / (to_s - from_s);
}

std::vector<double> sharp_corners_s(const Curve& curve) {
  constexpr double kSharp_per_s = 0.01;
  double largest = 0;
  for (const auto& corner : curve) largest = std::max(largest, std::abs(corner[1]));
  std::vector<double> sharp;
  double before = 0;  // slope
  for (std::size_t n = 0; n < curve.size(); ++n) {
    const double after =
        n + 1 < curve.size() ? (curve[n + 1][1] - curve[n][1]) / (curve[n + 1][0] - curve[n][0]) : 0;
    if (std::abs(after - before) > kSharp_per_s * largest) sharp.push_back(curve[n][0]);
    before = after;
  }
  return sharp;
}

template <class Real>
void ScaledHeating<Real>::switch_to(const ThermalProblem& problem, const Grid& grid,
                                    const std::vector<bool>& on, bool fourth_order) {
  parts_.clear();
  power_W_ = 0;
  for (std::size_t n = 0; n < on.size(); ++n) {
    const Source& source = problem.sources[n];
    if (!on[n] || source.scale.empty()) continue;
    Part part;
    part.scale = &source.scale;
    part.W_per_m3.assign(grid.count(), 0);
    std::visit(
        [&](const auto& what) {
          if constexpr (requires { add_power_density(grid, what, true, part.W_per_m3); })
            add_power_density(grid, what, fourth_order, part.W_per_m3);
        },
        source.what);
    parts_.push_back(std::move(part));
  }
}

template <class Real>
void ScaledHeating<Real>::begin(const HeatLevel<Real>& level) {
  if (empty()) return;
  base_ = level.source;
  for (Part& p : parts_) p.factor = 0;
  power_W_ = 0;
}

template <class Real>
void ScaledHeating<Real>::set_step(HeatLevel<Real>& level, double t_s, double dt_s) {
  bool changed = false;
  for (Part& p : parts_) {
    const double factor = mean_of(*p.scale, t_s, t_s + dt_s);
    changed = changed || factor != p.factor;
    p.factor = factor;
  }
  if (!changed || level.rows.empty()) return;
  std::vector<double> plane_W_per_m3(std::size_t(level.grid.size[2]), 0);
#pragma omp parallel for num_threads(level.team()) schedule(static)
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k)
    for (int j = level.rows.low[1]; j < level.rows.high[1]; ++j)
      for (int i = level.rows.begin[level.rows.row(j, k)]; i < level.rows.end[level.rows.row(j, k)]; ++i) {
        const std::size_t c = level.grid.index(i, j, k);
        if (level.is_hole(c)) continue;
        double q = 0;
        for (const Part& p : parts_) q += p.factor * p.W_per_m3[c];
        plane_W_per_m3[std::size_t(k)] += q;
        const Real source = base_[c] + Real(q * double(level.inverse_capacity[c]));
        const Real added = source - level.source[c];
        level.source[c] = source;
        if (!level.heating.empty()) level.heating[c] += added;
        level.rate[c] += added;
      }
  power_W_ = 0;
  for (const double plane : plane_W_per_m3) power_W_ += plane * level.cell_volume_m3();
}

template <class Real>
void ScaledHeating<Real>::exchange_state(Archive& archive) {
  archive(base_, power_W_);
  for (Part& p : parts_) archive(p.factor);
}

template class ScaledHeating<float>;
template class ScaledHeating<double>;

}  // namespace spinetherm
