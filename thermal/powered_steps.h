// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
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

/// A step, and when it is taken.
struct TimedStep {
  const ProtocolStep* step = nullptr;
  std::array<double, 2> between_s{0, 0};
};
inline std::vector<TimedStep> timed_steps(const TimedProtocol& timed) {
  std::vector<TimedStep> out;
  double t_s = timed.begin_s;
  for (const ProtocolStep& step : timed.protocol.steps) {
    out.push_back({&step, {t_s, t_s + step.duration_s}});
    t_s += step.duration_s;
  }
  return out;
}

/// Sources of applicators that have a power and nothing else to control: one for each of them and each step
/// of its protocols that gives power, active during that step. `place(applicator, device)` makes the source
/// and refuses what it cannot. ConfigError for devices and protocols that break their rules (applicator.h)
/// and for a protocol without power.
template <class Place>
std::vector<Source> powered_steps(const std::vector<Applicator>& applicators,
                                  const std::vector<Device>& devices,
                                  const std::vector<TimedProtocol>& protocols, const Place& place) {
  require_pairs(applicators, devices);
  std::vector<decltype(place(applicators.front(), devices.front()))> placed;
  for (std::size_t n = 0; n < devices.size(); ++n) {
    placed.push_back(place(applicators[n], devices[n]));
    validate(devices[n]);
  }
  std::vector<Source> sources;
  for (const TimedProtocol& timed : protocols) {
    const std::size_t before = sources.size();
    for (std::size_t n = 0; n < devices.size(); ++n)
      if (timed.follows(n)) validate(timed.protocol, devices[n]);
    for (const TimedStep& at : timed_steps(timed))
      for (std::size_t n = 0; n < placed.size() && at.step->power_W; ++n) {
        if (!timed.follows(n)) continue;
        auto one = placed[n];
        one.power_W = *at.step->power_W;
        sources.push_back({std::move(one), {at.between_s}});
      }
    if (sources.size() == before)
      throw ConfigError("no step of the protocol gives energy", "/protocol/steps", "give one power_W");
  }
  return sources;
}

}  // namespace spinetherm
