// SPDX-License-Identifier: Apache-2.0
#include "thermal/schedule.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"

namespace spinetherm {
namespace {

/// What round-off may take from an instant that was moved.
constexpr double kRoundOff_s = 1e-9;

}  // namespace

Schedule::Schedule(const ThermalProblem& problem) : problem_(problem), end_s_(problem.duration_s) {
  if (problem.duration_s > 0) return;
  for (const Source& s : problem.sources)
    for (const auto& interval : s.active_s)
      if (std::isfinite(interval[1])) end_s_ = std::max(end_s_, interval[1]);
}

double Schedule::scheduled_s(double t_s) const {
  return skipped_s_ > 0 ? t_s + skipped_s_ + kRoundOff_s : t_s;
}

bool Schedule::is_on(std::size_t source, double t_s) const {
  // After the duration everything is off; active intervals end by themselves.
  if (problem_.duration_s > 0 && scheduled_s(t_s) >= problem_.duration_s) return false;
  return is_active(problem_.sources[source], scheduled_s(t_s));
}

std::vector<double> Schedule::events(double patience_s) const {
  double last_s = end_s();
  for (const double t : problem_.sample.times_s) last_s = std::max(last_s, t);
  return step_events(problem_, last_s + patience_s, skipped_s_);
}

const EarlyEnd* Schedule::open_end(double t_s) const {
  for (const EarlyEnd& e : problem_.early_ends)
    if (scheduled_s(t_s) >= e.between_s[0] && scheduled_s(t_s) < e.between_s[1] - 2 * kRoundOff_s) return &e;
  return nullptr;
}

void Schedule::exchange_state(Archive& archive) { archive(skipped_s_); }

EndedEarly Schedule::end(const EarlyEnd& e, double t_s) {
  skipped_s_ = e.between_s[1] - t_s;
  return {e.between_s[0], e.between_s[1], t_s};
}

}  // namespace spinetherm
