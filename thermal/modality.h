// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "thermal/applicator.h"
#include "thermal/problem.h"

namespace spinetherm {

/// An energy: how placed devices and a protocol become sources of heat or cold. To add one:
/// thermal/<name>.cpp, one row in modality.cpp, tests/thermal/<name>_test.cpp.
struct EnergyModality {
  std::string_view name, description;
  /// `devices[n]` is the catalogue entry of `applicators[n]`. ConfigError when a device is not of this
  /// energy.
  std::vector<Source> (*make_sources)(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices,
                                      const std::vector<TimedProtocol>& protocols);
};

/// What the protocols of a plan do with its applicators.
struct PlanSchedule {
  std::vector<Source> sources;
  std::vector<EarlyEnd> early_ends;
  double duration_s = 0;  ///< until the last protocol ends
};
/// `devices[n]` is the catalogue entry of `applicators[n]`. A protocol is followed by the applicators that it
/// names, or by all of its energy, from `start_s` or from the end of the one before it: several may act at
/// once. ConfigError: an applicator that follows none, or two at once; a step that a sensor may end while
/// another protocol acts, whose times it would shift.
PlanSchedule schedule_plan(const std::vector<Applicator>& applicators, const std::vector<Device>& devices,
                           const std::vector<Protocol>& protocols);

/// The steps of a protocol that a sensor may end, for a schedule that begins at `begin_s`. ConfigError when
/// no device has the sensor.
std::vector<EarlyEnd> make_early_ends(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices, const Protocol& protocol,
                                      double begin_s = 0);

const std::vector<EnergyModality>& energy_modalities();
/// ConfigError "unknown energy 'laser2': known: rfa, cryo" for an unknown name.
const EnergyModality& energy_modality(std::string_view name);

}  // namespace spinetherm
