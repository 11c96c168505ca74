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
template <class Real>
void add_product(const Grid& grid, const std::array<std::vector<double>, 3>& weight, double power_W,
                 std::vector<Real>& q) {
  const double density = power_W / cell_volume_m3(grid);
  std::size_t n = 0;
  for (const double wz : weight[2])
    for (const double wy : weight[1])
      for (const double wx : weight[0]) q[n++] += Real(density * wz * wy * wx);
}

/// Cells to each side of the one that holds the point, and what the third differences need beyond.
constexpr int kReach = 6, kMargin = 3, kSide = 2 * (kReach + kMargin) + 1;

int mirrored(int i, int n) {
  const int m = ((i % (2 * n)) + 2 * n) % (2 * n);
  return m < n ? m : 2 * n - 1 - m;
}

/// Flow from b to c of four cells in line, as the solver works it out (stencil_correction.h).
double discrete_flow(double a, double b, double c, double d, bool fourth_order) {
  const double flow = c - b;
  if (!fourth_order) return flow;
  const double third = d - 3 * c + 3 * b - a;
  const double s = 2 * std::abs(third) / (std::abs(b - a) + 2 * std::abs(flow) + std::abs(d - c) + 1e-30);
  return flow - std::max(0.0, 1 - s * s * s * s) * third / 12;
}

/// The discrete point source: weights of (2 kReach + 1)^3 cells around the nearest one, scaled to the power.
template <class Real>
void add_point(const Grid& grid, const Vector3d& at_mm, double power_W, bool fourth_order,
               std::vector<Real>& q) {
  const std::array<int, 3> nearest = grid.nearest(at_mm);
  const double s = grid.spacing_mm.norm() / 6;
  const auto index = [](int i, int j, int k) {
    return (std::size_t(k) * kSide + std::size_t(j)) * kSide + std::size_t(i);
  };
  std::vector<double> potential(std::size_t(kSide) * kSide * kSide);
  constexpr int kCentre = kReach + kMargin;
  for (int k = 0; k < kSide; ++k)
    for (int j = 0; j < kSide; ++j)
      for (int i = 0; i < kSide; ++i) {
        const Vector3d x =
            grid.to_world(nearest[0] + i - kCentre, nearest[1] + j - kCentre, nearest[2] + k - kCentre);
        const double r = (x - at_mm).norm();
        potential[index(i, j, k)] =
            r > 1e-6 * s ? std::erf(r / (std::sqrt(2.0) * s)) / r : std::sqrt(2 / kPi) / s;
      }
  const std::array<std::size_t, 3> stride{1, kSide, std::size_t(kSide) * kSide};
  std::vector<double> weight(potential.size(), 0);
  double sum = 0;
  for (int k = kMargin; k < kSide - kMargin; ++k)
    for (int j = kMargin; j < kSide - kMargin; ++j)
      for (int i = kMargin; i < kSide - kMargin; ++i) {
        const std::size_t c = index(i, j, k);
        double value = 0;
        for (std::size_t a = 0; a < 3; ++a) {
          const std::size_t n = stride[a];
          const double in = discrete_flow(potential[c - 2 * n], potential[c - n], potential[c],
                                          potential[c + n], fourth_order);
          const double out = discrete_flow(potential[c - n], potential[c], potential[c + n],
                                           potential[c + 2 * n], fourth_order);
          const double h = grid.spacing_mm[Eigen::Index(a)];
          value += (in - out) / (h * h);
        }
        weight[c] = value;
        sum += value;
      }
  const double density = power_W / cell_volume_m3(grid) / sum;
  for (int k = kMargin; k < kSide - kMargin; ++k)
    for (int j = kMargin; j < kSide - kMargin; ++j)
      for (int i = kMargin; i < kSide - kMargin; ++i) {
        const int x = mirrored(nearest[0] + i - kCentre, grid.size[0]);
        const int y = mirrored(nearest[1] + j - kCentre, grid.size[1]);
        const int z = mirrored(nearest[2] + k - kCentre, grid.size[2]);
        q[grid.index(x, y, z)] += Real(density * weight[index(i, j, k)]);
      }
}

/// Shares of the cells of one axis in a source that is even from `low` to `high`, as heat_source.h gives
/// them. What would fall beyond an outer face goes to the cell mirrored there.
std::vector<double> box_weights(int size, double h, double origin, double low, double high,
                                bool fourth_order) {
  constexpr int kBeyond = 3;
  const double first = origin - h / 2, last = first + size * h, length = high - low;
  low = std::max(low, first);
  high = std::min(high, last);
  std::vector<double> weight(std::size_t(size), 0);
  if (high <= low) return weight;
  // Third integral of the step function between the bounds; its third difference is the hat's average.
  const auto cube = [](double x) { return x > 0 ? x * x * x / 6 : 0.0; };
  std::vector<double> hat(std::size_t(size + 2 * kBeyond));
  for (int n = 0; n < size + 2 * kBeyond; ++n) {
    const double x = origin + (n - kBeyond) * h;
    double third = 0;
    for (const auto& [offset, sign] : {std::pair{1.5, 1.0}, {0.5, -3.0}, {-0.5, 3.0}, {-1.5, -1.0}})
      third += sign * (cube(x + offset * h - low) - cube(x + offset * h - high));
    hat[std::size_t(n)] = third / (h * h * length);
  }
  for (std::size_t n = 1; n + 1 < hat.size(); ++n) {
    const double bend = fourth_order ? (hat[n + 1] - 2 * hat[n] + hat[n - 1]) / 12 : 0;
    weight[std::size_t(mirrored(int(n) - kBeyond, size))] += hat[n] - bend;
  }
  return weight;
}

}  // namespace

template <class Real>
void add_power_density(const Grid& grid, const VolumetricSource& source, bool, std::vector<Real>& q) {
  for (std::size_t n = 0; n < grid.count(); ++n) q[n] += Real(source.power_W_per_m3[n]);
}

template <class Real>
void add_power_density(const Grid& grid, const GaussianSource& source, bool, std::vector<Real>& q) {
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

template <class Real>
void add_power_density(const Grid& grid, const BoxSource& source, bool fourth_order, std::vector<Real>& q) {
  std::array<std::vector<double>, 3> weight;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    weight[a] = box_weights(grid.size[a], grid.spacing_mm[axis], grid.origin_mm[axis],
                            source.centre_mm[axis] - source.half_mm[axis],
                            source.centre_mm[axis] + source.half_mm[axis], fourth_order);
  }
  add_product(grid, weight, source.power_W, q);
}

template <class Real>
void add_power_density(const Grid& grid, const PointSource& source, bool fourth_order, std::vector<Real>& q) {
  add_point(grid, source.at_mm, source.power_W, fourth_order, q);
}

template <class Real>
void add_power_density(const Grid& grid, const LineSource& source, bool fourth_order, std::vector<Real>& q) {
  const Vector3d along = source.b_mm - source.a_mm;
  const double length_mm = along.norm();
  const int points = std::max(1, int(std::ceil(2 * length_mm / grid.spacing_mm.minCoeff())));
  const double power_W = source.W_per_m * length_mm * kMetre_per_mm / points;
  for (int n = 0; n < points; ++n)
    add_point(grid, source.a_mm + (n + 0.5) / points * along, power_W, fourth_order, q);
}

#define SPINETHERM_INSTANTIATE(Real)                                                               \
  template void add_power_density(const Grid&, const VolumetricSource&, bool, std::vector<Real>&); \
  template void add_power_density(const Grid&, const GaussianSource&, bool, std::vector<Real>&);   \
  template void add_power_density(const Grid&, const BoxSource&, bool, std::vector<Real>&);        \
  template void add_power_density(const Grid&, const PointSource&, bool, std::vector<Real>&);      \
  template void add_power_density(const Grid&, const LineSource&, bool, std::vector<Real>&);
SPINETHERM_INSTANTIATE(float)
SPINETHERM_INSTANTIATE(double)
#undef SPINETHERM_INSTANTIATE

}  // namespace spinetherm
