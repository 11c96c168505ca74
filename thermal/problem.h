// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "thermal/antenna_field.h"
#include "thermal/region.h"
#include "thermal/roll_off.h"
#include "thermal/tissue.h"
#include "thermal/virtual_sensor.h"

namespace spinetherm {

struct Blood {
  double density_kg_per_m3 = 1050, specific_heat_J_per_kg_K = 3617, temperature_degC = 37;
  bool operator==(const Blood&) const = default;
};

enum class BoundaryKind { fixed, insulated, convective };
/// Condition on an outer face of the box (the outer faces of the outer cells).
struct Boundary {
  BoundaryKind kind = BoundaryKind::fixed;
  double degC = 37;
  double h_W_per_m2_K = 0;  ///< convective only
  bool operator==(const Boundary&) const = default;
};
enum BoxFace { x_min, x_max, y_min, y_max, z_min, z_max };

/// [from, to] seconds in which a source acts; empty list: always.
using ActiveTimes = std::vector<std::array<double, 2>>;
/// (time s, value) corners of a piecewise linear curve; constant before the first and after the last.
using Curve = std::vector<std::array<double, 2>>;

struct VolumetricSource {
  Volume<float> power_W_per_m3;  ///< on the problem's grid
  bool operator==(const VolumetricSource&) const = default;
};
struct PointSource {
  double power_W = 0;
  Eigen::Vector3d at_mm{0, 0, 0};
  bool operator==(const PointSource&) const = default;
};
struct GaussianSource {
  double power_W = 0, sigma_mm = 1;
  Eigen::Vector3d at_mm{0, 0, 0};
  bool operator==(const GaussianSource&) const = default;
};
struct BoxSource {
  double power_W = 0;
  Eigen::Vector3d centre_mm{0, 0, 0}, half_mm{1, 1, 1};
  bool operator==(const BoxSource&) const = default;
};
struct LineSource {
  double W_per_m = 0;  ///< negative cools
  Eigen::Vector3d a_mm{0, 0, 0}, b_mm{0, 0, 0};
  bool operator==(const LineSource&) const = default;
};
struct FixedTemperatureSource {
  Region region;
  Curve degC = {{0, 37}};
  bool insulated_when_off = false;  ///< "after": "insulated" (a hole) or "tissue"
  bool operator==(const FixedTemperatureSource&) const = default;
};
struct Electrode {
  Region region;
  double potential_V = 0;                  ///< sign and ratio; scaled by the control
  std::optional<double> cooled_degC = {};  ///< empty: the wall passes no heat
  /// Metal that no generator holds (a cannula, a screw): the potential at which no net current leaves it.
  bool floating = false;
  bool operator==(const Electrode&) const = default;
};
struct ConstantVoltage {
  bool operator==(const ConstantVoltage&) const = default;
};
struct ConstantPower {
  double power_W = 0;
  bool operator==(const ConstantPower&) const = default;
};
struct HoldTemperature {
  double degC = 70;
  Eigen::Vector3d sensor_mm{0, 0, 0};
  double max_W = 20;
  bool operator==(const HoldTemperature&) const = default;
};
using ElectrodeControl = std::variant<ConstantVoltage, ConstantPower, HoldTemperature>;
/// One output of the generator with a control of its own.
struct ElectrodeChannel {
  std::vector<int> electrodes;  ///< their numbers; no electrode belongs to two channels
  ElectrodeControl control = ConstantVoltage{};
  std::optional<RollOff> roll_off = {};
  /// Number of the output, by which its history is kept and its controller goes on in the next source that
  /// acts; empty: its place in the list.
  std::optional<int> output = {};
  bool operator==(const ElectrodeChannel&) const = default;
};
/// div(sigma grad V) = 0 outside the electrodes, q = sigma |grad V|^2. Thin tubes (radius below half a cell)
/// are lines of current to the field, and no obstacle to the heat.
struct ElectrodesSource {
  std::vector<Electrode> electrodes;
  std::vector<Region> insulators = {};  ///< shaft and gaps between poles: no current, no heat
  bool outer_grounded = true;           ///< else insulated
  ElectrodeControl control = ConstantVoltage{};
  std::optional<RollOff> roll_off = {};
  /// Not empty: instead of `control` and `roll_off`. Every electrode that does not float has one. All outputs
  /// share their zero of potential (the pad, or the middle between the poles of bipolar probes); one that
  /// gives no power is an open circuit.
  std::vector<ElectrodeChannel> channels = {};
  bool operator==(const ElectrodesSource&) const = default;
};

/// A cryoprobe: a straight shaft whose active stretch is cooled by expanding gas (Joule-Thomson) from inside,
/// through a film and with a limited extraction of heat; see film_wall.h for the law. The rest of the shaft
/// passes no heat, and neither does the active stretch while the source does not act (passive thaw). A gas
/// that is warm thaws actively. Sources with the same entry and tip are steps of one probe.
struct CryoprobeSource {
  std::string device = {};  ///< its name in the catalogue; the numbers below are what counts
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double diameter_mm = 0;
  double active_from_tip_mm = 0, active_to_tip_mm = 0;
  double gas_degC = 37;
  double film_W_per_m2_K = 0;  ///< between gas and tissue
  double max_W_per_m = 0;      ///< of the active stretch: most heat that the gas takes (warm: gives)
  double ramp_s = 0;           ///< in which the gas reaches its temperature, from that of the wall
  double duty = 1;             ///< (0, 1]: share of the time in which gas flows; scales film and limit
  bool operator==(const CryoprobeSource&) const = default;
};

/// A wall of conductive material on one side of an antenna: towards its middle the field is that of the bare
/// antenna times `leak`, and the power that is missing there goes to the open side.
struct AntennaShield {
  Eigen::Vector3d towards{1, 0, 0};  ///< from the axis to the middle of the shielded side
  double width_deg = 180;            ///< of the shielded side
  double leak = 0.05;                ///< of the power density
  bool operator==(const AntennaShield&) const = default;
};
/// A coaxial antenna: its field in the tissue around it by antenna_field.h, its heating sigma |E|^2 / 2,
/// which follows the tissue; see radiation_drive.h. The shaft is cooled or passes no heat. Sources with the
/// same entry, tip and antenna share the field.
struct AntennaSource {
  std::string device = {};  ///< its name in the catalogue; the numbers below are what counts
  CoaxialAntenna antenna;
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double power_W = 0;     ///< of the generator, into the cable of the shaft
  double cable_loss = 0;  ///< [0, 1): part of what travels along the shaft that heats it, each way
  std::optional<double> cooled_degC = {};  ///< coolant, which takes the heat of the shaft; empty: tissue does
  std::optional<AntennaShield> shield = {};
  bool operator==(const AntennaSource&) const = default;
};
/// Light from a fibre, which scatters and is absorbed; see light_field.h. It leaves evenly all around the
/// stretch from a to b, which is a point where they are one.
struct LightSource {
  std::string device = {};  ///< its name in the catalogue; the numbers below are what counts
  double power_W = 0;       ///< that leaves the fibre
  double wavelength_nm = 980;
  Eigen::Vector3d a_mm{0, 0, 0}, b_mm{0, 0, 0};
  double radius_mm = 0;  ///< of the catheter or the bare fibre; 0: takes no room
  std::optional<Eigen::Vector3d> entry_mm = {},
                                 tip_mm = {};  ///< of the catheter; empty: a and b are its ends
  std::optional<double> cooled_degC = {};  ///< of the wall while the source acts; empty: it passes no heat
  bool operator==(const LightSource&) const = default;
};

/// One source of heat or cold; all sources of a problem act in one joint solve. Part of the heat equation
///   dH/dt = div(k grad T) + w rho_b c_b (T_b - T) + q_m + q
struct Source {
  std::variant<VolumetricSource, PointSource, GaussianSource, BoxSource, LineSource, FixedTemperatureSource,
               ElectrodesSource, CryoprobeSource, AntennaSource, LightSource>
      what = PointSource{};
  ActiveTimes active_s = {};
  /// Factor on a power over the time of the run; empty: 1. For sources of a given power (volumetric, point,
  /// gaussian, box, line) only.
  Curve scale = {};
  bool operator==(const Source&) const = default;
};
bool is_active(const Source& source, double t_s);
/// Its power density comes from a field in the tissue: electrodes, antennas, light.
bool has_field(const Source& source);

/// A step that lasts until a sensor says so: as soon as the temperature at `sensor_mm` is below (above) the
/// bound within the scheduled interval, what is left of the interval is left out, and everything scheduled
/// later comes earlier by as much. Sources, curves and `duration_s` are scheduled; samples are not moved.
struct EarlyEnd {
  std::array<double, 2> between_s{0, 0};
  Eigen::Vector3d sensor_mm{0, 0, 0};
  std::optional<double> below_degC = {}, above_degC = {};  ///< one of them
  bool operator==(const EarlyEnd&) const = default;
};

/// Points and times at which the result is sampled: tricubic inside one tissue, linear across tissue faces.
struct Sampling {
  std::vector<Eigen::Vector3d> points_mm;
  std::vector<double> times_s;
  bool operator==(const Sampling&) const = default;
};

struct OutputFields {
  bool temperature = false, peak_temperature = false, lowest_temperature = false, cem43 = false,
       arrhenius = false, potential = false, power_density = false;
  bool freezes = false, lowest_twice = false;  ///< see FreezeHistory
  bool cell_death = false;                     ///< see CellDeath
  bool operator==(const OutputFields&) const = default;
};

/// A bare thermal problem on an axis-aligned LPS grid (direction = identity); see design.md section 5.
struct ThermalProblem {
  TissueMap tissue_map;  ///< its label volume carries the grid
  /// Finer cells around the applicators, in place of those of the grid: their labels and factors, with the
  /// tissues of the map. Fields of the result have the grid's cells; see fine_patch.h.
  std::optional<TissueMap> patch = {};
  Blood blood;
  double initial_degC = 37;
  Volume<float> initial_field = {};  ///< not empty: instead of initial_degC
  std::array<Boundary, 6> boundary = {};
  std::vector<Source> sources;
  std::vector<EarlyEnd> early_ends = {};
  /// What measures. Controls and early ends whose sensor lies at the same place read these instead of the
  /// tissue.
  std::vector<VirtualSensor> sensors = {};
  double duration_s = 0;
  /// Go on after duration_s (or from 0 when duration_s is 0) until no cell adds dose: heat below 39 degC,
  /// cold above 0 degC, total dose change below 0.1 %, at least 60 s.
  bool until_dose_settled = false;
  bool cem43_quarter_below_39 = false;  ///< R = 0.25 below 39 degC too, as the benchmark peers count
  bool voxel_applicators = false;       ///< whole cells, no sub-cell geometry
  Sampling sample;
  OutputFields fields;
  const Grid& grid() const { return tissue_map.labels.grid; }
  bool operator==(const ThermalProblem&) const = default;
};

/// Throws ConfigError with the JSON pointer of the first rule that is broken: everything that can be known
/// before the first step (properties that the sources need, regions outside the grid, electrodes that touch
/// ...).
void validate(const ThermalProblem& problem);

}  // namespace spinetherm
