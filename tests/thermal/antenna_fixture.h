// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/antenna_field.h"

namespace spinetherm {

/// Slot 5 to 6 mm from the tip of a 2.45 GHz antenna, catheter of 1.8 mm.
inline CoaxialAntenna slot_antenna() {
  CoaxialAntenna a;
  a.inner_radius_mm = 0.145;
  a.dielectric_radius_mm = 0.47;
  a.outer_radius_mm = 0.595;
  a.catheter_radius_mm = 0.895;
  a.dielectric_permittivity = 2.03;
  a.catheter_permittivity = 2.6;
  a.cap_from_tip_mm = 0.3;
  a.cap_to_tip_mm = 0.6;
  a.slot_from_tip_mm = 5;
  a.slot_to_tip_mm = 6;
  return a;
}
inline DielectricAround everywhere(Dielectric d) {
  return [d](double, double) { return d; };
}
inline constexpr Dielectric kLiver{43.03, 1.69};

}  // namespace spinetherm
