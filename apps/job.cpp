// SPDX-License-Identifier: Apache-2.0
#include "apps/job.h"

#include <fmt/format.h>

#include "imaging/core/error.h"
#include "imaging/read.h"
#include "imaging/resample.h"
#include "imaging/transform_io.h"

namespace spinetherm {
namespace {

Image read_case_image(const CaseImage& from) {
  ReadOptions options;
  options.series = from.series;
  options.expected = from.modality;
  return read_image(from.path, options);
}

bool names(const std::string& frame, std::string_view image) { return frame.starts_with(image); }

/// moving_from_fixed of a transform that the case holds, in either direction.
std::optional<Rigid> given_transform(const PatientCase& patient, std::string_view fixed,
                                     std::string_view moving) {
  for (const CaseTransform& t : patient.transforms) {
    if (names(t.from, fixed) && names(t.to, moving)) return read_rigid(t.path);
    if (names(t.from, moving) && names(t.to, fixed)) return inverse(read_rigid(t.path));
  }
  return std::nullopt;
}

/// The MRI that shows cord and marrow best to a registration: T2 if there is one.
const Image& leading_mri(const std::vector<Image>& mri) {
  for (const Image& image : mri)
    if (image.modality == Modality::mr_t2) return image;
  return mri.front();
}

}  // namespace

void JobOptions::validate() const {
  require(spacing_mm > 0, "JobOptions.spacing_mm", spacing_mm, "must be > 0 mm");
  require(margin_mm > 0, "JobOptions.margin_mm", margin_mm, "must be > 0 mm");
  require(max_solves >= 1, "JobOptions.max_solves", max_solves, "must be at least 1");
  roi.validate();
}

const std::vector<JobStage>& job_stages() {
  static const std::vector<JobStage> stages = {{"read", read_images},      {"register", register_images},
                                               {"anatomy", find_anatomy},  {"target", find_target},
                                               {"fuse", fuse_images},      {"eligibility", judge_eligibility},
                                               {"plan", plan_and_simulate}};
  return stages;
}

Job make_job(const PatientCase& patient, const JobOptions& options, const RunProvenance& provenance) {
  options.validate();
  Job job;
  job.patient = patient;
  job.options = options;
  job.provenance = provenance;
  job.level = check_level(patient.level.name, patient.level.confirmed_by);
  return job;
}

Job run_job(const PatientCase& patient, const JobOptions& options, const RunProvenance& provenance,
            const Progress& progress) {
  Job job = make_job(patient, options, provenance);
  for (const JobStage& stage : job_stages()) {
    if (progress.cancelled()) break;
    progress(0, stage.name);
    stage.run(job, progress);
  }
  return job;
}

void read_images(Job& job, const Progress& progress) {
  const PatientCase& p = job.patient;
  if (!p.ct)
    throw ConfigError("the case names no CT", p.file.string() + ": /images/ct",
                      "planning needs one: bone, skin and air are read from its HU");
  job.ct = read_case_image(*p.ct);
  if (p.cbct && !progress.cancelled()) job.cbct = read_case_image(*p.cbct);
  for (const CaseImage& mri : p.mri)
    if (!progress.cancelled()) job.mri.push_back(read_case_image(mri));
  for (const std::string& w : job.ct.warnings) job.warnings.push_back("CT: " + w);
  if (job.cbct)
    for (const std::string& w : job.cbct->warnings) job.warnings.push_back("CBCT: " + w);
}

void register_images(Job& job, const Progress& progress) {
  if (job.mri.empty()) return;
  const Image& mri = leading_mri(job.mri);
  const bool to_cbct = job.cbct.has_value();
  JobRegistration r;
  r.fixed = to_cbct ? "cbct" : "ct";
  r.moving = "mri";
  if (const auto mri_from_fixed = given_transform(job.patient, r.fixed, "mri")) {
    r.given = true;
    r.result.moving_from_fixed = *mri_from_fixed;
    r.result.fixed_from_moving = inverse(*mri_from_fixed);
    r.result.summary.termination = Termination::reached_end;
    r.result.verdict = RegistrationVerdict::check;
    r.result.reasons = {"the transform was given with the case and was not checked"};
  } else {
    RigidOptions options;
    options.seed = std::uint32_t(job.options.seed);
    options.centre_mm = job.patient.target.centre_mm;
    r.result = register_rigid(to_cbct ? *job.cbct : job.ct, mri, options, progress);
  }
  if (!job.options.landmarks_fixed_mm.empty() && r.result.usable())
    r.result.quality.tre_mm = landmark_error_mm(r.result.moving_from_fixed, job.options.landmarks_fixed_mm,
                                                job.options.landmarks_moving_mm);
  job.registration = r;
}

void fuse_images(Job& job, const Progress& progress) {
  if (!job.registration || !job.registration->result.usable()) return;
  // Fusion shows the MRI on the planning CT. With a CBCT between them, the CT has to be brought to it first.
  Rigid mri_from_ct = job.registration->result.moving_from_fixed;
  if (job.registration->fixed == "cbct") {
    const auto cbct_from_ct = given_transform(job.patient, "ct", "cbct");
    if (!cbct_from_ct) {
      job.warnings.push_back(
          "the case holds no transform between CT and CBCT: the MRI was registered to the CBCT, and is not "
          "shown on the "
          "CT");
      return;
    }
    mri_from_ct = job.registration->result.moving_from_fixed * *cbct_from_ct;
  }
  for (const Image& mri : job.mri) {
    if (progress.cancelled()) return;
    Image on_ct;
    on_ct.modality = mri.modality;
    on_ct.source = mri.source;
    on_ct.volume = resample_linear(mri.volume, job.ct_roi.volume.grid, kOutside, mri_from_ct);
    job.fused.push_back(std::move(on_ct));
  }
}

}  // namespace spinetherm
