// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <omp.h>

#include <cmath>

#include "datasets/material_render.h"

namespace spinetherm {

/// n^3 voxels about the origin.
inline Grid cube(int n, double spacing_mm) {
  Grid g;
  g.size = {n, n, n};
  g.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  g.origin_mm = Eigen::Vector3d::Constant(-0.5 * spacing_mm * (n - 1));
  return g;
}
struct Moments {
  double mean = 0, sd = 0;
};
inline Moments moments(const std::vector<float>& values) {
  double sum = 0, squares = 0;
  for (const float x : values) {
    sum += x;
    squares += double(x) * x;
  }
  const auto n = double(values.size());
  return {sum / n, std::sqrt(squares / n - (sum / n) * (sum / n))};
}
inline MaterialVolume at_centres(const MaterialField& field, const Grid& g) {
  MaterialVolume centres(g);
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const MaterialPoint p = field(g.to_world(i, j, k));
        centres.material(i, j, k) = p.material;
        centres.texture(i, j, k) = p.texture;
      }
  return centres;
}

/// Runs `make` on one thread and on two.
template <class Make>
auto on_one_and_two_threads(Make make) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  auto one = make();
  omp_set_num_threads(2);
  auto two = make();
  omp_set_num_threads(before);
  return std::pair{std::move(one), std::move(two)};
}

}  // namespace spinetherm
