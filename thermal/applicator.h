// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thermal/antenna_field.h"
#include "thermal/roll_off.h"
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
  double off_axis_mm = 0;  ///< to the side given by the roll angle, which a bent tip bends towards
  int tine = 0;            ///< from 1: at the end of that tine, `from_tip_mm` back along it; 0: on the shaft
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
/// freezing: passive thaw). Microwaves and light: power or none.
struct ProtocolStep {
  double duration_s = 0;                 ///< with `until`: at most
  std::optional<double> hold_degC = {};  ///< at the device's control sensor
  std::optional<double> max_W = {};
  std::optional<double> power_W = {};
  std::optional<double> voltage_V = {};
  std::optional<double> duty = {};       ///< (0, 1]: freezing, share of the time in which gas flows
  std::optional<double> thaw_degC = {};  ///< active thaw: temperature of the warm gas or heater
  std::optional<UntilSensor> until = {};
  std::optional<RollOff> roll_off = {};  ///< radiofrequency: power off for a while when the resistance rises
  bool operator==(const ProtocolStep&) const = default;
};
/// Tissue around the poles that infused saline fills: of this conductivity, to this distance from them.
struct SalineHalo {
  double thickness_mm = 0, conductivity_S_per_m = 0;
  bool operator==(const SalineHalo&) const = default;
};
/// What a spine bears of microwaves, and what a bare fibre bears before its tip chars.
constexpr double kMostSpine_W = 40, kMostSpine_s = 300;  // practice: at most 40 W, 1-5 min; liver takes more
constexpr double kMostBareFibre_W = 5;                   // not published in what was read: assumed
struct Protocol {
  std::string modality = "rfa";
  std::vector<ProtocolStep> steps;
  std::optional<SalineHalo> saline_halo = {};  ///< radiofrequency; off by default
  /// Microwaves of more power or time than a spine bears (kMostSpine_W, kMostSpine_s) are asked for.
  bool beyond_spine = false;
  /// Of a plan: numbers of the applicators that follow it, from 0; empty: all of its energy.
  std::vector<int> applicators = {};
  std::optional<double> start_s = {};  ///< of a plan; empty: when the protocol before it ends
  double duration_s() const {
    double sum = 0;
    for (const auto& s : steps) sum += s.duration_s;
    return sum;
  }
  bool operator==(const Protocol&) const = default;
};
/// A protocol among others: when it begins, and the numbers of the applicators that follow it; empty: all.
struct TimedProtocol {
  Protocol protocol;
  double begin_s = 0;
  std::vector<std::size_t> followers = {};
  double end_s() const { return begin_s + protocol.duration_s(); }
  bool follows(std::size_t applicator) const {
    return followers.empty() || std::ranges::count(followers, applicator) > 0;
  }
};
/// The word of a medium that is no tissue: gel of a few per cent, water that does not flow.
inline constexpr std::string_view kWaterGel = "water gel";
/// A uniform medium in which a zone was measured, or is simulated.
struct ZoneMedium {
  std::string tissue;          ///< word of a TissueClass, or kWaterGel
  bool perfused = true;        ///< living; else without blood
  double start_degC = 37;      ///< at the start, and far away
  Provenance provenance = {};  ///< of the condition and of the criterion
  bool operator==(const ZoneMedium&) const = default;
};
/// By which the edge of a zone may be drawn: keys of ThermalResult::zones.
inline constexpr std::array<std::string_view, 6> kZoneCriteria = {"over_60_degC",       "over_50_degC",
                                                                  "cem43_over_240",     "under_0_degC",
                                                                  "under_minus20_degC", "under_minus40_degC"};
struct PublishedZone {
  double length_mm = 0, diameter_mm = 0;
  std::string medium;  ///< tissue and condition in which it was measured
  Provenance provenance;
  std::optional<ZoneMedium> in = {};  ///< the same for a simulation, with what has to be assumed
  std::string criterion = {};         ///< one of kZoneCriteria, which comes nearest; empty: not known
  int steps = 0;  ///< it was measured after so many steps of the standard protocol; 0: after all
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
/// What radiates microwaves: lengths from the tip of the shaft backwards, as in CoaxialAntenna.
struct AntennaPart {
  CoaxialAntenna antenna;
  double cable_loss = 0;                        ///< as in AntennaSource
  std::optional<double> shield_width_deg = {};  ///< of the side away from the roll direction
  double shield_leak = 0.05;
  bool operator==(const AntennaPart&) const = default;
};
/// Where light leaves the fibre.
struct LightPart {
  double from_tip_mm = 0, to_tip_mm = 0;  ///< equal: a bare end
  double wavelength_nm = 980;
  bool operator==(const LightPart&) const = default;
};
/// A tip that bends in an arc towards the roll direction: its last `length_mm` turn by `angle_deg` at full
/// deployment.
struct Articulation {
  double length_mm = 0, angle_deg = 0;
  bool operator==(const Articulation&) const = default;
};
/// Thin electrodes that leave the shaft all around it, each in a plane through its axis: first along the
/// shaft, then outwards in an arc of `bend_radius_mm` that has turned by `turn_deg` at full deployment (a
/// part of it at less). Their ends then lie on a circle of radius shaft / 2 + bend_radius_mm (1 - cos turn).
/// The first one lies towards the roll direction.
struct TineArray {
  int count = 0;
  double diameter_mm = 0, from_tip_mm = 0;  ///< they leave the shaft there
  double bend_radius_mm = 0, turn_deg = 0;
  double polarity = 1;
  bool operator==(const TineArray&) const = default;
};
/// Metal tube through which a device is put: bare metal that carries current and must stay clear of the
/// poles.
struct Cannula {
  double diameter_mm = 0;
  double back_off_mm = 0;  ///< least distance between its end and the active part
  bool operator==(const Cannula&) const = default;
};

/// Catalogue entry of an applicator (datasets/tables/devices.json).
struct Device {
  std::string name;  ///< the word of the command line: "bipolar-cooled-15"
  std::string title, modality;
  double shaft_diameter_mm = 0, length_mm = 0;
  std::vector<DevicePole> poles;
  std::optional<CryoPart> cryo = {};        ///< cryoprobes only
  std::optional<AntennaPart> antenna = {};  ///< microwave devices only
  std::optional<LightPart> light = {};      ///< fibres only
  std::optional<Articulation> articulation = {};
  std::optional<TineArray> tines = {};
  std::optional<Cannula> cannula = {};
  std::vector<DeviceSensor> sensors;  ///< the first one controls
  std::optional<double> cooled_degC = {};
  std::optional<double> max_power_W = {};
  std::optional<double> max_degC = {};
  Protocol protocol;  ///< the standard one
  std::optional<PublishedZone> published_zone = {};
  std::map<std::string, Provenance> provenance = {};
  bool operator==(const Device&) const = default;
};

/// A placed device, LPS mm of the planning image. The tip is where it lies when the device is straight and
/// without tines: a bent tip leaves the line from entry to tip, a tine reaches beyond its end.
struct Applicator {
  std::string device;
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double roll_deg = 0;
  double deployment = 1;  ///< 0..1 of tines or articulation
  /// Where the metal cannula ends that the device was put through; empty: no cannula is left in place.
  std::optional<double> cannula_from_tip_mm = {};
  bool operator==(const Applicator&) const = default;
};
inline Eigen::Vector3d direction(const Applicator& a) { return (a.tip_mm - a.entry_mm).normalized(); }
/// Unit vector across the shaft to which roll_deg points: at roll 0 the side nearest to the head (LPS +z; for
/// a shaft within 1 degree of that axis, to the front, -y), turning clockwise as seen along the shaft from
/// entry to tip.
Eigen::Vector3d roll_direction(const Applicator& applicator);
/// Point on the axis of the shaft, measured from the tip backwards along it: on the arc where a tip is bent.
Eigen::Vector3d on_shaft_mm(const Applicator& applicator, const Device& device, double from_tip_mm);
/// Axis of a stretch of the shaft, from its end nearer to the tip backwards: straight pieces of at most 5
/// degrees of bend each.
std::vector<Eigen::Vector3d> shaft_line_mm(const Applicator& applicator, const Device& device,
                                           double from_tip_mm, double to_tip_mm);
/// Axes of the tines, from the shaft to their ends; none where nothing is deployed.
std::vector<std::vector<Eigen::Vector3d>> tine_lines_mm(const Applicator& applicator, const Device& device);
/// Stretch along the line from entry to tip that the active part covers at full deployment, from the tip
/// backwards: below 0 where tines reach beyond the tip. Of an antenna it reaches from the tip as far behind
/// the slot, where the zone has its middle; of a fibre it is the stretch that light leaves. Empty for any
/// other device without poles and tines.
std::optional<std::array<double, 2>> active_stretch_mm(const Device& device);
/// Centre of the active part: where the zone is centred. The middle of all poles or of the part that cools
/// along the shaft, of tines the middle of their reach on its axis; the tip of a device without any.
Eigen::Vector3d active_centre_mm(const Applicator& applicator, const Device& device);
/// Position [mm] of a sensor of a placed device.
Eigen::Vector3d sensor_mm(const Applicator& applicator, const Device& device, const DeviceSensor& sensor);

/// Throws ConfigError naming the field that breaks its rule.
void validate(const Device& device);
void validate(const Protocol& protocol, const Device& device);

}  // namespace spinetherm
