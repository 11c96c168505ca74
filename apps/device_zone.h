// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imaging/core/progress.h"
#include "thermal/applicator.h"
#include "thermal/problem.h"

namespace spinetherm {

/// The grids and the margin are those of a patient's simulation (job.h).
struct DeviceZoneOptions {
  int threads = 0;
  double spacing_mm = 1;
  double patch_mm = 0.5;   ///< of the cells beside a device that heats; not below spacing_mm: no patch
  double margin_mm = 36;   ///< around the active part; 1.6 times as wide for cold and microwaves
  int most_widenings = 2;  ///< how often the block grows to 1.4 times when heat or cold reaches its faces
  bool error_estimate = true;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// What the engine makes of a device in a uniform block; begins as "not simulated".
struct DeviceZone {
  ZoneMedium medium;
  std::string criterion;                   ///< one of kZoneCriteria
  int steps = 0;                           ///< of the standard protocol, that were simulated
  std::optional<double> length_mm = {};    ///< along the shaft; 0: no tissue reached the criterion
  std::optional<double> diameter_mm = {};  ///< across it, mean of two directions
  bool cut_by_box = false;                 ///< both are lower bounds
  std::optional<double> error_radius_mm =
      {};                                ///< how far the radius of the zone is off, see estimate_error()
  std::string reason = "not simulated";  ///< why there is no zone; empty: there is
  int widenings = 0;                     ///< runs that were repeated in a larger block
  int steps_taken = 0;                   ///< of the engine, in the last of them
  double wall_time_s = 0;
  std::vector<std::string> warnings = {};
};

/// The medium and the criterion of the published zone. Where they are not known: living cancellous bone of
/// grade 1, and what coverage counts (a dose of 240 min; ice -20 degC).
ZoneMedium zone_medium(const Device& device);
std::string zone_criterion(const Device& device);

/// The device along z, straight, its tines deployed, in the middle of a uniform block of its medium that is
/// at rest on its faces. No cannula, no neighbours: a zone in a patient differs. ConfigError for a medium
/// that nobody knows, or that lacks what the energy needs.
ThermalProblem device_zone_problem(const Device& device, const DeviceZoneOptions& options, double wider = 1);

/// The zone of the standard protocol, as many steps of it as the published zone had. Nothing of it is fitted
/// to that zone. A run that ends without a result gives no zone, and the reason.
DeviceZone simulated_zone(const Device& device, const DeviceZoneOptions& options = {},
                          const Progress& progress = {});

/// 100 (simulated / published - 1); empty where one of them is not known.
std::optional<double> deviation_percent(std::optional<double> simulated, std::optional<double> published);

}  // namespace spinetherm
