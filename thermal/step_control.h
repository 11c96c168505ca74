// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/bioheat_solver.h"

namespace spinetherm {

class Archive;

/// Instants [s] at which a macro-step must end: switches of sources, corners of temperature curves, samples,
/// and the end of the run. Sorted, unique, in (0, end]. What is scheduled comes earlier by `skipped_s`.
std::vector<double> step_events(const ThermalProblem& problem, double end_s, double skipped_s = 0);

/// Chooses macro-steps by accuracy; stability only sets the stages.
class StepControl {
 public:
  explicit StepControl(const BioheatOptions& options) : options_(options), next_s_(options.first_step_s) {}

  /// Length of the next step, which ends at `stop_s` at the latest and divides what is left evenly when that
  /// is less than two steps.
  double propose(double t_s, double stop_s, double stiffness_per_s) const;
  /// Whether a step with this error and change stands; sets the length of the next one, or of its repetition.
  bool judge(double dt_s, double error_K, double change_K, bool finite);
  /// Something has switched: begin small again.
  void restart() { next_s_ = options_.first_step_s; }
  double next_s() const { return next_s_; }
  void exchange_state(Archive& archive);

 private:
  BioheatOptions options_;
  double next_s_;
};

}  // namespace spinetherm
