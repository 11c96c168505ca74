// SPDX-License-Identifier: Apache-2.0
#include "datasets/evidence_table.h"

#include <gmock/gmock.h>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const EvidenceRow& row(const std::string& id) {
  for (const EvidenceRow& r : evidence_table().rows)
    if (r.id == id) return r;
  throw std::runtime_error("no row " + id);
}

TEST(EvidenceTable, GroupsAddUpToTheWhole) {
  int patients = 0, articles = 0;
  for (const char* id : {"F0", "C0", "M1", "X0"}) {
    patients += row(id).patients.value();
    articles += row(id).articles;
  }
  EXPECT_EQ(patients, row("TOTAL").patients);
  EXPECT_EQ(articles, row("TOTAL").articles);
}

TEST(EvidenceTable, WhatTheReviewDoesNotSayIsEmpty) {
  EXPECT_FALSE(row("F0").lesions);
  EXPECT_FALSE(row("C6").lesions);
  EXPECT_FALSE(row("X0").mean_followup_months);
  EXPECT_EQ(row("X4b").patients, 4);
}

TEST(EvidenceTable, RefusesMoreSuccessesThanStudies) {
  auto json = embedded_document("evidence.json");
  json["rows"][1]["complete_success_studies"] = 99;
  EXPECT_THAT([&] { read_evidence(JsonReader(json)); },
              ThrowsMessage<ConfigError>(HasSubstr("/rows/1/complete_success_studies")));
}

}  // namespace
}  // namespace spinetherm
