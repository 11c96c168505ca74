// SPDX-License-Identifier: Apache-2.0
#include "thermal/rfa.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "imaging/core/error.h"
#include "thermal/powered_steps.h"

namespace spinetherm {
namespace {

bool is_bipolar(const Device& d) {
  const double first = d.poles.empty() ? d.tines->polarity : d.poles.front().polarity;
  return std::ranges::any_of(d.poles, [&](const DevicePole& p) { return p.polarity != first; }) ||
         (d.tines && d.tines->polarity != first);
}

void require_rfa(const Device& d) {
  if (d.modality != "rfa")
    throw ConfigError(
        fmt::format("the device '{}' works with '{}', not with radiofrequency", d.name, d.modality),
        "/applicators", "choose a device of the protocol's energy");
  if (d.poles.empty() && !d.tines)
    throw ConfigError(fmt::format("the device '{}' has no poles", d.name), "/devices/" + d.name,
                      "a radiofrequency device needs at least one, or tines");
}

/// Above: metal, not tissue. CSF has 2 S/m, saline 1.6.
constexpr double kMetal_S_per_m = 100;
/// Least distance of a cannula from the poles where the device states none: 5-10 mm by practice.
constexpr double kBackOff_mm = 5;
/// Both walls of a cannula of unknown diameter, play included: 13 G (2.4 mm) around 17 G (1.5 mm).
constexpr double kCannulaWalls_mm = 0.9;

/// Smallest power limit that is known, of one applicator.
double power_limit_W(const ProtocolStep& step, const Device& device) {
  if (!step.max_W && !device.max_power_W)
    throw ConfigError(fmt::format("no limit of power for '{}'", device.name), "/protocol/steps",
                      "give the step max_W");
  return std::min(step.max_W.value_or(std::numeric_limits<double>::infinity()),
                  device.max_power_W.value_or(std::numeric_limits<double>::infinity()));
}

bool gives_current(const ProtocolStep& s) { return s.hold_degC || s.power_W || s.voltage_V; }

/// What each applicator does between two instants: the step that gives it current; null: none does.
struct JointSteps {
  std::array<double, 2> between_s{0, 0};
  std::vector<const ProtocolStep*> steps;
};
/// Stretches of time in which none of the applicators changes and one at least has current.
std::vector<JointSteps> joint_steps(const std::vector<TimedProtocol>& protocols, std::size_t applicators) {
  std::vector<double> instants;
  for (const TimedProtocol& timed : protocols)
    for (const TimedStep& at : timed_steps(timed))
      instants.insert(instants.end(), at.between_s.begin(), at.between_s.end());
  std::ranges::sort(instants);
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
  std::vector<JointSteps> out;
  for (std::size_t i = 0; i + 1 < instants.size(); ++i) {
    JointSteps now{{instants[i], instants[i + 1]}, std::vector<const ProtocolStep*>(applicators, nullptr)};
    for (const TimedProtocol& timed : protocols)
      for (const TimedStep& at : timed_steps(timed))
        for (std::size_t n = 0; n < applicators; ++n)
          if (timed.follows(n) && gives_current(*at.step) && at.between_s[0] <= instants[i] &&
              instants[i] < at.between_s[1])
            now.steps[n] = at.step;
    if (std::ranges::all_of(now.steps, [](const ProtocolStep* s) { return s == nullptr; })) continue;
    if (!out.empty() && out.back().between_s[1] == now.between_s[0] && out.back().steps == now.steps)
      out.back().between_s[1] = now.between_s[1];
    else
      out.push_back(std::move(now));
  }
  return out;
}

/// An applicator of a field, with the control of its step. Without a step its generator is off: its poles are
/// bare metal, at the potential that tissue gives them.
void add_probe(const Applicator& applicator, const Device& device, PlacedPoles placed,
               const ProtocolStep* step, ElectrodesSource& source) {
  ElectrodeChannel channel;
  for (Electrode& e : placed.electrodes) {
    if (step == nullptr) {
      e.floating = true;
      e.cooled_degC.reset();
    } else if (!e.floating) {
      channel.electrodes.push_back(int(source.electrodes.size()));
      if (step->voltage_V) e.potential_V *= is_bipolar(device) ? *step->voltage_V / 2 : *step->voltage_V;
    }
    source.electrodes.push_back(std::move(e));
  }
  std::ranges::move(placed.insulators, std::back_inserter(source.insulators));
  if (step == nullptr) return;
  channel.roll_off = step->roll_off;
  if (step->power_W) channel.control = ConstantPower{*step->power_W};
  if (step->hold_degC)
    channel.control = HoldTemperature{*step->hold_degC, sensor_mm(applicator, device, device.sensors.front()),
                                      power_limit_W(*step, device)};
  source.channels.push_back(std::move(channel));
}

}  // namespace

PlacedPoles place_poles(const Applicator& applicator, const Device& device) {
  require_rfa(device);
  const double path_mm = (applicator.tip_mm - applicator.entry_mm).norm();
  std::vector<DevicePole> poles = device.poles;
  std::ranges::sort(poles, {}, &DevicePole::from_tip_mm);
  const double deepest_mm = std::max(poles.empty() ? 0 : poles.back().to_tip_mm,
                                     device.articulation ? device.articulation->length_mm : 0.0);
  if (!(path_mm > deepest_mm))
    throw ConfigError(
        fmt::format("the active part of '{}' ends {} mm from the tip, beyond the entry point at {} mm",
                    device.name, deepest_mm, path_mm),
        "/applicators", "place the tip deeper or the entry farther out");
  const auto line = [&](double from_mm, double to_mm) {
    return shaft_line_mm(applicator, device, from_mm, to_mm);
  };
  const auto stretch = [&](double from_mm, double to_mm, double diameter_mm) {
    std::vector<Eigen::Vector3d> points = line(from_mm, to_mm);
    if (points.size() == 2) return Region{Cylinder{points[0], points[1], diameter_mm / 2}};
    return Region{Tube{std::move(points), diameter_mm / 2, true}};
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
    if (p.from_tip_mm == 0 && hidden && p.to_tip_mm > radius) {
      std::vector<Eigen::Vector3d> points = line(radius, p.to_tip_mm);
      e.region = points.size() == 2 ? Region{Capsule{points[0], points[1], radius}}
                                    : Region{Tube{std::move(points), radius, false}};
    }
    e.potential_V = p.polarity;
    e.cooled_degC = device.cooled_degC;
    placed.electrodes.push_back(e);
  }
  placed.insulators.push_back(stretch(insulated_from_mm, path_mm, device.shaft_diameter_mm));
  if (device.tines)
    for (std::vector<Eigen::Vector3d>& tine : tine_lines_mm(applicator, device)) {
      Electrode e;
      e.region = Region{Tube{std::move(tine), device.tines->diameter_mm / 2, false}};
      e.potential_V = device.tines->polarity;
      placed.electrodes.push_back(e);
    }
  if (const auto& end_mm = applicator.cannula_from_tip_mm; end_mm && *end_mm < path_mm) {
    const double diameter_mm =
        device.cannula ? device.cannula->diameter_mm : device.shaft_diameter_mm + kCannulaWalls_mm;
    const double covered_mm = poles.empty() ? 0 : poles.back().to_tip_mm;
    if (*end_mm < covered_mm)
      throw ConfigError(
          fmt::format("the cannula of '{}' ends {} mm from the tip, over poles that reach to {} mm",
                      device.name, *end_mm, covered_mm),
          "/applicators", "pull it back: metal over a pole is a short circuit");
    Electrode e;
    e.region = stretch(*end_mm, path_mm, diameter_mm);
    e.floating = true;
    placed.electrodes.push_back(e);
  }
  if (std::ranges::all_of(placed.electrodes, &Electrode::floating))
    throw ConfigError(fmt::format("the tines of '{}' are drawn in: no metal is left outside", device.name),
                      "/applicators", "give a deployment above 0");
  return placed;
}

void add_saline_halo(TissueMap& map, const std::vector<Applicator>& applicators,
                     const std::vector<Device>& devices, const SalineHalo& halo) {
  const Grid& grid = map.labels.grid;
  const double h = grid.spacing_mm.maxCoeff();
  Volume<float>& factor = map.factors.electrical;
  if (factor.empty()) factor = Volume<float>(grid, 1);
  std::vector<Region> poles;
  for (std::size_t n = 0; n < applicators.size(); ++n)
    for (const Electrode& e : place_poles(applicators[n], devices[n]).electrodes)
      if (!e.floating) poles.push_back(e.region);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        double distance = std::numeric_limits<double>::infinity();
        for (const Region& r : poles)
          distance = std::min(distance, signed_distance_mm(r, grid.to_world(i, j, k)));
        const double share = std::clamp((halo.thickness_mm - distance) / h + 0.5, 0.0, 1.0);
        const std::size_t c = grid.index(i, j, k);
        const auto& sigma = map.tissues[map.labels[c]].electrical_S_per_m;
        if (share == 0 || !sigma || !(*sigma > 0) || *sigma > kMetal_S_per_m) continue;
        factor[c] *= float(1 - share + share * halo.conductivity_S_per_m / *sigma);
      }
}

std::vector<std::string> rfa_warnings(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices) {
  std::vector<std::string> warnings;
  for (std::size_t n = 0; n < applicators.size(); ++n) {
    const auto stretch = active_stretch_mm(devices[n]);
    if (!stretch) continue;
    if (const auto& end_mm = applicators[n].cannula_from_tip_mm) {
      const double gap_mm = *end_mm - (*stretch)[1],
                   wanted_mm = devices[n].cannula ? devices[n].cannula->back_off_mm : kBackOff_mm;
      if (gap_mm < wanted_mm)
        warnings.push_back(
            fmt::format("probe {}: the metal cannula ends {:.1f} mm behind the active part; {:g} mm at "
                        "least keep the current from going along it",
                        n + 1, gap_mm, wanted_mm));
    }
    if (devices[n].tines && applicators[n].deployment < 1)
      warnings.push_back(fmt::format("probe {}: the tines are deployed to {:.0f} % only", n + 1,
                                     100 * applicators[n].deployment));
  }
  return warnings;
}

std::vector<Source> make_rfa_sources(const std::vector<Applicator>& applicators,
                                     const std::vector<Device>& devices,
                                     const std::vector<TimedProtocol>& protocols) {
  require_pairs(applicators, devices);
  for (std::size_t n = 0; n < devices.size(); ++n) {
    require_rfa(devices[n]);
    validate(devices[n]);
    for (const TimedProtocol& timed : protocols)
      if (timed.follows(n)) validate(timed.protocol, devices[n]);
  }
  for (const TimedProtocol& timed : protocols)
    if (std::ranges::none_of(timed.protocol.steps, gives_current))
      throw ConfigError("no step of the protocol gives energy", "/protocol/steps",
                        "give one hold_degC, power_W or voltage_V");
  std::vector<PlacedPoles> placed;
  for (std::size_t n = 0; n < devices.size(); ++n) placed.push_back(place_poles(applicators[n], devices[n]));

  std::vector<Source> sources;
  for (const JointSteps& joint : joint_steps(protocols, devices.size())) {
    std::optional<bool> bipolar;
    ElectrodesSource source;
    for (std::size_t n = 0; n < devices.size(); ++n) {
      const ProtocolStep* step = joint.steps[n];
      if (step != nullptr && bipolar.value_or(is_bipolar(devices[n])) != is_bipolar(devices[n]))
        throw ConfigError(
            "monopolar and bipolar devices in one field", "/applicators",
            "the pad of the one would draw current from the other: plan them one after the other");
      if (step != nullptr) bipolar = is_bipolar(devices[n]);
      add_probe(applicators[n], devices[n], placed[n], step, source);
      if (step != nullptr) source.channels.back().output = int(n);
    }
    source.outer_grounded = !bipolar.value();
    if (devices.size() == 1) {
      source.control = source.channels.front().control;
      source.roll_off = source.channels.front().roll_off;
      source.channels.clear();
    }
    sources.push_back({std::move(source), {joint.between_s}});
  }
  return sources;
}

}  // namespace spinetherm
