// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

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
    const CaseResult result = case_result(job);
    if (context.json)
      print_json(to_json(result));
    else
      print_summary(result, out.final_path() / "report.html");
    return result.needs_attention() ? kExitVerdict : kExitDone;
  };
}

}  // namespace spinetherm
