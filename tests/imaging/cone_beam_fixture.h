// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <vector>

#include "imaging/cone_beam.h"

namespace spinetherm {

struct Sphere {
  Eigen::Vector3d centre_mm{0, 0, 0};
  double radius_mm = 20;
  double attenuation_per_m = 20;
};

/// A small detector: field of view about 2 * 69 mm across.
inline ConeBeamGeometry small_geometry() {
  ConeBeamGeometry g;
  g.columns = 128;
  g.rows = 64;
  g.pitch_mm = 1.93;
  return g;
}

inline Grid centred_grid(const std::array<int, 3>& size, const Eigen::Vector3d& spacing_mm) {
  Grid g;
  g.size = size;
  g.spacing_mm = spacing_mm;
  g.origin_mm = -g.to_world(Eigen::Vector3d(size[0] - 1, size[1] - 1, size[2] - 1) / 2);
  return g;
}

/// Length [mm] of the ray through the sphere, in closed form.
inline double chord_mm(const Sphere& sphere, const Eigen::Vector3d& source, const Eigen::Vector3d& pixel) {
  const Eigen::Vector3d w = (pixel - source).normalized(), m = source - sphere.centre_mm;
  const double under = std::pow(m.dot(w), 2) - m.squaredNorm() + sphere.radius_mm * sphere.radius_mm;
  return under > 0 ? 2 * std::sqrt(under) : 0;
}

/// Line integrals of spheres in closed form, averaged over 3 x 3 points of each pixel.
inline Projections closed_form(const std::vector<Sphere>& spheres, const ConeBeamGeometry& geometry,
                               const ConeBeamOrbit& orbit) {
  Projections out{geometry, orbit, {}};
  for (int view = 0; view < orbit.views; ++view)
    for (int c = 0; c < geometry.columns; ++c)
      for (int r = 0; r < geometry.rows; ++r) {
        const double angle = orbit.angle_rad(view);
        double sum = 0;
        for (const Sphere& sphere : spheres)
          for (int n = 0; n < 9; ++n)
            sum += sphere.attenuation_per_m * 1e-3 / 9 *
                   chord_mm(sphere, geometry.source_mm(angle),
                            geometry.pixel_mm(angle, c + (n % 3 - 1) / 3.0, r + (n / 3 - 1) / 3.0));
        out.values.push_back(float(sum));
      }
  return out;
}

/// Voxels hold the share of them within the sphere times its attenuation.
inline Volume<float> voxels_of(const Sphere& sphere, const Grid& grid) {
  Volume<float> out(grid);
  constexpr int kPoints = 5;
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const double off = (grid.to_world(i, j, k) - sphere.centre_mm).norm() - sphere.radius_mm;
        if (std::abs(off) > 0.5 * grid.spacing_mm.norm()) {
          out(i, j, k) = off < 0 ? float(sphere.attenuation_per_m) : 0;
          continue;
        }
        int inside = 0;
        for (int n = 0; n < kPoints * kPoints * kPoints; ++n) {
          const Eigen::Vector3d part(n % kPoints, n / kPoints % kPoints, n / (kPoints * kPoints));
          const Eigen::Vector3d ijk = Eigen::Vector3d(i, j, k) + (part.array() + 0.5).matrix() / kPoints -
                                      Eigen::Vector3d::Constant(0.5);
          inside += (grid.to_world(ijk) - sphere.centre_mm).norm() < sphere.radius_mm;
        }
        out(i, j, k) = float(sphere.attenuation_per_m * inside / (kPoints * kPoints * kPoints));
      }
  return out;
}

}  // namespace spinetherm
