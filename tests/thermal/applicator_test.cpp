// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Device needle() {
  Device d;
  d.name = "needle";
  d.modality = "rfa";
  d.shaft_diameter_mm = 1.5;
  d.length_mm = 150;
  d.poles = {{0, 7, 1.5, 1}, {9, 16, 1.5, -1}};
  d.sensors = {{"tip", 0, 0}, {"side", 8, 5}};
  d.max_power_W = 20;
  d.max_degC = 95;
  return d;
}

Protocol hold(double degC) { return {"rfa", {{.duration_s = 600, .hold_degC = degC, .max_W = 10}}}; }

TEST(Applicator, ActiveCentreAndSensorsLieOnTheShaft) {
  const Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, -100, 0}};
  EXPECT_TRUE(active_centre_mm(a, needle()).isApprox(Vector3d(0, -92, 0)));
  EXPECT_TRUE(sensor_mm(a, needle().sensors[0]).isApprox(a.tip_mm));
}

TEST(Applicator, RollTurnsASensorClockwiseFromTheHead) {
  Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, -100, 0}};
  const DeviceSensor side = needle().sensors[1];
  EXPECT_TRUE(sensor_mm(a, side).isApprox(Vector3d(0, -92, 5)));
  // Looking to the front (-y) with the head up, the patient's left (+x) is on the left hand: clockwise from
  // the head goes to the patient's right.
  a.roll_deg = 90;
  EXPECT_TRUE(sensor_mm(a, side).isApprox(Vector3d(-5, -92, 0), 1e-12)) << sensor_mm(a, side).transpose();
}

TEST(Applicator, RollIsDefinedAlongTheBodyAxisToo) {
  const Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, 0, -50}};
  EXPECT_TRUE(roll_direction(a).isApprox(Vector3d(0, -1, 0)));
  EXPECT_NEAR(roll_direction(a).dot(direction(a)), 0, 1e-15);
}

TEST(Device, AGoodOnePasses) {
  EXPECT_NO_THROW(validate(needle()));
  EXPECT_NO_THROW(validate(hold(70), needle()));
}

TEST(Device, EveryBrokenRuleIsNamed) {
  const auto expect = [](auto change, const char* words) {
    Device d = needle();
    change(d);
    EXPECT_THAT([&] { validate(d); }, ThrowsMessage<ConfigError>(HasSubstr(words)));
  };
  expect([](Device& d) { d.name.clear(); }, "no name");
  expect([](Device& d) { d.shaft_diameter_mm = 0; }, "/devices/needle/shaft_diameter_mm");
  expect([](Device& d) { d.length_mm = std::nan(""); }, "/devices/needle/length_mm");
  expect([](Device& d) { d.poles[1].from_tip_mm = 6; }, "poles 0 and 1 overlap");
  expect([](Device& d) { d.poles[1].to_tip_mm = 9; }, "/poles/1/to_tip_mm");
  expect([](Device& d) { d.poles[0].polarity = 0; }, "/poles/0/polarity");
  expect([](Device& d) { d.poles[0].diameter_mm = -1; }, "/poles/0/diameter_mm");
  expect([](Device& d) { d.sensors[1].from_tip_mm = 151; }, "/sensors/1/from_tip_mm");
  expect([](Device& d) { d.cooled_degC = 120; }, "/cooled_degC");
  expect([](Device& d) { d.max_power_W = 0; }, "/max_power_W");
}

TEST(Protocol, EveryBrokenRuleIsNamed) {
  const auto expect = [](auto change, const char* words) {
    Protocol p = hold(70);
    Device d = needle();
    change(p.steps[0], p, d);
    EXPECT_THAT([&] { validate(p, d); }, ThrowsMessage<ConfigError>(HasSubstr(words)));
  };
  using S = ProtocolStep;
  expect([](S& s, Protocol&, Device&) { s.duration_s = -1; }, "/protocol/steps/0/duration_s");
  expect([](S& s, Protocol&, Device&) { s.power_W = 5; }, "more than one");
  expect([](S& s, Protocol&, Device&) { s.max_W = 21; }, "at most 20 W");
  expect([](S& s, Protocol&, Device&) { s.hold_degC = 96; }, "at most 95 degC");
  expect([](S&, Protocol&, Device& d) { d.sensors.clear(); }, "no sensor");
  expect([](S&, Protocol& p, Device&) { p.modality = "cryo"; }, "'cryo'");
  expect([](S& s, Protocol&, Device&) { s.hold_degC.reset(); }, "max_W without hold_degC");
  expect([](S& s, Protocol&, Device&) { s = {.duration_s = 1, .voltage_V = -5}; }, "voltage_V");
  EXPECT_THAT([] { validate(Protocol{}, needle()); }, ThrowsMessage<ConfigError>(HasSubstr("no steps")));
}

}  // namespace
}  // namespace spinetherm
