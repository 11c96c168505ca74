// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/applicator_geometry.h"
#include "thermal/heat_level.h"
#include "thermal/unit_heating.h"

namespace spinetherm {

/// What heats the cells of a level: sources of given power density, metabolism and electrodes.
template <class Real>
class HeatInput {
 public:
  /// A cell whose heating changes it by less than `rest_K` over `horizon_s` may stay at rest.
  HeatInput(const ThermalProblem& problem, double rest_K, double horizon_s);

  /// The sources that act from now on. `smooth`: for the corrected stencil, see heat_source.h. The level's
  /// rate follows with apply() where electrodes act too, else whoever calls works it out anew. `resumed`:
  /// level.source is that of a checkpoint.
  void switch_to(HeatLevel<Real>& level, const std::vector<bool>& on, bool smooth, bool resumed = false);
  /// level.source = (q + q_m)/(rho c) of the active cells, after the cells that are heated have become
  /// active; the level's heating and rate follow the change. Returns the power [W] that they take. `ghosts`:
  /// cells that a held wall has taken; of the heat that electrodes make there, the part that the wall does
  /// not swallow at once goes to the neighbours, in the ratio of the local solutions. `new_fields`: the
  /// fields of the electrodes are not those of the last call.
  double apply(HeatLevel<Real>& level, const std::vector<UnitHeating>& electric,
               const std::vector<BodyLinks::Ghost>& ghosts, bool new_fields);
  /// What heats a cell but for the electrodes [K/s].
  double steady_rate(const HeatLevel<Real>& level, std::size_t cell) const {
    if (!heats_ || level.is_out(cell)) return 0;
    return double(varies_ ? given_[cell] : level.source[cell]);
  }
  /// After switch_to() with the same sources.
  void exchange_state(Archive& archive);

 private:
  void wake(HeatLevel<Real>& level, const std::vector<UnitHeating>& electric, bool new_fields);
  double count_new(const HeatLevel<Real>& level);

  const ThermalProblem& problem_;
  double rest_K_, horizon_s_;
  bool varies_ = false;  ///< there are sources, as electrodes, that add to what is given
  /// Only where that varies, else level.source is it: sources that act and metabolism [K/s].
  std::vector<Real> given_;
  bool heats_ = false;  ///< some of these are not zero
  /// Scales of the fields up to which all heated cells are active; empty: not looked for yet.
  std::vector<double> woken_for_;
  /// Where what is given stays as it is: cells whose power has been counted, and its sums by plane.
  RowStretches counted_;
  std::vector<double> counted_planes_;
};

}  // namespace spinetherm
