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
      around_(around) {}

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
  flows = last_flows(level);
  return f;
}

template <class Real>
void LevelRun<Real>::refresh_rates() {
  prepare_sweep(level.now, t_s);
  StepView<Real> view;
  view.y1 = level.y[std::size_t(level.now)].data();
  view.rate0 = view.rate1 = level.rate.data();
  findings = sweep(level.now, view);
  around_.keep();
  correct();
}

template <class Real>
void LevelRun<Real>::correct() {
  bodies.fill_ghosts(level);
  corrected_out_W_ = correct_flows(level);
}

template <class Real>
typename LevelRun<Real>::Step LevelRun<Real>::step(double stop_s, double change_counts,
                                                   const Progress& progress) {
  const int old = level.now;
  const LevelFlows flows_before = flows;
  Step done;
  for (int attempt = 0;; ++attempt) {
    flows = flows_before;
    const long stages_before = stages;
    const double updates_before = cell_updates;
    const double dt = control.propose(t_s, stop_s, findings.stiffness_per_s);
    Tally tally;
    const int last = progress.cancelled()
                         ? -1
                         : run_stages(rkl2_stages(dt * findings.stiffness_per_s * 1.02), dt, tally, progress);
    if (last < 0) {
      bodies.set_walls(level, t_s, level.y[std::size_t(old)]);
      stages = stages_before;
      cell_updates = updates_before;
      flows = flows_before;
      done.outcome = Outcome::cancelled;
      return done;
    }
    const int spare = 3 - old - last;
    const double end_s = t_s + dt >= stop_s ? stop_s : t_s + dt;
    prepare_sweep(last, end_s);
    if (bodies.moving()) bodies.fill_holes(level);
    StepView<Real> view;
    view.y0 = level.y[std::size_t(old)].data();
    view.y1 = level.y[std::size_t(last)].data();
    view.rate0 = level.rate.data();
    view.rate1 = level.y[std::size_t(spare)].data();
    view.dt = Real(dt);
    view.relative = Real(kErrorGrowth_per_K);
    if (level.table.has_phases) {
      view.hot_relative = Real(kHotErrorGrowth_per_K);
      view.cool = level.table.calm_from + Real(kBesideIce_K);
      view.cool_weight = Real(kErrorBesideIce);
      view.hot = Real(kBesideSteam_K);
      view.hot_weight = Real(kErrorBesideSteam);
    }
    const StepFindings f = sweep(last, view);
    if (!control.judge(dt, f.error_K, f.largest_change_K * change_counts, f.finite)) {
      // What a rejected step has left in the stages is finite again.
      level.y[std::size_t(last)] = level.y[std::size_t(old)];
      level.y[std::size_t(spare)] = level.y[std::size_t(old)];
      prepare_sweep(old, t_s);
      if (control.next_s() >= 1e-7 && attempt <= 60) continue;
      findings.worst_cell = f.finite ? fastest_cell(level) : f.worst_cell;
      done.outcome = Outcome::diverged;
      return done;
    }
    around_.keep();
    std::swap(level.rate, level.y[std::size_t(spare)]);  // y[spare] now holds the old rate
    level.now = last;
    t_s = end_s;
    findings = f;
    done.dt_s = dt;
    done.u0 = &level.y[std::size_t(old)];
    done.rate0 = &level.y[std::size_t(spare)];
    source_J += heating_W * dt;
    blood_out_J -= tally.blood_J;
    boundary_out_J += tally.boundary_J + corrected_out_W_ * dt;
    boundary_out_J += (flows_before.rest_out_W + flows.rest_out_W) / 2 * dt;
    wall_in_J += tally.wall_J;
    // State and rate have changed places: of cells at rest the new rate still holds the state.
    if (level.can_rest && level.theta_rest != 0) fill_resting(level, level.rate, Real(0));
    return done;
  }
}

template <class Real>
void LevelRun<Real>::restore_rest(const Step& step) {
  if (level.can_rest && level.theta_rest != 0) fill_resting(level, *step.rate0, level.theta_rest);
}

/// From y[now]; returns the index of the result, -1 when cancelled.
template <class Real>
int LevelRun<Real>::run_stages(int stage_count, double dt, Tally& tally, const Progress& progress) {
  const Rkl2 scheme = make_rkl2(stage_count);
  const int old = level.now;
  int previous = (old + 1) % 3, spare = (old + 2) % 3;
  around_.begin_step(t_s, dt, scheme.weight[0] * dt);
  tally.add(scheme.weight[0] * dt, flows);
  first_stage(old, previous, Real(scheme.mu_t[1] * dt));
  for (int j = 2; j <= scheme.stages; ++j) {
    if (progress.cancelled()) return -1;
    count_stage();
    const double at_s = t_s + scheme.time[std::size_t(j) - 1] * dt;
    std::vector<Real>& u = level.y[std::size_t(previous)];
    bodies.set_walls(level, at_s, u);
    around_.set(at_s, u, false);
    StageView<Real> stage;
    stage.y0 = level.y[std::size_t(old)].data();
    stage.y1 = u.data();
    stage.y2 = j == 2 ? stage.y0 : level.y[std::size_t(spare)].data();
    stage.rate0 = level.rate.data();
    stage.out = level.y[std::size_t(spare)].data();
    stage.mu = Real(scheme.mu[std::size_t(j)]);
    stage.nu = Real(scheme.nu[std::size_t(j)]);
    stage.mu_t_dt = Real(scheme.mu_t[std::size_t(j)] * dt);
    stage.gamma_t_dt = Real(scheme.gamma_t[std::size_t(j)] * dt);
    const double weight_s = scheme.weight[std::size_t(j) - 1] * dt;
    around_.weigh(weight_s);
    if (!level.rows.empty()) {
      run_stage(view_of(level, u), stage, level.scratch.data(), level.team());
      tally.add(weight_s, last_flows(level));
    }
    std::swap(previous, spare);
  }
  return previous;
}

template <class Real>
void LevelRun<Real>::first_stage(int old, int to, Real mu_t_dt) {
  const std::vector<Real>& y0 = level.y[std::size_t(old)];
  std::vector<Real>& y1 = level.y[std::size_t(to)];
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
