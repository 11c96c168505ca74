// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/progress.h"
#include "imaging/core/volume.h"

namespace spinetherm {

struct Sample {
  Eigen::Vector3d at_mm{0, 0, 0};
  double t_s = 0;
  double T_degC = 0, cem43_min = 0;
  std::optional<double> arrhenius = {};  ///< empty where the tissue has no damage law
};
/// How a zone ended up: volume, and edges of the iso-surface's bounding box. Applicator included.
struct Zone {
  double volume_ml = 0;
  Eigen::Vector3d extent_mm{0, 0, 0};
  bool touches_box = false;  ///< the zone reaches the outer faces: the extent is a lower bound
};
struct ChannelHistory {
  std::vector<double> resistance_ohm, power_W, current_A, voltage_V;
};
struct ElectricalHistory {
  std::vector<double> times_s, resistance_ohm, power_W, current_A, voltage_V;
  std::vector<ChannelHistory> channels = {};  ///< at the same times; empty when there is one channel
};
struct EnergyBalance {
  double in_J = 0, stored_J = 0, out_J = 0;  ///< perfusion counts in out
  double relative_residual = 0;              ///< |in - stored - out| / the largest of the three
};
/// From two resolutions of the same run; empty: not estimated.
struct ErrorEstimate {
  std::optional<double> zone_radius_mm, peak_K;
};

/// What a thermal run has done; begins as "not run".
struct ThermalSummary {
  Termination termination = Termination::not_run;
  std::string message = "solve() was not called";
  int steps = 0;
  long stages = 0;       ///< evaluations of the right-hand side
  int field_solves = 0;  ///< of the electric potential
  double simulated_s = 0, wall_time_s = 0, peak_memory_MB = 0;
  bool usable() const { return termination == Termination::reached_end; }
};

/// Fields hold the final state of the problem's grid; a field that was not asked for is empty. Cells inside
/// an applicator hold the applicator's wall temperature, no dose.
struct ThermalResult {
  ThermalSummary summary;
  std::vector<Sample> samples;
  /// over_50_degC, over_60_degC, cem43_over_240, arrhenius_over_1, under_0_degC, under_minus20_degC,
  /// under_minus40_degC: ever reached.
  std::map<std::string, Zone> zones;
  std::optional<ElectricalHistory> electrical;
  EnergyBalance energy;
  ErrorEstimate error_estimate;
  std::vector<std::string> warnings;
  Volume<float> temperature, peak_temperature, lowest_temperature, cem43, arrhenius, potential, power_density;
  Volume<float> peak_time_s, lowest_time_s;  ///< when the peak and the lowest temperature were reached
};

}  // namespace spinetherm
