// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/file_server.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ScansCommand : public ::testing::Test {
 protected:
  ScansCommand() { std::filesystem::create_directory(scratch / "data"); }
  Ran scans(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "scans");
    return run_program(arguments, {scratch.path()});
  }
  nlohmann::json one(const std::string& name) const {
    const Ran ran = scans({"show", name, "--data", "data", "--json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    return nlohmann::json::parse(ran.out);
  }
  ScratchFolder scratch;
};

TEST_F(ScansCommand, ListsEveryScanWithLicenceAndState) {
  const Ran ran = scans({"--data", "data"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("lumbar-ct"), HasSubstr("CC BY 3.0"), HasSubstr("missing"),
                             HasSubstr("dbd3ae6d"), Not(HasSubstr("found"))));
  const auto json = nlohmann::json::parse(scans({"list", "--data", "data", "--json"}).out);
  EXPECT_EQ(json["scans"].size(), 42U);
  EXPECT_EQ(json["scans"][1]["state"], "missing");
  EXPECT_TRUE(json["scans"][1]["path"].is_null());
}

TEST_F(ScansCommand, AFileWithAnotherChecksumIsDamaged) {
  std::filesystem::create_directory(scratch / "data/ct");
  std::ofstream(scratch / "data/ct/ts_example_ct.nii.gz") << "not this";
  EXPECT_EQ(one("lumbar-ct")["state"], "damaged");
  EXPECT_TRUE(one("lumbar-ct")["path"].is_null());
  EXPECT_THAT(scans({"--data", "data"}).out, HasSubstr("damaged  dbd3ae6d"));
}

TEST_F(ScansCommand, WhatComesWithAnotherChecksumIsRefused) {
  const FileServer server({"an error page"});
  const Ran ran =
      scans({"fetch", "lumbar-ct", "l3-ct", "--data", "data", "--mirror", server.address(), "--json"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, AllOf(StartsWith("error: "), HasSubstr("is not the scan"), HasSubstr("(lumbar-ct)")));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
  const auto json = nlohmann::json::parse(ran.out)["scans"];
  EXPECT_EQ(json[0]["outcome"], "failed");
  EXPECT_EQ(json[1]["outcome"], "failed");
  EXPECT_THAT(server.requests(),
              ElementsAre("/ct/ts_example_ct.nii.gz", "/labels/tptbox_ct/sub-ct_label-22_ct.nii.gz"));
  EXPECT_EQ(one("lumbar-ct")["state"], "missing");
}

TEST_F(ScansCommand, WithoutANetworkOneLineSaysWhatToDo) {
  const Ran ran = scans({"fetch", "--all", "--data", "new/folder", "--mirror", dead_address(), "--json"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, AllOf(StartsWith("error: no network"), HasSubstr("by hand"), HasSubstr("--mirror")));
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
  EXPECT_EQ(nlohmann::json::parse(ran.out)["scans"][1]["outcome"], "not_tried");
}

TEST_F(ScansCommand, FetchesFromAFolderOfScansAndGoesOn) {
  const auto real = scans_folder();
  const std::string file = "labels/tptbox_ct/sub-ct_label-22_ct.nii.gz";
  if (!std::filesystem::exists(real / file)) GTEST_SKIP() << "no sample scans: set SPINETHERM_DATA";
  const std::string mirror = "file://" + real.string();
  Ran ran = scans({"fetch", "l3-ct", "--data", "data", "--mirror", mirror});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("l3-ct  fetched"));
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(one("l3-ct")["state"], "found");
  EXPECT_THAT(scans({"fetch", "l3-ct", "--data", "data", "--mirror", dead_address()}).out,
              HasSubstr("l3-ct  found"));

  std::filesystem::rename(scratch / "data" / file, scratch / "data" / (file + ".part"));
  std::filesystem::resize_file(scratch / "data" / (file + ".part"), 100000);
  EXPECT_EQ(one("l3-ct")["state"], "partial");
  ran = scans({"fetch", "l3-ct", "--data", "data", "--mirror", mirror + "/", "--progress"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("went on after 0.1 MB"));
  EXPECT_THAT(ran.err, HasSubstr("100 %"));
  EXPECT_EQ(one("l3-ct")["state"], "found");
}

TEST_F(ScansCommand, TheSampleScansAreThoseOfTheCatalogue) {
  const auto real = scans_folder();
  if (real.empty()) GTEST_SKIP() << "no sample scans: set SPINETHERM_DATA";
  const Ran ran = scans({"--data", real.string(), "--json"});
  for (const auto& scan : nlohmann::json::parse(ran.out)["scans"])
    EXPECT_EQ(scan["state"], "found") << scan["name"];
}

TEST_F(ScansCommand, BadRequestsAreOneLine) {
  for (const auto& [arguments, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"fetch", "--data", "data"}, "nothing to fetch"},
           {{"fetch", "l3-ct", "--all", "--data", "data"}, "both --all and names"},
           {{"fetch", "lumber-ct", "--data", "data"}, "did you mean 'lumbar-ct'"},
           {{"fetch", "thoracic-ct", "--data", "data"}, "no address gives this archive"},
           {{"fetch", "lumbar-ct", "--data", "data", "--mirror", "ftp://x"}, "does not give it"},
           {{"show"}, "nothing to show"},
           {{"show", "l3-ct", "lumbar-ct"}, "one argument too many: 'lumbar-ct'"},
           {{"list", "l3-ct"}, "use 'show l3-ct'"},
           {{"lst"}, "unknown action 'lst'"},
           {{"--all"}, "--all is of 'fetch'"},
           {{"--data", "none"}, "no such folder (none)"}}) {
    const Ran ran = scans(arguments);
    EXPECT_EQ(ran.code, message == "does not give it" ? 3 : 2) << message;
    EXPECT_EQ(ran.out.empty(), ran.code == 2);
    EXPECT_THAT(ran.err, AllOf(StartsWith("error: "), HasSubstr(message)));
  }
}

}  // namespace
}  // namespace spinetherm
