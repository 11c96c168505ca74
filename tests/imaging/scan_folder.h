// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace spinetherm {

/// Tests on real scans: in the folder of SPINETHERM_DATA, else beside the project; skipped where it is
/// missing, as the scans are no part of the project.
class ScanFolderTest : public ::testing::Test {
 protected:
  static std::filesystem::path folder() {
    if (const char* set = std::getenv("SPINETHERM_DATA"); set != nullptr && *set != '\0') return set;
    return std::filesystem::path(PROJECT_SOURCE_DIR).parent_path() / "shared" / "scans";
  }
  void SetUp() override {
    if (!std::filesystem::is_directory(folder()))
      GTEST_SKIP() << "no scans at " << folder() << ": set SPINETHERM_DATA";
  }
};

}  // namespace spinetherm
