// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imaging/core/volume.h"

namespace spinetherm {

/// Value of a structure in a label volume; 0 is background. One fixed value for each name, in this table
/// only.
using StructureValue = std::uint16_t;

/// Vertebral levels from the head down, in the order of the spine:
/// C1..C7, T1..T13, L1..L6, sacrum, coccyx. T13 and L6 are variants.
const std::vector<std::string>& levels();
/// Position in levels(); empty for a word that is no level.
std::optional<int> level_index(std::string_view level);
/// Anatomical order along the spine without variants: T12 is followed by L1, L5 by the sacrum.
std::optional<std::string> level_below(std::string_view level);
std::optional<std::string> level_above(std::string_view level);

/// Names: vertebra_L3, vertebra_body_L3, disc_L3_L4, root_L3_left (root_sacrum_left is S1's; root_S2_left ..
/// root_S4_right have names so that they can be called missing), ganglion_L3_left,
/// segmental_artery_L3_left, canal, dural_sac, dura, cord, cauda, tumour, lumbar_plexus_left, aorta,
/// vena_cava, iliac_artery, iliac_vein, lung_left, oesophagus, trachea, bowel, stomach, kidney_left, liver,
/// spleen, muscle, fat, skin, rib, bone (any other bone), organ (any other organ), vessel, implant, cement.
std::optional<StructureValue> structure_value(std::string_view name);
/// Empty name for 0 and for a value that is not in the table.
std::string_view structure_name(StructureValue value);
/// Every structure of the table, by value.
const std::vector<std::pair<StructureValue, std::string>>& structure_table();
/// Colour of a structure in pictures and name tables, 0..255 each.
std::array<std::uint8_t, 3> structure_colour(StructureValue value);

bool is_vertebra(StructureValue value);  ///< vertebra_* and vertebra_body_*
/// "L3" of vertebra_L3, vertebra_body_L3, root_L3_left, ganglion_..., segmental_artery_...; empty otherwise.
std::string structure_level(StructureValue value);

/// Where the knowledge of a structure comes from, best first.
enum class StructureStatus { imported, segmented, estimated, modelled, missing };
constexpr std::string_view to_string(StructureStatus s) {
  switch (s) {
    case StructureStatus::imported:
      return "imported";
    case StructureStatus::segmented:
      return "segmented";
    case StructureStatus::estimated:
      return "estimated";
    case StructureStatus::modelled:
      return "modelled";
    case StructureStatus::missing:
      return "missing";
  }
  return "missing";
}

/// A straight modelled nerve root: a tube from the cord, sac or canal through its foramen.
struct RootTube {
  std::string name;  ///< "root_L3_left"
  Eigen::Vector3d from_mm, to_mm;
  double radius_mm = 1.5;
};

/// What is known of a patient's anatomy on one grid. A voxel holds one structure; roots are kept as tubes
/// besides, as they are thinner than a voxel of most label maps.
struct Anatomy {
  Volume<StructureValue> labels;
  std::map<std::string, StructureStatus> status;  ///< by structure name; absent: missing
  std::vector<RootTube> roots;
  std::string convention;  ///< the import convention, or "segmented"
  std::vector<std::string>
      warnings;  ///< what the import noticed: truncated vertebrae, cord below the conus ...

  bool has(std::string_view name) const;
  StructureStatus status_of(std::string_view name) const;
  /// Voxels of one structure; `vertebra_L3` includes its body. Empty volume when the name is not in the
  /// table.
  Volume<std::uint8_t> mask(std::string_view name) const;
  /// Levels that occur in the label volume, from the head down.
  std::vector<std::string> levels_present() const;
};

/// The mask of several values at once.
Volume<std::uint8_t> mask_of(const Volume<StructureValue>& labels, const std::vector<StructureValue>& values);
/// Centre of mass [mm] of a mask; empty when no voxel is set.
std::optional<Eigen::Vector3d> centroid_mm(const Volume<std::uint8_t>& mask);

}  // namespace spinetherm
