// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/dose_field.h"
#include "thermal/fine_patch.h"
#include "thermal/level_run.h"
#include "thermal/power_drives.h"

namespace spinetherm {

/// A fine patch in time. It goes ahead of the window in steps of its own, up to the end of a turn: its halo
/// goes on from the window's state by the rate there, and by what the electrodes heat. What has flowed
/// through its faces by then, and the mean of the electrodes' power, are the window's heating over the turn.
/// So each makes steps as long as its own cells allow, and no heat is lost.
template <class Real>
class PatchRun : public Surroundings<Real> {
 public:
  PatchRun(const ThermalProblem& window, const BioheatOptions& options, int threads);

  ThermalProblem problem;  ///< with the halo
  LevelRun<Real> run;
  PatchLink<Real> link;

 private:
  ThermalProblem problem_under_;

 public:
  HeatLevel<Real> under;  ///< the window's cells under the patch, as the mean of its cells
  DoseField<Real> dose;   ///< of these
  double turn_end_s = 0;
  double turn_begin_s() const { return turn_begin_s_; }
  bool goes_on() const { return run.t_s < turn_end_s; }  ///< within its turn

  /// The window has its sources and bodies; places those of the patch. Returns the heat that this has taken
  /// out of its cells [J].
  double switch_to(const HeatLevel<Real>& window, const std::vector<bool>& on, bool first);
  /// From the state of the window, at the same time.
  void begin_turn(const LevelRun<Real>& window, double end_s);
  /// The electrodes' heating from now on.
  void set_heating(const PowerDrives& drive, bool new_fields);
  /// One accepted step within the turn; dose, perfusion and steam follow.
  typename LevelRun<Real>::Outcome step(double stop_s, double change_counts, const Progress& progress);
  const typename DoseField<Real>::Findings& last_dose() const { return last_dose_; }
  double last_step_s() const { return last_step_s_; }
  /// At the end of a turn: its flows into the window, and the electrodes' mean scales by drive.
  std::vector<double> mean_flow_W_per_m3() const;
  std::vector<double> mean_scales() const;

  /// After the window, whose bodies have been placed.
  void exchange_state(Archive& archive, const HeatLevel<Real>& window, const std::vector<bool>& on,
                      const PowerDrives& drive);

  void begin_step(double t_s, double dt_s, double present_s) override;
  void set(double t_s, std::vector<Real>& u, bool arrays) override;
  void weigh(double weight_s) override;
  void keep() override;

  PatchRun(const PatchRun&) = delete;
  PatchRun& operator=(const PatchRun&) = delete;

 private:
  const HeatLevel<Real>* window_ = nullptr;
  double turn_begin_s_ = 0;
  std::vector<Real> ring_u_,
      ring_rate_;                      ///< by cell of the ring: at the begin of the turn, without electrodes
  std::vector<Real> u_window_;         ///< scratch, by cell of the window; the ring's are set
  std::vector<UnitHeating> electric_;  ///< of the window, at present
  std::vector<double> scale_s_;        ///< by drive: integral over the turn so far
  std::vector<Real> flow_;             ///< of the last set()
  std::vector<Real> flow_now_;         ///< of the present state
  std::vector<double> flow_s_, pending_s_;  ///< integrals over the turn and over the present step
  typename DoseField<Real>::Findings last_dose_;
  double last_step_s_ = 0;
};

}  // namespace spinetherm
