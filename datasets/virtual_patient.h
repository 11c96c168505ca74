// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "datasets/spine_phantom.h"

namespace spinetherm {

/// A real CT with labels. The label map may have any grid.
struct RealPatient {
  Image ct;
  Anatomy anatomy;
  std::string ct_name;  ///< told in every file that comes of it: the CT's path, not the patient's
  std::string notes;    ///< of the case: licence, origin
};

/// The box of the images about the middle of the body [mm], cut to the scan.
struct VirtualPatientBox {
  double side_mm = 100, front_mm = 70, back_mm = 125, up_down_mm = 58;
};

/// A real spine with a virtual lesion at options.lesion_level: the part of the CT about it, its voxels kept
/// (shape_virtual_lesion(), draw_into_ct()); the CBCT of those CT numbers, and T1, T2 and STIR of
/// map_ct_tissues(), as make_spine_phantom() images its own patients. CT and CBCT share the frame of the
/// scan; the MRI has the rigid pose that the seed draws. `options`: lesion, spacing of CBCT and tissue map,
/// MRI, CBCT, radiographs, pose and seed are used; spine, posture and CT options are not. Landmarks and
/// motions of single vertebrae are not known and stay empty. The canal's content is modelled in labels and
/// MRI alike. ConfigError for a level that is not there, cut or without a canal, and for a lesion that does
/// not fit.
SpinePhantom make_virtual_patient(const RealPatient& real, SpinePhantomOptions options,
                                  const Progress& progress = {}, const VirtualPatientBox& box = {});

}  // namespace spinetherm
