// SPDX-License-Identifier: Apache-2.0
// Heats an insulated block evenly: T = 37 degC + q t / (rho c), the same in every cell. Returns 0 when the
// installed engine says so too.
#include <cmath>
#include <cstdio>

#include "imaging/core/error.h"
#include "thermal/bioheat_solver.h"
#include "thermal/problem.h"

int main() {
  using namespace spinetherm;
  constexpr double kPower_W_per_m3 = 1e6, kDensity_kg_per_m3 = 1060, kHeat_J_per_kg_K = 3600, kTime_s = 30;

  Grid grid;
  grid.size = {8, 8, 8};
  Tissue tissue;
  tissue.name = "block";
  tissue.density_kg_per_m3 = kDensity_kg_per_m3;
  tissue.specific_heat_J_per_kg_K = kHeat_J_per_kg_K;
  tissue.conductivity_W_per_m_K = 0.5;

  ThermalProblem problem;
  problem.tissue_map.labels = Volume<std::uint8_t>(grid);
  problem.tissue_map.tissues = {tissue};
  problem.boundary.fill({BoundaryKind::insulated, 37, 0});
  problem.sources = {{VolumetricSource{Volume<float>(grid, float(kPower_W_per_m3))}, {}}};
  problem.duration_s = kTime_s;
  problem.sample = {{grid.centre_mm()}, {kTime_s}};

  try {
    const ThermalResult result = solve(problem);
    if (!result.summary.usable() || result.samples.size() != 1) {
      std::printf("no result: %s\n", result.summary.message.c_str());
      return 1;
    }
    const double expected_degC = 37 + kPower_W_per_m3 * kTime_s / (kDensity_kg_per_m3 * kHeat_J_per_kg_K);
    const double error_K = result.samples[0].T_degC - expected_degC;
    std::printf("%.4f degC, expected %.4f degC\n", result.samples[0].T_degC, expected_degC);
    return std::abs(error_K) < 1e-3 ? 0 : 1;  // also 1 when the error is NaN
  } catch (const Error& e) {
    std::printf("error: %s\n", e.what());
    return 1;
  }
}
