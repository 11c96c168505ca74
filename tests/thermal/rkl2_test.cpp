// SPDX-License-Identifier: Apache-2.0
#include "thermal/rkl2.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

namespace spinetherm {
namespace {

using Rate = std::function<double(double t, double y)>;

/// One macro-step of y' = L(t, y) by the recurrence of rkl2.h.
double macro_step(const Rkl2& r, const Rate& L, double t, double y0, double dt) {
  const double L0 = L(t, y0);
  double before = y0, y = y0 + r.mu_t[1] * dt * L0;
  for (std::size_t j = 2; j <= std::size_t(r.stages); ++j) {
    const double next = y0 + r.mu[j] * (y - y0) + r.nu[j] * (before - y0) +
                        r.mu_t[j] * dt * L(t + r.time[j - 1] * dt, y) + r.gamma_t[j] * dt * L0;
    before = y;
    y = next;
  }
  return y;
}
double run(int stages, const Rate& L, double y, double end, int steps) {
  const Rkl2 r = make_rkl2(stages);
  const double dt = end / steps;
  for (int n = 0; n < steps; ++n) y = macro_step(r, L, n * dt, y, dt);
  return y;
}
double observed_order(int stages, const Rate& L, double y0, double end, double exact) {
  const double coarse = std::abs(run(stages, L, y0, end, 40) - exact);
  const double fine = std::abs(run(stages, L, y0, end, 80) - exact);
  return std::log2(coarse / fine);
}

TEST(Rkl2Scheme, WeightsMeetTheConditionsOfOrderTwo) {
  for (int s = 3; s <= 99; s += 2) {
    const Rkl2 r = make_rkl2(s);
    ASSERT_EQ(r.weight.size(), std::size_t(s));
    double sum = 0, moment = 0;
    for (std::size_t j = 0; j < r.weight.size(); ++j) {
      sum += r.weight[j];
      moment += r.weight[j] * r.time[j];
    }
    EXPECT_NEAR(sum, 1, 1e-11) << s;
    EXPECT_NEAR(moment, 0.5, 1e-11) << s;
  }
}

TEST(Rkl2Scheme, WeightsSumTheStagesToTheStep) {
  const Rkl2 r = make_rkl2(9);
  const Rate L = [](double t, double y) { return -0.7 * y + std::sin(t); };
  std::vector<double> rates;
  const Rate recorded = [&](double t, double y) {
    rates.push_back(L(t, y));
    return rates.back();
  };
  const double y = macro_step(r, recorded, 0.3, 2, 0.5);
  ASSERT_EQ(rates.size(), 9U);
  double sum = 2;
  for (std::size_t j = 0; j < rates.size(); ++j) sum += 0.5 * r.weight[j] * rates[j];
  EXPECT_NEAR(y, sum, 1e-14);
}

TEST(Rkl2Scheme, StagesAdvanceInTimeAsThePaperSays) {
  for (const int s : {3, 7, 21, 99}) {
    const Rkl2 r = make_rkl2(s);
    EXPECT_EQ(r.time[0], 0);
    for (int j = 2; j <= s; ++j)
      EXPECT_NEAR(r.time[std::size_t(j)], (double(j) * j + j - 2) / (double(s) * s + s - 2), 1e-12);
    for (std::size_t j = 1; j <= std::size_t(s); ++j) EXPECT_GT(r.time[j], r.time[j - 1]);
    EXPECT_NEAR(r.time[std::size_t(s)], 1, 1e-12);
  }
}

TEST(Rkl2Scheme, IsSecondOrderInTime) {
  const Rate decay = [](double, double y) { return -1.3 * y; };
  // y' = -k (y - cos t) - sin t has the solution cos t + (y0 - 1) exp(-k t).
  const Rate forced = [](double t, double y) { return -0.8 * (y - std::cos(t)) - std::sin(t); };
  const Rate nonlinear = [](double, double y) { return -y * y; };
  for (const int s : {3, 5, 15, 41}) {
    EXPECT_NEAR(observed_order(s, decay, 1, 2, std::exp(-2.6)), 2, 0.05) << s;
    EXPECT_NEAR(observed_order(s, forced, 1.4, 2, std::cos(2.0) + 0.4 * std::exp(-1.6)), 2, 0.05) << s;
    EXPECT_NEAR(observed_order(s, nonlinear, 1, 2, 1.0 / 3), 2, 0.05) << s;
  }
}

TEST(Rkl2Scheme, IsStableToItsReachAndNotFarBeyond) {
  for (const int s : {3, 5, 9, 21, 55, 99}) {
    const Rkl2 r = make_rkl2(s);
    const double farthest = 2 * rkl2_reach(s);  // forward Euler is stable to k dt = 2
    for (int n = 0; n <= 2000; ++n) {
      const double z = farthest * n / 2000;
      const double amplified = macro_step(
          r, [&](double, double y) { return -z * y; }, 0, 1, 1);
      EXPECT_LE(std::abs(amplified), 1 + 1e-10) << s << " stages, k dt = " << z;
    }
  }
  const double beyond = 2.1 * rkl2_reach(99);
  EXPECT_GT(std::abs(macro_step(
                make_rkl2(99), [&](double, double y) { return -beyond * y; }, 0, 1, 1)),
            1);
}

TEST(Rkl2Scheme, RestStaysRestToTheLastBit) {
  for (const int s : {3, 11, 99})
    EXPECT_EQ(run(
                  s, [](double, double) { return 0; }, 0.1, 7, 13),
              0.1);
}

TEST(Rkl2Stages, AreTheFewestOddOnesThatReach) {
  EXPECT_EQ(rkl2_stages(0.01), 3);
  for (const double ratio : {1.0, 2.5, 2.6, 7.0, 30.0, 400.0, 2474.0}) {
    const int s = rkl2_stages(ratio);
    EXPECT_EQ(s % 2, 1);
    EXPECT_GE(rkl2_reach(s), ratio);
    if (s > 3) {
      EXPECT_LT(rkl2_reach(s - 2), ratio);
    }
  }
}

}  // namespace
}  // namespace spinetherm
