// SPDX-License-Identifier: Apache-2.0
#include "thermal/sample_points.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"
#include "thermal/damage.h"

namespace spinetherm {

template <class Real>
SamplePoints<Real>::SamplePoints(const ThermalProblem& problem) {
  for (const Eigen::Vector3d& x : problem.sample.points_mm) {
    Point p;
    p.at_mm = x;
    p.label = sample_nearest(problem.tissue_map.labels, x).value_or(0);
    points_.push_back(p);
  }
}

template <class Real>
void SamplePoints<Real>::move_stencils() {
  for (Point& p : points_) p.stencil = {};
}

template <class Real>
void SamplePoints<Real>::read(const std::function<const HeatLevel<Real>&(const Eigen::Vector3d&)>& level_at,
                              const std::function<PointStencil(const Eigen::Vector3d&)>& stencil,
                              const std::function<std::optional<double>(const Eigen::Vector3d&)>& wall_degC) {
  for (Point& p : points_) {
    const HeatLevel<Real>& level = level_at(p.at_mm);
    if (p.stencil.cells.empty() || level.table.varies_with_T) p.stencil = stencil(p.at_mm);
    p.T_degC = p.stencil(level.theta_now()) + kReference_degC;
    p.rate_K_per_s = p.stencil(level.rate.data());
    if (const auto wall = wall_degC(p.at_mm)) {
      p.T_degC = *wall;
      p.rate_K_per_s = 0;
    }
  }
}

template <class Real>
void SamplePoints<Real>::advance(const ThermalProblem& problem, double dt_s, bool has_phases,
                                 const std::function<void()>& read) {
  const std::vector<Point> before = points_;
  read();
  const DoseBelow39 below = problem.cem43_quarter_below_39 ? DoseBelow39::quarter : DoseBelow39::none;
  for (std::size_t n = 0; n < points_.size(); ++n) {
    Point& p = points_[n];
    const Point& b = before[n];
    const TemperatureStep s = has_phases
                                  ? straight_step(b.T_degC, p.T_degC, dt_s)
                                  : TemperatureStep{b.T_degC, p.T_degC, b.rate_K_per_s, p.rate_K_per_s, dt_s};
    p.cem43 = std::min(p.cem43 + cem43_min(s, below), kCem43Cap_min);
    if (const auto& law = problem.tissue_map.tissues[p.label].damage)
      p.arrhenius = std::min(p.arrhenius + spinetherm::arrhenius(*law, s), kArrheniusCap);
  }
}

template <class Real>
void SamplePoints<Real>::take(const ThermalProblem& problem, double t_s, std::vector<Sample>& samples) const {
  for (const double t : problem.sample.times_s) {
    if (std::abs(t - t_s) > 1e-6) continue;
    for (const Point& p : points_) {
      Sample s{p.at_mm, t, p.T_degC, p.cem43, std::nullopt};
      if (problem.tissue_map.tissues[p.label].damage) s.arrhenius = p.arrhenius;
      samples.push_back(s);
    }
    break;
  }
}

template <class Real>
void SamplePoints<Real>::exchange_state(Archive& archive) {
  for (Point& p : points_) archive(p.T_degC, p.rate_K_per_s, p.cem43, p.arrhenius);
}

template class SamplePoints<float>;
template class SamplePoints<double>;

}  // namespace spinetherm
