// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_source.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

double cell_volume_m3(const Grid& grid) { return grid.voxel_volume_mm3() * 1e-9; }

/// Adds power times the product of one weight per axis.
void add_product(const Grid& grid, const std::array<std::vector<double>, 3>& weight, double power_W,
                 std::vector<double>& q) {
  const double density = power_W / cell_volume_m3(grid);
  std::size_t n = 0;
  for (const double wz : weight[2])
    for (const double wy : weight[1])
      for (const double wx : weight[0]) q[n++] += density * wz * wy * wx;
}

constexpr int kReach = 12;

int mirrored(int i, int n) {
  const int m = ((i % (2 * n)) + 2 * n) % (2 * n);
  return m < n ? m : 2 * n - 1 - m;
}

/// The discrete point source: weights of (2 kReach + 1)^3 cells around `nearest`, sum 1.
void add_point(const Grid& grid, const Vector3d& at_mm, double power_W, std::vector<double>& q) {
  const std::array<int, 3> nearest = grid.nearest(at_mm);
  const double s = grid.spacing_mm.maxCoeff() / 2;
  constexpr int kSide = 2 * kReach + 3;
  std::vector<double> potential(std::size_t(kSide) * kSide * kSide);
  const auto index = [](int i, int j, int k) {
    return (std::size_t(k) * kSide + std::size_t(j)) * kSide + std::size_t(i);
  };
  for (int k = 0; k < kSide; ++k)
    for (int j = 0; j < kSide; ++j)
      for (int i = 0; i < kSide; ++i) {
        const Vector3d x = grid.to_world(nearest[0] + i - kReach - 1, nearest[1] + j - kReach - 1,
                                         nearest[2] + k - kReach - 1);
        const double r = (x - at_mm).norm();
        potential[index(i, j, k)] =
            r > 1e-6 * s ? std::erf(r / (std::sqrt(2.0) * s)) / r : std::sqrt(2 / kPi) / s;
      }
  const Vector3d w = grid.spacing_mm.cwiseAbs2().cwiseInverse();
  std::vector<double> weight(potential.size(), 0);
  double sum = 0;
  for (int k = 1; k + 1 < kSide; ++k)
    for (int j = 1; j + 1 < kSide; ++j)
      for (int i = 1; i + 1 < kSide; ++i) {
        const double centre = 2 * potential[index(i, j, k)];
        const double value = w[0] * (centre - potential[index(i - 1, j, k)] - potential[index(i + 1, j, k)]) +
                             w[1] * (centre - potential[index(i, j - 1, k)] - potential[index(i, j + 1, k)]) +
                             w[2] * (centre - potential[index(i, j, k - 1)] - potential[index(i, j, k + 1)]);
        weight[index(i, j, k)] = value;
        sum += value;
      }
  const double density = power_W / cell_volume_m3(grid) / sum;
  for (int k = 1; k + 1 < kSide; ++k)
    for (int j = 1; j + 1 < kSide; ++j)
      for (int i = 1; i + 1 < kSide; ++i) {
        const int x = mirrored(nearest[0] + i - kReach - 1, grid.size[0]);
        const int y = mirrored(nearest[1] + j - kReach - 1, grid.size[1]);
        const int z = mirrored(nearest[2] + k - kReach - 1, grid.size[2]);
        q[grid.index(x, y, z)] += density * weight[index(i, j, k)];
      }
}

}  // namespace

void add_power_density(const Grid& grid, const VolumetricSource& source, std::vector<double>& q) {
  for (std::size_t n = 0; n < grid.count(); ++n) q[n] += double(source.power_W_per_m3[n]);
}

void add_power_density(const Grid& grid, const GaussianSource& source, std::vector<double>& q) {
  std::array<std::vector<double>, 3> weight;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    const double h = grid.spacing_mm[axis], scale = 1 / (std::sqrt(2.0) * source.sigma_mm);
    for (int i = 0; i < grid.size[a]; ++i) {
      // Away from the centre erf(b) - erf(a) loses its digits; the difference of erfc keeps them.
      const double x = std::abs(grid.origin_mm[axis] + i * h - source.at_mm[axis]);
      const double low = (x - h / 2) * scale, high = (x + h / 2) * scale;
      weight[a].push_back(low > 0 ? (std::erfc(low) - std::erfc(high)) / 2
                                  : (std::erf(high) - std::erf(low)) / 2);
    }
  }
  add_product(grid, weight, source.power_W, q);
}

void add_power_density(const Grid& grid, const BoxSource& source, std::vector<double>& q) {
  std::array<std::vector<double>, 3> weight;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    const double h = grid.spacing_mm[axis], low = source.centre_mm[axis] - source.half_mm[axis],
                 high = source.centre_mm[axis] + source.half_mm[axis];
    for (int i = 0; i < grid.size[a]; ++i) {
      const double x = grid.origin_mm[axis] + i * h;
      weight[a].push_back(std::max(0.0, std::min(high, x + h / 2) - std::max(low, x - h / 2)) / (high - low));
    }
  }
  add_product(grid, weight, source.power_W, q);
}

void add_power_density(const Grid& grid, const PointSource& source, std::vector<double>& q) {
  add_point(grid, source.at_mm, source.power_W, q);
}

void add_power_density(const Grid& grid, const LineSource& source, std::vector<double>& q) {
  const Vector3d along = source.b_mm - source.a_mm;
  const double length_mm = along.norm();
  const int points = std::max(1, int(std::ceil(2 * length_mm / grid.spacing_mm.minCoeff())));
  const double power_W = source.W_per_m * length_mm * kMetre_per_mm / points;
  for (int n = 0; n < points; ++n) add_point(grid, source.a_mm + (n + 0.5) / points * along, power_W, q);
}

}  // namespace spinetherm
