// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace spinetherm {

/// Memory [B] that a program can still take without swapping: MemAvailable of /proc/meminfo, and no more than
/// the limit of its control group leaves (cgroup v2: memory.max, memory.current). Infinite where nothing is
/// known.
double available_memory_bytes(const std::filesystem::path& meminfo = "/proc/meminfo",
                              const std::filesystem::path& cgroup = "/sys/fs/cgroup");

}  // namespace spinetherm
