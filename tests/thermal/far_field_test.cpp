// SPDX-License-Identifier: Apache-2.0
#include "thermal/far_field.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/fine_patch.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

BioheatOptions with_far_field(bool far, bool in_double = false) {
  BioheatOptions o;
  o.fourth_order = false;
  o.coarse_far_field = far;
  o.double_precision = in_double;
  return o;
}

/// Two perfused tissues, the second one from `from` on; all faces fixed.
ThermalProblem two_tissues(std::array<int, 3> size, int from) {
  UniformTissue t;
  t.perfusion_per_s = 1e-3;
  ThermalProblem p = uniform_problem(t, size, 1);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  Tissue& bone = p.tissue_map.tissues[1];
  bone.name = "bone";
  bone.conductivity_W_per_m_K *= 0.7;
  bone.specific_heat_J_per_kg_K *= 0.6;
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = from; i < size[0]; ++i) p.tissue_map.labels(i, j, k) = 1;
  p.boundary.fill({BoundaryKind::fixed, 37, 0});
  p.fields.temperature = p.fields.peak_temperature = p.fields.lowest_temperature = p.fields.cem43 = true;
  return p;
}

/// 5 W in a ball of some millimetres in the middle.
ThermalProblem heated(std::array<int, 3> size) {
  ThermalProblem p = two_tissues(size, size[0] / 2 + 3);
  Volume<float> q(p.grid());
  const Vector3d middle = p.grid().to_world(size[0] / 2, size[1] / 2, size[2] / 2);
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = 0; i < size[0]; ++i)
        q(i, j, k) = float(2e6 * std::exp(-(p.grid().to_world(i, j, k) - middle).squaredNorm() / 32));
  p.sources = {{VolumetricSource{q}, {{0, 200}}}};
  p.duration_s = 400;
  return p;
}

/// A cold ball that freezes its surroundings for 10 min and is tissue again afterwards.
ThermalProblem frozen(int n) {
  ThermalProblem p = two_tissues({n, n, n}, n);
  Tissue& t = p.tissue_map.tissues[0];
  t.frozen = Frozen{1000, 1900, 2, 250000, -8, -1};
  const Vector3d middle = p.grid().to_world(n / 2, n / 2, n / 2);
  p.sources = {{FixedTemperatureSource{Region{Sphere{middle, 4}}, {{0, -120}}, false}, {{0, 600}}}};
  p.duration_s = 900;
  p.fields.freezes = true;
  return p;
}

double largest_difference_K(const Volume<float>& a, const Volume<float>& b) {
  double largest = 0;
  for (std::size_t c = 0; c < a.values.size(); ++c)
    largest = std::max(largest, std::abs(double(a[c]) - double(b[c])));
  return largest;
}

TEST(FarProblem, KeepsTheMeansOfItsParts) {
  ThermalProblem p = two_tissues({6, 4, 5}, 3);
  p.tissue_map.tissues[0].perfusion_per_s = 2e-3;
  const ThermalProblem far = far_problem(p);
  const Grid& grid = far.grid();
  EXPECT_EQ(grid.size, (std::array<int, 3>{3, 2, 3}));
  EXPECT_TRUE(grid.origin_mm.isApprox(p.grid().to_world(0.5 * Vector3d::Ones()), 1e-12));
  // Columns 2 and 3 lie half in each tissue: of equals the lowest label.
  EXPECT_EQ(far.tissue_map.labels(1, 0, 0), 0);
  EXPECT_EQ(far.tissue_map.labels(2, 0, 0), 1);
  const auto& f = far.tissue_map.factors;
  EXPECT_FLOAT_EQ(f.conductivity(1, 0, 0), 0.85F);
  EXPECT_FLOAT_EQ(f.heat_capacity(1, 1, 2), 0.8F);
  EXPECT_FLOAT_EQ(f.perfusion(1, 0, 0), 0.75F);
  for (const int i : {0, 2}) EXPECT_FLOAT_EQ(f.heat_capacity(i, 1, 1), 1);
}

TEST(FarProblem, TissueWithADamageLawComesFirst) {
  ThermalProblem p = two_tissues({4, 4, 4}, 4);
  p.tissue_map.tissues[1].damage = Arrhenius{7.39e39, 2.577e5};
  p.tissue_map.labels(1, 1, 1) = 1;
  const ThermalProblem far = far_problem(p);
  EXPECT_EQ(far.tissue_map.labels(0, 0, 0), 1);
  EXPECT_EQ(far.tissue_map.labels(1, 0, 0), 0);
}

TEST(FarField, HeatIsThatOfTheFineCellsAndNoneIsLost) {
  const ThermalProblem p = heated({61, 56, 58});
  const ThermalResult plain = solve(p, with_far_field(false, true)),
                      far = solve(p, with_far_field(true, true));
  ASSERT_TRUE(far.summary.usable()) << far.summary.message;
  EXPECT_LT(far.summary.cell_updates, plain.summary.cell_updates);
  EXPECT_LT(far.energy.relative_residual, 5e-6);  // what leaves to cells at rest is a trapezoid
  EXPECT_NEAR(far.energy.in_J, plain.energy.in_J, 1e-3 * plain.energy.in_J);
  EXPECT_LT(largest_difference_K(far.temperature, plain.temperature), 0.1);
  EXPECT_LT(largest_difference_K(far.peak_temperature, plain.peak_temperature), 0.15);
  for (const char* zone : {"over_50_degC", "cem43_over_240"})
    EXPECT_NEAR(far.zones.at(zone).volume_ml, plain.zones.at(zone).volume_ml,
                0.01 * plain.zones.at(zone).volume_ml)
        << zone;
  EXPECT_LT(solve(p, with_far_field(true)).energy.relative_residual, 1e-5);
}

TEST(FarField, ColdIsThatOfTheFineCellsAndTheBoxGrows) {
  const ThermalProblem p = frozen(64);
  const ThermalResult plain = solve(p, with_far_field(false)), far = solve(p, with_far_field(true));
  ASSERT_TRUE(far.summary.usable()) << far.summary.message;
  EXPECT_LT(far.energy.relative_residual, 1e-5);
  for (const char* zone : {"under_0_degC", "under_minus20_degC"})
    EXPECT_NEAR(far.zones.at(zone).volume_ml, plain.zones.at(zone).volume_ml,
                0.005 * plain.zones.at(zone).volume_ml)
        << zone;
  EXPECT_LT(largest_difference_K(far.lowest_temperature, plain.lowest_temperature), 0.5);
  EXPECT_EQ(far.freezes.values, plain.freezes.values);
}

/// The same, on until the dose has settled: then the far cells stand for the box as well.
ThermalProblem until_settled(ThermalProblem p) {
  p.duration_s = p.sources[0].active_s[0][1];
  p.until_dose_settled = true;
  return p;
}

TEST(FarField, TakesOverOnceHeatIsSmooth) {
  ThermalProblem p = until_settled(heated({61, 56, 58}));
  p.tissue_map.tissues[0].damage = Arrhenius{7.39e39, 2.577e5};
  p.fields.arrhenius = true;
  const ThermalResult plain = solve(p, with_far_field(false)), far = solve(p, with_far_field(true));
  ASSERT_TRUE(far.summary.usable()) << far.summary.message;
  EXPECT_LT(far.summary.cell_updates, 0.6 * plain.summary.cell_updates);
  EXPECT_LT(far.energy.relative_residual, 1e-5);
  EXPECT_NEAR(far.summary.simulated_s, plain.summary.simulated_s, 0.05 * plain.summary.simulated_s);
  EXPECT_LT(largest_difference_K(far.peak_temperature, plain.peak_temperature), 0.15);
  for (const char* zone : {"over_50_degC", "cem43_over_240"})
    EXPECT_NEAR(far.zones.at(zone).volume_ml, plain.zones.at(zone).volume_ml,
                0.01 * plain.zones.at(zone).volume_ml)
        << zone;
  // They do not settle at the same time, and this law counts at rest as well.
  const double rest_counts = arrhenius_rate_per_s(*p.tissue_map.tissues[0].damage, 37) *
                             (far.summary.simulated_s - plain.summary.simulated_s);
  for (std::size_t c = 0; c < far.arrhenius.values.size(); ++c) {
    ASSERT_EQ(std::isnan(far.arrhenius[c]), p.tissue_map.labels[c] == 1) << c;
    if (p.tissue_map.labels[c] == 1 || !(plain.arrhenius[c] > 0.01F)) continue;
    EXPECT_NEAR(far.arrhenius[c] - rest_counts, plain.arrhenius[c], 0.04 * plain.arrhenius[c]);
    if (plain.peak_temperature[c] > 43) {
      EXPECT_NEAR(far.peak_time_s[c], plain.peak_time_s[c], 5) << c;
    }
  }
}

/// Ice that the far cells let thaw: what has been reached by then stays. So does a patch that ends within the
/// ice; one that the front of the ice runs through stays itself.
TEST(FarField, TakesOverWhatIsStillFrozen) {
  for (const int half : {0, 7, 15}) {
    SCOPED_TRACE(testing::Message() << "patch of +-" << half << " mm");
    ThermalProblem p = frozen(56);
    p.sources[0].active_s = {{0, 240}};
    p = until_settled(p);
    const auto corner = [&](int side) { return p.grid().to_world(Vector3d::Constant(28 + side * half)); };
    if (half > 0) p.patch = refined(p.tissue_map, patch_grid(p.grid(), corner(-1), corner(1), 2));
    const ThermalResult plain = solve(p, with_far_field(false)), far = solve(p, with_far_field(true));
    ASSERT_TRUE(far.summary.usable()) << far.summary.message;
    EXPECT_LT(far.summary.cell_updates, (half < 15 ? 0.7 : 1.0) * plain.summary.cell_updates);
    EXPECT_LT(far.energy.relative_residual, 1e-4);
    EXPECT_NE(far.energy.regridded_J, 0);
    EXPECT_LT(std::abs(far.energy.regridded_J), 0.01 * far.energy.out_J);
    EXPECT_EQ(plain.energy.regridded_J, 0);
    EXPECT_NEAR(far.summary.simulated_s, plain.summary.simulated_s, 0.05 * plain.summary.simulated_s);
    for (const char* zone : {"under_0_degC", "under_minus20_degC"})
      EXPECT_NEAR(far.zones.at(zone).volume_ml, plain.zones.at(zone).volume_ml,
                  0.005 * plain.zones.at(zone).volume_ml)
          << zone;
    EXPECT_LT(largest_difference_K(far.lowest_temperature, plain.lowest_temperature), 1);
    for (const float T : far.temperature.values) ASSERT_GT(T, 0);
    EXPECT_EQ(far.freezes.values, plain.freezes.values);
  }
}

/// A probe that nothing warms is free when the ice around it has thawed, which the far cells tell as well,
/// also where its axis runs through their middles and it takes out all of them.
TEST(FarField, TakesOverFromACryoprobe) {
  for (const bool through_middles : {false, true}) {
    SCOPED_TRACE(through_middles);
    ThermalProblem p = frozen(60);
    CryoprobeSource probe;
    const Vector3d middle = p.grid().to_world(Vector3d(30.5, 30.5, 30));
    const Vector3d slant = through_middles ? Vector3d::Zero() : Vector3d(3, 2, 0);
    probe.entry_mm = middle - Vector3d(0, 0, 25) - slant;
    probe.tip_mm = middle + Vector3d(0, 0, 5) + slant / 5;
    probe.diameter_mm = 1.5;
    probe.active_to_tip_mm = 10;
    probe.gas_degC = -140;
    probe.film_W_per_m2_K = 5000;
    probe.max_W_per_m = 1500;
    p.sources = {{probe, {{0, 240}}}};
    p = until_settled(p);
    const ThermalResult plain = solve(p, with_far_field(false)), far = solve(p, with_far_field(true));
    ASSERT_TRUE(far.summary.usable()) << far.summary.message;
    EXPECT_LT(far.summary.cell_updates, 0.7 * plain.summary.cell_updates);
    const auto &was = plain.cryo->probes[0], &is = far.cryo->probes[0];
    ASSERT_TRUE(was.free_from_s && is.free_from_s);
    EXPECT_GT(*was.free_from_s, 240 + 90);
    EXPECT_NEAR(*is.free_from_s, *was.free_from_s, 0.1 * (*was.free_from_s - 240));
    EXPECT_GT(is.wall_degC.back(), 0);
  }
}

TEST(FarField, TissueWithoutADamageLawStaysUnknown) {
  ThermalProblem p = heated({48, 48, 48});
  p.tissue_map.tissues[1].damage = Arrhenius{7.39e39, 2.577e5};
  p.fields.arrhenius = true;
  const ThermalResult far = solve(p, with_far_field(true));
  for (std::size_t c = 0; c < far.arrhenius.values.size(); ++c)
    ASSERT_EQ(std::isnan(far.arrhenius[c]), p.tissue_map.labels[c] == 0) << c;
}

TEST(FarField, SameBitsForAnyNumberOfThreads) {
  BioheatOptions one = with_far_field(true), three = one;
  one.threads = 1;
  three.threads = 3;
  const ThermalProblem p = heated({48, 48, 48});
  EXPECT_EQ(solve(p, one).temperature.values, solve(p, three).temperature.values);
}

TEST(FarField, ZeroPowerLeavesRest) {
  ThermalProblem p = heated({48, 48, 48});
  auto& q = std::get<VolumetricSource>(p.sources[0].what).power_W_per_m3;
  std::ranges::fill(q.values, 0.0F);
  q(24, 24, 24) = 1e-9F;
  for (const float T : solve(p, with_far_field(true)).temperature.values) ASSERT_EQ(T, 37.0F);
}

TEST(FarField, IsLeftOutWhereItDoesNotApply) {
  const auto updates = [](ThermalProblem p, bool far) {
    p.duration_s = 20;
    return solve(p, with_far_field(far)).summary.cell_updates;
  };
  const ThermalProblem usual = heated({48, 48, 48});
  EXPECT_NE(updates(usual, true), updates(usual, false));
  ThermalProblem sampled = usual;  // a point in the corner
  sampled.sample.points_mm = {usual.grid().to_world(2, 2, 2)};
  ThermalProblem curved = usual;
  curved.sources[0].scale = {{0, 1}, {10, 0.5}};
  ThermalProblem point = usual;
  point.sources[0].what = PointSource{1, usual.grid().to_world(24, 24, 24)};
  for (const ThermalProblem& p : {sampled, curved, point, heated({39, 48, 48})})
    EXPECT_EQ(updates(p, true), updates(p, false));
}

}  // namespace
}  // namespace spinetherm
