// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>

namespace spinetherm {

/// Where the tests look for sample scans: SPINETHERM_DATA, else ../shared/scans beside the project. It may
/// not be there, as the scans are no part of the project.
inline std::filesystem::path sample_scans() {
  if (const char* set = std::getenv("SPINETHERM_DATA"); set != nullptr && *set != '\0') return set;
  return std::filesystem::path(PROJECT_SOURCE_DIR).parent_path() / "shared" / "scans";
}

}  // namespace spinetherm
