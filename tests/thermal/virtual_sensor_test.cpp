// SPDX-License-Identifier: Apache-2.0
#include "thermal/virtual_sensor.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const Eigen::Vector3d kAt(1, 2, 3);
VirtualSensor sensor() {
  VirtualSensor s;
  s.name = "sensor";
  s.at_mm = kAt;
  return s;
}
/// Readings of tissue at 37 + slope t, at steps of `dt`.
std::vector<double> read(const VirtualSensor& s, double slope, double dt_s, int steps, double power_W = 0) {
  const std::vector<VirtualSensor> sensors = {s};
  SensorReadings r(sensors, 37);
  for (int n = 0; n <= steps; ++n)
    r.advance(n * dt_s, power_W, [&](const Eigen::Vector3d&) { return 37 + slope * n * dt_s; });
  return r.history().front().reading_degC;
}

TEST(VirtualSensor, LagsBehindARampAsItsEquationSaysForAnyStep) {
  VirtualSensor s = sensor();
  s.lag_s = 3;
  for (const double dt : {0.1, 1.0, 4.0}) {
    const auto readings = read(s, 0.5, dt, int(20 / dt));
    for (std::size_t n = 0; n < readings.size(); ++n) {
      const double t = double(n) * dt;
      EXPECT_NEAR(readings[n], 37 + 0.5 * (t - 3 * (1 - std::exp(-t / 3))), 1e-9) << dt;
    }
  }
}

TEST(VirtualSensor, ErrorsOfStemFieldAndDelay) {
  VirtualSensor s = sensor();
  EXPECT_NEAR(read(s, 1, 1, 10).back(), 47, 1e-12) << "without any it reads the tissue";
  s.stem = 0.2;
  EXPECT_NEAR(read(s, 1, 1, 10).back(), 45, 1e-12);
  s.pickup_K_per_W = 0.1;
  EXPECT_NEAR(read(s, 1, 1, 10, 30).back(), 48, 1e-12);
  s = sensor();
  s.delay_s = 2.5;
  EXPECT_NEAR(read(s, 1, 1, 10).back(), 44.5, 1e-12);
  EXPECT_NEAR(read(s, 1, 1, 2).back(), 37, 1e-12);
}

TEST(VirtualSensor, NoiseIsNormalDrawnPerPeriodAndTheSameAgain) {
  VirtualSensor s = sensor();
  s.noise_K = 2;
  const auto readings = read(s, 0, 1, 4000);
  double mean = 0, square = 0;
  for (const double r : readings) mean += (r - 37) / double(readings.size());
  for (const double r : readings) square += (r - 37) * (r - 37) / double(readings.size());
  EXPECT_NEAR(mean, 0, 0.1);
  EXPECT_NEAR(std::sqrt(square), 2, 0.1);
  EXPECT_EQ(readings, read(s, 0, 1, 4000));
  s.seed = 2;
  EXPECT_NE(readings[5], read(s, 0, 1, 10)[5]);
  s.period_s = 5;
  const auto held = read(s, 0, 1, 20);
  EXPECT_EQ(held[1], held[4]);
  EXPECT_NE(held[4], held[5]);
}

TEST(VirtualSensor, SaysStopByItsReading) {
  VirtualSensor s = sensor();
  s.lag_s = 5;
  s.stop_above_degC = 42;
  const std::vector<VirtualSensor> sensors = {s};
  SensorReadings r(sensors, 37);
  for (int t = 0; t < 20; ++t) {
    r.advance(t, 0, [&](const Eigen::Vector3d&) { return 37.0 + t; });
    const double reading = 37 + (t - 5 * (1 - std::exp(-t / 5.0)));
    EXPECT_EQ(r.stop().has_value(), reading >= 42) << t;
  }
  EXPECT_TRUE(r.reading_degC(kAt));
  EXPECT_FALSE(r.reading_degC({1, 2, 4}));
}

TEST(VirtualSensor, NumbersOutOfRangeAreRefused) {
  VirtualSensor s = sensor();
  s.stem = 1;
  EXPECT_THAT([&] { validate(s, "/sensors/0"); }, ThrowsMessage<ConfigError>(HasSubstr("/sensors/0/stem")));
  s = sensor();
  s.lag_s = -1;
  EXPECT_THAT([&] { validate(s, "/sensors/0"); }, ThrowsMessage<ConfigError>(HasSubstr("lag_s")));
  s = sensor();
  s.stop_above_degC = 40;
  s.stop_below_degC = 41;
  EXPECT_THAT([&] { validate(s, "/sensors/0"); }, ThrowsMessage<ConfigError>(HasSubstr("stop_above_degC")));
}

ThermalProblem heated() {
  ThermalProblem p = uniform_problem({}, {24, 24, 24}, 1);
  p.sources = {{GaussianSource{6, 2, {11.5, 11.5, 11.5}}, {{0, 300}}}};
  p.duration_s = 300;
  p.until_dose_settled = true;
  VirtualSensor s = sensor();
  s.at_mm = {16.5, 11.5, 11.5};
  s.stop_above_degC = 45;
  p.sensors = {s};
  p.fields.peak_temperature = true;
  return p;
}

/// Energy ends when the reading is there, and heat still comes to the tissue around the sensor.
TEST(VirtualSensor, EndsTheRunAndTissueOvershoots) {
  double last_stop_s = 0, last_peak = 0;
  for (const double lag : {0.0, 10.0}) {
    ThermalProblem p = heated();
    p.sensors[0].lag_s = lag;
    const ThermalResult r = solve(p, {});
    ASSERT_TRUE(r.summary.usable()) << r.summary.message;
    const SensorHistory& s = r.sensors.at(0);
    ASSERT_TRUE(s.stopped_s);
    EXPECT_LT(*s.stopped_s, 200);
    EXPECT_NEAR(r.energy.in_J, 6 * *s.stopped_s, 0.01 * r.energy.in_J);
    const double peak = *std::max_element(s.truth_degC.begin(), s.truth_degC.end());
    EXPECT_GT(peak, 45.2);
    EXPECT_GT(*s.stopped_s, last_stop_s);
    EXPECT_GT(peak, last_peak) << "a slow sensor lets it become hotter";
    last_stop_s = *s.stopped_s;
    last_peak = peak;
  }
}

TEST(VirtualSensor, ControlsGoByTheReading) {
  ThermalProblem p = uniform_problem({}, {20, 20, 20}, 1);
  p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
  ElectrodesSource e;
  e.electrodes = {{{Sphere{{8.3, 8.6, 8.4}, 2}}, 10}};
  e.control = HoldTemperature{60, {8.3, 12.1, 8.4}, 20};
  p.sources = {{e, {}}};
  p.duration_s = 240;
  p.sample = {{{8.3, 12.1, 8.4}}, {240}};
  const double without = solve(p, {}).samples.at(0).T_degC;
  EXPECT_NEAR(without, 60, 1);
  VirtualSensor s = sensor();
  s.at_mm = {8.3, 12.1, 8.4};
  s.stem = 0.2;  // reads 4.6 K too little at 60 degC
  p.sensors = {s};
  EXPECT_NEAR(solve(p, {}).samples.at(0).T_degC, 37 + 23 / 0.8, 1.2);
}

}  // namespace
}  // namespace spinetherm
