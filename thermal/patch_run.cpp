// SPDX-License-Identifier: Apache-2.0
#include "thermal/patch_run.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"

namespace spinetherm {
namespace {

BioheatOptions with_plain_flows(BioheatOptions options) {
  options.fourth_order = false;
  return options;
}

}  // namespace

template <class Real>
PatchRun<Real>::PatchRun(const ThermalProblem& window, const BioheatOptions& options, int threads)
    : problem(patch_problem(window)),
      run(problem, with_plain_flows(options), threads, *this, 0, 1),
      link(window, run.level),
      problem_under_(problem_under_patch(window)),
      under(make_level<Real>(problem_under_, threads)),
      dose(problem_under_, under),
      ring_u_(link.ring().size()),
      ring_rate_(link.ring().size()),
      u_window_(window.grid().count()),
      scale_s_(window.sources.size(), 0.0),
      flow_s_(link.beside().size(), 0.0),
      pending_s_(link.beside().size(), 0.0) {
  // All of it is stepped, but for the halo.
  run.level.can_rest = false;
  run.level.rows = make_active_rows(run.level.grid.size, false);
  std::array<int, 3> high = run.level.grid.size;
  for (int& n : high) --n;
  include_box(run.level.rows, {1, 1, 1}, high);
  under.can_rest = false;
  under.rows = make_active_rows(under.grid.size, true);
  link.follow_perfusion(under, run.level);  // as it is at the start
}

template <class Real>
double PatchRun<Real>::switch_to(const HeatLevel<Real>& window, const std::vector<bool>& on, bool first) {
  run.level.covered = link.closed_halo(window, run.level);
  const double taken_J = run.bodies.switch_to(run.level, nullptr, on, run.t_s, first);
  run.input.switch_to(run.level, on, false);
  link.set_openings(run.bodies.links());
  const std::vector<std::uint8_t> before = under.hole;
  under.hole.assign(window.hole.empty() ? 0 : under.grid.count(), 0);
  std::vector<Real>& u = under.y[std::size_t(under.now)];
  for (std::size_t n = 0; n < link.under().size() && !(before.empty() && under.hole.empty()); ++n) {
    const std::size_t c = link.under()[n];
    if (window.is_hole(c)) under.hole[n] = 1;
    if (first || before.empty() || before[n] == 0 || window.is_hole(c)) continue;
    // Tissue again, from the temperature of the wall.
    const Real theta = window.theta_now()[c];
    u[n] = window.y[std::size_t(window.now)][c];
    if (!under.theta.empty()) under.theta[n] = theta;
    dose.restart(n, double(theta) + kReference_degC, run.t_s);
  }
  return taken_J;
}

template <class Real>
void PatchRun<Real>::begin_turn(const LevelRun<Real>& window, double end_s) {
  window_ = &window.level;
  turn_begin_s_ = run.t_s;
  turn_end_s = end_s;
  std::ranges::fill(scale_s_, 0.0);
  std::ranges::fill(flow_s_, 0.0);
  const HeatLevel<Real>& w = window.level;
  const std::vector<Real>& u = w.y[std::size_t(w.now)];
  for (std::size_t n = 0; n < link.ring().size(); ++n) {
    const std::size_t c = link.ring()[n];
    ring_u_[n] = u[c];
    ring_rate_[n] = w.is_out(c) ? Real(0) : w.rate[c] - (w.source[c] - Real(window.input.steady_rate(w, c)));
  }
  run.refresh_rates();
  // The window's rate is that of the mean flow of the last turn.
  for (std::size_t n = 0; n < link.beside().size(); ++n) {
    const std::size_t c = link.beside()[n];
    if (w.is_hole(c)) continue;
    const Real mean = (w.heating[c] - w.source[c]);
    ring_rate_[link.beside_in_ring()[n]] += flow_now_[n] * w.inverse_capacity[c] - mean;
  }
}

template <class Real>
void PatchRun<Real>::set_heating(const PowerDrives& drive, bool new_fields) {
  electric_ = drive.heating(0);
  run.heating_W = run.input.apply(run.level, drive.heating(1), run.bodies.links().ghosts, new_fields);
}

template <class Real>
typename LevelRun<Real>::Outcome PatchRun<Real>::step(double stop_s, double change_counts,
                                                      const Progress& progress) {
  link.average(run.level, under);
  const auto done = run.step(stop_s, change_counts, progress);
  if (done.outcome != LevelRun<Real>::Outcome::accepted) return done.outcome;
  last_step_s_ = done.dt_s;
  for (const auto& e : electric_) scale_s_[e.drive] += e.scale * done.dt_s;
  for (std::size_t n = 0; n < flow_s_.size(); ++n) flow_s_[n] += pending_s_[n];
  // The means, as a step of their own.
  const int old = under.now;
  under.now = 1 - old;
  under.y[std::size_t(under.now)] = under.y[std::size_t(old)];
  std::vector<Real>& rate0 = under.y[2];
  rate0 = under.rate;
  link.average(run.level, under);
  last_dose_ = dose.add_step(under, under.y[std::size_t(old)], rate0, done.dt_s, run.t_s);
  run.boundary_out_J += run.steam.follow(run.level, HUGE_VAL);
  run.flows.blood_W += link.follow_perfusion(under, run.level);
  if (run.steam.changed())
    run.refresh_rates();
  else
    run.correct();
  return done.outcome;
}

template <class Real>
std::vector<double> PatchRun<Real>::mean_flow_W_per_m3() const {
  std::vector<double> mean = flow_s_;
  for (double& f : mean) f /= turn_end_s - turn_begin_s_;
  return mean;
}

template <class Real>
std::vector<double> PatchRun<Real>::mean_scales() const {
  std::vector<double> mean = scale_s_;
  for (double& s : mean) s /= turn_end_s - turn_begin_s_;
  return mean;
}

template <class Real>
void PatchRun<Real>::begin_step(double, double, double present_s) {
  for (std::size_t n = 0; n < pending_s_.size(); ++n) pending_s_[n] = present_s * double(flow_now_[n]);
}

template <class Real>
void PatchRun<Real>::set(double t_s, std::vector<Real>& u, bool arrays) {
  const auto since = Real(t_s - turn_begin_s_);
  const std::vector<std::size_t>& ring = link.ring();
  const auto count = std::ptrdiff_t(ring.size());
#pragma omp parallel for num_threads(run.level.team()) schedule(static)
  for (std::ptrdiff_t m = 0; m < count; ++m) {
    const auto n = std::size_t(m);
    const std::size_t c = ring[n];
    Real value = ring_u_[n] + since * ring_rate_[n];
    if (!window_->is_out(c))
      for (const auto& e : electric_) {
        const auto scale_s = Real(scale_s_[e.drive] + e.scale * (t_s - run.t_s));
        value += scale_s * Real(e.unit_W_per_m3[c]) * window_->inverse_capacity[c];
      }
    u_window_[c] = value;
  }
  link.fill_halo(*window_, u_window_, run.level, u, arrays);
  link.outflow(run.level, u, flow_);
}

template <class Real>
void PatchRun<Real>::weigh(double weight_s) {
  for (std::size_t n = 0; n < pending_s_.size(); ++n) pending_s_[n] += weight_s * double(flow_[n]);
}

template <class Real>
void PatchRun<Real>::keep() {
  flow_now_ = flow_;
}

template <class Real>
void PatchRun<Real>::exchange_state(Archive& archive, const HeatLevel<Real>& window,
                                    const std::vector<bool>& on, const PowerDrives& drive) {
  window_ = &window;
  if (archive.reading()) electric_ = drive.heating(0);
  if (archive.reading()) run.level.covered = link.closed_halo(window, run.level);
  run.exchange_state(archive, on);
  if (archive.reading()) link.set_openings(run.bodies.links());
  archive(link, under, dose, turn_begin_s_, turn_end_s, ring_u_, ring_rate_, scale_s_, flow_now_, flow_s_,
          last_dose_, last_step_s_);
}

template class PatchRun<float>;
template class PatchRun<double>;

}  // namespace spinetherm
