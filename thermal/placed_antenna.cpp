// SPDX-License-Identifier: Apache-2.0
#include "thermal/placed_antenna.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

/// Rings end this far from the axis; beyond, the outermost ones stand for all.
constexpr double kRings_mm = 40, kBefore_mm = 30, kBehind_mm = 60;
/// Cells whose middle is this near to the axis are divided into kParts along each edge.
constexpr double kDivided_mm = 6;
constexpr int kParts = 6;

/// Means over rings; empty ones hold the mean of the nearest that is not, along r first.
struct Rings {
  double dr_mm = 0, dz_mm = 0;
  std::size_t nr = 0, nz = 0;
  std::vector<double> permittivity, conductivity;
  std::size_t ring(double r_mm, double z_mm) const {
    const auto at = [](double x, std::size_t n) { return std::size_t(std::clamp(x, 0.0, double(n - 1))); };
    return at(r_mm / dr_mm, nr) + nr * at((z_mm + kBefore_mm) / dz_mm, nz);
  }
};

/// Fills what has no weight from the nearest along a line of `count` values, `stride` apart.
void fill_line(std::vector<double>& weight, std::vector<double>& a, std::vector<double>& b, std::size_t first,
               std::size_t stride, std::size_t count) {
  std::vector<std::size_t> known;
  for (std::size_t n = 0; n < count; ++n)
    if (weight[first + n * stride] > 0) known.push_back(n);
  if (known.empty()) return;
  std::size_t next = 0;
  for (std::size_t n = 0; n < count; ++n) {
    while (next + 1 < known.size() &&
           std::abs(double(known[next + 1]) - double(n)) < std::abs(double(known[next]) - double(n)))
      ++next;
    const std::size_t to = first + n * stride, from = first + known[next] * stride;
    if (weight[to] > 0) continue;
    a[to] = a[from];
    b[to] = b[from];
  }
  for (std::size_t n = 0; n < count; ++n) weight[first + n * stride] = 1;
}

}  // namespace

std::array<double, 2> PlacedAntenna::r_z_mm(const Eigen::Vector3d& x_mm) const {
  const Eigen::Vector3d back = (entry_mm - tip_mm).normalized(), from_tip = x_mm - tip_mm;
  const double z = from_tip.dot(back);
  return {(from_tip - z * back).norm(), z};
}

DielectricAround mean_around(const Grid& grid, const PlacedAntenna& placed,
                             const std::function<Dielectric(std::size_t cell)>& of_cell) {
  const double h = grid.spacing_mm.maxCoeff();
  Rings rings;
  rings.dr_mm = std::max(0.5, h);
  rings.dz_mm = std::max(1.0, h);
  rings.nr = std::size_t(std::ceil(kRings_mm / rings.dr_mm));
  rings.nz = std::size_t(std::ceil((kBefore_mm + kBehind_mm) / rings.dz_mm));
  std::vector<double> weight(rings.nr * rings.nz, 0.0);
  rings.permittivity = rings.conductivity = weight;
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const auto [r, z] = placed.r_z_mm(grid.to_world(i, j, k));
        if (r >= kRings_mm || z < -kBefore_mm || z >= kBehind_mm) continue;
        // What the antenna itself takes is no tissue.
        if (placed.antenna.holds(r, z)) continue;
        const std::size_t n = rings.ring(r, z);
        const Dielectric d = of_cell(grid.index(i, j, k));
        weight[n] += 1;
        rings.permittivity[n] += d.relative_permittivity;
        rings.conductivity[n] += d.conductivity_S_per_m;
      }
  for (std::size_t n = 0; n < weight.size(); ++n) {
    if (weight[n] == 0) continue;
    rings.permittivity[n] /= weight[n];
    rings.conductivity[n] /= weight[n];
  }
  for (std::size_t k = 0; k < rings.nz; ++k)
    fill_line(weight, rings.permittivity, rings.conductivity, rings.nr * k, 1, rings.nr);
  for (std::size_t i = 0; i < rings.nr; ++i)
    fill_line(weight, rings.permittivity, rings.conductivity, i, rings.nr, rings.nz);
  return [rings](double r_mm, double z_mm) {
    const std::size_t n = rings.ring(r_mm, z_mm);
    return Dielectric{rings.permittivity[n], rings.conductivity[n]};
  };
}

Volume<float> squared_field(const Grid& grid, const PlacedAntenna& placed, const AntennaField& field) {
  Volume<float> out(grid);
  const double h = grid.spacing_mm.maxCoeff();
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const auto [r_middle, z_middle] = placed.r_z_mm(grid.to_world(i, j, k));
        const int parts = r_middle < kDivided_mm + h && z_middle > -kDivided_mm ? kParts : 1;
        double sum = 0;
        int outside = 0;
        for (int n = 0; n < parts * parts * parts; ++n) {
          const auto at = [&](int m) { return (m % parts + 0.5) / parts - 0.5; };
          const auto [r, z] = placed.r_z_mm(
              grid.to_world(Eigen::Vector3d(i + at(n), j + at(n / parts), k + at(n / parts / parts))));
          if (placed.antenna.holds(r, z)) continue;
          ++outside;
          sum += field.squared_V2_per_m2(r, z);
        }
        if (outside > 0) out(i, j, k) = float(sum / outside);
      }
  return out;
}

double absorbed_in_box_W(const Grid& grid, const PlacedAntenna& placed, const AntennaField& field) {
  const Eigen::Vector3d back = (placed.entry_mm - placed.tip_mm).normalized(), one = back.unitOrthogonal(),
                        other = back.cross(one);
  constexpr int kAround = 24;
  double sum = 0;
  const std::size_t nr = field.r_mm.size() - 1, nz = field.z_mm.size() - 1;
  for (std::size_t k = 0; k < nz; ++k)
    for (std::size_t i = 0; i < nr; ++i) {
      const double q = field.power_density_W_per_m3[i + nr * k];
      if (q == 0) continue;
      const double r0 = field.r_mm[i], r1 = field.r_mm[i + 1], r = (r0 + r1) / 2,
                   z = (field.z_mm[k] + field.z_mm[k + 1]) / 2;
      const double volume_m3 = kPi * (r1 * r1 - r0 * r0) * (field.z_mm[k + 1] - field.z_mm[k]) * 1e-9;
      int inside = 0;
      for (int n = 0; n < kAround; ++n) {
        const double angle = 2 * kPi * (n + 0.5) / kAround;
        inside +=
            grid.covers(placed.tip_mm + z * back + r * (std::cos(angle) * one + std::sin(angle) * other)) ? 1
                                                                                                          : 0;
      }
      sum += q * volume_m3 * inside / kAround;
    }
  return sum;
}

}  // namespace spinetherm
