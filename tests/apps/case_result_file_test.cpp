// SPDX-License-Identifier: Apache-2.0
#include "apps/io/case_result_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/schema_check.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StructureExposure exposure_of(const std::string& name, Verdict verdict) {
  StructureExposure e;
  e.structure = name;
  e.status = StructureStatus::imported;
  e.verdict = verdict;
  e.reason = name + " is " + std::string(to_string(verdict));
  return e;
}

/// A result in which every number is known and nothing is wrong.
CaseResult full_result() {
  CaseResult r;
  StructureExposure dura = exposure_of("dura", Verdict::within_limits);
  dura.peak_degC = FieldExtreme{41.5, 312, {1, 2, 3}};
  dura.lowest_degC = FieldExtreme{37, std::nullopt, {4, 5, 6}};
  dura.cem43_min = 0.25;
  dura.arrhenius = 0.01;
  dura.time_above_limit_s = 0;
  dura.distance_to_applicator_mm = 9.5;
  dura.distance_to_zone_mm = 4;
  dura.limit = AppliedLimit{"dura-heat-peak", "peak_degC", 42, "a paper", "recalled"};
  r.exposure.exposures = {dura};
  r.exposure.level = {"L3", true, Verdict::within_limits, "confirmed"};
  r.eligibility.verdict = EligibilityVerdict::proceed;
  r.eligibility.reasons = {};
  r.coverage.volume_ml = 1.4;
  r.coverage.coverage = 0.93;
  r.coverage.min_margin_mm = -0.5;
  r.plan = "plan.json";
  r.error_estimate = {0.3, 1.2};
  r.warnings = {"noticed"};
  r.provenance.version = "0.1.0";
  r.provenance.argv = {"spinetherm", "run"};
  r.provenance.inputs_sha256 = {{"ct.nii", std::string(64, 'a')}};
  return r;
}

TEST(CaseResultFile, HoldsTheKeysOfTheDesign) {
  const nlohmann::json j = to_json(full_result());
  EXPECT_THAT(schema_errors(j, "case_result"), IsEmpty());
  EXPECT_EQ(j["format"], "spinetherm.case_result");
  EXPECT_EQ(j["verdict"], "within_limits");
  EXPECT_EQ(j["eligibility"]["verdict"], "proceed");
  EXPECT_EQ(j["level"], nlohmann::json::parse(R"({"name": "L3", "confirmed": true})"));
  EXPECT_EQ(j["target"],
            nlohmann::json::parse(R"({"volume_ml": 1.4, "coverage": 0.93, "min_margin_mm": -0.5})"));
  const auto& e = j["exposures"][0];
  EXPECT_EQ(e["structure"], "dura");
  EXPECT_EQ(e["status"], "imported");
  EXPECT_EQ(e["peak_degC"], nlohmann::json::parse(R"({"value": 41.5, "t_s": 312, "at_mm": [1, 2, 3]})"));
  EXPECT_EQ(e["lowest_degC"]["t_s"], nullptr) << "when is not known";
  EXPECT_EQ(e["time_above_limit_s"], 0);
  EXPECT_EQ(e["limit"]["id"], "dura-heat-peak");
  EXPECT_EQ(e["limit"]["confidence"], "recalled");
  EXPECT_EQ(j["plan"], "plan.json");
  EXPECT_EQ(j["error_estimate"], nlohmann::json::parse(R"({"zone_radius_mm": 0.3, "peak_K": 1.2})"));
  EXPECT_EQ(j["provenance"]["argv"], (nlohmann::json{"spinetherm", "run"}));
}

TEST(CaseResultFile, WhatWasNotComputedIsNullAndTheVerdictUnknown) {
  const nlohmann::json j = to_json(CaseResult{});
  EXPECT_THAT(schema_errors(j, "case_result"), IsEmpty());
  EXPECT_EQ(j["verdict"], "unknown");
  EXPECT_EQ(j["eligibility"]["verdict"], "unknown");
  EXPECT_EQ(j["target"]["coverage"], nullptr);
  EXPECT_EQ(j["target"]["min_margin_mm"], nullptr);
  EXPECT_EQ(j["plan"], nullptr);
  EXPECT_EQ(j["registration"], nullptr);
  EXPECT_EQ(j["error_estimate"]["peak_K"], nullptr);
  CaseResult r;
  r.exposure.exposures = {exposure_of("cord", Verdict::unknown)};
  const nlohmann::json row = to_json(r)["exposures"][0];
  for (const char* key : {"peak_degC", "lowest_degC", "cem43_min", "arrhenius", "time_above_limit_s",
                          "distance_to_applicator_mm", "distance_to_zone_mm", "limit"})
    EXPECT_EQ(row.at(key), nullptr) << key;
  EXPECT_THAT(schema_errors(to_json(r), "case_result"), IsEmpty());
}

TEST(CaseResultFile, TheWorstStructureDecidesAndSaysWhy) {
  CaseResult r = full_result();
  r.exposure.exposures.push_back(exposure_of("root_L3_left", Verdict::caution));
  EXPECT_EQ(to_json(r)["verdict"], "caution");
  r.exposure.exposures.push_back(exposure_of("aorta", Verdict::unknown));
  EXPECT_EQ(to_json(r)["verdict"], "unknown");
  r.exposure.exposures.push_back(exposure_of("cauda", Verdict::unsafe));
  const nlohmann::json j = to_json(r);
  EXPECT_EQ(j["verdict"], "unsafe");
  EXPECT_THAT(j["reasons"].get<std::vector<std::string>>(), Contains(HasSubstr("cauda is unsafe")));
  EXPECT_EQ(j["target"]["coverage"], 0.93) << "coverage is another axis";
}

TEST(CaseResultFile, AttentionIsNeededForUnsafeUnknownAndRefer) {
  EXPECT_FALSE(full_result().needs_attention());
  EXPECT_TRUE(CaseResult{}.needs_attention());
  for (const auto& [verdict, attention] :
       {std::pair{Verdict::caution, false}, {Verdict::unknown, true}, {Verdict::unsafe, true}}) {
    CaseResult r = full_result();
    r.exposure.exposures.push_back(exposure_of("skin", verdict));
    EXPECT_EQ(r.needs_attention(), attention) << to_string(verdict);
  }
  for (const auto& [verdict, attention] : {std::pair{EligibilityVerdict::proceed_with, false},
                                           {EligibilityVerdict::unknown, false},
                                           {EligibilityVerdict::refer, true}}) {
    CaseResult r = full_result();
    r.eligibility.verdict = verdict;
    EXPECT_EQ(r.needs_attention(), attention) << to_string(verdict);
  }
  CaseResult r = full_result();
  r.exposure.level = check_level("L3", {});
  EXPECT_TRUE(r.needs_attention()) << "a level that nobody confirmed is unknown";
}

}  // namespace
}  // namespace spinetherm
