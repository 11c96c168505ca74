// SPDX-License-Identifier: Apache-2.0
#include "thermal/cryo.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/modality.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;

Device needle() {
  Device d;
  d.name = "needle";
  d.modality = "cryo";
  d.shaft_diameter_mm = 1.5;
  d.length_mm = 150;
  d.cryo = CryoPart{0, 30, -155, 8500, 900, 30};
  d.sensors = {{"handle side", 35, 0.75}};
  d.protocol.modality = "cryo";
  d.protocol.steps = {{.duration_s = 600, .duty = 1}, {.duration_s = 300}, {.duration_s = 600, .duty = 0.7}};
  return d;
}
Applicator placed(double x_mm = 0) { return {"needle", {x_mm, 0, 0}, {x_mm, 0, 80}}; }

template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "";
}

TEST(CryoSources, AreOneAStepAndProbe) {
  const Device d = needle();
  const auto sources = make_cryo_sources({placed(), placed(20)}, {d, d}, d.protocol);
  ASSERT_EQ(sources.size(), 4);
  EXPECT_EQ(sources[0].active_s, (ActiveTimes{{0, 600}}));
  EXPECT_EQ(sources[3].active_s, (ActiveTimes{{900, 1500}}));
  const auto& s = std::get<CryoprobeSource>(sources[3].what);
  EXPECT_EQ(s.duty, 0.7);
  EXPECT_EQ(s.entry_mm[0], 20);
  EXPECT_EQ(s.active_to_tip_mm, 30);
}

TEST(CryoSources, ThawActivelyAtTheTemperatureOfTheStep) {
  Device d = needle();
  d.protocol.steps.push_back({.duration_s = 120, .thaw_degC = 45});
  const auto sources = make_cryo_sources({placed()}, {d}, d.protocol);
  EXPECT_EQ(std::get<CryoprobeSource>(sources.back().what).gas_degC, 45);
  EXPECT_EQ(std::get<CryoprobeSource>(sources.back().what).duty, 1);
}

TEST(CryoSources, RefuseWhatCannotBe) {
  const Device d = needle();
  const auto with = [&](const ProtocolStep& step) {
    return refusal([&] {
      make_cryo_sources({placed()}, {d}, {"cryo", {{.duration_s = 60, .duty = 1}, step}});
    });
  };
  EXPECT_THAT(with({.duration_s = 60, .duty = 1.5}), HasSubstr("/protocol/steps/1/duty"));
  EXPECT_THAT(with({.duration_s = 60, .duty = 1, .thaw_degC = 40}), HasSubstr("/protocol/steps/1"));
  EXPECT_THAT(with({.duration_s = 60, .hold_degC = 70}), HasSubstr("does not heat"));
  EXPECT_THAT(with({.duration_s = 60, .thaw_degC = -5}), HasSubstr("thaw_degC"));
  EXPECT_THAT(with({.duration_s = 60, .until = UntilSensor{"x", {}, 1, 2}}), HasSubstr("until"));
  EXPECT_THAT(refusal([&] {
                make_cryo_sources({placed()}, {d}, {"cryo", {{.duration_s = 60}}});
              }),
              HasSubstr("no step of the protocol freezes"));
  EXPECT_THAT(refusal([&] {
                make_cryo_sources(std::vector<Applicator>(9, placed()), std::vector<Device>(9, d),
                                  d.protocol);
              }),
              HasSubstr("at most 8"));
  Applicator shallow = placed();
  shallow.entry_mm = {0, 0, 55};
  EXPECT_THAT(refusal([&] { make_cryo_sources({shallow}, {d}, d.protocol); }), HasSubstr("entry"));
}

TEST(CryoSources, SensorOfADeviceEndsAStep) {
  Device d = needle();
  d.protocol.steps[0].until = UntilSensor{"handle side", {}, -20.0, {}};
  const auto ends = make_early_ends({placed()}, {d}, d.protocol, 100);
  ASSERT_EQ(ends.size(), 1);
  EXPECT_EQ(ends[0].between_s, (std::array<double, 2>{100, 700}));
  EXPECT_NEAR(ends[0].sensor_mm[2], 45, 1e-9);
  d.protocol.steps[0].until->sensor = "tip";
  EXPECT_THAT(refusal([&] { make_early_ends({placed()}, {d}, d.protocol); }), HasSubstr("handle side"));
}

TEST(PlacedProbe, RoundsTheTipAndClosesTheShaft) {
  CryoprobeSource s;
  s.entry_mm = {0, 0, 0};
  s.tip_mm = {0, 0, 80};
  s.diameter_mm = 1.5;
  s.active_to_tip_mm = 30;
  const PlacedProbe whole = place_probe(s);
  EXPECT_TRUE(std::holds_alternative<Capsule>(whole.active.shape));
  EXPECT_TRUE(contains(whole.active, {0, 0, 79.9}));
  EXPECT_FALSE(contains(whole.active, {0, 0, 80.1}));
  EXPECT_EQ(whole.shaft.size(), 1);
  EXPECT_NEAR(whole.active_area_mm2, 2 * kPi * 0.75 * 30, 1e-9);
  s.active_from_tip_mm = 5;
  const PlacedProbe later = place_probe(s);
  EXPECT_TRUE(std::holds_alternative<Cylinder>(later.active.shape));
  EXPECT_EQ(later.shaft.size(), 2);
}

}  // namespace
}  // namespace spinetherm
