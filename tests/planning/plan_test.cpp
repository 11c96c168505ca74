// SPDX-License-Identifier: Apache-2.0
#include "planning/plan.h"

#include <gmock/gmock.h>

#include <limits>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Device bipolar() {
  Device d;
  d.name = "bipolar-10";
  d.modality = "rfa";
  d.shaft_diameter_mm = 2;
  d.poles = {{0, 4, 2, 1}, {6, 10, 2, -1}};
  d.protocol.steps = {{.duration_s = 300, .hold_degC = 70}};
  return d;
}
Plan simple() {
  Plan p;
  Applicator a;
  a.device = "bipolar-10";
  a.entry_mm = {0, 100, 0};
  a.tip_mm = {0, 0, 0};
  p.applicators = {a};
  p.protocol = {bipolar().protocol};
  return p;
}

TEST(ActivePart, IsTheHullOfThePoles) {
  const auto part = active_part(bipolar());
  ASSERT_TRUE(part);
  EXPECT_DOUBLE_EQ(part->from_tip_mm, 0);
  EXPECT_DOUBLE_EQ(part->to_tip_mm, 10);
  EXPECT_DOUBLE_EQ(part->centre_mm(), 5);
}

TEST(ActivePart, IsUnknownWithoutPolesAndZone) {
  Device d = bipolar();
  d.poles.clear();
  EXPECT_FALSE(active_part(d));
  EXPECT_FALSE(active_distance_mm({simple().applicators[0], d}, {0, 0, 0}));
}

TEST(ShaftDistance, IsToTheSurfaceAndNegativeInside) {
  const PlacedDevice placed{simple().applicators[0], bipolar()};
  EXPECT_NEAR(shaft_distance_mm(placed, {4, 50, 0}), 3, 1e-12);
  EXPECT_NEAR(shaft_distance_mm(placed, {0, 50, 0}), -1, 1e-12);
  EXPECT_NEAR(shaft_distance_mm(placed, {0, -5, 0}), 4, 1e-12);
  EXPECT_NEAR(*active_distance_mm(placed, {0, 50, 0}), 39,
              1e-12);  // the active part ends 10 mm behind the tip
}

TEST(ShaftDistance, FollowsABentTip) {
  Device d = bipolar();
  d.length_mm = 150;
  d.articulation = {20, 60};
  const PlacedDevice placed{simple().applicators[0], d};
  const Eigen::Vector3d end = on_shaft_mm(placed.applicator, d, 0);
  EXPECT_GT(end.z(), 9);  // towards the head
  EXPECT_NEAR(shaft_distance_mm(placed, end + Eigen::Vector3d(3, 0, 0)), 2, 0.05);
  EXPECT_NEAR(*active_distance_mm(placed, on_shaft_mm(placed.applicator, d, 5) + Eigen::Vector3d(3, 0, 0)), 2,
              0.05);
  EXPECT_GT(shaft_distance_mm(placed, {0, 0, 0}), 4) << "nothing is where the straight tip would be";
  Applicator straight = placed.applicator;
  straight.deployment = 0;
  EXPECT_NEAR(shaft_distance_mm({straight, d}, {0, 0, 0}), -1, 1e-12);
}

TEST(ActiveDistance, OfAnArrayIsToItsTines) {
  Device d = bipolar();
  d.poles.clear();
  d.tines = {6, 0.4, 0, 9.2, 90, 1};
  const PlacedDevice placed{simple().applicators[0], d};
  const auto part = active_part(d);
  ASSERT_TRUE(part);
  EXPECT_NEAR(part->from_tip_mm, -9.4, 1e-9);
  EXPECT_NEAR(part->to_tip_mm, 0, 1e-9);
  const Eigen::Vector3d end = tine_lines_mm(placed.applicator, d)[0].back();
  EXPECT_NEAR(*active_distance_mm(placed, end + Eigen::Vector3d(0, 0, 2)), 1.8, 1e-6);
  EXPECT_NEAR(shaft_distance_mm(placed, end), -0.2, 1e-6);
  EXPECT_GT(*active_distance_mm(placed, {0, 50, 0}), 49) << "the shaft is insulated";
  Applicator drawn_in = placed.applicator;
  drawn_in.deployment = 0;
  EXPECT_FALSE(active_distance_mm({drawn_in, d}, end)) << "nothing of it heats";
}

TEST(PlacedDevices, AnUnknownDeviceIsNamedWithTheNearest) {
  Plan p = simple();
  p.applicators[0].device = "bipolar-1O";
  EXPECT_THAT([&] { placed_devices(p, {bipolar()}); },
              ThrowsMessage<ConfigError>(HasSubstr("(/applicators/0/device): did you mean 'bipolar-10'?")));
  EXPECT_EQ(placed_devices(simple(), {bipolar()}).size(), 1U);
}

TEST(PlanRules, AreNamedWithTheirPointer) {
  EXPECT_NO_THROW(validate(simple()));
  Plan p = simple();
  p.applicators[0].tip_mm.x() = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT([&] { validate(p, "plan.json"); },
              ThrowsMessage<ConfigError>(HasSubstr("plan.json: /applicators/0")));
  p = simple();
  p.applicators[0].deployment = 1.5;
  EXPECT_THAT([&] { validate(p); }, ThrowsMessage<ConfigError>(HasSubstr("/deployment")));
  p = simple();
  p.protections = {Thermocouple{{0, 0, 0}, -1, 45.0, {}}};
  EXPECT_THAT([&] { validate(p); }, ThrowsMessage<ConfigError>(HasSubstr("lag_s = -1")));
  EXPECT_THAT([] { validate(Plan{}); }, ThrowsMessage<ConfigError>(HasSubstr("without an applicator")));
}

TEST(PlanProtections, AreCounted) {
  Plan p = simple();
  EXPECT_FALSE(has_sensor(p));
  p.protections = {Dissection{"CO2", "epidural", {}}};
  EXPECT_FALSE(has_sensor(p));
  EXPECT_TRUE(has_dissection(p));
}

}  // namespace
}  // namespace spinetherm
