// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "apps/job.h"

namespace spinetherm {

/// The report of a job as one self-contained HTML document: verdict and reasons, pictures in radiological
/// convention with zone contours, exposure of each structure, coverage, plan, registration, tissues, device
/// and limits with their sources, settings and provenance. What was not computed reads "unknown". IoError.
void write_report(const Job& job, const std::filesystem::path& path);

}  // namespace spinetherm
