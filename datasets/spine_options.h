// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spinetherm {

enum class Sex { female, male };
/// Numbers of vertebrae and ribs that differ from the usual 7 + 12 + 5 with 12 pairs of ribs.
enum class SpineVariant {
  none,
  t13,            ///< a thirteenth thoracic vertebra with a short rib
  ribs_11,        ///< T12 carries no rib
  cervical_rib,   ///< C7 carries a short rib on both sides
  lumbarised_s1,  ///< a sixth lumbar vertebra, L6
  sacralised_l5   ///< L5 with broad processes that meet the sacrum, and a narrow disc below
};
std::string_view to_string(Sex sex);
std::string_view to_string(SpineVariant variant);
/// "none, t13, ribs_11, ..."; ConfigError with the nearest known word.
SpineVariant parse_spine_variant(std::string_view word);

/// Which patient. What is left empty is drawn from `seed`; with `spread` 0 everything is the mean of
/// datasets/tables/vertebrae.json, left and right alike.
struct SpineOptions {
  std::optional<std::uint64_t> seed = {};  ///< of the patient; empty: the phantom's seed
  /// Scales every deviation from the mean (size, curves, each dimension, roughness of the surface) [-].
  double spread = 1;
  std::optional<Sex> sex = {};
  std::optional<double> size = {};  ///< scale of the whole spine [-]; 0.8 .. 1.2
  std::optional<double> age_years = {};
  std::optional<double> cervical_lordosis_deg = {};  ///< upper endplate of C3 to lower of C7, lying
  std::optional<double> kyphosis_deg = {};           ///< upper endplate of T1 to lower of T12
  std::optional<double> lordosis_deg = {};           ///< upper endplate of L1 to the sacrum
  double scoliosis_deg = 0;                 ///< Cobb angle, apex at T8-T9 to the right, lumbar counter-curve
  std::optional<double> degeneration = {};  ///< of discs, endplates and facets: 0 none .. 1 severe
  SpineVariant variant = SpineVariant::none;
  /// Draws from another family of dimensions and textures, on which results are reported; the scanners of
  /// that family: use_held_out_scanners().
  bool held_out = false;

  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// Levels of such a spine from the head down, C3 to the sacrum.
std::vector<std::string> spine_levels(SpineVariant variant);

}  // namespace spinetherm
