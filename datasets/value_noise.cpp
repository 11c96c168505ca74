// SPDX-License-Identifier: Apache-2.0
#include "datasets/value_noise.h"

#include <cmath>

namespace spinetherm {
namespace {

/// A well-mixed 32-bit number of a lattice point (the finaliser of MurmurHash3).
std::uint32_t mixed(std::uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bU;
  h ^= h >> 13;
  h *= 0xc2b2ae35U;
  return h ^ (h >> 16);
}
double lattice(std::uint32_t xyz) { return double(mixed(xyz)) * (2.0 / 4294967295.0) - 1; }

}  // namespace

double value_noise(const Eigen::Vector3d& x, std::uint32_t seed) {
  // The floor; faster than the library's, which asks what the processor can.
  const auto cell = [](double c) {
    const auto whole = std::int32_t(c);
    return c < whole ? whole - 1 : whole;
  };
  const std::int32_t fx = cell(x.x()), fy = cell(x.y()), fz = cell(x.z());
  const auto curve = [](double t) { return t * t * t * (t * (6 * t - 15) + 10); };
  const double u = curve(x.x() - fx), v = curve(x.y() - fy), w = curve(x.z() - fz);
  constexpr std::uint32_t kX = 0x9e3779b1U, kY = 0x7feb352dU, kZ = 0xc2b2ae3dU;
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
  // Uniform lattice values have variance 1/3; the quintic curve leaves (181 / 231)^3 of it on average.
  constexpr double kScale = 2.497;
  return kScale * (low + w * (high - low));
}

double value_noise_2(const Eigen::Vector3d& x, std::uint32_t seed) {
  constexpr double kFine = 0.6;
  return (value_noise(x, seed) + kFine * value_noise(2 * x, seed + 1)) / std::sqrt(1 + kFine * kFine);
}

}  // namespace spinetherm
