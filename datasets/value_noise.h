// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <cstdint>

namespace spinetherm {

/// Smooth random field with cells of 1: random values on the integer lattice, joined by quintic curves. Mean
/// 0, standard deviation 1 (over space), within +/- 2.5. A pure function: the same for any thread.
double value_noise(const Eigen::Vector3d& x, std::uint32_t seed);
/// Two octaves (cells of 1 and 0.5), standard deviation 1.
double value_noise_2(const Eigen::Vector3d& x, std::uint32_t seed);

}  // namespace spinetherm
