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
/// What antennas and fibres did; one entry of `sources` for each antenna or fibre at its place, in the order
/// in which the sources name them. Of a fibre nothing is reflected or lost on the way.
struct RadiationHistory {
  struct Source {
    std::vector<double> power_W;  ///< of the generator or laser
    /// Where it goes: back to the generator, into the cable, into the tissue of the box, beyond it.
    std::vector<double> reflected_W, cable_W, absorbed_W, radiated_W;
  };
  std::vector<double> times_s;
  std::vector<Source> sources;
};
/// What the cryoprobes did; one entry of `probes` each, in the order in which the sources name them.
struct CryoHistory {
  struct Probe {
    std::vector<double> extraction_W;        ///< heat taken from the tissue; negative: given to it
    std::vector<double> gas_degC;            ///< NaN while no gas flows
    std::vector<double> wall_degC;           ///< mean over the active stretch
    std::optional<double> free_from_s = {};  ///< tissue at the wall above 0 degC for good; empty: stuck
  };
  std::vector<double> times_s;
  std::vector<Probe> probes;
};
/// What a virtual sensor read, beside the temperature of the tissue at its tip.
struct SensorHistory {
  std::string name;
  Eigen::Vector3d at_mm{0, 0, 0};
  std::vector<double> times_s, truth_degC, reading_degC;
  std::optional<double> stopped_s = {};  ///< when its reading ended the protocol
};
/// Cement that followed the ablation.
struct CementRecord {
  double volume_ml = 0;
  double waited_s = 0;  ///< beyond the end of the ablation's own run, until the cavity was warm (cool) enough
  double placed_s = 0;  ///< since the begin of the ablation
  double hottest_degC = 0;  ///< of the cement while it cured
};
/// A scheduled interval that a sensor ended.
struct EndedEarly {
  double from_s = 0, planned_to_s = 0;  ///< as scheduled
  double at_s = 0;                      ///< when it ended, in the time of the run
};
struct EnergyBalance {
  double in_J = 0, stored_J = 0, out_J = 0;  ///< perfusion counts in out
  double relative_residual = 0;              ///< |in - stored - out| / the largest of the three
  /// What larger cells hold more than the smaller ones that they took over from; no flow, but counted in
  /// `in_J` (negative: in `out_J`).
  double regridded_J = 0;
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
  long stages = 0;          ///< evaluations of the right-hand side
  double cell_updates = 0;  ///< active cells, summed over these evaluations
  int field_solves = 0;     ///< of potentials, antennas and light
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
  std::optional<RadiationHistory> radiation = {};
  std::optional<CryoHistory> cryo = {};
  std::vector<EndedEarly> ended_early = {};
  std::vector<SensorHistory> sensors = {};
  std::optional<CementRecord> cement = {};
  EnergyBalance energy;
  ErrorEstimate error_estimate;
  std::vector<std::string> warnings;
  Volume<float> temperature, peak_temperature, lowest_temperature, cem43, arrhenius, potential, power_density;
  Volume<float> freezes;       ///< how often the cell came below 0 degC after having been above
  Volume<float> lowest_twice;  ///< [degC] lowest temperature that two freezes reached; 0 after fewer
  Volume<float> cell_death;    ///< dead fraction of the three-state model
  Volume<float> peak_time_s, lowest_time_s;  ///< when the peak and the lowest temperature were reached
};

}  // namespace spinetherm
