// SPDX-License-Identifier: Apache-2.0
#include "apps/engine_options.h"

namespace spinetherm {

BioheatOptions engine_options(const ThermalProblem& problem, int threads) {
  constexpr std::size_t most_cells_in_double = 300000;
  BioheatOptions options;
  options.threads = threads;
  options.double_precision = problem.grid().count() <= most_cells_in_double;
  return options;
}

}  // namespace spinetherm
