// SPDX-License-Identifier: Apache-2.0
#include "thermal/bioheat_solver.h"

#include <fmt/format.h>
#include <omp.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "imaging/core/error.h"
#include "thermal/dose_field.h"
#include "thermal/electrode_drive.h"
#include "thermal/heat_bodies.h"
#include "thermal/heat_input.h"
#include "thermal/heat_level.h"
#include "thermal/interpolation.h"
#include "thermal/iso_zone.h"
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
/// Heating that warms a cell by less than this over the whole run, were it alone, may be left out where
/// nothing else happens: the far field of electrodes fills the box.
template <class Real>
constexpr double kUnheated_K = sizeof(Real) == sizeof(double) ? 1e-8 : 1e-3;
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

double peak_memory_MB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

/// A point of the sampling list with the dose it has gathered itself: between cell centres the dose of the
/// interpolated temperature is not the interpolated dose.
struct SamplePoint {
  Eigen::Vector3d at_mm;
  std::uint8_t label = 0;
  PointStencil stencil;
  double T_degC = 0, rate_K_per_s = 0, cem43 = 0, arrhenius = 0;
};

template <class Real>
class HeatRun {
 public:
  HeatRun(const ThermalProblem& problem, const BioheatOptions& options, const Progress& progress)
      : problem_(problem),
        options_(options),
        progress_(progress),
        level_(make_level<Real>(problem, options.threads > 0 ? options.threads : omp_get_max_threads())),
        dose_(problem, level_),
        steam_(level_),
        bodies_(problem),
        drive_(problem, level_.threads),
        schedule_(problem),
        input_(problem, kUnheated_K<Real>, std::max(schedule_.end_s(), 1.0)),
        control_(options) {}

  ThermalResult run() {
    const auto begin = std::chrono::steady_clock::now();
    result_.summary.termination = Termination::reached_end;
    result_.summary.message = "";
    prepare();
    std::vector<double> events = this->events();
    take_samples();
    std::size_t next = 0;
    while (next < events.size() && going_on()) {
      double stop_s = events[next];
      if (const auto period = drive_.period_s(); period && t_s_ + *period < stop_s - 1e-3)
        stop_s = t_s_ + *period;
      if (schedule_.open_end(t_s_) != nullptr) stop_s = std::min(stop_s, t_s_ + kSensorPeriod_s);
      if (!step_towards(stop_s)) break;
      if (t_s_ >= events[next]) {
        take_samples();
        ++next;
        if (next < events.size()) switch_sources();
      }
      if (end_early()) {
        events = this->events();
        next = std::size_t(std::upper_bound(events.begin(), events.end(), t_s_ + 1e-9) - events.begin());
        switch_sources();
      }
      update_electrodes();
      if (drive_.acting() && highest_degC_ > kCharred_degC) {
        stop(Termination::diverged,
             fmt::format("tissue beside an electrode chars after {:.1f} s ({}): such heat is no part of the "
                         "model; lower the power or let a rising resistance switch it off (roll_off)",
                         t_s_, hottest()));
        break;
      }
      if (problem_.until_dose_settled && is_settled()) break;
    }
    if (next == events.size() && problem_.until_dose_settled && going_on()) {
      result_.summary.termination = Termination::not_converged;
      result_.summary.message =
          fmt::format("the dose had not settled {:.0f} s after the last source; the hottest tissue: {}",
                      kSettleMost_s, hottest());
    }
    finish();
    result_.summary.wall_time_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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
  /// Leaves out the rest of the present interval when its sensor says so.
  bool end_early() {
    const EarlyEnd* e = schedule_.open_end(t_s_);
    if (e == nullptr) return false;
    const auto wall = bodies_.wall_degC(e->sensor_mm);
    const double T = wall ? *wall : stencil_at(e->sensor_mm)(level_.theta_now()) + kReference_degC;
    if (e->below_degC ? T >= *e->below_degC : T <= *e->above_degC) return false;
    result_.ended_early.push_back(schedule_.end(*e, t_s_));
    bodies_.run_ahead(schedule_.skipped_s());
    return true;
  }

  bool going_on() const { return result_.summary.termination == Termination::reached_end; }

  void prepare() {
    for (const Eigen::Vector3d& x : problem_.sample.points_mm) {
      SamplePoint p;
      p.at_mm = x;
      p.label = sample_nearest(problem_.tissue_map.labels, x).value_or(0);
      points_.push_back(p);
    }
    switch_sources();
    begin_J_ = stored_J(level_);
    bodies_.record(t_s_, dose_, result_.cryo);
    read_points();
  }

  bool fourth_order() const { return options_.fourth_order && !problem_.voxel_applicators; }

  /// Works out the heating of the sources that act from now on.
  void switch_sources() {
    std::vector<bool> on(problem_.sources.size());
    for (std::size_t n = 0; n < on.size(); ++n) on[n] = schedule_.is_on(n, t_s_);
    if (on == on_ && begun_) return;
    const bool first = !begun_;
    begun_ = true;
    on_ = on;
    wall_in_J_ -= bodies_.switch_to(level_, dose_, on_, t_s_, first);
    drive_.switch_to(on_);
    input_.switch_to(level_, on_, fourth_order());
    scaled_.switch_to(problem_, level_.grid, on_, fourth_order());
    if (fourth_order())
      level_.correctable = correctable_faces(problem_.tissue_map.labels, bodies_.links(),
                                             problem_.tissue_map.factors.conductivity);
    excluded_ = level_.hole;
    if (ever_taken_.empty()) ever_taken_ = level_.hole;
    for (std::size_t c = 0; c < level_.hole.size(); ++c) ever_taken_[c] |= level_.hole[c];
    for (const BodyLinks::Ghost& g : bodies_.links().ghosts) excluded_[g.taken] = 0;
    for (SamplePoint& p : points_) p.stencil = {};
    control_.restart();
    if (!update_electrodes()) set_heating(true);
  }

  /// Potential and power of the electrodes that act; true when the heating has been set anew.
  bool update_electrodes() {
    if (!drive_.acting()) return false;
    const bool solved = drive_.update_fields(
        t_s_, [&](std::size_t c, double added) { return float(expected_degC(c, added)); }, progress_);
    if (solved && !drive_.summary().usable()) {
      const Termination why = drive_.summary().termination;
      stop(why == Termination::cancelled ? why : Termination::not_converged,
           fmt::format("electric field after {:.1f} s: {}", t_s_, drive_.summary().message));
    }
    const bool powered =
        drive_.update_power(t_s_, [&](const Eigen::Vector3d& at_mm) { return sensor_degC(at_mm); });
    if (!result_.electrical) result_.electrical.emplace();
    drive_.record(t_s_, *result_.electrical);
    if (solved || powered) set_heating(solved);
    return solved || powered;
  }

  /// Temperature [degC] of a cell at the end of the next step, when `added` [W/m3] is added to its heating:
  /// it goes to its new balance with its neighbours exponentially, as if they stayed as they are.
  double expected_degC(std::size_t c, double added_W_per_m3) const {
    const Eigen::Vector3d h_m = level_.grid.spacing_mm * 1e-3;
    const double per_s = 2 * h_m.cwiseProduct(h_m).cwiseInverse().sum() * double(level_.inverse_capacity[c]) /
                         double(level_.resistivity[c]);
    const double rate = double(level_.rate[c]) + added_W_per_m3 * double(level_.inverse_capacity[c]);
    const double u =
        double(level_.y[std::size_t(level_.now)][c]) - rate * std::expm1(-per_s * control_.next_s()) / per_s;
    return double(theta_of_u(level_.table, level_.label[c], Real(u))) + kReference_degC;
  }

  double sensor_degC(const Eigen::Vector3d& at_mm) const {
    // In the metal: what the tissue around it has.
    return stencil_at(at_mm)(level_.theta_now()) + kReference_degC;
  }
  PointStencil stencil_at(const Eigen::Vector3d& x_mm) const {
    return make_stencil(
        problem_.tissue_map.labels, excluded_,
        [&](std::size_t c) { return 1 / double(level_.resistivity[c]); }, x_mm);
  }

  void set_heating(bool new_fields) {
    const ActiveRows before = level_.rows;
    std::array<int, 3> low{}, high{};
    if (level_.can_rest && bodies_.surroundings(level_.grid, low, high)) include_box(level_.rows, low, high);
    if (level_.can_rest && !scaled_.empty()) include_box(level_.rows, {0, 0, 0}, level_.grid.size);
    heating_W_ = input_.apply(level_, drive_.heating(), bodies_.links().ghosts, new_fields);
    if (!level_.correctable.empty()) level_.heating = level_.source;
    scaled_.begin(level_);
    if (level_.can_rest && !(level_.rows == before)) dose_.join(level_, level_.rows, before, t_s_);
    refresh_rates();
  }

  void refresh_rates() {
    std::vector<Real>& state = level_.y[std::size_t(level_.now)];
    update_properties(level_, state);
    bodies_.set_walls(level_, t_s_, level_.y[std::size_t(level_.now)]);
    StepView<Real> step;
    step.y1 = state.data();
    step.rate0 = step.rate1 = level_.rate.data();
    add_phase_bounds(step);
    findings_ = sweep_rates(state, step);
    correct();
  }

  void correct() {
    bodies_.fill_ghosts(level_);
    corrected_out_W_ = correct_flows(level_);
  }

  void add_phase_bounds(StepView<Real>& step) const {
    if (!level_.table.has_phases) return;
    step.label = level_.label;
    step.steepest = level_.steepest.data();
    step.threshold = level_.steepest_below.data();
  }

  void count_stage() {
    ++result_.summary.stages;
    result_.summary.cell_updates += double(level_.rows.cells());
  }

  StepFindings sweep_rates(const std::vector<Real>& state, const StepView<Real>& step) {
    count_stage();
    flows_ = {};
    if (level_.rows.empty()) return {};
    const StepFindings f = run_rates(view_of(level_, state), step, level_.scratch.data(),
                                     level_.plane_findings.data(), level_.team());
    flows_ = last_flows(level_);
    return f;
  }

  /// One accepted macro-step that ends at `stop_s` at the latest; false when the run is over.
  bool step_towards(double stop_s) {
    const int old = level_.now;
    const LevelFlows flows_before = flows_;
    for (int attempt = 0;; ++attempt) {
      flows_ = flows_before;
      if (progress_.cancelled())
        return stop(Termination::cancelled, fmt::format("cancelled after {:.1f} s", t_s_));
      const double dt = control_.propose(t_s_, stop_s, findings_.stiffness_per_s);
      scaled_.set_step(level_, t_s_, dt);
      const int stages = rkl2_stages(dt * findings_.stiffness_per_s * 1.02);
      const Rkl2 scheme = make_rkl2(stages);
      Flows flows;
      const int last = run_stages(scheme, dt, flows);
      if (last < 0) return stop(Termination::cancelled, fmt::format("cancelled after {:.1f} s", t_s_));
      const int spare = 3 - old - last;
      const std::vector<Real>& end = level_.y[std::size_t(last)];
      update_properties(level_, end);
      bodies_.set_walls(level_, t_s_ + dt, end);
      if (bodies_.moving()) bodies_.fill_holes(level_);
      StepView<Real> step;
      step.y0 = level_.y[std::size_t(old)].data();
      step.y1 = level_.y[std::size_t(last)].data();
      step.rate0 = level_.rate.data();
      step.rate1 = level_.y[std::size_t(spare)].data();
      step.dt = Real(dt);
      step.relative = Real(kErrorGrowth_per_K);
      if (level_.table.has_phases) {
        step.cool = level_.table.calm_from + Real(kBesideIce_K);
        step.cool_weight = Real(kErrorBesideIce);
      }
      add_phase_bounds(step);
      const StepFindings f = sweep_rates(level_.y[std::size_t(last)], step);
      const double change_K = f.largest_change_K * (drive_.acting() ? 5 : 1);
      if (!control_.judge(dt, f.error_K, change_K, f.finite)) {
        restore_rest(last, spare);
        if (control_.next_s() < 1e-7 || attempt > 60) return stop_diverged(f.worst_cell);
        continue;
      }
      accept(old, last, spare, dt, t_s_ + dt >= stop_s ? stop_s : t_s_ + dt, f, flows);
      return true;
    }
  }

  /// Runs the stages from y[now]; returns the index of the result, -1 when cancelled.
  int run_stages(const Rkl2& scheme, double dt, Flows& flows) {
    const int old = level_.now;
    int previous = (old + 1) % 3, spare = (old + 2) % 3;
    const std::vector<Real>& y0 = level_.y[std::size_t(old)];
    flows.add(scheme.weight[0] * dt, flows_);
    const auto first = Real(scheme.mu_t[1] * dt);
    std::vector<Real>& y1 = level_.y[std::size_t(previous)];
#pragma omp parallel for num_threads(level_.team()) schedule(static)
    for (int k = level_.rows.low[2]; k < level_.rows.high[2]; ++k)
      for (int j = level_.rows.low[1]; j < level_.rows.high[1]; ++j) {
        const std::size_t row = level_.rows.row(j, k);
        const std::size_t from = level_.grid.index(level_.rows.begin[row], j, k);
        const std::size_t to = level_.grid.index(level_.rows.end[row], j, k);
        for (std::size_t c = from; c < to; ++c) y1[c] = y0[c] + first * level_.rate[c];
      }
    for (int j = 2; j <= scheme.stages; ++j) {
      if (progress_.cancelled()) return -1;
      count_stage();
      const std::vector<Real>& u = level_.y[std::size_t(previous)];
      bodies_.set_walls(level_, t_s_ + scheme.time[std::size_t(j) - 1] * dt, u);
      StageView<Real> stage;
      stage.y0 = y0.data();
      stage.y1 = u.data();
      stage.y2 = j == 2 ? y0.data() : level_.y[std::size_t(spare)].data();
      stage.rate0 = level_.rate.data();
      stage.out = level_.y[std::size_t(spare)].data();
      stage.mu = Real(scheme.mu[std::size_t(j)]);
      stage.nu = Real(scheme.nu[std::size_t(j)]);
      stage.mu_t_dt = Real(scheme.mu_t[std::size_t(j)] * dt);
      stage.gamma_t_dt = Real(scheme.gamma_t[std::size_t(j)] * dt);
      if (!level_.rows.empty()) {
        run_stage(view_of(level_, u), stage, level_.scratch.data(), level_.team());
        flows.add(scheme.weight[std::size_t(j) - 1] * dt, last_flows(level_));
      }
      std::swap(previous, spare);
    }
    return previous;
  }

  /// What a rejected step has left in the stages is finite again.
  void restore_rest(int a, int b) {
    level_.y[std::size_t(a)] = level_.y[std::size_t(level_.now)];
    level_.y[std::size_t(b)] = level_.y[std::size_t(level_.now)];
    update_properties(level_, level_.y[std::size_t(level_.now)]);
    bodies_.set_walls(level_, t_s_, level_.y[std::size_t(level_.now)]);
  }

  void accept(int old, int last, int spare, double dt, double t_end_s, const StepFindings& f,
              const Flows& flows) {
    std::swap(level_.rate, level_.y[std::size_t(spare)]);  // y[spare] now holds the old rate
    level_.now = last;
    t_s_ = t_end_s;
    findings_ = f;
    // State and rate have changed places: of cells at rest the new rate still holds the state.
    const bool outside_at_rest = level_.can_rest && level_.theta_rest != 0;
    if (outside_at_rest) fill_resting(level_, level_.rate, Real(0));
    const std::vector<Real>& rate0 = level_.y[std::size_t(spare)];
    const auto d = dose_.add_step(level_, level_.y[std::size_t(old)], rate0, dt, t_s_);
    advance_points(dt);
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
    bodies_.record(t_s_, dose_, result_.cryo);
    boundary_out_J_ += steam_.follow(level_);
    if (steam_.changed())
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
    return stop(Termination::diverged, fmt::format("diverged in step {} after {:.3f} s, {}",
                                                   result_.summary.steps + 1, t_s_, name_of(cell)));
  }

  std::string hottest() const {
    const Real* theta = level_.theta_now();
    std::size_t c = 0;
    for (std::size_t n = 0; n < level_.grid.count(); ++n)
      if (!level_.is_hole(n) && (level_.is_hole(c) || theta[n] > theta[c])) c = n;
    return fmt::format("{:.0f} degC, {}", double(theta[c]) + kReference_degC, name_of(c));
  }
  std::string name_of(std::size_t cell) const {
    const Grid& g = level_.grid;
    const auto nx = std::size_t(g.size[0]), ny = std::size_t(g.size[1]);
    return fmt::format("cell ({}, {}, {}), tissue '{}'", cell % nx, cell / nx % ny, cell / (nx * ny),
                       problem_.tissue_map.tissues[level_.label[cell]].name);
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
    const Real* theta = level_.theta_now();
    for (SamplePoint& p : points_) {
      if (p.stencil.cells.empty() || level_.table.varies_with_T) p.stencil = stencil_at(p.at_mm);
      p.T_degC = p.stencil(theta) + kReference_degC;
      p.rate_K_per_s = p.stencil(level_.rate.data());
      if (const auto wall = bodies_.wall_degC(p.at_mm)) {
        p.T_degC = *wall;
        p.rate_K_per_s = 0;
      }
    }
  }

  void advance_points(double dt) {
    const std::vector<SamplePoint> before = points_;
    read_points();
    const DoseBelow39 below = problem_.cem43_quarter_below_39 ? DoseBelow39::quarter : DoseBelow39::none;
    for (std::size_t n = 0; n < points_.size(); ++n) {
      SamplePoint& p = points_[n];
      const SamplePoint& b = before[n];
      const TemperatureStep s = level_.table.has_phases
                                    ? straight_step(b.T_degC, p.T_degC, dt)
                                    : TemperatureStep{b.T_degC, p.T_degC, b.rate_K_per_s, p.rate_K_per_s, dt};
      p.cem43 = std::min(p.cem43 + cem43_min(s, below), kCem43Cap_min);
      if (const auto& law = problem_.tissue_map.tissues[p.label].damage)
        p.arrhenius = std::min(p.arrhenius + arrhenius(*law, s), kArrheniusCap);
    }
  }

  void take_samples() {
    for (const double t : problem_.sample.times_s) {
      if (std::abs(t - t_s_) > 1e-6) continue;
      for (const SamplePoint& p : points_) {
        Sample s{p.at_mm, t, p.T_degC, p.cem43, std::nullopt};
        if (problem_.tissue_map.tissues[p.label].damage) s.arrhenius = p.arrhenius;
        result_.samples.push_back(s);
      }
      break;
    }
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
    r.energy.stored_J = stored_J(level_) - begin_J_;
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
  HeatLevel<Real> level_;
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
  std::vector<bool> on_;
  bool begun_ = false;
  std::vector<SamplePoint> points_;
  std::vector<std::uint8_t> excluded_;    ///< cells without a value of their own or continued into them
  std::vector<std::uint8_t> ever_taken_;  ///< cells that were inside an applicator at some time; empty: none
  StepFindings findings_;
  double heating_W_ = 0, corrected_out_W_ = 0;
  LevelFlows flows_;  ///< at the present state
  double begin_J_ = 0, source_J_ = 0, perfusion_out_J_ = 0, boundary_out_J_ = 0, wall_in_J_ = 0;
  double highest_degC_ = 37, lowest_degC_ = 37, total_cem43_ = 0, calm_since_s_ = -1, calm_cem43_ = 0;
  int reported_s_ = -1;
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

ThermalResult solve(const ThermalProblem& problem, const BioheatOptions& options, const Progress& progress) {
  options.validate();
  validate(problem);
  return options.double_precision ? HeatRun<double>(problem, options, progress).run()
                                  : HeatRun<float>(problem, options, progress).run();
}

}  // namespace spinetherm
