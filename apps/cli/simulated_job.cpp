// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/simulated_job.h"

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

Job read_simulated_job(const std::filesystem::path& directory, const CommandContext& context) {
  const std::filesystem::path folder = simulation_in(directory);
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
  return job;
}

}  // namespace spinetherm
