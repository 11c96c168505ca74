// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "apps/cli/simulated_job.h"
#include "apps/report/case_report.h"

namespace spinetherm {

Run report_command(CLI::App& app) {
  auto directory = std::make_shared<std::filesystem::path>();
  app.add_option("DIR", *directory, "a directory that 'simulate' or 'run' wrote")->required();
  return [directory](const CommandContext& context) -> int {
    const Job job = read_simulated_job(*directory, context);
    OutputDirectory out(context.output("report", job.patient.name()));
    write_report(job, out.working() / "report.html");
    out.commit();
    return print_result(case_result(job), out.final_path() / "report.html", context);
  };
}

}  // namespace spinetherm
