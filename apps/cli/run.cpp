// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "apps/cli/job_options.h"

namespace spinetherm {

Run run_command(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  app.add_option("CASE", options->input, "a patient case (spinetherm.case)")->required();
  add_job_options(app, *options);
  return [options](const CommandContext& context) -> int {
    const PatientCase patient = read_case(options->input);
    const JobOptions wanted = job_options(*options, context);
    OutputDirectory out(context.output("run", patient.name()));
    const Job job = run_job(patient, wanted, provenance_of(patient, context), context.progress);
    require_result(job, context);
    write_job(job, out.working());
    out.commit();
    return print_result(case_result(job), out.final_path() / "report.html", context);
  };
}

}  // namespace spinetherm
