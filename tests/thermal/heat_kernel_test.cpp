// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_kernel.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

constexpr const char* kLimit = "SPINETHERM_INSTRUCTION_SET";

/// Tissues that change from cell to cell: rows have blocks of one, of two and of many tissues; heat and cold.
ThermalProblem chequered(int tissues, bool with_phases) {
  ThermalProblem p = uniform_problem(UniformTissue{}, {50, 20, 18}, 1);
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

}  // namespace
}  // namespace spinetherm
