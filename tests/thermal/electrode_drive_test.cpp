// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

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

ThermalProblem tissue(std::array<int, 3> size) {
  UniformTissue t;
  t.perfusion_per_s = 0.003;
  ThermalProblem p = uniform_problem(t, size, 1);
  p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
  p.tissue_map.tissues[0].electrical_per_K = 0.015;
  p.tissue_map.tissues[0].drying = Drying{100, 105, 0.01};
  return p;
}

ElectrodesSource one_sphere(const ElectrodeControl& control) {
  ElectrodesSource s;
  s.electrodes = {{{Sphere{{11.3, 11.6, 11.4}, 2}}, 10}};
  s.control = control;
  return s;
}

TEST(ElectrodeControlRun, RollOffSwitchesOffWhenTissueDriesAndComesBackAfterItsTime) {
  ThermalProblem p = tissue({24, 24, 24});
  ElectrodesSource s = one_sphere(ConstantPower{14});
  s.roll_off = RollOff{0.3, 12};
  p.sources = {{s}};
  p.duration_s = 150;
  BioheatOptions o;
  o.fourth_order = false;
  const ThermalResult r = solve(p, o);
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  const ElectricalHistory& e = *r.electrical;
  double lowest_ohm = 1e9, off_since_s = -1;
  int pulses = 0;
  for (std::size_t n = 0; n < e.times_s.size(); ++n) {
    const bool off = e.power_W[n] == 0;
    if (!off) {
      EXPECT_NEAR(e.power_W[n], 14, 1e-9);
      EXPECT_LT(e.resistance_ohm[n], 1.3 * std::min(lowest_ohm, e.resistance_ohm[n]) + 1e-9) << e.times_s[n];
      if (off_since_s >= 0) {
        EXPECT_NEAR(e.times_s[n] - off_since_s, 12, 1.5);
        off_since_s = -1;
        ++pulses;
      }
    } else if (off_since_s < 0) {
      off_since_s = e.times_s[n];
      EXPECT_GE(e.resistance_ohm[n], 1.3 * lowest_ohm) << "only when it has risen";
    }
    // While the power is off, what has dried is wetted again: the generator measures with its own current.
    if (!off) lowest_ohm = std::min(lowest_ohm, e.resistance_ohm[n]);
  }
  EXPECT_GE(pulses, 1);
}

TEST(ElectrodeControlRun, ConstantVoltageIsThatVoltage) {
  ThermalProblem p = tissue({24, 24, 24});
  p.sources = {{one_sphere(ConstantVoltage{})}};
  p.duration_s = 60;
  const ThermalResult r = solve(p);
  ASSERT_TRUE(r.summary.usable());
  ASSERT_FALSE(r.electrical->times_s.empty());
  for (const double volts : r.electrical->voltage_V) EXPECT_NEAR(volts, 10, 0.01);
  EXPECT_GT(r.electrical->current_A.back(), 1.02 * r.electrical->current_A.front())
      << "it conducts better when warm";
}

TEST(ElectrodeControlRun, AHeldSensorDoesNotStayMoreThanAKelvinAbove) {
  // Above, tissue beside the electrode boils and dries: the plant itself changes.
  for (const double target_degC : {50.0, 70.0}) {
    ThermalProblem p = tissue({24, 24, 24});
    const Vector3d sensor(14.5, 11.6, 11.4);
    p.sources = {{one_sphere(HoldTemperature{target_degC, sensor, 20})}};
    p.duration_s = 240;
    p.sample.points_mm = {sensor};
    for (double t = 2; t <= 240; t += 2) p.sample.times_s.push_back(t);
    BioheatOptions o;
    o.fourth_order = false;
    const ThermalResult r = solve(p, o);
    ASSERT_TRUE(r.summary.usable());
    double above_s = 0;
    for (const Sample& s : r.samples) above_s += s.T_degC > target_degC + 1 ? 2 : 0;
    EXPECT_LE(above_s, 6) << target_degC;
    EXPECT_NEAR(r.samples.back().T_degC, target_degC, 0.5);
  }
}

/// Two monopolar spheres 12 mm apart against the box; each is a channel.
ElectrodesSource two_spheres() {
  ElectrodesSource s;
  s.electrodes = {{{Sphere{{9.3, 11.6, 11.4}, 1.5}}, 10}, {{Sphere{{21.3, 11.2, 11.7}, 1.5}}, 10}};
  s.channels = {{{0}}, {{1}}};
  return s;
}

TEST(ElectrodeChannels, EachHoldsItsOwnTemperature) {
  ThermalProblem p = tissue({31, 24, 24});
  ElectrodesSource s = two_spheres();
  const std::array<Vector3d, 2> sensors = {Vector3d(9.3, 14.1, 11.4), Vector3d(21.3, 13.7, 11.7)};
  s.channels[0].control = HoldTemperature{70, sensors[0], 15};
  s.channels[1].control = HoldTemperature{55, sensors[1], 15};
  p.sources = {{s}};
  p.duration_s = 240;
  p.sample = {{sensors[0], sensors[1]}, {200, 240}};
  BioheatOptions o;
  o.fourth_order = false;
  const ThermalResult r = solve(p, o);
  ASSERT_TRUE(r.summary.usable()) << r.summary.message;
  for (const Sample& sample : r.samples)
    EXPECT_NEAR(sample.T_degC, sample.at_mm == sensors[0] ? 70 : 55, 1) << sample.t_s;
  ASSERT_EQ(r.electrical->channels.size(), 2U);
  const ElectricalHistory& e = *r.electrical;
  for (std::size_t n = 0; n < e.times_s.size(); ++n) {
    EXPECT_NEAR(e.channels[0].power_W[n] + e.channels[1].power_W[n], e.power_W[n], 1e-9);
    EXPECT_LE(e.channels[0].power_W[n], 15 + 1e-9);
  }
  EXPECT_GT(e.channels[0].power_W.back(), 1.3 * e.channels[1].power_W.back());
  EXPECT_LT(r.energy.relative_residual, 1e-3);
}

TEST(ElectrodeChannels, GiveTheirPowersAndAnOpenOneHeatsNothingByItself) {
  ThermalProblem p = tissue({31, 24, 24});
  ElectrodesSource s = two_spheres();
  s.channels[0].control = ConstantPower{4};
  s.channels[1].control = ConstantPower{0};
  p.sources = {{s, {{0, 20}}}};
  p.duration_s = 20;
  const ThermalResult r = solve(p);
  ASSERT_TRUE(r.summary.usable());
  EXPECT_NEAR(r.energy.in_J, 80, 0.5);
  const ElectricalHistory& e = *r.electrical;
  for (std::size_t n = 0; n < e.times_s.size(); ++n) {
    if (e.times_s[n] >= 20) continue;
    EXPECT_NEAR(e.channels[0].power_W[n], 4, 1e-9);
    EXPECT_EQ(e.channels[1].power_W[n], 0);
  }
}

TEST(ElectrodeChannels, AreRefusedWhereElectrodesAreLeftOutOrTwiceIn) {
  const auto with = [](const std::vector<ElectrodeChannel>& channels) {
    return [=] {
      ThermalProblem p = tissue({31, 24, 24});
      ElectrodesSource s = two_spheres();
      s.channels = channels;
      p.sources = {{s}};
      p.duration_s = 1;
      validate(p);
    };
  };
  EXPECT_THAT(with({{{0}}}),
              ThrowsMessage<ConfigError>(HasSubstr("electrode 1 is in no channel (/sources/0/channels")));
  EXPECT_THAT(with({{{0}}, {{0, 1}}}),
              ThrowsMessage<ConfigError>(HasSubstr("electrode 0 is in two channels")));
  EXPECT_THAT(with({{{0}}, {{2}}}), ThrowsMessage<ConfigError>(HasSubstr("there is no electrode 2")));
  EXPECT_THAT(with({{{0, 1}, HoldTemperature{70, {99, 0, 0}, 5}}}),
              ThrowsMessage<ConfigError>(HasSubstr("/sources/0/channels/0/control/sensor_mm")));
}

}  // namespace
}  // namespace spinetherm
