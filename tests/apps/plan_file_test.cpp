// SPDX-License-Identifier: Apache-2.0
#include "apps/io/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "tests/apps/schema_check.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Pointer = nlohmann::json::json_pointer;

Plan full_plan() {
  Plan p;
  p.case_path = "../cases/patient.json";
  p.applicators = {{"bipolar-20", {10, 60, -5}, {12, 5, -3}, 30, 0.5},
                   {"bipolar-20", {-10, 60, 0}, {0, 0, 0}}};
  p.protocol = {{"rfa", {{.duration_s = 300, .hold_degC = 70, .max_W = 20}, {.duration_s = 60}}},
                {"rfa", {{.duration_s = 120, .power_W = 10}}},
                {"cryo",
                 {{.duration_s = 600, .duty = 0.7, .until = UntilSensor{"side", {}, -20, {}}},
                  {.duration_s = 300, .until = UntilSensor{"", Eigen::Vector3d{1, 2, 3}, {}, 5}},
                  {.duration_s = 60, .thaw_degC = 45}}}};
  p.protections = {Thermocouple{{1, 2, 3}, 2, 45, {}}, Dissection{"D5W", "anterior epidural space L3", 20}};
  p.cement = Cement{3, {0, 0, 0}, "PMMA"};
  p.score = {1.5, 0.97, -1, "caution"};
  p.state = PlanState::accepted;
  return p;
}

TEST(PlanFile, SurvivesWritingAndReading) {
  const ScratchFolder folder;
  write_plan(full_plan(), folder / "plan.json");
  EXPECT_EQ(read_plan(folder / "plan.json"), full_plan());
  EXPECT_THAT(schema_errors(to_json(full_plan()), "plan"), IsEmpty());
  EXPECT_EQ(case_file_of(full_plan(), "a/plans/plan.json"), std::filesystem::path("a/cases/patient.json"));
}

TEST(PlanFile, WhatIsAbsentHasTheDefaultOfTheValue) {
  const ScratchFolder folder;
  const auto document = nlohmann::json::parse(R"({"format": "spinetherm.plan", "version": 1,
    "applicators": [{"device": "bipolar-20", "entry_mm": [0, 60, 0], "tip_mm": [0, 0, 0]}],
    "protocol": [{"modality": "rfa", "steps": [{"duration_s": 60, "hold_degC": 70}]}]})");
  std::ofstream(folder / "plan.json") << document;
  const Plan p = read_plan(folder / "plan.json");
  EXPECT_EQ(p.applicators[0].deployment, 1);
  EXPECT_EQ(p.score, PlanScore{});
  EXPECT_FALSE(p.cement);
  EXPECT_EQ(p.state, PlanState::proposed);
  EXPECT_THAT(schema_errors(document, "plan"), IsEmpty());
  EXPECT_THROW(case_file_of(p, folder / "plan.json"), ConfigError);

  const nlohmann::json written = to_json(p);
  EXPECT_TRUE(written["score"]["coverage"].is_null()) << "not computed is null";
  EXPECT_THAT(schema_errors(written, "plan"), IsEmpty());
  write_plan(p, folder / "again.json");
  EXPECT_EQ(read_plan(folder / "again.json"), p);
}

TEST(PlanFile, BadInputIsRefusedAtItsPlace) {
  struct Bad {
    const char* pointer;
    const char* value;
    std::vector<const char*> said;
  };
  const std::vector<Bad> cases = {
      {"/aplicators", "[]", {"unknown key 'aplicators'", "applicators"}},
      {"/applicators", "[]", {"without an applicator", "/applicators"}},
      {"/applicators/0/tip_mm", "", {"'tip_mm' is missing", "/applicators/0"}},
      {"/applicators/0/tip_mm", "[10, 60, -5]", {"/applicators/0"}},
      {"/applicators/0/deployment", "1.5", {"/applicators/0"}},
      {"/applicators/0/depth_mm", "3", {"unknown key 'depth_mm'", "/applicators/0/depth_mm"}},
      {"/protocol", "[]", {"without a protocol", "/protocol"}},
      {"/protocol/0/steps/0/duration_s", "\"5 min\"", {"/protocol/0/steps/0/duration_s", "number"}},
      {"/protocol/2/steps/0/duty", "\"full\"", {"/protocol/2/steps/0/duty", "number"}},
      {"/protocol/2/steps/0/until/below", "3", {"unknown key 'below'", "/protocol/2/steps/0/until"}},
      {"/protections/0/thermocouple/lag_s", "-1", {"/protections/0/thermocouple/lag_s"}},
      {"/protections/0", "{}", {"no protection", "/protections/0"}},
      {"/protections/0/dissection", "{}", {"two protections", "/protections/0"}},
      {"/score/verdict", "\"safe\"", {"/score/verdict", "within_limits"}},
      {"/state", "\"done\"", {"/state", "accepted"}},
  };
  const ScratchFolder folder;
  for (const Bad& bad : cases) {
    SCOPED_TRACE(std::string(bad.pointer) + " = " + bad.value);
    nlohmann::json j = to_json(full_plan());
    const Pointer pointer(bad.pointer);
    if (*bad.value == '\0')
      j[pointer.parent_pointer()].erase(pointer.back());
    else
      j[pointer] = nlohmann::json::parse(bad.value);
    std::ofstream(folder / "plan.json") << j;
    try {
      read_plan(folder / "plan.json");
      ADD_FAILURE() << "accepted";
    } catch (const Error& e) {
      for (const char* part : bad.said) EXPECT_THAT(e.what(), HasSubstr(part));
      EXPECT_THAT(e.what(), AllOf(HasSubstr("plan.json"), Not(HasSubstr("\n"))));
    }
  }
}

}  // namespace
}  // namespace spinetherm
