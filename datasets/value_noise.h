// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Geometry>
#include <array>
#include <cstdint>
#include <vector>

namespace spinetherm {

/// Smooth random field with cells of 1: random values on the integer lattice, joined by quintic curves. Mean
/// 0, standard deviation 1 (over space), within +/- 2.5. A pure function: the same for any thread.
double value_noise(const Eigen::Vector3d& x, std::uint32_t seed);
/// Two octaves (cells of 1 and 0.5), standard deviation 1.
double value_noise_2(const Eigen::Vector3d& x, std::uint32_t seed);

/// value_noise() of `seed`, `seed` + 1 and `seed` + 2 at the points of a box, to the last bit: the lattice's
/// values are looked up, which is faster where its cells are large and asked often.
class NoiseLattice {
 public:
  NoiseLattice() = default;
  NoiseLattice(const Eigen::AlignedBox3d& box, std::uint32_t seed);
  /// x must lie in the box.
  Eigen::Vector3d at(const Eigen::Vector3d& x) const;

 private:
  std::array<int, 3> low_{0, 0, 0}, count_{0, 0, 0};
  std::vector<Eigen::Vector3d> values_;
};

}  // namespace spinetherm
