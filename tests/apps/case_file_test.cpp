// SPDX-License-Identifier: Apache-2.0
#include "apps/io/case_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "tests/apps/schema_check.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Pointer = nlohmann::json::json_pointer;

nlohmann::json full_case() {
  return nlohmann::json::parse(R"({
    "format": "spinetherm.case", "version": 1, "notes": "made up",
    "images": {"ct": {"path": "ct.nii.gz", "series": "3"}, "cbct": {"path": "cbct.mha"},
               "mri": [{"path": "t2.nii", "weighting": "T2"}, {"path": "stir.nii", "weighting": "STIR"}]},
    "labels": [{"path": "a.nii", "convention": "totalsegmentator-v2"}, {"path": "b.nii", "convention": "spinetherm"}],
    "transforms": [{"path": "mri_from_cbct.tfm", "from": "cbct", "to": "mri"}],
    "level": {"name": "L3", "confirmed_by": [{"method": "counting", "image": "mri", "who": "reader 1"}]},
    "target": {"name": "lesion", "centre_mm": [10, -136, 315.6], "radii_mm": [9, 8, 9], "kind": "lytic"},
    "clinical": {"goal": "palliation", "deficit": false, "sins_pain": 3, "previous_dose_Gy": 20,
                 "anticoagulated": true, "implants": false, "pacemaker": false, "primary": "breast"},
    "findings": {"escc": "1b", "collapse": 0.2, "body_involved": 0.4, "alignment_points": 2,
                 "posterolateral_sides": 1}, "synthetic": true})");
}

class CaseFile : public ::testing::Test {
 protected:
  CaseFile() {
    for (const char* name :
         {"ct.nii.gz", "cbct.mha", "t2.nii", "stir.nii", "a.nii", "b.nii", "mri_from_cbct.tfm"})
      std::ofstream(folder_ / name) << "x";
  }
  PatientCase read(const nlohmann::json& j) const {
    std::ofstream(folder_ / "patient.json") << j;
    return read_case(folder_ / "patient.json");
  }
  std::string refusal(const nlohmann::json& j) const {
    try {
      read(j);
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  }
  ScratchFolder folder_;
};

TEST_F(CaseFile, HoldsEveryKeyOfTheDesign) {
  const PatientCase c = read(full_case());
  ASSERT_TRUE(c.ct && c.cbct);
  EXPECT_EQ(c.ct->path, std::filesystem::absolute(folder_ / "ct.nii.gz"));
  EXPECT_EQ(c.ct->series, "3");
  EXPECT_EQ(c.ct->modality, Modality::ct);
  EXPECT_EQ(c.cbct->modality, Modality::cbct);
  ASSERT_EQ(c.mri.size(), 2U);
  EXPECT_EQ(c.mri[1].modality, Modality::mr_stir);
  ASSERT_EQ(c.labels.size(), 2U);
  EXPECT_EQ(c.labels[1].convention, "spinetherm");
  EXPECT_EQ(c.transforms.at(0).to, "mri");
  EXPECT_EQ(c.level.name, "L3");
  EXPECT_EQ(c.level.confirmed_by.at(0), (LevelConfirmation{"counting", "mri", "reader 1"}));
  EXPECT_EQ(c.target.radii_mm, Eigen::Vector3d(9, 8, 9));
  EXPECT_EQ(c.clinical.deficit, false);
  EXPECT_EQ(c.clinical.sins_pain, 3);
  EXPECT_EQ(c.findings, (CaseFindings{"1b", 0.2, 0.4, 2, 1}));
  EXPECT_TRUE(c.synthetic);
  EXPECT_EQ(synthetic_mark(c), "SYNTHETIC");
  EXPECT_EQ(c.name(), "patient");
  EXPECT_EQ(c.inputs().size(), 8U);
  EXPECT_THAT(schema_errors(full_case(), "case"), IsEmpty());
}

TEST_F(CaseFile, WhatIsAbsentIsUnknown) {
  const PatientCase c = read(nlohmann::json::parse(R"({"format": "spinetherm.case", "version": 1,
    "images": {"ct": {"path": "ct.nii.gz"}}, "labels": {"path": "a.nii", "convention": "verse"},
    "target": {"label": "vertebra_L3", "part": "body"}})"));
  EXPECT_FALSE(c.cbct);
  EXPECT_EQ(c.labels.size(), 1U);
  EXPECT_TRUE(c.level.name.empty());
  EXPECT_EQ(c.clinical, ClinicalFacts{});
  EXPECT_EQ(c.findings, CaseFindings{});
  EXPECT_EQ(synthetic_mark(c), "");
  EXPECT_FALSE(c.target.centre_mm);
  EXPECT_TRUE(c.target.kind.empty());
}

TEST_F(CaseFile, SurvivesWritingToAnotherFolder) {
  const PatientCase c = read(full_case());
  std::filesystem::create_directories(folder_ / "out/deep");
  write_case(c, folder_ / "out/deep/case.json");
  PatientCase back = read_case(folder_ / "out/deep/case.json");
  EXPECT_EQ(back.name(), "deep");
  EXPECT_THAT(schema_errors(parse_json_file(back.file), "case"), IsEmpty());
  back.file = c.file;
  EXPECT_EQ(back, c);
}

TEST_F(CaseFile, BadInputIsRefusedAtItsPlace) {
  struct Bad {
    const char* pointer;
    const char* value;
    std::vector<const char*> said;
  };
  const std::vector<Bad> cases = {
      {"/imges", "{}", {"unknown key 'imges'", "images"}},
      {"/images", "{}", {"no image", "/images"}},
      {"/images", "", {"'images' is missing"}},
      {"/images/ct/path", "\"none.nii\"", {"none.nii", "/images/ct/path"}},
      {"/images/ct/path", "\"\"", {"empty path", "/images/ct/path"}},
      {"/images/mri/0/weighting", "\"t2\"", {"/images/mri/0/weighting", "T2"}},
      {"/labels/0/convention", "\"totalsegmentator\"", {"/labels/0/convention", "totalsegmentator-v"}},
      {"/labels/1/convention", "", {"'convention' is missing", "/labels/1"}},
      {"/level/name", "\"L9\"", {"unknown level 'L9'", "/level/name"}},
      {"/target", "", {"'target' is missing"}},
      {"/target/centre_mm", "", {"no target", "/target"}},
      {"/target/radii_mm", "", {"half an ellipsoid", "/target"}},
      {"/target/radii_mm", "[9, 0, 9]", {"/target/radii_mm", "9, 0, 9 mm"}},
      {"/target/radii_mm", "[9, 1e-9, 9]", {"/target/radii_mm"}},
      {"/target/radii_mm", "[9, 1e9, 9]", {"/target/radii_mm", "0.5 to 100 mm"}},
      {"/target/label", "\"vertebra_L3\"", {"two targets", "/target"}},
      {"/target/kind", "\"soft\"", {"/target/kind", "lytic"}},
      {"/clinical/goal", "\"cure\"", {"/clinical/goal", "palliation"}},
      {"/clinical/sins_pain", "2", {"/clinical/sins_pain"}},
      {"/clinical/previous_dose_Gy", "-1", {"/clinical/previous_dose_Gy"}},
      {"/clinical/pacemaker", "0", {"/clinical/pacemaker", "true or false"}},
      {"/clinical/pace_maker", "true", {"unknown key 'pace_maker'", "pacemaker"}},
      {"/findings/escc", "\"1d\"", {"/findings/escc", "1c"}},
      {"/findings/collapse", "1.5", {"/findings/collapse", "0 to 1"}},
      {"/findings/alignment_points", "3", {"/findings/alignment_points"}},
      {"/findings/posterolateral_sides", "3", {"/findings/posterolateral_sides"}},
      {"/findings/bilsky", "1", {"unknown key 'bilsky'"}},
      {"/synthetic", "1", {"/synthetic", "true or false"}},
      {"/transforms/0/frm", "\"ct\"", {"/transforms/0/frm", "from"}},
  };
  for (const Bad& bad : cases) {
    SCOPED_TRACE(std::string(bad.pointer) + " = " + bad.value);
    nlohmann::json j = full_case();
    const Pointer pointer(bad.pointer);
    if (*bad.value == '\0')
      j[pointer.parent_pointer()].erase(pointer.back());
    else
      j[pointer] = nlohmann::json::parse(bad.value);
    const std::string message = refusal(j);
    for (const char* part : bad.said) EXPECT_THAT(message, HasSubstr(part));
    EXPECT_THAT(message, AllOf(HasSubstr("patient.json"), Not(HasSubstr("\n"))));
  }
  nlohmann::json j = full_case();
  j["target"] = {{"label", "vertebra_3"}};
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("unknown structure 'vertebra_3'"), HasSubstr("/target/label")));
  EXPECT_THAT(
      schema_errors(full_case().patch(R"([{"op": "add", "path": "/imges", "value": 1}])"_json), "case"),
      HasSubstr("imges"));
}

TEST_F(CaseFile, TheCasesOfTheSampleScansAreRead) {
  const std::filesystem::path scans = scans_folder();
  if (scans.empty()) GTEST_SKIP() << "no sample scans: set SPINETHERM_DATA";
  int read_ones = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scans / "cases")) {
    SCOPED_TRACE(entry.path());
    const PatientCase c = read_case(entry.path());
    EXPECT_TRUE(c.ct.has_value());
    EXPECT_FALSE(c.level.name.empty());
    EXPECT_TRUE(c.level.confirmed_by.empty());
    EXPECT_EQ(c.clinical, ClinicalFacts{});
    EXPECT_THAT(schema_errors(parse_json_file(entry.path()), "case"), IsEmpty());
    ++read_ones;
  }
  EXPECT_GE(read_ones, 3);
}

}  // namespace
}  // namespace spinetherm
