// SPDX-License-Identifier: Apache-2.0
#include "apps/io/phantom_json.h"

#include <nlohmann/json.hpp>

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Eigen::Vector3d& v) { return {v.x(), v.y(), v.z()}; }

Json json_of(const std::optional<Needle>& needle) {
  if (!needle) return nullptr;
  return {{"entry_mm", json_of(needle->entry_mm)},
          {"tip_mm", json_of(needle->tip_mm)},
          {"diameter_mm", needle->diameter_mm}};
}

Json json_of(const CtOptions& o) {
  return {{"psf_sigma_mm", o.psf_sigma_mm},
          {"noise_HU", o.noise_HU},
          {"noise_grain_mm", o.noise_grain_mm},
          {"slice_mm", o.slice_mm},
          {"hu_gain", o.hu_gain},
          {"hu_offset", o.hu_offset},
          {"beam_hardening_HU", o.beam_hardening_HU},
          {"needle", json_of(o.needle)}};
}

Json json_of(const CbctOptions& o) {
  return {{"fov_diameter_mm", o.fov_diameter_mm},
          {"fov_height_mm", o.fov_height_mm},
          {"psf_sigma_mm", o.psf_sigma_mm},
          {"noise_HU", o.noise_HU},
          {"noise_grain_mm", o.noise_grain_mm},
          {"cupping_HU", o.cupping_HU},
          {"shading_HU", o.shading_HU},
          {"streak_HU", o.streak_HU},
          {"truncation_HU", o.truncation_HU},
          {"ring_HU", o.ring_HU},
          {"hu_scale", o.hu_scale},
          {"hu_offset", o.hu_offset},
          {"needle", json_of(o.needle)}};
}

Json json_of(const MrSequence& q) {
  Json j = {{"tr_ms", q.tr_ms}, {"te_ms", q.te_ms}};
  if (q.ti_ms > 0) j["ti_ms"] = q.ti_ms;
  j["bandwidth_Hz_per_px"] = q.bandwidth_Hz_per_px;
  j["snr"] = q.snr;
  return j;
}

Json json_of(const MrOptions& o) {
  return {{"plane", o.stack.plane == MrPlane::sagittal ? "sagittal" : "axial"},
          {"pixel_mm", o.stack.pixel_mm},
          {"slice_mm", o.stack.slice_mm},
          {"gap_mm", o.stack.gap_mm},
          {"readout", o.stack.readout_along_rows ? "rows" : "columns"},
          {"field_T", o.field_T},
          {"psf_sigma_px", o.psf_sigma_px},
          {"bias", o.bias},
          {"scale", o.scale},
          {"chemical_shift", o.chemical_shift},
          {"distortion_gradient_mm", o.distortion.gradient_mm},
          {"distortion_metal_mm", o.distortion.metal_mm ? json_of(*o.distortion.metal_mm) : Json(nullptr)},
          {"distortion_metal_shift_mm", o.distortion.metal_shift_mm},
          {"t1", json_of(o.t1)},
          {"t2", json_of(o.t2)},
          {"stir", json_of(o.stir)}};
}

Json json_of(const ProjectionCbctOptions& o) {
  return {{"mode", "projection"},
          {"source_axis_mm", o.geometry.source_axis_mm},
          {"source_detector_mm", o.geometry.source_detector_mm},
          {"columns", o.geometry.columns},
          {"rows", o.geometry.rows},
          {"pitch_mm", o.geometry.pitch_mm},
          {"views", o.orbit.views},
          {"arc_deg", o.orbit.arc_deg},
          {"tube_kV", o.beam.tube_kV},
          {"photons", o.detector.photons ? Json(*o.detector.photons) : Json(nullptr)},
          {"scatter_to_primary", o.detector.scatter_to_primary},
          {"water_correction", o.water_correction}};
}

Json json_of(const SpinePatient& p, const SpineOptions& o) {
  Json levels = Json::array();
  for (const PatientLevel& l : p.levels) levels.push_back(l.size.level);
  return {{"sex", p.sex == Sex::female ? "female" : "male"},
          {"size", p.size},
          {"age_years", p.age_years},
          {"degeneration", p.degeneration},
          {"cervical_lordosis_deg", p.cervical_lordosis_deg},
          {"kyphosis_deg", p.kyphosis_deg},
          {"lordosis_deg", p.lordosis_deg},
          {"scoliosis_deg", o.scoliosis_deg},
          {"spread", o.spread},
          {"variant", to_string(o.variant)},
          {"held_out", o.held_out},
          {"levels", levels}};
}

Json motions(const SpinePhantom& phantom) {
  Json levels = Json::array();
  for (const LevelMotion& m : phantom.posture.motions) {
    const Rigid bend = inverse(phantom.mri_from_cbct) * m.mri_from_cbct;  // beyond the best rigid motion
    Eigen::Vector3d shift = Eigen::Vector3d::Zero();
    for (const LevelLandmarks& l : phantom.landmarks)
      if (l.level == m.level)
        for (const Landmark& p : l.points) shift += (bend * p.at_mm - p.at_mm) / double(l.points.size());
    levels.push_back({{"level", m.level},
                      {"bend_deg", angle_deg(bend)},
                      {"shift_mm", json_of(shift)},
                      {"transform", "truth/mri_from_cbct_" + m.level + ".tfm"}});
  }
  return levels;
}

}  // namespace

Json source_json(const VirtualSource& source) {
  return {{"ct", source.ct},
          {"labels", source.labels},
          {"notes", source.notes},
          {"ct_noise_HU", source.ct_noise_HU},
          {"marrow_HU", source.marrow_HU},
          {"modelled", source.modelled}};
}

Json phantom_json(const SpinePhantom& phantom) {
  const SpinePhantomOptions& o = phantom.options;
  const PostureOptions& p = o.posture;
  if (phantom.virtual_of)
    return {{"format", "spinetherm.phantom"},
            {"version", 1},
            {"synthetic", true},
            {"virtual", true},
            {"source", source_json(*phantom.virtual_of)},
            {"levels", o.levels},
            {"seed", o.seed},
            {"spacing_mm", o.spacing_mm},
            {"supersample", o.supersample},
            {"posture",
             {{"pose_rotation_deg", o.mri_rotation_deg}, {"pose_translation_mm", o.mri_translation_mm}}},
            {"cbct", o.cbct_mode == CbctMode::image ? json_of(o.cbct) : json_of(o.projection)},
            {"mri", json_of(o.mr)}};
  return {{"format", "spinetherm.phantom"},
          {"version", 1},
          {"synthetic", true},
          {"levels", o.levels},
          {"seed", o.seed},
          {"patient", json_of(phantom.patient, o.spine)},
          {"spacing_mm", o.spacing_mm},
          {"supersample", o.supersample},
          {"posture",
           {{"pose_rotation_deg", o.mri_rotation_deg},
            {"pose_translation_mm", o.mri_translation_mm},
            {"flexion_sd_deg", p.flexion_sd_deg},
            {"side_sd_deg", p.side_sd_deg},
            {"shift_sd_mm", p.shift_sd_mm},
            {"disc_low_mm", p.disc_low_mm},
            {"disc_high_mm", p.disc_high_mm},
            {"largest_deg", p.largest_deg},
            {"neural_factor", p.neural_factor},
            {"neural_dorsal_mm", phantom.posture.neural_dorsal_mm},
            {"redrawn", phantom.posture.redrawn},
            {"levels", motions(phantom)}}},
          {"ct", json_of(o.ct)},
          {"ct_body",
           {{"file", "ct_body"},
            {"labels", "labels_ct_body"},
            {"spacing_mm", phantom.ct_body.volume.grid.spacing_mm.x()},
            {"shows", "the whole cross section of the trunk, in the frame of the CT"}}},
          {"cbct", o.cbct_mode == CbctMode::image ? json_of(o.cbct) : json_of(o.projection)},
          {"mri", json_of(o.mr)}};
}

}  // namespace spinetherm
