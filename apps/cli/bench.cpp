// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/bench_cases.h"
#include "apps/cli/command.h"
#include "apps/io/problem_file.h"
#include "apps/io/result_file.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

struct BenchOptions {
  std::string cases = "BH-1s,BH-1,EL-1";
  int rounds = 3;
  double until_s = std::numeric_limits<double>::infinity();
  fs::path problems, raw;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct BenchRun {
  BenchCase which;
  ThermalProblem problem;
  BenchResult result;  ///< of the last round
  std::vector<double> solve_s, setup_s;
};

double load_average() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1;
}

double peak_memory_MB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

/// Plain floats, x fastest, as the peers of the benchmark write theirs.
void write_raw(const Volume<float>& field, const fs::path& path) {
  if (field.empty()) return;
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(field.values.data()),
            std::streamsize(field.values.size() * sizeof(float)));
  if (!out) throw IoError("cannot be written", path.string(), "check the folder and the space on the disk");
}

nlohmann::ordered_json bench_json(const BenchRun& run) {
  const ThermalSummary& summary = run.result.thermal.summary;
  nlohmann::ordered_json j = {{"case", run.which.name},
                              {"cells", run.problem.grid().count()},
                              {"wall_time_s", run.solve_s},
                              {"median_s", median(run.solve_s)},
                              {"setup_s", median(run.setup_s)}};
  if (run.which.field_only) {
    j["iterations"] = run.result.iterations.value();
  } else {
    j["steps"] = summary.steps;
    j["stages"] = summary.stages;
    j["cell_updates"] = summary.cell_updates;
  }
  j["peak_memory_MB"] = peak_memory_MB();
  const nlohmann::ordered_json result = to_json(run.result.thermal);
  for (const char* key : {"samples", "volumes_ml", "electrical", "energy", "error_estimate", "warnings"})
    j[key] = result[key];
  return j;
}

/// The same case, ended earlier.
void cut(ThermalProblem& problem, double until_s) {
  if (!(until_s < problem.duration_s)) return;
  problem.duration_s = until_s;
  problem.until_dose_settled = false;
  std::erase_if(problem.sample.times_s, [&](double t_s) { return t_s > until_s; });
}

}  // namespace

Run bench_command(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  std::vector<std::string> names;
  for (const BenchCase& c : bench_cases()) names.push_back(c.name);
  app.add_option(
         "--case", options->cases,
         fmt::format("cases to run: {}; BH, RFA and CRYO-3 with plain second-order flows, as the other "
                     "solvers and patient runs have, EL the electric field alone",
                     fmt::join(names, ", ")))
      ->type_name("LIST")
      ->capture_default_str();
  app.add_option("--rounds", options->rounds,
                 "every case is run so often, one after the other; the median counts")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--until", options->until_s, "end the cases at this time [s], if they are not over before")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  app.add_option("--write", options->problems,
                 "write the cases as problems (<case>/problem.json) into this directory, and run nothing")
      ->type_name("DIR");
  app.add_option("--raw", options->raw, "write temperature and CEM43 as plain floats into this directory")
      ->type_name("DIR");
  return [options](const CommandContext& context) -> int {
    std::vector<BenchRun> runs;
    std::istringstream list(options->cases);
    for (std::string name; std::getline(list, name, ',');)
      runs.push_back({bench_case(name), bench_problem(name), {}, {}, {}});
    for (BenchRun& run : runs) cut(run.problem, options->until_s);
    if (!options->problems.empty()) {
      for (const BenchRun& run : runs) {
        fs::create_directories(options->problems / run.which.name);
        write_problem(run.problem, options->problems / run.which.name / "problem.json");
      }
      return kExitDone;
    }
    const double load = load_average();
    for (int round = 0; round < options->rounds; ++round)
      for (BenchRun& run : runs) {
        context.progress(double(round) / options->rounds,
                         fmt::format("{}, round {}", run.which.name, round + 1));
        run.result = run_bench(run.which, run.problem, context.threads, Progress{{}, context.progress.stop});
        throw_if_cancelled(context.progress);
        if (!run.result.usable)
          throw ComputationFailed("no result: " + run.result.message, run.which.name,
                                  "see 'spinetherm verify'");
        run.solve_s.push_back(run.result.solve_s);
        run.setup_s.push_back(run.result.setup_s);
      }
    if (!options->raw.empty()) {
      fs::create_directories(options->raw);
      for (const BenchRun& run : runs) {
        write_raw(run.result.thermal.temperature, options->raw / (run.which.name + ".spinetherm.T.f32"));
        write_raw(run.result.thermal.cem43, options->raw / (run.which.name + ".spinetherm.cem.f32"));
      }
    }
    nlohmann::ordered_json document = {
        {"threads", context.threads}, {"load_before", load}, {"cases", nlohmann::ordered_json::array()}};
    if (!context.json)
      std::cout << fmt::format("{:<12} {:>10} {:>10} {:>8} {:>10}   load before {:.2f}\n", "case", "median s",
                               "set-up s", "steps", "peak MB", load);
    for (const BenchRun& run : runs) {
      document["cases"].push_back(bench_json(run));
      if (!context.json)
        std::cout << fmt::format("{:<12} {:>10.3f} {:>10.3f} {:>8} {:>10.0f}\n", run.which.name,
                                 median(run.solve_s), median(run.setup_s),
                                 run.result.iterations.value_or(run.result.thermal.summary.steps),
                                 peak_memory_MB());
    }
    if (context.json) print_json(document);
    return kExitDone;
  };
}

}  // namespace spinetherm
