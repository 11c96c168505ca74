// SPDX-License-Identifier: Apache-2.0
#include "apps/set_threads.h"

#include <omp.h>

#include <cstdlib>
#include <string>

namespace spinetherm {

void set_threads(int threads) {
  omp_set_num_threads(threads);
  setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", std::to_string(threads).c_str(), 1);
}

}  // namespace spinetherm
