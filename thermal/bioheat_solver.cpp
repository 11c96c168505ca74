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
#include "thermal/far_field.h"
#include "thermal/fingerprint.h"
#include "thermal/iso_zone.h"
#include "thermal/level_run.h"
#include "thermal/patch_run.h"
#include "thermal/power_drives.h"
#include "thermal/result_fields.h"
#include "thermal/sample_points.h"
#include "thermal/scaled_heating.h"
#include "thermal/schedule.h"
#include "thermal/stencil_correction.h"

namespace spinetherm {
namespace {

/// A cell counts as at rest below this departure from it [K], far below what a step may err by. What flows to
/// cells at rest counts as leaving: they take it up without a change.
template <class Real>
double rest_K(const BioheatOptions& options) {
  return sizeof(Real) == sizeof(double) ? 1e-8 : std::max(2e-4, options.step_error_K / 200);
}
/// How far cells are stepped beyond those that are not at rest.
constexpr int kMargin_cells = 4;
/// Until-settled runs: shortest time after the last source, and the end of all patience.
constexpr double kSettleLeast_s = 60, kSettleMost_s = 4 * 3600;
/// How often a sensor that can end a step is read.
constexpr double kSensorPeriod_s = 1;
/// So long after the last source heat has spread over some cells of the window, and the patch is not needed
/// any more: 3 mm in tissue. A choice.
constexpr double kSmoothAfter_s = 20;
/// After this time, and below this temperature, the far cells are fine enough for what is left: 6 mm, and a
/// dose of some CEM43 minutes. Choices.
constexpr double kCoarseAfter_s = 90, kCoarseBelow_degC = 45;
/// Tissue beside an applicator that becomes this hot has charred long ago, which is no part of the model.
constexpr double kCharred_degC = 400;

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

double peak_memory_MB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

/// Leaves the set-up of a run, whose parts take up to 0.2 s each and have nothing to return yet.
struct CancelledInSetUp {};
template <class T>
T& unless_cancelled(const Progress& progress, T& value) {
  if (progress.cancelled()) throw CancelledInSetUp();
  return value;
}

template <class Real>
class HeatRun : Surroundings<Real> {
 public:
  HeatRun(const ThermalProblem& problem, const BioheatOptions& options, const Progress& progress,
          const Checkpointing& checkpointing)
      : problem_(problem),
        options_(for_problem(options, problem)),
        progress_(progress),
        checkpointing_(checkpointing),
        schedule_(problem),
        window_(problem, options_, options.threads > 0 ? options.threads : omp_get_max_threads(), *this,
                rest_K<Real>(options_), std::max(schedule_.end_s(), 1.0)),
        level_(unless_cancelled(progress, window_.level)),
        owned_patch_(problem.patch ? std::make_unique<PatchRun<Real>>(problem, options_, level_.threads)
                                   : nullptr),
        patch_(owned_patch_.get()),
        near_runs_{&window_},
        far_(FarField<Real>::applies(problem, options_, level_)
                 ? std::make_unique<FarField<Real>>(problem, options_, level_.threads, rest_K<Real>(options_),
                                                    std::max(schedule_.end_s(), 1.0))
                 : nullptr),
        dose_(problem, unless_cancelled(progress, level_)),
        drive_(unless_cancelled(progress, problem), patch_ != nullptr ? &patch_->problem : nullptr,
               patch_ != nullptr ? patch_->link.covered() : std::vector<std::uint8_t>{}, level_.threads,
               bool(checkpointing.save)),
        points_(unless_cancelled(progress, problem)),
        sensors_(problem.sensors, problem.initial_degC) {
    if (far_ != nullptr) {
      level_.can_rest = false;
      level_.rows.unit = 1;  // what is beside the near box is not at rest
    }
    if (patch_ == nullptr) return;
    near_runs_.push_back(&patch_->run);
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
    while ((next_ < events_.size() || electrodes_due_) && !settled_ && going_on()) {
      if (!electrodes_due_) {
        if (!advance()) break;
        if (!in_turn()) pass_events();
        electrodes_due_ = true;
      }
      if (!update_electrodes() || has_charred()) break;
      electrodes_due_ = false;
      if (!in_turn()) coarsen();
      settled_ = problem_.until_dose_settled && !in_turn() && is_settled();
      if (seconds_since(saved_) >= checkpointing_.period_s) save();
    }
    const bool took_long = seconds_since(begin_) >= checkpointing_.period_s;
    const bool cancelled = result_.summary.termination == Termination::cancelled;
    if (now_s() > 0 && (cancelled || (going_on() && took_long))) save();
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
  static BioheatOptions for_problem(BioheatOptions options, const ThermalProblem& problem) {
    options.fourth_order = options.fourth_order && !problem.voxel_applicators && !problem.patch;
    options.coarse_far_field = options.coarse_far_field && !options.fourth_order;
    return options;
  }
  double now_s() const { return window_.t_s; }
  /// Whether the far field has yet to follow.
  bool in_turn() const { return far_ != nullptr && far_->in_turn(); }

  /// Instants at which a step must end.
  std::vector<double> events() const {
    return schedule_.events(problem_.until_dose_settled ? kSettleMost_s : 0);
  }
  double next_event_s() const {
    const double stop_s = events_[next_];
    if (sensors_.any() && !schedule_.over(now_s()))
      return std::min(stop_s, now_s() + std::min(kSensorPeriod_s, *sensors_.period_s()));
    return schedule_.open_end(now_s()) != nullptr ? std::min(stop_s, now_s() + kSensorPeriod_s) : stop_s;
  }
  /// Where the window must stop at the latest.
  double window_stop_s() const {
    return far_ != nullptr && far_->in_turn() ? far_->turn_end_s : next_event_s();
  }
  double next_stop_s(double stop_s) const {
    const auto period = drive_.period_s(now_s());
    return period && now_s() + *period < stop_s - 1e-3 ? now_s() + *period : stop_s;
  }
  /// What is scheduled at the end of the step that has just been made.
  void pass_events() {
    if (now_s() >= events_[next_]) {
      points_.take(problem_, now_s(), result_.samples);
      ++next_;
      if (next_ < events_.size()) switch_sources();
    }
    sensors_.advance(now_s(), drive_.power_W(),
                     [&](const Eigen::Vector3d& at_mm) { return true_degC(at_mm); });
    if (end_early() || stopped_by_sensor()) {
      events_ = events();
      next_ = std::size_t(std::upper_bound(events_.begin(), events_.end(), now_s() + 1e-9) - events_.begin());
      switch_sources();
    }
  }
  /// Leaves out the rest of the present interval when its sensor says so.
  bool end_early() {
    const EarlyEnd* e = schedule_.open_end(now_s());
    if (e == nullptr) return false;
    const auto wall = near_bodies().wall_degC(e->sensor_mm);
    const double T = wall && !sensors_.reading_degC(e->sensor_mm) ? *wall : sensor_degC(e->sensor_mm);
    if (e->below_degC ? T >= *e->below_degC : T <= *e->above_degC) return false;
    result_.ended_early.push_back(schedule_.end(*e, now_s()));
    run_ahead();
    return true;
  }
  /// Ends all that is scheduled when a sensor says so.
  bool stopped_by_sensor() {
    const auto sensor = schedule_.over(now_s()) ? std::nullopt : sensors_.stop();
    if (!sensor) return false;
    sensors_.stopped(*sensor, now_s());
    schedule_.end_all(now_s());
    run_ahead();
    return true;
  }
  void run_ahead() {
    window_.bodies.run_ahead(schedule_.skipped_s());
    if (patch_ != nullptr) patch_->run.bodies.run_ahead(schedule_.skipped_s());
    if (far_ != nullptr) far_->run.bodies.run_ahead(schedule_.skipped_s());
  }

  bool going_on() const { return result_.summary.termination == Termination::reached_end; }

  void prepare() {
    events_ = events();
    switch_sources();
    update_electrodes();
    unless_cancelled(progress_, problem_);
    begin_J_ = stored();
    record_bodies();
    read_points();
    points_.take(problem_, now_s(), result_.samples);
    sensors_.advance(now_s(), drive_.power_W(),
                     [&](const Eigen::Vector3d& at_mm) { return true_degC(at_mm); });
  }

  /// Leaves out levels that are finer than the heat that is left, in runs that may have larger cells at all.
  void coarsen() {
    if (far_ == nullptr || far_->alone()) return;
    if (patch_ != nullptr) {
      // A front of ice in it stays a front of its cells: larger ones would count as frozen where it runs.
      if (!schedule_.over(now_s() - kSmoothAfter_s) || front_in_patch_) return;
      leave_patch();
    }
    if (schedule_.over(now_s() - kCoarseAfter_s) && highest_degC_ < kCoarseBelow_degC && !dose_.cell_death) {
      const double before_J = stored();
      far_->take_over(window_, dose_);
      regridded_J_ += stored() - before_J;
      points_.move_stencils();
    }
  }
  void leave_patch() {
    const double before_J = stored();
    patch_->hand_over(level_, dose_);
    forget_patch();
    regridded_J_ += stored() - before_J;
    window_.wall_in_J -= window_.bodies.switch_to(level_, &dose_, on_, now_s(), false);
    level_.heating = level_.source;
    window_.input.switch_to(level_, on_, options_.fourth_order);
    exclude_cells();
    set_heating(true, true);
  }
  /// From now on the window's cells under the patch are stepped.
  void forget_patch() {
    patch_ = nullptr;
    near_runs_.resize(1);
    level_.covered.clear();
  }

  void save() {
    if (!checkpointing_.save) return;
    checkpointing_.save([this](const Archive::Sink& to) {
      write_checkpoint(
          fingerprint(problem_, options_), [this](Archive& archive) { exchange_state(archive); }, to);
    });
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
    bool has_patch = patch_ != nullptr;
    archive(has_patch);
    if (!has_patch && patch_ != nullptr) forget_patch();
    archive(next_, on_, electrodes_due_, heating_due_, far_fields_due_, electrodes_s_, settled_, wall_time_s);
    archive(dose_, drive_, schedule_, points_, sensors_);
    window_.exchange_state(archive, on_);
    if (far_ != nullptr) far_->exchange_state(archive, window_, on_);
    if (owned_patch_ != nullptr) owned_patch_->exchange_state(archive, level_, on_);
    if (archive.reading() && patch_ != nullptr) window_.bodies.take_films(patch_->run.bodies, false);
    if (archive.reading()) {
      wall_time_s_ = wall_time_s;
      scaled_.switch_to(problem_, level_.grid, on_, options_.fourth_order);
      begun_ = true;
      exclude_cells();
    }
    ThermalResult& r = result_;
    archive(scaled_, r.summary.steps, r.samples, r.electrical, r.radiation, r.cryo, r.ended_early);
    archive(ever_taken_, begin_J_, regridded_J_, highest_degC_, lowest_degC_, total_cem43_, calm_since_s_,
            calm_cem43_);
  }

  double stored() const {
    return stored_J(level_) + (patch_ != nullptr ? stored_J(patch_->run.level) : 0.0) +
           (far_ != nullptr ? stored_J(far_->run.level) : 0.0);
  }
  /// The bodies as the finest cells see them.
  const HeatBodies<Real>& near_bodies() const {
    if (far_ != nullptr && far_->alone()) return far_->run.bodies;
    return patch_ != nullptr ? patch_->run.bodies : window_.bodies;
  }
  void record_bodies() {
    if (patch_ != nullptr) window_.bodies.take_films(patch_->run.bodies, false);
    near_bodies().record(now_s(), nullptr, &result_.cryo);
    if (far_ != nullptr && far_->alone()) return;
    window_.bodies.record(now_s(), &dose_, nullptr);
  }

  /// Works out the heating of the sources that act from now on.
  void switch_sources() {
    std::vector<bool> on(problem_.sources.size());
    for (std::size_t n = 0; n < on.size(); ++n) on[n] = schedule_.is_on(n, now_s());
    if (on == on_ && begun_) return;
    const bool first = !begun_;
    begun_ = true;
    on_ = on;
    window_.wall_in_J -= window_.bodies.switch_to(level_, &dose_, on_, now_s(), first);
    drive_.switch_to(on_);
    window_.input.switch_to(level_, on_, options_.fourth_order);
    if (far_ != nullptr) far_->switch_to(window_, on_, first);
    if (patch_ != nullptr) patch_->run.wall_in_J -= patch_->switch_to(level_, on_, first);
    scaled_.switch_to(problem_, level_.grid, on_, options_.fourth_order);
    if (options_.fourth_order)
      level_.correctable = correctable_faces(problem_.tissue_map.labels, window_.bodies.links(),
                                             problem_.tissue_map.factors.conductivity);
    exclude_cells();
    if (ever_taken_.empty()) ever_taken_ = level_.hole;
    for (std::size_t c = 0; c < level_.hole.size(); ++c) ever_taken_[c] |= level_.hole[c];
    window_.control.restart();
    heating_due_ = true;
  }
  void exclude_cells() {
    excluded_ = level_.hole;
    for (const BodyLinks::Ghost& g : window_.bodies.links().ghosts) excluded_[g.taken] = 0;
    points_.move_stencils();
  }

  /// Potential and power of the electrodes that act, and the heating where that has changed. False when the
  /// run is over; one that was cancelled here goes on here.
  bool update_electrodes() {
    const bool switched = heating_due_;
    bool new_fields = switched;
    if (drive_.acting() && (switched || now_s() > electrodes_s_)) {
      const bool solved = drive_.update_fields(
          now_s(),
          [&](std::size_t part, std::size_t c, double added) {
            return float(expected_degC(part == 0 ? level_ : patch_->run.level, c, added));
          },
          [&](std::size_t part, std::size_t c) { return arrhenius_of(part, c); }, progress_);
      if (const auto& failure = drive_.failure())
        return stop(failure->termination == Termination::cancelled ? Termination::cancelled
                                                                   : Termination::not_converged,
                    fmt::format("after {:.1f} s, {}", now_s(), failure->message));
      const double power_W = drive_.power_W();
      const bool powered =
          drive_.update_power(now_s(), [&](const Eigen::Vector3d& at_mm) { return sensor_degC(at_mm); });
      // Whoever has rested long begins small again.
      if (drive_.power_W() > 2 * power_W) window_.control.restart();
      drive_.record(now_s(), result_);
      electrodes_s_ = now_s();
      heating_due_ = heating_due_ || solved || powered;
      new_fields = new_fields || solved;
    }
    if (heating_due_) set_heating(new_fields, switched);
    heating_due_ = false;
    far_fields_due_ = far_fields_due_ || new_fields;
    return true;
  }

  /// Damage of a cell, in the patch that of the window's cell around it; NaN: its tissue has no law.
  float arrhenius_of(std::size_t part, std::size_t c) const {
    const std::vector<float>& window = dose_.arrhenius;
    if (window.empty()) return std::nanf("");
    if (part == 0) return window[c];
    return patch_->dose.arrhenius[patch_->link.under_of(c)];
  }
  /// Temperature [degC] of a cell at the end of the next step, when `added` [W/m3] is added to its heating:
  /// it goes to its new balance with its neighbours exponentially, as if they stayed as they are.
  double expected_degC(const HeatLevel<Real>& level, std::size_t c, double added_W_per_m3) const {
    const Eigen::Vector3d h_m = level.grid.spacing_mm * 1e-3;
    const double per_s = 2 * h_m.cwiseProduct(h_m).cwiseInverse().sum() * double(level.inverse_capacity[c]) /
                         double(level.resistivity[c]);
    // Where the far field is stepped instead, the rates here mean nothing.
    const bool stepped = far_ == nullptr || &level != &level_ || level.rows.holds(c);
    const double rate =
        (stepped ? double(level.rate[c]) : 0.0) + added_W_per_m3 * double(level.inverse_capacity[c]);
    // dt (1 - exp(-x))/x within 3 %.
    const double dt_s = window_.control.next_s(), x = per_s * dt_s;
    const double share = x < 3 ? 1 / (1 + x / 2 + x * x / 12) : 0.95 / x;
    const double u = double(level.y[std::size_t(level.now)][c]) + rate * dt_s * share;
    return double(theta_of_u(level.table, level.label[c], Real(u))) + kReference_degC;
  }

  /// What a control at this place goes by.
  double sensor_degC(const Eigen::Vector3d& at_mm) const {
    const auto reading = sensors_.reading_degC(at_mm);
    return reading ? *reading : true_degC(at_mm);
  }
  double true_degC(const Eigen::Vector3d& at_mm) const {
    // In the metal: what the tissue around it has.
    const HeatLevel<Real>& level = finest_at(at_mm);
    const PointStencil stencil = stencil_at(at_mm);
    return stencil(level.theta_now()) + kReference_degC;
  }
  /// The patch where it holds the point and one cell around it, else the window.
  const HeatLevel<Real>& finest_at(const Eigen::Vector3d& x_mm) const {
    if (far_ != nullptr && far_->alone()) return far_->run.level;
    if (patch_ == nullptr) return level_;
    const HeatLevel<Real>& fine = patch_->run.level;
    const Eigen::Vector3d at = fine.grid.to_index(x_mm);
    for (Eigen::Index a = 0; a < 3; ++a)
      if (at[a] < 1.5 || at[a] > fine.grid.size[std::size_t(a)] - 2.5) return level_;
    return fine;
  }
  PointStencil stencil_at(const Eigen::Vector3d& x_mm) const {
    const HeatLevel<Real>& level = finest_at(x_mm);
    const ThermalProblem* of_level = &problem_;
    if (patch_ != nullptr && &level == &patch_->run.level) of_level = &patch_->problem;
    if (far_ != nullptr && &level == &far_->run.level) of_level = &far_->problem;
    return make_stencil(
        of_level->tissue_map.labels, &level == &level_ ? excluded_ : level.hole,
        [&](std::size_t c) { return 1 / double(level.resistivity[c]); }, x_mm);
  }

  /// Heating of window and patch. `new_rates`: not only the heating is another than at the last sweep.
  void set_heating(bool new_fields, bool new_rates) {
    const RowStretches before = level_.rows.stretches();
    std::array<int, 3> low{}, high{};
    if (level_.can_rest && window_.bodies.surroundings(level_.grid, low, high))
      include_box(level_.rows, low, high);
    if (level_.can_rest && patch_ != nullptr) {
      const PatchBox box = patch_box(level_.grid, problem_.patch->labels.grid);
      for (std::size_t a = 0; a < 3; ++a) {
        low[a] = box.low[a] - 2;
        high[a] = box.high[a] + 2;
      }
      include_box(level_.rows, low, high);
    }
    if (level_.can_rest && !scaled_.empty()) include_box(level_.rows, {0, 0, 0}, level_.grid.size);
    window_.heating_W =
        window_.input.apply(level_, drive_.heating(0), window_.bodies.links().ghosts, new_fields);
    if (patch_ != nullptr) {
      LevelRun<Real>& fine = patch_->run;
      fine.heating_W =
          fine.input.apply(fine.level, drive_.heating(1), fine.bodies.links().ghosts, new_fields);
    }
    scaled_.begin(level_);
    const bool grown = level_.can_rest && level_.rows != before;
    if (grown) dose_.join(level_, level_.rows, before, window_.t_s);
    if (!new_rates && !grown) return;
    if (!level_.correctable.empty()) level_.heating = level_.source;
    LevelRun<Real>::refresh_rates(near_runs_);
  }

  bool none() const override { return far_ == nullptr && patch_ == nullptr; }
  void begin_step(double t_s, double dt_s, double present_s) override {
    scaled_.set_step(level_, t_s, dt_s);
    if (far_ != nullptr) far_->begin_step(present_s);
  }
  void set(double t_s, std::vector<Real>& u, bool arrays) override {
    if (far_ != nullptr) far_->set(level_, t_s, u, arrays);
    if (patch_ != nullptr) patch_->see(level_, u);
  }
  void weigh(double weight_s) override {
    if (far_ != nullptr) far_->weigh(weight_s);
  }
  void keep() override {
    if (far_ != nullptr) far_->keep();
  }

  /// End of a turn that begins now and lasts `longest_s` at most, the run's own steps at most.
  double turn_end_s(StepControl& control, const LevelRun<Real>& run, double longest_s, double stop_s) const {
    const double dt = std::min(control.propose(run.t_s, stop_s, run.findings.stiffness_per_s), longest_s);
    return dt < (stop_s - run.t_s) * (1 - 1e-9) ? run.t_s + dt : stop_s;
  }

  /// One accepted step of one of the levels; false when the run is over.
  bool advance() {
    if (far_ != nullptr && !in_turn()) {
      // Whole steps of the window.
      double longest_s = far_->longest_turn_s(level_);
      const double step_s = window_.control.next_s();
      if (step_s < longest_s) longest_s = std::floor(longest_s / step_s) * step_s;
      far_->begin_turn(turn_end_s(far_->run.control, far_->run, longest_s, next_event_s()));
    }
    const double stop_s = window_stop_s();
    if (far_ != nullptr && far_->alone()) window_.t_s = stop_s;
    return far_ != nullptr && window_.t_s == stop_s ? follow_far() : step_near(next_stop_s(stop_s));
  }

  bool accepted(const typename LevelRun<Real>::Step& step) {
    using Outcome = typename LevelRun<Real>::Outcome;
    if (step.outcome == Outcome::cancelled)
      return stop(Termination::cancelled, fmt::format("cancelled after {:.1f} s", now_s()));
    if (step.outcome == Outcome::diverged)
      return stop(Termination::diverged,
                  fmt::format("diverged in step {} after {:.3f} s, {}", result_.summary.steps + 1,
                              step.where->t_s, name_of(step.where->findings.worst_cell, step.where->level)));
    ++result_.summary.steps;
    return true;
  }
  /// While electrodes act their power follows the temperature.
  double change_counts() const { return drive_.acting() ? 2 : 1; }

  /// The far field up to where the window is.
  bool follow_far() {
    const auto step = far_->follow(level_, drive_.heating(0), far_fields_due_, progress_);
    if (!accepted(step)) return false;
    far_fields_due_ = false;
    if (far_->alone()) end_far_step(step.dt_s);
    if (far_->in_turn()) return true;
    if (far_->grow(window_, dose_)) set_heating(false, true);
    if (drive_.acting()) far_->show(level_);
    return true;
  }

  /// A step of the far cells that stand for all.
  void end_far_step(double dt_s) {
    const auto& d = far_->last_dose;
    highest_degC_ = d.highest_degC;
    lowest_degC_ = d.lowest_degC;
    total_cem43_ += std::pow(2, 3) * d.added_cem43_min;
    points_.advance(problem_, dt_s, level_.table.has_phases, [&] { read_points(); });
    far_->run.bodies.see_films(far_->run.level);
    if (!far_->in_turn()) record_bodies();
    report();
  }

  /// Window and patch.
  bool step_near(double stop_s) {
    if (patch_ != nullptr) {
      patch_->begin_step();
      patch_->link.clear_rates(level_.rate);
    }
    const auto step = LevelRun<Real>::step(near_runs_, stop_s, change_counts(), progress_);
    if (!accepted(step)) return false;
    if (far_ != nullptr) far_->count(drive_.heating(0), step.dt_s);
    auto d = dose_.add_step(level_, window_.state_before(), window_.rate_before(), step.dt_s, window_.t_s);
    bool changed = false;
    if (patch_ != nullptr) {
      const auto fine = patch_->end_step(step.dt_s);
      d.highest_degC = std::max(d.highest_degC, fine.highest_degC);
      d.lowest_degC = std::min(d.lowest_degC, fine.lowest_degC);
      d.added_cem43_min += fine.added_cem43_min;
      changed = patch_->run.steam.changed();
      front_in_patch_ = fine.lowest_degC < 0 && fine.highest_degC > 0;
      patch_->link.hand_up(patch_->under, level_);
    }
    points_.advance(problem_, step.dt_s, level_.table.has_phases, [&] { read_points(); });
    highest_degC_ = d.highest_degC;
    lowest_degC_ = d.lowest_degC;
    total_cem43_ += d.added_cem43_min;
    window_.source_J += scaled_.power_W() * step.dt_s;
    window_.flows.blood_W += d.blood_change_W;
    window_.restore_rest();
    record_bodies();
    window_.boundary_out_J += window_.steam.follow(level_, d.highest_degC - kReference_degC);
    changed = changed || window_.steam.changed();
    if (changed)
      LevelRun<Real>::refresh_rates(near_runs_);
    else
      for (LevelRun<Real>* r : near_runs_) r->correct();
    grow();
    report();
    return true;
  }

  void grow() {
    const RowStretches before = level_.rows.stretches();
    if (!window_.grow_rows(kMargin_cells)) return;
    dose_.join(level_, level_.rows, before, window_.t_s);
    set_heating(false, true);
  }

  void report() {
    if (!progress_.report) return;
    const double end_s = std::max(schedule_.end_s(), problem_.until_dose_settled ? now_s() : 0.0);
    const int whole = int(now_s());
    if (whole == reported_s_) return;
    reported_s_ = whole;
    progress_(std::min(1.0, now_s() / std::max(end_s, 1e-9)), fmt::format("{} of {:.0f} s", whole, end_s));
  }

  bool stop(Termination why, std::string message) {
    result_.summary.termination = why;
    result_.summary.message = std::move(message);
    return false;
  }

  bool has_charred() {
    if (!drive_.acting() || highest_degC_ <= kCharred_degC) return false;
    return !stop(
        Termination::diverged,
        fmt::format(
            "tissue beside an applicator chars after {:.1f} s ({}): such heat is no part of "
            "the model; lower the power, or with current let a rising resistance switch it off (roll_off)",
            now_s(), hottest()));
  }
  std::string hottest() const {
    const HeatLevel<Real>& level = far_ != nullptr && far_->alone() ? far_->run.level : level_;
    const Real* theta = level.theta_now();
    std::size_t c = 0;
    for (std::size_t n = 0; n < level.grid.count(); ++n)
      if (!level.is_hole(n) && (level.is_hole(c) || theta[n] > theta[c])) c = n;
    return fmt::format("{:.0f} degC, {}", double(theta[c]) + kReference_degC, name_of(c, level));
  }
  std::string name_of(std::size_t cell, const HeatLevel<Real>& level) const {
    const auto nx = std::size_t(level.grid.size[0]), ny = std::size_t(level.grid.size[1]);
    const char* where = patch_ != nullptr && &level == &patch_->run.level ? " of the patch"
                        : far_ != nullptr && &level == &far_->run.level   ? " of the far field"
                                                                          : "";
    return fmt::format("cell ({}, {}, {}){}, tissue '{}'", cell % nx, cell / nx % ny, cell / (nx * ny), where,
                       problem_.tissue_map.tissues[level.label[cell]].name);
  }

  bool is_settled() {
    const double t_s = now_s();
    if (t_s < schedule_.end_s() + kSettleLeast_s) return false;
    const bool calm = highest_degC_ < 39 && lowest_degC_ > 0 && t_s >= last_sample_s();
    if (!calm) return false;
    // A full minute in which the sum of all doses grows by less than 0.1 %.
    if (calm_since_s_ < 0) {
      calm_since_s_ = t_s;
      calm_cem43_ = total_cem43_;
    }
    if (below_39_counts() && t_s - calm_since_s_ < 60) return false;
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

  std::vector<const LevelRun<Real>*> runs() const {
    std::vector<const LevelRun<Real>*> all = {&window_};
    if (owned_patch_ != nullptr) all.push_back(&owned_patch_->run);
    if (far_ != nullptr) all.push_back(&far_->run);
    return all;
  }

  void finish() {
    ThermalResult& r = result_;
    r.summary.simulated_s = now_s();
    r.summary.field_solves = drive_.solves();
    for (const LevelRun<Real>* run : runs()) {
      r.summary.stages += run->stages;
      r.summary.cell_updates += run->cell_updates;
    }
    if (going_on())
      r.summary.message = fmt::format("{:.1f} s in {} steps, {} stages, {} field solves", now_s(),
                                      r.summary.steps, r.summary.stages, r.summary.field_solves);
    // Never a picture of what diverged; and whoever cancels does not wait for one.
    if (r.summary.termination == Termination::diverged || r.summary.termination == Termination::cancelled)
      return;
    dose_.finish(level_, now_s());
    if (far_ != nullptr) far_->finish(level_, dose_);
    if (far_ != nullptr && far_->alone()) window_.bodies.take_films(far_->run.bodies, true);
    if (patch_ != nullptr) dose_.take(patch_->dose, patch_->link.under(), level_.hole);
    window_.bodies.fill_holes(level_);
    double wall_in_J = 0;
    for (const LevelRun<Real>* run : runs()) {
      r.energy.in_J += run->source_J;
      r.energy.out_J += run->blood_out_J + run->boundary_out_J;
      wall_in_J += run->wall_in_J;
    }
    r.energy.in_J += std::max(wall_in_J, 0.0) + std::max(regridded_J_, 0.0);
    r.energy.out_J -= std::min(wall_in_J, 0.0) + std::min(regridded_J_, 0.0);
    r.energy.regridded_J = regridded_J_;
    r.energy.stored_J = stored() - begin_J_;
    const double largest =
        std::max({std::abs(r.energy.in_J), std::abs(r.energy.stored_J), std::abs(r.energy.out_J)});
    if (largest > 0)
      r.energy.relative_residual = std::abs(r.energy.in_J - r.energy.stored_J - r.energy.out_J) / largest;
    r.zones = result_zones(level_.grid, dose_.peak, dose_.lowest, dose_.cem43, dose_.arrhenius, ever_taken_,
                           level_.threads);
    set_fields(problem_.fields, level_, dose_, drive_, r);
    r.sensors = sensors_.history();
  }

  const ThermalProblem& problem_;
  BioheatOptions options_;
  const Progress& progress_;
  const Checkpointing& checkpointing_;
  Schedule schedule_;
  LevelRun<Real> window_;
  HeatLevel<Real>& level_;  ///< of the window
  std::unique_ptr<PatchRun<Real>> owned_patch_;
  PatchRun<Real>* patch_;                   ///< null: none, or not needed any more
  std::vector<LevelRun<Real>*> near_runs_;  ///< stepped together: the window, and the patch in it
  std::unique_ptr<FarField<Real>> far_;     ///< null: none
  DoseField<Real> dose_;
  PowerDrives drive_;
  ScaledHeating<Real> scaled_;
  ThermalResult result_;
  std::vector<double> events_;
  std::size_t next_ = 0;  ///< event
  std::vector<bool> on_;
  bool begun_ = false, settled_ = false;
  bool electrodes_due_ = false, heating_due_ = false;  ///< to be worked out before the next step
  bool front_in_patch_ = false;                        ///< of ice, at the last step
  bool far_fields_due_ = false;                        ///< other fields than at its last turn
  double electrodes_s_ = -1;                           ///< when they were last looked at
  SamplePoints<Real> points_;
  SensorReadings sensors_;
  std::vector<std::uint8_t> excluded_;    ///< cells without a value of their own or continued into them
  std::vector<std::uint8_t> ever_taken_;  ///< cells that were inside an applicator at some time; empty: none
  double begin_J_ = 0, regridded_J_ = 0;
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
  try {
    return options.double_precision ? HeatRun<double>(problem, options, progress, checkpointing).run()
                                    : HeatRun<float>(problem, options, progress, checkpointing).run();
  } catch (const CancelledInSetUp&) {
    ThermalResult none;
    none.summary.termination = Termination::cancelled;
    none.summary.message = "cancelled before the first step";
    return none;
  }
}

}  // namespace spinetherm
