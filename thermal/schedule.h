// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include "thermal/result.h"
#include "thermal/step_control.h"

namespace spinetherm {

class Archive;

/// Where a run is in what is scheduled. Until a sensor ends an interval the two times are the same; then the
/// schedule is ahead of the run by what was left out.
class Schedule {
 public:
  explicit Schedule(const ThermalProblem& problem);

  /// When the last source ends [s of the run].
  double end_s() const { return end_s_ - skipped_s_; }
  double skipped_s() const { return skipped_s_; }
  bool is_on(std::size_t source, double t_s) const;
  /// Instants at which a step must end, up to `patience_s` after everything that is scheduled or sampled.
  std::vector<double> events(double patience_s) const;
  /// The interval that a sensor may end at this time; null: none.
  const EarlyEnd* open_end(double t_s) const;
  /// Ends it; returns the record of it.
  EndedEarly end(const EarlyEnd& e, double t_s);
  /// Everything that is scheduled ends now.
  void end_all(double t_s) { skipped_s_ = std::max(skipped_s_, end_s_ - t_s); }
  bool over(double t_s) const { return scheduled_s(t_s) >= end_s_; }
  void exchange_state(Archive& archive);

 private:
  double scheduled_s(double t_s) const;

  const ThermalProblem& problem_;
  double end_s_ = 0, skipped_s_ = 0;
};

}  // namespace spinetherm
