// SPDX-License-Identifier: Apache-2.0
#include "datasets/embedded_tables.h"

#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/core/text.h"

namespace spinetherm {

nlohmann::json embedded_document(std::string_view name) {
  std::vector<std::string> known;
  for (const EmbeddedTable& table : embedded_tables()) {
    if (table.name == name) return parse_json_text(table.text, std::string(name));
    known.emplace_back(table.name);
  }
  throw ConfigError("no table of that name was built in", std::string(name),
                    "did you mean '" + nearest_word(name, known) + "'?");
}

}  // namespace spinetherm
