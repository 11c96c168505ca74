// SPDX-License-Identifier: Apache-2.0
#include "apps/io/result_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
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

ThermalResult full_result() {
  ThermalResult r;
  r.summary.termination = Termination::reached_end;
  r.summary.message = "600 s simulated";
  r.summary.steps = 123;
  r.summary.simulated_s = 600;
  r.summary.wall_time_s = 1.5;
  r.summary.peak_memory_MB = 80;
  r.samples = {{{1, 2, 3}, 60, 55.5, 12.25, 0.75}, {{4, 5, 6}, 60, 37, 0, {}}};
  r.zones["over_50_degC"] = {1.25, {10, 11, 12}, true};
  r.zones["under_0_degC"] = {0, {0, 0, 0}, false};
  r.electrical = ElectricalHistory{
      {0, 60}, {std::numeric_limits<double>::infinity(), 150}, {0, 6}, {0, 0.2}, {0, 30}, {}};
  r.electrical->channels = {{{std::numeric_limits<double>::infinity(), 160}, {0, 2}, {0, 0.1}, {0, 20}},
                            {{std::numeric_limits<double>::infinity(), 140}, {0, 4}, {0, 0.1}, {0, 40}}};
  r.cryo = CryoHistory{{0, 60},
                       {{{0, 12.5}, {std::nan(""), -150}, {37, -140}, 90}, {{0, 1}, {30, 20}, {37, 5}, {}}}};
  r.ended_early = {{0, 600, 420}};
  r.energy = {100, 80, 20, 1e-7, 0.5};
  r.error_estimate.peak_K = 0.5;
  r.warnings = {"the box is small"};
  Grid grid;
  grid.size = {3, 4, 5};
  grid.spacing_mm = {1, 2, 0.5};
  grid.origin_mm = {-3, 7, 11};
  r.temperature = Volume<float>(grid, 37);
  r.temperature(1, 2, 3) = 60.125F;
  r.peak_temperature = r.temperature;
  r.peak_time_s = Volume<float>(grid, 42);
  r.freezes = Volume<float>(grid, 2);
  return r;
}

TEST(ResultFile, KeysAreThoseOfTheDesign) {
  const nlohmann::json j = to_json(full_result());
  EXPECT_EQ(j["format"], "spinetherm.result");
  EXPECT_EQ(j["samples"][0],
            nlohmann::json::parse(
                R"({"at_mm": [1, 2, 3], "t_s": 60, "degC": 55.5, "cem43_min": 12.25, "arrhenius": 0.75})"));
  EXPECT_EQ(j["volumes_ml"]["over_50_degC"], 1.25);
  EXPECT_EQ(j["extents_mm"]["over_50_degC"], (nlohmann::json{10, 11, 12}));
  EXPECT_EQ(j["zones_cut_by_box"], nlohmann::json{"over_50_degC"});
  EXPECT_EQ(j["electrical"]["current_A"], (nlohmann::json{0, 0.2}));
  EXPECT_EQ(j["energy"]["relative_residual"], 1e-7);
  EXPECT_EQ(j["energy"]["regridded_J"], 0.5);
  EXPECT_EQ(j["error_estimate"]["peak_K"], 0.5);
  EXPECT_THAT(schema_errors(j, "result"), IsEmpty());
}

TEST(ResultFile, UnknownIsNullAndNeverZero) {
  const nlohmann::json j = to_json(full_result());
  EXPECT_TRUE(j["samples"][1]["arrhenius"].is_null());
  EXPECT_TRUE(j["electrical"]["resistance_ohm"][0].is_null()) << "no current: no resistance";
  EXPECT_TRUE(j["error_estimate"]["zone_radius_mm"].is_null());
  const nlohmann::json bare = to_json(ThermalResult{});
  EXPECT_TRUE(bare["electrical"].is_null());
  EXPECT_EQ(bare["termination"], "not_run");
  EXPECT_THAT(schema_errors(bare, "result"), IsEmpty());
}

TEST(ResultFile, SurvivesWritingAndReading) {
  const ScratchFolder folder;
  const ThermalResult r = full_result();
  write_result(r, folder / "out");
  const ThermalResult back = read_result(folder / "out");
  EXPECT_EQ(to_json(back), to_json(r));
  EXPECT_EQ(back.temperature, r.temperature);
  EXPECT_EQ(back.peak_time_s, r.peak_time_s);
  EXPECT_EQ(back.freezes, r.freezes);
  EXPECT_TRUE(back.cem43.empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "out" / "fields" / "cem43.mha"));
  EXPECT_EQ(back.samples[1].arrhenius, std::nullopt);
}

TEST(ResultFile, BrokenDocumentsNameTheirPlace) {
  const ScratchFolder folder;
  write_result(full_result(), folder.path());
  nlohmann::json j = parse_json_file(folder / "result.json");
  j["energy"]["in_kJ"] = 3;
  std::ofstream(folder / "result.json") << j;
  try {
    read_result(folder.path());
    FAIL() << "accepted";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("/energy/in_kJ"), HasSubstr("result.json"), Not(HasSubstr("\n"))));
  }
  EXPECT_THAT(schema_errors(j, "result"), HasSubstr("in_kJ"));
  EXPECT_THROW(read_result(folder / "nowhere"), IoError);
}

}  // namespace
}  // namespace spinetherm
