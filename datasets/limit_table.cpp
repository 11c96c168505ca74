// SPDX-License-Identifier: Apache-2.0
#include "datasets/limit_table.h"

#include "datasets/embedded_tables.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kConfidence = {"high", "medium to high", "medium", "low to medium", "low"};

}  // namespace

std::vector<ExposureLimit> read_limits(const JsonReader& document) {
  expect_format(document, "limits");
  document.get_or<std::string>("notes", "");
  const JsonReader list = document.at("limits");
  std::vector<ExposureLimit> out;
  for (const JsonReader& r : list.elements()) {
    ExposureLimit limit;
    limit.id = r.get<std::string>("id");
    limit.structure = r.get<std::string>("structure");
    limit.quantity = r.get<std::string>("quantity");
    limit.above = r.get<bool>("above");
    limit.caution = r.get_optional<double>("caution");
    limit.unsafe = r.get_optional<double>("unsafe");
    limit.when = r.get_or<std::vector<std::string>>("when", {});
    limit.unsafe_with = r.get_or<std::string>("unsafe_with", "");
    limit.unit = r.get<std::string>("unit");
    limit.source = r.get<std::string>("source");
    limit.confidence = kConfidence[r.get_word("confidence", kConfidence)];
    limit.text = r.get<std::string>("text");
    if (limit.source.empty()) r.at("source").fail("a limit without a source", "say where it comes from");
    r.finish();
    validate(limit, r.pointer());
    out.push_back(std::move(limit));
  }
  document.finish();
  validate(out, list.pointer());
  return out;
}

const std::vector<ExposureLimit>& limit_table() {
  static const std::vector<ExposureLimit> limits = [] {
    const auto json = embedded_document("limits.json");
    return read_limits(JsonReader(json));
  }();
  return limits;
}

}  // namespace spinetherm
