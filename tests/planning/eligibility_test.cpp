// SPDX-License-Identifier: Apache-2.0
#include "planning/eligibility.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ClinicalFacts healthy() {
  ClinicalFacts c;
  c.goal = "palliation";
  c.deficit = false;
  c.sins_pain = 0;
  c.previous_dose_Gy = 0;
  c.anticoagulated = c.implants = c.pacemaker = false;
  c.primary = "breast";
  return c;
}
TargetFacts lumbar() {
  TargetFacts t;
  t.level = "L3";
  t.kind = "lytic";
  t.escc = "0";
  t.collapse = 0;
  t.body_involved = 0.2;
  t.alignment_points = 0;
  t.posterolateral_sides = 0;
  return t;
}

TEST(Sins, AllItemsKnownGiveOneNumber) {
  // Mobile level 2 + no pain 0 + lytic 2 + normal alignment 0 + no collapse 0 + none posterolateral 0.
  const Sins s = sins_range(healthy(), lumbar());
  EXPECT_EQ(s.lowest, 4);
  EXPECT_EQ(s.highest, 4);
  EXPECT_TRUE(s.unknown_items.empty());
}

TEST(Sins, UnknownItemsWidenTheRangeByTheirPoints) {
  const Sins s = sins_range({}, TargetFacts{.level = "L3", .kind = "lytic"});
  EXPECT_EQ(s.lowest, 4);
  EXPECT_EQ(s.highest, 4 + 3 + 4 + 3 + 3);  // pain, alignment, collapse, posterolateral
  EXPECT_THAT(s.unknown_items,
              ::testing::ElementsAre("pain", "alignment", "collapse", "posterolateral involvement"));
  const Sins nothing = sins_range({}, {});
  EXPECT_EQ(nothing.lowest, 0);
  EXPECT_EQ(nothing.highest, 18);
}

TEST(Sins, LocationsOfTheScore) {
  const auto at = [](const char* level) {
    TargetFacts t = lumbar();
    t.level = level;
    t.kind = "blastic";
    return sins_range(healthy(), t).lowest;
  };
  EXPECT_EQ(at("C2"), 3);
  EXPECT_EQ(at("C5"), 2);
  EXPECT_EQ(at("T1"), 3);
  EXPECT_EQ(at("T6"), 1);
  EXPECT_EQ(at("T12"), 3);
  EXPECT_EQ(at("L4"), 2);
  EXPECT_EQ(at("L5"), 3);
}

TEST(Eligibility, KnownAndHarmlessProceeds) {
  const auto e = assess_eligibility(healthy(), lumbar());
  EXPECT_EQ(e.verdict, EligibilityVerdict::proceed) << e.reasons.front();
}

TEST(Eligibility, NothingToldIsUnknownNotProceed) {
  const auto e = assess_eligibility({}, TargetFacts{.level = "L3", .kind = "lytic"});
  EXPECT_EQ(e.verdict, EligibilityVerdict::unknown);
  EXPECT_THAT(e.reasons, Contains(HasSubstr("ESCC")));
  EXPECT_THAT(e.reasons, Contains(HasSubstr("SINS 4-17")));
  EXPECT_EQ(Eligibility{}.verdict, EligibilityVerdict::unknown);
}

TEST(Eligibility, PatientThreeOfTheReviewIsReferred) {
  // Lung, T6, collapse 60 %, kyphosis, ESCC 2, leg weakness since yesterday.
  ClinicalFacts c = healthy();
  c.deficit = true;
  c.sins_pain = 3;
  TargetFacts t = lumbar();
  t.level = "T6";
  t.escc = "2";
  t.collapse = 0.6;
  t.alignment_points = 2;
  t.posterolateral_sides = 2;
  const auto e = assess_eligibility(c, t, "mwa");
  EXPECT_EQ(e.sins.lowest, 14);
  EXPECT_EQ(e.verdict, EligibilityVerdict::refer);
  EXPECT_THAT(e.reasons, Contains(HasSubstr("deficit")));
  EXPECT_THAT(e.reasons, Contains(HasSubstr("epidural grade 2")));
}

TEST(Eligibility, OneReasonToReferOutweighsWhatIsUnknown) {
  ClinicalFacts c;
  c.deficit = true;
  EXPECT_EQ(assess_eligibility(c, {}).verdict, EligibilityVerdict::refer);
}

TEST(Eligibility, MeasuresAreAskedFor) {
  ClinicalFacts c = healthy();
  c.pacemaker = true;
  c.primary = "RCC";
  c.sins_pain = 3;
  const auto e = assess_eligibility(c, lumbar(), "rfa", true);
  EXPECT_EQ(e.verdict, EligibilityVerdict::proceed_with);
  EXPECT_THAT(e.reasons, Contains(HasSubstr("bipolar")));
  EXPECT_THAT(e.reasons, Contains(HasSubstr("embolise")));
  EXPECT_THAT(e.reasons, Contains(HasSubstr("SINS 7: add augmentation")));
  EXPECT_THAT(assess_eligibility(c, lumbar(), "rfa", false).reasons, Not(Contains(HasSubstr("monopolar"))));
}

TEST(Eligibility, ScoresOutOfRangeAreRefused) {
  ClinicalFacts c = healthy();
  c.sins_pain = 2;
  EXPECT_THAT([&] { assess_eligibility(c, lumbar()); },
              ThrowsMessage<ConfigError>(HasSubstr("/clinical/sins_pain")));
  TargetFacts t = lumbar();
  t.escc = "4";
  EXPECT_THAT([&] { assess_eligibility(healthy(), t); },
              ThrowsMessage<ConfigError>(HasSubstr("epidural grade '4'")));
}

}  // namespace
}  // namespace spinetherm
