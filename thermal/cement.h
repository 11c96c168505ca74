// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "thermal/problem.h"
#include "thermal/result.h"

namespace spinetherm {

/// Bone cement that is put into a cavity after the ablation, and the heat of its curing: polymerisation gives
/// 57.8 kJ per mol of methyl methacrylate; with 32 % of it by mass (one part of liquid to two of powder) and
/// 1215 kg/m3 that is 2.2e8 J/m3. It sets between `begins_s` and `ends_s` after it was placed, at a rate that
/// rises and falls on straight lines. When, and how warm it is put in, are placeholders.
struct CementStage {
  double volume_ml = 0;
  Eigen::Vector3d at_mm{0, 0, 0};
  double heat_J_per_m3 = 2.24e8;
  double start_degC = 25;
  double begins_s = 240, fastest_s = 360, ends_s = 540;
  bool operator==(const CementStage&) const = default;
};

/// After heat, cement may follow when the cavity has cooled below 40 degC; after ice, when all of it is
/// warmer than 30 degC (practice).
constexpr double kCementBelow_degC = 40, kCementAbove_degC = 30;

/// The run that follows: `ablation` without its sources, from the state `after` it, where the ball of
/// cement (cells in it whose label `takes` it) has the label `cement`. Tissue that the ablation has cut off
/// from its blood stays so. On the cells of the window alone.
ThermalProblem cement_problem(const ThermalProblem& ablation, const ThermalResult& after,
                              const CementStage& stage, std::uint8_t cement,
                              const std::function<bool(std::uint8_t label)>& takes);
/// The same without cement, for as long as it takes to thaw or cool.
ThermalProblem rest_problem(const ThermalProblem& ablation, const ThermalResult& after, double duration_s);
/// Coldest and warmest cell of the ball; {NaN, NaN} when it holds none.
std::array<double, 2> range_in_ball_degC(const Volume<float>& temperature, const CementStage& stage);

/// What the second run adds to the first: extremes, doses, the state at the end, time, energies (each balance
/// with its own relative residual: the larger one stays). Zones remain those of the first.
void add_stage(ThermalResult& first, const ThermalResult& second);

}  // namespace spinetherm
