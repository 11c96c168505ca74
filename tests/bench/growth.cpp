// SPDX-License-Identifier: Apache-2.0
// growth SIDE THREADS: the engine on SIDE^3 cells of 1 mm; one line of JSON. For a figure of memory each size
// needs a process of its own.
//
// The cells keep their size while the box grows: stiffness, steps and stages are the same for all sizes, so
// that only the amount of data differs. (The same box on smaller cells would need more stages a step, which
// dilutes what a step costs once.) For the same reason the tissues repeat every 64 mm, and the blood is a
// little cooler than the tissue at the start: no cell is at rest, all are stepped from the beginning.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/bench_cases.h"

namespace {

double peak_MB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

spinetherm::ThermalProblem problem_of(int side) {
  using namespace spinetherm;
  constexpr int kPeriod = 64;
  constexpr double kCoolerBlood_K = 0.5;
  ThermalProblem p = bench_problem("BH-1");  // 5 W in a ball, labels of 1 mm
  const Volume<std::uint8_t> pattern = p.tissue_map.labels;
  const int from = (pattern.grid.size[0] - kPeriod) / 2;
  Grid grid = pattern.grid;
  grid.size = {side, side, side};
  Volume<std::uint8_t> labels(grid);
  // The source, in the middle, lies in the middle of the pattern.
  const int shift = kPeriod / 2 - (side / 2) % kPeriod + kPeriod;
  const auto in_pattern = [&](int i) { return from + (i + shift) % kPeriod; };
  for (int k = 0; k < side; ++k)
    for (int j = 0; j < side; ++j)
      for (int i = 0; i < side; ++i) labels(i, j, k) = pattern(in_pattern(i), in_pattern(j), in_pattern(k));
  p.tissue_map.labels = std::move(labels);
  p.sources = {{GaussianSource{5, 7, Eigen::Vector3d::Constant(side / 2.0)}, {}}};
  p.blood.temperature_degC -= kCoolerBlood_K;
  p.duration_s = 180;
  p.sample = {};
  return p;
}

}  // namespace

int main(int argc, char** argv) {
  const int side = argc == 3 ? std::atoi(argv[1]) : 0, threads = argc == 3 ? std::atoi(argv[2]) : 0;
  if (side < 32 || side > 1024 || threads < 1) {
    std::fputs("usage: growth SIDE THREADS, 32 <= SIDE <= 1024\n", stderr);
    return 2;
  }
  const double before_MB = peak_MB();
  const spinetherm::ThermalProblem problem = problem_of(side);
  spinetherm::BioheatOptions options = spinetherm::bench_case("BH-1").engine;
  options.threads = threads;
  const spinetherm::ThermalResult result = spinetherm::solve(problem, options);
  if (!result.summary.usable()) {
    std::fprintf(stderr, "error: %s\n", result.summary.message.c_str());
    return 3;
  }
  const double cells = double(problem.grid().count()), peak = peak_MB();
  const nlohmann::ordered_json line = {
      {"side", side},
      {"threads", threads},
      {"steps", result.summary.steps},
      {"stages", result.summary.stages},
      {"solve_s", result.summary.wall_time_s},
      {"cell_updates", result.summary.cell_updates},
      {"ns_per_update", result.summary.wall_time_s / result.summary.cell_updates * 1e9},
      {"all_active", result.summary.cell_updates == cells * double(result.summary.stages)},
      {"peak_MB", peak},
      {"bytes_per_cell", (peak - before_MB) * 1024 * 1024 / cells}};
  std::puts(line.dump().c_str());
  return 0;
}
