// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "imaging/core/anatomy.h"

namespace spinetherm {

/// The vertebral canal with everything in it.
struct LabelledCanal {
  Volume<std::uint8_t> mask;  ///< empty: not known
  StructureStatus status = StructureStatus::missing;
  std::string reason = "no canal was looked for";
};

/// The canal on an axis-aligned LPS grid: the labels canal, dural_sac, dura, cord and cauda together when
/// canal or sac are labelled; else (status estimated) the hole that bone encloses in axial slices, carried
/// through the slices of the foramina by interpolation of its shape, together with cord and cauda; else
/// empty. ConfigError unless the grid's direction is the identity.
LabelledCanal find_labelled_canal(const Anatomy& anatomy, const Grid& lps_grid);

/// Labels on another grid by nearest voxel; 0 outside. Never invents a value.
Volume<StructureValue> labels_on(const Anatomy& anatomy, const Grid& grid);
/// Vertebrae, ribs and other bone.
bool is_bone(StructureValue value);

}  // namespace spinetherm
