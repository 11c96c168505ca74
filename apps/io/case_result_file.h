// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/io/provenance.h"
#include "planning/coverage.h"
#include "planning/eligibility.h"
#include "planning/safety.h"
#include "thermal/result.h"

namespace spinetherm {

/// What `run` and `check` say of one simulated plan (spinetherm.case_result).
struct CaseResult {
  ExposureReport exposure;
  Eligibility eligibility;
  Coverage coverage;
  std::optional<std::string> plan = {};  ///< path of the plan, relative to the result's folder
  nlohmann::ordered_json registration = nullptr;
  ErrorEstimate error_estimate;
  std::vector<std::string> warnings;
  RunProvenance provenance;

  /// Exit code 1 of the command line: unsafe, unknown or refer.
  bool needs_attention() const;
};

/// Unknown is null, never 0.
nlohmann::ordered_json to_json(const CaseResult& result);

}  // namespace spinetherm
