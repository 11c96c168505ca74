// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <optional>
#include <string>
#include <vector>

#include "thermal/tissue.h"

namespace spinetherm {

/// A metal pole of a device: a stretch of the shaft, measured from the tip backwards.
struct DevicePole {
  double from_tip_mm = 0, to_tip_mm = 0;
  double diameter_mm = 0;
  double polarity = 1;  ///< +1, -1; monopolar devices have +1 poles only
  bool operator==(const DevicePole&) const = default;
};
struct DeviceSensor {
  std::string name;
  double from_tip_mm = 0;  ///< along the shaft, backwards from the tip
  double off_axis_mm = 0;  ///< to the side given by the roll angle
  bool operator==(const DeviceSensor&) const = default;
};
/// Ends a step before its time: when the temperature at a sensor comes below (above) a bound. The sensor is
/// one of a device, by name (that of the first applicator that has it), or a place.
struct UntilSensor {
  std::string sensor = {};
  std::optional<Eigen::Vector3d> at_mm = {};
  std::optional<double> below_degC = {}, above_degC = {};  ///< one of them
  bool operator==(const UntilSensor&) const = default;
};
/// One timed step. At most one of hold, power, voltage, duty, thaw temperature; none: switched off (after
/// freezing: passive thaw).
struct ProtocolStep {
  double duration_s = 0;                 ///< with `until`: at most
  std::optional<double> hold_degC = {};  ///< at the device's control sensor
  std::optional<double> max_W = {};
  std::optional<double> power_W = {};
  std::optional<double> voltage_V = {};
  std::optional<double> duty = {};       ///< (0, 1]: freezing, share of the time in which gas flows
  std::optional<double> thaw_degC = {};  ///< active thaw: temperature of the warm gas or heater
  std::optional<UntilSensor> until = {};
  bool operator==(const ProtocolStep&) const = default;
};
struct Protocol {
  std::string modality = "rfa";
  std::vector<ProtocolStep> steps;
  double duration_s() const {
    double sum = 0;
    for (const auto& s : steps) sum += s.duration_s;
    return sum;
  }
  bool operator==(const Protocol&) const = default;
};
struct PublishedZone {
  double length_mm = 0, diameter_mm = 0;
  std::string medium;  ///< tissue and condition in which it was measured
  Provenance provenance;
  bool operator==(const PublishedZone&) const = default;
};

/// What cools: a stretch of the shaft in which gas expands. Meaning of the numbers as in CryoprobeSource.
struct CryoPart {
  double from_tip_mm = 0, to_tip_mm = 0;
  double gas_degC = -150;
  double film_W_per_m2_K = 0;
  double max_W_per_m = 0;
  double ramp_s = 30;
  bool operator==(const CryoPart&) const = default;
};

/// Catalogue entry of an applicator (datasets/tables/devices.json).
struct Device {
  std::string name;  ///< the word of the command line: "bipolar-cooled-15"
  std::string title, modality;
  double shaft_diameter_mm = 0, length_mm = 0;
  std::vector<DevicePole> poles;
  std::optional<CryoPart> cryo = {};  ///< cryoprobes only
  std::vector<DeviceSensor> sensors;  ///< the first one controls
  std::optional<double> cooled_degC = {};
  std::optional<double> max_power_W = {};
  std::optional<double> max_degC = {};
  Protocol protocol;  ///< the standard one
  std::optional<PublishedZone> published_zone = {};
  std::map<std::string, Provenance> provenance = {};
  bool operator==(const Device&) const = default;
};

/// A placed device, LPS mm of the planning image.
struct Applicator {
  std::string device;
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double roll_deg = 0;
  double deployment = 1;  ///< 0..1 of tines or articulation
  bool operator==(const Applicator&) const = default;
};
inline Eigen::Vector3d direction(const Applicator& a) { return (a.tip_mm - a.entry_mm).normalized(); }
/// Point on the shaft, measured from the tip backwards.
inline Eigen::Vector3d on_shaft_mm(const Applicator& a, double from_tip_mm) {
  return a.tip_mm - from_tip_mm * direction(a);
}
/// Unit vector across the shaft to which roll_deg points: at roll 0 the side nearest to the head (LPS +z; for
/// a shaft within 1 degree of that axis, to the front, -y), turning clockwise as seen along the shaft from
/// entry to tip.
Eigen::Vector3d roll_direction(const Applicator& applicator);
/// Centre of the active part: where the zone is centred. The middle of all poles, or of the part that cools;
/// the tip of a device without either.
Eigen::Vector3d active_centre_mm(const Applicator& applicator, const Device& device);
/// Position [mm] of a sensor of a placed device.
Eigen::Vector3d sensor_mm(const Applicator& applicator, const DeviceSensor& sensor);

/// Throws ConfigError naming the field that breaks its rule.
void validate(const Device& device);
void validate(const Protocol& protocol, const Device& device);

}  // namespace spinetherm
