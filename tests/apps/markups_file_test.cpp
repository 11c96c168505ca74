// SPDX-License-Identifier: Apache-2.0
#include "apps/io/markups_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

Plan plan_of_two() {
  Plan plan;
  for (const double x : {10.0, -10.0}) {
    Applicator a;
    a.device = "bipolar";
    a.entry_mm = {x, 90, 300};
    a.tip_mm = {x / 2, 20, 310};
    plan.applicators.push_back(a);
  }
  plan.protections = {Dissection{"CO2", "epidural", {}}, Thermocouple{{1, 2, 3}, 0, 45.0, {}}};
  return plan;
}

TEST(MarkupsFile, ANeedleIsALineFromEntryToTipInLps) {
  const ScratchFolder scratch;
  write_needles(plan_of_two(), scratch / "needles.mrk.json");
  const auto json = parse_json_file(scratch / "needles.mrk.json");
  EXPECT_THAT(json["@schema"].get<std::string>(), ::testing::HasSubstr("markups-schema"));
  ASSERT_EQ(json["markups"].size(), 3u);
  const auto& line = json["markups"][1];
  EXPECT_EQ(line["type"], "Line");
  EXPECT_EQ(line["coordinateSystem"], "LPS");
  EXPECT_EQ(line["coordinateUnits"], "mm");
  EXPECT_EQ(line["name"], "bipolar 2");
  EXPECT_EQ(line["controlPoints"][0]["label"], "entry");
  EXPECT_EQ(line["controlPoints"][0]["position"], (nlohmann::json{-10, 90, 300}));
  EXPECT_EQ(line["controlPoints"][1]["position"], (nlohmann::json{-5, 20, 310}));
  const auto& sensors = json["markups"][2];
  EXPECT_EQ(sensors["type"], "Fiducial");
  ASSERT_EQ(sensors["controlPoints"].size(), 1u) << "a dissection is no point";
  EXPECT_EQ(sensors["controlPoints"][0]["position"], (nlohmann::json{1, 2, 3}));
  for (const auto& markup : json["markups"])
    for (const auto& point : markup["controlPoints"]) EXPECT_EQ(point["positionStatus"], "defined");
}

TEST(MarkupsFile, NoSensorsNoPoints) {
  const ScratchFolder scratch;
  Plan plan = plan_of_two();
  plan.protections.clear();
  write_needles(plan, scratch / "needles.mrk.json");
  EXPECT_EQ(parse_json_file(scratch / "needles.mrk.json")["markups"].size(), 2u);
}

TEST(MarkupsFile, AFolderThatIsNotThereIsAnError) {
  const ScratchFolder scratch;
  EXPECT_THROW(write_needles(plan_of_two(), scratch / "none/needles.mrk.json"), IoError);
  EXPECT_TRUE(scratch.listing().empty());
}

}  // namespace
}  // namespace spinetherm
