// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/phantom_images.h"

#include "imaging/core/error.h"

namespace spinetherm {

void PhantomImageOptions::apply_to(SpinePhantomOptions& phantom) const {
  phantom.posture = posture_preset(posture);
  MrStack& stack = phantom.mr.stack;
  if (mri_slices == "axial") {
    stack.plane = MrPlane::axial;
  } else if (mri_slices == "isotropic") {
    stack.pixel_mm = stack.slice_mm = 1;
    stack.gap_mm = 0;
  } else if (mri_slices != "sagittal") {
    throw ConfigError("unknown slices '" + mri_slices + "'", "--mri-slices",
                      "use sagittal, axial or isotropic");
  }
  if (cbct != "image" && cbct != "projection")
    throw ConfigError("unknown CBCT '" + cbct + "'", "--cbct", "use image or projection");
  phantom.cbct_mode = cbct == "image" ? CbctMode::image : CbctMode::projection;
  phantom.radiographs = radiographs;
  phantom.mri_rotation_deg = pose_rotation_deg.value_or(phantom.mri_rotation_deg);
  phantom.mri_translation_mm = pose_shift_mm.value_or(phantom.mri_translation_mm);
  phantom.ct.slice_mm = ct_slice_mm.value_or(phantom.ct.slice_mm);
  phantom.ct.noise_HU = ct_noise_HU.value_or(phantom.ct.noise_HU);
  phantom.cbct.noise_HU = cbct_noise_HU.value_or(phantom.cbct.noise_HU);
  phantom.mr.distortion.gradient_mm = mri_distortion_mm.value_or(0);
  for (MrSequence* q : {&phantom.mr.t1, &phantom.mr.t2, &phantom.mr.stir}) q->snr = mri_snr.value_or(q->snr);
}

PhantomFileOptions PhantomImageOptions::files() const { return {phantom_suffix(format), dicom}; }

void add_phantom_image_options(CLI::App& app, PhantomImageOptions& options) {
  PhantomImageOptions& o = options;
  app.add_option("--posture", o.posture,
                 "how the spine bends from CBCT (prone) to MRI (supine): rigid, usual, large")
      ->capture_default_str();
  app.add_option("--pose-rotation", o.pose_rotation_deg, "turn of the whole patient between them [deg]; 4")
      ->type_name("DEG");
  app.add_option("--pose-shift", o.pose_shift_mm, "shift of the whole patient between them [mm]; 8")
      ->type_name("MM");
  app.add_option("--mri-slices", o.mri_slices,
                 "sagittal or axial (0.7 x 0.7 x 4 mm, gap 0.4), or isotropic (1 mm)")
      ->capture_default_str();
  app.add_option("--mri-snr", o.mri_snr, "signal of the cord over the noise; T1 and T2 22, STIR 16");
  app.add_option("--mri-distortion", o.mri_distortion_mm, "gradient distortion at 100 mm [mm]; none")
      ->type_name("MM");
  app.add_option("--ct-slice", o.ct_slice_mm, "thickness of CT slices [mm]; without it one voxel")
      ->type_name("MM");
  app.add_option("--ct-noise", o.ct_noise_HU, "standard deviation of the CT's noise [HU]; 15")
      ->type_name("HU");
  app.add_option("--cbct-noise", o.cbct_noise_HU, "of the CBCT's [HU]; 60")->type_name("HU");
  app.add_option(
         "--cbct", o.cbct,
         "image: effects drawn into the image; projection: projected and reconstructed, a minute or two")
      ->capture_default_str();
  app.add_flag("--radiographs", o.radiographs, "also AP and lateral fluoroscopy");
  app.add_option("--format", o.format, "of volumes: nifti, nrrd, mha")->capture_default_str();
  app.add_flag("--dicom", o.dicom, "also the CT as a DICOM series, in ct_dicom");
}

}  // namespace spinetherm
