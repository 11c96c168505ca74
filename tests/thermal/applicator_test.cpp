// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

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
  EXPECT_TRUE(sensor_mm(a, needle(), needle().sensors[0]).isApprox(a.tip_mm));
}

TEST(Applicator, RollTurnsASensorClockwiseFromTheHead) {
  Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, -100, 0}};
  const DeviceSensor side = needle().sensors[1];
  EXPECT_TRUE(sensor_mm(a, needle(), side).isApprox(Vector3d(0, -92, 5)));
  // Looking to the front (-y) with the head up, the patient's left (+x) is on the left hand: clockwise from
  // the head goes to the patient's right.
  a.roll_deg = 90;
  EXPECT_TRUE(sensor_mm(a, needle(), side).isApprox(Vector3d(-5, -92, 0), 1e-12))
      << sensor_mm(a, needle(), side).transpose();
}

TEST(Applicator, RollIsDefinedAlongTheBodyAxisToo) {
  const Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, 0, -50}};
  EXPECT_TRUE(roll_direction(a).isApprox(Vector3d(0, -1, 0)));
  EXPECT_NEAR(roll_direction(a).dot(direction(a)), 0, 1e-15);
}

Device bending() {
  Device d = needle();
  d.articulation = {20, 60};
  return d;
}
Device array() {
  Device d = needle();
  d.shaft_diameter_mm = 2;
  d.poles.clear();
  d.tines = {6, 0.4, 0, 9.2, 90, 1};
  d.sensors = {{"tine", 0, 0, 4}};
  return d;
}

TEST(BentTip, FollowsItsArcTowardsTheRollDirection) {
  const Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, -100, 0}};
  const Device d = bending();
  const double radius = 20 / (kPi / 3);
  // The end of the arc: behind the straight tip, aside by radius (1 - cos 60), towards the head at roll 0.
  EXPECT_TRUE(on_shaft_mm(a, d, 0).isApprox(Vector3d(0, -80 - radius * std::sin(kPi / 3), radius / 2), 1e-9));
  EXPECT_TRUE(on_shaft_mm(a, d, 20).isApprox(Vector3d(0, -80, 0), 1e-9));
  EXPECT_TRUE(on_shaft_mm(a, d, 50).isApprox(Vector3d(0, -50, 0), 1e-9));
  // All points of the arc at its radius from its centre; lengths along it are kept.
  const Vector3d centre(0, -80, radius);
  for (const Vector3d& x : shaft_line_mm(a, d, 0, 20)) EXPECT_NEAR((x - centre).norm(), radius, 1e-9);
  const auto line = shaft_line_mm(a, d, 0, 60);
  double length = 0;
  for (std::size_t n = 0; n + 1 < line.size(); ++n) length += (line[n + 1] - line[n]).norm();
  EXPECT_NEAR(length, 60, 0.02);
  EXPECT_NEAR((line.back() - Vector3d(0, -40, 0)).norm(), 0, 1e-9);
  // A sensor on the inside of the bend lies nearer to the arc's centre.
  EXPECT_NEAR((sensor_mm(a, d, {"in", 10, 1, 0}) - centre).norm(), radius - 1, 1e-9);
  EXPECT_TRUE(active_centre_mm(a, d).isApprox(on_shaft_mm(a, d, 8)));
}

TEST(BentTip, DeploymentIsAPartOfTheAngleAndNoneIsStraight) {
  Applicator a = {.device = "needle", .entry_mm = {0, 0, 0}, .tip_mm = {0, -100, 0}};
  a.deployment = 0;
  EXPECT_TRUE(on_shaft_mm(a, bending(), 0).isApprox(a.tip_mm));
  EXPECT_EQ(shaft_line_mm(a, bending(), 0, 100).size(), 2U);
  a.deployment = 0.5;
  const Vector3d end = on_shaft_mm(a, bending(), 0) - on_shaft_mm(a, bending(), 1e-4);
  EXPECT_NEAR(std::atan2(end.z(), -end.y()) * 180 / kPi, 30, 1e-3);
}

TEST(Tines, LeaveTheShaftAllAroundAndEndOnTheirCircle) {
  Applicator a = {.device = "array", .entry_mm = {0, 0, 0}, .tip_mm = {0, -100, 0}};
  const auto lines = tine_lines_mm(a, array());
  ASSERT_EQ(lines.size(), 6U);
  for (const auto& line : lines) {
    EXPECT_NEAR(std::hypot(line.front().x(), line.front().z()), 0.8, 1e-9);
    EXPECT_NEAR(line.front().y(), -100, 1e-9);
    EXPECT_NEAR(std::hypot(line.back().x(), line.back().z()), 10, 1e-9);
    EXPECT_NEAR(line.back().y(), -109.2, 1e-9);
  }
  EXPECT_TRUE(lines[0].back().isApprox(Vector3d(0, -109.2, 10), 1e-9)) << "the first towards the head";
  EXPECT_TRUE(sensor_mm(a, array(), array().sensors[0]).isApprox(lines[3].back(), 1e-9));
  EXPECT_LT(active_centre_mm(a, array()).y(), -104);
  a.deployment = 0.5;
  EXPECT_NEAR(tine_lines_mm(a, array())[0].back().y(), -100 - 9.2 * std::sin(kPi / 4), 1e-9);
  a.deployment = 0;
  EXPECT_TRUE(tine_lines_mm(a, array()).empty());
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
  expect([](Device& d) { d.articulation = {20, 150}; }, "/articulation/angle_deg");
  expect([](Device& d) { d.articulation = {1, 90}; }, "must be above the shaft's diameter");
  expect([](Device& d) { d.tines = {0, 0.4, 0, 9, 90, 1}; }, "/tines/count");
  expect([](Device& d) { d.tines = {9, 3, 0, 9, 90, 1}; }, "/tines/diameter_mm");
  expect([](Device& d) { d.sensors[0].tine = 1; }, "/sensors/0/tine");
  expect([](Device& d) { d.cannula = {1, 5}; }, "/cannula/diameter_mm");
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
  expect([](S& s, Protocol&, Device&) { s.roll_off = RollOff{0, 15}; }, "/roll_off/rise");
  EXPECT_THAT([] { validate(Protocol{}, needle()); }, ThrowsMessage<ConfigError>(HasSubstr("no steps")));
}

}  // namespace
}  // namespace spinetherm
