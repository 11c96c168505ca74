// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/thermal/antenna_fixture.h"
#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {

/// Soft tissue that microwaves and light of both kinds heat and coagulate, in a box around the origin.
inline ThermalProblem irradiated(std::array<int, 3> size, double spacing_mm) {
  UniformTissue t;
  t.perfusion_per_s = 0.002;
  ThermalProblem p = uniform_problem(t, size, spacing_mm);
  Grid& grid = p.tissue_map.labels.grid;
  for (std::size_t a = 0; a < 3; ++a) grid.origin_mm[Eigen::Index(a)] = -(size[a] - 1) * spacing_mm / 2;
  Tissue& tissue = p.tissue_map.tissues[0];
  tissue.relative_permittivity = 43.03;
  tissue.microwave_S_per_m = 1.69;
  tissue.relative_permittivity_915MHz = 46.76;
  tissue.microwave_915MHz_S_per_m = 0.861;
  tissue.optical = Optical{{50, 1000}, OpticalProperties{50, 3000}};
  tissue.optical_1064nm = tissue.optical;
  tissue.damage = Arrhenius{7.39e39, 2.577e5};
  return p;
}

/// Its slot at the origin, from +z.
inline AntennaSource antenna_at_origin() {
  AntennaSource s;
  s.antenna = slot_antenna();
  s.entry_mm = {0, 0, 60};
  s.tip_mm = {0, 0, -5.5};
  s.power_W = 15;
  s.cable_loss = 0.1;
  s.cooled_degC = 20;
  return s;
}

/// A diffuser of 6 mm around the origin in a cooled catheter from +z.
inline LightSource light_at_origin() {
  LightSource s;
  s.power_W = 6;
  s.a_mm = {0, 0, -3};
  s.b_mm = {0, 0, 3};
  s.radius_mm = 0.825;
  s.tip_mm = Eigen::Vector3d(0, 0, -4.5);
  s.entry_mm = Eigen::Vector3d(0, 0, 60);
  s.cooled_degC = 20;
  return s;
}

}  // namespace spinetherm
