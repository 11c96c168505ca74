// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "thermal/heat_level.h"
#include "thermal/interpolation.h"
#include "thermal/result.h"

namespace spinetherm {

/// The points of the sampling list, each with the dose that it has gathered itself: between cell centres the
/// dose of the interpolated temperature is not the interpolated dose.
template <class Real>
class SamplePoints {
 public:
  explicit SamplePoints(const ThermalProblem& problem);

  /// Cells have been taken out or given back: the weights of the cells are worked out anew.
  void move_stencils();
  /// Temperatures and rates in the present state; `level` gives the level that a point is read from,
  /// `wall_degC` the temperature of a held body around it.
  void read(const std::function<const HeatLevel<Real>&(const Eigen::Vector3d&)>& level,
            const std::function<PointStencil(const Eigen::Vector3d&)>& stencil,
            const std::function<std::optional<double>(const Eigen::Vector3d&)>& wall_degC);
  /// Adds the dose of a step of dt; `read` reads the points after it.
  void advance(const ThermalProblem& problem, double dt_s, bool has_phases,
               const std::function<void()>& read);
  /// Appends a sample of every point when one is asked for at this time.
  void take(const ThermalProblem& problem, double t_s, std::vector<Sample>& samples) const;
  void exchange_state(Archive& archive);

 private:
  struct Point {
    Eigen::Vector3d at_mm{0, 0, 0};
    std::uint8_t label = 0;
    PointStencil stencil;
    double T_degC = 0, rate_K_per_s = 0, cem43 = 0, arrhenius = 0;
  };
  std::vector<Point> points_;
};

}  // namespace spinetherm
