// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>

#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

/// A closed box that even heating warms by 0.05 K/s, far more than the current does.
ThermalProblem warmed() {
  ThermalProblem p = uniform_problem({}, {18, 18, 18}, 1);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
  p.tissue_map.tissues[0].electrical_per_K = 0.015;
  ElectrodesSource electrodes;
  electrodes.electrodes = {{{Sphere{{8.3, 8.6, 8.4}, 2}}, 0.5}};
  p.sources = {{electrodes}, {VolumetricSource{Volume<float>(p.grid(), float(0.05 * 1060 * 3600))}}};
  p.duration_s = 50;
  return p;
}

/// Every step, not only when the potential is solved for anew (after 2.7 K): R = R37 / (1 + 0.015 (T - 37)).
TEST(ElectrodeDrive, FollowsTheTissueBetweenTwoSolves) {
  for (const bool constant_power : {false, true}) {
    ThermalProblem p = warmed();
    auto& electrodes = std::get<ElectrodesSource>(p.sources[0].what);
    if (constant_power) electrodes.control = ConstantPower{1e-3};
    BioheatOptions o;
    o.max_step_s = 1;
    const ThermalResult r = solve(p, o);
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    ASSERT_TRUE(r.electrical);
    EXPECT_LT(r.summary.field_solves, 4);
    const ElectricalHistory& e = *r.electrical;
    ASSERT_GT(e.times_s.size(), 10U);
    for (std::size_t n = 0; n < e.times_s.size(); ++n) {
      const double grown = 1 + 0.015 * 0.05 * e.times_s[n];
      EXPECT_NEAR(e.resistance_ohm[n] * grown / e.resistance_ohm[0], 1, 0.008) << e.times_s[n];
      EXPECT_NEAR(e.current_A[n] * e.current_A[n] * e.resistance_ohm[n] / e.power_W[n], 1, 1e-6);
      const auto& held = constant_power ? e.power_W : e.voltage_V;
      EXPECT_NEAR(held[n] / held[0], 1, 1e-6);
    }
  }
}

}  // namespace
}  // namespace spinetherm
