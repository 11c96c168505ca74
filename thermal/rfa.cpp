// SPDX-License-Identifier: Apache-2.0
#include "thermal/rfa.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

bool is_bipolar(const Device& d) {
  return std::ranges::any_of(d.poles,
                             [&](const DevicePole& p) { return p.polarity != d.poles.front().polarity; });
}

void require_rfa(const Device& d) {
  if (d.modality != "rfa")
    throw ConfigError(
        fmt::format("the device '{}' works with '{}', not with radiofrequency", d.name, d.modality),
        "/applicators", "choose a device of the protocol's energy");
  if (d.poles.empty())
    throw ConfigError(fmt::format("the device '{}' has no poles", d.name), "/devices/" + d.name,
                      "a radiofrequency device needs at least one");
}

/// Smallest power limit that is known, of one applicator.
double power_limit_W(const ProtocolStep& step, const Device& device) {
  if (!step.max_W && !device.max_power_W)
    throw ConfigError(fmt::format("no limit of power for '{}'", device.name), "/protocol/steps",
                      "give the step max_W");
  return std::min(step.max_W.value_or(std::numeric_limits<double>::infinity()),
                  device.max_power_W.value_or(std::numeric_limits<double>::infinity()));
}

}  // namespace

PlacedPoles place_poles(const Applicator& applicator, const Device& device) {
  require_rfa(device);
  const double path_mm = (applicator.tip_mm - applicator.entry_mm).norm();
  std::vector<DevicePole> poles = device.poles;
  std::ranges::sort(poles, {}, &DevicePole::from_tip_mm);
  if (!(path_mm > poles.back().to_tip_mm))
    throw ConfigError(
        fmt::format("the active part of '{}' ends {} mm from the tip, beyond the entry point at {} mm",
                    device.name, poles.back().to_tip_mm, path_mm),
        "/applicators", "place the tip deeper or the entry farther out");
  const auto stretch = [&](double from_mm, double to_mm, double diameter_mm) {
    return Region{
        Cylinder{on_shaft_mm(applicator, from_mm), on_shaft_mm(applicator, to_mm), diameter_mm / 2}};
  };
  PlacedPoles placed;
  double insulated_from_mm = 0;
  for (std::size_t n = 0; n < poles.size(); ++n) {
    const DevicePole& p = poles[n];
    if (p.from_tip_mm > insulated_from_mm)
      placed.insulators.push_back(stretch(insulated_from_mm, p.from_tip_mm, device.shaft_diameter_mm));
    insulated_from_mm = p.to_tip_mm;
    const double radius = p.diameter_mm / 2;
    const double insulated_to_mm = n + 1 < poles.size() ? poles[n + 1].from_tip_mm : path_mm;
    // The round back end must vanish in the insulation behind it.
    const bool hidden = insulated_to_mm - p.to_tip_mm >= radius && device.shaft_diameter_mm >= p.diameter_mm;
    Electrode e;
    e.region = stretch(p.from_tip_mm, p.to_tip_mm, p.diameter_mm);
    if (p.from_tip_mm == 0 && hidden && p.to_tip_mm > radius)
      e.region =
          Region{Capsule{on_shaft_mm(applicator, radius), on_shaft_mm(applicator, p.to_tip_mm), radius}};
    e.potential_V = p.polarity;
    e.cooled_degC = device.cooled_degC;
    placed.electrodes.push_back(e);
  }
  placed.insulators.push_back(stretch(insulated_from_mm, path_mm, device.shaft_diameter_mm));
  return placed;
}

std::vector<Source> make_rfa_sources(const std::vector<Applicator>& applicators,
                                     const std::vector<Device>& devices, const Protocol& protocol) {
  if (applicators.empty() || applicators.size() != devices.size())
    throw ConfigError(fmt::format("{} applicators with {} devices", applicators.size(), devices.size()),
                      "/applicators", "give one device for each applicator, and at least one");
  ElectrodesSource all;
  for (std::size_t n = 0; n < devices.size(); ++n) {
    require_rfa(devices[n]);
    validate(devices[n]);
    validate(protocol, devices[n]);
    if (is_bipolar(devices[n]) != is_bipolar(devices.front()))
      throw ConfigError(
          "monopolar and bipolar devices in one field", "/applicators",
          "the pad of the one would draw current from the other: plan them one after the other");
    PlacedPoles placed = place_poles(applicators[n], devices[n]);
    std::ranges::move(placed.electrodes, std::back_inserter(all.electrodes));
    std::ranges::move(placed.insulators, std::back_inserter(all.insulators));
  }
  const bool bipolar = is_bipolar(devices.front());
  all.outer_grounded = !bipolar;

  std::vector<Source> sources;
  double t_s = 0;
  for (const ProtocolStep& step : protocol.steps) {
    const double from_s = t_s;
    t_s += step.duration_s;
    if (!step.hold_degC && !step.power_W && !step.voltage_V) continue;
    ElectrodesSource source = all;
    if (step.voltage_V) {
      for (Electrode& e : source.electrodes) e.potential_V *= bipolar ? *step.voltage_V / 2 : *step.voltage_V;
      source.control = ConstantVoltage{};
    } else if (step.power_W) {
      source.control = ConstantPower{*step.power_W * double(applicators.size())};
    } else {
      double limit_W = 0;
      for (const Device& d : devices) limit_W += power_limit_W(step, d);
      source.control = HoldTemperature{
          *step.hold_degC, sensor_mm(applicators.front(), devices.front().sensors.front()), limit_W};
    }
    sources.push_back({std::move(source), {{from_s, t_s}}});
  }
  if (sources.empty())
    throw ConfigError("no step of the protocol gives energy", "/protocol/steps",
                      "give one hold_degC, power_W or voltage_V");
  return sources;
}

}  // namespace spinetherm
