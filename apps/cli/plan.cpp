// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/job_options.h"
#include "apps/io/plan_file.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

Json plan_row(const RankedPlan& p, const std::filesystem::path& path, int rank) {
  const auto or_null = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  return {{"path", path.string()},
          {"rank", rank},
          {"verdict", to_string(p.exposure.verdict())},
          {"coverage", or_null(p.coverage.coverage)},
          {"min_margin_mm", or_null(p.coverage.min_margin_mm)},
          {"score", or_null(p.plan.score.geometric)},
          {"reasons", p.reasons}};
}

void print_plans(const Job& job, const std::vector<std::filesystem::path>& paths) {
  std::cout << "rank  verdict                                coverage  margin    approach\n";
  for (std::size_t n = 0; n < job.plans.plans.size(); ++n) {
    const RankedPlan& p = job.plans.plans[n];
    std::cout << fmt::format(
        "{:<5} {:<38} {:<9} {:<9} {}, {}\n", n + 1, title(p.exposure.verdict()),
        percent_text(p.coverage.coverage),
        p.coverage.min_margin_mm ? fmt::format("{:.1f} mm", *p.coverage.min_margin_mm) : "unknown",
        approach_of(p), paths[n].string());
  }
  for (const std::string& reason : job.plans.reasons) std::cout << reason << '\n';
}

}  // namespace

Run plan_command(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  app.add_option("CASE", options->input, "a patient case (spinetherm.case)")->required();
  add_job_options(app, *options);
  return [options](const CommandContext& context) -> int {
    const PatientCase patient = read_case(options->input);
    const JobOptions wanted = job_options(*options, context);
    OutputDirectory out(context.output("plan", patient.name()));
    const Job job = run_job(patient, wanted, provenance_of(patient, context), context.progress);
    require_result(job, context);
    write_case(patient, out.working() / "case.json");
    Json rows = Json::array();
    std::vector<std::filesystem::path> paths;
    for (std::size_t n = 0; n < job.plans.plans.size(); ++n) {
      const std::string name = fmt::format("plan-{}.json", n + 1);
      Plan plan = job.plans.plans[n].plan;
      plan.case_path = "case.json";
      write_plan(plan, out.working() / name);
      paths.push_back(out.final_path() / name);
      rows.push_back(plan_row(job.plans.plans[n], paths.back(), int(n) + 1));
    }
    out.commit();
    if (context.json)
      print_json({{"plans", rows},
                  {"rejected_by", Json(job.plans.search.rejected_by)},
                  {"reasons", job.plans.reasons}});
    else
      print_plans(job, paths);
    return case_result(job).needs_attention() ? kExitVerdict : kExitDone;
  };
}

}  // namespace spinetherm
