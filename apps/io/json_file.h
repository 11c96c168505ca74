// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace spinetherm {

/// Writes a document under a temporary name and renames it. NaN and infinity, which JSON lacks, become null.
/// IoError when the file cannot be written.
void write_json_file(const nlohmann::ordered_json& document, const std::filesystem::path& path);

}  // namespace spinetherm
