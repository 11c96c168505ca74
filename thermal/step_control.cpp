// SPDX-License-Identifier: Apache-2.0
#include "thermal/step_control.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"
#include "thermal/rkl2.h"
#include "thermal/scaled_heating.h"

namespace spinetherm {

std::vector<double> step_events(const ThermalProblem& problem, double end_s, double skipped_s) {
  std::vector<double> events{end_s};
  const auto add = [&](double t) {
    if (t > 0 && t < end_s) events.push_back(t);
  };
  const auto schedule = [&](double t) { add(t - skipped_s); };
  if (problem.duration_s > 0) schedule(problem.duration_s);
  for (const double t : problem.sample.times_s) add(t);
  for (const Source& s : problem.sources) {
    for (const auto& [from, to] : s.active_s) {
      schedule(from);
      schedule(to);
    }
    for (const double t : sharp_corners_s(s.scale)) add(t);
    if (const auto* fixed = std::get_if<FixedTemperatureSource>(&s.what))
      for (const auto& corner : fixed->degC) schedule(corner[0]);
    // Where the gas of a cryoprobe has reached its temperature.
    if (const auto* probe = std::get_if<CryoprobeSource>(&s.what))
      for (const auto& interval : s.active_s) schedule(interval[0] + probe->ramp_s);
  }
  for (const EarlyEnd& end : problem.early_ends)
    for (const double t : end.between_s) schedule(t);
  std::sort(events.begin(), events.end());
  // Two instants closer than this are one: a step between them would be lost in round-off.
  constexpr double kSame_s = 1e-9;
  std::vector<double> unique;
  for (const double t : events)
    if (unique.empty() || t - unique.back() > kSame_s) unique.push_back(t);
  unique.back() = std::max(unique.back(), end_s);
  return unique;
}

double StepControl::propose(double t_s, double stop_s, double stiffness_per_s) const {
  double dt = std::min(next_s_, options_.max_step_s);
  if (stiffness_per_s > 0) dt = std::min(dt, rkl2_reach(options_.max_stages) / stiffness_per_s);
  const double left = stop_s - t_s;
  if (dt >= left) return left;
  return dt > left / 2 ? left / 2 : dt;
}

void StepControl::exchange_state(Archive& archive) { archive(next_s_); }

bool StepControl::judge(double dt_s, double error_K, double change_K, bool finite) {
  if (!finite) {
    next_s_ = dt_s / 4;
    return false;
  }
  const double worst = std::max(error_K / options_.step_error_K, std::pow(change_K / options_.max_step_K, 3));
  // The local error grows with dt^3.
  const double factor = worst > 0 ? 0.85 * std::pow(worst, -1.0 / 3) : 3;
  if (worst > 2) {
    next_s_ = dt_s * std::max(factor, 0.2);
    return false;
  }
  // A step cut short by an event says nothing against the length that was meant.
  const double wanted = dt_s * std::clamp(factor, 0.5, 3.0);
  next_s_ = factor >= 1 ? std::max(next_s_, wanted) : wanted;
  next_s_ = std::min(next_s_, options_.max_step_s);
  return true;
}

}  // namespace spinetherm
