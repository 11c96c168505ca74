// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/bioheat_solver.h"

namespace spinetherm {

/// The same problem in the same box on cells of twice the size (an axis of fewer than 8 cells keeps its own).
/// A cell has the tissue that most of its small cells have, and the mean of their factors, sources and
/// initial temperatures; regions stay exact. Without fields, but for those that estimate_error() needs.
ThermalProblem coarsened(const ThermalProblem& problem);

/// How far `fine` is off, from the difference to a run on the coarsened problem, times 0.6: for errors that
/// fall with the first, second and fourth power of the cell's size, the difference is 1, 3 and 15 times the
/// error of the finer run, so that the error lies between 0.1 and 2 times the estimate in each case. Says
/// nothing about tissue properties, which are off by more.
///   peak_K: largest over the samples; without samples, what 95 % of the cells that peak at 41 to 50 degC
///   (where
///     limits lie) stay below.
///   zone_radius_mm: of the ball of the zone's volume; the zone is the first of cem43_over_240,
///   under_minus20_degC,
///     under_0_degC, over_50_degC that there is.
/// Empty where the runs hold nothing to compare.
ErrorEstimate estimate_error(const ThermalResult& fine, const ThermalResult& coarse);

/// Runs the coarsened problem and puts the estimate into `result`, a finished run of `problem`. Where the
/// coarser run is not possible or does not end well, the estimate stays empty and a warning says why.
void add_error_estimate(const ThermalProblem& problem, const BioheatOptions& options, ThermalResult& result,
                        const Progress& progress = {});

}  // namespace spinetherm
