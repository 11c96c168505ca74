// SPDX-License-Identifier: Apache-2.0
#include "thermal/error_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kShareOfDifference = 0.6;
constexpr int kFewestToHalve = 8;
/// Peaks [degC] near the limits of structures.
constexpr double kLimitsFrom_degC = 41, kLimitsTo_degC = 50;

Grid coarse_grid(const Grid& fine) {
  Grid grid = fine;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    if (fine.size[a] < kFewestToHalve) continue;
    grid.size[a] = (fine.size[a] + 1) / 2;
    grid.spacing_mm[axis] = fine.spacing_mm[axis] * fine.size[a] / grid.size[a];
    grid.origin_mm[axis] += (grid.spacing_mm[axis] - fine.spacing_mm[axis]) / 2;
  }
  return grid;
}

/// Coarse cell that holds the centre of each fine cell.
std::vector<std::size_t> parents(const Grid& fine, const Grid& coarse) {
  std::array<std::vector<int>, 3> of;
  for (std::size_t a = 0; a < 3; ++a)
    for (int i = 0; i < fine.size[a]; ++i)
      of[a].push_back(std::min(int((i + 0.5) * coarse.size[a] / fine.size[a]), coarse.size[a] - 1));
  std::vector<std::size_t> parent;
  parent.reserve(fine.count());
  for (const int k : of[2])
    for (const int j : of[1])
      for (const int i : of[0]) parent.push_back(coarse.index(i, j, k));
  return parent;
}

/// Means over the fine cells of each coarse one; empty stays empty. NaN is left out.
Volume<float> mean_of(const Volume<float>& fine, const Grid& coarse, const std::vector<std::size_t>& parent) {
  if (fine.empty()) return {};
  std::vector<double> sum(coarse.count(), 0);
  std::vector<int> count(coarse.count(), 0);
  for (std::size_t c = 0; c < parent.size(); ++c) {
    if (std::isnan(fine[c])) continue;
    sum[parent[c]] += double(fine[c]);
    ++count[parent[c]];
  }
  Volume<float> mean(coarse);
  for (std::size_t c = 0; c < sum.size(); ++c) mean[c] = float(sum[c] / count[c]);
  return mean;
}

Volume<std::uint8_t> most_frequent(const Volume<std::uint8_t>& fine, const Grid& coarse,
                                   const std::vector<std::size_t>& parent) {
  std::vector<std::vector<std::uint8_t>> labels(coarse.count());
  for (std::size_t c = 0; c < parent.size(); ++c) labels[parent[c]].push_back(fine[c]);
  Volume<std::uint8_t> out(coarse);
  for (std::size_t c = 0; c < labels.size(); ++c) {
    std::sort(labels[c].begin(), labels[c].end());
    std::size_t most = 0;
    for (std::size_t n = 0; n < labels[c].size();) {
      std::size_t end = n;
      while (end < labels[c].size() && labels[c][end] == labels[c][n]) ++end;
      if (end - n > most) {
        most = end - n;
        out[c] = labels[c][n];
      }
      n = end;
    }
  }
  return out;
}

std::optional<double> sample_difference_K(const ThermalResult& fine, const ThermalResult& coarse) {
  if (fine.samples.empty() || fine.samples.size() != coarse.samples.size()) return std::nullopt;
  double largest = 0;
  for (std::size_t n = 0; n < fine.samples.size(); ++n)
    largest = std::max(largest, std::abs(fine.samples[n].T_degC - coarse.samples[n].T_degC));
  return largest;
}

std::optional<double> peak_difference_K(const ThermalResult& fine, const ThermalResult& coarse) {
  if (fine.peak_temperature.empty() || coarse.peak_temperature.empty()) return std::nullopt;
  const Grid& grid = coarse.peak_temperature.grid;
  const Volume<float> mean = mean_of(fine.peak_temperature, grid, parents(fine.peak_temperature.grid, grid));
  std::vector<double> differences;
  for (std::size_t c = 0; c < grid.count(); ++c)
    if (double(mean[c]) > kLimitsFrom_degC && double(mean[c]) < kLimitsTo_degC)
      differences.push_back(std::abs(double(mean[c]) - double(coarse.peak_temperature[c])));
  if (differences.empty()) return std::nullopt;
  const auto nth = differences.begin() + std::ptrdiff_t(0.95 * double(differences.size() - 1));
  std::nth_element(differences.begin(), nth, differences.end());
  return *nth;
}

std::optional<double> radius_difference_mm(const ThermalResult& fine, const ThermalResult& coarse) {
  const auto radius_mm = [](const ThermalResult& r, const char* key) {
    const auto zone = r.zones.find(key);
    return zone == r.zones.end() ? 0.0 : std::cbrt(3 * zone->second.volume_ml * 1e3 / (4 * kPi));
  };
  for (const char* key : {"cem43_over_240", "under_minus20_degC", "under_0_degC", "over_50_degC"})
    if (const double r = radius_mm(fine, key); r > 0) return std::abs(r - radius_mm(coarse, key));
  return std::nullopt;
}

}  // namespace

ThermalProblem coarsened(const ThermalProblem& problem) {
  const Grid& fine = problem.grid();
  const Grid grid = coarse_grid(fine);
  const std::vector<std::size_t> parent = parents(fine, grid);
  ThermalProblem out = problem;
  out.tissue_map.labels = most_frequent(problem.tissue_map.labels, grid, parent);
  CellFactors& factors = out.tissue_map.factors;
  for (Volume<float>* factor :
       {&factors.conductivity, &factors.heat_capacity, &factors.perfusion, &factors.electrical})
    *factor = mean_of(*factor, grid, parent);
  out.initial_field = mean_of(problem.initial_field, grid, parent);
  for (Source& source : out.sources)
    if (auto* volumetric = std::get_if<VolumetricSource>(&source.what))
      volumetric->power_W_per_m3 = mean_of(volumetric->power_W_per_m3, grid, parent);
  out.fields = {};
  out.fields.peak_temperature = problem.fields.peak_temperature;
  return out;
}

ErrorEstimate estimate_error(const ThermalResult& fine, const ThermalResult& coarse) {
  const auto share = [](std::optional<double> difference) {
    if (difference) *difference *= kShareOfDifference;
    return difference;
  };
  const auto of_samples = sample_difference_K(fine, coarse);
  return {share(radius_difference_mm(fine, coarse)),
          share(of_samples ? of_samples : peak_difference_K(fine, coarse))};
}

void add_error_estimate(const ThermalProblem& problem, const BioheatOptions& options, ThermalResult& result,
                        const Progress& progress) {
  if (!result.summary.usable()) return;
  const auto without = [&](const std::string& why) {
    result.warnings.push_back("no error estimate: on cells of twice the size, " + why);
  };
  const ThermalProblem coarse = coarsened(problem);
  if (coarse.grid() == problem.grid()) return without("there are too few of them");
  try {
    const ThermalResult run = solve(coarse, options, progress);
    if (!run.summary.usable()) return without(run.summary.message);
    result.error_estimate = estimate_error(result, run);
  } catch (const ConfigError& e) {
    without(e.what());
  }
}

}  // namespace spinetherm
