// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A problem that would take hours.
class CancelTest : public ::testing::TestWithParam<int> {
 protected:
  CancelTest() {
    const nlohmann::json tissue = {{"name", "tissue"},
                                   {"density_kg_per_m3", 1060},
                                   {"specific_heat_J_per_kg_K", 3600},
                                   {"conductivity_W_per_m_K", 0.5}};
    const nlohmann::json source = {
        {"kind", "gaussian"}, {"power_W", 2}, {"sigma_mm", 3}, {"at_mm", {48, 48, 48}}};
    problem = {{"format", "spinetherm.problem"},
               {"version", 1},
               {"grid", {{"size", {96, 96, 96}}, {"spacing_mm", {1, 1, 1}}, {"origin_mm", {0, 0, 0}}}},
               {"tissues", {tissue}},
               {"labels", {{"uniform", 0}}},
               {"initial", {{"degC", 37}}},
               {"boundary", {{"all", {{"type", "fixed"}, {"degC", 37}}}}},
               {"sources", {source}},
               {"duration_s", 1e8}};
    std::ofstream(scratch / "long.json") << problem.dump();
  }
  /// Sends the signal while the program computes: its output directory is there, and incomplete.
  Ran interrupted(int signal, const std::string& option) {
    RunOptions options;
    options.working_directory = scratch.path();
    options.interrupt_with = signal;
    options.interrupt_when = [&] {
      return std::filesystem::exists(scratch / "out/simulate-long-001.partial");
    };
    return run_program({"simulate", "long.json", option}, options);
  }
  ScratchFolder scratch;
  nlohmann::json problem;
};

TEST_P(CancelTest, EndsWithOneLineAndLeavesNothingBehind) {
  const Ran ran = interrupted(GetParam(), "--json");
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "error: cancelled (spinetherm simulate): nothing was written\n");
  EXPECT_THAT(scratch.listing(), ElementsAre("long.json"));
}

INSTANTIATE_TEST_SUITE_P(Signals, CancelTest, ::testing::Values(SIGINT, SIGTERM));

TEST_F(CancelTest, ProgressIsShownOnlyWhenAskedFor) {
  problem["duration_s"] = 1;
  std::ofstream(scratch / "short.json") << problem.dump();
  const std::string file = (scratch / "short.json").string();
  const std::string out = (scratch / "results").string();
  EXPECT_THAT(run_program({"simulate", file, "--out", out, "--progress"}).err, HasSubstr(" %  "));
  EXPECT_EQ(run_program({"simulate", file, "--out", out, "--force"}).err, "");
}

TEST(CancelShow, EndsWithOneLine) {
  RunOptions options;
  options.interrupt_with = SIGINT;
  const auto begin = std::chrono::steady_clock::now();
  options.interrupt_when = [&] { return std::chrono::steady_clock::now() - begin > std::chrono::seconds(2); };
  const Ran ran = run_program({"devices", "show", "mwa-2450-13.5g-liver", "--json"}, options);
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "error: cancelled (spinetherm devices): nothing was written\n");
}

}  // namespace
}  // namespace spinetherm
