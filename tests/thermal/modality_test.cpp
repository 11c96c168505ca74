// SPDX-License-Identifier: Apache-2.0
#include "thermal/modality.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/thermal/antenna_fixture.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;
using Times = std::array<double, 2>;

Device bipolar() {
  Device d;
  d.name = "bipolar";
  d.modality = "rfa";
  d.shaft_diameter_mm = 1.5;
  d.length_mm = 150;
  d.poles = {{0, 6, 1.5, 1}, {9, 15, 1.5, -1}};
  d.sensors = {{"tip", 0, 0, 0}};
  d.max_power_W = 20;
  return d;
}
Device antenna() {
  Device d;
  d.name = "antenna";
  d.modality = "mwa";
  d.antenna = AntennaPart{slot_antenna(), 0, {}, 0.05};
  d.shaft_diameter_mm = 2 * slot_antenna().catheter_radius_mm;
  d.length_mm = 150;
  return d;
}
Applicator at(double x_mm, const std::string& device = "bipolar") {
  return {device, {x_mm, 80, 0}, {x_mm, 10, 0}};
}
Protocol power(double W, double duration_s, std::vector<int> followers = {},
               std::optional<double> start_s = {}) {
  Protocol p{"rfa", {{.duration_s = duration_s, .power_W = W}}};
  p.applicators = std::move(followers);
  p.start_s = start_s;
  return p;
}
const ElectrodesSource& electrodes(const Source& s) { return std::get<ElectrodesSource>(s.what); }
double watts(const ElectrodesSource& s, std::size_t channel) {
  return std::get<ConstantPower>(s.channels.empty() ? s.control : s.channels.at(channel).control).power_W;
}

TEST(SchedulePlan, ProtocolsWithoutATimeFollowEachOther) {
  const PlanSchedule s =
      schedule_plan({at(0), at(20, "antenna")}, {bipolar(), antenna()},
                    {power(10, 60), {"mwa", {{.duration_s = 30}, {.duration_s = 90, .power_W = 20}}}});
  ASSERT_THAT(s.sources, SizeIs(2));
  EXPECT_THAT(s.sources[0].active_s, ElementsAre(Times{0, 60}));
  EXPECT_THAT(s.sources[1].active_s, ElementsAre(Times{90, 180}));
  EXPECT_EQ(s.duration_s, 180);
}

TEST(SchedulePlan, TwoEnergiesMayActAtOnce) {
  Protocol waves{"mwa", {{.duration_s = 90, .power_W = 20}}};
  waves.start_s = 30;
  const PlanSchedule s =
      schedule_plan({at(0), at(20, "antenna")}, {bipolar(), antenna()}, {power(10, 60), waves});
  EXPECT_THAT(s.sources[1].active_s, ElementsAre(Times{30, 120}));
  EXPECT_EQ(s.duration_s, 120);
}

/// While one generator alone is on, the other probe is bare metal in its field.
TEST(SchedulePlan, ProbesOfOneFieldHaveSchedulesOfTheirOwn) {
  const PlanSchedule s =
      schedule_plan({at(0), at(20)}, {bipolar(), bipolar()}, {power(10, 100, {0}), power(15, 100, {1}, 40)});
  ASSERT_THAT(s.sources, SizeIs(3));
  EXPECT_THAT(s.sources[0].active_s, ElementsAre(Times{0, 40}));
  EXPECT_THAT(s.sources[1].active_s, ElementsAre(Times{40, 100}));
  EXPECT_THAT(s.sources[2].active_s, ElementsAre(Times{100, 140}));
  const auto& first = electrodes(s.sources[0]);
  EXPECT_EQ(watts(first, 0), 10);
  ASSERT_THAT(first.electrodes, SizeIs(4));
  EXPECT_FALSE(first.electrodes[0].floating);
  EXPECT_TRUE(first.electrodes[2].floating);
  const auto& both = electrodes(s.sources[1]);
  ASSERT_THAT(both.channels, SizeIs(2));
  EXPECT_EQ(watts(both, 0), 10);
  EXPECT_EQ(watts(both, 1), 15);
  EXPECT_TRUE(electrodes(s.sources[2]).electrodes[0].floating);
  EXPECT_EQ(watts(electrodes(s.sources[2]), 0), 15);
  EXPECT_EQ(electrodes(s.sources[2]).channels.at(0).output, 1) << "of the second probe still";
}

/// A boundary between two steps of one probe cuts nothing where neither has current.
TEST(SchedulePlan, APauseOfOneProbeDoesNotInterruptTheOther) {
  Protocol with_pauses{"rfa", {{.duration_s = 20}, {.duration_s = 20}}};
  with_pauses.steps.push_back({.duration_s = 10, .power_W = 5});
  with_pauses.applicators = {1};
  with_pauses.start_s = 0;
  const PlanSchedule s =
      schedule_plan({at(0), at(20)}, {bipolar(), bipolar()}, {power(10, 40, {0}), with_pauses});
  ASSERT_THAT(s.sources, SizeIs(2));
  EXPECT_THAT(s.sources[0].active_s, ElementsAre(Times{0, 40}));
  EXPECT_THAT(s.sources[1].active_s, ElementsAre(Times{40, 50}));
}

TEST(SchedulePlan, RefusesWhatNobodyCanFollow) {
  const std::vector<Applicator> two = {at(0), at(20)};
  const std::vector<Device> devices = {bipolar(), bipolar()};
  const auto refuses = [&](const std::vector<Protocol>& protocols, const char* what) {
    EXPECT_THAT([&] { schedule_plan(two, devices, protocols); }, ThrowsMessage<ConfigError>(HasSubstr(what)));
  };
  refuses({power(10, 60), power(10, 60, {1}, 30)}, "at once");
  refuses({power(10, 60, {0})}, "applicator 1 follows no protocol");
  refuses({power(10, 60, {0, 2})}, "there is no applicator 2");
  refuses({power(10, 60, {}, -1)}, "start_s = -1");
  refuses({{"cryo", {{.duration_s = 60, .duty = 1}}}}, "no applicator works with");
  Protocol ended = power(10, 60, {0});
  ended.steps[0].until = UntilSensor{"tip", {}, {}, 60};
  refuses({ended, power(10, 60, {1}, 30)}, "would shift");
}

TEST(SchedulePlan, AProtocolIsFollowedByDevicesOfItsEnergy) {
  Protocol waves{"mwa", {{.duration_s = 90, .power_W = 20}}};
  waves.applicators = {0, 1};
  EXPECT_THAT(
      [&] {
        schedule_plan({at(0), at(20, "antenna")}, {bipolar(), antenna()}, {waves, power(10, 60)});
      },
      ThrowsMessage<ConfigError>(HasSubstr("works with rfa, not with mwa")));
}

}  // namespace
}  // namespace spinetherm
