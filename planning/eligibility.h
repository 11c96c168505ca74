// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planning/verdict.h"

namespace spinetherm {

/// What the clinic says of a patient (case.json, `clinical`); empty: not told, and so unknown.
struct ClinicalFacts {
  std::optional<std::string> goal = {};  ///< palliation, local_control
  std::optional<bool> deficit = {};      ///< new neurological deficit
  /// SINS points for pain: 0 none, 1 occasional and not mechanical, 3 mechanical.
  std::optional<int> sins_pain = {};
  std::optional<double> previous_dose_Gy = {};  ///< to the cord
  std::optional<bool> anticoagulated = {}, implants = {}, pacemaker = {};
  std::optional<std::string> primary = {};  ///< "breast", "RCC", "thyroid" ...
  bool operator==(const ClinicalFacts&) const = default;
};

/// What images say of the target; empty: not computed.
struct TargetFacts {
  std::string level;
  std::string kind;                          ///< lytic, blastic, mixed, marrow; empty: not known
  std::optional<std::string> escc = {};      ///< epidural grade 0, 1a, 1b, 1c, 2, 3; needs an MRI or a truth
  std::optional<double> collapse = {};       ///< lost share of the body's height, 0..1
  std::optional<double> body_involved = {};  ///< share of the body that is tumour, 0..1
  std::optional<int> alignment_points = {};  ///< SINS: 0 normal, 2 deformity, 4 subluxation
  std::optional<int> posterolateral_sides = {};  ///< 0, 1 or 2 sides with pedicle, facet or rib joint
  std::optional<double> posterior_wall_defect_mm = {};
  bool operator==(const TargetFacts&) const = default;
};

/// An item of the score with its points.
struct SinsItem {
  std::string name;  ///< location, pain, bone lesion, alignment, collapse, posterolateral involvement
  int lowest = 0, highest = 0;
  bool operator==(const SinsItem&) const = default;
};
/// Spinal instability neoplastic score (Fisher et al. 2010, doi:10.1097/BRS.0b013e3181e16ae2), as a range
/// while items are unknown. 0-6 stable, 7-12 indeterminate, 13-18 unstable.
struct Sins {
  int lowest = 0, highest = 18;
  std::vector<SinsItem> items;  ///< the six, once assessed
  std::vector<std::string> unknown_items;
  bool operator==(const Sins&) const = default;
};
Sins sins_range(const ClinicalFacts& clinical, const TargetFacts& target);

struct Eligibility {
  EligibilityVerdict verdict = EligibilityVerdict::unknown;
  std::vector<std::string> reasons = {"eligibility was not assessed"};
  Sins sins;
};

/// Epidural grade, deficit and SINS decide (refer: grade 2-3, new deficit, SINS >= 13; proceed_with: 1c,
/// SINS 7-12); anticoagulation, pacemaker, implants, previous dose and a hypervascular primary ask for a
/// measure. What is not told is unknown. `modality` and `monopolar` are those of the plan at hand.
/// ConfigError for a grade, a pain score or a share out of range.
Eligibility assess_eligibility(const ClinicalFacts& clinical, const TargetFacts& target,
                               const std::string& modality = "rfa", bool monopolar = false);

}  // namespace spinetherm
