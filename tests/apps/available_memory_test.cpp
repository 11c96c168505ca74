// SPDX-License-Identifier: Apache-2.0
#include "apps/io/available_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

TEST(AvailableMemory, IsWhatTheSystemAndTheControlGroupLeave) {
  const ScratchFolder folder;
  const auto put = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };
  const auto available = [&] { return available_memory_bytes(folder / "meminfo", folder.path()); };
  EXPECT_TRUE(std::isinf(available()));
  put("meminfo",
      "MemTotal:       8000 kB\nMemFree:         100 kB\nMemAvailable:   2000 kB\nBuffers: 1 kB\n");
  EXPECT_EQ(available(), 2000 * 1024.0);
  put("memory.max", "max\n");
  put("memory.current", "500000\n");
  EXPECT_EQ(available(), 2000 * 1024.0);
  put("memory.max", "1500000\n");
  EXPECT_EQ(available(), 1e6);
  put("memory.current", "2000000\n");
  EXPECT_EQ(available(), 0);
}

TEST(AvailableMemory, OfThisMachineIsSomething) { EXPECT_GT(available_memory_bytes(), 1e6); }

}  // namespace
}  // namespace spinetherm
