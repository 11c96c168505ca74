// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_kernel.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ostream>
#include <tuple>

#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/heat_level.h"

namespace spinetherm {
namespace {

constexpr const char* kLimit = "SPINETHERM_INSTRUCTION_SET";

/// Tissues that change from cell to cell: rows have blocks of one, of two and of many tissues; heat and cold.
ThermalProblem chequered(int tissues, bool with_phases, int nx = 50) {
  ThermalProblem p = uniform_problem(UniformTissue{}, {nx, 20, 18}, 1);
  const Tissue plain = p.tissue_map.tissues[0];
  p.tissue_map.tissues.clear();
  for (int n = 0; n < tissues; ++n) {
    Tissue t = plain;
    t.conductivity_W_per_m_K = 0.3 + 0.01 * n;
    t.specific_heat_J_per_kg_K = 2000 + 40 * n;
    t.perfusion_per_s = 1e-3 * (n % 4);
    if (with_phases) {
      t.conductivity_per_K = 0.001 * (n % 3);
      t.frozen = Frozen{1000, 1900, 1.8 + 0.01 * n, 150e3, -8, -0.6};
    }
    p.tissue_map.tissues.push_back(t);
  }
  const Grid& g = p.grid();
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        p.tissue_map.labels(i, j, k) = std::uint8_t(j < 8 ? 0 : j < 12 ? i % 2 : (i * i + j + k) % tissues);
  p.boundary[x_min] = {BoundaryKind::convective, 20, 60};
  p.sources = {{GaussianSource{6, 3, {14, 11, 9}}},
               {FixedTemperatureSource{{Sphere{{38, 11, 9}, 2.2}}, {{0, with_phases ? -80.0 : 20.0}}}}};
  p.duration_s = 30;
  p.fields.temperature = p.fields.cem43 = true;
  return p;
}

class InstructionSets : public ::testing::TestWithParam<std::tuple<int, bool, bool>> {
 protected:
  void TearDown() override { unsetenv(kLimit); }
};

TEST_P(InstructionSets, GiveTheSameBits) {
  const auto [tissues, with_phases, in_double] = GetParam();
  const ThermalProblem p = chequered(tissues, with_phases);
  BioheatOptions o;
  o.fourth_order = false;
  o.double_precision = in_double;
  const auto run = [&](const char* most) {
    setenv(kLimit, most, 1);
    return solve(p, o);
  };
  const ThermalResult base = run("baseline");
  ASSERT_TRUE(base.summary.usable()) << base.summary.message;
  EXPECT_GT(*std::max_element(base.temperature.values.begin(), base.temperature.values.end()), 42);
  for (const char* set : {"avx2", "avx512"}) {  // as far as the processor has them
    SCOPED_TRACE(set);
    const ThermalResult other = run(set);
    EXPECT_TRUE(other.temperature.values == base.temperature.values);
    EXPECT_TRUE(other.cem43.values == base.cem43.values);
    EXPECT_EQ(other.energy.out_J, base.energy.out_J);
    EXPECT_EQ(other.summary.stages, base.summary.stages);
  }
}

// 40: more tissues than two registers hold.
INSTANTIATE_TEST_SUITE_P(Tissues, InstructionSets,
                         ::testing::Combine(::testing::Values(4, 40), ::testing::Bool(), ::testing::Bool()));

/// A level whose properties never change, in a state that is nowhere at rest, stepped in a box of its cells.
HeatLevel<float> unquiet_level(const ThermalProblem& p, int threads, std::array<int, 3> low,
                               std::array<int, 3> high, int unit) {
  HeatLevel<float> level = make_level<float>(p, threads);
  level.rows = make_active_rows(level.grid.size, false);
  level.rows.unit = unit;
  include_box(level.rows, low, high);
  for (std::size_t c = 0; c < level.grid.count(); ++c) {
    const auto at = float(c);
    level.y[0][c] = 20 * std::sin(0.7F * at);
    level.y[1][c] = level.y[0][c] + std::cos(1.3F * at);
    level.y[2][c] = level.y[0][c] - std::cos(2.1F * at);
    level.rate[c] = 0.1F * std::sin(0.3F * at);
    level.source[c] = 0.05F * std::cos(0.9F * at);
  }
  return level;
}
StageView<float> stage_of(HeatLevel<float>& level, std::size_t from, std::size_t to) {
  StageView<float> s;
  s.y0 = level.y[0].data();
  s.y1 = level.y[from].data();
  s.y2 = s.out = level.y[to].data();
  s.rate0 = level.rate.data();
  s.mu = 1.1F;
  s.nu = -0.2F;
  s.mu_t_dt = 0.3F;
  s.gamma_t_dt = -0.1F;
  return s;
}

struct Stepped {
  const char* name;
  int nx;  // 50: the last block of a row overlaps another one
  std::array<int, 3> low, high;
  int unit;
};
void PrintTo(const Stepped& s, std::ostream* to) { *to << s.name; }
class Stages : public ::testing::TestWithParam<std::tuple<Stepped, int>> {
 protected:
  Stages() : problem_(chequered(5, false, std::get<0>(GetParam()).nx)) {
    problem_.tissue_map.tissues[1] = problem_.tissue_map.tissues[0];  // wide uniform stretches
    problem_.tissue_map.tissues[1].perfusion_per_s = 2e-3;
    problem_.boundary[y_max] = {BoundaryKind::insulated};
  }
  HeatLevel<float> level() const {
    const auto& [stepped, threads] = GetParam();
    return unquiet_level(problem_, threads, stepped.low, stepped.high, stepped.unit);
  }
  int threads() const { return std::get<1>(GetParam()); }

 private:
  ThermalProblem problem_;  // whose labels the level reads
};

// One after the other and plane after plane: the same bits, whoever steps the neighbours.
TEST_P(Stages, TwoAtOnceAreTwo) {
  HeatLevel<float> apart = level(), at_once = level();
  ASSERT_FALSE(apart.weights_at.empty());
  run_stage(view_of(apart, apart.y[1]), stage_of(apart, 1, 2), apart.scratch.data(), threads());
  const std::vector<PlaneFlows> first_flows = apart.plane_flows;
  run_stage(view_of(apart, apart.y[2]), stage_of(apart, 2, 1), apart.scratch.data(), threads());
  run_two_stages(view_of(at_once, at_once.y[1]), stage_of(at_once, 1, 2), stage_of(at_once, 2, 1),
                 at_once.next_flows.data(), at_once.scratch.data(), threads());
  EXPECT_TRUE(at_once.y[1] == apart.y[1]);
  EXPECT_TRUE(at_once.y[2] == apart.y[2]);
  EXPECT_FALSE(apart.y[1] == level().y[1]);
  for (std::size_t k = 0; k < first_flows.size(); ++k) {
    EXPECT_EQ(at_once.plane_flows[k].blood, first_flows[k].blood) << k;
    EXPECT_EQ(at_once.plane_flows[k].boundary_out, first_flows[k].boundary_out) << k;
    EXPECT_EQ(at_once.next_flows[k].blood, apart.plane_flows[k].blood) << k;
    EXPECT_EQ(at_once.next_flows[k].boundary_out, apart.plane_flows[k].boundary_out) << k;
  }
}

// Weights hold what flows from cell to cell give.
TEST_P(Stages, WeightsAreThePlainStencil) {
  HeatLevel<float> by_weights = level(), by_flows = level();
  by_flows.weights_at.clear();
  for (HeatLevel<float>* l : {&by_weights, &by_flows})
    run_stage(view_of(*l, l->y[1]), stage_of(*l, 1, 2), l->scratch.data(), threads());
  float most = 0;
  for (std::size_t c = 0; c < by_flows.grid.count(); ++c)
    most = std::max(most, std::abs(by_weights.y[2][c] - by_flows.y[2][c]));
  EXPECT_LT(most, 2e-5F);
  const LevelFlows a = flows_of(by_weights, by_weights.plane_flows),
                   b = flows_of(by_flows, by_flows.plane_flows);
  EXPECT_NEAR(a.blood_W, b.blood_W, 1e-6 * std::abs(b.blood_W));
  EXPECT_NEAR(a.boundary_out_W, b.boundary_out_W, 1e-6 * std::abs(b.boundary_out_W));
}

TEST(Weights, AreNotKeptWhereHardlyTwoBlocksAreAlike) {
  ThermalProblem p = uniform_problem(UniformTissue{}, {64, 50, 50}, 1);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  EXPECT_FALSE(make_level<float>(p, 1).weights_at.empty());
  std::uint32_t random = 1;
  for (std::uint8_t& label : p.tissue_map.labels.values) {
    random = random * 1664525 + 1013904223;
    label = std::uint8_t(random >> 31);
  }
  const HeatLevel<float> level = make_level<float>(p, 1);
  EXPECT_TRUE(level.weights_at.empty());
  EXPECT_EQ(level.weights.capacity(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Cells, Stages,
    ::testing::Combine(::testing::Values(Stepped{"whole_blocks", 48, {0, 0, 0}, {48, 20, 18}, 16},
                                         Stepped{"to_one_side", 48, {32, 4, 4}, {48, 12, 13}, 16},
                                         Stepped{"all", 50, {0, 0, 0}, {50, 20, 18}, 1},
                                         Stepped{"inside", 50, {16, 3, 4}, {32, 15, 14}, 16},
                                         Stepped{"ragged", 50, {13, 0, 2}, {41, 17, 18}, 1},
                                         Stepped{"flat", 50, {16, 5, 9}, {48, 9, 10}, 16}),
                       ::testing::Values(1, 2, 3, 7)),
    [](const auto& of) {
      return std::string(std::get<0>(of.param).name) + "_" + std::to_string(std::get<1>(of.param));
    });

}  // namespace
}  // namespace spinetherm
