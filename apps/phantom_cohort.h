// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/cohort_statistics.h"
#include "datasets/spine_phantom.h"
#include "imaging/core/progress.h"

namespace spinetherm {

/// What a patient of a cohort is: a row of its index.
struct CohortEntry {
  std::string name, level, words;  ///< folder; level and words of the lesion
  std::uint64_t seed = 0;
  std::string state = "to_do";  ///< to_do, done, refused
  std::string reason;           ///< of a refusal
  // Of a patient who is done.
  double volume_ml = 0, largest_diameter_mm = 0;
  std::string escc;
  int sins_low = 0, sins_high = 0;  ///< with the pain of the case
  std::string eligibility;
  bool operator==(const CohortEntry&) const = default;
};

/// `spinetherm.cohort`: cohort.json, the index of a folder of patients.
struct CohortIndex {
  std::uint64_t seed = 1;
  double spacing_mm = 1;
  std::vector<CohortEntry> patients;
};
/// IoError, ConfigError with file and JSON pointer.
CohortIndex read_cohort(const std::filesystem::path& path);
/// With the statistics of its patients once there are any.
void write_cohort(const CohortIndex& index, const std::filesystem::path& path,
                  const CohortStatistics& statistics = {});

struct CohortRequest {
  int count = 0;
  std::uint64_t seed = 1;
  std::filesystem::path folder;
  bool force = false;             ///< make all patients anew
  SpinePhantomOptions base = {};  ///< what the mix does not draw
};
struct CohortRun {
  CohortIndex index;
  CohortStatistics statistics;  ///< of the patients that were asked for and are done
  int made = 0, kept = 0;
  Termination termination = Termination::not_run;
};
/// Makes the patients of a cohort, each in a folder of its own, and its index, which is written after every
/// patient. Patients of an earlier run that are finished are kept, so that a run that was stopped goes on. A
/// patient whose draw cannot be made is marked as refused, with the reason. ConfigError for a count out of
/// 1..9999, and when the folder holds another cohort; IoError when it holds something else.
CohortRun make_cohort(const CohortRequest& request, const Progress& progress = {});

}  // namespace spinetherm
