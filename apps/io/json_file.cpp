// SPDX-License-Identifier: Apache-2.0
#include "apps/io/json_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/write.h"

namespace spinetherm {

void write_json_file(const nlohmann::ordered_json& document, const std::filesystem::path& path) {
  write_renamed(path, [&](const std::filesystem::path& partial) {
    std::ofstream out(partial, std::ios::binary);
    out << document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    out.close();
    if (!out) throw IoError("cannot be written", path.string(), "check the folder and the space on the disk");
  });
}

}  // namespace spinetherm
