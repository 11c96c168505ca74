// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "thermal/problem.h"

namespace spinetherm {

/// A benchmark case that other solvers are timed on, too.
struct BenchCase {
  std::string name, description;
};

/// BH-1s, BH-1, BH-2 (bioheat in a vertebra map, Gaussian source), EL-1 (bipolar electrodes), CRYO-1 (freeze,
/// thaw, freeze).
const std::vector<BenchCase>& bench_cases();

/// The problem of a case: cell (0,0,0) at half a spacing, applicators on whole cells, CEM43 without the
/// cut-off at 39 degC, samples at the case's probes. ConfigError for a name nobody knows.
ThermalProblem bench_problem(const std::string& name);

}  // namespace spinetherm
