// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/heat_level.h"

namespace spinetherm {

/// Mean over [from, to] of a piecewise linear curve, constant before its first corner and after its last: its
/// exact integral, divided by the length. Where the two are one, the value there.
double mean_of(const Curve& curve, double from_s, double to_s);

/// Corners at which the slope of the curve changes by more than 1 % of its largest value per second: a step
/// across them would blur when a source begins or ends. Dense corners of a smooth curve are none.
std::vector<double> sharp_corners_s(const Curve& curve);

/// Heating by sources whose power follows a curve of time, q(x, t) = sum of f_m(t) g_m(x). Over a macro-step
/// each f_m is its mean, so that the heat that has come in is exact at any step, and the error of the
/// temperature second order in the step.
template <class Real>
class ScaledHeating {
 public:
  /// Power densities of those sources of the problem that are on and have a curve.
  void switch_to(const ThermalProblem& problem, const Grid& grid, const std::vector<bool>& on,
                 bool fourth_order);
  bool empty() const { return parts_.empty(); }
  /// The level's source has been set anew, without the sources here.
  void begin(const HeatLevel<Real>& level);
  /// Sets the means over the step in the level's source, heating and rate.
  void set_step(HeatLevel<Real>& level, double t_s, double dt_s);
  /// After switch_to() with the same sources.
  void exchange_state(Archive& archive);
  /// Of the present step [W].
  double power_W() const { return power_W_; }

 private:
  struct Part {
    const Curve* scale = nullptr;
    std::vector<double> W_per_m3;
    double factor = 0;
  };
  std::vector<Part> parts_;
  std::vector<Real> base_;  ///< the level's source without the parts [K/s]
  double power_W_ = 0;
};

}  // namespace spinetherm
