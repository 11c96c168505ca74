// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "datasets/cohort.h"

namespace spinetherm {

/// Ratios of what labels measure to what the table has, over the patients of a cohort.
struct MeasureRatio {
  std::string name;  ///< of level_measure_list()
  int count = 0;
  double mean = 0, sd = 0;  ///< sd 0 for a single one
  /// Whether the mean lies within 10 % of the table.
  bool within() const { return count > 0 && mean > 0.9 && mean < 1.1; }
};
struct LevelRatios {
  std::string level;  ///< or "all"
  std::vector<MeasureRatio> measures;
};

/// What a cohort came to, beside what it was meant to be.
struct CohortStatistics {
  int patients = 0;
  std::vector<std::pair<std::string, std::vector<CohortRow>>>
      mixes;                        ///< levels, kinds, places, escc, primaries
  std::vector<LevelRatios> levels;  ///< "all" first, then from the head down
};

/// Reads the written case.json, lesion.json and label map of the CT in the folders of the patients: whole
/// levels without tumour (measure_levels()) against the table's means. The patients' sizes spread,
/// so that single ratios do too; their mean is what is held against 1. IoError, ConfigError for files that
/// cannot be read.
CohortStatistics cohort_statistics(const std::vector<std::filesystem::path>& patients);
nlohmann::ordered_json to_json(const CohortStatistics& statistics);

}  // namespace spinetherm
