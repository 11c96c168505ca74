// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/checkpoint_folder.h"
#include "apps/cli/job_options.h"
#include "apps/engine_options.h"
#include "apps/io/plan_file.h"
#include "apps/io/problem_file.h"
#include "apps/io/result_file.h"
#include "imaging/core/json_reader.h"
#include "thermal/error_estimate.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

struct SimulateOptions {
  JobCommandOptions job;
  fs::path patient;  ///< --case
  double checkpoint_every_s = 20;
  bool resume = false;
};

/// Without --out nobody could say what to resume: then nothing is saved.
CheckpointFolder checkpoints_of(const SimulateOptions& options, const CommandContext& context) {
  if (!context.out) {
    if (options.resume)
      throw ConfigError("--resume needs --out", "", "name the directory of the run that was stopped");
    return {};
  }
  return {fs::absolute(*context.out), options.checkpoint_every_s, options.resume};
}
OutputOptions output_of(const SimulateOptions& options, const CommandContext& context, std::string name) {
  OutputOptions out = context.output("simulate", std::move(name));
  out.resume = options.resume;
  return out;
}

/// Runs `compute` with the checkpoints. CheckpointError and cancelled: with the name of the folder.
template <class Compute>
void compute_with(CheckpointFolder& folder, const CommandContext& context, const Compute& compute) {
  try {
    compute([&folder] { return folder.next(); });
  } catch (CheckpointError& e) {
    if (e.where().empty()) e.within(folder.path().string());
    throw;
  }
  if (context.progress.cancelled() && folder.any())
    throw ComputationFailed("cancelled; its checkpoint is kept", folder.path().string(),
                            "go on with the same command and --resume");
}

void print_result(const ThermalResult& r, const fs::path& folder) {
  std::cout << fmt::format("simulated    {}, {:.2f} s, {:.0f} MB\n", r.summary.message, r.summary.wall_time_s,
                           r.summary.peak_memory_MB);
  for (const Sample& s : r.samples)
    std::cout << fmt::format("sample       ({:g}, {:g}, {:g}) mm, {:g} s: {:.3f} degC, CEM43 {:.4g} min{}\n",
                             s.at_mm.x(), s.at_mm.y(), s.at_mm.z(), s.t_s, s.T_degC, s.cem43_min,
                             s.arrhenius ? fmt::format(", Arrhenius {:.4g}", *s.arrhenius) : "");
  for (const auto& [key, zone] : r.zones)
    if (zone.volume_ml > 0)
      std::cout << fmt::format("zone         {}: {:.3f} ml, {:.1f} x {:.1f} x {:.1f} mm{}\n", key,
                               zone.volume_ml, zone.extent_mm.x(), zone.extent_mm.y(), zone.extent_mm.z(),
                               zone.touches_box ? ", cut by the box" : "");
  if (r.electrical && !r.electrical->times_s.empty())
    std::cout << fmt::format("electrical   {:.2f} ohm, {:.3f} W, {:.4f} A at the end\n",
                             r.electrical->resistance_ohm.back(), r.electrical->power_W.back(),
                             r.electrical->current_A.back());
  if (r.cryo)
    for (std::size_t n = 0; n < r.cryo->probes.size(); ++n) {
      const CryoHistory::Probe& p = r.cryo->probes[n];
      const double most_W = *std::max_element(p.extraction_W.begin(), p.extraction_W.end());
      std::cout << fmt::format("cryoprobe    {}: takes at most {:.1f} W, {}\n", n + 1, most_W,
                               p.free_from_s ? fmt::format("free from {:.0f} s", *p.free_from_s)
                                             : std::string("stuck at the end"));
    }
  for (const EndedEarly& e : r.ended_early)
    std::cout << fmt::format("sensor       ended the step from {:g} to {:g} s at {:.0f} s\n", e.from_s,
                             e.planned_to_s, e.at_s);
  std::cout << fmt::format("energy       in {:.4g} J, stored {:.4g} J, out {:.4g} J, residual {:.1e}\n",
                           r.energy.in_J, r.energy.stored_J, r.energy.out_J, r.energy.relative_residual);
  std::vector<std::string> error;
  if (r.error_estimate.peak_K) error.push_back(fmt::format("{:.2g} K", *r.error_estimate.peak_K));
  if (r.error_estimate.zone_radius_mm)
    error.push_back(fmt::format("{:.2g} mm of the zone's radius", *r.error_estimate.zone_radius_mm));
  if (!error.empty()) std::cout << fmt::format("error        about {}\n", fmt::join(error, ", "));
  for (const std::string& warning : r.warnings) std::cout << "warning      " << warning << '\n';
  std::cout << "results      " << folder.string() << '\n';
}

int simulate_problem(const SimulateOptions& options, const CommandContext& context) {
  const ThermalProblem problem = read_problem(options.job.input);
  OutputDirectory out(output_of(options, context, options.job.input.stem().string()));
  CheckpointFolder folder = checkpoints_of(options, context);
  const BioheatOptions engine = engine_options(problem, context.threads);
  ThermalResult result;
  compute_with(folder, context, [&](const Checkpoints& checkpoints) {
    result = solve(problem, engine, context.progress, next_of(checkpoints));
    add_error_estimate(problem, engine, result, context.progress, next_of(checkpoints));
  });
  throw_if_cancelled(context.progress);
  if (!result.summary.usable())
    throw ComputationFailed("the simulation ended without a result: " + result.summary.message,
                            options.job.input.string(), "check properties and sources");
  write_result(result, out.working());
  out.commit();
  folder.remove();
  if (context.json)
    print_json(to_json(result));
  else
    print_result(result, out.final_path());
  return kExitDone;
}

int simulate_patient(const SimulateOptions& options, const CommandContext& context) {
  const Plan plan = read_plan(options.job.input);
  const PatientCase patient =
      read_case(options.patient.empty() ? case_file_of(plan, options.job.input) : options.patient);
  JobOptions wanted = job_options(options.job, context);
  wanted.energy = plan.protocol.front().modality;
  OutputDirectory out(output_of(options, context, patient.name()));
  CheckpointFolder folder = checkpoints_of(options, context);
  Job job = make_job(patient, wanted, provenance_of(patient, context));
  read_images(job, context.progress);
  find_anatomy(job, context.progress);
  find_target(job, context.progress);
  judge_eligibility(job, context.progress);
  compute_with(folder, context, [&](const Checkpoints& checkpoints) {
    simulate_plan(job, plan, context.progress, checkpoints);
  });
  require_result(job, context);
  write_simulation(job, out.working());
  out.commit();
  folder.remove();
  const ThermalResult& result = job.plan()->thermal;
  if (context.json)
    print_json(to_json(result));
  else
    print_result(result, out.final_path());
  return kExitDone;
}

/// The document's kind decides: a plan is simulated on its patient, all else is read as a problem.
bool is_plan(const fs::path& path) {
  const nlohmann::json document = parse_json_file(path);
  return document.is_object() && document.value("format", nlohmann::json()) == "spinetherm.plan";
}

}  // namespace

Run simulate_command(CLI::App& app) {
  auto options = std::make_shared<SimulateOptions>();
  app.add_option("INPUT", options->job.input,
                 "a plan (spinetherm.plan) or a bare problem (spinetherm.problem)")
      ->required();
  app.add_option("--case", options->patient,
                 "the patient case of a plan; without it the one that the plan names")
      ->type_name("CASE");
  app.add_option("--spacing", options->job.job.spacing_mm, "of a plan: cells of the simulation, mm")
      ->type_name("MM")
      ->check(CLI::Range(0.25, 4.0))
      ->capture_default_str();
  app.add_option("--patch", options->job.job.patch_mm,
                 "of a plan: cells around the applicators, mm; as large as --spacing: none of their own; "
                 "without it 0.5 with current or light, none with microwaves or cold")
      ->type_name("MM")
      ->check(CLI::Range(0.1, 4.0));
  app.add_option("--checkpoint-every", options->checkpoint_every_s,
                 "with --out: save the state of the run in DIR/checkpoint after every so many seconds of "
                 "computing, and when it is cancelled; removed when the results are there")
      ->type_name("S")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--resume", options->resume,
               "go on from the checkpoint in --out, with the input and options it was made with (threads may "
               "differ): the result is that of an uninterrupted run");
  return [options](const CommandContext& context) -> int {
    return is_plan(options->job.input) ? simulate_patient(*options, context)
                                       : simulate_problem(*options, context);
  };
}

}  // namespace spinetherm
