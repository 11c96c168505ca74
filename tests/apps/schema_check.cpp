// SPDX-License-Identifier: Apache-2.0
#include "tests/apps/schema_check.h"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "imaging/core/json_reader.h"

namespace spinetherm {

std::string schema_errors(const nlohmann::json& document, const std::string& kind) {
  const nlohmann::json text = parse_json_file(PROJECT_SOURCE_DIR "/apps/schema/" + kind + ".schema.json");
  valijson::Schema schema;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(text), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(document), &results)) return "";
  std::string lines;
  for (const auto& error : results) {
    for (const std::string& step : error.context) lines += step;
    lines += ": " + error.description + "\n";
  }
  return lines.empty() ? "invalid" : lines;
}

}  // namespace spinetherm
