// SPDX-License-Identifier: Apache-2.0
// The figures here were counted by hand from the review.
#include "datasets/evidence_checks.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

class EvidenceChecks : public ::testing::Test {
 protected:
  const std::vector<EvidenceCheck> checks = evidence_checks(evidence_table());
  const EvidenceCheck& check(const std::string& id) const { return evidence_check(checks, id); }
  void expect(const std::string& id, double stated, double recounted, CheckState state) const {
    const EvidenceCheck& c = check(id);
    EXPECT_EQ(c.stated, stated) << id;
    EXPECT_NEAR(c.recounted, recounted, 1e-9) << id;
    EXPECT_FALSE(c.up_to) << id;
    EXPECT_EQ(to_string(c.state), to_string(state)) << id;
  }
};

TEST_F(EvidenceChecks, GroupsAgainstTheWhole) {
  expect("TOTAL.parts.articles", 51, 51, CheckState::holds);
  expect("TOTAL.parts.patients", 1787, 326 + 424 + 11 + 1026, CheckState::holds);
  expect("TOTAL.parts.references", 51, 51, CheckState::holds);
  expect("C0.parts.patients", 424, 424, CheckState::holds);
  expect("X0.parts.patients", 1026, 1026, CheckState::holds);
  expect("X1.parts.patients", 969, 355 + 354 + 11 + 69 + 154 + 21, CheckState::below);
  expect("X1.parts.lesions", 1310, 1310, CheckState::holds);
  EXPECT_EQ(check("X1.parts.patients").recounted, 964);
  EXPECT_EQ(check("F0.parts.lesions").recounted, 437);
  EXPECT_EQ(check("F0.parts.lesions").state, CheckState::not_stated);
  EXPECT_EQ(check("C0.parts.lesions").recounted, 553);
  EXPECT_THAT(check("C0.parts.lesions").not_told_by, ElementsAre("C6"));
  EXPECT_EQ(check("TOTAL.parts.complete_success_studies").recounted, 32);
  for (const auto& [group, flagged] : {std::pair{"F0", 11}, {"C0", 6}, {"X0", 14}, {"X1", 10}, {"X4", 2}})
    expect(std::string(group) + ".parts.complete_success_studies", flagged, flagged, CheckState::holds);
}

TEST_F(EvidenceChecks, LesionsThatAreNotToldCloseTheTotalByDifference) {
  EXPECT_THAT(lesions_by_difference(evidence_table()), ElementsAre(Pair("C6", 8), Pair("X3", 13)));
  expect("TOTAL.parts.lesions", 2391, 2383, CheckState::open);
  expect("X0.parts.lesions", 1382, 1369, CheckState::open);
}

TEST_F(EvidenceChecks, SitesOfTheWhole) {
  expect("TOTAL.sites", 2391, 2254, CheckState::below);
  expect("TOTAL.parts.cervical", 83, 80, CheckState::open);
  expect("TOTAL.parts.lumbar", 990, 813, CheckState::open);
  expect("TOTAL.parts.ilium", 6, 10, CheckState::above);
  expect("TOTAL.parts.periacetabulum", 4, 4, CheckState::holds);
  const auto range = [&](const char* id, double least, double most) {
    EXPECT_EQ(check(id).recounted, least) << id;
    EXPECT_EQ(check(id).up_to, most) << id;
    EXPECT_EQ(check(id).state, CheckState::open) << id;
    EXPECT_THAT(check(id).not_told_by, ElementsAre("C1b")) << id;
  };
  range("TOTAL.parts.thoracic", 891, 912);  // 904 with [58], 912 with [48]
  range("TOTAL.parts.sacral", 111, 123);
  range("TOTAL.parts.coccyx", 2, 14);
}

TEST_F(EvidenceChecks, SitesAndSexesWithinRows) {
  expect("F1.sites", 399, 163, CheckState::below);
  expect("F1.sexes", 300, 300, CheckState::holds);
  expect("C1a.sites", 53, 69, CheckState::above);
  expect("C3.sites", 44, 42, CheckState::below);
  expect("C4.sites", 41, 41, CheckState::holds);
  expect("C7.sites", 12, 18, CheckState::above);
  expect("M1.sites", 11, 11, CheckState::holds);
  expect("X1b.sexes", 354, 359, CheckState::above);
  expect("X1b.sites", 544, 497, CheckState::below);
  expect("X1c.sites", 16, 11, CheckState::below);
  expect("X1d.sites", 102, 102, CheckState::holds);
  expect("X1e.sites", 205, 209, CheckState::above);
  expect("X1f.sexes", 21, 22, CheckState::above);
  expect("X1f.sites", 36, 36, CheckState::holds);
  expect("X2.sites", 38, 33, CheckState::below);
  expect("X4a.sites", 17, 14, CheckState::below);
  expect("X4b.sites", 4, 4, CheckState::holds);
  expect("X1a.sites", 407, 260, CheckState::open);  // 7 of 9 articles
  expect("TOTAL.parts.male", 808, 802, CheckState::open);
  expect("TOTAL.parts.female", 803, 798, CheckState::open);
}

TEST_F(EvidenceChecks, Statements) {
  expect("sex-ratio", 0.96, 808.0 / 803, CheckState::above);
  expect("sex-known", 90.15, 100 * 1611.0 / 1787, CheckState::holds);
  expect("thoracic-share", 46.2, 100 * 1041.0 / 2254, CheckState::holds);
  EXPECT_NEAR(check("mean-followup").recounted, 7.4, 0.05);
  EXPECT_EQ(check("mean-followup").state, CheckState::below);
  expect("databases", 3, 4, CheckState::above);
  expect("retrospective", 36, 36, CheckState::holds);
  expect("retrospective-references", 36, 36, CheckState::holds);
  expect("retrospective-part", 2, 0, CheckState::below);
  expect("ct-rfa-success", 75, 75, CheckState::holds);
  EXPECT_EQ(check("ct-rfa-success").part, 3);
  EXPECT_EQ(check("ct-rfa-success").of, 4);
  EXPECT_EQ(check("ct-rfa-patients").part, 43);
  EXPECT_EQ(check("ct-rfa-patients").of, 69);
  expect("ct-rfa-followup", 4, 3, CheckState::below);
  expect("fluoroscopy-ct-rfa", 9, 16, CheckState::above);
  expect("fluoroscopy-mwa", 1, 0, CheckState::below);
  EXPECT_NEAR(check("cervical-share").recounted, 70, 0.5);
  expect("laser-patients", 11, 134, CheckState::above);
  EXPECT_EQ(check("fluoroscopy-not-flagged").part, 1);
  EXPECT_EQ(check("ct-not-flagged").part, 6);
  expect("cited-ct-rfa", 3, 0, CheckState::below);
  expect("cited-fluoroscopy-rfa", 10, 4, CheckState::below);
  expect("cited-mri", 1, 0, CheckState::below);
}

TEST_F(EvidenceChecks, ReferencesOfEveryRowAreItsStudies) {
  for (const EvidenceRow& row : evidence_table().rows) {
    EXPECT_EQ(check(row.id + ".references").state, CheckState::holds) << row.id;
    if (row.designs.empty()) continue;
    EXPECT_EQ(check(row.id + ".designs").state, CheckState::holds) << row.id;
  }
}

TEST_F(EvidenceChecks, EveryContradictionIsNamedByAnInconsistency) {
  for (const EvidenceCheck& c : checks) {
    if (c.state != CheckState::above && c.state != CheckState::below) continue;
    if (c.id == "X1a.sexes" || c.id == "mean-followup") continue;  // fewer told; another mean
    bool named = false;
    for (const EvidenceInconsistency& i : evidence_table().inconsistencies)
      named = named || std::find(i.checks.begin(), i.checks.end(), c.id) != i.checks.end();
    EXPECT_TRUE(named) << c.id;
  }
  for (const EvidenceInconsistency& i : evidence_table().inconsistencies)
    for (const std::string& id : i.checks) EXPECT_NO_THROW(check(id)) << i.id;
  EXPECT_THAT([&] { check("X1.parts.patient"); },
              ThrowsMessage<ConfigError>(HasSubstr("'X1.parts.patients'")));
}

TEST_F(EvidenceChecks, ARepairMakesItsChecksHold) {
  const auto& all = evidence_table().inconsistencies;
  const auto after = [&](const std::string& id, const std::string& name) {
    const auto i = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.id == id; });
    return evidence_check(evidence_checks(repaired(evidence_table(), i->repair.value())), name);
  };
  EXPECT_EQ(after("I12", "X1.parts.patients").recounted, 969);
  EXPECT_EQ(after("I12", "X1.parts.patients").state, CheckState::holds);
  EXPECT_EQ(after("I13", "X1b.sexes").state, CheckState::holds);
  EXPECT_EQ(after("I06", "TOTAL.parts.male").recounted, 808);
  EXPECT_EQ(after("I06", "TOTAL.parts.female").recounted, 803);
  EXPECT_EQ(after("I06", "C7.sexes").state, CheckState::holds);
}

TEST_F(EvidenceChecks, TheFlagBelongsToSmallAndShortStudies) {
  const FlagFigures all = flag_figures(evidence_table());
  EXPECT_EQ(all.studies, 51);
  EXPECT_EQ(all.flagged, 32);
  EXPECT_NEAR(all.patients_per_flagged_study, 909 / 32.0, 1e-9);
  EXPECT_NEAR(all.patients_per_other_study, 873 / 19.0, 1e-9);
  EXPECT_LT(all.followup_months_flagged, all.followup_months_other);
  for (const auto& [technique, flagged, studies] :
       {std::tuple{"rfa", 24, 32}, {"mwa", 2, 5}, {"cryo", 1, 6}, {"laser", 2, 3}, {"several", 3, 5}}) {
    EXPECT_EQ(flag_figures(evidence_table(), technique).flagged, flagged) << technique;
    EXPECT_EQ(flag_figures(evidence_table(), technique).studies, studies) << technique;
  }
  EXPECT_TRUE(std::isnan(flag_figures(evidence_table(), "none").patients_per_flagged_study));
}

TEST_F(EvidenceChecks, StudiesThatNameANerveInjury) {
  for (const auto& [row, studies] :
       {std::pair{"F0", 1}, {"C0", 4}, {"M1", 0}, {"X1", 7}, {"X2", 0}, {"X3", 0}, {"X4", 0}, {"TOTAL", 12}})
    EXPECT_EQ(nerve_studies(evidence_table(), row), studies) << row;
}

/// Every count of every row, one larger: some recount must move against its stated number.
TEST_F(EvidenceChecks, AChangedNumberIsNoticed) {
  const auto document = embedded_document("evidence.json");
  const auto gaps = [](const std::vector<EvidenceCheck>& all) {
    std::vector<std::pair<double, double>> out;
    for (const EvidenceCheck& c : all) out.emplace_back(c.stated.value_or(-1), c.recounted);
    return out;
  };
  const auto before = gaps(checks);
  int changed = 0;
  for (std::size_t n = 0; n < document["rows"].size(); ++n) {
    std::vector<std::string> pointers;
    for (const char* key : {"articles", "patients", "lesions", "male", "female", "complete_success_studies"})
      if (document["rows"][n].contains(key)) pointers.push_back(fmt::format("/rows/{}/{}", n, key));
    if (document["rows"][n].contains("sites") && !document["rows"][n]["sites"].contains("all"))
      for (const auto& [site, count] : document["rows"][n]["sites"].items())
        pointers.push_back(fmt::format("/rows/{}/sites/{}", n, site));
    for (const std::string& pointer : pointers) {
      auto json = document;
      auto& value = json[nlohmann::json::json_pointer(pointer)];
      // One fewer where one more would be more successes than studies.
      value = value.get<int>() + (pointer.ends_with("studies") && value.get<int>() > 0 ? -1 : 1);
      try {
        EXPECT_NE(gaps(evidence_checks(read_evidence(JsonReader(json)))), before) << pointer;
      } catch (const ConfigError& e) {
        // A group of which only some studies are flagged does not say how many patients they have.
        EXPECT_THAT(e.what(), HasSubstr("does not say")) << pointer;
      }
      ++changed;
    }
  }
  EXPECT_GT(changed, 180);
}

}  // namespace
}  // namespace spinetherm
