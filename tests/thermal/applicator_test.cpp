// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "tests/thermal/antenna_fixture.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::AllOf;
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

Device antenna() {
  Device d;
  d.name = "antenna";
  d.modality = "mwa";
  d.antenna = AntennaPart{slot_antenna(), 0.05};
  d.shaft_diameter_mm = 2 * d.antenna->antenna.catheter_radius_mm;
  d.length_mm = 150;
  d.cooled_degC = 20;
  d.max_power_W = 100;
  d.protocol = {"mwa", {{.duration_s = 270, .power_W = 15}, {.duration_s = 60}}};
  return d;
}
Device fibre() {
  Device d;
  d.name = "fibre";
  d.modality = "laser";
  d.shaft_diameter_mm = 1.65;
  d.length_mm = 150;
  d.light = {2, 12, 980};
  d.cooled_degC = 20;
  d.max_power_W = 15;
  d.protocol = {"laser", {{.duration_s = 120, .power_W = 10}, {.duration_s = 60}}};
  return d;
}

TEST(RadiatingDevice, GoodOnesPass) {
  EXPECT_NO_THROW(validate(antenna()));
  EXPECT_NO_THROW(validate(fibre()));
  Device bare = fibre();
  bare.light = {0, 0, 1064};
  bare.cooled_degC.reset();
  bare.protocol.steps[0].power_W = 5;
  EXPECT_NO_THROW(validate(bare));
}

TEST(RadiatingDevice, EveryBrokenRuleIsNamed) {
  const auto expect = [](Device d, auto change, const char* words) {
    change(d);
    EXPECT_THAT([&] { validate(d); }, ThrowsMessage<ConfigError>(HasSubstr(words)));
  };
  expect(
      antenna(), [](Device& d) { d.antenna.reset(); }, "'mwa' without an antenna");
  expect(
      antenna(),
      [](Device& d) {
        d.poles = {{0, 7, 1.5, 1}};
      },
      "metal poles in a device of 'mwa'");
  expect(
      antenna(),
      [](Device& d) {
        d.cryo = CryoPart{0, 30, -150, 8500, 900};
      },
      "/devices/antenna/cryo");
  expect(
      antenna(),
      [](Device& d) {
        d.light = {0, 10, 980};
      },
      "/devices/antenna/light");
  expect(
      antenna(),
      [](Device& d) {
        d.articulation = {20, 60};
      },
      "/devices/antenna/articulation");
  expect(
      antenna(), [](Device& d) { d.shaft_diameter_mm = 1.7; }, "twice catheter_radius_mm");
  expect(
      antenna(), [](Device& d) { d.antenna->antenna.outer_radius_mm = 0.4; }, "outer_radius_mm is 0.4");
  expect(
      antenna(), [](Device& d) { d.antenna->antenna.frequency_MHz = 433; }, "915 and 2450 MHz");
  expect(
      antenna(), [](Device& d) { d.length_mm = 6; }, "/antenna/slot_to_tip_mm");
  expect(
      antenna(), [](Device& d) { d.antenna->cable_loss = 1; }, "/devices/antenna/cable_loss");
  expect(
      antenna(), [](Device& d) { d.antenna->shield_width_deg = 360; }, "/shield/width_deg");
  expect(
      antenna(),
      [](Device& d) {
        d.antenna->shield_width_deg = 180;
        d.antenna->shield_leak = 1.5;
      },
      "/shield/leak");
  expect(
      needle(), [](Device& d) { d.antenna = antenna().antenna; }, "an antenna in a device of 'rfa'");
  expect(
      needle(), [](Device& d) { d.light = fibre().light; }, "gives light in a device of 'rfa'");
  expect(
      fibre(), [](Device& d) { d.light.reset(); }, "/devices/fibre/light");
  expect(
      fibre(), [](Device& d) { d.tines = {6, 0.4, 0, 9.2, 90, 1}; }, "/devices/fibre/tines");
  expect(
      fibre(), [](Device& d) { d.light->to_tip_mm = 1; }, "/light/to_tip_mm");
  expect(
      fibre(), [](Device& d) { d.light->wavelength_nm = 805; }, "980 and 1064 nm");
  expect(
      fibre(), [](Device& d) { d.cooled_degC.reset(); }, "diffusing fibre without a coolant");
}

TEST(RadiatingProtocol, EveryBrokenRuleIsNamed) {
  const auto expect = [](const Device& d, auto change, const char* words) {
    Protocol p = d.protocol;
    change(p.steps[0], p);
    EXPECT_THAT([&] { validate(p, d); }, ThrowsMessage<ConfigError>(HasSubstr(words)));
  };
  using S = ProtocolStep;
  for (const Device& d : {antenna(), fibre()}) {
    expect(
        d, [](S& s, Protocol&) { s = {.duration_s = 60, .hold_degC = 70}; }, "/protocol/steps/0/hold_degC");
    expect(
        d, [](S& s, Protocol&) { s = {.duration_s = 60, .voltage_V = 20}; }, "/protocol/steps/0/voltage_V");
    expect(
        d, [](S& s, Protocol&) { s = {.duration_s = 60, .duty = 1}; }, "/protocol/steps/0/duty");
    expect(
        d, [](S& s, Protocol&) { s = {.duration_s = 60, .thaw_degC = 40}; }, "/protocol/steps/0/thaw_degC");
    expect(
        d, [](S& s, Protocol&) { s.max_W = 10; }, "/protocol/steps/0/max_W");
    expect(
        d,
        [](S& s, Protocol&) {
          s.roll_off = RollOff{0.5, 15};
        },
        "/protocol/steps/0/roll_off");
    expect(
        d,
        [](S&, Protocol& p) {
          p.saline_halo = SalineHalo{5, 1};
        },
        "/protocol/saline_halo");
  }
  expect(
      antenna(), [](S& s, Protocol& p) { s.power_W = 101, p.beyond_spine = true; }, "at most 100 W");
  expect(
      fibre(), [](S& s, Protocol&) { s.power_W = 16; }, "at most 15 W");
  expect(
      fibre(), [](S&, Protocol& p) { p.beyond_spine = true; }, "/protocol/beyond_spine");
  Device bare = fibre();
  bare.light = {0, 0, 980};
  bare.cooled_degC.reset();
  expect(
      bare, [](S& s, Protocol&) { s.power_W = 5.1; }, "chars the tip of a bare fibre");
}

TEST(RadiatingProtocol, MoreMicrowavesThanASpineBearsMustBeAskedFor) {
  const auto with = [](double W, double s, bool beyond) {
    return Protocol{"mwa", {{.duration_s = s, .power_W = W}}, {}, beyond};
  };
  EXPECT_NO_THROW(validate(with(kMostSpine_W, kMostSpine_s, false), antenna()));
  EXPECT_THAT([&] { validate(with(41, 60, false), antenna()); },
              ThrowsMessage<ConfigError>(
                  AllOf(HasSubstr("more than a spine bears"), HasSubstr("/protocol/steps/0/power_W"),
                        HasSubstr("at most 40 W for 5 min; set beyond_spine to run a liver preset"))));
  EXPECT_THAT([&] { validate(with(15, 301, false), antenna()); },
              ThrowsMessage<ConfigError>(HasSubstr("/protocol/steps/0/duration_s")));
  EXPECT_NO_THROW(validate(with(60, 600, true), antenna()));
  // A pause may last as long as it likes.
  EXPECT_NO_THROW(
      validate(Protocol{"mwa", {{.duration_s = 60, .power_W = 15}, {.duration_s = 900}}}, antenna()));
}

}  // namespace
}  // namespace spinetherm
