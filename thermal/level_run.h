// SPDX-License-Identifier: Apache-2.0
#pragma once

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
    const std::vector<Real>* u0 = nullptr;  ///< before
    std::vector<Real>* rate0 = nullptr;
  };
  /// One accepted step that ends at `stop_s` at the latest. Temperature changes count `change_counts` times.
  /// Cancelled: the state is that before, but for what the next step sets before it reads it.
  Step step(double stop_s, double change_counts, const Progress& progress);
  /// Rates and findings of the present state, after something other than the heating has changed.
  void refresh_rates();
  /// After an accepted step that nothing else has changed: corrects the flows of the next one, see
  /// stencil_correction.h.
  void correct();
  /// The cells that are not stepped hold the state again where a step has left rates.
  void restore_rest(const Step& step);
  void exchange_state(Archive& archive, const std::vector<bool>& on);

 private:
  struct Tally {
    double boundary_J = 0, wall_J = 0, blood_J = 0;
    void add(double weight_s, const LevelFlows& of);
  };
  void prepare_sweep(int at, double at_s);
  void count_stage();
  StepFindings sweep(int at, StepView<Real> view);
  int run_stages(int stage_count, double dt_s, Tally& tally, const Progress& progress);
  void first_stage(int old, int to, Real mu_t_dt);

  BioheatOptions options_;
  Surroundings<Real>& around_;
  double corrected_out_W_ = 0;
};

}  // namespace spinetherm
