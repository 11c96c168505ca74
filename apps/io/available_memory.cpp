// SPDX-License-Identifier: Apache-2.0
#include "apps/io/available_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace spinetherm {
namespace {

/// The first word of a file as a number; empty where it is none ("max") or there is no file.
std::optional<double> number_in(const std::filesystem::path& path) {
  std::ifstream in(path);
  double value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

}  // namespace

double available_memory_bytes(const std::filesystem::path& meminfo, const std::filesystem::path& cgroup) {
  double available = std::numeric_limits<double>::infinity();
  std::ifstream in(meminfo);
  for (std::string key, rest; in >> key && std::getline(in, rest);)
    if (key == "MemAvailable:") {
      available = 1024 * std::stod(rest);
      break;
    }
  const auto most = number_in(cgroup / "memory.max"), taken = number_in(cgroup / "memory.current");
  if (most && taken) available = std::min(available, std::max(0.0, *most - *taken));
  return available;
}

}  // namespace spinetherm
