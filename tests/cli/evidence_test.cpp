// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

nlohmann::json json_of(const std::vector<std::string>& arguments) {
  const Ran ran = run_program(arguments);
  EXPECT_EQ(ran.code, 0) << ran.err;
  return nlohmann::json::parse(ran.out);
}

TEST(EvidenceCommand, ListsGroupsRecountsAndWhyTheFlagIsNoRate) {
  const Ran ran = run_program({"evidence"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("969 (964)"), HasSubstr("- (437)"), HasSubstr("2391 (2383+)"),
                             HasSubstr("Complete success is no success rate"), HasSubstr("43 of 69"),
                             HasSubstr("rfa 24 of 32"), HasSubstr("recounts hold"), HasSubstr("891 to 912"),
                             HasSubstr("never used to tune")));
}

TEST(EvidenceCommand, JsonHoldsRowsChecksAndInconsistencies) {
  const auto json = json_of({"evidence", "--json"});
  EXPECT_EQ(json["rows"].size(), 29U);
  EXPECT_EQ(json["inconsistencies"].size(), 26U);
  EXPECT_EQ(json["complete_success"]["is_a_success_rate"], false);
  EXPECT_EQ(json["complete_success"]["flagged"], 32);
  const auto& i13 = json["inconsistencies"][12];
  EXPECT_EQ(i13["id"], "I13");
  EXPECT_EQ(i13["stated"][0], 354);
  EXPECT_EQ(i13["recounted"][0], 359);
  EXPECT_EQ(i13["repaired"]["checks"][0]["state"], "holds");
  EXPECT_TRUE(json["inconsistencies"][0]["repaired"].is_null());
}

TEST(EvidenceCommand, ShowsARowOrAnInconsistency) {
  EXPECT_THAT(run_program({"evidence", "F1"}).out,
              AllOf(HasSubstr("thoracic 69"), HasSubstr("163"), HasSubstr("I07"), HasSubstr("lung 108")));
  EXPECT_EQ(run_program({"evidence", "F1"}).out, run_program({"evidence", "show", "F1"}).out);
  EXPECT_THAT(run_program({"evidence", "show", "I12"}).out,
              AllOf(HasSubstr("stated 969"), HasSubstr("recounted 964"), HasSubstr("recounted 969")));
  EXPECT_EQ(json_of({"evidence", "X1e", "--json"})["sites"]["sacral_or_coccyx"], 12);
  EXPECT_EQ(json_of({"evidence", "I06", "--json"})["checks"].size(), 5U);
}

TEST(EvidenceCommand, ListsTheInconsistenciesAlone) {
  const Ran ran = run_program({"evidence", "--inconsistencies"});
  EXPECT_THAT(ran.out, AllOf(StartsWith("I01"), HasSubstr("I26"), HasSubstr("PubMed 33629134")));
  EXPECT_EQ(json_of({"evidence", "--inconsistencies", "--json"})["inconsistencies"].size(), 26U);
}

TEST(EvidenceCommand, BadRequestsAreOneLine) {
  for (const auto& [arguments, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"evidence", "X1g"}, "unknown row 'X1g'"},
           {{"evidence", "show"}, "nothing to show"},
           {{"evidence", "F1", "--inconsistencies"}, "of the whole list"}}) {
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, AllOf(StartsWith("error: "), HasSubstr(message)));
  }
}

}  // namespace
}  // namespace spinetherm
