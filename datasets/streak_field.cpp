// SPDX-License-Identifier: Apache-2.0
#include "datasets/streak_field.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "datasets/vertebra_shape.h"
#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kCoarse_mm = 2, kFull_mm = 20, kBoneFrom_HU = 200;
constexpr int kDirections = 18;
constexpr double kMetal_HU = 3071;

/// Bilinear value of a plane of nx x ny values; 0 outside.
double bilinear(const std::vector<float>& plane, int nx, int ny, double x, double y) {
  if (!(x >= 0 && y >= 0)) return 0;
  const int i = int(x), j = int(y);
  if (i + 1 >= nx || j + 1 >= ny) return 0;
  const double a = x - i, b = y - j;
  const float* p = &plane[std::size_t(j) * std::size_t(nx) + std::size_t(i)];
  return (1 - b) * ((1 - a) * p[0] + a * p[1]) + b * ((1 - a) * p[nx] + a * p[nx + 1]);
}

/// The grid of about 2 mm over the same box.
Grid coarse_grid(const Grid& g) {
  Grid c = g;
  for (int a = 0; a < 3; ++a) {
    const double extent = g.spacing_mm[a] * g.size[std::size_t(a)];
    c.size[std::size_t(a)] = std::clamp(int(std::round(extent / kCoarse_mm)), 1, g.size[std::size_t(a)]);
    c.spacing_mm[a] = extent / c.size[std::size_t(a)];
  }
  c.origin_mm = g.origin_mm + g.direction * ((c.spacing_mm - g.spacing_mm) / 2);
  return c;
}

/// Mean of bone above the threshold [g of 1000 HU] in each coarse voxel.
Volume<float> bone_content(const Volume<float>& hu) {
  const Grid &g = hu.grid, c = coarse_grid(g);
  Volume<float> out(c);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < c.size[2]; ++k) {
    const auto range = [&](int n, int a) {
      const double ratio = double(g.size[std::size_t(a)]) / c.size[std::size_t(a)];
      return std::pair{int(std::floor(n * ratio)), int(std::ceil((n + 1) * ratio))};
    };
    const auto [k0, k1] = range(k, 2);
    for (int j = 0; j < c.size[1]; ++j) {
      const auto [j0, j1] = range(j, 1);
      for (int i = 0; i < c.size[0]; ++i) {
        const auto [i0, i1] = range(i, 0);
        double sum = 0;
        int count = 0;
        for (int z = k0; z < std::min(k1, g.size[2]); ++z)
          for (int y = j0; y < std::min(j1, g.size[1]); ++y)
            for (int x = i0; x < std::min(i1, g.size[0]); ++x, ++count)
              sum += std::max(0.0, double(hu(x, y, z)) - kBoneFrom_HU) / 1000;
        out(i, j, k) = float(sum / std::max(count, 1));
      }
    }
  }
  return out;
}

}  // namespace

void Needle::validate() const {
  require(diameter_mm > 0.2 && diameter_mm < 10, "needle.diameter_mm", diameter_mm, "must lie in (0.2, 10)");
  const double length = (tip_mm - entry_mm).norm();
  require(length > 1 && length < 500, "needle length [mm]", length, "must lie in (1, 500)");
}

Volume<float> bone_shadow(const Volume<float>& hu) {
  const Volume<float> bone = bone_content(hu);
  const Grid& c = bone.grid;
  Volume<float> out(c);
  const int nx = c.size[0], ny = c.size[1];
  const double hx = c.spacing_mm[0], hy = c.spacing_mm[1];
  const int n = 2 + int(std::ceil(std::hypot(nx * hx, ny * hy) / kCoarse_mm));  // of the turned square
  const double mid = (n - 1) / 2.0;
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < c.size[2]; ++k) {
    const auto first = bone.values.begin() + std::ptrdiff_t(c.index(0, 0, k));
    const std::vector<float> plane(first, first + std::ptrdiff_t(nx) * ny);
    // No shadow lies further from the middle than bone does.
    double reach_mm = -1;
    for (int j = 0; j < ny; ++j)
      for (int i = 0; i < nx; ++i)
        if (plane[std::size_t(j) * std::size_t(nx) + std::size_t(i)] > 0)
          reach_mm = std::max(reach_mm, std::hypot((i - (nx - 1) / 2.0) * hx, (j - (ny - 1) / 2.0) * hy));
    if (reach_mm < 0) continue;
    reach_mm += hx + hy + 2 * kCoarse_mm;
    const int from = std::max(0, int(mid - reach_mm / kCoarse_mm)),
              to = std::min(n, int(mid + reach_mm / kCoarse_mm) + 2);
    std::vector<double> path(static_cast<std::size_t>(n));
    std::vector<float> product(std::size_t(n) * std::size_t(n));
    for (int d = 0; d < kDirections; ++d) {
      const double angle = kPi * d / kDirections, cs = std::cos(angle), sn = std::sin(angle);
      for (int v = from; v < to; ++v) {
        double total = 0;
        for (int u = from; u < to; ++u) {
          const double p = (u - mid) * kCoarse_mm, q = (v - mid) * kCoarse_mm;
          const double x = (p * cs - q * sn) / hx + (nx - 1) / 2.0,
                       y = (p * sn + q * cs) / hy + (ny - 1) / 2.0;
          const double step = kCoarse_mm * bilinear(plane, nx, ny, x, y);
          path[std::size_t(u)] = total + step / 2;  // up to the middle of this cell
          total += step;
        }
        for (int u = from; u < to; ++u)
          product[std::size_t(v) * std::size_t(n) + std::size_t(u)] =
              float(path[std::size_t(u)] * (total - path[std::size_t(u)]));
      }
      for (int j = 0; j < ny; ++j)
        for (int i = 0; i < nx; ++i) {
          const double x = (i - (nx - 1) / 2.0) * hx, y = (j - (ny - 1) / 2.0) * hy;
          if (x * x + y * y > reach_mm * reach_mm) continue;
          out(i, j, k) += float(bilinear(product, n, n, (x * cs + y * sn) / kCoarse_mm + mid,
                                         (-x * sn + y * cs) / kCoarse_mm + mid) /
                                (kFull_mm * kFull_mm * kDirections));
        }
    }
  }
  return out;
}

void add_field(Volume<float>& volume, const Volume<float>& coarse, double factor) {
  if (factor == 0) return;
  const Grid &g = volume.grid, &c = coarse.grid;
  // Both grids have the same axes, so that places and weights are those of each axis.
  struct Place {
    int low, high;
    float share;  ///< of the higher one
  };
  std::array<std::vector<Place>, 3> places;
  const Eigen::Vector3d first = c.to_index(g.origin_mm);
  for (int a = 0; a < 3; ++a)
    for (int n = 0; n < g.size[std::size_t(a)]; ++n) {
      const int last = c.size[std::size_t(a)] - 1;
      const double v = std::clamp(first[a] + n * g.spacing_mm[a] / c.spacing_mm[a], 0.0, double(last));
      const int low = std::min(int(v), last);
      places[std::size_t(a)].push_back({low, std::min(low + 1, last), float(v - low)});
    }
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    std::vector<float> row(std::size_t(c.size[0]));
    const Place& z = places[2][std::size_t(k)];
    for (int j = 0; j < g.size[1]; ++j) {
      const Place& y = places[1][std::size_t(j)];
      for (int i = 0; i < c.size[0]; ++i)
        row[std::size_t(i)] =
            float(factor) *
            ((1 - z.share) * ((1 - y.share) * coarse(i, y.low, z.low) + y.share * coarse(i, y.high, z.low)) +
             z.share * ((1 - y.share) * coarse(i, y.low, z.high) + y.share * coarse(i, y.high, z.high)));
      float* to = &volume.values[g.index(0, j, k)];
      for (std::size_t i = 0; i < places[0].size(); ++i) {
        const Place& x = places[0][i];
        to[i] += (1 - x.share) * row[std::size_t(x.low)] + x.share * row[std::size_t(x.high)];
      }
    }
  }
}

void add_needle(Volume<float>& hu, const Needle& needle, double strength_HU) {
  needle.validate();
  const Grid& g = hu.grid;
  const Eigen::Vector3d axis = needle.tip_mm - needle.entry_mm;
  const Eigen::Vector3d normal = g.direction.col(2);
  const Eigen::Vector3d in_slice = axis - normal * normal.dot(axis);
  const bool across = in_slice.norm() < 0.2 * axis.norm();  // runs through the slices: a star, no bands
  const Eigen::Vector3d u = across ? g.direction.col(0) : Eigen::Vector3d(in_slice.normalized());
  const Eigen::Vector3d side = normal.cross(u);
  const double radius = needle.diameter_mm / 2, voxel = g.spacing_mm.mean();
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const double t = std::clamp((x - needle.entry_mm).dot(axis) / axis.squaredNorm(), 0.0, 1.0);
        const Eigen::Vector3d away = x - needle.entry_mm - t * axis;
        const double r = away.norm();
        if (r > 1e-9) {
          const double along = away.dot(u) / r, beside = away.dot(side) / r;
          hu(i, j, k) += float(strength_HU * radius / std::max(r, radius) * (beside - along * along));
        }
        const double filled = std::clamp((radius - r) / voxel + 0.5, 0.0, 1.0);
        hu(i, j, k) = float((1 - filled) * hu(i, j, k) + filled * kMetal_HU);
      }
}

}  // namespace spinetherm
