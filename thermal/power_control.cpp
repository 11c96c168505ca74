// SPDX-License-Identifier: Apache-2.0
#include "thermal/power_control.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"

namespace spinetherm {

void HoldController::exchange_state(Archive& archive) {
  archive(begun_, tracking_, start_s_, start_degC_, last_s_, last_degC_, last_power_W_, slope_K_per_s_,
          steepest_K_per_s_W_, dead_time_s_, tau_s_, switch_s_, switch_degC_, integral_W_, swing_K_, calm_);
}

void RollOffSwitch::exchange_state(Archive& archive) {
  archive(lowest_ohm_, last_ohm_, last_s_, rise_ohm_per_s_, on_again_s_);
}

double HoldController::period_s() const {
  if (!tracking_) {
    // The rise beside an electrode is over in seconds; a set value that is far off may take minutes. A fifth
    // of the time until it would be reached, at the present slope, is early enough.
    const double by_age_s = std::clamp((last_s_ - start_s_) / 40, 0.25, 5.0);
    if (!(slope_K_per_s_ > 0)) return by_age_s;
    const double left_s = (hold_.degC - last_degC_) / slope_K_per_s_ - dead_time_s_ - tau_s_;
    return std::clamp(left_s / 5, 0.25, by_age_s);
  }
  return std::min(calm_ * std::clamp((tau_s_ + dead_time_s_) / 5, 0.25, 2.0), 5.0);
}

void HoldController::retarget(const HoldTemperature& hold) {
  hold_ = hold;
  switch_s_ = last_s_;
  switch_degC_ = last_degC_;
}

double HoldController::power_W(double t_s, double T_degC) {
  if (!begun_) {
    begun_ = true;
    start_s_ = last_s_ = t_s;
    start_degC_ = last_degC_ = T_degC;
    last_power_W_ = T_degC < hold_.degC ? hold_.max_W : 0;
    return last_power_W_;
  }
  if (t_s <= last_s_) return last_power_W_;
  if (tracking_) return last_power_W_ = track(t_s, T_degC);

  const double slope = (T_degC - last_degC_) / (t_s - last_s_);
  slope_K_per_s_ = slope;
  const double per_W = last_power_W_ > 0 ? slope / last_power_W_ : 0;
  if (per_W > steepest_K_per_s_W_) {
    steepest_K_per_s_W_ = per_W;
    // Where the tangent meets the temperature of the start.
    const double middle_s = (t_s + last_s_) / 2, middle_degC = (T_degC + last_degC_) / 2;
    dead_time_s_ = std::max(0.0, middle_s - start_s_ - (middle_degC - start_degC_) / slope);
    tau_s_ = std::max(1.5 * dead_time_s_, 2.0);
  }
  const bool arrives = T_degC + std::max(slope, 0.0) * (dead_time_s_ + tau_s_) >= hold_.degC;
  if (arrives && steepest_K_per_s_W_ > 0) {
    tracking_ = true;
    switch_s_ = t_s;
    switch_degC_ = T_degC;
    const double lost = std::clamp(1 - per_W / steepest_K_per_s_W_, 0.0, 1.0);
    const double rise = std::max(T_degC - start_degC_, 0.1);
    integral_W_ = std::min(hold_.max_W, 0.7 * last_power_W_ * lost * (hold_.degC - start_degC_) / rise);
  } else if (last_power_W_ == 0 && T_degC < hold_.degC) {
    last_power_W_ = hold_.max_W;  // it began too warm and has cooled
    start_s_ = t_s;
    start_degC_ = T_degC;
  }
  last_s_ = t_s;
  last_degC_ = T_degC;
  return last_power_W_;
}

double HoldController::track(double t_s, double T_degC) {
  const double dt = t_s - last_s_;
  const double left_K = (hold_.degC - switch_degC_) * std::exp(-(t_s - switch_s_) / tau_s_);
  const double error_K = hold_.degC - left_K - T_degC;
  if (error_K * swing_K_ < 0) {  // it has come to the other side
    if (std::abs(swing_K_) > 1) {
      tau_s_ = std::min(1.5 * tau_s_, 120.0);
      switch_s_ = t_s;  // from here on, so that the reference does not jump
      switch_degC_ = hold_.degC - left_K;
    }
    swing_K_ = 0;
  }
  if (std::abs(error_K) > std::abs(swing_K_)) swing_K_ = error_K;

  calm_ = std::abs(error_K) < 0.5 ? std::min(1.25 * calm_, 20.0) : 1;

  const double tau_s = std::max(tau_s_, 1.5 * dt);
  const double gain = 1 / (steepest_K_per_s_W_ * (tau_s + dead_time_s_));
  const double forward = left_K / tau_s_ / steepest_K_per_s_W_;
  const double pace = error_K < 0 ? 2 : 1;
  const double step = pace * gain * error_K * dt / (4 * (tau_s + dead_time_s_));
  const double wanted = forward + integral_W_ + step + gain * error_K;
  const double given = std::clamp(wanted, 0.0, hold_.max_W);
  if (given == wanted || (wanted > given) == (step < 0)) integral_W_ += step;
  last_s_ = t_s;
  last_degC_ = T_degC;
  return given;
}

double RollOffSwitch::period_s(double t_s) const {
  if (on_again_s_ && *on_again_s_ > t_s) return *on_again_s_ - t_s;
  // Half way to the limit the resistance may be about to leap; half the time that it would take is early
  // enough.
  const double longest_s = last_ohm_ < (1 + rule_.rise / 2) * lowest_ohm_ ? 3 : 1;
  if (!(rise_ohm_per_s_ > 0)) return longest_s;
  return std::clamp(((1 + rule_.rise) * lowest_ohm_ - last_ohm_) / rise_ohm_per_s_ / 2, 0.05, longest_s);
}

bool RollOffSwitch::is_off(double t_s, double resistance_ohm) {
  rise_ohm_per_s_ = t_s > last_s_ ? (resistance_ohm - last_ohm_) / (t_s - last_s_) : 0;
  last_ohm_ = resistance_ohm;
  last_s_ = t_s;
  if (on_again_s_) {
    if (t_s < *on_again_s_) return true;
    on_again_s_.reset();
  }
  if (lowest_ohm_ == 0 || resistance_ohm < lowest_ohm_) lowest_ohm_ = resistance_ohm;
  if (resistance_ohm < (1 + rule_.rise) * lowest_ohm_) return false;
  on_again_s_ = t_s + rule_.off_s;
  return true;
}

}  // namespace spinetherm
