// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/evidence_table.h"

namespace spinetherm {

/// What the recount says of the stated number.
enum class CheckState {
  holds,
  below,  ///< fewer than stated, though all that count tell theirs
  above,  ///< more than stated: that cannot be
  open,   ///< rows that count do not tell theirs, and what they do tell leaves room for the stated number
  not_stated,  ///< recounted only
};
std::string_view to_string(CheckState state);

/// A number of the review beside what its own rows add up to.
struct EvidenceCheck {
  std::string id;    ///< "X1b.sexes" (within a row), "X1.parts.patients" (over its parts), or of a statement
  std::string text;  ///< what is counted
  std::optional<double> stated = {};
  double recounted = 0;                       ///< the least, when rows leave it open
  std::optional<double> up_to = {};           ///< the most, when it differs from `recounted`
  std::vector<std::string> not_told_by = {};  ///< rows that count and do not tell
  std::optional<double> part = {}, of = {};   ///< of a ratio or percentage
  CheckState state = CheckState::not_stated;
};

/// Every recount of the table, computed from its rows:
///   ROW.references   references against articles              ROW.designs  designs against articles
///   ROW.sexes        men + women against patients             ROW.sites    sites against lesions
///   ROW.parts.Q      sum of Q over the parts of a group against the group, Q being articles, references,
///                    patients, lesions, complete_success_studies, and for the whole male, female, each site
///   and each statement by its own name.
/// A part that does not state Q itself counts by its own parts.
std::vector<EvidenceCheck> evidence_checks(const EvidenceTable& table);

/// The check of that name. ConfigError when there is none.
const EvidenceCheck& evidence_check(const std::vector<EvidenceCheck>& checks, const std::string& id);

/// Lesions of the rows that do not state them, where a group's total leaves one such row: total - the others.
std::map<std::string, int> lesions_by_difference(const EvidenceTable& table);

/// How a flag on whole studies depends on how large and long they are, from the rows without parts.
struct FlagFigures {
  int studies = 0, flagged = 0;
  double patients_per_flagged_study = 0, patients_per_other_study = 0;
  double followup_months_flagged = 0, followup_months_other = 0;  ///< weighted by patients
};
/// `technique`: only rows of it; empty: all. Rows of which only some studies are flagged count in `studies`
/// and `flagged` alone. A figure without a study behind it is NaN.
FlagFigures flag_figures(const EvidenceTable& table, const std::string& technique = "");

/// Studies beneath the row, itself included, that name a nerve injury.
int nerve_studies(const EvidenceTable& table, const std::string& row);

}  // namespace spinetherm
