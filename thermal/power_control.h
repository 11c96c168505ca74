// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "thermal/problem.h"

namespace spinetherm {

class Archive;

/// Holds a temperature by power within [0, max_W]. It learns the tissue while it heats: at full power it
/// measures the steepest rise per watt b [K/s/W] and the dead time theta until the heat arrives. As soon as
/// the temperature coasting on at its present slope would reach the set value within theta + tau, tau =
/// max(1.5 theta, 2 s), it follows
///   r(t) = set - (set - T) exp(-(t - t_switch) / tau)
/// with the power that this slope takes, the power that balances the losses, and a PI correction
///   P = r'/b + P_loss + K (r - T) + (K / T_i) integral (r - T) dt,
///   K = 1 / (b (tau + theta)),   T_i = 4 (tau + theta)
/// (tuning after Skogestad 2003, doi:10.1016/S0959-1524(02)00062-8, for a process that integrates). The
/// integral rests while the power is at a limit. While the temperature stays within 0.5 K of where it should
/// be, the controller acts more and more rarely, up to every 5 s, and more gently (tau at least 1.5 times the
/// time between two acts).
class HoldController {
 public:
  explicit HoldController(const HoldTemperature& hold) : hold_(hold) {}
  /// Power [W] from now on; `t_s` must not decrease.
  double power_W(double t_s, double T_degC);
  /// Another value to hold at the same sensor: keeps what it has learnt.
  void retarget(const HoldTemperature& hold);
  const HoldTemperature& target() const { return hold_; }
  /// Longest time until it wants to be asked again [s].
  double period_s() const;
  /// But for the target.
  void exchange_state(Archive& archive);

 private:
  double track(double t_s, double T_degC);

  HoldTemperature hold_;
  bool begun_ = false, tracking_ = false;
  double start_s_ = 0, start_degC_ = 0, last_s_ = 0, last_degC_ = 0, last_power_W_ = 0;
  double slope_K_per_s_ = 0, steepest_K_per_s_W_ = 0, dead_time_s_ = 0, tau_s_ = 2;
  double switch_s_ = 0, switch_degC_ = 0, integral_W_ = 0, swing_K_ = 0;
  double calm_ = 1;  ///< times the shortest period
};

/// Switches off for `off_s` when the resistance has risen by `rise` over the lowest seen.
class RollOffSwitch {
 public:
  explicit RollOffSwitch(const RollOff& rule) : rule_(rule) {}
  bool is_off(double t_s, double resistance_ohm);
  /// Longest time until it wants to see the resistance again [s].
  double period_s(double t_s) const;
  /// When it will switch on again; empty while it is on.
  std::optional<double> on_again_s() const { return on_again_s_; }
  void exchange_state(Archive& archive);

 private:
  RollOff rule_;
  double lowest_ohm_ = 0, last_ohm_ = 0, last_s_ = 0, rise_ohm_per_s_ = 0;
  std::optional<double> on_again_s_;
};

}  // namespace spinetherm
