// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/applicator.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Exact geometry of a placed device: poles (potential_V = polarity) and what carries no current.
struct PlacedPoles {
  std::vector<Electrode> electrodes;
  std::vector<Region> insulators;
};

/// Straight shaft. A pole that begins at the tip is a capsule with its round front at the tip, whose round
/// back end lies hidden in the insulated shaft; every other pole is a cylinder. All of the shaft from the
/// entry to the tip that is no pole (also metal, which is insulated) is an insulator. A new shape of device
/// is one more function that fills these two lists. ConfigError when the device is not of this energy, or its
/// poles reach out of the entry point.
PlacedPoles place_poles(const Applicator& applicator, const Device& device);

/// Radiofrequency: one source for each step of the protocol that gives energy, active during that step; all
/// applicators act in one field. Devices with poles of one sign work against a pad (outer faces grounded),
/// bipolar ones among themselves (outer faces insulated); the two kinds are not mixed.
///
/// Power and power limits are given per applicator and add up. A held temperature is held at the control
/// sensor of the first applicator: the others follow its voltage, as probes on one generator channel do.
/// `voltage_V` lies between the poles of a bipolar device, or between the pole and the pad.
/// ConfigError for devices of another energy, protocols that break their rules (applicator.h), and a held
/// temperature without a power limit of step or device.
std::vector<Source> make_rfa_sources(const std::vector<Applicator>& applicators,
                                     const std::vector<Device>& devices, const Protocol& protocol);

}  // namespace spinetherm
