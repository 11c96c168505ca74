// SPDX-License-Identifier: Apache-2.0
#include "datasets/evidence_table.h"

#include <gmock/gmock.h>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

const EvidenceRow& row(const std::string& id) { return evidence_row(evidence_table(), id); }

TEST(EvidenceTable, HoldsEveryRowStatementAndInconsistencyOfTheReview) {
  EXPECT_EQ(evidence_table().rows.size(), 29U);
  const auto& all = evidence_table().inconsistencies;
  ASSERT_EQ(all.size(), 26U);
  for (std::size_t n = 0; n < all.size(); ++n) {
    EXPECT_EQ(all[n].id, "I" + std::string(n < 9 ? "0" : "") + std::to_string(n + 1));
    EXPECT_FALSE(all[n].rows.empty()) << all[n].id;
    EXPECT_GT(all[n].text.size(), 20U) << all[n].id;
  }
}

TEST(EvidenceTable, HoldsTheFactsOfAStudyGroup) {
  const EvidenceRow& r = row("F1");
  EXPECT_EQ(r.part_of, "F0");
  EXPECT_EQ(r.technique, "rfa");
  EXPECT_EQ(r.male, 158);
  EXPECT_EQ(r.mean_age_years, 59.1);
  EXPECT_EQ(r.mean_age_articles, 8);
  EXPECT_EQ(r.age_years, (std::array<double, 2>{18, 89}));
  EXPECT_THAT(r.sites, ElementsAre(Pair("cervical", 2), Pair("thoracic", 69), Pair("lumbar", 77),
                                   Pair("sacral", 12), Pair("ilium", 3)));
  EXPECT_THAT(r.primaries, ElementsAre(Pair("lung", 108), Pair("breast", 70), Pair("kidney", 25)));
  EXPECT_EQ(row("C3").followup_months, (std::array<double, 2>{3, 13}));
  EXPECT_EQ(row("X1e").sites.back(), (std::pair<std::string, int>("sacral_or_coccyx", 12)));
  EXPECT_EQ(row("X3").all_sites_in, "thoracic");
  EXPECT_EQ(row("F0").designs.size(), 3U);
}

TEST(EvidenceTable, WhatTheReviewDoesNotSayIsEmpty) {
  EXPECT_FALSE(row("F0").lesions);
  EXPECT_FALSE(row("C6").lesions);
  EXPECT_FALSE(row("C7").male);
  EXPECT_FALSE(row("X0").mean_followup_months);
  EXPECT_FALSE(row("TOTAL").complete_success_studies);
  EXPECT_EQ(row("X4b").patients, 4);
}

TEST(EvidenceTable, ReadsListsOfReferences) {
  EXPECT_THAT(reference_numbers("21,49,63-65"), ElementsAre(21, 49, 63, 64, 65));
  for (const char* bad : {"", "a", "1,,2", "5-3", "1-2-3", "-4", "4-", "7,7", "1,5-8,6", "12345"})
    EXPECT_THROW(reference_numbers(bad), ConfigError) << bad;
}

TEST(EvidenceTable, AQuantityThatNobodyKnowsIsRefusedWithTheNearest) {
  EXPECT_THAT([] { stated_quantity(row("F1"), "patiens"); },
              ThrowsMessage<ConfigError>(HasSubstr("'patients'")));
  EXPECT_FALSE(stated_quantity(row("F0"), "lesions"));
  EXPECT_EQ(stated_quantity(row("F1"), "coccyx"), 0);
  EXPECT_EQ(stated_quantity(row("C0"), "design: retrospective"), 9);
  EXPECT_FALSE(stated_quantity(row("C0"), "patients_in_flagged_studies"));
}

/// The built-in document with one thing changed; `where` when the message points elsewhere.
void expect_refused(const std::string& pointer, const nlohmann::json& value, const std::string& message,
                    const std::string& where = "") {
  auto json = embedded_document("evidence.json");
  json[nlohmann::json::json_pointer(pointer)] = value;
  EXPECT_THAT([&] { read_evidence(JsonReader(json)); },
              ThrowsMessage<ConfigError>(
                  AllOf(HasSubstr("(" + (where.empty() ? pointer : where) + ")"), HasSubstr(message))));
}

TEST(EvidenceTable, EveryMistakeIsRefusedWithItsPointer) {
  expect_refused("/rows/1/complete_success_studies", 99, "more successes than studies");
  expect_refused("/rows/1/patients", -1, "no count");
  expect_refused("/rows/1/patients", 3.5, "whole number");
  expect_refused("/rows/1/references", "21,,33", "no list of references");
  expect_refused("/rows/1/part_of", "TOTL", "'TOTAL'");
  expect_refused("/rows/1/part_of", "F0", "unknown row");
  expect_refused("/rows/2/id", "F0", "named twice");
  expect_refused("/rows/2/sites/lumber", 3, "'lumbar'");
  expect_refused("/rows/2/sites/all", "thoracic", "counted or all in one region", "/rows/2/sites");
  expect_refused("/rows/2/technique", "rfaa", "rfa");
  expect_refused("/rows/2/men", 3, "unknown key 'men'");
  expect_refused("/statements/0/part/quantity", "mal", "'male'");
  expect_refused("/statements/0/part/rows", {"C7"}, "does not say 'male'");
  expect_refused("/statements/0/listed", {"a"}, "answered in one way", "/statements/0");
  expect_refused("/statements/1/id", "sex-ratio", "named twice");
  expect_refused("/inconsistencies/3/rows", {"X9"}, "unknown row", "/inconsistencies/3/rows/0");
  expect_refused("/inconsistencies/11/repair/set/0/key", "note", "cannot be repaired");
}

TEST(EvidenceTable, ARepairChangesACopy) {
  const EvidenceRepair repair{"", {{"X1b", "patients", 359}, {"C7", "male", 6}}};
  const EvidenceTable other = repaired(evidence_table(), repair);
  EXPECT_EQ(evidence_row(other, "X1b").patients, 359);
  EXPECT_EQ(evidence_row(other, "C7").male, 6);
  EXPECT_EQ(row("X1b").patients, 354);
}

}  // namespace
}  // namespace spinetherm
