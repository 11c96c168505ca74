// SPDX-License-Identifier: Apache-2.0
// roof: what this machine can do, now: one line of JSON.
//   triad: a = b + s c in float, 12 bytes an element as STREAM counts, no write-allocate; arrays of 1 MB in
//     all (level-2 cache), 24 and 100 MB (level 3), 600 MB (memory); best of several passes [GB/s].
//   stencil: one explicit step of heat on the vertebra map of BH-1 (128^3) and BH-2 (192^3): seven points in
//     float, properties by a table that the cell's label looks up, nothing else [cells/s]. Where 16 cells and
//     all their neighbours are of one tissue, the table is read once.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/bench_cases.h"

namespace {

#if defined(__x86_64__)
#define BEST_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define BEST_VECTORS
#endif

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

BEST_VECTORS void triad_part(float* __restrict a, const float* __restrict b, const float* __restrict c,
                             float s, std::ptrdiff_t count) {
  for (std::ptrdiff_t n = 0; n < count; ++n) a[n] = b[n] + s * c[n];
}

/// Best rate of several passes [GB/s]; each thread keeps its part of the arrays.
double triad_GB_per_s(double megabytes, int threads) {
  constexpr double kLeastPass_MB = 400;  // small arrays many times over between two looks at the clock
  constexpr int kPasses = 12;
  const auto count = std::ptrdiff_t(megabytes * 1e6 / 12);
  const auto size = static_cast<std::size_t>(count);
  std::vector<float> a(size), b(size, 1.0F), c(size, 2.0F);
  const auto sweep = [&](int times) {
    const double begin = now_s();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int part = 0; part < threads; ++part) {
      const std::ptrdiff_t from = count * part / threads, to = count * (part + 1) / threads;
      for (int n = 0; n < times; ++n)
        triad_part(a.data() + from, b.data() + from, c.data() + from, float(n), to - from);
    }
    return (now_s() - begin) / times;
  };
  const int times = std::max(1, int(kLeastPass_MB / megabytes));
  double best_s = sweep(times);
  for (int pass = 1; pass < kPasses; ++pass) best_s = std::min(best_s, sweep(times));
  return double(count) * 12 / best_s * 1e-9;
}

constexpr int kBlock = 16, kLabels = 4;

struct Rows {
  std::ptrdiff_t nx, plane;
  const std::uint8_t *label, *uniform;  ///< uniform: by block of 16 cells, 1: all neighbours of one tissue
  std::array<float, kLabels> half_resistivity, step;  ///< 1/(2k); dt/(h^2 rho c)
};

BEST_VECTORS void step_row(const Rows& r, const float* __restrict u, float* __restrict out,
                           std::ptrdiff_t row) {
  const std::ptrdiff_t y = r.nx, z = r.plane;
  for (std::ptrdiff_t from = row; from < row + r.nx; from += kBlock) {
    if (r.uniform[from / kBlock]) {
      const std::size_t l = r.label[from];
      const float rate = r.step[l] / (2 * r.half_resistivity[l]);
      for (std::ptrdiff_t c = from; c < from + kBlock; ++c)
        out[c] = u[c] + rate * (u[c - 1] + u[c + 1] + u[c - y] + u[c + y] + u[c - z] + u[c + z] - 6 * u[c]);
      continue;
    }
    for (std::ptrdiff_t c = from; c < from + kBlock; ++c) {
      const float here = r.half_resistivity[r.label[c]];
      float flow = 0;
      for (const std::ptrdiff_t next : {c - 1, c + 1, c - y, c + y, c - z, c + z})
        flow += (u[next] - u[c]) / (here + r.half_resistivity[r.label[next]]);
      out[c] = u[c] + r.step[r.label[c]] * flow;
    }
  }
}

/// Best rate of several steps [cells/s].
double stencil_cells_per_s(const spinetherm::ThermalProblem& problem, int threads) {
  constexpr int kSteps = 25;
  const auto& labels = problem.tissue_map.labels;
  const std::array<int, 3> n = labels.grid.size;
  const std::ptrdiff_t nx = n[0], plane = nx * n[1], cells = plane * n[2];
  const double h_m = labels.grid.spacing_mm[0] * 1e-3, dt_s = 0.1 * h_m * h_m / 1.5e-7;
  std::vector<std::uint8_t> uniform(std::size_t(cells / kBlock), 1);
  Rows rows{nx, plane, labels.values.data(), uniform.data(), {}, {}};
  for (std::size_t l = 0; l < kLabels; ++l) {
    const spinetherm::Tissue& t = problem.tissue_map.tissues.at(l);
    rows.half_resistivity[l] = float(0.5 / t.conductivity_W_per_m_K);
    rows.step[l] = float(dt_s / (h_m * h_m * t.density_kg_per_m3 * t.specific_heat_J_per_kg_K));
  }
  const std::ptrdiff_t first = plane + nx + 1, last = cells - plane - nx - 1;  // all neighbours exist
  for (std::ptrdiff_t c = first; c < last; ++c)
    for (const std::ptrdiff_t next : {c - 1, c + 1, c - nx, c + nx, c - plane, c + plane})
      if (rows.label[next] != rows.label[c / kBlock * kBlock]) uniform[std::size_t(c / kBlock)] = 0;
  std::vector<float> u(std::size_t(cells), 0.0F), out(std::size_t(cells), 0.0F);
  for (std::size_t c = 0; c < u.size(); ++c) u[c] = float(c % 97);
  double best_s = 1e9;
  for (int step = 0; step < kSteps; ++step) {
    const double begin = now_s();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int k = 1; k < n[2] - 1; ++k)
      for (int j = 1; j < n[1] - 1; ++j) step_row(rows, u.data(), out.data(), k * plane + j * nx);
    best_s = std::min(best_s, now_s() - begin);
    std::swap(u, out);
  }
  return double(nx) * (n[1] - 2) * (n[2] - 2) / best_s;
}

}  // namespace

int main() {
  nlohmann::ordered_json roof = {{"triad_GB_per_s", nlohmann::ordered_json::array()},
                                 {"stencil_cells_per_s", nlohmann::ordered_json::array()}};
  for (const double megabytes : {1, 24, 100, 600})
    for (const int threads : {1, 2})
      roof["triad_GB_per_s"].push_back(
          {{"MB", megabytes}, {"threads", threads}, {"rate", triad_GB_per_s(megabytes, threads)}});
  for (const char* name : {"BH-1", "BH-2"}) {
    const spinetherm::ThermalProblem problem = spinetherm::bench_problem(name);
    for (const int threads : {1, 2})
      roof["stencil_cells_per_s"].push_back({{"side", problem.grid().size[0]},
                                             {"threads", threads},
                                             {"rate", stencil_cells_per_s(problem, threads)}});
  }
  std::puts(roof.dump().c_str());
  return 0;
}
