// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/job_options.h"
#include "apps/io/plan_file.h"
#include "apps/io/result_file.h"

namespace spinetherm {
namespace {

/// What `simulate` wrote; of a directory of `run`, the simulation in it.
std::filesystem::path simulation_in(const std::filesystem::path& directory) {
  if (!std::filesystem::is_directory(directory))
    throw IoError("is not a directory", directory.string(),
                  "name a directory that 'simulate' or 'run' wrote");
  if (std::filesystem::exists(directory / "simulation" / "result.json")) return directory / "simulation";
  for (const char* file : {"case.json", "plan.json", "result.json"})
    if (!std::filesystem::exists(directory / file))
      throw IoError(std::string("holds no ") + file, directory.string(),
                    "name a directory that 'simulate' wrote for a plan");
  return directory;
}

}  // namespace

Run check_command(CLI::App& app) {
  auto directory = std::make_shared<std::filesystem::path>();
  app.add_option("DIR", *directory, "a directory that 'simulate' or 'run' wrote")->required();
  return [directory](const CommandContext& context) -> int {
    const std::filesystem::path folder = simulation_in(*directory);
    const PatientCase patient = read_case(folder / "case.json");
    RankedPlan ranked;
    ranked.plan = read_plan(folder / "plan.json");
    ranked.thermal = read_result(folder);
    if (std::filesystem::exists(folder / kWarmCanalFolder / "result.json"))
      ranked.warm_canal = read_result(folder / kWarmCanalFolder);
    JobOptions wanted;
    wanted.threads = context.threads;
    wanted.seed = context.seed;
    if (!ranked.plan.protocol.empty()) wanted.energy = ranked.plan.protocol.front().modality;
    Job job = make_job(patient, wanted, provenance_of(patient, context));
    read_images(job, context.progress);
    find_anatomy(job, context.progress);
    find_target(job, context.progress);
    judge_eligibility(job, context.progress);
    throw_if_cancelled(context.progress);
    job.tissue_map = thermal_problem(job, ranked.plan, &job.tissue_report).tissue_map;
    judge_plan(job, std::move(ranked));
    const CaseResult result = case_result(job);
    if (context.json)
      print_json(to_json(result));
    else
      print_summary(result, {});
    return result.needs_attention() ? kExitVerdict : kExitDone;
  };
}

}  // namespace spinetherm
