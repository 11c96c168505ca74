// SPDX-License-Identifier: Apache-2.0
#include "apps/engine_options.h"

namespace spinetherm {

BioheatOptions engine_options(const ThermalProblem& problem, int threads) {
  constexpr std::size_t most_cells_in_double = 300000;
  BioheatOptions options;
  options.threads = threads;
  options.double_precision = problem.grid().count() <= most_cells_in_double;
  // 1 mK is 0.07 % of a dose; where the grid's own error is tenths of a kelvin it would be wasted.
  if (options.double_precision) options.step_error_K = 1e-3;
  return options;
}

BioheatOptions patient_options(int threads) {
  BioheatOptions o;
  o.threads = threads;
  o.fourth_order = false;
  o.coarse_far_field = true;
  o.step_error_K = 0.2;  // three cryoprobes: ice within 0.04 % of that at a twentieth of it
  return o;
}

}  // namespace spinetherm
