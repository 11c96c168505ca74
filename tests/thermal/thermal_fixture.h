// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/closed_form.h"
#include "thermal/problem.h"

namespace spinetherm {

inline Tissue soft_tissue(const UniformTissue& t) {
  Tissue tissue;
  tissue.name = "soft tissue";
  tissue.density_kg_per_m3 = t.density_kg_per_m3;
  tissue.specific_heat_J_per_kg_K = t.specific_heat_J_per_kg_K;
  tissue.conductivity_W_per_m_K = t.conductivity_W_per_m_K;
  tissue.perfusion_per_s = t.perfusion_per_s;
  return tissue;
}

/// One tissue in a box whose first cell centre lies at the origin; outer faces at 37 degC.
inline ThermalProblem uniform_problem(const UniformTissue& t, std::array<int, 3> size, double spacing_mm) {
  ThermalProblem p;
  Grid grid;
  grid.size = size;
  grid.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  p.tissue_map.labels = Volume<std::uint8_t>(grid);
  p.tissue_map.tissues = {soft_tissue(t)};
  return p;
}

}  // namespace spinetherm
