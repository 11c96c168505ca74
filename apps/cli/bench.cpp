// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/bench_cases.h"
#include "apps/cli/command.h"
#include "apps/io/problem_file.h"
#include "apps/io/result_file.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

struct BenchOptions {
  std::string cases = "BH-1s,BH-1,EL-1";
  int rounds = 3;
  fs::path problems, raw;
};

struct BenchRun {
  std::string name;
  ThermalProblem problem;
  ThermalResult result;  ///< of the last round
  std::vector<double> seconds;

  double median_s() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

double load_average() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1;
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
  nlohmann::ordered_json result = to_json(run.result);
  nlohmann::ordered_json j = {{"case", run.name},
                              {"cells", run.problem.grid().count()},
                              {"wall_time_s", run.seconds},
                              {"median_s", run.median_s()},
                              {"steps", run.result.summary.steps},
                              {"stages", run.result.summary.stages},
                              {"peak_memory_MB", run.result.summary.peak_memory_MB}};
  for (const char* key : {"samples", "volumes_ml", "electrical", "energy"}) j[key] = result[key];
  return j;
}

}  // namespace

Run bench_command(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  app.add_option("--case", options->cases, "cases to run: BH-1s, BH-1, BH-2, EL-1, CRYO-1")
      ->type_name("LIST")
      ->capture_default_str();
  app.add_option("--rounds", options->rounds,
                 "every case is run so often, one after the other; the median counts")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--write", options->problems,
                 "write the cases as problems (<case>/problem.json) into this directory, and run nothing")
      ->type_name("DIR");
  app.add_option("--raw", options->raw, "write temperature and CEM43 as plain floats into this directory")
      ->type_name("DIR");
  return [options](const CommandContext& context) -> int {
    std::vector<BenchRun> runs;
    std::istringstream list(options->cases);
    for (std::string name; std::getline(list, name, ',');)
      runs.push_back({name, bench_problem(name), {}, {}});
    if (!options->problems.empty()) {
      for (const BenchRun& run : runs) {
        fs::create_directories(options->problems / run.name);
        write_problem(run.problem, options->problems / run.name / "problem.json");
      }
      return kExitDone;
    }
    const double load = load_average();
    BioheatOptions engine;
    engine.threads = context.threads;
    for (int round = 0; round < options->rounds; ++round)
      for (BenchRun& run : runs) {
        context.progress(double(round) / options->rounds, fmt::format("{}, round {}", run.name, round + 1));
        run.result = solve(run.problem, engine, Progress{{}, context.progress.stop});
        throw_if_cancelled(context.progress);
        if (!run.result.summary.usable())
          throw ComputationFailed("no result: " + run.result.summary.message, run.name,
                                  "see 'spinetherm verify'");
        run.seconds.push_back(run.result.summary.wall_time_s);
      }
    if (!options->raw.empty()) {
      fs::create_directories(options->raw);
      for (const BenchRun& run : runs) {
        write_raw(run.result.temperature, options->raw / (run.name + ".spinetherm.T.f32"));
        write_raw(run.result.cem43, options->raw / (run.name + ".spinetherm.cem.f32"));
      }
    }
    nlohmann::ordered_json document = {
        {"threads", context.threads}, {"load_before", load}, {"cases", nlohmann::ordered_json::array()}};
    if (!context.json)
      std::cout << fmt::format("{:<8} {:>10} {:>8} {:>10}   load before {:.2f}\n", "case", "median s",
                               "steps", "peak MB", load);
    for (const BenchRun& run : runs) {
      document["cases"].push_back(bench_json(run));
      if (!context.json)
        std::cout << fmt::format("{:<8} {:>10.3f} {:>8} {:>10.0f}\n", run.name, run.median_s(),
                                 run.result.summary.steps, run.result.summary.peak_memory_MB);
    }
    if (context.json) print_json(document);
    return kExitDone;
  };
}

}  // namespace spinetherm
