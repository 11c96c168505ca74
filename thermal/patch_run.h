// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/dose_field.h"
#include "thermal/fine_patch.h"
#include "thermal/level_run.h"

namespace spinetherm {

/// A fine patch in time. It is stepped together with the window, with the same stages: before each its halo
/// takes the window's state of that stage, and what flows through its faces then heats the window's cells
/// beside it. So the two are one discretisation, and no heat is lost.
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

  /// The window has its sources and bodies; places those of the patch. Returns the heat that this has taken
  /// out of its cells [J].
  double switch_to(const HeatLevel<Real>& window, const std::vector<bool>& on, bool first);
  /// The window before its next sweep, in the state `u`.
  void see(HeatLevel<Real>& window, const std::vector<Real>& u);
  /// Before and after a step together with the window: dose, perfusion and steam follow.
  void begin_step();
  typename DoseField<Real>::Findings end_step(double dt_s);

  /// The window's cells under the patch take its state and its dose.
  void hand_over(HeatLevel<Real>& window, DoseField<Real>& window_dose) const;

  /// After the window, whose bodies have been placed.
  void exchange_state(Archive& archive, const HeatLevel<Real>& window, const std::vector<bool>& on);

  bool none() const override { return false; }
  void set(double t_s, std::vector<Real>& u, bool arrays) override;

  PatchRun(const PatchRun&) = delete;
  PatchRun& operator=(const PatchRun&) = delete;

 private:
  HeatLevel<Real>* window_ = nullptr;
  const std::vector<Real>* u_window_ = nullptr;
};

}  // namespace spinetherm
