// SPDX-License-Identifier: Apache-2.0
#include "thermal/level_run.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"
#include "thermal/rkl2.h"
#include "thermal/stencil_correction.h"

namespace spinetherm {
namespace {

/// The error allowed in a step grows with the distance from 37 degC: at 60 degC it is three times, at 100
/// degC seven times that at rest; in tissue that boils five and 25 times.
constexpr double kErrorGrowth_per_K = 0.1, kHotErrorGrowth_per_K = 1 / 15.0;
/// Cells up to this far above freezing lie beside ice. The embedded estimate there is that of a kink, which
/// dies out again; how much less it counts is a choice. Likewise above 82 degC beside steam.
constexpr double kBesideIce_K = 20, kErrorBesideIce = 0.01;
constexpr double kBesideSteam_K = 45, kErrorBesideSteam = 0.1;

/// Two stages at once of so many cells at most: a run can be cancelled between them, which must take no
/// longer than 0.2 s; an update of a cell takes about 1 ns with two threads.
constexpr std::int64_t kMostAtOnce = 50'000'000;

/// The stepped cell whose state changes fastest.
template <class Real>
std::size_t fastest_cell(const HeatLevel<Real>& level) {
  std::size_t fastest = 0;
  Real most = -1;
  const ActiveRows& rows = level.rows;
  for (int k = rows.low[2]; k < rows.high[2]; ++k)
    for (int j = rows.low[1]; j < rows.high[1]; ++j)
      for (int i = rows.begin[rows.row(j, k)]; i < rows.end[rows.row(j, k)]; ++i) {
        const std::size_t c = level.grid.index(i, j, k);
        if (level.is_out(c) || !(std::abs(level.rate[c]) > most)) continue;
        most = std::abs(level.rate[c]);
        fastest = c;
      }
  return fastest;
}

}  // namespace

template <class Real>
void LevelRun<Real>::Tally::add(double weight_s, const LevelFlows& of) {
  boundary_J += weight_s * of.boundary_out_W;
  wall_J += weight_s * of.wall_in_W;
  blood_J += weight_s * of.blood_W;
}

template <class Real>
LevelRun<Real>::LevelRun(const ThermalProblem& problem, const BioheatOptions& options, int threads,
                         Surroundings<Real>& around, double rest_K, double horizon_s)
    : level(make_level<Real>(problem, threads, options.fourth_order)),
      steam(level),
      bodies(problem),
      input(problem, rest_K, horizon_s),
      control(options),
      options_(options),
      around_(around),
      rest_K_(rest_K) {}

template <class Real>
void LevelRun<Real>::prepare_sweep(int at, double at_s) {
  std::vector<Real>& u = level.y[std::size_t(at)];
  update_properties(level, u);
  bodies.set_walls(level, at_s, u);
  around_.set(at_s, u, true);
}

template <class Real>
void LevelRun<Real>::count_stage() {
  ++stages;
  cell_updates += double(level.rows.cells());
}

template <class Real>
StepFindings LevelRun<Real>::sweep(int at, StepView<Real> view) {
  count_stage();
  flows = {};
  if (level.rows.empty()) return {};
  if (level.table.has_phases) {
    view.label = level.label;
    view.steepest = level.steepest.data();
    view.threshold = level.steepest_below.data();
  }
  const StepFindings f = run_rates(view_of(level, level.y[std::size_t(at)]), view, level.scratch.data(),
                                   level.plane_findings.data(), level.team());
  flows = flows_of(level, level.plane_flows);
  return f;
}

template <class Real>
void LevelRun<Real>::refresh_rates() {
  refresh_rates({{this}});
}

template <class Real>
void LevelRun<Real>::refresh_rates(Together runs) {
  for (LevelRun* r : runs) r->prepare_sweep(r->level.now, r->t_s);
  for (LevelRun* r : runs) {
    StepView<Real> view;
    view.y1 = r->level.y[std::size_t(r->level.now)].data();
    view.rate0 = view.rate1 = r->level.rate.data();
    r->findings = r->sweep(r->level.now, view);
    r->around_.keep();
    r->correct();
  }
}

template <class Real>
void LevelRun<Real>::correct() {
  bodies.fill_ghosts(level);
  corrected_out_W_ = correct_flows(level);
}

template <class Real>
void LevelRun<Real>::set_counts(const Counts& c) {
  flows = c.flows;
  stages = c.stages;
  cell_updates = c.cell_updates;
}

template <class Real>
typename LevelRun<Real>::Step LevelRun<Real>::step(double stop_s, double change_counts,
                                                   const Progress& progress) {
  return step({{this}}, stop_s, change_counts, progress);
}

template <class Real>
typename LevelRun<Real>::Step LevelRun<Real>::step(Together runs, double stop_s, double change_counts,
                                                   const Progress& progress) {
  StepControl& control = runs.front()->control;
  const double t_s = runs.front()->t_s;
  double stiffness_per_s = 0;
  std::vector<Counts> before;
  for (const LevelRun* r : runs) {
    stiffness_per_s = std::max(stiffness_per_s, r->findings.stiffness_per_s);
    before.push_back(r->counts());
  }
  Step done;
  for (int attempt = 0;; ++attempt) {
    for (std::size_t n = 0; n < runs.size(); ++n) runs[n]->flows = before[n].flows;
    std::vector<Counts> at_attempt;
    for (const LevelRun* r : runs) at_attempt.push_back(r->counts());
    const double dt = control.propose(t_s, stop_s, stiffness_per_s);
    if (progress.cancelled() || !run_stages(runs, rkl2_stages(dt * stiffness_per_s * 1.02), dt, progress)) {
      for (std::size_t n = 0; n < runs.size(); ++n) {
        runs[n]->bodies.set_walls(runs[n]->level, t_s, runs[n]->level.y[std::size_t(runs[n]->level.now)]);
        runs[n]->set_counts(at_attempt[n]);
      }
      done.outcome = Outcome::cancelled;
      return done;
    }
    const double end_s = t_s + dt >= stop_s ? stop_s : t_s + dt;
    for (LevelRun* r : runs) r->prepare_sweep(r->last_, end_s);
    std::vector<StepFindings> found;
    StepFindings worst;
    for (LevelRun* r : runs) {
      found.push_back(r->last_sweep(dt));
      const StepFindings& f = found.back();
      worst.error_K = std::max(worst.error_K, f.error_K);
      worst.largest_change_K = std::max(worst.largest_change_K, f.largest_change_K);
      worst.finite = worst.finite && f.finite;
    }
    if (!control.judge(dt, worst.error_K, worst.largest_change_K * change_counts, worst.finite)) {
      for (LevelRun* r : runs) r->take_back();
      for (LevelRun* r : runs) r->prepare_sweep(r->level.now, t_s);
      if (control.next_s() >= 1e-7 && attempt <= 60) continue;
      done.outcome = Outcome::diverged;
      for (std::size_t n = 0; n < runs.size(); ++n) {
        const bool here = worst.finite ? found[n].error_K == worst.error_K : !found[n].finite;
        if (done.where != nullptr || !here) continue;
        done.where = runs[n];
        runs[n]->findings.worst_cell = worst.finite ? fastest_cell(runs[n]->level) : found[n].worst_cell;
      }
      return done;
    }
    for (std::size_t n = 0; n < runs.size(); ++n) runs[n]->accept(found[n], dt, end_s, before[n].flows);
    done.dt_s = dt;
    return done;
  }
}

template <class Real>
StepFindings LevelRun<Real>::last_sweep(double dt) {
  if (bodies.moving()) bodies.fill_holes(level);
  StepView<Real> view;
  view.y0 = level.y[std::size_t(old_)].data();
  view.y1 = level.y[std::size_t(last_)].data();
  view.rate0 = level.rate.data();
  view.rate1 = level.y[std::size_t(spare_)].data();
  view.dt = Real(dt);
  view.relative = Real(kErrorGrowth_per_K);
  if (level.table.has_phases) {
    view.hot_relative = Real(kHotErrorGrowth_per_K);
    view.cool = level.table.calm_from + Real(kBesideIce_K);
    view.cool_weight = Real(kErrorBesideIce);
    view.hot = Real(kBesideSteam_K);
    view.hot_weight = Real(kErrorBesideSteam);
  }
  if (level.can_rest) {
    warm_ = no_stretches(level.grid.size);
    view.warm_begin = warm_.begin.data();
    view.warm_end = warm_.end.data();
    view.rest = level.theta_rest;
    view.rest_change = Real(rest_K_);
  }
  return sweep(last_, view);
}

/// What a rejected step has left in the stages is finite again.
template <class Real>
void LevelRun<Real>::take_back() {
  level.y[std::size_t(last_)] = level.y[std::size_t(old_)];
  level.y[std::size_t(spare_)] = level.y[std::size_t(old_)];
}

template <class Real>
void LevelRun<Real>::accept(const StepFindings& found, double dt, double end_s,
                            const LevelFlows& flows_before) {
  around_.keep();
  std::swap(level.rate, level.y[std::size_t(spare_)]);  // which now holds the old rate
  level.now = last_;
  t_s = end_s;
  findings = found;
  source_J += heating_W * dt;
  blood_out_J -= tally_.blood_J;
  boundary_out_J += tally_.boundary_J + corrected_out_W_ * dt;
  // Heat that comes to the edge of what is stepped grows as a parabola does, from its vertex.
  boundary_out_J += (2 * flows_before.rest_out_W + flows.rest_out_W) / 3 * dt;
  wall_in_J += tally_.wall_J;
  // State and rate have changed places: of cells at rest the new rate still holds the state.
  if (level.can_rest && level.theta_rest != 0) fill_resting(level, level.rate, Real(0));
}

template <class Real>
bool LevelRun<Real>::grow_rows(int cells) {
  return level.can_rest && !level.rows.empty() && grow(level.rows, warm_, cells);
}

template <class Real>
void LevelRun<Real>::restore_rest() {
  if (level.can_rest && level.theta_rest != 0) fill_resting(level, rate_before(), level.theta_rest);
}

template <class Real>
bool LevelRun<Real>::run_stages(Together runs, int stage_count, double dt, const Progress& progress) {
  const Rkl2 scheme = make_rkl2(stage_count);
  const double t_s = runs.front()->t_s;
  for (LevelRun* r : runs) r->first_stage(scheme, dt);
  const bool alone = runs.size() == 1 && runs.front()->stands_alone();
  for (int j = 2; j <= scheme.stages; ++j) {
    if (progress.cancelled()) return false;
    if (alone && j < scheme.stages) {
      runs.front()->next_two_stages(scheme, j++, dt);
      continue;
    }
    for (LevelRun* r : runs) r->prepare_stage(t_s + scheme.time[std::size_t(j) - 1] * dt);
    for (LevelRun* r : runs) r->next_stage(scheme, j, dt);
  }
  return true;
}

template <class Real>
void LevelRun<Real>::first_stage(const Rkl2& scheme, double dt) {
  old_ = level.now;
  last_ = (old_ + 1) % 3;
  spare_ = (old_ + 2) % 3;
  around_.begin_step(t_s, dt, scheme.weight[0] * dt);
  tally_ = {};
  tally_.add(scheme.weight[0] * dt, flows);
  const auto mu_t_dt = Real(scheme.mu_t[1] * dt);
  const std::vector<Real>& y0 = level.y[std::size_t(old_)];
  std::vector<Real>& y1 = level.y[std::size_t(last_)];
#pragma omp parallel for num_threads(level.team()) schedule(static)
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k)
    for (int j = level.rows.low[1]; j < level.rows.high[1]; ++j) {
      const std::size_t row = level.rows.row(j, k);
      const std::size_t from = level.grid.index(level.rows.begin[row], j, k);
      const std::size_t end = level.grid.index(level.rows.end[row], j, k);
      for (std::size_t c = from; c < end; ++c) y1[c] = y0[c] + mu_t_dt * level.rate[c];
    }
}

template <class Real>
void LevelRun<Real>::prepare_stage(double at_s) {
  std::vector<Real>& u = level.y[std::size_t(last_)];
  bodies.set_walls(level, at_s, u);
  around_.set(at_s, u, false);
}

template <class Real>
StageView<Real> LevelRun<Real>::stage_view(const Rkl2& scheme, int j, double dt) const {
  StageView<Real> stage;
  stage.y0 = level.y[std::size_t(old_)].data();
  stage.rate0 = level.rate.data();
  stage.mu = Real(scheme.mu[std::size_t(j)]);
  stage.nu = Real(scheme.nu[std::size_t(j)]);
  stage.mu_t_dt = Real(scheme.mu_t[std::size_t(j)] * dt);
  stage.gamma_t_dt = Real(scheme.gamma_t[std::size_t(j)] * dt);
  return stage;
}

template <class Real>
void LevelRun<Real>::next_stage(const Rkl2& scheme, int j, double dt) {
  count_stage();
  const std::vector<Real>& u = level.y[std::size_t(last_)];
  StageView<Real> stage = stage_view(scheme, j, dt);
  stage.y1 = u.data();
  stage.out = level.y[std::size_t(spare_)].data();
  stage.y2 = j == 2 ? stage.y0 : stage.out;
  const double weight_s = scheme.weight[std::size_t(j) - 1] * dt;
  around_.weigh(weight_s);
  if (!level.rows.empty()) {
    run_stage(view_of(level, u), stage, level.scratch.data(), level.team());
    tally_.add(weight_s, flows_of(level, level.plane_flows));
  }
  std::swap(last_, spare_);
}

template <class Real>
bool LevelRun<Real>::stands_alone() const {
  return !level.weights_at.empty() && level.fixes.hole_begin.empty() && !level.rows.empty() &&
         level.rows.cells() <= kMostAtOnce && around_.none();
}

template <class Real>
void LevelRun<Real>::next_two_stages(const Rkl2& scheme, int j, double dt) {
  count_stage();
  count_stage();
  std::vector<Real>&u = level.y[std::size_t(last_)], &out = level.y[std::size_t(spare_)];
  StageView<Real> stage = stage_view(scheme, j, dt), next = stage_view(scheme, j + 1, dt);
  stage.y1 = u.data();
  stage.out = out.data();
  stage.y2 = j == 2 ? stage.y0 : stage.out;
  next.y1 = stage.out;
  next.y2 = next.out = u.data();
  run_two_stages(view_of(level, u), stage, next, level.next_flows.data(), level.scratch.data(), level.team());
  tally_.add(scheme.weight[std::size_t(j) - 1] * dt, flows_of(level, level.plane_flows));
  tally_.add(scheme.weight[std::size_t(j)] * dt, flows_of(level, level.next_flows));
}

template <class Real>
void LevelRun<Real>::exchange_state(Archive& archive, const std::vector<bool>& on) {
  archive(t_s, heating_W, findings, flows, source_J, wall_in_J, blood_out_J, boundary_out_J, stages,
          cell_updates, corrected_out_W_);
  archive(level, steam, control);
  bodies.exchange_state(archive, level, on, t_s);
  if (archive.reading()) input.switch_to(level, on, options_.fourth_order, true);
  archive(input);
}

template class LevelRun<float>;
template class LevelRun<double>;

}  // namespace spinetherm
