// SPDX-License-Identifier: Apache-2.0
#include "datasets/evidence_table.h"

#include "datasets/embedded_tables.h"

namespace spinetherm {

EvidenceTable read_evidence(const JsonReader& document) {
  expect_format(document, "evidence");
  EvidenceTable out;
  out.source = document.get<std::string>("source");
  out.notes = document.get<std::string>("notes");
  for (const JsonReader& r : document.at("rows").elements()) {
    EvidenceRow row;
    row.id = r.get<std::string>("id");
    row.guidance = r.get<std::string>("guidance");
    row.energy = r.get<std::string>("energy");
    row.articles = r.get<int>("articles");
    row.references = r.get<std::string>("references");
    row.patients = r.get_optional<int>("patients");
    row.lesions = r.get_optional<int>("lesions");
    row.complete_success_studies = r.get_optional<int>("complete_success_studies");
    row.mean_followup_months = r.get_optional<double>("mean_followup_months");
    row.complications = r.get_or<std::string>("complications", "");
    row.note = r.get_or<std::string>("note", "");
    r.finish();
    if (row.complete_success_studies.value_or(0) > row.articles)
      r.at("complete_success_studies").fail("more successes than studies", "count studies");
    for (const EvidenceRow& other : out.rows)
      if (other.id == row.id) r.at("id").fail("the row '" + row.id + "' is named twice", "rename one");
    out.rows.push_back(std::move(row));
  }
  document.finish();
  return out;
}

const EvidenceTable& evidence_table() {
  static const EvidenceTable table = [] {
    const auto json = embedded_document("evidence.json");
    return read_evidence(JsonReader(json));
  }();
  return table;
}

}  // namespace spinetherm
