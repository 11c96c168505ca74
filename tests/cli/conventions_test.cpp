// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

/// Bad input is one line "error: <what> (<where>): <what to do>" on stderr, nothing on stdout, exit 2.
MATCHER_P(IsRefusal, part, "") {
  *result_listener << "code " << arg.code << ", out '" << arg.out << "', err '" << arg.err << "'";
  return arg.code == 2 && arg.out.empty() && arg.err.starts_with("error: ") &&
         std::count(arg.err.begin(), arg.err.end(), '\n') == 1 && arg.err.back() == '\n' &&
         arg.err.find("): ") != std::string::npos && arg.err.find(part) != std::string::npos;
}

TEST(CommandLine, SaysItsVersion) {
  const Ran ran = run_program({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, MatchesRegex("spinetherm [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST(CommandLine, HelpNamesTheCommandsAndWhatItIsNotFor) {
  const Ran ran = run_program({"--help"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("    info "));
  EXPECT_THAT(ran.out, HasSubstr("Simulation for research and teaching. Not for treating patients."));
}

TEST(CommandLine, RefusesNoCommand) { EXPECT_THAT(run_program({}), IsRefusal("no command")); }

TEST(CommandLine, NamesTheNearestCommand) {
  EXPECT_THAT(run_program({"inof"}), IsRefusal("unknown command 'inof' (spinetherm): did you mean 'info'?"));
}

TEST(CommandLine, NamesTheNearestOption) {
  EXPECT_THAT(run_program({"info", "x", "--jsno"}),
              IsRefusal("unknown option '--jsno' (spinetherm info): did you mean '--json'?"));
  EXPECT_THAT(run_program({"info", "x", "--thread=3"}), IsRefusal("did you mean '--threads'?"));
}

TEST(CommandLine, RefusesMissingAndSurplusArguments) {
  EXPECT_THAT(run_program({"info"}), IsRefusal("PATH is required"));
  EXPECT_THAT(run_program({"info", "a", "b"}), IsRefusal("one argument too many: 'b'"));
}

TEST(CommandLine, RefusesOptionValuesThatCannotBeMeant) {
  for (const char* value : {"0", "-1", "two", "1e9", "", "99999999999999999999"})
    EXPECT_THAT(run_program({"info", "x", "--threads", value}), IsRefusal("--threads")) << value;
  for (const char* value : {"-1", "x", "1.5"})
    EXPECT_THAT(run_program({"info", "x", "--seed", value}), IsRefusal("--seed")) << value;
}

TEST(CommandLine, AMissingFileIsOneLine) {
  const ScratchFolder scratch;
  EXPECT_THAT(run_program({"info", (scratch / "no such file.nii.gz").string()}),
              IsRefusal("no such file.nii.gz"));
  EXPECT_THAT(run_program({"info", (scratch / "two\nlines").string(), "--json"}), IsRefusal("two lines"));
}

TEST(CommandLine, AFullDiskOnStdoutIsNotSilent) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  const std::string command = std::string(SPINETHERM_PROGRAM) + " --help > /dev/full 2> /dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 2);
}

}  // namespace
}  // namespace spinetherm
