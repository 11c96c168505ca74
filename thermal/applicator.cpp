// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

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

}  // namespace

Eigen::Vector3d roll_direction(const Applicator& applicator) {
  const Eigen::Vector3d along = direction(applicator);
  const auto across = [&](const Eigen::Vector3d& v) { return (v - v.dot(along) * along).eval(); };
  Eigen::Vector3d zero = across(Eigen::Vector3d::UnitZ());
  if (zero.norm() < std::sin(kPi / 180)) zero = across(-Eigen::Vector3d::UnitY());
  return Eigen::AngleAxisd(applicator.roll_deg * kPi / 180, along) * zero.normalized();
}

Eigen::Vector3d active_centre_mm(const Applicator& applicator, const Device& device) {
  if (device.cryo) return on_shaft_mm(applicator, (device.cryo->from_tip_mm + device.cryo->to_tip_mm) / 2);
  if (device.poles.empty()) return applicator.tip_mm;
  double first = device.poles.front().from_tip_mm, last = device.poles.front().to_tip_mm;
  for (const DevicePole& p : device.poles) {
    first = std::min(first, p.from_tip_mm);
    last = std::max(last, p.to_tip_mm);
  }
  return on_shaft_mm(applicator, (first + last) / 2);
}

Eigen::Vector3d sensor_mm(const Applicator& applicator, const DeviceSensor& sensor) {
  return on_shaft_mm(applicator, sensor.from_tip_mm) + sensor.off_axis_mm * roll_direction(applicator);
}

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
  if (d.cooled_degC)
    require_at(*d.cooled_degC > 0 && *d.cooled_degC < 100, where + "/cooled_degC", *d.cooled_degC,
               "liquid water: above 0, below 100 degC");
  if (d.max_power_W) require_at(*d.max_power_W > 0, where + "/max_power_W", *d.max_power_W, "above 0 W");
  if (!d.protocol.steps.empty()) validate(d.protocol, d);
}

void validate(const Protocol& protocol, const Device& device) {
  const std::string where = "/protocol";
  if (protocol.modality != device.modality)
    throw ConfigError(fmt::format("a protocol of '{}' for the device '{}' of '{}'", protocol.modality,
                                  device.name, device.modality),
                      where, "give the device a protocol of its own energy");
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
    validate_cold_step(s, device, at);
    if (s.until) validate_until(*s.until, at + "/until");
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
