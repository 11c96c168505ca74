// SPDX-License-Identifier: Apache-2.0
#include "thermal/power_control.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <deque>

namespace spinetherm {
namespace {

/// dT/dt = b P(t - dead time) - (T - 37)/loss_s; no loss: it integrates.
struct Plant {
  double rise_K_per_s_W = 0.2, dead_time_s = 1, loss_s = 60;
};
struct Course {
  double highest_degC = 37, last_degC = 37, most_W = 0, least_W = 1e9;
  double worst_late_K = 0;  ///< largest departure in the last third
  double reached_s = -1;    ///< first within 1 K
};

/// Runs a controller on a plant; asked at its own period, or at `period_s` when that is given.
Course run(const Plant& plant, const HoldTemperature& hold, double duration_s, double period_s = 0,
           double start_degC = 37) {
  constexpr double kStep_s = 0.01;
  HoldController controller(hold);
  Course c;
  double T = start_degC, power = 0, next_s = 0;
  std::deque<double> on_its_way(std::size_t(std::lround(plant.dead_time_s / kStep_s)), 0.0);
  for (int n = 0; n * kStep_s < duration_s; ++n) {
    const double t = n * kStep_s;
    if (t >= next_s - 1e-9) {
      power = controller.power_W(t, T);
      const double period = period_s > 0 ? period_s : controller.period_s();
      EXPECT_GT(period, 0);
      EXPECT_LE(period, 5);
      next_s = t + period;
      c.most_W = std::max(c.most_W, power);
      c.least_W = std::min(c.least_W, power);
    }
    on_its_way.push_back(power);
    T += kStep_s * (plant.rise_K_per_s_W * on_its_way.front() - (T - 37) / plant.loss_s);
    on_its_way.pop_front();
    c.highest_degC = std::max(c.highest_degC, T);
    if (c.reached_s < 0 && std::abs(T - hold.degC) < 1) c.reached_s = t;
    if (t > duration_s * 2 / 3) c.worst_late_K = std::max(c.worst_late_K, std::abs(T - hold.degC));
  }
  c.last_degC = T;
  return c;
}

const HoldTemperature kHold70{70, {0, 0, 0}, 20};

TEST(HoldControl, ReachesItsTemperatureOnAPlantWithLosses) {
  for (const double dead_time_s : {0.0, 0.5, 2.0})
    for (const double loss_s : {40.0, 120.0})
      for (const double rise : {0.1, 0.5}) {
        const Course c = run({rise, dead_time_s, loss_s}, kHold70, 600);
        SCOPED_TRACE(testing::Message() << dead_time_s << " s, " << loss_s << " s, " << rise << " K/s/W");
        EXPECT_LT(c.worst_late_K, 0.5);
        EXPECT_LT(c.highest_degC, 70 + 3 + 0.5 * dead_time_s * 20 * rise);  // half of what is on its way
        EXPECT_GT(c.reached_s, 0);
        EXPECT_LT(c.reached_s, 120);
      }
}

TEST(HoldControl, ReachesItsTemperatureOnAPlantThatIntegrates) {
  for (const double dead_time_s : {0.5, 2.0, 6.0}) {
    const Course c = run({0.1, dead_time_s, 1e9}, kHold70, 900);
    SCOPED_TRACE(dead_time_s);
    // It cannot cool: what it overshoots by stays.
    EXPECT_GT(c.last_degC, 70 - 0.5);
    EXPECT_LT(c.last_degC, 70 + 0.5 + 0.5 * dead_time_s * 20 * 0.1);
  }
}

TEST(HoldControl, KeepsWithinZeroAndTheLargestPower) {
  for (const double max_W : {0.5, 20.0, 200.0}) {
    const Course c = run({0.2, 1, 60}, {70, {0, 0, 0}, max_W}, 300);
    EXPECT_LE(c.most_W, max_W);
    EXPECT_GE(c.least_W, 0);
    EXPECT_EQ(c.most_W, max_W);  // it heats as fast as it may
  }
}

TEST(HoldControl, StaysAtFullPowerWhereThatIsTooLittle) {
  const Course c = run({0.2, 1, 60}, {70, {0, 0, 0}, 2}, 600);  // 2 W give 24 K at most
  EXPECT_NEAR(c.last_degC, 37 + 24, 0.1);
  EXPECT_EQ(c.least_W, 2);
}

TEST(HoldControl, IsStableWhenItIsAskedEveryFewSeconds) {
  for (const double period_s : {0.25, 1.0, 2.0, 5.0}) {
    const Course c = run({0.05, 1, 90}, kHold70, 900, period_s);
    SCOPED_TRACE(period_s);
    EXPECT_LT(c.worst_late_K, 1);
    EXPECT_LT(c.highest_degC, 70 + 10);
  }
}

TEST(HoldControl, GivesNothingWhereItIsWarmerAlready) {
  HoldController controller({50, {0, 0, 0}, 20});
  EXPECT_EQ(controller.power_W(0, 60), 0);
  EXPECT_EQ(controller.power_W(1, 58), 0);
  EXPECT_EQ(controller.power_W(2, 49), 20);  // it has cooled
  EXPECT_LT(run({0.2, 1, 60}, {50, {0, 0, 0}, 20}, 600, 0, 60).worst_late_K, 0.5);
}

TEST(HoldControl, ToldTwiceAtOneInstantItSaysTheSame) {
  HoldController controller(kHold70);
  controller.power_W(0, 37);
  for (double t = 0.5; t < 30; t += 0.5) {
    const double T = 70 - 33 * std::exp(-t / 6);
    const double power = controller.power_W(t, T);
    EXPECT_EQ(controller.power_W(t, T), power);
  }
}

TEST(HoldControl, ANewTargetIsReachedWithWhatWasLearnt) {
  HoldController controller({50, {0, 0, 0}, 20});
  double T = 37, power = 0, next_s = 0, highest = 0;
  for (int n = 0; n < 60000; ++n) {
    const double t = n * 0.01;
    if (n == 20000) controller.retarget({70, {0, 0, 0}, 20});
    if (t >= next_s) {
      power = controller.power_W(t, T);
      next_s = t + controller.period_s();
    }
    T += 0.01 * (0.2 * power - (T - 37) / 60);
    if (n == 19999) {
      EXPECT_NEAR(T, 50, 0.5);
    }
    highest = std::max(highest, T);
  }
  EXPECT_NEAR(T, 70, 0.5);
  EXPECT_LT(highest, 73);
  EXPECT_EQ(controller.target().degC, 70);
}

TEST(RollOff, SwitchesOffForItsTimeWhenTheResistanceHasRisen) {
  RollOffSwitch roll_off({0.4, 15});
  EXPECT_FALSE(roll_off.is_off(0, 120));
  EXPECT_FALSE(roll_off.is_off(1, 100));  // the lowest so far
  EXPECT_FALSE(roll_off.is_off(2, 139));
  EXPECT_FALSE(roll_off.on_again_s());
  EXPECT_TRUE(roll_off.is_off(3, 141));
  EXPECT_EQ(roll_off.on_again_s(), 18);
  EXPECT_TRUE(roll_off.is_off(17.9, 100));  // off for its whole time, whatever it reads
  EXPECT_FALSE(roll_off.is_off(18, 110));
  EXPECT_FALSE(roll_off.on_again_s());
}

TEST(RollOff, SwitchesOffAgainWhereItHasNotRecovered) {
  RollOffSwitch roll_off({0.4, 15});
  roll_off.is_off(0, 100);
  EXPECT_TRUE(roll_off.is_off(1, 200));
  EXPECT_TRUE(roll_off.is_off(16, 150));
  EXPECT_EQ(roll_off.on_again_s(), 31);
}

/// The nearer a rising resistance comes to its limit the sooner it is looked at: it is over by little.
TEST(RollOff, LooksMoreOftenAsTheLimitComesNear) {
  RollOffSwitch roll_off({0.5, 15});
  double t_s = 0, longest_s = 0;
  const auto resistance_ohm = [](double t) { return 100 + 10 * t; };  // passes 150 at 5 s
  while (!roll_off.is_off(t_s, resistance_ohm(t_s))) {
    const double period_s = roll_off.period_s(t_s);
    longest_s = std::max(longest_s, period_s);
    t_s += period_s;
  }
  EXPECT_GT(longest_s, 1);
  EXPECT_GE(t_s, 5);
  EXPECT_LT(t_s, 5.1);
  EXPECT_NEAR(roll_off.period_s(t_s + 5), 10, 1e-9) << "until it is switched on again";
}

}  // namespace
}  // namespace spinetherm
