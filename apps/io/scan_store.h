// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/scan_catalogue.h"

namespace spinetherm {

/// The folder of the sample scans: the given one (`--data`), else that of the environment variable
/// SPINETHERM_DATA, else none.
std::optional<std::filesystem::path> scans_folder(const std::filesystem::path& given);

enum class ScanState { missing, partial, damaged, found };
std::string_view to_string(ScanState state);

struct StoredScan {
  ScanState state = ScanState::missing;
  std::filesystem::path file;    ///< where it lies or belongs
  std::int64_t bytes_there = 0;  ///< of `file`; of the unfinished download when the state is partial
};
/// Looks the scan up and compares its SHA-256: nothing else makes it found. IoError when it cannot be read.
StoredScan stored_scan(const std::filesystem::path& folder, const SampleScan& scan);

}  // namespace spinetherm
