// SPDX-License-Identifier: Apache-2.0
#include "thermal/steam.h"

#include <gtest/gtest.h>

#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

ThermalProblem boiling_cube(int n) {
  ThermalProblem p;
  p.tissue_map.labels.grid.size = {n, n, n};
  p.tissue_map.labels.values.assign(std::size_t(n) * std::size_t(n) * std::size_t(n), 0);
  Tissue t;
  t.name = "soft tissue";
  t.density_kg_per_m3 = 1060;
  t.specific_heat_J_per_kg_K = 3600;
  t.conductivity_W_per_m_K = 0.5;
  t.boiling = Boiling{1.5e6, 99, 101};
  p.tissue_map.tissues = {t};
  return p;
}

TEST(Steam, ACellThatCoolsHasLostItsLatentHeat) {
  const ThermalProblem p = boiling_cube(2);
  HeatLevel<double> level = make_level<double>(p, 1);
  level.rows = make_active_rows(level.grid.size, true);
  Steam<double> steam(level);
  double& u = level.y[0][3];
  u = 62 + 150;
  EXPECT_EQ(steam.follow(level, 1e9), 0);
  EXPECT_FALSE(steam.changed());
  u = 62 + 146;
  const double latent_u = 150 * (1 - level.table.boil_slope[0]);
  EXPECT_NEAR(steam.follow(level, 1e9), latent_u * 1060 * 3600 * 1e-9, 1e-9);
  EXPECT_TRUE(steam.changed());
  EXPECT_NEAR(u, 62 + 146 - latent_u, 1e-9);
  EXPECT_EQ(steam.follow(level, 1e9), 0);
  // Back to boiling: its water is gone, so the heat is not taken a second time.
  u = 62.5;
  EXPECT_NEAR(steam.follow(level, 1e9), -latent_u * 1060 * 3600 * 1e-9, 1e-9);
  EXPECT_NEAR(u, 62.5 + latent_u, 1e-9);
}

TEST(Steam, LittleUpsAndDownsOfBoilingLoseNothing) {
  const ThermalProblem p = boiling_cube(2);
  HeatLevel<double> level = make_level<double>(p, 1);
  level.rows = make_active_rows(level.grid.size, true);
  Steam<double> steam(level);
  double lost_J = 0;
  for (int n = 0; n < 20; ++n) {
    level.y[0][0] = 62 + 100 + (n % 2);
    lost_J += steam.follow(level, 1e9);
  }
  EXPECT_EQ(lost_J, 0);
}

/// With the steam's heat gone, tissue is soon below boiling once the power is off, and the balance holds.
TEST(Steam, TissueDoesNotStayAtBoilingAfterPowerOff) {
  ThermalProblem p = boiling_cube(24);
  p.sources = {{GaussianSource{4, 2, {11.5, 11.5, 11.5}}, {{0, 60}}}};
  p.duration_s = 80;
  p.sample = {{{11.5, 11.5, 11.5}}, {60, 80}};
  const ThermalResult r = solve(p);
  ASSERT_EQ(r.samples.size(), 2U);
  EXPECT_GT(r.samples[0].T_degC, 99);
  EXPECT_LT(r.samples[1].T_degC, 92);
  EXPECT_LT(r.energy.relative_residual, 1e-4);
}

}  // namespace
}  // namespace spinetherm
