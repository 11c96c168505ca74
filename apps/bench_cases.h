// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "thermal/bioheat_solver.h"

namespace spinetherm {

/// A benchmark case, and how it is run.
struct BenchCase {
  std::string name, description;
  /// Plain second-order flows for BH and the patient-like cases: the peers' answer on the grid is that of the
  /// plain stencil, and patient runs use it, too.
  BioheatOptions engine = {};
  bool field_only = false;      ///< the electric field alone, to a relative residual of 1e-5
  bool error_estimate = false;  ///< the second run, on larger cells, is part of the time
};

/// BH-1s, BH-1, BH-2 (bioheat in a vertebra map, Gaussian source), EL-1 (bipolar electrodes), CRYO-1 (freeze,
/// thaw, freeze): other solvers are timed on them, too, applicators lie on whole cells. EL-1-exact,
/// CRYO-1-exact: the same with exact surfaces. RFA-full, RFA-pulsed, CRYO-3: what a patient's
/// simulation does.
const std::vector<BenchCase>& bench_cases();
/// ConfigError for a name nobody knows.
const BenchCase& bench_case(const std::string& name);

/// The problem of a case: of those with peers cell (0,0,0) at half a spacing, CEM43 without the cut-off at 39
/// degC, samples at the case's probes. ConfigError for a name nobody knows.
ThermalProblem bench_problem(const std::string& name);

/// Electrical conductivity of every cell at rest; every tissue must have one.
Volume<float> electrical_S_per_m(const TissueMap& map);

struct BenchResult {
  bool usable = false;
  std::string message = "not run";
  double solve_s =
      0;  ///< stepping, or multigrid and iterations, and the error estimate where one is asked for
  double setup_s = 0;                  ///< geometry and arrays; the peers' times leave it out, too
  std::optional<int> iterations = {};  ///< field_only
  ThermalResult thermal;               ///< field_only: electrical figures at 0 s, potential, power density
};
BenchResult run_bench(const BenchCase& which, const ThermalProblem& problem, int threads,
                      const Progress& progress = {});

}  // namespace spinetherm
