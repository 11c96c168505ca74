// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "datasets/spine_phantom.h"
#include "imaging/core/json_reader.h"

namespace spinetherm {

/// What a cohort is made of: datasets/tables/cohort_mix.json.
struct CohortMix {
  using Weights = std::vector<std::pair<std::string, double>>;
  Weights levels;  ///< by region: T, L, S, C
  Weights kinds, places, primaries;
  Weights escc;  ///< of posterior lesions
  double size_median_mm = 0, size_log_sd = 0, size_least_mm = 0, size_most_mm = 0;
  std::map<std::string, double> shares;
  std::map<std::string, Provenance> provenance;  ///< by group
};
const CohortMix& cohort_mix();
/// Reads a document of the format "spinetherm.cohort_mix". ConfigError with the JSON pointer.
CohortMix read_cohort_mix(const JsonReader& document);

/// A primary tumour of the mix, drawn by the seed.
std::string draw_primary(std::uint64_t seed);
/// The word of the mix that is meant ("rcc": "RCC"). ConfigError with the known ones.
std::string known_primary(const std::string& word);

struct CohortPatient {
  std::string name;  ///< p0001 ...
  SpinePhantomOptions options;
};
/// Patient `n` (from 0) of the cohort of this seed. A longer cohort begins with the patients of a shorter
/// one. Levels and kinds follow a low-discrepancy sequence, so that small cohorts keep the mix; the rest is
/// drawn independently. `base` gives all that the mix does not (spacing, scanners).
CohortPatient draw_cohort_patient(std::uint64_t seed, int n, const SpinePhantomOptions& base = {});

/// How often each word of a group occurs beside how often the mix has it.
struct CohortRow {
  std::string word;
  int count = 0;
  double share = 0;  ///< of the cohort
  double table = 0;  ///< of the mix
};
std::vector<CohortRow> compare_with_mix(const std::vector<std::string>& words, const CohortMix::Weights& mix);
/// T, L, S or C of a level; "sacrum" and "S1" are S.
std::string region_of(const std::string& level);

}  // namespace spinetherm
