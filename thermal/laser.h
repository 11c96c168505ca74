// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/applicator.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Laser ablation: one source for each fibre and each step of the protocol that gives power, active during
/// that step. Every fibre has the power of the step. The device's shaft is the catheter; without a coolant
/// the bare fibre.
/// ConfigError for devices of another energy, a diffuser that reaches out of the entry point, protocols that
/// break their rules (applicator.h), and a protocol without power.
std::vector<Source> make_laser_sources(const std::vector<Applicator>& applicators,
                                       const std::vector<Device>& devices,
                                       const std::vector<TimedProtocol>& protocols);
/// All applicators follow one protocol, from 0 on.
inline std::vector<Source> make_laser_sources(const std::vector<Applicator>& applicators,
                                              const std::vector<Device>& devices, const Protocol& protocol) {
  return make_laser_sources(applicators, devices, {TimedProtocol{protocol}});
}

}  // namespace spinetherm
