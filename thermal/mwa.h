// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "thermal/applicator.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Microwave ablation: one source for each antenna and each step of the protocol that gives power, active
/// during that step. Every antenna has the power of the step from a generator of its own, incoherent with the
/// others: power densities add. A shield faces away from the roll direction.
/// ConfigError for devices of another energy, a slot that lies out of the entry point, protocols that break
/// their rules (applicator.h), and a protocol without power.
std::vector<Source> make_mwa_sources(const std::vector<Applicator>& applicators,
                                     const std::vector<Device>& devices,
                                     const std::vector<TimedProtocol>& protocols);
/// All applicators follow one protocol, from 0 on.
inline std::vector<Source> make_mwa_sources(const std::vector<Applicator>& applicators,
                                            const std::vector<Device>& devices, const Protocol& protocol) {
  return make_mwa_sources(applicators, devices, {TimedProtocol{protocol}});
}

/// What deserves a warning: a metal cannula nearer to the slot than the device's back-off reflects the field.
std::vector<std::string> mwa_warnings(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices);

}  // namespace spinetherm
