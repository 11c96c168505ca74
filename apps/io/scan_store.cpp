// SPDX-License-Identifier: Apache-2.0
#include "apps/io/scan_store.h"

#include <cstdlib>

#include "apps/io/download.h"
#include "apps/io/provenance.h"

namespace spinetherm {
namespace fs = std::filesystem;

std::optional<fs::path> scans_folder(const fs::path& given) {
  if (!given.empty()) return given;
  const char* set = std::getenv("SPINETHERM_DATA");
  if (set != nullptr && *set != '\0') return set;
  return {};
}

std::string_view to_string(ScanState state) {
  switch (state) {
    case ScanState::missing:
      return "missing";
    case ScanState::partial:
      return "partial";
    case ScanState::damaged:
      return "damaged";
    case ScanState::found:
      return "found";
  }
  return "missing";
}

StoredScan stored_scan(const fs::path& folder, const SampleScan& scan) {
  StoredScan out;
  out.file = folder / scan.file;
  std::error_code none;
  if (fs::is_regular_file(out.file, none)) {
    out.bytes_there = std::int64_t(fs::file_size(out.file));
    const bool whole = out.bytes_there == scan.bytes && sha256_of(out.file) == scan.sha256;
    out.state = whole ? ScanState::found : ScanState::damaged;
  } else if (fs::exists(out.file, none)) {
    out.state = ScanState::damaged;  // a folder of that name
  } else if (fs::is_regular_file(partial_path(out.file), none)) {
    out.bytes_there = std::int64_t(fs::file_size(partial_path(out.file)));
    out.state = ScanState::partial;
  }
  return out;
}

}  // namespace spinetherm
