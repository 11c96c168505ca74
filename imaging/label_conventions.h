// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/anatomy.h"

namespace spinetherm {

/// One value of a foreign label map: what its makers call it, and what it is here.
struct LabelMeaning {
  std::uint32_t value = 0;
  std::string foreign_name;  ///< "vertebrae_L3", "spinal_cord"
  StructureValue structure = 0;
};

/// A numbering of label maps that can be imported.
struct LabelConvention {
  std::string name;                  ///< the word of `--convention`
  std::vector<LabelMeaning> values;  ///< by value
  /// `spinal_cord` runs on to the sacrum in one label: below the conus it is cauda equina.
  bool cord_holds_cauda = false;
  /// Made for the spine: a map without any vertebra is of another kind. Our own maps may hold anything.
  bool expects_vertebrae = true;

  const LabelMeaning* find(std::uint32_t value) const;
};

/// totalsegmentator-v2 (task `total`, 117 classes), totalsegmentator-v1 (104 classes), verse, spinetherm (our
/// own values, structure_table()). Sources: TotalSegmentator map_to_binary.py, VerSe README.
const std::vector<LabelConvention>& label_conventions();

/// ConfigError naming the nearest known convention.
const LabelConvention& label_convention(std::string_view name);

/// A numbering that people have and that cannot be imported: it names no levels, or not these structures.
struct ForeignLabelKind {
  std::string name;
  std::vector<std::uint32_t> values;  ///< every value that it may hold
  std::string reason;
};
const std::vector<ForeignLabelKind>& foreign_label_kinds();

}  // namespace spinetherm
