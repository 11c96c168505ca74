// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/applicator.h"
#include "thermal/film_wall.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Exact geometry of a cryoprobe: the stretch that cools and the rest of the shaft, which passes no heat.
struct PlacedProbe {
  Region active;
  std::vector<Region> shaft;
  double active_area_mm2 = 0;  ///< of the wall that touches tissue: 2 pi r times its length
};
/// A stretch that begins at the tip is a capsule with its round front at the tip, whose round back end lies
/// hidden in the shaft; its area is that of a cylinder of the same length. Any other is a cylinder between
/// the two ends of the shaft.
PlacedProbe place_probe(const CryoprobeSource& source);

/// Wall of a probe while its gas flows. The duty cycle is averaged over time: with gas in a share `duty` of
/// the time, film coefficient and limit are `duty` times those of steady flow. Cycles of real devices last
/// seconds to tens of seconds, in which ice moves by a fraction of a millimetre.
FilmLaw flowing(const CryoprobeSource& source);
/// The same wall while no gas flows: it passes no heat (passive thaw).
FilmLaw idle(const CryoprobeSource& source);

/// Cryoablation by gas-cooled probes: one source for each applicator and each step that freezes or thaws
/// actively, active during that step; all probes act in one joint solve. A step without duty and thaw_degC
/// leaves the probes alone: passive thaw. An active thaw is gas (or a heater) at thaw_degC with the same film
/// and limit.
/// ConfigError for more than 8 probes, devices of another energy or whose cooling part reaches out of the
/// entry point, protocols that break their rules (applicator.h), and a protocol without a freeze.
std::vector<Source> make_cryo_sources(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices,
                                      const std::vector<TimedProtocol>& protocols);
/// All applicators follow one protocol, from 0 on.
inline std::vector<Source> make_cryo_sources(const std::vector<Applicator>& applicators,
                                             const std::vector<Device>& devices, const Protocol& protocol) {
  return make_cryo_sources(applicators, devices, {TimedProtocol{protocol}});
}

}  // namespace spinetherm
