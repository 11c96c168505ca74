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

/// A pole that begins at the tip is a capsule with its round front at the tip, whose round
/// back end lies hidden in the insulated shaft; every other pole is a cylinder; both are tubes along the arc
/// where the tip is bent, and so is every tine. A cannula that was left in place is floating metal from its
/// end to the entry; metal never joins the stencil of heat. All of the shaft from the entry to the tip that
/// is no pole (also metal, which is insulated) is an insulator. ConfigError when the device is not of this
/// energy, its poles reach out of the entry point, or it has nothing but tines and they are drawn in.
PlacedPoles place_poles(const Applicator& applicator, const Device& device);

/// Conductivity of the halo's saline in the cells of the map that lie within its thickness of a pole or tine,
/// in part where its edge runs through a cell, but for metal; other cells as they are. In pig vertebrae
/// infusion did not enlarge the zone.
void add_saline_halo(TissueMap& map, const std::vector<Applicator>& applicators,
                     const std::vector<Device>& devices, const SalineHalo& halo);

/// What of the placed devices deserves a warning: poles inside their metal cannula or nearer to it than the
/// device's back-off, tines drawn in.
std::vector<std::string> rfa_warnings(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices);

/// Radiofrequency: one source for each step of the protocol that gives energy, active during that step; all
/// applicators act in one field. Devices with poles of one sign work against a pad (outer faces grounded),
/// bipolar ones among themselves (outer faces insulated); the two kinds are not mixed.
///
/// Each of several applicators is a channel of the generator: it gives the power of the step, or holds the
/// temperature at its own control sensor within its own limit, and rolls off by its own resistance.
/// `voltage_V` lies between the poles of a bipolar device, or between the pole and the pad.
/// ConfigError for devices of another energy, protocols that break their rules (applicator.h), and a held
/// temperature without a power limit of step or device.
std::vector<Source> make_rfa_sources(const std::vector<Applicator>& applicators,
                                     const std::vector<Device>& devices,
                                     const std::vector<TimedProtocol>& protocols);
/// All applicators follow one protocol, from 0 on.
inline std::vector<Source> make_rfa_sources(const std::vector<Applicator>& applicators,
                                            const std::vector<Device>& devices, const Protocol& protocol) {
  return make_rfa_sources(applicators, devices, {TimedProtocol{protocol}});
}

}  // namespace spinetherm
