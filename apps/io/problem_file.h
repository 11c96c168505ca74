// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "thermal/problem.h"

namespace spinetherm {

/// Reads a `spinetherm.problem`. Files that it names are looked for beside it, and must lie on its grid.
/// Needed: grid, tissues, labels, initial, boundary, and duration_s or until; blood when a tissue is
/// perfused. Beyond the design's example the format holds, so that every ThermalProblem can be written:
///   "factors": {"conductivity" | "heat_capacity" | "perfusion" | "electrical": "file.mha"}   (CellFactors)
///   "insulators": [region, ...] in an electrodes source
/// The problem is checked by validate(ThermalProblem) as well, so that nothing is refused after the first
/// step. ConfigError and IoError with the file and the JSON pointer.
ThermalProblem read_problem(const std::filesystem::path& path);

/// As read_problem(), of a document at hand; files are looked for in `folder`.
ThermalProblem parse_problem(const nlohmann::json& document, const std::filesystem::path& folder);

/// Writes a problem so that read_problem() gives it back (without the tissues' provenance, which the format
/// does not hold): labels that differ, factors and fields go to <stem>_<name>.mha beside it. IoError.
void write_problem(const ThermalProblem& problem, const std::filesystem::path& path);

}  // namespace spinetherm
