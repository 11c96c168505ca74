// SPDX-License-Identifier: Apache-2.0
#include "thermal/cement.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Tissue, cement and a wall that takes none.
ThermalProblem ablation() {
  UniformTissue t;
  t.perfusion_per_s = 0.002;
  ThermalProblem p = uniform_problem(t, {30, 30, 30}, 1);
  Tissue cement = p.tissue_map.tissues[0];
  cement.name = "cement";
  cement.perfusion_per_s = 0;
  cement.density_kg_per_m3 = 1215;
  cement.specific_heat_J_per_kg_K = 1466;
  cement.conductivity_W_per_m_K = 0.19;
  p.tissue_map.tissues[0].perfusion_rule.stops_above_degC = 60;
  p.tissue_map.tissues.push_back(cement);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  for (int k = 0; k < 30; ++k)
    for (int j = 0; j < 30; ++j) p.tissue_map.labels(18, j, k) = 2;
  p.sources = {{GaussianSource{8, 3, {14.5, 14.5, 14.5}}, {{0, 200}}}};
  p.duration_s = 200;
  p.until_dose_settled = true;
  p.fields = {true, true, true, true, false, false, false};
  return p;
}
CementStage stage() {
  CementStage s;
  s.volume_ml = 0.8;
  s.at_mm = {14.5, 14.5, 14.5};
  return s;
}
bool takes(std::uint8_t label) { return label == 0; }

TEST(Cement, FollowsTheAblationAndHeatsByItsCuring) {
  const ThermalProblem p = ablation();
  const ThermalResult after = solve(p, {});
  ASSERT_TRUE(after.summary.usable()) << after.summary.message;
  const auto range = range_in_ball_degC(after.temperature, stage());
  EXPECT_LT(range[1], kCementBelow_degC);
  const ThermalProblem next = cement_problem(p, after, stage(), 1, takes);
  EXPECT_EQ(next.tissue_map.labels(14, 14, 14), 1);
  EXPECT_EQ(next.tissue_map.labels(18, 14, 14), 2) << "takes none";
  EXPECT_EQ(next.initial_field(14, 14, 14), 25);
  EXPECT_EQ(next.tissue_map.factors.perfusion(14, 14, 9), after.peak_temperature(14, 14, 9) >= 60 ? 0 : 1);
  EXPECT_EQ(next.tissue_map.factors.perfusion(1, 1, 1), 1);

  const ThermalResult curing = solve(next, {});
  ASSERT_TRUE(curing.summary.usable()) << curing.summary.message;
  std::size_t cells = 0;
  for (const std::uint8_t label : next.tissue_map.labels.values) cells += label == 1 ? 1 : 0;
  EXPECT_NEAR(double(cells), 800, 60);
  EXPECT_NEAR(curing.energy.in_J, double(cells) * 1e-9 * 2.24e8, 0.01 * curing.energy.in_J);
  // A whole ball without loss would become 25 + 2.24e8/(1215 1466) = 151 degC.
  EXPECT_GT(curing.peak_temperature(14, 14, 14), 55);
  EXPECT_LT(curing.peak_temperature(14, 14, 14), 151);

  ThermalResult both = after;
  add_stage(both, curing);
  EXPECT_EQ(both.peak_temperature(14, 14, 14),
            std::max(after.peak_temperature(14, 14, 14), curing.peak_temperature(14, 14, 14)));
  EXPECT_FLOAT_EQ(both.cem43(20, 14, 14), after.cem43(20, 14, 14) + curing.cem43(20, 14, 14));
  EXPECT_EQ(both.temperature.values, curing.temperature.values);
  EXPECT_NEAR(both.summary.simulated_s, after.summary.simulated_s + curing.summary.simulated_s, 1e-9);
  EXPECT_THAT(both.summary.message,
              testing::StartsWith(fmt::format("{:.1f} s in", both.summary.simulated_s)));
  EXPECT_NEAR(both.energy.in_J - both.energy.stored_J - both.energy.out_J, 0, 1e-3 * both.energy.in_J);
}

TEST(Cement, RefusesWhatCannotBeMeant) {
  const ThermalProblem p = ablation();
  ThermalResult after;
  EXPECT_THROW(cement_problem(p, after, stage(), 1, takes), ConfigError);
  after.temperature = Volume<float>(p.grid(), 37);
  CementStage none = stage();
  none.volume_ml = 0;
  EXPECT_THAT([&] { cement_problem(p, after, none, 1, takes); },
              ThrowsMessage<ConfigError>(HasSubstr("volume_ml")));
  EXPECT_THAT([&] { cement_problem(p, after, stage(), 1, [](std::uint8_t) { return false; }); },
              ThrowsMessage<ConfigError>(HasSubstr("no cell of the cavity")));
}

}  // namespace
}  // namespace spinetherm
