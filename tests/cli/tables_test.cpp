// SPDX-License-Identifier: Apache-2.0
// The commands that print a built-in table, and the phantom.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json json_of(const std::vector<std::string>& arguments) {
  const Ran ran = run_program(arguments);
  EXPECT_EQ(ran.code, 0) << ran.err;
  return nlohmann::json::parse(ran.out);
}

TEST(Tables, ListsHoldEveryRow) {
  EXPECT_EQ(json_of({"tissues", "--json"})["tissues"].size(), 23U);
  EXPECT_GE(json_of({"devices", "--json"})["devices"].size(), 9U);
  EXPECT_GE(json_of({"limits", "list", "--json"})["limits"].size(), 40U);
  EXPECT_EQ(json_of({"evidence", "--json"})["rows"].size(), 29U);
}

TEST(Tables, EveryNumberOfATissueIsPrintedWithItsSource) {
  for (const auto& tissue : json_of({"tissues", "--json"})["tissues"])
    for (const auto& value : tissue["values"]) {
      EXPECT_TRUE(value["value"].is_number()) << tissue["class"] << value["key"];
      EXPECT_FALSE(value["source"].get<std::string>().empty());
    }
}

TEST(Tables, ShowPrintsOneRow) {
  EXPECT_EQ(json_of({"tissues", "show", "cord", "--json"})["class"], "cord");
  EXPECT_EQ(json_of({"devices", "show", "bipolar-cooled-15", "--json", "--no-simulation"})["poles"].size(),
            2U);
  EXPECT_EQ(json_of({"limits", "show", "dura-heat-peak", "--json"})["unsafe"], 45);
  EXPECT_THAT(run_program({"devices", "show", "bipolar-cooled-15", "--no-simulation"}).out,
              AllOf(HasSubstr("placeholder: "), HasSubstr("22 x 17 mm")));
  EXPECT_THAT(run_program({"limits"}).out, HasSubstr("not a clinician's signature"));
}

TEST(Tables, ShowsWhatRadiates) {
  const auto antenna = json_of({"devices", "show", "mwa-2450-14g-directional", "--json", "--no-simulation"});
  EXPECT_EQ(antenna["modality"], "mwa");
  EXPECT_EQ(antenna["antenna"]["frequency_MHz"], 2450);
  EXPECT_EQ(antenna["antenna"].size(), 11U);
  EXPECT_GT(antenna["cable_loss"], 0);
  EXPECT_EQ(antenna["shield"]["width_deg"], 180);
  EXPECT_EQ(antenna["beyond_spine"], false);
  EXPECT_EQ(json_of({"devices", "show", "mwa-2450-14g-liver", "--json", "--no-simulation"})["beyond_spine"],
            true);
  const auto light =
      json_of({"devices", "show", "laser-980-cooled-10", "--json", "--no-simulation"})["light"];
  EXPECT_EQ(light["to_tip_mm"].get<double>() - light["from_tip_mm"].get<double>(), 10);
  EXPECT_THAT(run_program({"devices", "show", "mwa-2450-14g-directional", "--no-simulation"}).out,
              AllOf(HasSubstr("slot 8 to 9 mm"), HasSubstr("180 deg"), HasSubstr("300 s at 30 W")));
  EXPECT_THAT(run_program({"devices", "show", "mwa-2450-14g-liver", "--no-simulation"}).out,
              HasSubstr("beyond_spine"));
  EXPECT_THAT(run_program({"devices", "show", "laser-980-bare", "--no-simulation"}).out,
              AllOf(HasSubstr("980 nm, bare end"), HasSubstr("805 nm")));
  EXPECT_THAT(run_program({"devices"}).out,
              AllOf(HasSubstr("mwa-2450-16g"), HasSubstr("laser-1064-cooled-6")));
}

TEST(Tables, APublishedZoneSaysInWhatItWasMeasured) {
  const auto gel = json_of({"devices", "show", "cryo-17g-short", "--no-simulation", "--json"});
  EXPECT_EQ(gel["published_zone"]["in"]["tissue"], "water gel");
  EXPECT_EQ(gel["published_zone"]["in"]["perfused"], false);
  EXPECT_EQ(gel["published_zone"]["in"]["start_degC"], 37);
  EXPECT_EQ(gel["published_zone"]["criterion"], "under_minus20_degC");
  EXPECT_EQ(gel["published_zone"]["steps"], 1);
  EXPECT_TRUE(gel["simulated_zone"].is_null());
  EXPECT_TRUE(
      json_of({"devices", "show", "cryo-2.4mm", "--no-simulation", "--json"})["published_zone"].is_null());
  const Ran ran = run_program({"devices", "show", "cryo-17g-short", "--no-simulation"});
  EXPECT_THAT(ran.out, HasSubstr("not simulated (--no-simulation)"));
  EXPECT_EQ(ran.err, "");
}

TEST(Tables, ShowPrintsThePublishedZoneBesideTheSimulatedOne) {
  const Ran ran = run_program({"devices", "show", "cryo-17g-short"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");  // no progress without a terminal
  EXPECT_THAT(ran.out, AllOf(HasSubstr("published mm"), HasSubstr("simulated mm"), HasSubstr("deviation"),
                             HasSubstr("under_minus20_degC after 1 of 3 steps"),
                             HasSubstr("water gel, from 37 degC"), HasSubstr("nothing is fitted")));
}

TEST(Tables, BadRequestsAreOneLine) {
  for (const auto& [arguments, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"tissues", "show", "musle"}, "did you mean 'muscle'"},
           {{"devices", "show", "bipolar"}, "unknown device 'bipolar'"},
           {{"limits", "show"}, "nothing to show"},
           {{"limits", "dura"}, "unknown action 'dura'"},
           {{"devices", "list", "x"}, "one argument too many"}}) {
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, AllOf(testing::StartsWith("error: "), HasSubstr(message)));
  }
}

TEST(PhantomCommand, WritesAPatientAndPrintsItsCase) {
  const ScratchFolder scratch;
  const Ran ran =
      run_program({"phantom", "--levels", "T8", "--lesion", "blastic,central,right", "--lesion-radius", "5",
                   "--spacing", "3", "--seed", "4", "--out", "p", "--json"},
                  {scratch.path()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto result = nlohmann::json::parse(ran.out);
  EXPECT_EQ(result["level"], "T8");
  EXPECT_EQ(result["lesion"]["kind"], "blastic");
  EXPECT_TRUE(std::filesystem::exists(result["case"].get<std::string>()));
  EXPECT_TRUE(std::filesystem::exists(scratch / "p/truth/mri_from_cbct.tfm"));

  const Ran info = run_program({"info", "p/case.json", "--json"}, {scratch.path()});
  ASSERT_EQ(info.code, 0) << info.err;
  const auto read = nlohmann::json::parse(info.out);
  EXPECT_EQ(read["what"], "patient case");
  EXPECT_EQ(read["items"].size(), 7U) << "CT, CBCT, T1, T2, STIR, labels, a transform";
  std::filesystem::resize_file(scratch / "p/ct.nii.gz", 5000);
  const Ran cut = run_program({"info", "p/case.json"}, {scratch.path()});
  EXPECT_EQ(cut.code, 2);
  EXPECT_THAT(cut.err, HasSubstr("ct.nii.gz"));
}

TEST(PhantomCommand, ListsItsPresets) {
  const ScratchFolder scratch;
  for (const auto& arguments :
       {std::vector<std::string>{"phantom", "--presets"}, {"phantom", "--preset", "list"}}) {
    const Ran ran = run_program(arguments, {scratch.path()});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("rcc_t8_wall"), HasSubstr("lung_t6_collapse"), HasSubstr("refer")));
  }
  const Ran json = run_program({"phantom", "--presets", "--json"}, {scratch.path()});
  EXPECT_GE(nlohmann::json::parse(json.out).size(), 12u);
  EXPECT_TRUE(scratch.listing().empty());
}

TEST(PhantomCommand, RefusesWhatItCannotMakeAndLeavesNothing) {
  const ScratchFolder scratch;
  for (const auto& [arguments, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--lesion", "lytic,epidural:4"}, "epidural grade '4'"},
           {{"--lesion", "marrow,wall-defect"}, "exclude each other"},
           {{"--levels", "C1"}, "C3 to S1"},
           {{"--lesion", "lytik"}, "did you mean 'lytic'"},
           {{"--levels", "L4-L2"}, "L2-L4"},
           {{"--levels", "T13"}, "unknown level 'T13'"},
           {{"--cohort", "0"}, "a cohort of 0 patients"},
           {{"--preset", "rcc_t8"}, "did you mean 'rcc_t8_wall'"},
           {{"--preset", "rcc_t8_wall", "--levels", "T8"}, "excludes"},
           {{"--preset", "rcc_t8_wall", "--seed", "4"}, "its own seed"},
           {{"--lesion-level", "L5"}, "not in the phantom"},
           {{"--lesion-radius", "24"}, "does not fit"},
           {{"--spacing", "0"}, "spacing_mm = 0"}}) {
    std::vector<std::string> all = {"phantom", "--out", "p"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Ran ran = run_program(all, {scratch.path()});
    EXPECT_EQ(ran.code, 2) << arguments[1];
    EXPECT_THAT(ran.err, AllOf(testing::StartsWith("error: "), HasSubstr(message)));
    EXPECT_TRUE(scratch.listing().empty());
  }
}

}  // namespace
}  // namespace spinetherm
