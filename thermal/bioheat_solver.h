// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "imaging/core/progress.h"
#include "thermal/checkpoint.h"
#include "thermal/problem.h"
#include "thermal/result.h"

namespace spinetherm {

struct BioheatOptions {
  /// Largest temperature change of a cell in one macro-step [K]; half of it while electrodes act, whose
  /// power follows the temperature.
  double max_step_K = 20;
  /// Longest macro-step [s].
  double max_step_s = 80;
  /// First macro-step, and the first one after a source has switched [s].
  double first_step_s = 0.05;
  /// Local error of one macro-step allowed in any cell, by the embedded estimate [K]. The estimate is large
  /// where a wall or a front has just moved, and those errors die out again.
  double step_error_K = 0.02;
  /// Most stages of one RKL2 macro-step [-]; sets how far a step may exceed the explicit limit.
  int max_stages = 99;
  /// Flows within one tissue to fourth order, see stencil_correction.h; off for `voxel_applicators`, which
  /// stand for comparison with codes that have the plain stencil.
  bool fourth_order = true;
  /// Cells of twice the size far from applicators and strong sources, where the run allows it; see
  /// far_field.h. Not with `fourth_order`.
  bool coarse_far_field = false;
  /// OpenMP threads; 0: all.
  int threads = 0;
  /// State in double: twice the memory, for verification.
  bool double_precision = false;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
  bool operator==(const BioheatOptions&) const = default;
};

/// Solves the bioheat equation
///   dH/dt = div(k grad T) + w rho_b c_b (T_b - T) + q_m + q
/// on the problem's grid by cell-centred finite volumes (harmonic face conductivities) and the second-order
/// Runge-Kutta-Legendre scheme (Meyer, Balsara & Aslam 2014, doi:10.1016/j.jcp.2013.08.021), with dose
/// integrated while stepping. ConfigError when the problem is not valid; not converged, cancelled and
/// diverged come back in the summary. CheckpointError when what it should resume from is damaged or of
/// another run.
ThermalResult solve(const ThermalProblem& problem, const BioheatOptions& options = {},
                    const Progress& progress = {}, const Checkpointing& checkpointing = {});

}  // namespace spinetherm
