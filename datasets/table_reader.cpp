// SPDX-License-Identifier: Apache-2.0
#include "datasets/table_reader.h"

#include "imaging/core/text.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kConfidenceWords = {"measured", "database", "recalled", "placeholder"};

}  // namespace

TableReader::TableReader(const JsonReader& document) {
  for (const auto& [key, text] : document.at("sources").members())
    sources_.emplace(key, text.as<std::string>());
}

Provenance TableReader::provenance(const JsonReader& object) const {
  const auto key = object.get<std::string>("source");
  const auto found = sources_.find(key);
  if (found == sources_.end()) {
    std::vector<std::string> known;
    for (const auto& [word, text] : sources_) known.push_back(word);
    object.at("source").fail(
        "unknown source '" + key + "'",
        known.empty() ? "describe it in 'sources'"
                      : "describe it in 'sources', or did you mean '" + nearest_word(key, known) + "'?");
  }
  return {found->second, Confidence(object.get_word("confidence", kConfidenceWords))};
}

TableNumber TableReader::number(const JsonReader& value, const std::optional<Provenance>& group) const {
  TableNumber out;
  if (!value.json().is_object()) {
    if (!group)
      value.fail("a number without a source", "write {\"value\": ..., \"source\": ..., \"confidence\": ...}");
    out.value = value.as<double>();
    out.provenance = *group;
    return out;
  }
  out.value = value.get<double>("value");
  out.provenance = provenance(value);
  out.range = value.get_optional<std::array<double, 2>>("range");
  value.finish();
  if (out.range && ((*out.range)[0] > out.value || (*out.range)[1] < out.value))
    value.at("range").fail("the range does not hold the value", "give [low, high] around the value");
  return out;
}

}  // namespace spinetherm
