// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/sample_scans.h"

namespace spinetherm {

/// Tests on real scans: in the folder of SPINETHERM_DATA, else beside the project; skipped where it is
/// missing, as the scans are no part of the project.
class ScanFolderTest : public ::testing::Test {
 protected:
  static std::filesystem::path folder() { return sample_scans(); }
  void SetUp() override {
    if (!std::filesystem::is_directory(folder()))
      GTEST_SKIP() << "no scans at " << folder() << ": set SPINETHERM_DATA";
  }
};

}  // namespace spinetherm
