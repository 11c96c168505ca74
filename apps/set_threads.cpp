// SPDX-License-Identifier: Apache-2.0
#include "apps/set_threads.h"

#include <omp.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace spinetherm {

void set_threads(int threads) {
  omp_set_num_threads(threads);
  setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", std::to_string(threads).c_str(), 1);
}

void wait_without_spinning(char** argv) {
  for (const char* name : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"})
    if (std::getenv(name) != nullptr) return;
  setenv("GOMP_SPINCOUNT", "10000", 1);
  execv("/proc/self/exe", argv);  // returns only when it failed: then we spin
}

}  // namespace spinetherm
