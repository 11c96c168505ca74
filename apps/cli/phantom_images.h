// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "apps/io/phantom_files.h"

namespace spinetherm {

/// The options of `phantom` that are about its images: posture, scanners, formats.
struct PhantomImageOptions {
  std::string posture = "usual", mri_slices = "sagittal", format = "nifti", cbct = "image";
  std::optional<double> pose_rotation_deg, pose_shift_mm, ct_slice_mm, ct_noise_HU, cbct_noise_HU, mri_snr,
      mri_distortion_mm;
  bool dicom = false, radiographs = false;

  /// ConfigError for a word nobody knows; numbers are checked by the phantom.
  void apply_to(SpinePhantomOptions& phantom) const;
  PhantomFileOptions files() const;
};
void add_phantom_image_options(CLI::App& app, PhantomImageOptions& options);

}  // namespace spinetherm
