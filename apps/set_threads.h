// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spinetherm {

/// Threads that OpenMP and ITK use from now on. Call before the first computation: ITK asks only once.
void set_threads(int threads);

}  // namespace spinetherm
