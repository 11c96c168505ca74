// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/json_reader.h"
#include "imaging/core/tissue_class.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// What a grade of cancellous bone was mixed from, by volume:
///   value = bone * cortical + (1 - bone) * (red * red marrow + (1 - red) * yellow marrow)
/// and, for what counts per kilogram (specific and latent heat), the same weighted by density.
struct BoneMixture {
  double bone_volume_fraction = 0, red_marrow_fraction = 0;
  bool operator==(const BoneMixture&) const = default;
};

/// A row of datasets/tables/tissues.json.
struct TissueRow {
  TissueClass tissue_class = TissueClass::unknown;
  Tissue tissue;  ///< provenance by key of the problem format; "frozen/latent_J_per_kg" inside a group
  std::map<std::string, std::array<double, 2>> range;  ///< low, high of the references, by the same keys
  std::string note;
  /// [from, to) CT number of a cancellous grade: half-way between the CT numbers that the mixtures would have
  /// with 1400 HU for trabecular tissue, 40 for red and -80 for yellow marrow.
  std::optional<std::array<double, 2>> hu_band = {};
  std::optional<BoneMixture> mixture = {};
};

/// Every tissue class, at the place of its number: tissue_rows()[std::size_t(TissueClass::disc)].
/// Electrical values hold near 480 kHz, microwave values at 2.45 GHz and 915 MHz, optical values at 980 and
/// 1064 nm. `unknown` has no values of its own: its heat is that of muscle, under the name "unknown (heat as
/// muscle)".
const std::vector<TissueRow>& tissue_rows();
/// The tissues alone, in the same order: the table of a TissueMap whose labels are tissue classes.
const std::vector<Tissue>& tissue_table();
/// Red and yellow marrow, from which the cancellous grades were mixed.
const std::vector<TissueRow>& tissue_ingredients();
/// What holds structures away: D5W, saline, CO2.
const std::vector<TissueRow>& dissection_media();
/// ConfigError with the known names for one that is not known.
const Tissue& dissection_medium(std::string_view name);

struct TissueDocument {
  std::vector<TissueRow> rows, ingredients, media;
};
/// Reads a document of the format "spinetherm.tissues". ConfigError with the JSON pointer: a number without
/// source or confidence, a class that is missing or named twice, an unknown key, a value out of range.
TissueDocument read_tissues(const JsonReader& document);

}  // namespace spinetherm
