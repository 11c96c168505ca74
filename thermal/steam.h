// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "thermal/heat_level.h"

namespace spinetherm {

/// Water that has boiled away does not come back: the enthalpy of boiling tissue is reversible while it
/// heats, but what the steam has carried off is missing when it cools. A cell that falls by 3 K of u below
/// the most it has had loses the latent part of that; it then cools as dry tissue. Heated to boiling again,
/// it goes on where it had stopped, as its water is gone already. Steam that condenses in
/// cooler tissue is neglected.
template <class Real>
class Steam {
 public:
  explicit Steam(const HeatLevel<Real>& level);
  /// After a step: takes off and gives back; no cell is warmer than `highest_theta` [K]. Returns the heat [J]
  /// that has left; `changed` tells whether a cell's state is another one now.
  double follow(HeatLevel<Real>& level, double highest_theta);
  bool changed() const { return changed_; }
  void exchange_state(Archive& archive);

 private:
  struct Boiled {
    double most_u = 0;  ///< while it boils
    double lost_u = 0;  ///< latent heat that has left; 0: none
  };
  double latent_u(const HeatLevel<Real>& level, std::size_t cell, double u) const;

  Real lowest_u_ = 0;  ///< below it nothing boils
  bool boils_ = false, changed_ = false;
  std::map<std::size_t, Boiled> cells_;
};

}  // namespace spinetherm
