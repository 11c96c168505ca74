// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace spinetherm {

/// What a result was made from and by.
struct RunProvenance {
  std::string version;
  std::vector<std::string> argv;
  std::uint64_t seed = 1;
  int threads = 0;
  std::map<std::string, std::string> inputs_sha256;  ///< path as given -> hexadecimal digest
};

/// SHA-256 of a file; of a folder: of the sorted list of its files' names and digests. IoError when it cannot
/// be read.
std::string sha256_of(const std::filesystem::path& path);

nlohmann::ordered_json to_json(const RunProvenance& provenance);

}  // namespace spinetherm
