// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "datasets/spine_options.h"
#include "datasets/vertebra_table.h"

namespace spinetherm {

/// One level of one patient.
struct PatientLevel {
  VertebraSize size;
  double disc_degeneration = 0;  ///< of the disc below; 0: bright and high, 1: black and narrow
  double turn_left_deg = 0;      ///< scoliosis: tilt of the next vertebra towards the left
};

/// The numbers of one patient: a drawn or the mean spine.
struct SpinePatient {
  std::vector<PatientLevel> levels;  ///< from the head down, C3 .. sacrum, with the variant's
  Sex sex = Sex::female;
  double size = 1;  ///< factor common to all lengths
  double age_years = 65, degeneration = 0;
  double cervical_lordosis_deg = 0, kyphosis_deg = 0, lordosis_deg = 0;  ///< as the levels have them
  /// Where the cord ends, in levels counted from the first: 15.5 is the disc below level 15.
  double conus = 0;
  double cord_offset_mm = 0;  ///< largest offset of the cord from the midline
  /// Form factors, shares of the body's half width and depth lost at mid-height.
  double waist_across = 0.10, waist_front = 0.12;
  double roughness_mm = 0;    ///< of bone surfaces; 0: smooth and symmetric
  double trabecula_mm = 1.5;  ///< cell of the texture of spongy bone, across the trabeculae
  double texture_gain = 1;    ///< of all textures
  std::uint32_t texture_seed = 1;

  /// Position of a level in `levels`; empty when this patient has none.
  std::optional<std::size_t> find(std::string_view level) const;
};

/// Draws a patient. Every length has one factor common to the whole body (standard deviation 5 %, sexes 8 %
/// apart), one factor for its column and a small one for its level, which together have the standard
/// deviation of the table and stay within 2.2 of it. Afterwards the cord is made to fit the sac and the sac
/// the canal. Depends on the options and the seed alone, not on which levels are shown.
SpinePatient draw_patient(const SpineOptions& options, std::uint64_t phantom_seed);

/// Number of pairs of ribs at thoracic and cervical levels.
int rib_pairs(const SpinePatient& patient);

}  // namespace spinetherm
