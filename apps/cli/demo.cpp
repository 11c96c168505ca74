// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/job_options.h"
#include "apps/io/phantom_files.h"

namespace spinetherm {

Run demo_command(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  add_job_options(app, *options);
  return [options](const CommandContext& context) -> int {
    JobOptions wanted = job_options(*options, context);
    OutputDirectory out(context.output("demo", "phantom"));
    SpinePhantomOptions phantom_options;
    phantom_options.seed = context.seed;
    // One motion between MRI and CBCT, as the job registers rigidly.
    phantom_options.posture = posture_preset("rigid");
    const SpinePhantom phantom = make_spine_phantom(phantom_options, context.progress);
    throw_if_cancelled(context.progress);
    write_phantom(phantom, out.working() / "patient");
    for (const LevelLandmarks& level : phantom.landmarks)
      for (const Landmark& point : level.points) wanted.landmarks_fixed_mm.push_back(point.at_mm);
    for (const LevelLandmarks& level : phantom.landmarks_mri)
      for (const Landmark& point : level.points) wanted.landmarks_moving_mm.push_back(point.at_mm);

    const PatientCase patient = read_case(out.working() / "patient" / "case.json");
    const Job job = run_job(patient, wanted, provenance_of(patient, context), context.progress);
    require_result(job, context);
    write_job(job, out.working());
    out.commit();
    const CaseResult result = case_result(job);
    const std::filesystem::path report = out.final_path() / "report.html";
    if (context.json) {
      print_json(to_json(result));
    } else {
      std::cout << "patient      a synthetic spine with a lytic lesion in the body of " << patient.level.name
                << '\n';
      if (job.registration && job.registration->result.quality.tre_mm)
        std::cout << fmt::format("fusion       MRI to CBCT, error {:.2f} mm against the truth\n",
                                 *job.registration->result.quality.tre_mm);
      print_summary(result, report);
    }
    return result.needs_attention() ? kExitVerdict : kExitDone;
  };
}

}  // namespace spinetherm
