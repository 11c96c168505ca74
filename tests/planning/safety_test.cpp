// SPDX-License-Identifier: Apache-2.0
#include "planning/safety.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "imaging/core/error.h"
#include "tests/planning/synthetic_heat.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;

ExposureLimit limit(const std::string& id, const std::string& structure, const std::string& quantity,
                    bool above, std::optional<double> caution, std::optional<double> unsafe,
                    const std::string& unit = "degC") {
  ExposureLimit l;
  l.id = id;
  l.structure = structure;
  l.quantity = quantity;
  l.above = above;
  l.caution = caution;
  l.unsafe = unsafe;
  l.unit = unit;
  l.source = "test";
  l.confidence = "medium";
  return l;
}

/// Bounds of the verdict table for the classes that the tests touch.
std::vector<ExposureLimit> limits() {
  std::vector<ExposureLimit> all;
  for (const std::string c : {"dura", "cord", "cauda", "motor_root", "thoracic_root", "viscera", "skin"}) {
    all.push_back(limit(c + "-peak", c, "peak_degC", true, 42, 45));
    all.push_back(limit(c + "-dose", c, "cem43_min", true, 2, 10, "min"));
    all.push_back(limit(c + "-cold", c, "lowest_degC", false, 15, 5));
    all.push_back(limit(c + "-crossing", c, "shaft_distance_mm", false, {}, 0, "mm"));
  }
  all.push_back(limit("dura-ice", "dura", "ice_edge_distance_mm", false, 5, 2, "mm"));
  auto active = limit("intact-active", "dura", "active_distance_mm", false, 10, 5, "mm");
  active.when = {"intact_wall", "no_sensor"};
  all.push_back(active);
  active = limit("defect-active", "dura", "active_distance_mm", false, {}, 5, "mm");
  active.when = {"wall_defect"};
  all.push_back(active);
  all.push_back(limit("wall", "plan", "wall_defect_mm", true, 3, {}, "mm"));
  auto unprotected = limit("unprotected", "plan", "unprotected", true, {}, 1, "");
  unprotected.when = {"wall_defect"};
  all.push_back(unprotected);
  auto vessel = limit("vessel-peak", "vessel", "peak_degC", true, 42, 45);
  vessel.unsafe_with = "vessel-dose";
  all.push_back(vessel);
  all.push_back(limit("vessel-dose", "vessel", "cem43_min", true, {}, 10, "min"));
  return all;
}

ExposureFacts facts() {
  ExposureFacts f;
  f.wall.defect_mm = 0;
  f.level = check_level("L3", {{"count from C2", "CT", "A"}, {"ribs", "CT", "A"}});
  return f;
}

struct Scene {
  Spine spine;
  Target target;
  std::vector<Structure> structures;
};
const Scene& scene() {
  static const Scene s = [] {
    Scene out{make_spine(), make_target(), {}};
    out.structures = find_structures(out.spine.anatomy, out.target, out.spine.ct_HU);
    return out;
  }();
  return s;
}
Grid thermal_box(const Eigen::Vector3d& centre) {
  const Eigen::Vector3d h = Eigen::Vector3d::Constant(35);
  return box_grid(centre - h, centre + h, 1);
}
const StructureExposure& of(const ExposureReport& r, const std::string& name) {
  const auto it = std::find_if(r.exposures.begin(), r.exposures.end(),
                               [&](const StructureExposure& e) { return e.structure == name; });
  if (it == r.exposures.end()) throw std::runtime_error("no exposure of " + name);
  return *it;
}
/// Heat of sigma 6 mm and a probe whose active centre lies at `centre`.
ExposureReport heat_at(const Eigen::Vector3d& centre, double rise_K, const ExposureFacts& f) {
  const auto run = run_of(thermal_box(centre), gaussian(centre, rise_K, 6));
  // From the flank, so that only its active part, 5 mm to each side of the centre, comes near the canal.
  const std::vector<PlacedDevice> placed = {
      placed_at(centre + Eigen::Vector3d(70, 0, 0), centre - Eigen::Vector3d(5, 0, 0))};
  return assess_exposure(scene().structures, run, placed, limits(), f);
}

TEST(Exposure, AReportThatJudgedNothingIsUnknown) {
  EXPECT_EQ(ExposureReport{}.exposure_verdict(), Verdict::unknown);
  EXPECT_EQ(ExposureReport{}.verdict(), Verdict::unknown);
  EXPECT_EQ(StructureExposure{}.verdict, Verdict::unknown);
}

TEST(Exposure, PeakOverTheDuraIsThatOfTheField) {
  const Eigen::Vector3d centre(9, -23, 2);
  const auto r = heat_at(centre, 45, facts());
  const auto& dura = of(r, "dura");
  ASSERT_TRUE(dura.peak_degC);
  // The nearest point of the canal's wall, by its ellipse.
  double nearest = 1e9;
  for (double a = 0; a < 6.2832; a += 0.001)
    nearest = std::min(nearest, std::hypot(11 * std::cos(a) - 9, 8 * std::sin(a) + 23));
  EXPECT_NEAR(dura.peak_degC->value, gaussian({0, 0, 0}, 45, 6)({nearest, 0, 0}), 0.6);
  EXPECT_EQ(dura.peak_degC->t_s, 312);
  EXPECT_LT((dura.peak_degC->at_mm - centre).norm(), nearest + 1);
  const double kill_degC = 2.577e5 / (8.314462618 * std::log(60 * 7.39e39)) - 273.15;
  EXPECT_NEAR(*dura.distance_to_zone_mm, nearest - radius_at(kill_degC, 45, 6), 1.0);
}

TEST(Exposure, HotDuraIsUnsafeWarmIsCautionCoolIsWithin) {
  const auto with = [](double rise) { return of(heat_at({9, -29, 2}, rise, facts()), "dura"); };
  const double reach = (with(1000).peak_degC->value - 37) / 1000;  // share of the rise that the dura sees
  EXPECT_EQ(with(3.0 / reach).verdict, Verdict::within_limits);
  EXPECT_EQ(with(5.5 / reach).verdict, Verdict::caution);
  const auto hot = with(8.6 / reach);
  EXPECT_EQ(hot.verdict, Verdict::unsafe);
  ASSERT_TRUE(hot.limit);
  EXPECT_EQ(hot.limit->id, "dura-peak");
  EXPECT_EQ(hot.limit->value, 45);
  EXPECT_THAT(hot.reason, HasSubstr("peak 45.6 degC"));
  EXPECT_FALSE(hot.time_above_limit_s);  // no history: not 0
  EXPECT_EQ(with(3.0 / reach).time_above_limit_s, 0);
}

TEST(Exposure, AProbeTwoMillimetresFromTheDuraIsUnsafeAndOneTwentyFiveAwayIsNot) {
  const auto near = heat_at({0, -10.75, 2}, 45, facts());  // shaft radius 0.75: surface 2 mm before the canal
  EXPECT_EQ(of(near, "dura").verdict, Verdict::unsafe);
  EXPECT_NEAR(*of(near, "dura").distance_to_active_mm, 2, 0.6);
  EXPECT_EQ(near.verdict(), Verdict::unsafe);
  const auto far = heat_at({0, -33.75, 2}, 45, facts());
  EXPECT_NEAR(*of(far, "dura").distance_to_active_mm, 25, 0.6);
  EXPECT_EQ(of(far, "dura").verdict, Verdict::within_limits) << of(far, "dura").reason;
}

TEST(Exposure, ActivePartNearTheDuraIsUnsafeEvenWhenNothingIsHot) {
  const auto r = heat_at({0, -12, 2}, 0.001, facts());
  EXPECT_EQ(of(r, "dura").verdict, Verdict::unsafe);
  EXPECT_EQ(of(r, "dura").limit->id, "intact-active");
  ExposureFacts guarded = facts();
  guarded.protections = {Thermocouple{{0, -8, 2}, 1, {}, {}}};
  EXPECT_EQ(of(heat_at({0, -12, 2}, 0.001, guarded), "dura").verdict, Verdict::within_limits);
}

TEST(Exposure, OneUnknownActivePartLeavesTheShaftsOfAllKnown) {
  const Eigen::Vector3d centre(0, -33.75, 2);
  const PlacedDevice far = placed_at(centre + Eigen::Vector3d(70, 0, 0), centre),
                     near = placed_at({70, -10.75, 2}, {-5, -10.75, 2});
  Device plain = far.device;
  plain.poles.clear();
  plain.published_zone.reset();
  const auto run = run_of(thermal_box(centre), gaussian(centre, 0.001, 6));
  const auto report =
      assess_exposure(scene().structures, run, {{far.applicator, plain}, near}, limits(), facts());
  EXPECT_NEAR(*of(report, "dura").distance_to_applicator_mm, 2, 0.6) << "that of the second probe";
  EXPECT_FALSE(of(report, "dura").distance_to_active_mm);
}

TEST(Exposure, AnUnknownWallIsUnknownWhereTheTwoCasesDiffer) {
  ExposureFacts f = facts();
  f.wall.defect_mm.reset();
  f.protections = {Thermocouple{{0, -8, 2}, 1, {}, {}}};
  // 3 mm: unsafe if open, within limits if intact and watched by a sensor.
  EXPECT_EQ(of(heat_at({0, -12, 2}, 0.001, f), "dura").verdict, Verdict::unknown);
  f.protections.clear();  // unsafe in both cases
  EXPECT_EQ(of(heat_at({0, -12, 2}, 0.001, f), "dura").verdict, Verdict::unsafe);
}

TEST(Exposure, AnOpenWallIsCautionWithProtectionAndUnsafeWithout) {
  ExposureFacts f = facts();
  f.wall.defect_mm = 6;
  EXPECT_EQ(heat_at({9, -33, 2}, 10, f).exposure_verdict(), Verdict::unsafe);
  f.protections = {Dissection{"CO2", "epidural", {}}};
  const auto r = heat_at({9, -33, 2}, 10, f);
  EXPECT_EQ(r.exposure_verdict(), Verdict::caution);
  EXPECT_THAT(r.notes, Contains(HasSubstr("opening of the posterior wall 6.0 mm")));
  f.wall.defect_mm = 2;  // below the 3 mm of the table
  EXPECT_EQ(heat_at({9, -33, 2}, 10, f).exposure_verdict(), Verdict::within_limits);
}

TEST(Exposure, ColdWithinLimitsIsHeldAgainstTheLimitOfCold) {
  const auto dura = of(heat_at({9, -29, 2}, -30, facts()), "dura");  // no ice
  ASSERT_EQ(dura.verdict, Verdict::within_limits) << dura.reason;
  ASSERT_TRUE(dura.limit);
  EXPECT_EQ(dura.limit->id, "dura-cold") << dura.reason;
}

TEST(Exposure, ColdIsJudgedToo) {
  const auto cold = heat_at({0, -14, 2}, -120, facts());
  const auto& dura = of(cold, "dura");
  EXPECT_EQ(dura.verdict, Verdict::unsafe);
  ASSERT_TRUE(dura.lowest_degC && dura.distance_to_ice_mm);
  EXPECT_LT(dura.lowest_degC->value, 5);
}

TEST(Exposure, ACordKnownByItsCanalOnlyIsCautionAtBest) {
  SpineOptions o;
  o.level = "T9";
  o.content = false;
  const auto spine = make_spine(o);
  const auto structures = find_structures(spine.anatomy, make_target({9, -33, 2}, 6, "T9"), spine.ct_HU);
  const Eigen::Vector3d centre(9, -33, 2);
  const auto run = run_of(thermal_box(centre), gaussian(centre, 20, 5));
  const auto r = assess_exposure(structures, run, {placed_at({50, 40, 2}, {8, -34, 2})}, limits(), facts());
  EXPECT_EQ(of(r, "cord").verdict, Verdict::caution);
  EXPECT_EQ(of(r, "dura").verdict, Verdict::caution);
  EXPECT_THAT(of(r, "cord").reason, HasSubstr("caution at best"));
  EXPECT_EQ(r.exposure_verdict(), Verdict::caution);
}

TEST(Exposure, AnUnknownCordIsUnknown) {
  SpineOptions o;
  o.level = "T9";
  o.canal = o.content = o.pedicles = false;
  const auto spine = make_spine(o);
  const auto structures = find_structures(spine.anatomy, make_target({9, -33, 2}, 6, "T9"), spine.ct_HU);
  const auto run = run_of(thermal_box({9, -33, 2}), gaussian({9, -33, 2}, 20, 5));
  const auto r = assess_exposure(structures, run, {placed_at({50, 40, 2}, {8, -34, 2})}, limits(), facts());
  EXPECT_EQ(of(r, "cord").verdict, Verdict::unknown);
  EXPECT_FALSE(of(r, "cord").peak_degC);
  EXPECT_EQ(r.verdict(), Verdict::unknown);
}

TEST(Exposure, OrgansWithoutLabelAreCautionUntilTissueWithoutLabelIsHot) {
  SpineOptions o;
  o.organs = false;
  const auto spine = make_spine(o);
  const auto structures = find_structures(spine.anatomy, make_target(), spine.ct_HU);
  const std::vector<PlacedDevice> placed = {placed_at({50, 40, 2}, {8, -24, 2})};
  const auto contained = run_of(thermal_box({9, -25, 2}), gaussian({9, -25, 2}, 30, 4));
  EXPECT_EQ(of(assess_exposure(structures, contained, placed, limits(), facts()), "aorta").verdict,
            Verdict::caution);
  const auto spread =
      run_of(thermal_box({0, -38, 2}), gaussian({0, -38, 2}, 30, 4));  // out of the body's front
  EXPECT_EQ(of(assess_exposure(structures, spread, placed, limits(), facts()), "aorta").verdict,
            Verdict::unknown);
}

TEST(Exposure, BeyondTheBoxThereIsRestOnlyIfTheHeatStaysInside) {
  const auto r = heat_at({9, -30, 2}, 30, facts());
  const auto& skin = of(r, "skin");
  EXPECT_EQ(skin.verdict, Verdict::within_limits);
  EXPECT_EQ(skin.peak_degC->value, 37);
  EXPECT_EQ(skin.reason, "outside the heated region");

  const Eigen::Vector3d centre(9, -30, 2);
  const Eigen::Vector3d h = Eigen::Vector3d::Constant(12);
  const auto tight =
      run_of(box_grid(centre - h, centre + h, 1), gaussian(centre, 30, 6));  // 4 K at its faces
  const auto cut =
      assess_exposure(scene().structures, tight, {placed_at({50, 40, 2}, {8, -31, 2})}, limits(), facts());
  EXPECT_EQ(of(cut, "skin").verdict, Verdict::unknown);
  EXPECT_FALSE(of(cut, "skin").peak_degC);
  EXPECT_THAT(cut.notes, Contains(HasSubstr("reaches the edge")));
}

TEST(Exposure, WhatIsUnsafeInsideTheBoxIsUnsafeWhateverLiesOutside) {
  const Eigen::Vector3d centre(9, -20, 2), h = Eigen::Vector3d::Constant(18);  // the canal leaves this box
  const auto judged = [&](double rise) {
    const auto run = run_of(box_grid(centre - h, centre + h, 1), gaussian(centre, rise, 12));
    return assess_exposure(scene().structures, run, {placed_at({70, 20, 2}, {8, -21, 2})}, limits(), facts());
  };
  const auto hot = judged(60);
  EXPECT_EQ(of(hot, "dura").verdict, Verdict::unsafe);
  EXPECT_THAT(of(hot, "dura").reason, HasSubstr("at least"));
  EXPECT_EQ(of(judged(6), "dura").verdict, Verdict::unknown);
  EXPECT_FALSE(of(judged(6), "dura").peak_degC);
}

TEST(Exposure, WhatIsNotKnownNeverHidesWhatIsUnsafe) {
  ExposureFacts f = facts();
  f.wall.defect_mm = 6;  // open, and the plan has neither sensor nor dissection
  ASSERT_EQ(heat_at({9, -30, 2}, 30, f).exposure_verdict(), Verdict::unsafe);
  f.unknown_tissue = Volume<std::uint8_t>(thermal_box({9, -30, 2}));
  f.unknown_tissue(40, 35, 35) = 1;
  const auto r = heat_at({9, -30, 2}, 30, f);
  EXPECT_EQ(r.exposure_verdict(), Verdict::unsafe);
  EXPECT_THAT(r.notes, Contains(HasSubstr("was not imaged")));
}

TEST(Exposure, TissueThatWasNotImagedMakesTheReportUnknown) {
  ExposureFacts f = facts();
  f.unknown_tissue = Volume<std::uint8_t>(thermal_box({9, -30, 2}));
  EXPECT_NE(heat_at({9, -30, 2}, 30, f).exposure_verdict(), Verdict::unknown);
  f.unknown_tissue(40, 35, 35) = 1;  // 5 mm beside the centre
  const auto r = heat_at({9, -30, 2}, 30, f);
  EXPECT_EQ(r.exposure_verdict(), Verdict::unknown);
  EXPECT_THAT(r.notes, Contains(HasSubstr("was not imaged")));
}

TEST(Exposure, ARunThatDidNotEndIsUnknownEverywhere) {
  auto run = run_of(thermal_box({9, -33, 2}), gaussian({9, -33, 2}, 10, 5));
  run.summary.termination = Termination::diverged;
  run.summary.message = "diverged at 12 s";
  const auto r =
      assess_exposure(scene().structures, run, {placed_at({50, 40, 2}, {8, -34, 2})}, limits(), facts());
  for (const auto& e : r.exposures) EXPECT_EQ(e.verdict, Verdict::unknown) << e.structure;
  EXPECT_THAT(of(r, "dura").reason, HasSubstr("diverged at 12 s"));
}

TEST(Exposure, AFieldThatWasNotAskedForIsUnknownNotHarmless) {
  auto run = run_of(thermal_box({9, -33, 2}), gaussian({9, -33, 2}, 10, 5));
  run.lowest_temperature = {};
  const auto r =
      assess_exposure(scene().structures, run, {placed_at({50, 40, 2}, {8, -34, 2})}, limits(), facts());
  EXPECT_EQ(of(r, "dura").verdict, Verdict::unknown);
}

TEST(Exposure, AVesselIsUnsafeByHeatOnlyWithItsDose) {
  auto run = run_of(thermal_box({40, -60, 2}), gaussian({40, -60, 2}, 9.2, 8));
  const auto aorta = [&] {
    return of(
        assess_exposure(scene().structures, run, {placed_at({70, 40, 2}, {45, 0, 2})}, limits(), facts()),
        "aorta");
  };
  EXPECT_EQ(aorta().verdict, Verdict::caution) << aorta().reason;  // 46 degC, but 8 min of CEM43
  for (float& v : run.cem43.values) v *= 3;
  EXPECT_EQ(aorta().verdict, Verdict::unsafe);
}

TEST(Exposure, ADamageLawOfTheSacAloneIsShownThereAndNowhereElse) {
  const Eigen::Vector3d centre(9, -25, 2);
  ThermalResult run = run_of(thermal_box(centre), gaussian(centre, 45, 6));
  const Volume<float> everywhere = run.arrhenius;
  const Structure& dura = *std::find_if(scene().structures.begin(), scene().structures.end(),
                                        [](const Structure& s) { return s.name == "dura"; });
  // Known only in cells that a point of the dura lies in.
  const Grid& g = run.arrhenius.grid;
  run.arrhenius.values.assign(g.count(), std::numeric_limits<float>::quiet_NaN());
  for (const auto& x : dura.points_mm) {
    const Eigen::Vector3d at = (x - g.origin_mm).cwiseQuotient(g.spacing_mm);
    const std::array<int, 3> c{int(std::lround(at[0])), int(std::lround(at[1])), int(std::lround(at[2]))};
    if (g.contains(c[0], c[1], c[2])) run.arrhenius(c[0], c[1], c[2]) = everywhere(c[0], c[1], c[2]);
  }
  ExposureOptions options;
  options.kill.by_arrhenius = false;
  const std::vector<PlacedDevice> placed = {
      placed_at(centre + Eigen::Vector3d(70, 0, 0), centre - Eigen::Vector3d(5, 0, 0))};
  const ExposureReport report = assess_exposure(scene().structures, run, placed, limits(), facts(), options);
  ASSERT_TRUE(of(report, "dura").arrhenius);
  EXPECT_GT(*of(report, "dura").arrhenius, 0);
  // No point of another structure lies deep in such cells: what is not known there is not shown.
  const bool some_without = std::any_of(report.exposures.begin(), report.exposures.end(),
                                        [](const StructureExposure& e) { return !e.arrhenius; });
  EXPECT_TRUE(some_without);
  // The zone is that of CEM43, not of the nerve's law.
  run.arrhenius = {};
  const ExposureReport by_cem43 = assess_exposure(scene().structures, run, placed, limits(), facts());
  EXPECT_EQ(of(report, "dura").distance_to_zone_mm, of(by_cem43, "dura").distance_to_zone_mm);
  EXPECT_FALSE(of(by_cem43, "dura").arrhenius);
}

TEST(Exposure, ReasonsComeWorstFirst) {
  const auto reasons = heat_at({0, -10.75, 2}, 45, facts()).reasons();
  ASSERT_FALSE(reasons.empty());
  EXPECT_THAT(reasons.front(), HasSubstr("unsafe"));
  EXPECT_THAT(reasons, Contains(HasSubstr("n = 1")));
}

TEST(Exposure, DoesNotDependOnTheOrderOfWork) {
  const auto a = heat_at({9, -25, 2}, 40, facts()), b = heat_at({9, -25, 2}, 40, facts());
  ASSERT_EQ(a.exposures.size(), b.exposures.size());
  for (std::size_t n = 0; n < a.exposures.size(); ++n) {
    EXPECT_EQ(a.exposures[n].peak_degC, b.exposures[n].peak_degC);
    EXPECT_EQ(a.exposures[n].distance_to_zone_mm, b.exposures[n].distance_to_zone_mm);
    EXPECT_EQ(a.exposures[n].reason, b.exposures[n].reason);
  }
}

TEST(LevelCheckRule, NoneIsUnknownOneMethodIsCautionTwoAreWithin) {
  EXPECT_EQ(check_level("L3", {}).verdict, Verdict::unknown);
  EXPECT_FALSE(check_level("L3", {}).confirmed);
  EXPECT_THAT(check_level("L3", {}).reason, HasSubstr("assumed"));
  EXPECT_EQ(check_level("L3", {{"ribs", "CT", "A"}}).verdict, Verdict::caution);
  EXPECT_EQ(check_level("L3", {{"ribs", "CT", "A"}, {"ribs", "CT", "B"}}).verdict, Verdict::caution);
  EXPECT_EQ(check_level("L3", {{"ribs", "CT", "A"}, {"count from C2", "MRI", "A"}}).verdict,
            Verdict::within_limits);
  EXPECT_EQ(check_level("", {{"ribs", "CT", "A"}}).verdict, Verdict::unknown);
}

TEST(LevelCheckRule, AnAssumedLevelMakesTheWholeUnknownButNotTheExposures) {
  ExposureFacts f = facts();
  f.level = check_level("L3", {});
  const auto r = heat_at({9, -33, 2}, 10, f);
  EXPECT_EQ(r.exposure_verdict(), Verdict::within_limits);
  EXPECT_EQ(r.verdict(), Verdict::unknown);
  EXPECT_THAT(r.reasons(), Contains(HasSubstr("level unknown")));
}

TEST(WorseOf, TakesTheWorseOfEachStructureAndNamesWhereItIsFrom) {
  ExposureReport cold, warm;
  for (const char* name : {"dura", "cord", "skin"}) {
    StructureExposure e;
    e.structure = name;
    e.verdict = Verdict::within_limits;
    e.reason = "fine";
    cold.exposures.push_back(e);
    warm.exposures.push_back(e);
  }
  cold.exposures[0].verdict = Verdict::unsafe;
  cold.exposures[0].reason = "lowest 3 degC";
  warm.exposures[0].verdict = Verdict::caution;
  warm.exposures[1].verdict = Verdict::caution;
  warm.exposures[1].reason = "lowest 18 degC";
  cold.notes = {"one run"};
  warm.notes = {"one run", "reaches the box"};
  warm.notes_verdict = Verdict::unknown;
  const ExposureReport worse = worse_of(cold, warm, "warm");
  EXPECT_EQ(worse.exposures[0].verdict, Verdict::unsafe);
  EXPECT_EQ(worse.exposures[0].reason, "lowest 3 degC");
  EXPECT_EQ(worse.exposures[1].verdict, Verdict::caution);
  EXPECT_EQ(worse.exposures[1].reason, "warm: lowest 18 degC");
  EXPECT_EQ(worse.exposures[2].reason, "fine");
  EXPECT_EQ(worse.notes, (std::vector<std::string>{"one run", "warm: reaches the box"}));
  EXPECT_EQ(worse.notes_verdict, Verdict::unknown);
  EXPECT_EQ(worse.exposure_verdict(), Verdict::unsafe);
}

}  // namespace
}  // namespace spinetherm
