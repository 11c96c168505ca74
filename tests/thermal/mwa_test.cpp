// SPDX-License-Identifier: Apache-2.0
#include "thermal/mwa.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/thermal/antenna_fixture.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

Device antenna_device() {
  Device d;
  d.name = "antenna";
  d.modality = "mwa";
  d.antenna = AntennaPart{slot_antenna(), 0.1, {}, 0.05};
  d.shaft_diameter_mm = 2 * slot_antenna().catheter_radius_mm;
  d.length_mm = 150;
  d.cooled_degC = 20;
  d.max_power_W = 60;
  d.cannula = Cannula{2.4, 5};
  d.protocol.modality = "mwa";
  d.protocol.steps = {
      {.duration_s = 60, .power_W = 15}, {.duration_s = 30}, {.duration_s = 90, .power_W = 20}};
  return d;
}
Applicator placed() { return {"antenna", {0, 80, 0}, {0, 10, 0}}; }

TEST(Mwa, EachStepWithPowerIsASourceOfEveryAntenna) {
  const Device d = antenna_device();
  Applicator second = placed();
  second.tip_mm.x() = second.entry_mm.x() = 12;
  const auto sources = make_mwa_sources({placed(), second}, {d, d}, d.protocol);
  ASSERT_EQ(sources.size(), 4U);
  const auto& first = std::get<AntennaSource>(sources[0].what);
  EXPECT_EQ(first.power_W, 15);
  EXPECT_EQ(first.cable_loss, 0.1);
  EXPECT_EQ(first.cooled_degC, 20);
  EXPECT_EQ(first.antenna, slot_antenna());
  EXPECT_FALSE(first.shield);
  EXPECT_THAT(sources[1].active_s, ElementsAre(std::array<double, 2>{0, 60}));
  EXPECT_THAT(sources[3].active_s, ElementsAre(std::array<double, 2>{90, 180}));
  EXPECT_EQ(std::get<AntennaSource>(sources[3].what).power_W, 20);
  EXPECT_EQ(std::get<AntennaSource>(sources[3].what).tip_mm.x(), 12);
}

TEST(Mwa, AShieldFacesAwayFromTheRollDirection) {
  Device d = antenna_device();
  d.antenna->shield_width_deg = 180;
  Applicator a = placed();
  a.roll_deg = 90;
  const auto sources = make_mwa_sources({a}, {d}, d.protocol);
  const auto& s = std::get<AntennaSource>(sources[0].what);
  ASSERT_TRUE(s.shield);
  EXPECT_NEAR(s.shield->towards.dot(roll_direction(a)), -1, 1e-12);
}

TEST(Mwa, BadPlansAreRefusedByName) {
  const Device d = antenna_device();
  Device fibre;
  fibre.name = "fibre";
  fibre.modality = "laser";
  EXPECT_THAT([&] { make_mwa_sources({placed()}, {fibre}, d.protocol); },
              ThrowsMessage<ConfigError>(HasSubstr("'fibre' works with 'laser', not with microwaves")));
  Applicator shallow = placed();
  shallow.entry_mm = shallow.tip_mm + Vector3d(0, 5, 0);
  EXPECT_THAT([&] { make_mwa_sources({shallow}, {d}, d.protocol); },
              ThrowsMessage<ConfigError>(HasSubstr("beyond the entry point at 5 mm")));
  Protocol off = d.protocol;
  off.steps = {{.duration_s = 60}};
  EXPECT_THAT([&] { make_mwa_sources({placed()}, {d}, off); },
              ThrowsMessage<ConfigError>(HasSubstr("no step of the protocol gives energy")));
  EXPECT_THAT([&] { make_mwa_sources({placed()}, {}, d.protocol); },
              ThrowsMessage<ConfigError>(HasSubstr("1 applicators with 0 devices")));
}

TEST(Mwa, WarnsOfMetalBesideTheSlot) {
  const Device d = antenna_device();
  EXPECT_THAT(mwa_warnings({placed()}, {d}), IsEmpty());
  Applicator a = placed();
  a.cannula_from_tip_mm = 9;
  EXPECT_THAT(mwa_warnings({a}, {d}), ElementsAre(HasSubstr("ends 3.0 mm behind the slot")));
  a.cannula_from_tip_mm = 11;
  EXPECT_THAT(mwa_warnings({a}, {d}), IsEmpty());
}

TEST(Mwa, ACannulaIsMetalAroundTheAntenna) {
  const Device d = antenna_device();
  Applicator a = placed();
  a.cannula_from_tip_mm = 11;
  const auto sources = make_mwa_sources({a}, {d}, d.protocol);
  EXPECT_EQ(std::get<AntennaSource>(sources[0].what).antenna.sleeve, (MetalSleeve{1.2, 11}));
  a.cannula_from_tip_mm = 5.5;
  EXPECT_THAT([&] { make_mwa_sources({a}, {d}, d.protocol); },
              ThrowsMessage<ConfigError>(HasSubstr("over the slot")));
}

}  // namespace
}  // namespace spinetherm
