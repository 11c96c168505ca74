// SPDX-License-Identifier: Apache-2.0
#include "datasets/value_noise.h"

#include <cmath>

namespace spinetherm {
namespace {

constexpr std::uint32_t kX = 0x9e3779b1U, kY = 0x7feb352dU, kZ = 0xc2b2ae3dU;
// Uniform lattice values have variance 1/3; the quintic curve leaves (181 / 231)^3 of it on average.
constexpr double kScale = 2.497;

/// A well-mixed 32-bit number of a lattice point (the finaliser of MurmurHash3).
std::uint32_t mixed(std::uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bU;
  h ^= h >> 13;
  h *= 0xc2b2ae35U;
  return h ^ (h >> 16);
}
double lattice(std::uint32_t xyz) { return double(mixed(xyz)) * (2.0 / 4294967295.0) - 1; }

/// The floor; faster than the library's, which asks what the processor can.
std::int32_t cell(double c) {
  const auto whole = std::int32_t(c);
  return c < whole ? whole - 1 : whole;
}
double curve(double t) { return t * t * t * (t * (6 * t - 15) + 10); }

}  // namespace

double value_noise(const Eigen::Vector3d& x, std::uint32_t seed) {
  const std::int32_t fx = cell(x.x()), fy = cell(x.y()), fz = cell(x.z());
  const double u = curve(x.x() - fx), v = curve(x.y() - fy), w = curve(x.z() - fz);
  const std::uint32_t base =
      mixed(seed) + kX * std::uint32_t(fx) + kY * std::uint32_t(fy) + kZ * std::uint32_t(fz);
  const auto along = [&](std::uint32_t at) {
    const double a = lattice(at), b = lattice(at + kX);
    return a + u * (b - a);
  };
  const auto across = [&](std::uint32_t at) {
    const double a = along(at);
    return a + v * (along(at + kY) - a);
  };
  const double low = across(base), high = across(base + kZ);
  return kScale * (low + w * (high - low));
}

NoiseLattice::NoiseLattice(const Eigen::AlignedBox3d& box, std::uint32_t seed) {
  for (int a = 0; a < 3; ++a) {
    low_[std::size_t(a)] = cell(box.min()[a]);
    count_[std::size_t(a)] = cell(box.max()[a]) + 2 - low_[std::size_t(a)];
  }
  values_.reserve(std::size_t(count_[0]) * std::size_t(count_[1]) * std::size_t(count_[2]));
  for (int k = 0; k < count_[2]; ++k)
    for (int j = 0; j < count_[1]; ++j)
      for (int i = 0; i < count_[0]; ++i) {
        const std::uint32_t at = kX * std::uint32_t(low_[0] + i) + kY * std::uint32_t(low_[1] + j) +
                                 kZ * std::uint32_t(low_[2] + k);
        values_.emplace_back(lattice(mixed(seed) + at), lattice(mixed(seed + 1) + at),
                             lattice(mixed(seed + 2) + at));
      }
}

Eigen::Vector3d NoiseLattice::at(const Eigen::Vector3d& x) const {
  const std::int32_t fx = cell(x.x()), fy = cell(x.y()), fz = cell(x.z());
  const double u = curve(x.x() - fx), v = curve(x.y() - fy), w = curve(x.z() - fz);
  const std::size_t row = std::size_t(count_[0]), slice = row * std::size_t(count_[1]);
  const Eigen::Vector3d* p = &values_[std::size_t(fz - low_[2]) * slice + std::size_t(fy - low_[1]) * row +
                                      std::size_t(fx - low_[0])];
  const auto along = [&](const Eigen::Vector3d* q) -> Eigen::Vector3d { return q[0] + u * (q[1] - q[0]); };
  const auto across = [&](const Eigen::Vector3d* q) -> Eigen::Vector3d {
    const Eigen::Vector3d a = along(q);
    return a + v * (along(q + row) - a);
  };
  const Eigen::Vector3d low = across(p), high = across(p + slice);
  return kScale * (low + w * (high - low));
}

double value_noise_2(const Eigen::Vector3d& x, std::uint32_t seed) {
  constexpr double kFine = 0.6;
  return (value_noise(x, seed) + kFine * value_noise(2 * x, seed + 1)) / std::sqrt(1 + kFine * kFine);
}

}  // namespace spinetherm
