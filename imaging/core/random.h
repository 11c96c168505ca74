// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>

namespace spinetherm {

/// Independent stream for one trial: the result does not depend on the thread that runs it.
inline std::mt19937_64 trial_rng(std::uint64_t seed, std::uint64_t trial) {
  std::seed_seq s{std::uint32_t(seed), std::uint32_t(seed >> 32), std::uint32_t(trial),
                  std::uint32_t(trial >> 32)};
  return std::mt19937_64(s);
}

}  // namespace spinetherm
