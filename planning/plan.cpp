// SPDX-License-Identifier: Apache-2.0
#include "planning/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

/// Distance to a capsule around the segment a-b.
double segment_distance_mm(const Eigen::Vector3d& a_mm, const Eigen::Vector3d& b_mm, double radius_mm,
                           const Eigen::Vector3d& x_mm) {
  const Eigen::Vector3d ab = b_mm - a_mm;
  const double t = ab.squaredNorm() > 0 ? std::clamp((x_mm - a_mm).dot(ab) / ab.squaredNorm(), 0.0, 1.0) : 0;
  return (x_mm - (a_mm + t * ab)).norm() - radius_mm;
}

double line_distance_mm(const std::vector<Eigen::Vector3d>& line, double radius_mm,
                        const Eigen::Vector3d& x_mm) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t n = 0; n + 1 < line.size(); ++n)
    best = std::min(best, segment_distance_mm(line[n], line[n + 1], radius_mm, x_mm));
  return best;
}

/// Infinite without tines.
double tines_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm) {
  double best = std::numeric_limits<double>::infinity();
  if (!placed.device.tines) return best;
  for (const auto& line : tine_lines_mm(placed.applicator, placed.device))
    best = std::min(best, line_distance_mm(line, placed.device.tines->diameter_mm / 2, x_mm));
  return best;
}

}  // namespace

bool has_sensor(const Plan& plan) {
  return std::any_of(plan.protections.begin(), plan.protections.end(), [](const Protection& p) {
    return std::holds_alternative<Thermocouple>(p) || std::holds_alternative<MrThermometry>(p);
  });
}

std::vector<VirtualSensor> virtual_sensors(const std::vector<Protection>& protections) {
  std::vector<VirtualSensor> sensors;
  std::map<std::string, int> count;
  const auto add = [&](const std::string& kind, VirtualSensor sensor) {
    sensor.name = fmt::format("{} {}", kind, ++count[kind]);
    sensors.push_back(std::move(sensor));
  };
  for (const Protection& p : protections) {
    VirtualSensor s;
    if (const auto* t = std::get_if<Thermocouple>(&p)) {
      s.at_mm = t->at_mm;
      s.lag_s = t->lag_s;
      s.stem = t->stem;
      s.pickup_K_per_W = t->pickup_K_per_W;
      s.stop_above_degC = t->stop_above_degC;
      s.stop_below_degC = t->stop_below_degC;
      add("thermocouple", s);
    } else if (const auto* m = std::get_if<MrThermometry>(&p)) {
      s.at_mm = m->at_mm;
      s.noise_K = m->noise_K;
      s.period_s = m->period_s;
      s.seed = m->seed;
      s.stop_above_degC = m->stop_above_degC;
      add("MR thermometry", s);
    } else if (const auto* n = std::get_if<Neuromonitoring>(&p)) {
      s.at_mm = n->at_mm;
      s.delay_s = n->delay_s;
      s.stop_above_degC = n->alarm_above_degC;
      s.stop_below_degC = n->alarm_below_degC;
      add("neuromonitoring", s);
    }
  }
  return sensors;
}

bool has_dissection(const Plan& plan) {
  return std::any_of(plan.protections.begin(), plan.protections.end(),
                     [](const Protection& p) { return std::holds_alternative<Dissection>(p); });
}

std::vector<PlacedDevice> placed_devices(const Plan& plan, const std::vector<Device>& catalogue) {
  std::vector<PlacedDevice> placed;
  for (std::size_t n = 0; n < plan.applicators.size(); ++n) {
    const Applicator& applicator = plan.applicators[n];
    const auto it = std::find_if(catalogue.begin(), catalogue.end(),
                                 [&](const Device& d) { return d.name == applicator.device; });
    if (it == catalogue.end()) {
      std::vector<std::string> names;
      for (const auto& d : catalogue) names.push_back(d.name);
      throw ConfigError("unknown device '" + applicator.device + "'",
                        fmt::format("/applicators/{}/device", n),
                        names.empty() ? "the catalogue holds no device"
                                      : "did you mean '" + nearest_word(applicator.device, names) + "'?");
    }
    placed.push_back({applicator, *it});
  }
  return placed;
}

std::optional<ActivePart> active_part(const Device& device) {
  if (device.cryo)
    return ActivePart{device.cryo->from_tip_mm, device.cryo->to_tip_mm, device.shaft_diameter_mm};
  if (const auto stretch = active_stretch_mm(device)) {
    ActivePart part{(*stretch)[0], (*stretch)[1], 0};
    for (const auto& pole : device.poles) part.diameter_mm = std::max(part.diameter_mm, pole.diameter_mm);
    if (device.antenna || device.light) part.diameter_mm = device.shaft_diameter_mm;
    if (device.tines) part.diameter_mm = std::max(part.diameter_mm, device.tines->diameter_mm);
    return part;
  }
  if (device.published_zone && device.published_zone->length_mm > 0)
    return ActivePart{0, device.published_zone->length_mm, device.shaft_diameter_mm};
  return std::nullopt;
}

double shaft_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm) {
  const Applicator& a = placed.applicator;
  const double path_mm = (a.tip_mm - a.entry_mm).norm();
  double best = std::numeric_limits<double>::infinity();
  if (placed.device.articulation && a.deployment > 0)
    best = line_distance_mm(shaft_line_mm(a, placed.device, 0, path_mm), placed.device.shaft_diameter_mm / 2,
                            x_mm);
  else
    best = segment_distance_mm(a.entry_mm, a.tip_mm, placed.device.shaft_diameter_mm / 2, x_mm);
  return std::min(best, tines_distance_mm(placed, x_mm));
}

std::optional<double> active_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm) {
  const auto part = active_part(placed.device);
  if (!part) return std::nullopt;
  const double tines = tines_distance_mm(placed, x_mm);
  if (placed.device.poles.empty() && placed.device.tines) return tines;
  const double first = std::max(part->from_tip_mm, 0.0);
  if (placed.device.articulation && placed.applicator.deployment > 0)
    return std::min(tines,
                    line_distance_mm(shaft_line_mm(placed.applicator, placed.device, first, part->to_tip_mm),
                                     part->diameter_mm / 2, x_mm));
  const Eigen::Vector3d back = -direction(placed.applicator);
  const Eigen::Vector3d& tip = placed.applicator.tip_mm;
  return std::min(tines, segment_distance_mm(tip + first * back, tip + part->to_tip_mm * back,
                                             part->diameter_mm / 2, x_mm));
}

void validate(const Plan& plan, const std::string& where) {
  if (plan.applicators.empty())
    throw ConfigError("plan without an applicator", where + ": /applicators", "place at least one");
  if (plan.protocol.empty())
    throw ConfigError("plan without a protocol", where + ": /protocol",
                      "give at least one modality and step");
  for (std::size_t n = 0; n < plan.applicators.size(); ++n) {
    const Applicator& a = plan.applicators[n];
    const std::string here = fmt::format("{}: /applicators/{}", where, n);
    if (!a.entry_mm.allFinite() || !a.tip_mm.allFinite())
      throw ConfigError("entry or tip is not a number", here, "give three finite millimetres each");
    if ((a.tip_mm - a.entry_mm).norm() < 1)
      throw ConfigError("entry and tip are less than 1 mm apart", here, "move one of them");
    if (a.cannula_from_tip_mm && !(*a.cannula_from_tip_mm >= 0))
      throw ConfigError(fmt::format("cannula_from_tip_mm = {}", *a.cannula_from_tip_mm),
                        here + "/cannula_from_tip_mm", "use 0 mm or more");
    if (!(a.deployment >= 0 && a.deployment <= 1))
      throw ConfigError(fmt::format("deployment = {}", a.deployment), here + "/deployment", "use 0 to 1");
  }
  const bool current =
      std::ranges::any_of(plan.protocol, [](const Protocol& p) { return p.modality == "rfa"; });
  for (std::size_t n = 0; n < plan.protections.size(); ++n) {
    const auto* fluid = std::get_if<Dissection>(&plan.protections[n]);
    if (current && fluid && fluid->medium == "saline")
      throw ConfigError("saline beside radiofrequency: it carries the current into what it should protect",
                        fmt::format("{}: /protections/{}/dissection/medium", where, n), "use D5W or CO2");
  }
  for (std::size_t n = 0; n < plan.protections.size(); ++n) {
    constexpr std::array<std::string_view, 4> kWords = {"thermocouple", "dissection", "mr_thermometry",
                                                        "neuromonitoring"};
    const std::string here =
        fmt::format("{}: /protections/{}/{}", where, n, kWords.at(plan.protections[n].index()));
    for (const VirtualSensor& sensor : virtual_sensors({plan.protections[n]})) {
      validate(sensor, here);
      if (!sensor.at_mm.allFinite())
        throw ConfigError("the sensor's place is not a number", here + "/at_mm", "give three millimetres");
    }
  }
  for (std::size_t n = 0; n < plan.protections.size(); ++n)
    if (const auto* d = std::get_if<Dissection>(&plan.protections[n]); d && d->shape)
      validate(*d->shape, fmt::format("{}: /protections/{}/dissection/shape", where, n));
}

}  // namespace spinetherm
