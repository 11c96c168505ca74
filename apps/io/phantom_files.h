// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "apps/io/case_file.h"
#include "datasets/spine_phantom.h"

namespace spinetherm {

/// Writes a phantom as a patient: ct, mri_t2, cbct, labels_ct, labels_mri_t2 (.nii.gz) with labels.json;
/// truth/mri_from_cbct.tfm and truth/ct_from_cbct.tfm; landmarks_ct, _cbct, _mri_t2 (.mrk.json, "L3
/// spinous_tip"); lesion.json; case.json. Returns the case as it was written. Only ct_from_cbct is in the
/// case: the MRI has to be registered. IoError.
PatientCase write_phantom(const SpinePhantom& phantom, const std::filesystem::path& folder);

}  // namespace spinetherm
