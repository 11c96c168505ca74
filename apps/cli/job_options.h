// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>

#include "apps/cli/command.h"
#include "apps/job.h"

namespace spinetherm {

/// What the commands that run the main job have in common.
struct JobCommandOptions {
  std::filesystem::path input;
  JobOptions job;
};
void add_job_options(CLI::App& app, JobCommandOptions& options);
/// The options with what the context says of threads and seed.
JobOptions job_options(const JobCommandOptions& options, const CommandContext& context);
RunProvenance provenance_of(const PatientCase& patient, const CommandContext& context);
/// Throws ComputationFailed when the user stopped, or when the chosen plan's simulation ended without a
/// result.
void require_result(const Job& job, const CommandContext& context);
/// The verdict of a job as a few lines on stdout.
void print_summary(const CaseResult& result, const std::filesystem::path& report);
/// The result on stdout, as JSON or as a summary that ends with `report` (empty: none); returns the exit
/// code.
int print_result(const CaseResult& result, const std::filesystem::path& report,
                 const CommandContext& context);

}  // namespace spinetherm
