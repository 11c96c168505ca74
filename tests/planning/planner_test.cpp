// SPDX-License-Identifier: Apache-2.0
#include "planning/planner.h"

#include <gmock/gmock.h>

#include <limits>

#include "imaging/core/error.h"
#include "planning/trajectory_pair.h"
#include "tests/planning/synthetic_heat.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<ExposureLimit> dura_limit() {
  std::vector<ExposureLimit> all;
  for (const std::string c :
       {"dura", "cord", "cauda", "motor_root", "thoracic_root", "vessel", "viscera", "skin"}) {
    ExposureLimit l;
    l.id = c;
    l.structure = c;
    l.quantity = "peak_degC";
    l.caution = 42;
    l.unsafe = 45;
    all.push_back(l);
  }
  return all;
}
PlannerOptions quick() {
  PlannerOptions o;
  o.trajectory.goals = 3;
  o.trajectory.step_deg = 3;
  return o;
}

struct Case {
  Spine spine = make_spine();
  Target target = make_target();
  std::vector<Device> devices = {thin_device("small", 12), thin_device("large", 22),
                                 thin_device("fitting", 19)};
  std::vector<ExposureLimit> limits = dura_limit();
  LevelCheck level = check_level("L3", {{"ribs", "CT", "A"}, {"count from C2", "CT", "A"}});
  PlannerInputs inputs() const { return {spine.anatomy, spine.ct_HU, target, devices, limits, level}; }
};

/// Heat around the active centre in proportion to the target temperature: closed form in place of a solver.
SolvePlan closed_form(double sigma_mm, std::vector<double>* holds = nullptr) {
  return [=](const Plan& plan) {
    const Applicator& a = plan.applicators.front();
    const Eigen::Vector3d centre = a.tip_mm - 5 * direction(a), h = Eigen::Vector3d::Constant(40);
    const double hold = *plan.protocol.front().steps.front().hold_degC;
    if (holds) holds->push_back(hold);
    return run_of(box_grid(centre - h, centre + h, 1.5), gaussian(centre, hold - 37, sigma_mm));
  };
}

TEST(FittingDevices, TheTargetsSizeDecides) {
  const Case c;  // a ball of 14 mm with 3 mm around it: 20 mm
  const auto fitting = fitting_devices(shape_of(c.target), c.devices, quick());
  ASSERT_EQ(fitting.size(), 3U);
  EXPECT_EQ(fitting[0].name, "fitting");
  PlannerOptions o = quick();
  o.margin_mm = 0;
  o.device = "small";
  EXPECT_EQ(fitting_devices(shape_of(c.target), c.devices, o).front().name, "small");
}

TEST(FittingDevices, UnknownWordsAreRefusedByName) {
  const Case c;
  PlannerOptions o = quick();
  o.device = "smal";
  EXPECT_THAT([&] { fitting_devices(shape_of(c.target), c.devices, o); },
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 'small'?")));
  o.device.clear();
  o.energy = "cryo";
  EXPECT_THAT([&] { fitting_devices(shape_of(c.target), c.devices, o); },
              ThrowsMessage<ConfigError>(HasSubstr("known: rfa")));
}

TEST(PlanOn, PutsTheActiveCentreOnTheGoal) {
  Trajectory t;
  t.entry_mm = {0, 100, 0};
  t.goal_mm = {0, 0, 0};
  t.tip_mm = {0, -9, 0};
  const Device d = thin_device();
  const Plan p = plan_on(t, d);
  EXPECT_NEAR((p.applicators[0].tip_mm - Eigen::Vector3d(0, -5, 0)).norm(), 0, 1e-12);  // poles 0-10 mm
  EXPECT_EQ(p.protocol[0], d.protocol);
  EXPECT_NO_THROW(validate(p));
}

TEST(ProposePlans, TheActivePartStaysUnderTheSkin) {
  Case c;
  c.spine = make_spine({.back_mm = 46});
  c.target = make_target({0, 33, 0}, 3);  // in the spinous process, 13 mm under the skin
  const RankedPlans near = propose_plans(c.inputs(), quick());
  ASSERT_FALSE(near.plans.empty()) << ::testing::PrintToString(near.reasons);
  for (Device& d : c.devices) d.poles = {{0, 14, 1.5, 1}, {16, 30, 1.5, -1}};
  const RankedPlans none = propose_plans(c.inputs(), quick());
  EXPECT_FALSE(none.search.ranked.empty()) << ::testing::PrintToString(none.reasons);
  for (const RankedPlan& p : none.plans) {
    const Applicator& a = p.plan.applicators.front();
    EXPECT_GT((a.tip_mm - a.entry_mm).norm(), 30);
  }
  EXPECT_THAT(none.reasons, Contains(HasSubstr("would reach out of the skin")));
}

TEST(ProposePlans, TwoApplicatorsGoThroughBothPedicles) {
  Case c;
  c.target = make_target(shape_of(c.target).centre_mm, 11);
  PlannerOptions o = quick();
  o.applicators = 2;
  o.trajectory.goals = 12;
  const RankedPlans out = propose_plans(c.inputs(), o);
  ASSERT_FALSE(out.plans.empty()) << ::testing::PrintToString(out.reasons);
  for (const RankedPlan& p : out.plans) {
    ASSERT_EQ(p.plan.applicators.size(), 2U);
    ASSERT_EQ(p.others.size(), 1U);
    EXPECT_EQ(p.trajectory.side, "left");
    EXPECT_EQ(p.others[0].side, "right");
    EXPECT_EQ(approach_of(p), "transpedicular left and transpedicular right");
    const Applicator &a = p.plan.applicators[0], &b = p.plan.applicators[1];
    EXPECT_EQ(a.device, b.device);
    EXPECT_GT(segment_gap_mm(a.entry_mm, a.tip_mm, b.entry_mm, b.tip_mm), 2 * 1.5);
    EXPECT_THAT(p.reasons, Contains(HasSubstr("bipedicular")));
  }
  o.applicators = 3;
  EXPECT_THAT([&] { propose_plans(c.inputs(), o); }, ThrowsMessage<ConfigError>(HasSubstr("applicators")));
}

TEST(FittingDevices, ArraysOnlyWhenNamedAndABentTipIsPlannedStraight) {
  Case c;
  Device array = thin_device("array", 20);
  array.poles.clear();
  array.tines = {6, 0.4, 0, 9, 90, 1};
  c.devices.push_back(array);
  for (const Device& d : fitting_devices(shape_of(c.target), c.devices, quick())) EXPECT_NE(d.name, "array");
  PlannerOptions o = quick();
  o.device = "array";
  EXPECT_EQ(fitting_devices(shape_of(c.target), c.devices, o).front().name, "array");
  Trajectory t;
  t.entry_mm = {0, 100, 0};
  t.tip_mm = {0, -9, 0};
  Device bending = thin_device();
  bending.articulation = {20, 60};
  EXPECT_EQ(plan_on(t, bending).applicators[0].deployment, 0);
  EXPECT_EQ(plan_on(t, thin_device()).applicators[0].deployment, 1);
  // The middle of the tines' reach on the goal: the tip stops short of it.
  EXPECT_NEAR(plan_on(t, array).applicators[0].tip_mm.y(), 4.6, 1e-9);
}

TEST(DeEscalation, LowersTheTargetThenThePowerThenTheTime) {
  const PlannerOptions o;
  Protocol p = thin_device().protocol;
  std::vector<double> holds;
  auto next = de_escalated(p, o);
  for (int n = 0; n < 3; ++n, next = de_escalated(*next, o)) holds.push_back(*next->steps[0].hold_degC);
  EXPECT_THAT(holds, ::testing::ElementsAre(80, 70, 60));
  EXPECT_NEAR(next->duration_s(), 240, 1e-9);
  EXPECT_NEAR(de_escalated(*next, o)->duration_s(), 144, 1e-9);
  EXPECT_FALSE(de_escalated(*de_escalated(*next, o), o));
  Protocol power;
  power.steps = {{.duration_s = 300, .power_W = 20}};
  EXPECT_NEAR(*de_escalated(power, o)->steps[0].power_W, 15, 1e-9);
}

TEST(ProposePlans, AreNotSimulatedAndSoUnknown) {
  const Case c;
  const auto out = propose_plans(c.inputs(), quick());
  EXPECT_EQ(out.termination, Termination::reached_end);
  ASSERT_FALSE(out.plans.empty());
  EXPECT_LE(out.plans.size(), 3U);
  for (const auto& p : out.plans) {
    EXPECT_EQ(p.exposure.verdict(), Verdict::unknown);
    EXPECT_FALSE(p.coverage.coverage);
    EXPECT_NO_THROW(validate(p.plan));
    EXPECT_EQ(p.plan.applicators[0].device, "fitting");
  }
}

TEST(PlanAblation, AHarmlessPlanIsSimulatedOnceAndRankedFirst) {
  const Case c;
  const auto out = plan_ablation(c.inputs(), closed_form(5), quick());
  EXPECT_EQ(out.solves, 1);
  ASSERT_FALSE(out.plans.empty());
  EXPECT_EQ(out.plans[0].exposure.verdict(), Verdict::within_limits)
      << ::testing::PrintToString(out.plans[0].exposure.reasons());
  ASSERT_TRUE(out.plans[0].coverage.coverage);
  EXPECT_GT(*out.plans[0].coverage.coverage, 0.3);
  EXPECT_EQ(out.plans[0].plan.score.verdict, "within_limits");
  for (std::size_t n = 1; n < out.plans.size(); ++n) EXPECT_FALSE(out.plans[n].thermal.summary.usable());
}

TEST(PlanAblation, AnUnsafePlanIsEased) {
  const Case c;
  std::vector<double> holds;
  // At 90 and 80 degC the dura, 16 mm from the goal, comes above 45; at 70 it stays below.
  const auto out = plan_ablation(c.inputs(), closed_form(9, &holds), quick());
  ASSERT_GE(holds.size(), 2U);
  EXPECT_EQ(holds[0], 90);
  EXPECT_EQ(holds[1], 80);
  EXPECT_NE(out.plans[0].exposure.exposure_verdict(), Verdict::unsafe);
  EXPECT_LT(*out.plans[0].plan.protocol[0].steps[0].hold_degC, 90);
  EXPECT_THAT(out.plans[0].reasons, Contains(HasSubstr("gentler protocol")));
}

TEST(PlanAblation, WhatStaysUnsafeIsSaidAndTheBudgetIsKept) {
  const Case c;
  auto o = quick();
  o.max_solves = 3;
  const auto out = plan_ablation(c.inputs(), closed_form(25), o);
  EXPECT_EQ(out.solves, 3);
  EXPECT_EQ(out.plans[0].exposure.verdict(), Verdict::unsafe);
  EXPECT_THAT(out.reasons, Contains(HasSubstr("no plan was found that is not unsafe")));
}

TEST(PlanAblation, AFailedRunIsUnknown) {
  const Case c;
  const auto out = plan_ablation(
      c.inputs(), [](const Plan&) { return ThermalResult{}; }, quick());
  EXPECT_EQ(out.plans[0].exposure.verdict(), Verdict::unknown);
  EXPECT_FALSE(out.plans[0].coverage.coverage);
}

TEST(PlanAblation, HeatWhereTheScanEndsIsUnknown) {
  Case c;
  const Grid& g = c.spine.ct_HU.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (g.to_world(i, j, k).z() > 12) c.spine.ct_HU(i, j, k) = std::numeric_limits<float>::quiet_NaN();
  const auto out = plan_ablation(c.inputs(), closed_form(5), quick());
  ASSERT_GT(out.solves, 0);
  EXPECT_EQ(out.plans[0].exposure.exposure_verdict(), Verdict::unknown);
  EXPECT_THAT(out.plans[0].exposure.notes, Contains(HasSubstr("was not imaged")));
}

TEST(PlanAblation, WithoutAPathThereIsNoPlanAndTheReasonIsSaid) {
  Case c;
  SpineOptions blind;
  blind.canal = blind.content = blind.pedicles = false;
  c.spine = make_spine(blind);
  const auto out = plan_ablation(c.inputs(), closed_form(5), quick());
  EXPECT_TRUE(out.plans.empty());
  EXPECT_EQ(out.solves, 0);
  EXPECT_THAT(out.reasons, Contains(HasSubstr("canal is not known")));
}

TEST(Cold, IsEasedByDutyThenByShorterFreezesAndKeepsItsPauses) {
  PlannerOptions o;
  Protocol p{"cryo", {{.duration_s = 600, .duty = 1}, {.duration_s = 300}, {.duration_s = 600, .duty = 1}}};
  const auto first = de_escalated(p, o);
  ASSERT_TRUE(first);
  EXPECT_DOUBLE_EQ(*first->steps[0].duty, 0.75);
  EXPECT_EQ(first->steps[0].duration_s, 600);
  const auto second = de_escalated(*first, o);
  EXPECT_DOUBLE_EQ(*second->steps[2].duty, 0.5625);
  const auto third = de_escalated(*second, o);
  EXPECT_DOUBLE_EQ(*third->steps[2].duty, 0.5625) << "below half the core is no longer cold enough";
  EXPECT_EQ(third->steps[0].duration_s, 360);
  EXPECT_EQ(third->steps[1].duration_s, 300);
}

TEST(Cold, VerdictNeedsTheRunWithAWarmCanalToo) {
  Case c;
  for (ExposureLimit& l : c.limits) {
    l.quantity = "lowest_degC";
    l.above = false;
    l.caution = 15;
    l.unsafe = 5;
  }
  const auto proposed = propose_plans(c.inputs(), quick());
  ASSERT_FALSE(proposed.plans.empty());
  RankedPlan plan = proposed.plans.front();
  plan.plan.protocol = {{"cryo", {{.duration_s = 600, .duty = 1}}}};
  ASSERT_TRUE(is_cold(plan.plan));
  const Eigen::Vector3d centre = shape_of(c.target).centre_mm, h = Eigen::Vector3d::Constant(40);
  const auto cold = [&](double depth_K) {
    return run_of(box_grid(centre - h, centre + h, 1.5), gaussian(centre, -depth_K, 4));
  };
  const auto structures = find_structures(c.spine.anatomy, c.target, c.spine.ct_HU);
  const auto judged = [&](double off_K, std::optional<double> on_K) {
    RankedPlan p = plan;
    p.thermal = cold(off_K);
    if (on_K) p.warm_canal = cold(*on_K);
    assess(p, c.inputs(), structures, PosteriorWall{}, quick());
    return p.exposure;
  };
  const auto alone = judged(80, {});
  EXPECT_EQ(worst(alone.exposure_verdict(), Verdict::unknown), alone.exposure_verdict());
  EXPECT_THAT(alone.notes, Contains(HasSubstr("without what moves in the canal")));
  const auto both = judged(80, 80);
  EXPECT_THAT(both.notes, Contains(HasSubstr("the worse counts")));
  EXPECT_LE(both.exposure_verdict(), alone.exposure_verdict());
}

}  // namespace
}  // namespace spinetherm
