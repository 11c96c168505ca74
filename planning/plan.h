// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "thermal/applicator.h"
#include "thermal/region.h"
#include "thermal/virtual_sensor.h"

namespace spinetherm {

/// A sensor of its own, besides those of the device.
struct Thermocouple {
  Eigen::Vector3d at_mm{0, 0, 0};
  double lag_s = 0;
  std::optional<double> stop_above_degC = {}, stop_below_degC = {};
  double stem = 0, pickup_K_per_W = 0;  ///< its errors, see VirtualSensor
  bool operator==(const Thermocouple&) const = default;
};
/// Temperature of a place from MR images.
struct MrThermometry {
  Eigen::Vector3d at_mm{0, 0, 0};
  double noise_K = 1, period_s = 5;
  std::optional<double> stop_above_degC = {};
  std::uint32_t seed = 1;
  bool operator==(const MrThermometry&) const = default;
};
/// Evoked potentials: an alarm that comes some time after neural tissue at a place has become too hot or
/// cold.
struct Neuromonitoring {
  Eigen::Vector3d at_mm{0, 0, 0};
  double delay_s = 0;
  std::optional<double> alarm_above_degC = {}, alarm_below_degC = {};
  bool operator==(const Neuromonitoring&) const = default;
};
/// Fluid or gas that holds a structure away. Where its shape is known it takes the place of soft tissue in
/// the simulation, see dissection.h.
struct Dissection {
  std::string medium;  ///< "D5W", "CO2", "saline"
  std::string region;  ///< "anterior epidural space L3"
  std::optional<double> temperature_degC = {};
  std::optional<Region> shape = {};
  bool operator==(const Dissection&) const = default;
};
using Protection = std::variant<Thermocouple, Dissection, MrThermometry, Neuromonitoring>;

/// Augmentation after the ablation.
struct Cement {
  double volume_ml = 0;
  Eigen::Vector3d at_mm{0, 0, 0};
  std::string material = "PMMA";
  bool operator==(const Cement&) const = default;
};

/// What a search or a simulation found; empty: not computed.
struct PlanScore {
  std::optional<double> geometric = {};  ///< penalty of the path; smaller is better
  std::optional<double> coverage = {}, min_margin_mm = {};
  std::optional<std::string> verdict = {};
  bool operator==(const PlanScore&) const = default;
};

enum class PlanState { proposed, accepted };
constexpr std::string_view to_string(PlanState s) {
  return s == PlanState::accepted ? "accepted" : "proposed";
}

/// `spinetherm.plan`: what is put where, what it does and how the patient is protected. LPS mm of the
/// planning image.
struct Plan {
  std::string case_path;                ///< as written in the file; empty: none
  std::vector<Applicator> applicators;  ///< 1 to 8
  std::vector<Protocol> protocol;       ///< one after the other, or from their start_s
  std::vector<Protection> protections = {};
  std::optional<Cement> cement = {};
  PlanScore score = {};
  PlanState state = PlanState::proposed;
  bool operator==(const Plan&) const = default;
};

bool has_sensor(const Plan& plan);  ///< one that measures temperature
/// What its protections measure, named by kind and number ("thermocouple 1").
std::vector<VirtualSensor> virtual_sensors(const std::vector<Protection>& protections);
bool has_dissection(const Plan& plan);

/// A part of an applicator: all points within `radius_mm` of a line of straight pieces.
struct RoundLine {
  /// At least one point.
  RoundLine(std::vector<Eigen::Vector3d> points_mm_, double radius_mm_);

  std::vector<Eigen::Vector3d> points_mm;
  double radius_mm = 0;
  Eigen::Vector3d middle_mm{0, 0, 0};
  double reach_mm = 0;  ///< all of it lies so near to its middle
};
/// An applicator with its catalogue entry, and the lines of both, which are worked out once: distances to
/// them are asked for cell by cell. Another applicator or device needs another of these.
struct PlacedDevice {
  PlacedDevice(Applicator applicator_, Device device_);

  Applicator applicator;
  Device device;
  std::vector<RoundLine> shaft;   ///< entry to tip, along the bend, with the tines
  std::vector<RoundLine> active;  ///< the part that heats or cools; empty: not known
};
/// Looks up every applicator's device. ConfigError with the known names for a device nobody knows.
std::vector<PlacedDevice> placed_devices(const Plan& plan, const std::vector<Device>& catalogue);

/// Stretch of a shaft that heats or cools, from the tip backwards [mm]; below 0 where tines reach beyond it.
struct ActivePart {
  double from_tip_mm = 0, to_tip_mm = 0;
  double diameter_mm = 0;
  double centre_mm() const { return (from_tip_mm + to_tip_mm) / 2; }
};
/// The hull of poles and tines, or the part that cools; of a device without any the published zone's length
/// up to the tip; empty when the catalogue tells neither.
std::optional<ActivePart> active_part(const Device& device);

/// Distance [mm] from a point to the surface of the shaft (entry to tip, along the bend, tines included),
/// negative inside. `at_most_mm` comes back for all that is farther away, sooner than a distance would.
double shaft_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm,
                         double at_most_mm = std::numeric_limits<double>::infinity());
/// Distance [mm] to the surface of the active part, likewise; empty when it is not known.
std::optional<double> active_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm,
                                         double at_most_mm = std::numeric_limits<double>::infinity());

/// ConfigError with a JSON pointer: no applicator, entry equal to tip, not finite, deployment out of 0..1, no
/// protocol, a lag below 0.
void validate(const Plan& plan, const std::string& where = "plan");

}  // namespace spinetherm
