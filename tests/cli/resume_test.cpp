// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// An electrode that holds a temperature, for some seconds of computing: two runs, as the error estimate has
/// one of its own.
class ResumeTest : public ::testing::Test {
 protected:
  ResumeTest() { write_problem(problem()); }
  static nlohmann::json problem() {
    const nlohmann::json tissue = {{"name", "tissue"},
                                   {"density_kg_per_m3", 1060},
                                   {"specific_heat_J_per_kg_K", 3600},
                                   {"conductivity_W_per_m_K", 0.5},
                                   {"electrical_S_per_m", 0.2},
                                   {"electrical_per_K", 0.015}};
    const nlohmann::json sphere = {{"sphere", {{"centre_mm", {15.3, 15.6, 15.4}}, {"radius_mm", 2}}}};
    const nlohmann::json electrode = {{"region", sphere}, {"potential_V", 10}};
    const nlohmann::json hold = {{"hold_degC", 70}, {"sensor_mm", {15.3, 19, 15.4}}, {"max_W", 20}};
    nlohmann::json source = {{"kind", "electrodes"}, {"outer", "grounded"}};
    source["electrodes"].push_back(electrode);
    source["control"] = hold;
    return {{"format", "spinetherm.problem"},
            {"version", 1},
            {"grid", {{"size", {32, 32, 32}}, {"spacing_mm", {1, 1, 1}}, {"origin_mm", {0, 0, 0}}}},
            {"tissues", {tissue}},
            {"labels", {{"uniform", 0}}},
            {"initial", {{"degC", 37}}},
            {"boundary", {{"all", {{"type", "fixed"}, {"degC", 37}}}}},
            {"sources", {source}},
            {"duration_s", 200},
            {"fields", {"temperature", "cem43", "peak_temperature"}}};
  }
  void write_problem(const nlohmann::json& document) const {
    std::ofstream(scratch / "hold.json") << document.dump();
  }
  Ran simulate(std::vector<std::string> options, int signal = 0, const std::string& when = "") const {
    RunOptions o;
    o.working_directory = scratch.path();
    o.interrupt_with = signal;
    o.interrupt_when = [&] { return fs::exists(scratch / when); };
    options.insert(options.begin(), {"simulate", "hold.json"});
    return run_program(options, o);
  }
  std::string contents(const std::string& name) const {
    std::ifstream in(scratch / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Without what differs from run to run.
  nlohmann::json result(const std::string& folder) const {
    nlohmann::json r = nlohmann::json::parse(contents(folder + "/result.json"));
    r.erase("wall_time_s");
    r.erase("peak_memory_MB");
    return r;
  }
  void expect_results_equal(const std::string& a, const std::string& b) const {
    EXPECT_EQ(result(a), result(b));
    for (const char* field : {"temperature", "cem43", "peak_temperature"}) {
      const std::string file = std::string("/fields/") + field + ".mha";
      ASSERT_FALSE(contents(a + file).empty());
      EXPECT_EQ(contents(a + file), contents(b + file)) << field;
    }
  }
  ScratchFolder scratch;
};

TEST_F(ResumeTest, CancelledThenKilledThenResumedGivesTheSameResult) {
  ASSERT_EQ(simulate({"--out", "whole", "--threads", "2"}).code, 0);
  EXPECT_FALSE(fs::exists(scratch / "whole/checkpoint"));

  const Ran cancelled =
      simulate({"--out", "dir", "--checkpoint-every", "0.05"}, SIGTERM, "dir/checkpoint/1.bin");
  EXPECT_EQ(cancelled.code, 3);
  EXPECT_THAT(cancelled.err, HasSubstr("cancelled; its checkpoint is kept"));
  EXPECT_THAT(cancelled.err, HasSubstr("--resume"));
  EXPECT_FALSE(fs::exists(scratch / "dir.partial"));

  // Later, while it works on the second run.
  const Ran killed = simulate({"--out", "dir", "--resume", "--checkpoint-every", "0.05", "--threads", "1"},
                              SIGKILL, "dir/checkpoint/2.bin");
  EXPECT_EQ(killed.code, -SIGKILL);
  EXPECT_TRUE(fs::exists(scratch / "dir.partial")) << "as it was killed";

  const Ran again = simulate({"--out", "dir"});
  EXPECT_EQ(again.code, 2) << "what has been computed is not thrown away";
  EXPECT_THAT(again.err, HasSubstr("--resume"));

  const Ran resumed = simulate({"--out", "dir", "--resume", "--threads", "2"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_results_equal("dir", "whole");
  EXPECT_FALSE(fs::exists(scratch / "dir/checkpoint"));
  EXPECT_FALSE(fs::exists(scratch / "dir.partial"));
}

TEST_F(ResumeTest, RefusesWhatCannotBeResumed) {
  EXPECT_THAT(simulate({"--resume"}).err, HasSubstr("--resume needs --out"));
  const Ran none = simulate({"--out", "dir", "--resume"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("there is no checkpoint to resume from"));
  EXPECT_FALSE(fs::exists(scratch / "dir"));

  simulate({"--out", "dir", "--checkpoint-every", "0.05"}, SIGTERM, "dir/checkpoint/1.bin");
  const std::string whole = contents("dir/checkpoint/1.bin");
  ASSERT_GT(whole.size(), 1000U);
  const auto refusal = [&](const std::string& bytes) {
    std::ofstream(scratch / "dir/checkpoint/1.bin", std::ios::binary) << bytes;
    const Ran ran = simulate({"--out", "dir", "--resume"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
    EXPECT_THAT(ran.err, HasSubstr("dir/checkpoint/1.bin"));
    EXPECT_THAT(ran.err, Not(HasSubstr("internal")));
    return ran.err;
  };
  for (const std::size_t size : {std::size_t(0), std::size_t(10), std::size_t(28), std::size_t(40),
                                 whole.size() / 2, whole.size() - 1})
    EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("damaged")) << size;
  std::string flipped = whole;
  flipped[whole.size() / 3] = char(flipped[whole.size() / 3] ^ 16);
  EXPECT_THAT(refusal(flipped), HasSubstr("damaged"));
  std::string other_version = whole;
  other_version.replace(0, whole.find('\n'), "spinetherm checkpoint 99.0.1");
  EXPECT_THAT(refusal(other_version), HasSubstr("written by version 99.0.1"));

  std::ofstream(scratch / "dir/checkpoint/1.bin", std::ios::binary) << whole;
  nlohmann::json other = problem();
  other["tissues"][0]["conductivity_W_per_m_K"] = 0.51;
  write_problem(other);
  const Ran ran = simulate({"--out", "dir", "--resume"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("of another problem"));
  EXPECT_THAT(ran.err, HasSubstr("dir/checkpoint"));
  EXPECT_EQ(contents("dir/checkpoint/1.bin"), whole) << "it is still there for its own problem";
}

TEST_F(ResumeTest, ResumeLeavesOtherResultsAlone) {
  fs::create_directories(scratch / "dir/checkpoint");
  std::ofstream(scratch / "dir/notes.txt") << "mine";
  std::ofstream(scratch / "dir/checkpoint/1.bin") << "x";
  EXPECT_EQ(simulate({"--out", "dir", "--resume"}).code, 2);
  EXPECT_EQ(contents("dir/notes.txt"), "mine");
}

}  // namespace
}  // namespace spinetherm
