// SPDX-License-Identifier: Apache-2.0
#include "thermal/cryo.h"

#include <fmt/format.h>

#include <algorithm>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/powered_steps.h"

namespace spinetherm {
namespace {

/// Channels of one console.
constexpr std::size_t kMostProbes = 8;

CryoprobeSource source_of(const Applicator& applicator, const Device& device) {
  if (device.modality != "cryo" || !device.cryo)
    throw ConfigError(
        fmt::format("the device '{}' works with '{}', not with cold", device.name, device.modality),
        "/applicators", "choose a device of the protocol's energy");
  const CryoPart& part = *device.cryo;
  const double path_mm = (applicator.tip_mm - applicator.entry_mm).norm();
  if (!(path_mm > part.to_tip_mm))
    throw ConfigError(
        fmt::format("the cooling part of '{}' ends {} mm from the tip, beyond the entry point at {} mm",
                    device.name, part.to_tip_mm, path_mm),
        "/applicators", "place the tip deeper or the entry farther out");
  CryoprobeSource s;
  s.device = device.name;
  s.entry_mm = applicator.entry_mm;
  s.tip_mm = applicator.tip_mm;
  s.diameter_mm = device.shaft_diameter_mm;
  s.active_from_tip_mm = part.from_tip_mm;
  s.active_to_tip_mm = part.to_tip_mm;
  s.gas_degC = part.gas_degC;
  s.film_W_per_m2_K = part.film_W_per_m2_K;
  s.max_W_per_m = part.max_W_per_m;
  s.ramp_s = part.ramp_s;
  return s;
}

double active_length_m(const CryoprobeSource& s) {
  return (s.active_to_tip_mm - s.active_from_tip_mm) * 1e-3;
}

}  // namespace

PlacedProbe place_probe(const CryoprobeSource& s) {
  const Eigen::Vector3d along = (s.tip_mm - s.entry_mm).normalized();
  const double path_mm = (s.tip_mm - s.entry_mm).norm(), radius = s.diameter_mm / 2;
  const auto at = [&](double from_tip_mm) { return (s.tip_mm - from_tip_mm * along).eval(); };
  const double from = s.active_from_tip_mm, to = s.active_to_tip_mm;
  PlacedProbe placed;
  placed.active_area_mm2 = 2 * kPi * radius * (to - from);
  const bool round = from == 0 && to > radius && path_mm - to >= radius;
  placed.active =
      round ? Region{Capsule{at(radius), at(to), radius}} : Region{Cylinder{at(from), at(to), radius}};
  if (from > 0) placed.shaft.push_back({Cylinder{at(0), at(from), radius}});
  placed.shaft.push_back({Cylinder{at(to), at(path_mm), radius}});
  return placed;
}

FilmLaw flowing(const CryoprobeSource& s) {
  return {place_probe(s).active_area_mm2, s.duty * s.film_W_per_m2_K,
          s.duty * s.max_W_per_m * active_length_m(s)};
}
FilmLaw idle(const CryoprobeSource& s) { return {place_probe(s).active_area_mm2, 0, 0}; }

std::vector<Source> make_cryo_sources(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices,
                                      const std::vector<TimedProtocol>& protocols) {
  require_pairs(applicators, devices);
  if (applicators.size() > kMostProbes)
    throw ConfigError(fmt::format("{} cryoprobes", applicators.size()), "/applicators",
                      fmt::format("place at most {}", kMostProbes));
  std::vector<CryoprobeSource> probes;
  for (std::size_t n = 0; n < applicators.size(); ++n) {
    probes.push_back(source_of(applicators[n], devices[n]));
    validate(devices[n]);
  }
  std::vector<Source> sources;
  for (const TimedProtocol& timed : protocols) {
    for (std::size_t n = 0; n < devices.size(); ++n)
      if (timed.follows(n)) validate(timed.protocol, devices[n]);
    bool freezes = false;
    for (const auto& [step, between_s] : timed_steps(timed)) {
      freezes = freezes || step->duty.has_value();
      if (!step->duty && !step->thaw_degC) continue;
      for (std::size_t n = 0; n < probes.size(); ++n) {
        if (!timed.follows(n)) continue;
        CryoprobeSource probe = probes[n];
        if (step->duty) probe.duty = *step->duty;
        if (step->thaw_degC) probe.gas_degC = *step->thaw_degC;
        sources.push_back({std::move(probe), {between_s}});
      }
    }
    if (!freezes) throw ConfigError("no step of the protocol freezes", "/protocol/steps", "give one a duty");
  }
  return sources;
}

}  // namespace spinetherm
