// SPDX-License-Identifier: Apache-2.0
#include "thermal/radiation_drive.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/thermal/radiation_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/fine_patch.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// Temperature and damage of every cell, by its place.
struct State {
  std::function<double(const Vector3d&)> degC = [](const Vector3d&) { return 37.0; };
  std::function<double(const Vector3d&)> arrhenius = [](const Vector3d&) { return 0.0; };
};

struct Rig {
  explicit Rig(ThermalProblem p) : problem(std::move(p)), drive(problem, nullptr, {}, 2) {
    drive.switch_to(std::vector<bool>(problem.sources.size(), true));
  }
  bool update(double t_s, const State& state) {
    const auto at = [&](std::size_t c) {
      const Grid& g = problem.grid();
      const auto nx = std::size_t(g.size[0]), ny = std::size_t(g.size[1]);
      return g.to_world(int(c % nx), int(c / nx % ny), int(c / (nx * ny)));
    };
    return drive.update_fields(
        t_s, [&](std::size_t, std::size_t c, double) { return state.degC(at(c)); },
        [&](std::size_t, std::size_t c) { return state.arrhenius(at(c)); }, {});
  }
  /// Of the cells for which that holds [W].
  double heating_W(const std::function<bool(const Vector3d&)>& counts = [](const Vector3d&) {
    return true;
  }) const {
    double sum = 0;
    const Grid& g = problem.grid();
    for (const UnitHeating& h : drive.heating(0, 0))
      for (int k = 0; k < g.size[2]; ++k)
        for (int j = 0; j < g.size[1]; ++j)
          for (int i = 0; i < g.size[0]; ++i)
            if (counts(g.to_world(i, j, k)))
              sum += h.scale * double(h.unit_W_per_m3[g.index(i, j, k)]) * g.voxel_volume_mm3() * 1e-9;
    return sum;
  }
  RadiationHistory::Source shares() const {
    RadiationHistory history;
    drive.record(0, history);
    return history.sources.at(0);
  }
  ThermalProblem problem;
  RadiationDrive drive;
};

ThermalProblem with(const decltype(Source::what)& what) {
  ThermalProblem p = irradiated({48, 48, 48}, 1);
  p.sources = {{what, {}}};
  p.duration_s = 60;
  return p;
}

TEST(RadiationDrive, EveryWattOfTheGeneratorGoesSomewhere) {
  for (const bool cooled : {true, false}) {
    AntennaSource antenna = antenna_at_origin();
    if (!cooled) antenna.cooled_degC.reset();
    Rig rig(with(antenna));
    ASSERT_TRUE(rig.update(0, {}));
    ASSERT_TRUE(rig.drive.summary().usable()) << rig.drive.summary().message;
    const auto s = rig.shares();
    EXPECT_NEAR(s.reflected_W[0] + s.cable_W[0] + s.absorbed_W[0] + s.radiated_W[0], 15, 1e-6);
    EXPECT_GT(s.absorbed_W[0], 8);
    EXPECT_NEAR(s.cable_W[0], 1.5 + 0.1 * s.reflected_W[0] / 0.9, 1e-6) << "10 % each way";
    // The shaft's heat is in the tissue of the box, as far as the shaft is.
    const double shaft_W = rig.heating_W() - s.absorbed_W[0];
    if (cooled)
      EXPECT_NEAR(shaft_W, 0, 0.002 * s.absorbed_W[0]);
    else
      EXPECT_NEAR(shaft_W / s.cable_W[0], (24 - 0.5) / 59.5, 0.02);
  }
}

TEST(RadiationDrive, EveryWattOfLightIsAbsorbedOrLeaves) {
  Rig rig(with(light_at_origin()));
  ASSERT_TRUE(rig.update(0, {}));
  const auto s = rig.shares();
  EXPECT_NEAR(s.absorbed_W[0] + s.radiated_W[0], 6, 0.06);
  EXPECT_EQ(s.reflected_W[0], 0);
  EXPECT_EQ(s.cable_W[0], 0);
  EXPECT_NEAR(rig.heating_W(), s.absorbed_W[0], 0.01 * s.absorbed_W[0]);
}

TEST(RadiationDrive, HotTissueTakesLessAndTheRestMore) {
  Rig rig(with(antenna_at_origin()));
  rig.update(0, {});
  const auto left = [](const Vector3d& x) { return x.x() < 0; };
  const double before_W = rig.heating_W(left), all_W = rig.heating_W();
  EXPECT_NEAR(before_W / all_W, 0.5, 0.01);
  // 2 K are less than a new solve asks for, and 4 % of the conductivity of half the tissue as well.
  State warm;
  warm.degC = [&](const Vector3d& x) { return left(x) ? 43.0 : 37.0; };
  EXPECT_TRUE(rig.update(1, warm));
  EXPECT_EQ(rig.drive.solves(), 1);
  const double ratio = heated({1, 1}, 43).conductivity_S_per_m;
  EXPECT_NEAR(rig.heating_W(left) / before_W, 2 * ratio / (1 + ratio), 2e-3);
  EXPECT_NEAR(rig.heating_W() / all_W, 1, 1e-3);
}

TEST(RadiationDrive, SolvesAnewWhenTissueIsAnother) {
  Rig rig(with(antenna_at_origin()));
  rig.update(0, {});
  State hot;
  hot.degC = [](const Vector3d& x) { return x.norm() < 12 ? 70.0 : 37.0; };
  rig.update(1, hot);
  EXPECT_EQ(rig.drive.solves(), 1) << "a second after the last";
  rig.update(3, hot);
  EXPECT_EQ(rig.drive.solves(), 2);
  EXPECT_FALSE(rig.update(6, hot)) << "nothing has changed";
  State boiling;
  boiling.degC = [](const Vector3d& x) { return x.norm() < 12 ? 108.0 : 37.0; };
  rig.update(6.5, boiling);
  EXPECT_EQ(rig.drive.solves(), 3) << "at once";
  const auto s = rig.shares();
  EXPECT_NEAR(s.reflected_W[0] + s.cable_W[0] + s.absorbed_W[0] + s.radiated_W[0], 15, 1e-6);
}

TEST(RadiationDrive, CoagulatedTissueHoldsLightBack) {
  Rig rig(with(light_at_origin()));
  rig.update(0, {});
  const auto far = [](const Vector3d& x) { return x.norm() > 6; };
  const double before_W = rig.heating_W(far);
  State cooked;
  cooked.arrhenius = [](const Vector3d& x) { return x.norm() < 8 ? 10.0 : 0.0; };
  EXPECT_TRUE(rig.update(3, cooked));
  EXPECT_EQ(rig.drive.solves(), 2);
  EXPECT_LT(rig.heating_W(far), 0.7 * before_W);
  EXPECT_NEAR(rig.heating_W(), 6, 0.1);
}

TEST(RadiationDrive, AShieldTurnsThePowerAway) {
  AntennaSource antenna = antenna_at_origin();
  Rig bare(with(antenna));
  bare.update(0, {});
  antenna.shield = AntennaShield{{1, 0, 0}, 180, 0.05};
  Rig rig(with(antenna));
  rig.update(0, {});
  EXPECT_NEAR(rig.heating_W(), bare.heating_W(), 1e-3 * bare.heating_W());
  const auto behind = [](const Vector3d& x) { return x.x() > 3 && std::abs(x.y()) < 2; };
  const auto before = [](const Vector3d& x) { return x.x() < -3 && std::abs(x.y()) < 2; };
  EXPECT_NEAR(rig.heating_W(behind) / rig.heating_W(before), 0.05, 0.005);
  EXPECT_NEAR(rig.heating_W(before) / bare.heating_W(before), 1 / 0.525, 0.02);
}

TEST(RadiationDrive, StepsOfOneAntennaShareTheField) {
  AntennaSource antenna = antenna_at_origin();
  ThermalProblem p = with(antenna);
  antenna.power_W = 30;
  p.sources.push_back({antenna, {}});
  Rig rig(p);
  rig.drive.switch_to({true, false});
  rig.update(0, {});
  const double low_W = rig.heating_W();
  rig.drive.switch_to({false, true});
  rig.update(5, {});
  EXPECT_EQ(rig.drive.solves(), 1);
  EXPECT_NEAR(rig.heating_W(), 2 * low_W, 1e-6 * low_W);
  rig.drive.switch_to({false, false});
  EXPECT_FALSE(rig.drive.acting());
  EXPECT_EQ(rig.heating_W(), 0);
}

/// The same run with cells of half the size around the antenna.
TEST(RadiationDrive, GridAndPatchTogetherTakeThePower) {
  for (const bool light : {false, true}) {
    ThermalProblem p = irradiated({40, 40, 44}, 1);
    if (light)
      p.sources = {{light_at_origin(), {{0, 20}}}};
    else
      p.sources = {{antenna_at_origin(), {{0, 20}}}};
    p.duration_s = 20;
    p.patch = refined(p.tissue_map, patch_grid(p.grid(), {-7, -7, -11}, {7, 7, 9}, 2));
    BioheatOptions o;
    o.threads = 2;
    const ThermalResult r = solve(p, o);
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    ASSERT_TRUE(r.radiation);
    const std::vector<double>& absorbed = r.radiation->sources[0].absorbed_W;
    // The cooled wall takes some of it at once.
    EXPECT_GT(r.energy.in_J, 0.85 * absorbed[0] * 20);
    EXPECT_LT(r.energy.in_J, 1.01 * absorbed[0] * 20);
    EXPECT_LT(r.energy.relative_residual, 1e-4);
  }
}

/// Axis between cells and along their middles: no heat stays in the shaft.
TEST(RadiationDrive, AnUncooledShaftKeepsNoHeat) {
  for (const double off_mm : {0.0, 0.5, 0.3})
    for (const bool light : {false, true}) {
      ThermalProblem p = irradiated({40, 40, 44}, 1);
      AntennaSource antenna = antenna_at_origin();
      antenna.cooled_degC.reset();
      antenna.cable_loss = 0;
      antenna.tip_mm.x() = antenna.entry_mm.x() = off_mm;
      LightSource fibre = light_at_origin();
      fibre.cooled_degC.reset();
      for (Vector3d* x : {&fibre.a_mm, &fibre.b_mm, &*fibre.entry_mm, &*fibre.tip_mm}) x->x() = off_mm;
      if (light)
        p.sources = {{fibre, {}}};
      else
        p.sources = {{antenna, {}}};
      p.duration_s = 4;
      const ThermalResult r = solve(p, {});
      ASSERT_TRUE(r.summary.usable()) << r.summary.message;
      const double given_J = 4 * r.radiation->sources[0].absorbed_W[0];
      EXPECT_NEAR(r.energy.in_J / given_J, 1, 0.01) << off_mm << (light ? " light" : " antenna");
    }
}

TEST(RadiationDrive, MirroredProblemsGiveMirroredAnswersForAnyNumberOfThreads) {
  ThermalProblem p = irradiated({40, 40, 44}, 1);
  AntennaSource antenna = antenna_at_origin();
  antenna.tip_mm.x() = antenna.entry_mm.x() = 3.2;
  p.sources = {{antenna, {}}};
  p.duration_s = 15;
  p.fields.temperature = true;
  ThermalProblem mirrored = p;
  auto& other = std::get<AntennaSource>(mirrored.sources[0].what);
  other.tip_mm.x() = other.entry_mm.x() = -3.2;
  BioheatOptions one, two;
  one.threads = 1;
  two.threads = 2;
  const ThermalResult a = solve(p, one), b = solve(mirrored, two), c = solve(p, two);
  EXPECT_EQ(a.temperature.values, c.temperature.values);
  double most = 0;
  for (int k = 0; k < 44; ++k)
    for (int j = 0; j < 40; ++j)
      for (int i = 0; i < 40; ++i)
        most = std::max(most, double(std::abs(a.temperature(i, j, k) - b.temperature(39 - i, j, k))));
  EXPECT_LT(most, 0.02);
}

}  // namespace
}  // namespace spinetherm
