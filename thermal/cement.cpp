// SPDX-License-Identifier: Apache-2.0
#include "thermal/cement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

Region ball(const CementStage& stage) {
  return {Sphere{stage.at_mm, std::cbrt(3 * stage.volume_ml * 1e3 / (4 * kPi))}};
}

template <class Call>
void for_cells_in_ball(const Grid& grid, const CementStage& stage, const Call& call) {
  const Region region = ball(stage);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        if (contains(region, grid.to_world(i, j, k))) call(grid.index(i, j, k));
}

}  // namespace

ThermalProblem rest_problem(const ThermalProblem& ablation, const ThermalResult& after, double duration_s) {
  if (after.temperature.empty())
    throw ConfigError("the ablation has left no temperatures", "/fields", "ask for the temperature");
  ThermalProblem p = ablation;
  p.patch.reset();
  p.sources.clear();
  p.early_ends.clear();
  p.sensors.clear();
  p.sample = {};
  p.initial_field = after.temperature;
  p.duration_s = duration_s;
  p.until_dose_settled = false;
  // No blood where heat or ice has stopped it.
  Volume<float>& perfusion = p.tissue_map.factors.perfusion;
  if (perfusion.empty()) perfusion = Volume<float>(p.grid(), 1);
  for (std::size_t c = 0; c < perfusion.values.size(); ++c) {
    const Tissue& tissue = p.tissue_map.tissues[p.tissue_map.labels[c]];
    const PerfusionRule& rule = tissue.perfusion_rule;
    const bool hot = rule.stops_above_degC && !after.peak_temperature.empty() &&
                     double(after.peak_temperature[c]) >= *rule.stops_above_degC;
    const bool damaged = rule.stops_at_arrhenius && !after.arrhenius.empty() &&
                         double(after.arrhenius[c]) >= *rule.stops_at_arrhenius;
    const bool frozen = tissue.frozen && !rule.returns_after_freezing && !after.lowest_temperature.empty() &&
                        double(after.lowest_temperature[c]) < tissue.frozen->liquidus_degC;
    if (hot || damaged || frozen) perfusion[c] = 0;
  }
  return p;
}

ThermalProblem cement_problem(const ThermalProblem& ablation, const ThermalResult& after,
                              const CementStage& stage, std::uint8_t cement,
                              const std::function<bool(std::uint8_t label)>& takes) {
  require(stage.volume_ml > 0 && stage.volume_ml < 50, "cement.volume_ml", stage.volume_ml,
          "above 0 and below 50 ml");
  require(stage.begins_s < stage.fastest_s && stage.fastest_s < stage.ends_s, "cement.fastest_s",
          stage.fastest_s, "between begins_s and ends_s");
  ThermalProblem p = rest_problem(ablation, after, stage.ends_s);
  p.until_dose_settled = true;
  VolumetricSource curing{Volume<float>(p.grid())};
  std::size_t filled = 0;
  for_cells_in_ball(p.grid(), stage, [&](std::size_t c) {
    if (!takes(p.tissue_map.labels[c])) return;
    p.tissue_map.labels[c] = cement;
    p.initial_field[c] = float(stage.start_degC);
    p.tissue_map.factors.perfusion[c] = 0;
    for (Volume<float>* factor : {&p.tissue_map.factors.conductivity, &p.tissue_map.factors.heat_capacity})
      if (!factor->empty()) (*factor)[c] = 1;
    curing.power_W_per_m3[c] = 1;
    ++filled;
  });
  if (filled == 0)
    throw ConfigError("no cell of the cavity can take cement", "/cement/at_mm", "place it in bone or tumour");
  // The mean rate is 1/(ends - begins), the highest twice that.
  const double highest_W_per_m3 = 2 * stage.heat_J_per_m3 / (stage.ends_s - stage.begins_s);
  for (float& q : curing.power_W_per_m3.values) q *= float(highest_W_per_m3);
  p.sources = {{std::move(curing),
                {{stage.begins_s, stage.ends_s}},
                {{stage.begins_s, 0}, {stage.fastest_s, 1}, {stage.ends_s, 0}}}};
  return p;
}

std::array<double, 2> range_in_ball_degC(const Volume<float>& temperature, const CementStage& stage) {
  std::array<double, 2> range{std::nan(""), std::nan("")};
  for_cells_in_ball(temperature.grid, stage, [&](std::size_t c) {
    const auto T = double(temperature[c]);
    if (!(T >= range[0])) range[0] = T;
    if (!(T <= range[1])) range[1] = T;
  });
  return range;
}

void add_stage(ThermalResult& first, const ThermalResult& second) {
  const double before_s = first.summary.simulated_s;
  const auto extremes = [&](Volume<float>& value, const Volume<float>& other, Volume<float>& time,
                            const Volume<float>& other_time, float sign) {
    for (std::size_t c = 0; c < value.values.size(); ++c) {
      if (!(sign * other[c] > sign * value[c])) continue;
      value[c] = other[c];
      if (!time.empty() && !other_time.empty()) time[c] = float(before_s) + other_time[c];
    }
  };
  if (!first.peak_temperature.empty() && !second.peak_temperature.empty())
    extremes(first.peak_temperature, second.peak_temperature, first.peak_time_s, second.peak_time_s, 1);
  if (!first.lowest_temperature.empty() && !second.lowest_temperature.empty())
    extremes(first.lowest_temperature, second.lowest_temperature, first.lowest_time_s, second.lowest_time_s,
             -1);
  for (const auto field : {&ThermalResult::cem43, &ThermalResult::arrhenius})
    for (std::size_t c = 0; c < (first.*field).values.size() && c < (second.*field).values.size(); ++c)
      if (std::isfinite((second.*field)[c])) (first.*field)[c] += (second.*field)[c];
  if (!first.temperature.empty()) first.temperature = second.temperature;
  first.summary.simulated_s += second.summary.simulated_s;
  first.summary.steps += second.summary.steps;
  first.summary.stages += second.summary.stages;
  first.summary.field_solves += second.summary.field_solves;
  first.summary.cell_updates += second.summary.cell_updates;
  first.summary.wall_time_s += second.summary.wall_time_s;
  first.summary.peak_memory_MB = std::max(first.summary.peak_memory_MB, second.summary.peak_memory_MB);
  first.summary.message =
      fmt::format("{:.1f} s in {} steps, {} stages, {} field solves", first.summary.simulated_s,
                  first.summary.steps, first.summary.stages, first.summary.field_solves);
  first.energy.in_J += second.energy.in_J;
  first.energy.stored_J += second.energy.stored_J;
  first.energy.out_J += second.energy.out_J;
  first.energy.regridded_J += second.energy.regridded_J;
  first.energy.relative_residual = std::max(first.energy.relative_residual, second.energy.relative_residual);
}

}  // namespace spinetherm
