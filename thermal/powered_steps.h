// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <vector>

#include "imaging/core/error.h"
#include "thermal/applicator.h"
#include "thermal/problem.h"

namespace spinetherm {

/// One device for each applicator, and at least one: ConfigError otherwise.
inline void require_pairs(const std::vector<Applicator>& applicators, const std::vector<Device>& devices) {
  if (applicators.empty() || applicators.size() != devices.size())
    throw ConfigError(fmt::format("{} applicators with {} devices", applicators.size(), devices.size()),
                      "/applicators", "give one device for each applicator, and at least one");
}

/// Sources of applicators that have a power and nothing else to control: one for each of them and each step
/// of the protocol that gives power, active during that step. `place(applicator, device)` makes the source
/// and refuses what it cannot. ConfigError for devices and protocols that break their rules (applicator.h)
/// and for a protocol without power.
template <class Place>
std::vector<Source> powered_steps(const std::vector<Applicator>& applicators,
                                  const std::vector<Device>& devices, const Protocol& protocol,
                                  const Place& place) {
  require_pairs(applicators, devices);
  std::vector<decltype(place(applicators.front(), devices.front()))> placed;
  for (std::size_t n = 0; n < devices.size(); ++n) {
    placed.push_back(place(applicators[n], devices[n]));
    validate(devices[n]);
    validate(protocol, devices[n]);
  }
  std::vector<Source> sources;
  double t_s = 0;
  for (const ProtocolStep& step : protocol.steps) {
    const double from_s = t_s;
    t_s += step.duration_s;
    if (!step.power_W) continue;
    for (auto one : placed) {
      one.power_W = *step.power_W;
      sources.push_back({std::move(one), {{from_s, t_s}}});
    }
  }
  if (sources.empty())
    throw ConfigError("no step of the protocol gives energy", "/protocol/steps", "give one power_W");
  return sources;
}

}  // namespace spinetherm
