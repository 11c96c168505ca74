// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/bioheat_solver.h"

namespace spinetherm {

/// The same problem in the same box on cells of 1.5 times the size (an axis of fewer than 8 cells keeps its
/// own). A cell has the tissue that fills most of it, and the mean of the factors, sources and initial
/// temperatures of its parts; regions stay exact. Without fields, but for those that estimate_error() needs.
ThermalProblem coarsened(const ThermalProblem& problem);

/// How far `fine` is off: its difference to a run on the coarsened problem. For errors that fall with the
/// first, second, fourth and sixth power of the cell's size that is 0.5, 1.25, 4 and 10 times the error of
/// the finer run, so that the error lies between 0.1 and 2 times the estimate; at half the resolution, 1 to
/// 63, no one factor would do. Measured over closed forms:
/// tests/verification/error_estimate_calibration_test.cpp. Says nothing about tissue properties, which are
/// off by more.
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
/// `checkpointing`: of the coarser run.
void add_error_estimate(const ThermalProblem& problem, const BioheatOptions& options, ThermalResult& result,
                        const Progress& progress = {}, const Checkpointing& checkpointing = {});

}  // namespace spinetherm
