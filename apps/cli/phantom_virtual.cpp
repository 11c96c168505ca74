// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/phantom_virtual.h"

#include "apps/job.h"
#include "datasets/virtual_patient.h"
#include "imaging/core/error.h"

namespace spinetherm {

void add_phantom_from_option(CLI::App& app, std::string& from) {
  CLI::Option* option =
      app.add_option(
             "--from", from,
             "case.json of a real CT with labels: a virtual lesion is drawn into it, CBCT and MRI are "
             "simulated from it; --lesion-level names the vertebra, without it the case's")
          ->type_name("CASE");
  for (const char* name :
       {"--levels", "--preset", "--presets", "--cohort", "--sex", "--size", "--age", "--cervical-lordosis",
        "--kyphosis", "--lordosis", "--scoliosis", "--degeneration", "--variant", "--spread", "--held-out",
        "--posture", "--ct-slice", "--ct-noise", "--mri-distortion"})
    option->excludes(app.get_option(name));
}

SpinePhantom make_virtual_patient_of(const std::filesystem::path& case_file, SpinePhantomOptions options,
                                     const Progress& progress) {
  PatientCase patient = read_case(case_file);
  patient.cbct.reset();
  patient.mri.clear();
  if (options.lesion_level.empty()) options.lesion_level = patient.level.name;
  if (options.lesion_level.empty())
    throw ConfigError("no level for the lesion", "--lesion-level",
                      "name it: the case does not (" + case_file.string() + ")");
  Job job = make_job(patient, {}, {});
  read_images(job, progress);
  find_anatomy(job, progress);
  RealPatient real;
  real.ct = std::move(job.ct);
  real.anatomy = std::move(job.anatomy);
  real.ct_name = patient.ct->path.filename().string();
  real.notes = patient.notes;
  return make_virtual_patient(real, options, progress);
}

}  // namespace spinetherm
