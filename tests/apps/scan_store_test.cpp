// SPDX-License-Identifier: Apache-2.0
#include "apps/io/scan_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

class ScanStore : public ::testing::Test {
 protected:
  ScanStore() {
    scan.file = "ct/abc.txt";
    scan.bytes = 3;
    scan.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-2, B.1
    std::filesystem::create_directory(scratch / "ct");
  }
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(scratch / name) << bytes;
  }
  StoredScan there() const { return stored_scan(scratch.path(), scan); }
  SampleScan scan;
  ScratchFolder scratch;
};

TEST_F(ScanStore, OnlyTheVeryBytesAreFound) {
  EXPECT_EQ(there().state, ScanState::missing);
  EXPECT_EQ(there().file, scratch / "ct/abc.txt");
  put("ct/abc.txt.part", "a");
  EXPECT_EQ(there().state, ScanState::partial);
  EXPECT_EQ(there().bytes_there, 1);
  put("ct/abc.txt", "abd");
  EXPECT_EQ(there().state, ScanState::damaged);
  put("ct/abc.txt", "abcd");
  EXPECT_EQ(there().state, ScanState::damaged);
  put("ct/abc.txt", "abc");
  EXPECT_EQ(there().state, ScanState::found);
  EXPECT_EQ(to_string(there().state), "found");
  std::filesystem::remove(scratch / "ct/abc.txt");
  std::filesystem::create_directory(scratch / "ct/abc.txt");
  EXPECT_EQ(there().state, ScanState::damaged);
}

TEST_F(ScanStore, TheGivenFolderComesBeforeTheEnvironment) {
  const char* before = std::getenv("SPINETHERM_DATA");
  const std::string kept = before == nullptr ? "" : before;
  setenv("SPINETHERM_DATA", "/b", 1);
  EXPECT_EQ(scans_folder("/a"), "/a");
  EXPECT_EQ(scans_folder(""), "/b");
  setenv("SPINETHERM_DATA", "", 1);
  EXPECT_FALSE(scans_folder(""));
  unsetenv("SPINETHERM_DATA");
  EXPECT_FALSE(scans_folder(""));
  if (before != nullptr) setenv("SPINETHERM_DATA", kept.c_str(), 1);
}

}  // namespace
}  // namespace spinetherm
