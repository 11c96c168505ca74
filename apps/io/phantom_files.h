// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "apps/io/case_file.h"
#include "datasets/spine_phantom.h"

namespace spinetherm {

struct PhantomFileOptions {
  std::string suffix = ".nii.gz";  ///< of all volumes: .nii.gz, .nrrd or .mha
  bool dicom = false;              ///< also the CT as a DICOM series, in the folder ct_dicom
};
/// The suffix of `nifti`, `nrrd` or `mha`. ConfigError for another word.
std::string phantom_suffix(std::string_view format);

/// Writes a phantom as a patient:
///   ct, cbct, mri_t1, mri_t2, mri_stir, radiograph_ap and radiograph_lateral when made; labels_<image> with
///   labels.json; ct_body, the whole cross section of the trunk at about 2 mm in the CT's frame, with its
///   labels, which the case does not name; landmarks_<image>.mrk.json ("L3 spinous_tip", as a rigid body
///   carries them: the MRI's distortion left out); lesion.json; truth/mri_from_cbct.tfm (best rigid),
///   truth/mri_from_cbct_<level>.tfm (exact in each vertebra), truth/mri_from_cbct_field (dense, 2 mm, over
///   the CBCT), truth/mri_distortion_field (only when on), truth/ct_from_cbct.tfm; phantom.json, every option
///   and what was drawn; case.json.
/// A virtual patient (SpinePhantom::virtual_of) has no landmarks, no field and no motions of single
/// vertebrae; lesion.json and case.json name its source, and the target is called virtual. Every image says
/// SYNTHETIC in its header. Returns the case as it was written. Only ct_from_cbct is in the case: the MRI has
/// to be registered. IoError.
PatientCase write_phantom(const SpinePhantom& phantom, const std::filesystem::path& folder,
                          const PhantomFileOptions& options = {});

}  // namespace spinetherm
