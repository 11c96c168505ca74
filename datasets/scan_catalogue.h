// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/json_reader.h"

namespace spinetherm {

/// A public scan by others, known byte by byte. It is no part of the project.
struct SampleScan {
  std::string name;      ///< "lumbar-ct"
  std::string file;      ///< where it lies in a folder of scans: "ct/ts_example_ct.nii.gz"
  std::string modality;  ///< CT, CBCT, labels, "MR T1", ...
  std::string what;
  std::string repository, commit, path;  ///< where it comes from: GitHub owner/name, commit, path there
  bool archive_of_folder = false;  ///< made of the folder `path`, so that no address gives its very bytes
  std::string licence, licence_note;
  std::array<int, 3> size{};                             ///< voxels
  std::optional<std::array<double, 3>> spacing_mm = {};  ///< empty: uneven
  std::int64_t bytes = 0;
  std::string sha256;  ///< hexadecimal
};
struct ScanCatalogue {
  std::string notes;
  std::vector<SampleScan> scans;
};
/// datasets/tables/scans.json.
const ScanCatalogue& scan_catalogue();

/// Reads a document of the format "spinetherm.scans". ConfigError with the JSON pointer.
ScanCatalogue read_scan_catalogue(const JsonReader& document);

/// ConfigError when the catalogue has no scan of that name.
const SampleScan& sample_scan(const std::string& name);

/// The address of the file at its commit; empty for an archive that was made of a folder.
std::optional<std::string> url_of(const SampleScan& scan);
/// A path as part of an address: "a%20b/c".
std::string percent_encoded(const std::string& path);

}  // namespace spinetherm
