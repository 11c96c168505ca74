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
#include "thermal/heat_level.h"
#include "thermal/heat_source.h"
#include "thermal/interpolation.h"
#include "thermal/iso_zone.h"
#include "thermal/stencil_correction.h"
#include "thermal/step_control.h"

namespace spinetherm {
namespace {

/// A cell counts as at rest below this departure from it; what leaks through the window's edge is smaller
/// than the round-off of float over a run.
constexpr double kRest_K = 1e-6;
/// Until-settled runs: shortest time after the last source, and the end of all patience.
constexpr double kSettleLeast_s = 60, kSettleMost_s = 4 * 3600;

double last_switch_off_s(const ThermalProblem& problem) {
  double last = problem.duration_s;
  if (problem.duration_s > 0) return last;
  for (const Source& s : problem.sources)
    for (const auto& interval : s.active_s)
      if (std::isfinite(interval[1])) last = std::max(last, interval[1]);
  return last;
}

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
        bodies_(problem),
        drive_(problem, level_.threads),
        control_(options),
        heat_end_s_(last_switch_off_s(problem)) {}

  ThermalResult run() {
    const auto begin = std::chrono::steady_clock::now();
    result_.summary.termination = Termination::reached_end;
    result_.summary.message = "";
    prepare();
    double end_s = heat_end_s_;
    for (const double t : problem_.sample.times_s) end_s = std::max(end_s, t);
    if (problem_.until_dose_settled) end_s += kSettleMost_s;
    const std::vector<double> events = step_events(problem_, end_s);
    take_samples();
    std::size_t next = 0;
    while (next < events.size() && going_on()) {
      double stop_s = events[next];
      if (const auto period = drive_.period_s(); period && t_s_ + *period < stop_s - 1e-3)
        stop_s = t_s_ + *period;
      if (!step_towards(stop_s)) break;
      if (t_s_ >= events[next]) {
        take_samples();
        ++next;
        if (next < events.size()) switch_sources();
      }
      update_electrodes();
      if (problem_.until_dose_settled && is_settled()) break;
    }
    if (next == events.size() && problem_.until_dose_settled && going_on()) {
      result_.summary.termination = Termination::not_converged;
      result_.summary.message =
          fmt::format("the dose had not settled {:.0f} s after the last source", kSettleMost_s);
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
  };

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
    read_points();
  }

  bool fourth_order() const { return options_.fourth_order && !problem_.voxel_applicators; }

  bool is_on(std::size_t n) const {
    // After the duration everything is off; active intervals end by themselves.
    if (problem_.duration_s > 0 && t_s_ >= problem_.duration_s) return false;
    return is_active(problem_.sources[n], t_s_);
  }

  /// Works out the heating of the sources that act from now on.
  void switch_sources() {
    std::vector<bool> on(problem_.sources.size());
    for (std::size_t n = 0; n < on.size(); ++n) on[n] = is_on(n);
    if (on == on_ && begun_) return;
    const bool first = !begun_;
    begun_ = true;
    on_ = on;
    wall_in_J_ -= bodies_.switch_to(level_, dose_, on_, t_s_, first);
    drive_.switch_to(on_);
    density_.clear();
    for (std::size_t n = 0; n < on_.size(); ++n)
      if (on_[n])
        std::visit(
            [&](const auto& source) {
              if constexpr (requires { add_power_density(level_.grid, source, true, density_); }) {
                density_.resize(level_.grid.count(), 0.0);
                add_power_density(level_.grid, source, fourth_order(), density_);
              }
            },
            problem_.sources[n].what);
    if (fourth_order())
      level_.correctable = correctable_faces(problem_.tissue_map.labels, bodies_.links(),
                                             problem_.tissue_map.factors.conductivity);
    excluded_ = level_.hole;
    if (ever_taken_.empty()) ever_taken_ = level_.hole;
    for (std::size_t c = 0; c < level_.hole.size(); ++c) ever_taken_[c] |= level_.hole[c];
    for (const BodyLinks::Ghost& g : bodies_.links().ghosts) excluded_[g.taken] = 0;
    for (SamplePoint& p : points_) p.stencil = {};
    control_.restart();
    if (!update_electrodes()) set_heating();
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
    if (solved || powered) set_heating();
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

  /// source = (q + q_m) / (rho c), and the window around it.
  void set_heating() {
    const Grid& grid = level_.grid;
    struct Plane {
      std::array<int, 3> low{1 << 30, 1 << 30, 1 << 30}, high{0, 0, 0};
      double power = 0;
    };
    std::vector<Plane> planes(std::size_t(grid.size[2]));
    const std::vector<ElectrodeDrive::Heating> electric = drive_.heating();
    const bool none = density_.empty();
#pragma omp parallel for num_threads(level_.threads) schedule(static)
    for (int k = 0; k < grid.size[2]; ++k) {
      Plane& plane = planes[std::size_t(k)];
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i) {
          const std::size_t c = grid.index(i, j, k);
          double q = 0;
          if (!level_.is_hole(c)) {
            q = (none ? 0 : density_[c]) + problem_.tissue_map.tissues[level_.label[c]].metabolic_W_per_m3;
            for (const auto& e : electric) q += e.scale * double(e.unit_W_per_m3[c]);
          }
          level_.source[c] = Real(q * double(level_.inverse_capacity[c]));
          if (q == 0) continue;
          plane.power += q;
          const std::array<int, 3> cell{i, j, k};
          for (std::size_t a = 0; a < 3; ++a) {
            plane.low[a] = std::min(plane.low[a], cell[a]);
            plane.high[a] = std::max(plane.high[a], cell[a] + 1);
          }
        }
    }
    Plane all;
    for (const Plane& p : planes) {
      all.power += p.power;
      for (std::size_t a = 0; a < 3; ++a) {
        all.low[a] = std::min(all.low[a], p.low[a]);
        all.high[a] = std::max(all.high[a], p.high[a]);
      }
    }
    heating_W_ = all.power * level_.cell_volume_m3() + heat_beside_walls(electric);
    if (!level_.correctable.empty()) level_.heating = level_.source;
    const auto low_before = level_.low, high_before = level_.high;
    if (all.high[0] > 0) include_in_window(level_, all.low, all.high);
    if (bodies_.window(grid, all.low, all.high)) include_in_window(level_, all.low, all.high);
    if (level_.can_rest) dose_.join(level_, low_before, high_before, t_s_);
    refresh_rates();
  }

  /// A held wall takes out cells that it nearly touches. Of the heat that electrodes make there, the part
  /// that the wall does not swallow at once goes to the neighbours: in the ratio of the local solutions.
  /// Returns its power [W].
  double heat_beside_walls(const std::vector<ElectrodeDrive::Heating>& electric) {
    if (electric.empty()) return 0;
    double power = 0;
    const auto& ghosts = bodies_.links().ghosts;
    for (std::size_t n = 0; n < ghosts.size();) {
      std::size_t end = n;
      while (end < ghosts.size() && ghosts[end].taken == ghosts[n].taken) ++end;
      double q = 0;
      for (const auto& e : electric) q += e.scale * double(e.unit_W_per_m3[ghosts[n].taken]);
      for (std::size_t m = n; m < end; ++m) {
        const double share = std::max(0.0, ghosts[m].ratio) * q / double(end - n);
        level_.source[ghosts[m].cell] += Real(share * double(level_.inverse_capacity[ghosts[m].cell]));
        power += share;
      }
      n = end;
    }
    return power * level_.cell_volume_m3();
  }

  void refresh_rates() {
    std::vector<Real>& state = level_.y[std::size_t(level_.now)];
    update_properties(level_, state);
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
    step.boils_from = level_.table.u_boil;
    step.boils_to = level_.boils_to.data();
  }

  StepFindings sweep_rates(const std::vector<Real>& state, const StepView<Real>& step) {
    ++result_.summary.stages;
    if (level_.window_empty()) return {};
    const StepFindings f = run_rates(view_of(level_, state), step, level_.scratch.data(),
                                     level_.plane_findings.data(), level_.team());
    blood_W_ = blood_inflow_W(level_);
    return f;
  }

  /// One accepted macro-step that ends at `stop_s` at the latest; false when the run is over.
  bool step_towards(double stop_s) {
    const int old = level_.now;
    const double blood_W = blood_W_;
    for (int attempt = 0;; ++attempt) {
      blood_W_ = blood_W;
      if (progress_.cancelled())
        return stop(Termination::cancelled, fmt::format("cancelled after {:.1f} s", t_s_));
      const double dt = control_.propose(t_s_, stop_s, findings_.stiffness_per_s);
      const int stages = rkl2_stages(dt * findings_.stiffness_per_s * 1.02);
      const Rkl2 scheme = make_rkl2(stages);
      Flows flows;
      const int last = run_stages(scheme, dt, flows);
      if (last < 0) return stop(Termination::cancelled, fmt::format("cancelled after {:.1f} s", t_s_));
      const int spare = 3 - old - last;
      bodies_.set_walls(level_, t_s_ + dt);
      if (bodies_.moving()) bodies_.fill_holes(level_);
      update_properties(level_, level_.y[std::size_t(last)]);
      StepView<Real> step;
      step.y0 = level_.y[std::size_t(old)].data();
      step.y1 = level_.y[std::size_t(last)].data();
      step.rate0 = level_.rate.data();
      step.rate1 = level_.y[std::size_t(spare)].data();
      step.dt = Real(dt);
      add_phase_bounds(step);
      const StepFindings f = sweep_rates(level_.y[std::size_t(last)], step);
      if (!control_.judge(dt, f.error_K, f.largest_change_K, f.finite)) {
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
    add_flows(scheme.weight[0] * dt, level_.theta_of(y0), flows);
    flows.blood_J += scheme.weight[0] * dt * blood_W_;
    const auto first = Real(scheme.mu_t[1] * dt);
    std::vector<Real>& y1 = level_.y[std::size_t(previous)];
#pragma omp parallel for num_threads(level_.team()) schedule(static)
    for (int k = level_.low[2]; k < level_.high[2]; ++k)
      for (int j = level_.low[1]; j < level_.high[1]; ++j) {
        const std::size_t from = level_.grid.index(level_.low[0], j, k);
        const std::size_t to = level_.grid.index(level_.high[0], j, k);
        for (std::size_t c = from; c < to; ++c) y1[c] = y0[c] + first * level_.rate[c];
      }
    for (int j = 2; j <= scheme.stages; ++j) {
      if (progress_.cancelled()) return -1;
      ++result_.summary.stages;
      const std::vector<Real>& u = level_.y[std::size_t(previous)];
      update_properties(level_, u);
      bodies_.set_walls(level_, t_s_ + scheme.time[std::size_t(j) - 1] * dt);
      add_flows(scheme.weight[std::size_t(j) - 1] * dt, level_.theta_of(u), flows);
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
      if (!level_.window_empty()) run_stage(view_of(level_, u), stage, level_.scratch.data(), level_.team());
      flows.blood_J += scheme.weight[std::size_t(j) - 1] * dt * blood_inflow_W(level_);
      std::swap(previous, spare);
    }
    return previous;
  }

  void add_flows(double weight_s, const Real* theta, Flows& flows) const {
    flows.boundary_J += weight_s * boundary_outflow_W(level_, theta);
    flows.wall_J += weight_s * wall_inflow_W(level_, theta);
  }

  /// What a rejected step has left in the stages is finite again.
  void restore_rest(int a, int b) {
    bodies_.set_walls(level_, t_s_);
    level_.y[std::size_t(a)] = level_.y[std::size_t(level_.now)];
    level_.y[std::size_t(b)] = level_.y[std::size_t(level_.now)];
    update_properties(level_, level_.y[std::size_t(level_.now)]);
  }

  void accept(int old, int last, int spare, double dt, double t_end_s, const StepFindings& f,
              const Flows& flows) {
    std::swap(level_.rate, level_.y[std::size_t(spare)]);  // y[spare] now holds the old rate
    level_.now = last;
    t_s_ = t_end_s;
    findings_ = f;
    // State and rate have changed places: outside the window the new rate still holds the state at rest.
    const bool outside_at_rest = level_.can_rest && level_.theta_rest != 0;
    if (outside_at_rest) fill_outside(level_, level_.rate, Real(0));
    const std::vector<Real>& rate0 = level_.y[std::size_t(spare)];
    const auto d = dose_.add_step(level_, level_.y[std::size_t(old)], rate0, dt, t_s_);
    advance_points(dt);
    highest_degC_ = d.highest_degC;
    lowest_degC_ = d.lowest_degC;
    total_cem43_ += d.added_cem43_min;
    source_J_ += heating_W_ * dt;
    perfusion_out_J_ -= flows.blood_J;
    blood_W_ += d.blood_change_W;
    boundary_out_J_ += flows.boundary_J + corrected_out_W_ * dt;
    wall_in_J_ += flows.wall_J;
    if (outside_at_rest) fill_outside(level_, level_.y[std::size_t(spare)], level_.theta_rest);
    ++result_.summary.steps;
    correct();
    grow();
    report();
  }

  void grow() {
    const auto low_before = level_.low, high_before = level_.high;
    if (!grow_window(level_, 8, kRest_K)) return;
    dose_.join(level_, low_before, high_before, t_s_);
    refresh_rates();
  }

  void report() {
    if (!progress_.report) return;
    const double end_s = std::max(heat_end_s_, problem_.until_dose_settled ? t_s_ : 0.0);
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
    const Grid& g = level_.grid;
    const auto plane = std::size_t(g.size[0]) * std::size_t(g.size[1]);
    return stop(Termination::diverged,
                fmt::format("diverged in step {} after {:.3f} s, cell ({}, {}, {}), tissue '{}'",
                            result_.summary.steps + 1, t_s_, cell % std::size_t(g.size[0]),
                            cell % plane / std::size_t(g.size[0]), cell / plane,
                            problem_.tissue_map.tissues[level_.label[cell]].name));
  }

  bool is_settled() {
    if (t_s_ < heat_end_s_ + kSettleLeast_s) return false;
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
    if (r.summary.termination == Termination::diverged) return;  // never a picture
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
    if (f.cem43) r.cem43 = volume(dose_.cem43);
    if (f.arrhenius && !dose_.arrhenius.empty()) r.arrhenius = volume(dose_.arrhenius);
  }

  const ThermalProblem& problem_;
  BioheatOptions options_;
  const Progress& progress_;
  HeatLevel<Real> level_;
  DoseField<Real> dose_;
  HeatBodies<Real> bodies_;
  ElectrodeDrive drive_;
  StepControl control_;
  ThermalResult result_;
  double heat_end_s_ = 0, t_s_ = 0;
  std::vector<double> density_;  ///< [W/m3] of the sources that act, electrodes apart; empty: none
  std::vector<bool> on_;
  bool begun_ = false;
  std::vector<SamplePoint> points_;
  std::vector<std::uint8_t> excluded_;    ///< cells without a value of their own or continued into them
  std::vector<std::uint8_t> ever_taken_;  ///< cells that were inside an applicator at some time; empty: none
  StepFindings findings_;
  double heating_W_ = 0, corrected_out_W_ = 0;
  double blood_W_ = 0;  ///< heat that the blood brings at the present state
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
