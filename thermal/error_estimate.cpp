// SPDX-License-Identifier: Apache-2.0
#include "thermal/error_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/fine_patch.h"

namespace spinetherm {
namespace {

constexpr double kCoarsening = 1.5;
constexpr int kFewestToCoarsen = 8;
/// Peaks [degC] near the limits of structures.
constexpr double kLimitsFrom_degC = 41, kLimitsTo_degC = 50;

Grid coarse_grid(const Grid& fine) {
  Grid grid = fine;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    if (fine.size[a] < kFewestToCoarsen) continue;
    grid.size[a] = int(std::lround(fine.size[a] / kCoarsening));
    grid.spacing_mm[axis] = fine.spacing_mm[axis] * fine.size[a] / grid.size[a];
    grid.origin_mm[axis] += (grid.spacing_mm[axis] - fine.spacing_mm[axis]) / 2;
  }
  return grid;
}

/// Part of a fine cell, along an axis, that lies in a coarse one.
struct Share {
  int fine = 0;
  double length = 0;  ///< in fine cells
};
/// By axis and coarse index.
using Shares = std::array<std::vector<std::vector<Share>>, 3>;

Shares shares(const Grid& fine, const Grid& coarse) {
  constexpr double kRoundOff = 1e-9;
  Shares of;
  for (std::size_t a = 0; a < 3; ++a) {
    const double ratio = double(fine.size[a]) / coarse.size[a];
    for (int i = 0; i < coarse.size[a]; ++i) {
      std::vector<Share> list;
      const double low = i * ratio, high = low + ratio;
      for (int f = int(low); f < fine.size[a] && f < high; ++f) {
        const double length = std::min(high, f + 1.0) - std::max(low, double(f));
        if (length > kRoundOff) list.push_back({f, length});
      }
      of[a].push_back(std::move(list));
    }
  }
  return of;
}

/// Calls look(coarse cell, fine cell, volume) for every pair that overlaps.
template <class Look>
void for_overlaps(const Grid& fine, const Grid& coarse, const Shares& of, const Look& look) {
  for (int k = 0; k < coarse.size[2]; ++k)
    for (int j = 0; j < coarse.size[1]; ++j)
      for (int i = 0; i < coarse.size[0]; ++i)
        for (const Share& z : of[2][std::size_t(k)])
          for (const Share& y : of[1][std::size_t(j)])
            for (const Share& x : of[0][std::size_t(i)])
              look(coarse.index(i, j, k), fine.index(x.fine, y.fine, z.fine), x.length * y.length * z.length);
}

/// Means over the parts of fine cells in each coarse one; empty stays empty. NaN is left out.
Volume<float> mean_of(const Volume<float>& fine, const Grid& coarse, const Shares& of) {
  if (fine.empty()) return {};
  std::vector<double> sum(coarse.count(), 0), volume(coarse.count(), 0);
  for_overlaps(fine.grid, coarse, of, [&](std::size_t c, std::size_t f, double v) {
    if (std::isnan(fine[f])) return;
    sum[c] += v * double(fine[f]);
    volume[c] += v;
  });
  Volume<float> mean(coarse);
  for (std::size_t c = 0; c < sum.size(); ++c) mean[c] = float(sum[c] / volume[c]);
  return mean;
}

/// The label that fills most of each coarse cell; of equals the lowest.
Volume<std::uint8_t> prevailing(const Volume<std::uint8_t>& fine, const Grid& coarse, const Shares& of) {
  constexpr double kRoundOff = 1e-9;
  Volume<std::uint8_t> out(coarse);
  std::array<double, 256> volume{};
  std::vector<std::uint8_t> seen;
  std::size_t at = 0;
  const auto close = [&] {
    std::sort(seen.begin(), seen.end());
    double most = 0;
    for (const std::uint8_t label : seen) {
      if (volume[label] > most + kRoundOff) {
        most = volume[label];
        out[at] = label;
      }
      volume[label] = 0;
    }
    seen.clear();
  };
  for_overlaps(fine.grid, coarse, of, [&](std::size_t c, std::size_t f, double v) {
    if (c != at) close();
    at = c;
    if (volume[fine[f]] == 0) seen.push_back(fine[f]);
    volume[fine[f]] += v;
  });
  close();
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
  const Volume<float> mean = mean_of(fine.peak_temperature, grid, shares(fine.peak_temperature.grid, grid));
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

/// The patch of a coarser window: all of its cells that the old patch reaches into, with the labels at the
/// middles of the new cells; beside the old patch those of the old window. None in a window that is too
/// small.
std::optional<TissueMap> coarser_patch(const ThermalProblem& problem, const Grid& window, int ratio) {
  const Grid& old = problem.patch->labels.grid;
  const Eigen::Vector3d half = old.spacing_mm / 2;
  const Eigen::Vector3d low = window.to_index(old.origin_mm - half);
  const Eigen::Vector3d high =
      window.to_index(old.to_world(old.size[0] - 1, old.size[1] - 1, old.size[2] - 1) + half);
  constexpr double kRoundOff = 1e-6;
  constexpr int kFewest = 5;  // two cells on all sides must be left
  if (std::ranges::min(window.size) < kFewest) return std::nullopt;
  Eigen::Vector3d first, last;
  for (Eigen::Index a = 0; a < 3; ++a) {
    first[a] = std::floor(low[a] + 0.5 + kRoundOff);
    last[a] = std::ceil(high[a] - 0.5 - kRoundOff);
  }
  const Grid grid = patch_grid(window, window.to_world(first), window.to_world(last), ratio);
  TissueMap out = refined(problem.tissue_map, grid);
  const TissueMap inside = refined(*problem.patch, grid);
  const auto take = [&](auto& to, const auto& from) {
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i) {
          const Eigen::Vector3d at = old.to_index(grid.to_world(i, j, k));
          bool in = !to.empty() && !from.empty();
          for (std::size_t a = 0; a < 3 && in; ++a)
            in = at[Eigen::Index(a)] > -0.5 && at[Eigen::Index(a)] < old.size[a] - 0.5;
          if (in) to(i, j, k) = from(i, j, k);
        }
  };
  take(out.labels, inside.labels);
  take(out.factors.conductivity, inside.factors.conductivity);
  take(out.factors.heat_capacity, inside.factors.heat_capacity);
  take(out.factors.perfusion, inside.factors.perfusion);
  take(out.factors.electrical, inside.factors.electrical);
  return out;
}

}  // namespace

ThermalProblem coarsened(const ThermalProblem& problem) {
  const Grid& fine = problem.grid();
  const Grid grid = coarse_grid(fine);
  const Shares of = shares(fine, grid);
  ThermalProblem out = problem;
  out.tissue_map.labels = prevailing(problem.tissue_map.labels, grid, of);
  CellFactors& factors = out.tissue_map.factors;
  for (Volume<float>* factor :
       {&factors.conductivity, &factors.heat_capacity, &factors.perfusion, &factors.electrical})
    *factor = mean_of(*factor, grid, of);
  out.initial_field = mean_of(problem.initial_field, grid, of);
  for (Source& source : out.sources)
    if (auto* volumetric = std::get_if<VolumetricSource>(&source.what))
      volumetric->power_W_per_m3 = mean_of(volumetric->power_W_per_m3, grid, of);
  if (problem.patch)
    out.patch = coarser_patch(problem, grid, patch_box(fine, problem.patch->labels.grid).ratio);
  out.fields = {};
  out.fields.peak_temperature = problem.fields.peak_temperature;
  return out;
}

ErrorEstimate estimate_error(const ThermalResult& fine, const ThermalResult& coarse) {
  const auto of_samples = sample_difference_K(fine, coarse);
  return {radius_difference_mm(fine, coarse), of_samples ? of_samples : peak_difference_K(fine, coarse)};
}

void add_error_estimate(const ThermalProblem& problem, const BioheatOptions& options, ThermalResult& result,
                        const Progress& progress, const Checkpointing& checkpointing) {
  if (!result.summary.usable()) return;
  const auto without = [&](const std::string& why) {
    result.warnings.push_back("no error estimate: on larger cells, " + why);
  };
  const ThermalProblem coarse = coarsened(problem);
  if (coarse.grid() == problem.grid()) return without("there are too few of them");
  try {
    const ThermalResult run = solve(coarse, options, progress, checkpointing);
    if (!run.summary.usable()) return without(run.summary.message);
    result.error_estimate = estimate_error(result, run);
  } catch (const ConfigError& e) {
    without(e.what());
  }
}

}  // namespace spinetherm
