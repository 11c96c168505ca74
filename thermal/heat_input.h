// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/applicator_geometry.h"
#include "thermal/electrode_drive.h"
#include "thermal/heat_level.h"

namespace spinetherm {

/// What heats the cells of a level: sources of given power density, metabolism and electrodes.
template <class Real>
class HeatInput {
 public:
  /// A cell whose heating changes it by less than `rest_K` over `horizon_s` may stay at rest.
  HeatInput(const ThermalProblem& problem, double rest_K, double horizon_s)
      : problem_(problem), rest_K_(rest_K), horizon_s_(horizon_s) {}

  /// The sources that act from now on. `smooth`: for the corrected stencil, see heat_source.h.
  void switch_to(const HeatLevel<Real>& level, const std::vector<bool>& on, bool smooth);
  /// level.source = (q + q_m)/(rho c) of the active cells, after the cells that are heated have become
  /// active; the level's heating and rate follow the change. Returns the power [W] that they take. `ghosts`:
  /// cells that a held wall has taken; of the heat that electrodes make there, the part that the wall does
  /// not swallow at once goes to the neighbours, in the ratio of the local solutions. `new_fields`: the
  /// fields of the electrodes are not those of the last call.
  double apply(HeatLevel<Real>& level, const std::vector<ElectrodeDrive::Heating>& electric,
               const std::vector<BodyLinks::Ghost>& ghosts, bool new_fields);
  /// What heats a cell but for the electrodes [K/s].
  double steady_rate(const HeatLevel<Real>& level, std::size_t cell) const {
    return density_W_per_m3(level, cell) * double(level.inverse_capacity[cell]);
  }
  /// After switch_to() with the same sources.
  void exchange_state(Archive& archive);

 private:
  double density_W_per_m3(const HeatLevel<Real>& level, std::size_t cell) const;
  void wake(HeatLevel<Real>& level, const std::vector<ElectrodeDrive::Heating>& electric, bool new_fields);

  const ThermalProblem& problem_;
  double rest_K_, horizon_s_;
  std::vector<double> given_;  ///< [W/m3] of the sources that act; empty: none
  bool metabolic_ = false;
  /// Scales of the fields up to which all heated cells are active; empty: not looked for yet.
  std::vector<double> woken_for_;
};

}  // namespace spinetherm
