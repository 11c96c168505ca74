// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spinetherm {

/// What a cell of the tissue map is made of. The word of each class is the key of its row in
/// datasets/tables/tissues.json. `unknown` (out of the scan's field, never imaged) is not a tissue: no
/// verdict may rest on it.
enum class TissueClass : std::uint8_t {
  unknown,
  air,
  lung,
  fat,
  muscle,
  skin,
  organ,
  vessel,
  cortical_bone,
  cancellous_bone_0,  ///< graded by CT number: fatty marrow with few trabeculae ...
  cancellous_bone_1,
  cancellous_bone_2,
  cancellous_bone_3,  ///< ... to dense trabecular bone next to cortical
  disc,
  cord,
  nerve,
  csf,
  epidural_fat,
  tumour_lytic,
  tumour_mixed,
  tumour_blastic,
  metal,
  cement,
  count_
};

inline constexpr std::array<std::string_view, std::size_t(TissueClass::count_)> kTissueClassWords = {
    "unknown",
    "air",
    "lung",
    "fat",
    "muscle",
    "skin",
    "organ",
    "vessel",
    "cortical_bone",
    "cancellous_bone_0",
    "cancellous_bone_1",
    "cancellous_bone_2",
    "cancellous_bone_3",
    "disc",
    "cord",
    "nerve",
    "csf",
    "epidural_fat",
    "tumour_lytic",
    "tumour_mixed",
    "tumour_blastic",
    "metal",
    "cement"};

constexpr std::string_view to_string(TissueClass c) { return kTissueClassWords[std::size_t(c)]; }

constexpr std::optional<TissueClass> tissue_class(std::string_view word) {
  for (std::size_t n = 0; n < kTissueClassWords.size(); ++n)
    if (kTissueClassWords[n] == word) return TissueClass(n);
  return std::nullopt;
}

}  // namespace spinetherm
