// SPDX-License-Identifier: Apache-2.0
#include "thermal/step_control.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

using ::testing::ElementsAre;

TEST(StepEvents, AreSortedAndUniqueWithinTheRun) {
  ThermalProblem p = uniform_problem({}, {4, 4, 4}, 1);
  p.duration_s = 100;
  p.sample.times_s = {60, 0, 30, 60, 100};
  p.sources = {{PointSource{1, {1, 1, 1}}, {{0, 20}, {40, 60}}},
               {FixedTemperatureSource{{Sphere{{2, 2, 2}, 1}}, {{-5, 37}, {10, 90}, {60 + 1e-12, 80}}}, {}}};
  const std::vector<double> events = step_events(p, 120);
  EXPECT_THAT(events, ElementsAre(10, 20, 30, 40, 60, 100, 120));
}

TEST(StepEvents, EndTheRunExactly) {
  ThermalProblem p = uniform_problem({}, {4, 4, 4}, 1);
  p.duration_s = 100;
  p.sample.times_s = {100 - 1e-11};
  EXPECT_THAT(step_events(p, 100), ElementsAre(100));
  p.sources = {{PointSource{1, {1, 1, 1}}, {{50, 1e9}}}};
  EXPECT_THAT(step_events(p, 100), ElementsAre(50, 100));
}

BioheatOptions options() {
  BioheatOptions o;
  o.first_step_s = 1;
  o.max_step_s = 10;
  o.step_error_K = 0.02;
  o.max_step_K = 4;
  return o;
}

TEST(StepControl, DividesTheRestEvenly) {
  const StepControl control(options());
  EXPECT_EQ(control.propose(0, 100, 0), 1);
  EXPECT_DOUBLE_EQ(control.propose(98.5, 100, 0), 0.75);  // not 1 and 0.5
  EXPECT_DOUBLE_EQ(control.propose(99.25, 100, 0), 0.75);
  EXPECT_DOUBLE_EQ(control.propose(99, 100, 0), 1);
}

TEST(StepControl, EndsOnTheEventAndNeverBeyond) {
  StepControl control(options());
  double t = 0;
  for (int n = 0; n < 100 && t < 33.7; ++n) {
    const double dt = control.propose(t, 33.7, 0);
    ASSERT_GT(dt, 0);
    ASSERT_LE(t + dt, 33.7 + 1e-12);
    EXPECT_TRUE(control.judge(dt, 1e-6, 1e-3, true));
    t += dt;
  }
  EXPECT_NEAR(t, 33.7, 1e-12);
}

TEST(StepControl, StabilityBoundsTheStepByTheStages) {
  BioheatOptions o = options();
  o.max_stages = 9;  // (81 + 9 - 2) / 4 = 22 explicit steps
  EXPECT_DOUBLE_EQ(StepControl(o).propose(0, 1e6, 44), 0.5);
  EXPECT_DOUBLE_EQ(StepControl(o).propose(0, 1e6, 1), 1);
}

TEST(StepControl, GrowsThreefoldAtMostAndNeverBeyondTheLongest) {
  StepControl control(options());
  EXPECT_TRUE(control.judge(1, 0, 0, true));
  EXPECT_DOUBLE_EQ(control.next_s(), 3);
  EXPECT_TRUE(control.judge(3, 1e-9, 0, true));
  EXPECT_DOUBLE_EQ(control.next_s(), 9);
  EXPECT_TRUE(control.judge(9, 1e-9, 0, true));
  EXPECT_DOUBLE_EQ(control.next_s(), 10);
  control.restart();
  EXPECT_DOUBLE_EQ(control.next_s(), 1);
}

TEST(StepControl, AStepCutShortByAnEventSaysNothingAgainstALongOne) {
  StepControl control(options());
  control.judge(1, 0, 0, true);
  EXPECT_TRUE(control.judge(0.1, 1e-9, 1e-6, true));
  EXPECT_DOUBLE_EQ(control.next_s(), 3);
}

TEST(StepControl, RejectsErrorsChangesAndWhatIsNotFinite) {
  const auto next_after = [](double error_K, double change_K, bool finite, bool& stands) {
    StepControl control(options());
    stands = control.judge(1, error_K, change_K, finite);
    return control.next_s();
  };
  bool stands = true;
  // The error grows with the cube of the step: half of it and some caution.
  EXPECT_LT(next_after(0.02 * 8, 0, true, stands), 0.5);
  EXPECT_GT(next_after(0.02 * 8, 0, true, stands), 0.4);
  EXPECT_FALSE(stands);
  EXPECT_LT(next_after(0, 4 * 2, true, stands), 0.5);
  EXPECT_FALSE(stands);
  EXPECT_LE(next_after(0, 0, false, stands), 0.25);
  EXPECT_FALSE(stands);
  next_after(NAN, NAN, false, stands);
  EXPECT_FALSE(stands);
  next_after(0.019, 3.9, true, stands);
  EXPECT_TRUE(stands);
}

TEST(StepControl, SettlesWhereTheErrorIsWhatIsAllowed) {
  // error = C dt^3, as of a second-order scheme.
  for (const double C : {1e-6, 1e-3, 1.0}) {
    StepControl control(options());
    int rejected = 0;
    double dt = 0;
    for (int n = 0; n < 60; ++n) {
      dt = control.propose(0, 1e9, 0);
      if (!control.judge(dt, C * dt * dt * dt, 0, true)) ++rejected;
    }
    EXPECT_LE(C * dt * dt * dt, 0.02);
    EXPECT_GT(dt, std::min(0.8 * std::cbrt(0.02 / C), 9.99)) << C;
    EXPECT_LE(rejected, 3);
  }
}

}  // namespace
}  // namespace spinetherm
