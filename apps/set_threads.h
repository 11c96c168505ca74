// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spinetherm {

/// Threads that OpenMP and ITK use from now on. Call before the first computation: ITK asks only once.
void set_threads(int threads);

/// Threads that wait for one another go to sleep after some microseconds instead of milliseconds: where other
/// programs share the processors, a spinning thread holds up the one it waits for (three to five times the
/// wall time on two busy cores, nothing on idle ones). GCC's OpenMP reads this from the environment when it
/// is loaded, so the program starts itself once more with the variable set; it returns when it is set, or
/// cannot be. Call first.
void wait_without_spinning(char** argv);

}  // namespace spinetherm
