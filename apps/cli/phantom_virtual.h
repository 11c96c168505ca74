// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>

#include "datasets/spine_phantom.h"
#include "imaging/core/progress.h"

namespace spinetherm {

/// `--from`, which excludes the options that say how a patient is made up. Call it after these were added.
void add_phantom_from_option(CLI::App& app, std::string& from);

/// The patient of a `spinetherm.case` with a virtual lesion (datasets/virtual_patient.h): its CT, and its
/// labels or what CT numbers tell of the anatomy about its target. Its CBCT and MRI are left aside. Without
/// options.lesion_level, the case's level. ConfigError as these say.
SpinePhantom make_virtual_patient_of(const std::filesystem::path& case_file, SpinePhantomOptions options,
                                     const Progress& progress);

}  // namespace spinetherm
