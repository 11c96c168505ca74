// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/spine_phantom.h"
#include "imaging/core/json_reader.h"
#include "planning/verdict.h"

namespace spinetherm {

/// A named teaching patient: a row of datasets/tables/presets.json.
struct PatientPreset {
  std::string name, title;
  std::string teaches;                       ///< in a sentence or two
  std::string levels, lesion_level, lesion;  ///< words of --levels, --lesion-level, --lesion
  std::uint64_t seed = 1;
  // The patient, as far as told; the rest is drawn from the seed.
  std::optional<Sex> sex = {};
  SpineVariant variant = SpineVariant::none;
  std::optional<double> age_years = {}, size = {};
  ClinicalFacts clinical = {};
  // What the finished phantom shows.
  std::string escc;
  int sins = 0;  ///< lowest, with the pain of `clinical`
  EligibilityVerdict eligibility = EligibilityVerdict::unknown;

  /// The right answer is not to ablate.
  bool is_referred() const { return eligibility == EligibilityVerdict::refer; }
};

const std::vector<PatientPreset>& patient_presets();
/// ConfigError with the nearest name.
const PatientPreset& find_preset(std::string_view name);
/// Replaces in `options` what the preset tells: the patient, levels, lesion, seed and clinic.
void apply_preset(const PatientPreset& preset, SpinePhantomOptions& options);

/// Reads a document of the format "spinetherm.presets". ConfigError with the JSON pointer; words of levels
/// and lesions are read too.
std::vector<PatientPreset> read_presets(const JsonReader& document);

}  // namespace spinetherm
