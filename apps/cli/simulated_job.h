// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "apps/cli/job_options.h"

namespace spinetherm {

/// The job that a directory of `simulate` (or of `run`, whose simulation is in it) holds: case, plan and
/// result are read, the images and the anatomy anew, and the plan is judged. IoError when a file is missing.
Job read_simulated_job(const std::filesystem::path& directory, const CommandContext& context);

}  // namespace spinetherm
