// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spinetherm {

enum class LesionKind { lytic, blastic, mixed, marrow };
enum class LesionPlace { anterior, central, posterior, pedicle };
std::string_view to_string(LesionKind kind);
std::string_view to_string(LesionPlace place);

/// What is asked for; what came of it is measured (datasets/lesion_grade.h).
struct LesionOptions {
  LesionKind kind = LesionKind::lytic;
  LesionPlace place = LesionPlace::posterior;
  int side = 1;  ///< +1 the patient's left, -1 right
  /// Half of the largest diameter of the part in bone [mm]; ablation is used from 5 to 17. Empty: 7, or less
  /// where the body is small.
  std::optional<double> radius_mm = {};
  /// Bone between a posterior lesion and the posterior wall (an anterior one and the anterior wall) [mm].
  /// Empty: 7, or less where the body is small; 0 where the wall is open.
  std::optional<double> wall_gap_mm = {};
  int pedicles = 0;  ///< a lesion of the body grows into 0, 1 (of its side) or 2 pedicles
  std::optional<double> wall_defect_mm = {};  ///< width of the hole in the posterior wall; empty: none asked
  std::string escc = "0";                     ///< epidural grade that the labels shall have
  bool paraspinal = false;                    ///< a mass beside the body, through its cortex
  double fracture = 0;                        ///< lost share of the anterior height, 0: none

  bool operator==(const LesionOptions&) const = default;
  /// Whether the lesion opens the posterior wall: asked for, or on the way of a posterior, bone-destroying
  /// lesion to the epidural space.
  bool opens_wall() const;
  /// ConfigError for numbers out of range and parts that exclude each other.
  void validate() const;
};

/// Reads the words of `--lesion`, separated by commas:
///   lytic, blastic, mixed, marrow; anterior, central, posterior, pedicle (beside another place: the lesion
///   grows into it); left, right, both (pedicles); size:18 (largest diameter in bone, mm);
///   wall-defect or wall-defect:6 (mm); epidural:0|1a|1b|1c|2|3; paraspinal; fracture:0.3.
/// ConfigError for a word nobody knows, two words of one sort, a value out of range, and words that exclude
/// each other.
LesionOptions parse_lesion(std::string_view words, LesionOptions lesion = {});

/// The words that parse_lesion() reads as these options. `wall_gap_mm` has no word.
std::string lesion_words(const LesionOptions& lesion);

}  // namespace spinetherm
