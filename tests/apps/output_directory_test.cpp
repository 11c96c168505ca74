// SPDX-License-Identifier: Apache-2.0
#include "apps/output_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "imaging/core/error.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Property;
using ::testing::ThrowsMessage;

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }
std::string read(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class OutputDirectoryTest : public ::testing::Test {
 protected:
  OutputDirectoryTest() : before_(fs::current_path()) { fs::current_path(scratch.path()); }
  ~OutputDirectoryTest() override { fs::current_path(before_); }
  OutputOptions given(const fs::path& path, bool force = false) { return {path, force, "run", "case"}; }
  ScratchFolder scratch;

 private:
  fs::path before_;
};

TEST_F(OutputDirectoryTest, TakesTheNextFreeNumber) {
  fs::create_directories("out/run-lumbar_L3-001");
  OutputDirectory output({{}, false, "run", "lumbar L3"});
  EXPECT_EQ(output.final_path(), scratch / "out/run-lumbar_L3-002");
  EXPECT_FALSE(fs::exists(output.final_path()));
  write(output.working() / "result.json", "{}");
  output.commit();
  EXPECT_EQ(read("out/run-lumbar_L3-002/result.json"), "{}");
  EXPECT_THAT(scratch.listing(),
              ElementsAre("out/", "out/run-lumbar_L3-001/", "out/run-lumbar_L3-002/",
                          "out/run-lumbar_L3-002/.spinetherm", "out/run-lumbar_L3-002/result.json"));
}

TEST_F(OutputDirectoryTest, TwoAtOnceDoNotShareANumber) {
  OutputDirectory first({{}, false, "demo", ""});
  OutputDirectory second({{}, false, "demo", ""});
  EXPECT_EQ(first.final_path(), scratch / "out/demo-001");
  EXPECT_EQ(second.final_path(), scratch / "out/demo-002");
}

TEST_F(OutputDirectoryTest, LeavesNothingBehindWithoutCommit) {
  {
    OutputDirectory output(given("deep/er/results"));
    write(output.working() / "half.json", "{");
    EXPECT_TRUE(fs::exists(scratch / "deep/er/results.partial/half.json"));
  }
  EXPECT_THAT(scratch.listing(), IsEmpty());
}

TEST_F(OutputDirectoryTest, KeepsParentsThatWereThereOrHoldOtherThings) {
  fs::create_directories("mine");
  { const OutputDirectory output(given("mine/new/results")); }
  EXPECT_THAT(scratch.listing(), ElementsAre("mine/"));
  {
    const OutputDirectory output(given("mine/new/results"));
    write("mine/new/notes.txt", "x");
  }
  EXPECT_THAT(scratch.listing(), ElementsAre("mine/", "mine/new/", "mine/new/notes.txt"));
}

TEST_F(OutputDirectoryTest, RefusesADirectoryThatExists) {
  fs::create_directory("results");
  EXPECT_THAT([&] { OutputDirectory output(given("results/")); },
              ThrowsMessage<IoError>(HasSubstr("the output directory exists")));
  write("file", "x");
  EXPECT_THAT([&] { OutputDirectory output(given("file", true)); },
              ThrowsMessage<IoError>(HasSubstr("not a directory")));
  EXPECT_THAT([&] { OutputDirectory output(given("file/below", true)); },
              ThrowsMessage<IoError>(HasSubstr("file")));
  EXPECT_THAT(scratch.listing(), ElementsAre("file", "results/"));
}

TEST_F(OutputDirectoryTest, ForceReplacesEarlierResultsAsAWhole) {
  for (const char* name : {"old.json", "new.json"}) {
    OutputDirectory output(given("results", true));
    write(output.working() / name, name);
    output.commit();
  }
  EXPECT_THAT(scratch.listing(), ElementsAre("results/", "results/.spinetherm", "results/new.json"));
}

TEST_F(OutputDirectoryTest, ForceKeepsTheOldResultsUntilTheNewAreComplete) {
  {
    OutputDirectory output(given("results"));
    write(output.working() / "old.json", "old");
    output.commit();
  }
  {
    OutputDirectory output(given("results", true));
    write(output.working() / "new.json", "half");
  }
  EXPECT_THAT(scratch.listing(), ElementsAre("results/", "results/.spinetherm", "results/old.json"));
}

TEST_F(OutputDirectoryTest, ForceDeletesNothingThatIsNotOurs) {
  fs::create_directories("home/fields");
  write("home/thesis.tex", "years of work");
  write("home/result.json", "old");
  OutputDirectory output(given("home", true));
  write(output.working() / "result.json", "new");
  output.commit();
  EXPECT_EQ(read("home/thesis.tex"), "years of work");
  EXPECT_EQ(read("home/result.json"), "new");
  EXPECT_FALSE(fs::exists("home/.spinetherm"));
}

TEST_F(OutputDirectoryTest, AKilledRunIsNamedAndForceClearsIt) {
  fs::create_directory("results.partial");
  EXPECT_THAT([&] { OutputDirectory output(given("results")); },
              ThrowsMessage<IoError>(HasSubstr("was killed")));
  EXPECT_TRUE(fs::exists("results.partial"));
  OutputDirectory output(given("results", true));
  output.commit();
  EXPECT_THAT(scratch.listing(), ElementsAre("results/", "results/.spinetherm"));
}

TEST_F(OutputDirectoryTest, CheckpointsOfAStoppedRunAreReplacedOnlyByOneThatResumes) {
  fs::create_directories("results/checkpoint");
  EXPECT_THAT([&] { OutputDirectory output(given("results")); },
              ThrowsMessage<IoError>(HasSubstr("--resume")));
  OutputOptions options = given("results");
  options.resume = true;
  { OutputDirectory stopped_again(options); }
  EXPECT_THAT(scratch.listing(), ElementsAre("results/", "results/checkpoint/"));
  OutputDirectory output(options);
  write(output.working() / "result.json", "{}");
  output.commit();
  EXPECT_THAT(scratch.listing(), ElementsAre("results/", "results/.spinetherm", "results/result.json"));
  EXPECT_THAT([&] { OutputDirectory(OutputOptions(options)); },
              ThrowsMessage<IoError>(HasSubstr("the output directory exists")));
}

TEST_F(OutputDirectoryTest, ResumingClearsWhatAKilledRunLeftButNotALivingOne) {
  OutputOptions options = given("results");
  options.resume = true;
  fs::create_directory("results.partial");
  {
    const OutputDirectory living(options);
    EXPECT_THAT([&] { OutputDirectory(OutputOptions(options)); },
                ThrowsMessage<IoError>(HasSubstr("another run writes there")));
    EXPECT_TRUE(fs::exists(living.working()));
  }
  EXPECT_THAT(scratch.listing(), IsEmpty());
}

TEST_F(OutputDirectoryTest, NamesCannotLeaveTheOutputFolder) {
  const OutputDirectory output({{}, false, "run", "../../etc"});
  EXPECT_EQ(output.final_path().parent_path(), scratch / "out");
}

TEST_F(OutputDirectoryTest, AFileIsFreeUnlessItExists) {
  write("image.nii.gz", "x");
  EXPECT_THAT([] { require_free_file("image.nii.gz", false); },
              ThrowsMessage<IoError>(HasSubstr("the output file exists")));
  EXPECT_NO_THROW(require_free_file("image.nii.gz", true));
  EXPECT_NO_THROW(require_free_file("other.nii.gz", false));
  EXPECT_THAT([&] { require_free_file(scratch.path(), true); },
              ThrowsMessage<IoError>(HasSubstr("is a directory")));
  EXPECT_THAT([] { require_free_file("nowhere/a.nrrd", true); },
              ThrowsMessage<IoError>(HasSubstr("no such folder")));
}

}  // namespace
}  // namespace spinetherm
