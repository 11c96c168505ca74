// SPDX-License-Identifier: Apache-2.0
#include "thermal/bioheat_solver.h"

#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "imaging/core/error.h"
#include "thermal/checkpoint.h"
#include "thermal/dose_field.h"
#include "thermal/electrode_drive.h"
#include "thermal/fingerprint.h"
#include "thermal/heat_bodies.h"
#include "thermal/heat_input.h"
#include "thermal/heat_level.h"
#include "thermal/iso_zone.h"
#include "thermal/patch_run.h"
#include "thermal/sample_points.h"
#include "thermal/scaled_heating.h"
#include "thermal/schedule.h"
#include "thermal/steam.h"
#include "thermal/stencil_correction.h"
#include "thermal/step_control.h"

namespace spinetherm {
namespace {

/// A cell counts as at rest below this departure from it. What leaks at the edge of the active cells stays
/// below 1e-5 of the heat of a run in float, 1e-8 in double; it shows in the energy residual.
template <class Real>
constexpr double kRest_K = sizeof(Real) == sizeof(double) ? 1e-8 : 2e-5;
/// The error allowed in a step grows with the distance from 37 degC: at 60 degC it is three times, at 100
/// degC seven times that at rest.
constexpr double kErrorGrowth_per_K = 0.1;
/// Cells up to this far above freezing lie beside ice. The embedded estimate there is that of a kink, which
/// dies out again; how much less it counts is a choice.
constexpr double kBesideIce_K = 20, kErrorBesideIce = 0.02;
/// Until-settled runs: shortest time after the last source, and the end of all patience.
constexpr double kSettleLeast_s = 60, kSettleMost_s = 4 * 3600;
/// How often a sensor that can end a step is read.
constexpr double kSensorPeriod_s = 1;
/// Tissue beside an electrode that becomes this hot has charred long ago, which is no part of the model.
constexpr double kCharred_degC = 400;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

double peak_memory_MB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

template <class Real>
class HeatRun {
 public:
  HeatRun(const ThermalProblem& problem, const BioheatOptions& options, const Progress& progress,
          const Checkpointing& checkpointing)
      : problem_(problem),
        options_(options),
        progress_(progress),
        checkpointing_(checkpointing),
        level_(make_level<Real>(problem, options.threads > 0 ? options.threads : omp_get_max_threads())),
        patch_(problem.patch ? std::make_unique<PatchRun<Real>>(problem, level_.threads) : nullptr),
        dose_(problem, level_),
        steam_(level_),
        bodies_(problem),
        drive_(problem, patch_ ? &patch_->problem : nullptr,
               patch_ ? patch_->link.covered() : std::vector<std::uint8_t>{}, level_.threads,
               bool(checkpointing.save)),
        schedule_(problem),
        input_(problem, kRest_K<Real>, std::max(schedule_.end_s(), 1.0)),
        control_(options),
        points_(problem) {
    if (!patch_) return;
    level_.covered = patch_->link.covered();
    level_.heating.assign(level_.grid.count(), Real(0));
  }

  ThermalResult run() {
    result_.summary.termination = Termination::reached_end;
    result_.summary.message = "";
    if (checkpointing_.resume_from.empty())
      prepare();
    else
      resume();
    while (next_ < events_.size() && !settled_ && going_on()) {
      if (!electrodes_due_) {
        if (!step_towards(next_stop_s())) break;
        pass_events();
        electrodes_due_ = true;
      }
      if (!update_electrodes() || has_charred()) break;
      electrodes_due_ = false;
      settled_ = problem_.until_dose_settled && is_settled();
      if (seconds_since(saved_) >= checkpointing_.period_s) save();
    }
    const bool took_long = seconds_since(begin_) >= checkpointing_.period_s;
    const bool cancelled = result_.summary.termination == Termination::cancelled;
    if (t_s_ > 0 && (cancelled || (going_on() && took_long))) save();
    if (next_ == events_.size() && !settled_ && problem_.until_dose_settled && going_on()) {
      result_.summary.termination = Termination::not_converged;
      result_.summary.message =
          fmt::format("the dose had not settled {:.0f} s after the last source; the hottest tissue: {}",
                      kSettleMost_s, hottest());
    }
    finish();
    result_.summary.wall_time_s = wall_time_s_ + seconds_since(begin_);
    result_.summary.peak_memory_MB = peak_memory_MB();
    return std::move(result_);
  }

 private:
  /// Heat over a macro-step, by the weights of its stages [J]: out through the box, in through walls, in by
  /// blood.
  struct Flows {
    double boundary_J = 0, wall_J = 0, blood_J = 0;
    void add(double weight_s, const LevelFlows& flows) {
      boundary_J += weight_s * flows.boundary_out_W;
      wall_J += weight_s * flows.wall_in_W;
      blood_J += weight_s * flows.blood_W;
    }
  };

  /// Instants at which a step must end.
  std::vector<double> events() const {
    return schedule_.events(problem_.until_dose_settled ? kSettleMost_s : 0);
  }
  double next_stop_s() const {
    double stop_s = events_[next_];
    if (const auto period = drive_.period_s(); period && t_s_ + *period < stop_s - 1e-3)
      stop_s = t_s_ + *period;
    if (schedule_.open_end(t_s_) != nullptr) stop_s = std::min(stop_s, t_s_ + kSensorPeriod_s);
    return stop_s;
  }
  /// What is scheduled at the end of the step that has just been made.
  void pass_events() {
    if (t_s_ >= events_[next_]) {
      points_.take(problem_, t_s_, result_.samples);
      ++next_;
      if (next_ < events_.size()) switch_sources();
    }
    if (end_early()) {
      events_ = events();
      next_ = std::size_t(std::upper_bound(events_.begin(), events_.end(), t_s_ + 1e-9) - events_.begin());
      switch_sources();
    }
  }
  /// Leaves out the rest of the present interval when its sensor says so.
  bool end_early() {
    const EarlyEnd* e = schedule_.open_end(t_s_);
    if (e == nullptr) return false;
    const auto wall = near_bodies().wall_degC(e->sensor_mm);
    const double T = wall ? *wall : sensor_degC(e->sensor_mm);
    if (e->below_degC ? T >= *e->below_degC : T <= *e->above_degC) return false;
    result_.ended_early.push_back(schedule_.end(*e, t_s_));
    bodies_.run_ahead(schedule_.skipped_s());
    if (patch_) patch_->bodies.run_ahead(schedule_.skipped_s());
    return true;
  }

  bool going_on() const { return result_.summary.termination == Termination::reached_end; }

  void prepare() {
    switch_sources();
    update_electrodes();
    begin_J_ = stored();
    if (patch_) patch_->link.follow_perfusion(level_, patch_->level);  // as it is at the start
    record_bodies();
    read_points();
    events_ = events();
    points_.take(problem_, t_s_, result_.samples);
  }

  void save() {
    if (!checkpointing_.save) return;
    Archive archive = begin_checkpoint(fingerprint(problem_, options_));
    exchange_state(archive);
    checkpointing_.save(end_checkpoint(archive));
    saved_ = Clock::now();
  }
  void resume() {
    Archive archive = open_checkpoint(checkpointing_.resume_from, fingerprint(problem_, options_));
    exchange_state(archive);
    events_ = events();
  }
  /// Everything that later steps and the result follow from; the rest comes from the problem anew.
  void exchange_state(Archive& archive) {
    double wall_time_s = wall_time_s_ + seconds_since(begin_);
    archive(t_s_, next_, on_, electrodes_due_, heating_due_, settled_, wall_time_s);
    archive(level_, dose_, steam_, drive_, schedule_, control_, points_);
    bodies_.exchange_state(archive, level_, on_, t_s_);
    if (patch_) {
      patch_->exchange_state(archive, level_, on_, t_s_);
      if (archive.reading()) bodies_.take_films(patch_->bodies);
    }
    if (archive.reading()) {
      wall_time_s_ = wall_time_s;
      input_.switch_to(level_, on_, fourth_order());
      scaled_.switch_to(problem_, level_.grid, on_, fourth_order());
      begun_ = true;
      exclude_cells();
    }
    ThermalResult& r = result_;
    archive(input_, scaled_, r.summary.steps, r.summary.stages, r.summary.cell_updates, r.samples,
            r.electrical, r.cryo, r.ended_early);
    archive(ever_taken_, findings_, heating_W_, corrected_out_W_, flows_, begin_J_, source_J_,
            perfusion_out_J_, boundary_out_J_, wall_in_J_);
    archive(highest_degC_, lowest_degC_, total_cem43_, calm_since_s_, calm_cem43_);
  }

  bool fourth_order() const { return options_.fourth_order && !problem_.voxel_applicators && !patch_; }
  double stored() const { return stored_J(level_) + (patch_ ? stored_J(patch_->level) : 0.0); }
  /// The bodies as the finest cells see them.
  const HeatBodies<Real>& near_bodies() const { return patch_ ? patch_->bodies : bodies_; }
  void record_bodies() {
    if (patch_) {
      patch_->bodies.record(t_s_, nullptr, &result_.cryo);
      bodies_.take_films(patch_->bodies);
    }
    bodies_.record(t_s_, &dose_, patch_ ? nullptr : &result_.cryo);
  }

  /// Works out the heating of the sources that act from now on.
  void switch_sources() {
    std::vector<bool> on(problem_.sources.size());
    for (std::size_t n = 0; n < on.size(); ++n) on[n] = schedule_.is_on(n, t_s_);
    if (on == on_ && begun_) return;
    const bool first = !begun_;
    begun_ = true;
    on_ = on;
    wall_in_J_ -= bodies_.switch_to(level_, &dose_, on_, t_s_, first);
    drive_.switch_to(on_);
    input_.switch_to(level_, on_, fourth_order());
    if (patch_) {
      patch_->level.covered = patch_->link.closed_halo(level_, patch_->level);
      wall_in_J_ -= patch_->bodies.switch_to(patch_->level, nullptr, on_, t_s_, first);
      patch_->input.switch_to(patch_->level, on_, false);
      patch_->link.set_openings(patch_->bodies.links());
    }
    scaled_.switch_to(problem_, level_.grid, on_, fourth_order());
    if (fourth_order())
      level_.correctable = correctable_faces(problem_.tissue_map.labels, bodies_.links(),
                                             problem_.tissue_map.factors.conductivity);
    exclude_cells();
    if (ever_taken_.empty()) ever_taken_ = level_.hole;
    for (std::size_t c = 0; c < level_.hole.size(); ++c) ever_taken_[c] |= level_.hole[c];
    control_.restart();
    heating_due_ = true;
  }
  void exclude_cells() {
    excluded_ = level_.hole;
    for (const BodyLinks::Ghost& g : bodies_.links().ghosts) excluded_[g.taken] = 0;
    points_.move_stencils();
  }

  /// Potential and power of the electrodes that act, and the heating where that has changed. False when the
  /// run is over; one that was cancelled here goes on here.
  bool update_electrodes() {
    bool new_fields = heating_due_;
    if (drive_.acting()) {
      const bool solved = drive_.update_fields(
          t_s_,
          [&](std::size_t part, std::size_t c, double added) {
            return float(expected_degC(part == 0 ? level_ : patch_->level, c, added));
          },
          progress_);
      if (solved && !drive_.summary().usable()) {
        const Termination why = drive_.summary().termination;
        return stop(why == Termination::cancelled ? why : Termination::not_converged,
                    fmt::format("electric field after {:.1f} s: {}", t_s_, drive_.summary().message));
      }
      const bool powered =
          drive_.update_power(t_s_, [&](const Eigen::Vector3d& at_mm) { return sensor_degC(at_mm); });
      if (!result_.electrical) result_.electrical.emplace();
      drive_.record(t_s_, *result_.electrical);
      heating_due_ = heating_due_ || solved || powered;
      new_fields = new_fields || solved;
    }
    if (heating_due_) set_heating(new_fields);
    heating_due_ = false;
    return true;
  }

  /// Temperature [degC] of a cell at the end of the next step, when `added` [W/m3] is added to its heating:
  /// it goes to its new balance with its neighbours exponentially, as if they stayed as they are.
  double expected_degC(const HeatLevel<Real>& level, std::size_t c, double added_W_per_m3) const {
    const Eigen::Vector3d h_m = level.grid.spacing_mm * 1e-3;
    const double per_s = 2 * h_m.cwiseProduct(h_m).cwiseInverse().sum() * double(level.inverse_capacity[c]) /
                         double(level.resistivity[c]);
    const double rate = double(level.rate[c]) + added_W_per_m3 * double(level.inverse_capacity[c]);
    const double u =
        double(level.y[std::size_t(level.now)][c]) - rate * std::expm1(-per_s * control_.next_s()) / per_s;
    return double(theta_of_u(level.table, level.label[c], Real(u))) + kReference_degC;
  }

  double sensor_degC(const Eigen::Vector3d& at_mm) const {
    // In the metal: what the tissue around it has.
    return stencil_at(at_mm)(finest_at(at_mm).theta_now()) + kReference_degC;
  }
  /// The patch where it holds the point and one cell around it, else the window.
  const HeatLevel<Real>& finest_at(const Eigen::Vector3d& x_mm) const {
    if (!patch_) return level_;
    const Eigen::Vector3d at = patch_->level.grid.to_index(x_mm);
    for (Eigen::Index a = 0; a < 3; ++a)
      if (at[a] < 1.5 || at[a] > patch_->level.grid.size[std::size_t(a)] - 2.5) return level_;
    return patch_->level;
  }
  PointStencil stencil_at(const Eigen::Vector3d& x_mm) const {
    const HeatLevel<Real>& level = finest_at(x_mm);
    const bool fine = &level != &level_;
    return make_stencil(
        fine ? patch_->problem.tissue_map.labels : problem_.tissue_map.labels,
        fine ? patch_->level.hole : excluded_,
        [&](std::size_t c) { return 1 / double(level.resistivity[c]); }, x_mm);
  }

  void set_heating(bool new_fields) {
    const ActiveRows before = level_.rows;
    std::array<int, 3> low{}, high{};
    if (level_.can_rest && bodies_.surroundings(level_.grid, low, high)) include_box(level_.rows, low, high);
    if (level_.can_rest && patch_) {
      const PatchBox box = patch_box(level_.grid, problem_.patch->labels.grid);
      for (std::size_t a = 0; a < 3; ++a) {
        low[a] = box.low[a] - 2;
        high[a] = box.high[a] + 2;
      }
      include_box(level_.rows, low, high);
    }
    if (level_.can_rest && !scaled_.empty()) include_box(level_.rows, {0, 0, 0}, level_.grid.size);
    heating_W_ = input_.apply(level_, drive_.heating(0), bodies_.links().ghosts, new_fields);
    if (patch_) {
      heating_W_ +=
          patch_->input.apply(patch_->level, drive_.heating(1), patch_->bodies.links().ghosts, new_fields);
      level_.heating = level_.source;
    }
    if (!level_.correctable.empty()) level_.heating = level_.source;
    scaled_.begin(level_);
    if (level_.can_rest && !(level_.rows == before)) dose_.join(level_, level_.rows, before, t_s_);
    refresh_rates();
  }

  void refresh_rates() {
    prepare_sweep(level_.now, t_s_);
    StepView<Real> step;
    StepView<Real> patch_step;
    const auto aim = [&](HeatLevel<Real>& level, StepView<Real>& one) {
      one.y1 = level.y[std::size_t(level.now)].data();
      one.rate0 = one.rate1 = level.rate.data();
    };
    aim(level_, step);
    if (patch_) aim(patch_->level, patch_step);
    findings_ = sweep_rates(level_.now, step, patch_step);
    correct();
  }
  /// Properties and walls for the rates of y[at].
  void prepare_sweep(int at, double t_s) {
    const std::vector<Real>& u = level_.y[std::size_t(at)];
    update_properties(level_, u);
    bodies_.set_walls(level_, t_s, u);
    if (!patch_) return;
    std::vector<Real>& fine = patch_->level.y[std::size_t(at)];
    update_properties(patch_->level, fine);
    patch_->bodies.set_walls(patch_->level, t_s, fine);
    patch_->link.fill_halo(level_, u, patch_->level, fine, true);
    patch_->link.exchange(level_, patch_->level, fine);
  }

  void correct() {
    bodies_.fill_ghosts(level_);
    corrected_out_W_ = correct_flows(level_);
  }

  void count_stage() {
    ++result_.summary.stages;
    result_.summary.cell_updates += double(level_.rows.cells());
    if (patch_) result_.summary.cell_updates += double(patch_->level.rows.cells());
  }

  StepFindings sweep_rates(int at, StepView<Real> step, StepView<Real> patch_step) {
    count_stage();
    flows_ = {};
    StepFindings all;
    if (!level_.rows.empty()) all = sweep_level(level_, at, step);
    if (!patch_) return all;
    const StepFindings fine = sweep_level(patch_->level, at, patch_step);
    if (fine.error_K > all.error_K || !fine.finite) in_patch_ = true;
    if (in_patch_) all.worst_cell = fine.worst_cell;
    all.error_K = std::max(all.error_K, fine.error_K);
    all.largest_change_K = std::max(all.largest_change_K, fine.largest_change_K);
    all.stiffness_per_s = std::max(all.stiffness_per_s, fine.stiffness_per_s);
    all.finite = all.finite && fine.finite;
    return all;
  }
  StepFindings sweep_level(HeatLevel<Real>& level, int at, StepView<Real>& step) {
    if (level.table.has_phases) {
      step.label = level.label;
      step.steepest = level.steepest.data();
      step.threshold = level.steepest_below.data();
    }
    const StepFindings f = run_rates(view_of(level, level.y[std::size_t(at)]), step, level.scratch.data(),
                                     level.plane_findings.data(), level.team());
    add_flows(flows_, last_flows(level));
    return f;
  }
  static void add_flows(LevelFlows& sum, const LevelFlows& more) {
    sum.blood_W += more.blood_W;
    sum.boundary_out_W += more.boundary_out_W;
    sum.wall_in_W += more.wall_in_W;
  }

  /// One accepted macro-step that ends at `stop_s` at the latest; false when the run is over.
  bool step_towards(double stop_s) {
    const int old = level_.now;
    const LevelFlows flows_before = flows_;
    long stages_before = 0;
    // The state is then that before the attempt, but for what the next one sets before it reads it.
    const auto cancel = [&] {
      bodies_.set_walls(level_, t_s_, level_.y[std::size_t(old)]);
      if (patch_) patch_->bodies.set_walls(patch_->level, t_s_, patch_->level.y[std::size_t(old)]);
      result_.summary.stages = stages_before;
      flows_ = flows_before;
      return stop(Termination::cancelled, fmt::format("cancelled after {:.1f} s", t_s_));
    };
    for (int attempt = 0;; ++attempt) {
      flows_ = flows_before;
      stages_before = result_.summary.stages;
      if (progress_.cancelled()) return cancel();
      const double dt = control_.propose(t_s_, stop_s, findings_.stiffness_per_s);
      scaled_.set_step(level_, t_s_, dt);
      const int stages = rkl2_stages(dt * findings_.stiffness_per_s * 1.02);
      const Rkl2 scheme = make_rkl2(stages);
      Flows flows;
      const int last = run_stages(scheme, dt, flows);
      if (last < 0) return cancel();
      const int spare = 3 - old - last;
      const double end_s = t_s_ + dt >= stop_s ? stop_s : t_s_ + dt;
      prepare_sweep(last, end_s);
      if (bodies_.moving()) {
        if (patch_) {
          patch_->bodies.fill_holes(patch_->level);
          bodies_.take_films(patch_->bodies);
        }
        bodies_.fill_holes(level_);
      }
      const auto judged = [&](HeatLevel<Real>& level) {
        StepView<Real> step;
        step.y0 = level.y[std::size_t(old)].data();
        step.y1 = level.y[std::size_t(last)].data();
        step.rate0 = level.rate.data();
        step.rate1 = level.y[std::size_t(spare)].data();
        step.dt = Real(dt);
        step.relative = Real(kErrorGrowth_per_K);
        if (level.table.has_phases) {
          step.cool = level.table.calm_from + Real(kBesideIce_K);
          step.cool_weight = Real(kErrorBesideIce);
        }
        return step;
      };
      in_patch_ = false;
      const StepFindings f =
          sweep_rates(last, judged(level_), patch_ ? judged(patch_->level) : StepView<Real>{});
      const double change_K = f.largest_change_K * (drive_.acting() ? 5 : 1);
      if (!control_.judge(dt, f.error_K, change_K, f.finite)) {
        restore_rest(last, spare);
        if (control_.next_s() < 1e-7 || attempt > 60) return stop_diverged(f.worst_cell);
        continue;
      }
      accept(old, last, spare, dt, end_s, f, flows);
      return true;
    }
  }

  /// Runs the stages from y[now]; returns the index of the result, -1 when cancelled.
  int run_stages(const Rkl2& scheme, double dt, Flows& flows) {
    const int old = level_.now;
    int previous = (old + 1) % 3, spare = (old + 2) % 3;
    flows.add(scheme.weight[0] * dt, flows_);
    const auto first = Real(scheme.mu_t[1] * dt);
    first_stage(level_, old, previous, first);
    if (patch_) first_stage(patch_->level, old, previous, first);
    for (int j = 2; j <= scheme.stages; ++j) {
      if (progress_.cancelled()) return -1;
      count_stage();
      const double t_s = t_s_ + scheme.time[std::size_t(j) - 1] * dt;
      const std::vector<Real>& u = level_.y[std::size_t(previous)];
      bodies_.set_walls(level_, t_s, u);
      if (patch_) {
        std::vector<Real>& fine = patch_->level.y[std::size_t(previous)];
        patch_->bodies.set_walls(patch_->level, t_s, fine);
        patch_->link.fill_halo(level_, u, patch_->level, fine, false);
        patch_->link.exchange(level_, patch_->level, fine);
      }
      LevelFlows sum;
      const auto one = [&](HeatLevel<Real>& level) {
        StageView<Real> stage;
        stage.y0 = level.y[std::size_t(old)].data();
        stage.y1 = level.y[std::size_t(previous)].data();
        stage.y2 = j == 2 ? stage.y0 : level.y[std::size_t(spare)].data();
        stage.rate0 = level.rate.data();
        stage.out = level.y[std::size_t(spare)].data();
        stage.mu = Real(scheme.mu[std::size_t(j)]);
        stage.nu = Real(scheme.nu[std::size_t(j)]);
        stage.mu_t_dt = Real(scheme.mu_t[std::size_t(j)] * dt);
        stage.gamma_t_dt = Real(scheme.gamma_t[std::size_t(j)] * dt);
        if (level.rows.empty()) return;
        run_stage(view_of(level, level.y[std::size_t(previous)]), stage, level.scratch.data(), level.team());
        add_flows(sum, last_flows(level));
      };
      one(level_);
      if (patch_) one(patch_->level);
      flows.add(scheme.weight[std::size_t(j) - 1] * dt, sum);
      std::swap(previous, spare);
    }
    return previous;
  }

  static void first_stage(HeatLevel<Real>& level, int old, int to, Real mu_t_dt) {
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

  /// What a rejected step has left in the stages is finite again.
  void restore_rest(int a, int b) {
    for (HeatLevel<Real>* level : {&level_, patch_ ? &patch_->level : nullptr}) {
      if (level == nullptr) continue;
      level->y[std::size_t(a)] = level->y[std::size_t(level->now)];
      level->y[std::size_t(b)] = level->y[std::size_t(level->now)];
    }
    prepare_sweep(level_.now, t_s_);
  }

  void accept(int old, int last, int spare, double dt, double t_end_s, const StepFindings& f,
              const Flows& flows) {
    std::swap(level_.rate, level_.y[std::size_t(spare)]);  // y[spare] now holds the old rate
    level_.now = last;
    if (patch_) {
      std::swap(patch_->level.rate, patch_->level.y[std::size_t(spare)]);
      patch_->level.now = last;
    }
    t_s_ = t_end_s;
    findings_ = f;
    // State and rate have changed places: of cells at rest the new rate still holds the state.
    const bool outside_at_rest = level_.can_rest && level_.theta_rest != 0;
    if (outside_at_rest) fill_resting(level_, level_.rate, Real(0));
    std::vector<Real>& rate0 = level_.y[std::size_t(spare)];
    if (patch_) {  // the covered cells of the window for once as if it had stepped them
      patch_->link.copy(patch_->window_rate, rate0);
      patch_->link.average(level_, patch_->level, level_.rate);
      patch_->link.copy(level_.rate, patch_->window_rate);
    }
    const auto d = dose_.add_step(level_, level_.y[std::size_t(old)], rate0, dt, t_s_);
    points_.advance(problem_, dt, level_.table.has_phases, [&] { read_points(); });
    highest_degC_ = d.highest_degC;
    lowest_degC_ = d.lowest_degC;
    total_cem43_ += d.added_cem43_min;
    source_J_ += (heating_W_ + scaled_.power_W()) * dt;
    perfusion_out_J_ -= flows.blood_J;
    flows_.blood_W += d.blood_change_W;
    boundary_out_J_ += flows.boundary_J + corrected_out_W_ * dt;
    wall_in_J_ += flows.wall_J;
    if (outside_at_rest) fill_resting(level_, level_.y[std::size_t(spare)], level_.theta_rest);
    ++result_.summary.steps;
    record_bodies();
    boundary_out_J_ += steam_.follow(level_, highest_degC_ - kReference_degC);
    bool changed = steam_.changed();
    if (patch_) {
      patch_->link.clear_rates(level_.rate);
      boundary_out_J_ += patch_->steam.follow(patch_->level, HUGE_VAL);
      changed = patch_->link.follow_perfusion(level_, patch_->level) || patch_->steam.changed() || changed;
    }
    if (changed)
      refresh_rates();
    else
      correct();
    grow();
    report();
  }

  void grow() {
    if (!level_.can_rest) return;
    const ActiveRows before = level_.rows;
    if (!grow_active(level_, 6, kRest_K<Real>)) return;
    dose_.join(level_, level_.rows, before, t_s_);
    set_heating(false);
  }

  void report() {
    if (!progress_.report) return;
    const double end_s = std::max(schedule_.end_s(), problem_.until_dose_settled ? t_s_ : 0.0);
    const int whole = int(t_s_);
    if (whole == reported_s_) return;
    reported_s_ = whole;
    progress_(std::min(1.0, t_s_ / std::max(end_s, 1e-9)), fmt::format("{} of {:.0f} s", whole, end_s));
  }

  bool stop(Termination why, std::string message) {
    result_.summary.termination = why;
    result_.summary.message = std::move(message);
    return false;
  }
  bool stop_diverged(std::size_t cell) {
    return stop(Termination::diverged,
                fmt::format("diverged in step {} after {:.3f} s, {}", result_.summary.steps + 1, t_s_,
                            name_of(cell, in_patch_)));
  }

  bool has_charred() {
    if (!drive_.acting() || highest_degC_ <= kCharred_degC) return false;
    return !stop(Termination::diverged,
                 fmt::format("tissue beside an electrode chars after {:.1f} s ({}): such heat is no part of "
                             "the model; lower the power or let a rising resistance switch it off (roll_off)",
                             t_s_, hottest()));
  }
  std::string hottest() const {
    const Real* theta = level_.theta_now();
    std::size_t c = 0;
    for (std::size_t n = 0; n < level_.grid.count(); ++n)
      if (!level_.is_hole(n) && (level_.is_hole(c) || theta[n] > theta[c])) c = n;
    return fmt::format("{:.0f} degC, {}", double(theta[c]) + kReference_degC, name_of(c));
  }
  std::string name_of(std::size_t cell, bool in_patch = false) const {
    const HeatLevel<Real>& level = in_patch ? patch_->level : level_;
    const auto nx = std::size_t(level.grid.size[0]), ny = std::size_t(level.grid.size[1]);
    return fmt::format("cell ({}, {}, {}){}, tissue '{}'", cell % nx, cell / nx % ny, cell / (nx * ny),
                       in_patch ? " of the patch" : "", problem_.tissue_map.tissues[level.label[cell]].name);
  }

  bool is_settled() {
    if (t_s_ < schedule_.end_s() + kSettleLeast_s) return false;
    const bool calm = highest_degC_ < 39 && lowest_degC_ > 0 && t_s_ >= last_sample_s();
    if (!calm) return false;
    // A full minute in which the sum of all doses grows by less than 0.1 %.
    if (calm_since_s_ < 0) {
      calm_since_s_ = t_s_;
      calm_cem43_ = total_cem43_;
    }
    if (below_39_counts() && t_s_ - calm_since_s_ < 60) return false;
    const bool settled = total_cem43_ - calm_cem43_ <= 1e-3 * total_cem43_;
    if (!settled) calm_since_s_ = -1;
    return settled;
  }
  bool below_39_counts() const { return problem_.cem43_quarter_below_39; }
  double last_sample_s() const {
    double last = 0;
    for (const double t : problem_.sample.times_s) last = std::max(last, t);
    return last;
  }

  void read_points() {
    points_.read([&](const Eigen::Vector3d& x_mm) -> const HeatLevel<Real>& { return finest_at(x_mm); },
                 [&](const Eigen::Vector3d& x_mm) { return stencil_at(x_mm); },
                 [&](const Eigen::Vector3d& x_mm) { return near_bodies().wall_degC(x_mm); });
  }

  void finish() {
    ThermalResult& r = result_;
    r.summary.simulated_s = t_s_;
    r.summary.field_solves = drive_.solves();
    if (going_on())
      r.summary.message = fmt::format("{:.1f} s in {} steps, {} stages, {} field solves", t_s_,
                                      r.summary.steps, r.summary.stages, r.summary.field_solves);
    // Never a picture of what diverged; and whoever cancels does not wait for one.
    if (r.summary.termination == Termination::diverged || r.summary.termination == Termination::cancelled)
      return;
    dose_.finish(level_, t_s_);
    bodies_.fill_holes(level_);
    r.energy.in_J = source_J_ + std::max(wall_in_J_, 0.0);
    r.energy.stored_J = stored() - begin_J_;
    r.energy.out_J = perfusion_out_J_ + boundary_out_J_ - std::min(wall_in_J_, 0.0);
    const double largest =
        std::max({std::abs(r.energy.in_J), std::abs(r.energy.stored_J), std::abs(r.energy.out_J)});
    if (largest > 0)
      r.energy.relative_residual = std::abs(r.energy.in_J - r.energy.stored_J - r.energy.out_J) / largest;
    r.zones = result_zones(level_.grid, dose_.peak, dose_.lowest, dose_.cem43, dose_.arrhenius, ever_taken_);
    const OutputFields& f = problem_.fields;
    const auto volume = [&](const std::vector<float>& values) {
      Volume<float> v;
      v.grid = level_.grid;
      v.values = values;
      return v;
    };
    if (f.temperature) {
      r.temperature = Volume<float>(level_.grid);
      const Real* theta = level_.theta_now();
      for (std::size_t c = 0; c < level_.grid.count(); ++c)
        r.temperature[c] = float(double(theta[c]) + kReference_degC);
    }
    if (f.peak_temperature) {
      r.peak_temperature = volume(dose_.peak);
      r.peak_time_s = volume(dose_.peak_time);
    }
    if (f.lowest_temperature) {
      r.lowest_temperature = volume(dose_.lowest);
      r.lowest_time_s = volume(dose_.lowest_time);
    }
    if (f.potential) r.potential = drive_.potential_V();
    if (f.power_density) r.power_density = drive_.power_W_per_m3();
    if (f.freezes) r.freezes = volume(dose_.freezes->freezes());
    if (f.lowest_twice) r.lowest_twice = volume(dose_.freezes->lowest_twice());
    if (f.cell_death) r.cell_death = volume(dose_.cell_death->dead());
    if (f.cem43) r.cem43 = volume(dose_.cem43);
    if (f.arrhenius && !dose_.arrhenius.empty()) r.arrhenius = volume(dose_.arrhenius);
  }

  const ThermalProblem& problem_;
  BioheatOptions options_;
  const Progress& progress_;
  const Checkpointing& checkpointing_;
  HeatLevel<Real> level_;
  std::unique_ptr<PatchRun<Real>> patch_;  ///< null: none
  bool in_patch_ = false;                  ///< where the worst cell of the last step was
  DoseField<Real> dose_;
  Steam<Real> steam_;
  HeatBodies<Real> bodies_;
  ElectrodeDrive drive_;
  Schedule schedule_;
  double t_s_ = 0;
  HeatInput<Real> input_;
  StepControl control_;
  ScaledHeating<Real> scaled_;
  ThermalResult result_;
  std::vector<double> events_;
  std::size_t next_ = 0;  ///< event
  std::vector<bool> on_;
  bool begun_ = false, settled_ = false;
  bool electrodes_due_ = false, heating_due_ = false;  ///< to be worked out before the next step
  SamplePoints<Real> points_;
  std::vector<std::uint8_t> excluded_;    ///< cells without a value of their own or continued into them
  std::vector<std::uint8_t> ever_taken_;  ///< cells that were inside an applicator at some time; empty: none
  StepFindings findings_;
  double heating_W_ = 0, corrected_out_W_ = 0;
  LevelFlows flows_;  ///< at the present state
  double begin_J_ = 0, source_J_ = 0, perfusion_out_J_ = 0, boundary_out_J_ = 0, wall_in_J_ = 0;
  double highest_degC_ = 37, lowest_degC_ = 37, total_cem43_ = 0, calm_since_s_ = -1, calm_cem43_ = 0;
  int reported_s_ = -1;
  Clock::time_point begin_ = Clock::now(), saved_ = begin_;
  double wall_time_s_ = 0;  ///< before the run was resumed
};

}  // namespace

void BioheatOptions::validate() const {
  require(max_step_K > 0, "BioheatOptions.max_step_K", max_step_K, "must be > 0 K");
  require(max_step_s > 0, "BioheatOptions.max_step_s", max_step_s, "must be > 0 s");
  require(first_step_s > 0 && first_step_s <= max_step_s, "BioheatOptions.first_step_s", first_step_s,
          "must lie in (0, max_step_s]");
  require(step_error_K > 0, "BioheatOptions.step_error_K", step_error_K, "must be > 0 K");
  require(max_stages >= 3 && max_stages <= 99, "BioheatOptions.max_stages", max_stages,
          "must lie in [3, 99]");
  require(threads >= 0, "BioheatOptions.threads", threads, "must be >= 0");
}

ThermalResult solve(const ThermalProblem& problem, const BioheatOptions& options, const Progress& progress,
                    const Checkpointing& checkpointing) {
  options.validate();
  validate(problem);
  return options.double_precision ? HeatRun<double>(problem, options, progress, checkpointing).run()
                                  : HeatRun<float>(problem, options, progress, checkpointing).run();
}

}  // namespace spinetherm
