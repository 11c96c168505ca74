// SPDX-License-Identifier: Apache-2.0
#include "apps/bench_cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "imaging/core/error.h"
#include "imaging/core/tissue_class.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::array<int, 4> label_counts(const ThermalProblem& p) {
  std::array<int, 4> counts{};
  for (const auto label : p.tissue_map.labels.values) ++counts.at(label);
  return counts;
}

/// The peers' generator (gen_cases.py of the benchmark) counts these voxels of soft tissue, cortical bone,
/// cancellous bone and fluid, and this highest power density.
TEST(BenchCases, AreThoseOfThePeers) {
  const ThermalProblem small = bench_problem("BH-1s");
  EXPECT_EQ(label_counts(small), (std::array<int, 4>{245336, 3560, 9408, 3840}));
  const auto& q = std::get<VolumetricSource>(small.sources.at(0).what).power_W_per_m3.values;
  EXPECT_FLOAT_EQ(*std::max_element(q.begin(), q.end()), 897658.9375F);
  EXPECT_NEAR(std::accumulate(q.begin(), q.end(), 0.0) * 8e-9, 5, 1e-4) << "5 W in cells of 2 mm";
  EXPECT_EQ(label_counts(bench_problem("BH-1")), (std::array<int, 4>{1955200, 39836, 69348, 32768}));
}

TEST(BenchCases, AreProblemsThatTheEngineAccepts) {
  for (const BenchCase& c : bench_cases()) {
    if (c.name == "BH-2") continue;  // as BH-1, at 7 million cells
    SCOPED_TRACE(c.name);
    EXPECT_NO_THROW(validate(bench_problem(c.name)));
  }
  EXPECT_THAT([] { bench_problem("BH-3"); }, ThrowsMessage<ConfigError>(HasSubstr("unknown case 'BH-3'")));
}

/// What other solvers are compared with is the answer of the plain stencil.
TEST(BenchCases, ThoseWithPeersHavePlainFlowsAndWholeCells) {
  for (const char* name : {"BH-1s", "BH-1", "BH-2"}) EXPECT_FALSE(bench_case(name).engine.fourth_order);
  for (const char* name : {"EL-1", "CRYO-1"}) {
    const ThermalProblem voxel = bench_problem(name);
    ThermalProblem exact = bench_problem(std::string(name) + "-exact");
    EXPECT_TRUE(voxel.voxel_applicators);
    EXPECT_FALSE(exact.voxel_applicators);
    EXPECT_TRUE(exact.patch);
    exact.voxel_applicators = true;
    exact.patch.reset();
    EXPECT_EQ(exact, voxel) << "the same problem otherwise";
  }
}

TEST(BenchCases, PatientLikeOnesHaveWhatAPatientsSimulationHas) {
  const ThermalProblem rfa = bench_problem("RFA-full"), cryo = bench_problem("CRYO-3");
  EXPECT_EQ(rfa.duration_s, 600);
  EXPECT_EQ(cryo.duration_s, 1500);
  EXPECT_EQ(cryo.sources.size(), 6U) << "three probes, two freezes";
  for (const ThermalProblem& p : {rfa, cryo}) {
    EXPECT_TRUE(p.until_dose_settled);
    EXPECT_FALSE(p.voxel_applicators);
    EXPECT_EQ(p.grid().spacing_mm, Eigen::Vector3d::Ones());
    for (const auto label : {std::uint8_t(TissueClass::tumour_lytic), std::uint8_t(TissueClass::csf)})
      EXPECT_GT(std::ranges::count(p.tissue_map.labels.values, label), 1000);
    const Tissue& tumour = p.tissue_map.tissues.at(std::size_t(TissueClass::tumour_lytic));
    EXPECT_NE(tumour.conductivity_per_K, 0);
    EXPECT_NE(tumour.electrical_per_K, 0);
    EXPECT_TRUE(tumour.perfusion_rule.stops_above_degC);
  }
  for (const ThermalProblem* p : {&rfa, &cryo}) {
    ASSERT_TRUE(p->patch);
    EXPECT_EQ(p->patch->labels.grid.spacing_mm, Eigen::Vector3d::Constant(0.5));
  }
  EXPECT_TRUE(bench_case("RFA-full").error_estimate);
  EXPECT_TRUE(bench_case("CRYO-3").error_estimate);
}

ThermalProblem small_problem() {
  ThermalProblem p = bench_problem("BH-1s");
  Grid grid = p.grid();
  grid.size = {24, 24, 24};
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  p.sample = {};
  p.duration_s = 30;
  return p;
}

TEST(BenchCases, CountTheCellsThatAreStepped) {
  ThermalProblem p = small_problem();
  p.sources = {{GaussianSource{1, 3, {24, 24, 24}}, {}}};
  const double cells = double(p.grid().count());
  const BenchResult window = run_bench(bench_case("BH-1s"), p, 1);
  ASSERT_TRUE(window.usable) << window.message;
  const ThermalSummary& some = window.thermal.summary;
  EXPECT_GT(some.cell_updates, 0);
  EXPECT_LT(some.cell_updates, cells * double(some.stages)) << "cells at rest are not stepped";
  p.blood.temperature_degC -= 1;  // no cell is at rest
  const ThermalSummary all = run_bench(bench_case("BH-1s"), p, 1).thermal.summary;
  EXPECT_EQ(all.cell_updates, cells * double(all.stages));
}

TEST(BenchCases, FieldAloneHasAResistance) {
  ThermalProblem p = small_problem();
  ElectrodesSource source;
  source.electrodes = {{Region{Box{{12, 20, 20}, {16, 28, 28}}}, 10, {}},
                       {Region{Box{{32, 20, 20}, {36, 28, 28}}}, -10, {}}};
  source.outer_grounded = false;
  p.sources = {{source, {}}};
  p.voxel_applicators = true;
  const BenchResult r = run_bench(bench_case("EL-1"), p, 1);
  ASSERT_TRUE(r.usable) << r.message;
  EXPECT_GT(r.iterations.value(), 0);
  const ElectricalHistory& e = r.thermal.electrical.value();
  EXPECT_NEAR(e.power_W.at(0), e.resistance_ohm.at(0) * e.current_A.at(0) * e.current_A.at(0), 1e-6);
  EXPECT_NEAR(e.voltage_V.at(0), 20, 0.01);
  EXPECT_GE(r.setup_s, 0);
}

TEST(BenchCases, WithErrorEstimateOnlyWhereAskedFor) {
  ThermalProblem p = small_problem();
  p.sources = {{GaussianSource{2, 3, {24, 24, 24}}, {}}};
  p.fields.peak_temperature = true;
  EXPECT_FALSE(run_bench(bench_case("BH-1s"), p, 1).thermal.error_estimate.peak_K);
  EXPECT_TRUE(run_bench(bench_case("RFA-full"), p, 1).thermal.error_estimate.peak_K);
}

}  // namespace
}  // namespace spinetherm
