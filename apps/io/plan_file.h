// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "planning/plan.h"

namespace spinetherm {

/// Reads a `spinetherm.plan`; `roll_deg` (0), `deployment` (1), `protections`, `cement`, `score` and `state`
/// (proposed) may be absent. Checked by validate(Plan). ConfigError and IoError with the file and pointer.
Plan read_plan(const std::filesystem::path& path);
void write_plan(const Plan& plan, const std::filesystem::path& path);
nlohmann::ordered_json to_json(const Plan& plan);

/// The case of a plan that was read from `plan_file`: its path is relative to that file. ConfigError when the
/// plan names none.
std::filesystem::path case_file_of(const Plan& plan, const std::filesystem::path& plan_file);

}  // namespace spinetherm
