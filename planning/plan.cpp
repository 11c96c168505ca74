// SPDX-License-Identifier: Apache-2.0
#include "planning/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

/// Distance to the nearest of the lines; `at_most_mm` when that is farther away.
double distance_mm(const std::vector<RoundLine>& lines, const Eigen::Vector3d& x_mm, double at_most_mm) {
  double best = at_most_mm;
  for (const RoundLine& line : lines) {
    if ((x_mm - line.middle_mm).norm() - line.reach_mm >= best) continue;
    double nearest_mm2 = std::numeric_limits<double>::infinity();
    for (std::size_t n = 0; n + 1 < line.points_mm.size(); ++n) {
      const Eigen::Vector3d& a = line.points_mm[n];
      const Eigen::Vector3d ab = line.points_mm[n + 1] - a;
      const double t = ab.squaredNorm() > 0 ? std::clamp((x_mm - a).dot(ab) / ab.squaredNorm(), 0.0, 1.0) : 0;
      nearest_mm2 = std::min(nearest_mm2, (x_mm - (a + t * ab)).squaredNorm());
    }
    best = std::min(best, std::sqrt(nearest_mm2) - line.radius_mm);
  }
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
    placed.emplace_back(applicator, *it);
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

RoundLine::RoundLine(std::vector<Eigen::Vector3d> points_mm_, double radius_mm_)
    : points_mm(std::move(points_mm_)), radius_mm(radius_mm_) {
  for (const Eigen::Vector3d& p : points_mm) middle_mm += p / double(points_mm.size());
  for (const Eigen::Vector3d& p : points_mm)
    reach_mm = std::max(reach_mm, (p - middle_mm).norm() + radius_mm);
}

PlacedDevice::PlacedDevice(Applicator applicator_, Device device_)
    : applicator(std::move(applicator_)), device(std::move(device_)) {
  const Applicator& a = applicator;
  const bool bent = device.articulation && a.deployment > 0;
  const auto stretch = [&](double from_tip_mm, double to_tip_mm, double diameter_mm) {
    if (bent) return RoundLine(shaft_line_mm(a, device, from_tip_mm, to_tip_mm), diameter_mm / 2);
    return RoundLine({a.tip_mm - from_tip_mm * direction(a), a.tip_mm - to_tip_mm * direction(a)},
                     diameter_mm / 2);
  };
  shaft.push_back(stretch(0, (a.tip_mm - a.entry_mm).norm(), device.shaft_diameter_mm));
  std::vector<RoundLine> tines;
  for (const auto& points : tine_lines_mm(a, device))
    tines.emplace_back(points, device.tines->diameter_mm / 2);
  shaft.insert(shaft.end(), tines.begin(), tines.end());
  const auto part = active_part(device);
  if (!part) return;
  active = std::move(tines);
  if (!device.poles.empty() || !device.tines)
    active.push_back(stretch(std::max(part->from_tip_mm, 0.0), part->to_tip_mm, part->diameter_mm));
}

double shaft_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm, double at_most_mm) {
  return distance_mm(placed.shaft, x_mm, at_most_mm);
}

std::optional<double> active_distance_mm(const PlacedDevice& placed, const Eigen::Vector3d& x_mm,
                                         double at_most_mm) {
  if (placed.active.empty()) return std::nullopt;
  return distance_mm(placed.active, x_mm, at_most_mm);
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
