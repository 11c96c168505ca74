// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "imaging/canal.h"

namespace spinetherm {

/// The canal as the hole that the labelled vertebrae enclose: find_canal() on the labels instead of CT
/// numbers. Coarser than find_canal() on the scan, which is to be preferred where there is one. Empty when no
/// ring of labels is closed (bodies only, strongly cut vertebrae).
std::optional<Canal> canal_from_vertebrae(const Anatomy& anatomy);

struct DuralSacOptions {
  /// Between bone and dura [mm]. Thoracic pedicles touch the sac in 8 of 20 specimens (0 to 1 mm), lumbar
  /// ones are about 3 mm away (clinical.md section 2): 1 mm, so that the sac is rather drawn too large.
  double epidural_mm = 1;

  void validate() const;
};

/// Adds `dural_sac` (status estimated) to a map that has a cord or cauda and no sac, as TotalSegmentator's:
/// what lies epidural_mm or more within the canal, and all of cord and cauda. The canal is that of the map
/// (label `canal` with cord and cauda), else canal_from_vertebrae(); beyond it, the cord's own label is all
/// that is known. Voxels of cord and cauda keep their labels, so that the dural surface is the surface of
/// `dural_sac`, `cord` and `cauda` together; what is left of the canal outside the sac is labelled `canal`
/// (estimated, where it was not known). Does nothing, and warns, when neither canal nor cord is known.
void add_dural_sac(Anatomy& anatomy, const DuralSacOptions& options = {});

}  // namespace spinetherm
