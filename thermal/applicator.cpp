// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/tissue_class.h"
#include "imaging/core/units.h"
#include "thermal/radiation_law.h"

namespace spinetherm {
namespace {

void require_at(bool holds, const std::string& where, double value, std::string_view rule) {
  if (!holds) throw ConfigError(fmt::format("{} is out of range", value), where, std::string(rule));
}

void validate_poles(const Device& d, const std::string& where) {
  for (std::size_t n = 0; n < d.poles.size(); ++n) {
    const DevicePole& p = d.poles[n];
    const std::string at = fmt::format("{}/poles/{}", where, n);
    require_at(p.from_tip_mm >= 0, at + "/from_tip_mm", p.from_tip_mm, "at least 0 mm");
    require_at(p.to_tip_mm > p.from_tip_mm && p.to_tip_mm <= d.length_mm, at + "/to_tip_mm", p.to_tip_mm,
               "beyond from_tip_mm and within length_mm");
    require_at(p.diameter_mm > 0 && p.diameter_mm < 20, at + "/diameter_mm", p.diameter_mm,
               "above 0 and below 20 mm");
    require_at(p.polarity == 1 || p.polarity == -1, at + "/polarity", p.polarity, "1 or -1");
    for (std::size_t m = 0; m < n; ++m)
      if (p.from_tip_mm < d.poles[m].to_tip_mm && d.poles[m].from_tip_mm < p.to_tip_mm)
        throw ConfigError(fmt::format("poles {} and {} overlap", m, n), at, "give stretches that do not");
  }
}

void validate_cryo(const Device& d, const std::string& where) {
  const CryoPart& c = *d.cryo;
  require_at(c.from_tip_mm >= 0, where + "/from_tip_mm", c.from_tip_mm, "at least 0 mm");
  require_at(c.to_tip_mm > c.from_tip_mm && c.to_tip_mm <= d.length_mm, where + "/to_tip_mm", c.to_tip_mm,
             "beyond from_tip_mm and within length_mm");
  require_at(c.gas_degC > -200 && c.gas_degC < 0, where + "/gas_degC", c.gas_degC, "between -200 and 0 degC");
  require_at(c.film_W_per_m2_K > 0 && std::isfinite(c.film_W_per_m2_K), where + "/film_W_per_m2_K",
             c.film_W_per_m2_K, "above 0 W/m2/K");
  require_at(c.max_W_per_m > 0 && std::isfinite(c.max_W_per_m), where + "/max_W_per_m", c.max_W_per_m,
             "above 0 W/m");
  require_at(c.ramp_s >= 0 && std::isfinite(c.ramp_s), where + "/ramp_s", c.ramp_s, "at least 0 s");
}

void validate_antenna(const Device& d, const std::string& where) {
  const AntennaPart& a = *d.antenna;
  try {
    validate(a.antenna);
  } catch (Error& e) {
    e.within(where);
    throw;
  }
  const std::string at = where + "/antenna";
  require_at(is_microwave_MHz(a.antenna.frequency_MHz), at + "/frequency_MHz", a.antenna.frequency_MHz,
             "tissue is known at 915 and 2450 MHz (within 5 %)");
  require_at(a.antenna.slot_to_tip_mm < d.length_mm, at + "/slot_to_tip_mm", a.antenna.slot_to_tip_mm,
             "below length_mm");
  require_at(
      std::abs(d.shaft_diameter_mm - 2 * a.antenna.catheter_radius_mm) < 1e-6, where + "/shaft_diameter_mm",
      d.shaft_diameter_mm,
      fmt::format("twice catheter_radius_mm of the antenna, {:g} mm", 2 * a.antenna.catheter_radius_mm));
  require_at(a.cable_loss >= 0 && a.cable_loss < 1, where + "/cable_loss", a.cable_loss,
             "a share of 0 or above and below 1");
  if (a.shield_width_deg) {
    require_at(*a.shield_width_deg > 0 && *a.shield_width_deg < 360, where + "/shield/width_deg",
               *a.shield_width_deg, "between 0 and 360 degrees");
    require_at(a.shield_leak >= 0 && a.shield_leak <= 1, where + "/shield/leak", a.shield_leak,
               "a share between 0 and 1");
  }
}

void validate_light(const Device& d, const std::string& where) {
  const LightPart& l = *d.light;
  require_at(l.from_tip_mm >= 0, where + "/light/from_tip_mm", l.from_tip_mm, "at least 0 mm");
  require_at(l.to_tip_mm >= l.from_tip_mm && l.to_tip_mm <= d.length_mm, where + "/light/to_tip_mm",
             l.to_tip_mm, "from from_tip_mm to length_mm");
  require_at(l.wavelength_nm == 980 || l.wavelength_nm == 1064, where + "/light/wavelength_nm",
             l.wavelength_nm, "tissue is known at 980 and 1064 nm");
  if (l.to_tip_mm > l.from_tip_mm && !d.cooled_degC)
    throw ConfigError("a diffusing fibre without a coolant", where + "/cooled_degC",
                      "give its temperature, or make from_tip_mm and to_tip_mm equal for a bare end");
}

bool radiates(const Device& d) { return d.modality == "mwa" || d.modality == "laser"; }

/// What radiates belongs to its own energy, and has nothing of the others.
void validate_radiation(const Device& d, const std::string& where) {
  const auto own = [&](bool there, bool wanted, const char* what, const char* key) {
    if (there && !wanted)
      throw ConfigError(fmt::format("{} in a device of '{}'", what, d.modality), where + key, "remove it");
    if (wanted && !there)
      throw ConfigError(fmt::format("a device of '{}' without {}", d.modality, what), where + key,
                        "describe it");
  };
  own(d.antenna.has_value(), d.modality == "mwa", "an antenna", "/antenna");
  own(d.light.has_value(), d.modality == "laser", "a part that gives light", "/light");
  if (radiates(d)) {
    own(!d.poles.empty(), false, "metal poles", "/poles");
    own(d.tines.has_value(), false, "tines", "/tines");
    own(d.cryo.has_value(), false, "a part that cools", "/cryo");
    own(d.articulation.has_value(), false, "a tip that bends", "/articulation");
  }
  if (d.antenna) validate_antenna(d, where);
  if (d.light) validate_light(d, where);
}

void validate_radiating_step(const ProtocolStep& s, const Protocol& protocol, const Device& device,
                             const std::string& at) {
  const auto refuse = [&](bool given, const char* key) {
    if (given)
      throw ConfigError(fmt::format("{} is driven by its power alone", device.name), at + key,
                        "give power_W, or nothing for a pause");
  };
  refuse(s.hold_degC.has_value(), "/hold_degC");
  refuse(s.max_W.has_value(), "/max_W");
  refuse(s.voltage_V.has_value(), "/voltage_V");
  refuse(s.duty.has_value(), "/duty");
  refuse(s.thaw_degC.has_value(), "/thaw_degC");
  refuse(s.roll_off.has_value(), "/roll_off");
  if (!s.power_W) return;
  const bool strong = *s.power_W > kMostSpine_W;
  if (device.modality == "mwa" && !protocol.beyond_spine && (strong || s.duration_s > kMostSpine_s))
    throw ConfigError(fmt::format("{:g} W for {:g} s is more than a spine bears", *s.power_W, s.duration_s),
                      at + (strong ? "/power_W" : "/duration_s"),
                      fmt::format("at most {:g} W for {:g} min; set beyond_spine to run a liver preset",
                                  kMostSpine_W, kMostSpine_s / 60));
  if (device.modality == "laser" && !device.cooled_degC && *s.power_W > kMostBareFibre_W)
    throw ConfigError(fmt::format("{:g} W chars the tip of a bare fibre", *s.power_W), at + "/power_W",
                      fmt::format("at most {:g} W with {}; a cooled fibre, which has cooled_degC, bears more",
                                  kMostBareFibre_W, device.name));
}

void validate_cold_step(const ProtocolStep& s, const Device& device, const std::string& at) {
  if ((s.duty || s.thaw_degC) && !device.cryo)
    throw ConfigError(fmt::format("{} has no gas", device.name), at + (s.duty ? "/duty" : "/thaw_degC"),
                      "freeze and thaw with cryoprobes");
  if (device.cryo && (s.hold_degC || s.power_W || s.voltage_V))
    throw ConfigError(fmt::format("{} does not heat", device.name), at, "give duty, thaw_degC or neither");
  if (s.duty) require_at(*s.duty > 0 && *s.duty <= 1, at + "/duty", *s.duty, "above 0, at most 1");
  if (s.thaw_degC)
    require_at(*s.thaw_degC > 0 && *s.thaw_degC < 100, at + "/thaw_degC", *s.thaw_degC,
               "above 0, below 100 degC");
}

void validate_until(const UntilSensor& u, const std::string& at) {
  if (u.sensor.empty() != u.at_mm.has_value())
    throw ConfigError(u.at_mm ? "a sensor named and placed" : "no sensor", at, "give one of sensor, at_mm");
  if (u.at_mm && !u.at_mm->allFinite())
    throw ConfigError("the sensor's place is not a number", at + "/at_mm", "give three millimetres");
  if (u.below_degC.has_value() == u.above_degC.has_value())
    throw ConfigError(u.below_degC ? "two bounds" : "no bound", at, "give one of below_degC, above_degC");
  const double bound = u.below_degC ? *u.below_degC : *u.above_degC;
  require_at(bound > -273.15 && bound < 1000, at + (u.below_degC ? "/below_degC" : "/above_degC"), bound,
             "degrees Celsius between -273 and 1000");
}

void validate_shape(const Device& d, const std::string& where) {
  if (d.articulation) {
    const Articulation& a = *d.articulation;
    require_at(a.length_mm > 0 && a.length_mm < d.length_mm, where + "/articulation/length_mm", a.length_mm,
               "above 0 and below length_mm");
    require_at(a.angle_deg > 0 && a.angle_deg <= 120, where + "/articulation/angle_deg", a.angle_deg,
               "above 0, at most 120 degrees");
    // A tighter arc than its own thickness would run into itself.
    require_at(a.length_mm / (a.angle_deg * kPi / 180) > d.shaft_diameter_mm,
               where + "/articulation/angle_deg", a.angle_deg,
               "bend less: the arc's radius must be above the shaft's diameter");
  }
  if (d.tines) {
    const TineArray& t = *d.tines;
    const std::string at = where + "/tines";
    require_at(t.count >= 1 && t.count <= 32, at + "/count", t.count, "from 1 to 32");
    require_at(t.diameter_mm > 0 && t.diameter_mm < d.shaft_diameter_mm, at + "/diameter_mm", t.diameter_mm,
               "above 0 and below the shaft's");
    require_at(t.from_tip_mm >= 0 && t.from_tip_mm < d.length_mm, at + "/from_tip_mm", t.from_tip_mm,
               "from 0 to length_mm");
    require_at(t.bend_radius_mm > t.diameter_mm && t.bend_radius_mm < 100, at + "/bend_radius_mm",
               t.bend_radius_mm, "above the tine's diameter and below 100 mm");
    require_at(t.turn_deg > 0 && t.turn_deg <= 180, at + "/turn_deg", t.turn_deg,
               "above 0, at most 180 degrees");
    require_at(t.polarity == 1 || t.polarity == -1, at + "/polarity", t.polarity, "1 or -1");
    if (d.articulation) throw ConfigError("a bent tip with tines", at, "a device has the one or the other");
  }
  if (d.cannula) {
    require_at(d.cannula->diameter_mm > d.shaft_diameter_mm && d.cannula->diameter_mm < 20,
               where + "/cannula/diameter_mm", d.cannula->diameter_mm, "above the shaft's and below 20 mm");
    require_at(d.cannula->back_off_mm >= 0 && d.cannula->back_off_mm < d.length_mm,
               where + "/cannula/back_off_mm", d.cannula->back_off_mm, "from 0 to length_mm");
  }
}

/// Angle [rad] by which the tip is bent; 0: straight.
double bend_rad(const Applicator& applicator, const Device& device) {
  return device.articulation ? applicator.deployment * device.articulation->angle_deg * kPi / 180 : 0;
}

/// Straight pieces of an arc: 5 degrees each keep within 0.1 % of its radius.
int pieces_of_arc(double angle_rad) {
  return std::max(1, int(std::ceil(angle_rad / (5 * kPi / 180) - 1e-9)));
}

struct ShaftFrame {
  Eigen::Vector3d at_mm, aside;  ///< on the axis; across it, towards the inside of the bend
};
ShaftFrame frame_at(const Applicator& applicator, const Device& device, double from_tip_mm) {
  const Eigen::Vector3d along = direction(applicator), aside = roll_direction(applicator);
  const double angle = bend_rad(applicator, device);
  const double bent_mm = device.articulation ? device.articulation->length_mm - from_tip_mm : 0;
  if (!(angle > 0) || bent_mm <= 0) return {applicator.tip_mm - from_tip_mm * along, aside};
  const double radius = device.articulation->length_mm / angle, a = bent_mm / radius;
  const Eigen::Vector3d start = applicator.tip_mm - device.articulation->length_mm * along;
  return {start + radius * (std::sin(a) * along + (1 - std::cos(a)) * aside),
          std::cos(a) * aside - std::sin(a) * along};
}

}  // namespace

Eigen::Vector3d roll_direction(const Applicator& applicator) {
  const Eigen::Vector3d along = direction(applicator);
  const auto across = [&](const Eigen::Vector3d& v) { return (v - v.dot(along) * along).eval(); };
  Eigen::Vector3d zero = across(Eigen::Vector3d::UnitZ());
  if (zero.norm() < std::sin(kPi / 180)) zero = across(-Eigen::Vector3d::UnitY());
  return Eigen::AngleAxisd(applicator.roll_deg * kPi / 180, along) * zero.normalized();
}

Eigen::Vector3d on_shaft_mm(const Applicator& applicator, const Device& device, double from_tip_mm) {
  return frame_at(applicator, device, from_tip_mm).at_mm;
}

std::vector<Eigen::Vector3d> shaft_line_mm(const Applicator& applicator, const Device& device,
                                           double from_tip_mm, double to_tip_mm) {
  std::vector<double> at = {from_tip_mm};
  if (const double angle = bend_rad(applicator, device); angle > 0) {
    const double bent = device.articulation->length_mm;
    const double last = std::min(to_tip_mm, bent);
    const int pieces = last > from_tip_mm ? pieces_of_arc((last - from_tip_mm) / bent * angle) : 0;
    for (int n = 1; n <= pieces; ++n) at.push_back(from_tip_mm + (last - from_tip_mm) * n / pieces);
  }
  if (to_tip_mm > at.back()) at.push_back(to_tip_mm);
  std::vector<Eigen::Vector3d> line;
  for (const double s : at) line.push_back(on_shaft_mm(applicator, device, s));
  return line;
}

std::vector<std::vector<Eigen::Vector3d>> tine_lines_mm(const Applicator& applicator, const Device& device) {
  std::vector<std::vector<Eigen::Vector3d>> lines;
  if (!device.tines || applicator.deployment <= 0) return lines;
  const TineArray& t = *device.tines;
  const Eigen::Vector3d along = direction(applicator), first = roll_direction(applicator);
  const double turn = applicator.deployment * t.turn_deg * kPi / 180;
  const int pieces = pieces_of_arc(turn);
  const double start_mm = std::max(0.0, device.shaft_diameter_mm / 2 - t.diameter_mm / 2);
  for (int n = 0; n < t.count; ++n) {
    const Eigen::Vector3d out = Eigen::AngleAxisd(2 * kPi * n / t.count, along) * first;
    std::vector<Eigen::Vector3d> line;
    for (int p = 0; p <= pieces; ++p) {
      const double a = turn * p / pieces;
      line.push_back(applicator.tip_mm + (t.bend_radius_mm * std::sin(a) - t.from_tip_mm) * along +
                     (start_mm + t.bend_radius_mm * (1 - std::cos(a))) * out);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::optional<std::array<double, 2>> active_stretch_mm(const Device& device) {
  if (device.antenna) {
    const CoaxialAntenna& a = device.antenna->antenna;
    return std::array{0.0, a.slot_from_tip_mm + a.slot_to_tip_mm};
  }
  if (device.light) return std::array{device.light->from_tip_mm, device.light->to_tip_mm};
  if (device.poles.empty() && !device.tines) return std::nullopt;
  std::array<double, 2> s{1e9, -1e9};
  const auto include = [&](double mm) { s = {std::min(s[0], mm), std::max(s[1], mm)}; };
  for (const DevicePole& p : device.poles) {
    include(p.from_tip_mm);
    include(p.to_tip_mm);
  }
  if (device.tines) {
    const TineArray& t = *device.tines;
    const double turn = std::min(t.turn_deg, 90.0) * kPi / 180;
    include(t.from_tip_mm);
    include(t.from_tip_mm - t.bend_radius_mm * std::sin(turn) - t.diameter_mm / 2);
  }
  return s;
}

Eigen::Vector3d active_centre_mm(const Applicator& applicator, const Device& device) {
  if (device.cryo)
    return on_shaft_mm(applicator, device, (device.cryo->from_tip_mm + device.cryo->to_tip_mm) / 2);
  const auto stretch = active_stretch_mm(device);
  if (!stretch) return applicator.tip_mm;
  const double middle = ((*stretch)[0] + (*stretch)[1]) / 2;
  return middle >= 0 ? on_shaft_mm(applicator, device, middle)
                     : (applicator.tip_mm - middle * direction(applicator)).eval();
}

Eigen::Vector3d sensor_mm(const Applicator& applicator, const Device& device, const DeviceSensor& sensor) {
  if (sensor.tine > 0) {
    const auto lines = tine_lines_mm(applicator, device);
    if (lines.empty()) return applicator.tip_mm;  // drawn in
    const std::vector<Eigen::Vector3d>& line = lines[std::size_t(sensor.tine - 1) % lines.size()];
    double left = sensor.from_tip_mm;
    for (std::size_t n = line.size() - 1; n > 0; --n) {
      const double piece = (line[n] - line[n - 1]).norm();
      if (left <= piece) return line[n] + left / piece * (line[n - 1] - line[n]);
      left -= piece;
    }
    return line.front();
  }
  const ShaftFrame f = frame_at(applicator, device, sensor.from_tip_mm);
  return f.at_mm + sensor.off_axis_mm * f.aside;
}

namespace {

void validate_zone(const PublishedZone& z, const Device& d, const std::string& where) {
  for (const auto& [key, value] : {std::pair("/length_mm", z.length_mm), {"/diameter_mm", z.diameter_mm}})
    require_at(value > 0 && std::isfinite(value), where + key, value, "above 0 mm");
  require_at(z.steps >= 0 && std::size_t(z.steps) <= d.protocol.steps.size(), where + "/steps", z.steps,
             "from 0 to the number of steps of the protocol");
  if (!z.in) return;
  if (const std::string& word = z.in->tissue; word != kWaterGel && !tissue_class(word))
    throw ConfigError(fmt::format("unknown tissue '{}'", word), where + "/in/tissue",
                      fmt::format("a class of 'spinetherm tissues', or '{}'", kWaterGel));
  require_at(z.in->start_degC > 0 && z.in->start_degC < 43, where + "/in/start_degC", z.in->start_degC,
             "above 0, below 43 degC");
}

}  // namespace

void validate(const Device& d) {
  if (d.name.empty()) throw ConfigError("a device has no name", "/devices", "name it");
  const std::string where = "/devices/" + d.name;
  require_at(d.shaft_diameter_mm > 0 && d.shaft_diameter_mm < 20, where + "/shaft_diameter_mm",
             d.shaft_diameter_mm, "above 0 and below 20 mm");
  require_at(d.length_mm > 0 && std::isfinite(d.length_mm), where + "/length_mm", d.length_mm, "above 0 mm");
  validate_poles(d, where);
  if (d.cryo) validate_cryo(d, where + "/cryo");
  for (std::size_t n = 0; n < d.sensors.size(); ++n) {
    const DeviceSensor& s = d.sensors[n];
    const std::string at = fmt::format("{}/sensors/{}", where, n);
    require_at(s.from_tip_mm >= 0 && s.from_tip_mm <= d.length_mm, at + "/from_tip_mm", s.from_tip_mm,
               "from 0 to length_mm");
    require_at(s.off_axis_mm >= 0 && s.off_axis_mm < 100, at + "/off_axis_mm", s.off_axis_mm,
               "at least 0 mm; the side is given by the roll angle");
  }
  for (std::size_t n = 0; n < d.sensors.size(); ++n)
    if (const int tine = d.sensors[n].tine; tine != 0)
      require_at(d.tines && tine >= 1 && tine <= d.tines->count, fmt::format("{}/sensors/{}/tine", where, n),
                 tine, "from 1 to the number of tines");
  validate_shape(d, where);
  validate_radiation(d, where);
  if (d.cooled_degC)
    require_at(*d.cooled_degC > 0 && *d.cooled_degC < 100, where + "/cooled_degC", *d.cooled_degC,
               "liquid water: above 0, below 100 degC");
  if (d.max_power_W) require_at(*d.max_power_W > 0, where + "/max_power_W", *d.max_power_W, "above 0 W");
  if (!d.protocol.steps.empty()) validate(d.protocol, d);
  if (d.published_zone) validate_zone(*d.published_zone, d, where + "/published_zone");
}

void validate(const Protocol& protocol, const Device& device) {
  const std::string where = "/protocol";
  if (protocol.modality != device.modality)
    throw ConfigError(fmt::format("a protocol of '{}' for the device '{}' of '{}'", protocol.modality,
                                  device.name, device.modality),
                      where, "give the device a protocol of its own energy");
  if (protocol.beyond_spine && device.modality != "mwa")
    throw ConfigError(fmt::format("beyond_spine in a protocol of '{}'", protocol.modality),
                      where + "/beyond_spine", "remove it: it lifts the limit on microwaves");
  if (protocol.saline_halo && radiates(device))
    throw ConfigError(fmt::format("saline_halo in a protocol of '{}'", protocol.modality),
                      where + "/saline_halo", "remove it: it conducts the current of radiofrequency");
  if (protocol.saline_halo) {
    const SalineHalo& halo = *protocol.saline_halo;
    require_at(halo.thickness_mm > 0 && halo.thickness_mm < 50, where + "/saline_halo/thickness_mm",
               halo.thickness_mm, "above 0 and below 50 mm");
    require_at(halo.conductivity_S_per_m > 0 && halo.conductivity_S_per_m < 10,
               where + "/saline_halo/conductivity_S_per_m", halo.conductivity_S_per_m,
               "above 0 and below 10 S/m; saline in tissue has 1 to 1.6");
  }
  if (protocol.steps.empty()) throw ConfigError("the protocol has no steps", where, "give at least one");
  for (std::size_t n = 0; n < protocol.steps.size(); ++n) {
    const ProtocolStep& s = protocol.steps[n];
    const std::string at = fmt::format("{}/steps/{}", where, n);
    require_at(s.duration_s > 0 && std::isfinite(s.duration_s), at + "/duration_s", s.duration_s,
               "above 0 s");
    const int given = int(s.hold_degC.has_value()) + int(s.power_W.has_value()) +
                      int(s.voltage_V.has_value()) + int(s.duty.has_value()) + int(s.thaw_degC.has_value());
    if (given > 1)
      throw ConfigError("a step holds more than one of temperature, power, voltage, duty and thaw", at,
                        "keep one");
    if (radiates(device)) validate_radiating_step(s, protocol, device, at);
    validate_cold_step(s, device, at);
    if (s.until) validate_until(*s.until, at + "/until");
    if (s.roll_off) {
      require_at(s.roll_off->rise > 0 && std::isfinite(s.roll_off->rise), at + "/roll_off/rise",
                 s.roll_off->rise, "above 0");
      require_at(s.roll_off->off_s > 0 && std::isfinite(s.roll_off->off_s), at + "/roll_off/off_s",
                 s.roll_off->off_s, "above 0 s");
      if (!s.hold_degC && !s.power_W && !s.voltage_V)
        throw ConfigError("roll_off in a step that gives no energy", at + "/roll_off", "remove it");
    }
    if (s.max_W && !s.hold_degC)
      throw ConfigError("max_W without hold_degC", at + "/max_W",
                        "it limits the power of a held temperature");
    const auto power = [&](const std::optional<double>& W, const std::string& key) {
      if (!W) return;
      require_at(*W > 0 && std::isfinite(*W), at + key, *W, "above 0 W");
      if (device.max_power_W)
        require_at(*W <= *device.max_power_W, at + key, *W,
                   fmt::format("at most {} W with {}", *device.max_power_W, device.name));
    };
    power(s.max_W, "/max_W");
    power(s.power_W, "/power_W");
    if (s.voltage_V)
      require_at(*s.voltage_V > 0 && *s.voltage_V < 1000, at + "/voltage_V", *s.voltage_V,
                 "above 0 and below 1000 V");
    if (s.hold_degC) {
      require_at(std::isfinite(*s.hold_degC), at + "/hold_degC", *s.hold_degC, "a temperature");
      if (device.max_degC)
        require_at(*s.hold_degC <= *device.max_degC, at + "/hold_degC", *s.hold_degC,
                   fmt::format("at most {} degC with {}", *device.max_degC, device.name));
      if (device.sensors.empty())
        throw ConfigError(fmt::format("{} has no sensor to hold a temperature at", device.name),
                          at + "/hold_degC", "hold power or voltage instead");
    }
  }
}

}  // namespace spinetherm
