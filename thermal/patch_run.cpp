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
      dose(problem_under_, under) {
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
void PatchRun<Real>::see(HeatLevel<Real>& window, const std::vector<Real>& u) {
  window_ = &window;
  u_window_ = &u;
}

template <class Real>
void PatchRun<Real>::set(double, std::vector<Real>& u, bool arrays) {
  link.exchange(*window_, *u_window_, run.level, u, arrays);
}

template <class Real>
void PatchRun<Real>::begin_step() {
  link.average(run.level, under);
}

template <class Real>
typename DoseField<Real>::Findings PatchRun<Real>::end_step(double dt_s) {
  // The means, as a step of their own.
  const int old = under.now;
  under.now = 1 - old;
  under.y[std::size_t(under.now)] = under.y[std::size_t(old)];
  std::vector<Real>& rate0 = under.y[2];
  rate0 = under.rate;
  link.average(run.level, under);
  const auto found = dose.add_step(under, under.y[std::size_t(old)], rate0, dt_s, run.t_s);
  run.boundary_out_J += run.steam.follow(run.level, HUGE_VAL);
  run.flows.blood_W += link.follow_perfusion(under, run.level);
  return found;
}

template <class Real>
void PatchRun<Real>::hand_over(HeatLevel<Real>& window, DoseField<Real>& window_dose) const {
  link.hand_over(run.level, window);
  window_dose.take(dose, link.under(), window.hole);
  for (std::size_t n = 0; n < link.under().size(); ++n)
    window_dose.take_perfusion(dose, under, n, window, link.under()[n]);
}

template <class Real>
void PatchRun<Real>::exchange_state(Archive& archive, const HeatLevel<Real>& window,
                                    const std::vector<bool>& on) {
  if (archive.reading()) run.level.covered = link.closed_halo(window, run.level);
  run.exchange_state(archive, on);
  if (archive.reading()) link.set_openings(run.bodies.links());
  archive(link, under, dose);
}

template class PatchRun<float>;
template class PatchRun<double>;

}  // namespace spinetherm
