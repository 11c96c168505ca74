// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "imaging/core/json_reader.h"

namespace spinetherm {

struct EvidenceDesign {
  std::string design;
  int articles = 0;
  std::string references = {};
};

/// A row of published evidence: studies of one guidance and energy, or a group of such rows. Numbers are the
/// review's own, also where they contradict each other (evidence_checks.h). Empty: the review does not say.
struct EvidenceRow {
  std::string id, part_of;  ///< part_of: the group whose part it is; empty for the whole
  std::string guidance, energy;
  std::string technique;  ///< rfa, mwa, cryo, laser, several; empty for groups
  std::string section;    ///< of the review
  int articles = 0;
  std::string references;  ///< numbers in the review: "21,49,63-65"
  std::optional<int> patients = {}, lesions = {}, male = {}, female = {};
  std::optional<int> complete_success_studies = {};  ///< a flag of whole studies, no rate
  std::string complete_success_words;                ///< what the review calls it
  std::string complications, nerve_references;       ///< the latter: studies that name a nerve injury
  std::optional<double> mean_followup_months = {}, mean_age_years = {};
  std::optional<int> mean_followup_articles = {}, mean_age_articles = {};  ///< empty: of all
  std::optional<std::array<double, 2>> followup_months = {}, age_years = {};
  std::vector<std::pair<std::string, int>> sites;      ///< lesions by evidence_sites(), in that order
  std::string all_sites_in;                            ///< "thoracic": all lesions are there, uncounted
  std::optional<int> sites_articles = {};              ///< empty: of all
  std::vector<std::pair<std::string, int>> primaries;  ///< patients, most first
  std::vector<std::pair<std::string, double>> primary_shares_percent;  ///< where the review gives only these
  std::vector<EvidenceDesign> designs;
  std::string note;
};

/// A quantity summed over rows. `mean_followup_months` is not summed but averaged over the patients of all
/// rows without parts beneath `rows` that tell it.
struct EvidenceCount {
  std::string quantity;
  std::vector<std::string> rows;
};

/// Something that the review says in its text and that its rows can answer. One of: `part`, `part` of `of`
/// (a ratio, or a percentage), `cited` references (that are within `cited_within`), the length of `listed`.
struct EvidenceStatement {
  std::string id, text;
  std::optional<double> stated = {};
  double within = 0;  ///< rounding of the stated number
  std::optional<EvidenceCount> part = {}, of = {};
  bool percent = false;
  std::string cited, cited_within;
  std::vector<std::string> listed;
};

struct EvidenceChange {
  std::string row, key;  ///< key: articles, patients, lesions, male, female, complete_success_studies
  int value = 0;
};
/// A reading of the review that makes numbers agree. Never applied to what is shown.
struct EvidenceRepair {
  std::string text;
  std::vector<EvidenceChange> changes;
};
/// Where the review contradicts itself or its sources.
struct EvidenceInconsistency {
  std::string id;
  std::vector<std::string> rows, checks;  ///< checks: ids of evidence_checks.h that show it
  std::string text;
  std::string source;  ///< when another than the review
  std::optional<EvidenceRepair> repair = {};
};

struct EvidenceTable {
  std::string source, notes;
  std::string complete_success;  ///< the review's criterion for the flag
  std::vector<EvidenceRow> rows;
  std::vector<EvidenceStatement> statements;
  std::vector<EvidenceInconsistency> inconsistencies;
};
/// datasets/evidence/evidence.json: shown beside simulations, never used to tune them.
const EvidenceTable& evidence_table();

/// Reads a document of the format "spinetherm.evidence". ConfigError with the JSON pointer.
EvidenceTable read_evidence(const JsonReader& document);

/// cervical, thoracic, lumbar, sacral, coccyx, sacral_or_coccyx, ilium, periacetabulum.
const std::vector<std::string>& evidence_sites();

/// ConfigError when there is no row of that name.
const EvidenceRow& evidence_row(const EvidenceTable& table, const std::string& id);
/// The rows that are directly part of it.
std::vector<const EvidenceRow*> parts_of(const EvidenceTable& table, const std::string& id);

/// {21, 49, 63, 64, 65} of "21,49,63-65". ConfigError for anything else.
std::set<int> reference_numbers(const std::string& text);

/// A number that the row itself states; empty when it does not. Quantities: articles, patients, lesions,
/// male, female, sexes, sites, each of evidence_sites(), complete_success_studies, studies_not_flagged,
/// patients_in_flagged_studies (only where all or none of the studies are), mean_followup_months, and
/// "design: retrospective". ConfigError for another word.
std::optional<double> stated_quantity(const EvidenceRow& row, const std::string& quantity);

/// The table with the changes of the repair.
EvidenceTable repaired(const EvidenceTable& table, const EvidenceRepair& repair);

}  // namespace spinetherm
