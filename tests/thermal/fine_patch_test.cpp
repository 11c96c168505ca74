// SPDX-License-Identifier: Apache-2.0
#include "thermal/fine_patch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/error_estimate.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// A perfused cube of 30 mm around the origin's cell, in cells of `spacing_mm`.
ThermalProblem cube(double spacing_mm) {
  UniformTissue t;
  t.perfusion_per_s = 1e-3;
  const int n = int(std::lround(30 / spacing_mm));
  ThermalProblem p = uniform_problem(t, {n, n, n}, spacing_mm);
  p.tissue_map.labels.grid.origin_mm.setConstant(-15 + spacing_mm / 2);
  p.boundary.fill({BoundaryKind::fixed, 37, 0});
  p.fields.temperature = p.fields.peak_temperature = p.fields.cem43 = true;
  return p;
}
void add_patch(ThermalProblem& p, double half_mm, int ratio) {
  p.patch = refined(p.tissue_map, patch_grid(p.grid(), Vector3d::Constant(-half_mm + 0.5),
                                             Vector3d::Constant(half_mm - 0.5), ratio));
}
BioheatOptions plain() {
  BioheatOptions o;
  o.fourth_order = false;
  o.step_error_K = 2e-3;
  return o;
}
double largest_difference_K(const ThermalResult& a, const ThermalResult& b) {
  double largest = 0;
  for (std::size_t n = 0; n < a.samples.size(); ++n)
    largest = std::max(largest, std::abs(a.samples[n].T_degC - b.samples[n].T_degC));
  return largest;
}

TEST(PatchGrid, HoldsWholeCellsOfTheWindow) {
  const Grid window = cube(1).grid();
  const Grid patch = patch_grid(window, {-4.2, -3.6, -0.4}, {4.4, 3.9, 0.3}, 2);
  const PatchBox box = patch_box(window, patch);
  EXPECT_EQ(box.ratio, 2);
  for (std::size_t a = 0; a < 3; ++a) EXPECT_EQ(patch.size[a], 2 * (box.high[a] - box.low[a]));
  const Vector3d first = window.to_world(box.low[0], box.low[1], box.low[2]);
  EXPECT_TRUE(patch.origin_mm.isApprox(first - Vector3d::Constant(0.25), 1e-9));
}

TEST(PatchGrid, LeavesTwoCellsOfTheWindow) {
  const Grid window = cube(1).grid();
  const PatchBox box = patch_box(window, patch_grid(window, {-40, -40, -40}, {40, 40, 40}, 3));
  for (std::size_t a = 0; a < 3; ++a) {
    EXPECT_EQ(box.low[a], 2);
    EXPECT_EQ(box.high[a], window.size[a] - 2);
  }
}

TEST(PatchBox, RefusesWhatDoesNotFit) {
  const Grid window = cube(1).grid();
  const Grid good = patch_grid(window, {-4, -4, -4}, {4, 4, 4}, 2);
  Grid shifted = good;
  shifted.origin_mm.x() += 0.1;
  EXPECT_THROW((void)patch_box(window, shifted), ConfigError);
  Grid odd = good;
  odd.size[1] -= 1;
  EXPECT_THROW((void)patch_box(window, odd), ConfigError);
  EXPECT_THROW((void)patch_box(window, window), ConfigError);
  Grid outside = good;
  outside.origin_mm.z() -= 12;
  EXPECT_THROW((void)patch_box(window, outside), ConfigError);
}

TEST(FinePatch, IsRefusedBesideSourcesOfOneGrid) {
  ThermalProblem p = cube(1);
  add_patch(p, 5, 2);
  p.duration_s = 1;
  p.sources = {{PointSource{1, {0, 0, 0}}, {}}};
  EXPECT_THROW((void)solve(p), ConfigError);
  p.sources.clear();
  p.voxel_applicators = true;
  EXPECT_THROW((void)solve(p), ConfigError);
}

/// Heat that crosses the edge of the patch: the answer is that of fine cells everywhere, and none is lost.
TEST(FinePatch, IsAsGoodAsFineCellsEverywhere) {
  for (const bool varies : {false, true}) {
    SCOPED_TRACE(varies);
    const auto with = [&](ThermalProblem p) {
      if (varies) p.tissue_map.tissues[0].conductivity_per_K = 2e-3;
      p.sources = {{GaussianSource{2, 2, {0.3, 0.1, -0.4}}, {{0, 60}}}};
      p.duration_s = 90;
      p.sample.times_s = {60, 90};
      for (const double x : {0.3, 2.0, 4.0, 4.9, 5.1, 7.0, 9.0})
        p.sample.points_mm.emplace_back(x, 0.1, -0.4);
      return p;
    };
    ThermalProblem patched = with(cube(1));
    add_patch(patched, 5, 2);
    const ThermalResult fine = solve(with(cube(0.5)), plain()), coarse = solve(with(cube(1)), plain());
    const ThermalResult r = solve(patched, plain());
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    EXPECT_LT(r.energy.relative_residual, 3e-6);
    EXPECT_NEAR(r.energy.in_J, 120, 0.01);
    EXPECT_LT(largest_difference_K(r, fine), 0.1);
    EXPECT_GT(largest_difference_K(coarse, fine), 0.4);  // of 60 K
    EXPECT_NEAR(r.zones.at("over_50_degC").volume_ml, fine.zones.at("over_50_degC").volume_ml, 0.01);
  }
}

TEST(FinePatch, ConservesHeatInDouble) {
  ThermalProblem p = cube(1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.tissue_map.tissues[0].perfusion_per_s = 0;
  add_patch(p, 4, 3);
  p.sources = {{GaussianSource{2, 1.5, {1, 1, 1}}, {{0, 20}}}};
  p.duration_s = 40;
  BioheatOptions o = plain();
  o.double_precision = true;
  const ThermalResult r = solve(p, o);
  EXPECT_NEAR(r.energy.stored_J, r.energy.in_J, 1e-9 * r.energy.in_J);
}

TEST(FinePatch, GivesTheSameBitsForAnyNumberOfThreads) {
  ThermalProblem p = cube(1);
  add_patch(p, 5, 2);
  p.tissue_map.tissues[0].conductivity_per_K = 1e-3;
  p.sources = {{GaussianSource{2, 2, {0.3, 0.1, -0.4}}, {}}};
  p.duration_s = 20;
  BioheatOptions o = plain();
  o.threads = 1;
  const ThermalResult one = solve(p, o);
  o.threads = 3;
  EXPECT_EQ(one.temperature.values, solve(p, o).temperature.values);
}

/// Where heat passes fast between the two, steps are as long as those of fine cells everywhere.
TEST(FinePatch, ExchangeDoesNotBindTheSteps) {
  const auto with = [&](ThermalProblem p) {
    p.tissue_map.tissues[0].conductivity_W_per_m_K = 5;
    p.sources = {{GaussianSource{8, 2, {0.3, 0.1, -0.4}}, {{0, 20}}}};
    p.duration_s = 30;
    p.sample.times_s = {5, 20, 30};
    for (const double x : {0.3, 2.0, 4.0, 4.9, 5.1, 7.0, 9.0}) p.sample.points_mm.emplace_back(x, 0.1, -0.4);
    return p;
  };
  ThermalProblem patched = with(cube(1));
  add_patch(patched, 5, 2);
  const ThermalResult fine = solve(with(cube(0.5)), plain()), r = solve(patched, plain());
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  EXPECT_LT(r.energy.relative_residual, 3e-6);
  EXPECT_LT(largest_difference_K(r, fine), 0.1);  // of 27 K
  EXPECT_LT(r.summary.steps, 1.2 * double(fine.summary.steps));
}

/// Two cooled poles on a shaft that leaves the patch: resistance, power and temperatures are those of fine
/// cells everywhere.
TEST(FinePatch, HoldsApplicators) {
  const auto with = [&](ThermalProblem p) {
    Tissue& t = p.tissue_map.tissues[0];
    t.electrical_S_per_m = 0.2;
    t.electrical_per_K = 0.015;
    const Vector3d along = Vector3d(1, 0.3, 0.2).normalized(),
                   across = along.cross(Vector3d::UnitY()).normalized();
    const auto tube = [&](double from_mm, double to_mm) {
      Tube shape;
      shape.points_mm = {from_mm * along, to_mm * along};
      shape.radius_mm = 0.735;
      shape.flat_ends = true;
      return Region{shape};
    };
    ElectrodesSource s;
    s.electrodes = {{tube(-6, -1.4), 8, 20.0}, {tube(1.4, 6), -8, 20.0}};
    s.insulators = {tube(-1.4, 1.4), tube(6, 14)};
    s.outer_grounded = false;
    p.sources = {{s, {{0, 60}}}};
    p.duration_s = 80;
    p.sample.times_s = {60, 80};
    for (const double x : {1.0, 2.0, 4.0, 6.0}) p.sample.points_mm.push_back(x * across);
    p.sample.points_mm.push_back(4 * along + 2 * across);
    return p;
  };
  ThermalProblem patched = with(cube(1));
  add_patch(patched, 9, 2);
  const ThermalResult fine = solve(with(cube(0.5)), plain()), r = solve(patched, plain());
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  EXPECT_LT(largest_difference_K(r, fine), 0.15);
  EXPECT_NEAR(r.electrical->resistance_ohm.front(), fine.electrical->resistance_ohm.front(),
              3e-3 * fine.electrical->resistance_ohm.front());
  EXPECT_LT(r.energy.relative_residual, 1e-5);
}

/// A cryoprobe in the patch: its records are the patch's, and the ice is that of fine cells.
TEST(FinePatch, HoldsCryoprobes) {
  const auto with = [&](ThermalProblem p) {
    Tissue& t = p.tissue_map.tissues[0];
    t.frozen = Frozen{1000, 1900, 1.8, 250000, -8, -0.6};
    CryoprobeSource s;
    s.entry_mm = {0.2, -0.1, -13};
    s.tip_mm = {0.2, -0.1, 4};
    s.diameter_mm = 1.5;
    s.active_to_tip_mm = 8;
    s.gas_degC = -140;
    s.film_W_per_m2_K = 3000;
    s.max_W_per_m = 2000;
    s.ramp_s = 5;
    p.sources = {{s, {{0, 90}}}};
    p.duration_s = 120;
    p.fields.lowest_temperature = true;
    return p;
  };
  ThermalProblem patched = with(cube(1));
  add_patch(patched, 7, 2);
  const ThermalResult fine = solve(with(cube(0.5)), plain()), r = solve(patched, plain());
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  ASSERT_TRUE(r.cryo);
  const double ice_ml = fine.zones.at("under_0_degC").volume_ml;
  EXPECT_GT(ice_ml, 0.3);
  EXPECT_NEAR(r.zones.at("under_0_degC").volume_ml, ice_ml, 0.03 * ice_ml);
  const auto most = [](const ThermalResult& x) {
    return *std::max_element(x.cryo->probes[0].extraction_W.begin(), x.cryo->probes[0].extraction_W.end());
  };
  EXPECT_NEAR(most(r), most(fine), 0.03 * most(fine));
  EXPECT_LT(r.energy.relative_residual, 1e-4);
  EXPECT_LT(r.summary.steps, 1.2 * double(fine.summary.steps));
}

/// The coarser patch holds the finer one; beside that it has the tissue of the window.
TEST(FinePatch, IsCoarsenedWithItsWindow) {
  ThermalProblem p = cube(1);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  add_patch(p, 7, 2);
  std::ranges::fill(p.patch->labels.values, std::uint8_t(1));
  const ThermalProblem coarse = coarsened(p);
  ASSERT_TRUE(coarse.patch);
  const Grid& old = p.patch->labels.grid;
  const Grid& now = coarse.patch->labels.grid;
  EXPECT_EQ(patch_box(coarse.grid(), now).ratio, 2);
  EXPECT_NEAR(now.spacing_mm[0], 0.75, 1e-9);
  const Vector3d half = Vector3d::Constant(0.5),
                 end = old.to_world(old.size[0] - 1, old.size[1] - 1, old.size[2] - 1);
  const Vector3d now_end = now.to_world(now.size[0] - 1, now.size[1] - 1, now.size[2] - 1);
  for (Eigen::Index a = 0; a < 3; ++a) {
    EXPECT_LE(now.origin_mm[a] - now.spacing_mm[a] * half[a],
              old.origin_mm[a] - old.spacing_mm[a] * half[a] + 1e-9);
    EXPECT_GE(now_end[a] + now.spacing_mm[a] * half[a], end[a] + old.spacing_mm[a] * half[a] - 1e-9);
  }
  int beside = 0;
  for (int k = 0; k < now.size[2]; ++k)
    for (int j = 0; j < now.size[1]; ++j)
      for (int i = 0; i < now.size[0]; ++i) {
        const Vector3d at = old.to_index(now.to_world(i, j, k));
        const bool in = at.minCoeff() > -0.5 && (end - now.to_world(i, j, k)).minCoeff() > -0.25;
        EXPECT_EQ(int(coarse.patch->labels(i, j, k)), in ? 1 : 0);
        beside += in ? 0 : 1;
      }
  EXPECT_GT(beside, 0);
}

}  // namespace
}  // namespace spinetherm
