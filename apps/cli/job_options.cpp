// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/job_options.h"

#include <fmt/format.h>

#include <iostream>

#include "apps/version.h"
#include "datasets/device_table.h"
#include "thermal/modality.h"

namespace spinetherm {

void add_job_options(CLI::App& app, JobCommandOptions& options) {
  app.add_option("--energy", options.job.energy, "rfa, mwa, cryo, laser")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--device", options.job.device, "of 'spinetherm devices'; without it the best fitting one")
      ->type_name("NAME");
  app.add_option("--applicators", options.job.applicators, "to plan with: 1, or 2 (one through each pedicle)")
      ->type_name("N")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  app.add_option("--spacing", options.job.spacing_mm, "cells of the simulation, mm")
      ->type_name("MM")
      ->check(CLI::Range(0.25, 4.0))
      ->capture_default_str();
  app.add_option("--patch", options.job.patch_mm,
                 "cells around the applicators, mm; as large as --spacing: none of their own; "
                 "without it 0.5 with current or light, none with microwaves or cold")
      ->type_name("MM")
      ->check(CLI::Range(0.1, 4.0));
  app.add_option("--solves", options.job.max_solves, "simulations while planning, at most")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
}

JobOptions job_options(const JobCommandOptions& options, const CommandContext& context) {
  JobOptions out = options.job;
  out.threads = context.threads;
  out.seed = context.seed;
  // Refused before any work.
  energy_modality(out.energy);
  if (!out.device.empty()) device(out.device);
  return out;
}

RunProvenance provenance_of(const PatientCase& patient, const CommandContext& context) {
  RunProvenance p;
  p.version = version();
  p.argv = context.argv;
  p.seed = context.seed;
  p.threads = context.threads;
  for (const auto& input : patient.inputs()) p.inputs_sha256.emplace(input.string(), sha256_of(input));
  return p;
}

void require_result(const Job& job, const CommandContext& context) {
  throw_if_cancelled(context.progress);
  const RankedPlan* plan = job.plan();
  if (plan && plan->thermal.summary.termination != Termination::not_run && !plan->thermal.summary.usable())
    throw ComputationFailed("the simulation ended without a result: " + plan->thermal.summary.message,
                            job.patient.name(), "check the plan and the tissue map");
}

void print_summary(const CaseResult& result, const std::filesystem::path& report) {
  const Verdict verdict = result.exposure.verdict();
  std::cout << fmt::format("verdict      {}\n", title(verdict));
  for (const std::string& reason : result.exposure.reasons()) std::cout << "             " << reason << '\n';
  std::cout << fmt::format("exposure     {}\n", title(result.exposure.exposure_verdict()));
  std::cout << fmt::format("eligibility  {}\n", to_string(result.eligibility.verdict));
  std::cout << fmt::format(
      "target       {:.1f} ml, coverage {}, smallest margin {}\n", result.coverage.volume_ml,
      percent_text(result.coverage.coverage),
      result.coverage.min_margin_mm ? fmt::format("{:.1f} mm", *result.coverage.min_margin_mm) : "unknown");
  if (!report.empty()) std::cout << "report       " << report.string() << '\n';
}

int print_result(const CaseResult& result, const std::filesystem::path& report,
                 const CommandContext& context) {
  if (context.json)
    print_json(to_json(result));
  else
    print_summary(result, report);
  return result.needs_attention() ? kExitVerdict : kExitDone;
}

}  // namespace spinetherm
