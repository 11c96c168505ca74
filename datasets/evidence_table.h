// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imaging/core/json_reader.h"

namespace spinetherm {

/// A row of published evidence: studies of one guidance and energy. Empty: the review does not say.
struct EvidenceRow {
  std::string id, guidance, energy;
  int articles = 0;
  std::string references;  ///< numbers in the review
  std::optional<int> patients = {}, lesions = {};
  std::optional<int> complete_success_studies = {};  ///< a flag of whole studies, no rate
  std::optional<double> mean_followup_months = {};
  std::string complications, note;
};
struct EvidenceTable {
  std::string source, notes;
  std::vector<EvidenceRow> rows;
};
/// datasets/tables/evidence.json: shown beside simulations, never used to tune them.
const EvidenceTable& evidence_table();

/// Reads a document of the format "spinetherm.evidence". ConfigError with the JSON pointer.
EvidenceTable read_evidence(const JsonReader& document);

}  // namespace spinetherm
