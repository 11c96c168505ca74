// SPDX-License-Identifier: Apache-2.0
#include "planning/zone.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/planning/synthetic_heat.h"

namespace spinetherm {
namespace {

using namespace testing;

const Grid kBox = box_grid({-30, -30, -30}, {30, 30, 30}, 1);

/// Temperature at which 60 s make an Arrhenius integral of 1.
double kill_degC() { return 2.577e5 / (8.314462618 * std::log(60 * 7.39e39)) - 273.15; }

TEST(AblationZone, LiesWhereTheDamageIntegralIsOne) {
  const auto run = run_of(kBox, gaussian({0, 0, 0}, 50, 10));
  const auto zone = ablation_zone(run, {});
  EXPECT_TRUE(zone.exists);
  EXPECT_FALSE(zone.touches_box);
  const RegionDistance distance(zone);
  const double radius = radius_at(kill_degC(), 50, 10);
  for (const Eigen::Vector3d& e : {Eigen::Vector3d(1, 0, 0), Eigen::Vector3d(0, 0.6, 0.8)})
    for (const double r : {2.0, 10.0, 20.0, 60.0}) EXPECT_NEAR(distance(r * e), r - radius, 0.35) << r;
  EXPECT_NEAR(distance.nearest({{50, 0, 0}, {0, 25, 0}, {-40, 0, 0}}), 25 - radius, 0.35);
}

TEST(AblationZone, FallsBackOnCem43AndThenKnowsNothing) {
  auto run = run_of(kBox, gaussian({0, 0, 0}, 50, 10));
  run.arrhenius = {};
  const auto zone = ablation_zone(run, {});
  EXPECT_THAT(zone.criterion, ::testing::HasSubstr("CEM43"));
  // 240 min in a minute: 43 + log2(240) degC.
  EXPECT_NEAR(RegionDistance(zone)({0, 0, 0}), -radius_at(43 + std::log2(240.0), 50, 10), 0.35);
  run.cem43 = run.lowest_temperature = {};
  EXPECT_FALSE(ablation_zone(run, {}).computed());
}

TEST(AblationZone, ColdKillsBelowItsIsotherm) {
  const auto run = run_of(kBox, gaussian({0, 0, 0}, -150, 8));
  const double radius = 8 * std::sqrt(2 * std::log(150.0 / 77));  // -40 degC
  EXPECT_NEAR(RegionDistance(ablation_zone(run, {}))({20, 0, 0}), 20 - radius, 0.35);
  EXPECT_NEAR(RegionDistance(ice_region(run))({25, 0, 0}), 25 - 8 * std::sqrt(2 * std::log(150.0 / 37)),
              0.35);
}

TEST(AblationZone, ColdKillsLessDeepWhenItFreezesTwice) {
  auto run = run_of(kBox, gaussian({0, 0, 0}, -150, 8));
  run.lowest_twice = run.lowest_temperature;  // two equal freezes
  const auto zone = ablation_zone(run, {});
  EXPECT_THAT(zone.criterion, ::testing::HasSubstr("twice"));
  const double radius = 8 * std::sqrt(2 * std::log(150.0 / 57));  // -20 degC
  EXPECT_NEAR(RegionDistance(zone)({20, 0, 0}), 20 - radius, 0.35);
  for (float& T : run.lowest_twice.values) T = 0;  // one freeze only
  EXPECT_NEAR(RegionDistance(ablation_zone(run, {}))({20, 0, 0}),
              20 - 8 * std::sqrt(2 * std::log(150.0 / 77)), 0.35);
}

TEST(AblationZone, SaysWhenItTouchesTheBox) {
  const auto run = run_of(kBox, gaussian({25, 0, 0}, 50, 10));
  EXPECT_TRUE(ablation_zone(run, {}).touches_box);
  EXPECT_TRUE(disturbed_region(run, {}, 37, 0.5).touches_box);
  EXPECT_FALSE(disturbed_region(run_of(kBox, gaussian({0, 0, 0}, 50, 7)), {}, 37, 0.5).touches_box);
}

/// Water in the shaft cools tissue out of the box; ice and heat there are another matter.
TEST(AblationZone, ACooledShaftMayLeaveTheBox) {
  Applicator along_x;
  along_x.entry_mm = {60, 0, 0};
  Device cooled;
  cooled.shaft_diameter_mm = 1.6;
  cooled.cooled_degC = 20;
  PlacedDevice placed{along_x, cooled};
  const auto cold = run_of(kBox, gaussian({25, 0, 0}, -12, 4));
  EXPECT_TRUE(disturbed_region(cold, {}, 37, 0.5).touches_box);
  EXPECT_FALSE(disturbed_region(cold, {placed}, 37, 0.5).touches_box);
  EXPECT_TRUE(disturbed_region(run_of(kBox, gaussian({25, 0, 0}, -150, 4)), {placed}, 37, 0.5).touches_box);
  EXPECT_TRUE(disturbed_region(run_of(kBox, gaussian({25, 0, 0}, 12, 4)), {placed}, 37, 0.5).touches_box);
  placed.device.cooled_degC.reset();
  EXPECT_TRUE(disturbed_region(cold, {placed}, 37, 0.5).touches_box);
}

TEST(AblationZone, HoldsTheShaftThatHasNoDoseItself) {
  auto run = run_of(kBox, gaussian({0, 0, 0}, 50, 10));
  const std::vector<PlacedDevice> placed = {placed_at({0, 29, 0}, {0, -5, 0})};
  for (int j = 25; j < 60; ++j)  // cells of the shaft: wall temperature, no dose
    run.arrhenius(30, j, 30) = run.cem43(30, j, 30) = 0;
  EXPECT_GT(RegionDistance(ablation_zone(run, {}))({0, 0, 0}), -1);  // a hole, if nothing were done
  EXPECT_LT(RegionDistance(ablation_zone(run, placed))({0, 0, 0}), -8);
}

TEST(AblationZone, NothingIsFarAway) {
  const auto run = run_of(kBox, [](const Eigen::Vector3d&) { return 37.0; });
  const auto zone = ablation_zone(run, {});
  EXPECT_TRUE(zone.computed());
  EXPECT_FALSE(zone.exists);
  EXPECT_TRUE(std::isinf(RegionDistance(zone)({0, 0, 0})));
}

}  // namespace
}  // namespace spinetherm
