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
                                      const std::vector<Device>& devices, const Protocol& protocol);
};

/// The steps of a protocol that a sensor may end, for a schedule that begins at `begin_s`. ConfigError when
/// no device has the sensor.
std::vector<EarlyEnd> make_early_ends(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices, const Protocol& protocol,
                                      double begin_s = 0);

const std::vector<EnergyModality>& energy_modalities();
/// ConfigError "unknown energy 'laser2': known: rfa, cryo" for an unknown name.
const EnergyModality& energy_modality(std::string_view name);

}  // namespace spinetherm
