// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "thermal/bioheat_solver.h"
#include "thermal/heat_bodies.h"
#include "thermal/heat_input.h"
#include "thermal/heat_level.h"
#include "thermal/steam.h"
#include "thermal/step_control.h"

namespace spinetherm {

/// What lies around a level while it is stepped. Told of every sweep.
template <class Real>
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  /// Nothing: no sweep need be told of.
  virtual bool none() const { return true; }
  /// A step begins; of its heat flows those at the present state count for `present_s`.
  virtual void begin_step(double /*t_s*/, double /*dt_s*/, double /*present_s*/) {}
  /// Before a sweep over the state `u` at t; `arrays`: the level's temperature and resistivity are those of
  /// `u`.
  virtual void set(double /*t_s*/, std::vector<Real>& /*u*/, bool /*arrays*/) {}
  /// The flows at the state of the last set() count for so many seconds of the step.
  virtual void weigh(double /*weight_s*/) {}
  /// The state of the last set() is the present one from now on.
  virtual void keep() {}
};

/// One level in time: macro-steps of RKL2 with a length and stages of its own.
template <class Real>
class LevelRun {
 public:
  /// `rest_K`, `horizon_s`: see HeatInput. `around` outlives the run.
  LevelRun(const ThermalProblem& problem, const BioheatOptions& options, int threads,
           Surroundings<Real>& around, double rest_K, double horizon_s);

  HeatLevel<Real> level;
  Steam<Real> steam;
  HeatBodies<Real> bodies;
  HeatInput<Real> input;
  StepControl control;
  double t_s = 0;
  double heating_W = 0;  ///< by `input`, at present
  StepFindings findings;
  LevelFlows flows;  ///< at the present state
  /// Since the start [J]: in by sources and walls, out by blood and through the outer faces.
  double source_J = 0, wall_in_J = 0, blood_out_J = 0, boundary_out_J = 0;
  long stages = 0;
  double cell_updates = 0;

  enum class Outcome { accepted, cancelled, diverged };
  struct Step {
    Outcome outcome = Outcome::accepted;
    double dt_s = 0;
    const LevelRun* where = nullptr;  ///< diverged: the level with the worst cell
  };
  /// One accepted step that ends at `stop_s` at the latest. Temperature changes count `change_counts` times.
  /// Cancelled: the state is that before, but for what the next step sets before it reads it.
  Step step(double stop_s, double change_counts, const Progress& progress);
  /// The same of several levels at one time, which exchange heat: the length is that of the first one's
  /// control, the stages are those that the stiffest level needs. Before each sweep all are told of it in
  /// this order.
  using Together = std::span<LevelRun* const>;
  static Step step(Together runs, double stop_s, double change_counts, const Progress& progress);
  /// Before the last accepted step.
  const std::vector<Real>& state_before() const { return level.y[std::size_t(old_)]; }
  std::vector<Real>& rate_before() { return level.y[std::size_t(spare_)]; }
  /// Rates and findings of the present state, after something other than the heating has changed.
  void refresh_rates();
  static void refresh_rates(Together runs);
  /// After an accepted step that nothing else has changed: corrects the flows of the next one, see
  /// stencil_correction.h.
  void correct();
  /// Makes `cells` more cells active on those sides where after the last step a cell within one of the edge
  /// is not at rest. True when there are more.
  bool grow_rows(int cells);
  /// The cells that are not stepped hold the state again where a step has left rates.
  void restore_rest();
  void exchange_state(Archive& archive, const std::vector<bool>& on);

 private:
  struct Tally {
    double boundary_J = 0, wall_J = 0, blood_J = 0;
    void add(double weight_s, const LevelFlows& of);
  };
  struct Counts {
    LevelFlows flows;
    long stages = 0;
    double cell_updates = 0;
  };
  Counts counts() const { return {flows, stages, cell_updates}; }
  void set_counts(const Counts& c);
  void prepare_sweep(int at, double at_s);
  void count_stage();
  StepFindings sweep(int at, StepView<Real> view);
  /// From y[now] to y[last_]; false when cancelled.
  static bool run_stages(Together runs, int stage_count, double dt_s, const Progress& progress);
  void first_stage(const Rkl2& scheme, double dt_s);
  void prepare_stage(double at_s);
  void next_stage(const Rkl2& scheme, int j, double dt_s);
  /// Whether nothing but the level itself decides on what a stage is, and two at once are soon over.
  bool stands_alone() const;
  void next_two_stages(const Rkl2& scheme, int j, double dt_s);
  StageView<Real> stage_view(const Rkl2& scheme, int j, double dt_s) const;
  StepFindings last_sweep(double dt_s);
  void take_back();
  void accept(const StepFindings& found, double dt_s, double end_s, const LevelFlows& flows_before);

  BioheatOptions options_;
  Surroundings<Real>& around_;
  double rest_K_;
  RowStretches warm_;  ///< cells that were not at rest after the last step
  double corrected_out_W_ = 0;
  int old_ = 0, last_ = 1, spare_ = 2;  ///< of y, in the present step
  Tally tally_;                         ///< of it
};

}  // namespace spinetherm
