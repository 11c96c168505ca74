// SPDX-License-Identifier: Apache-2.0
#include "datasets/material_render.h"

#include <algorithm>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// For each voxel 1 when its neighbours are all of its material; a slice at a time, so that rows stay in the
/// cache.
class Uniform {
 public:
  explicit Uniform(const Volume<Material>& m) : m_(m) {}

  /// Fills `same` (one value a voxel of slice k).
  void slice(int k, std::vector<std::uint8_t>& same) const {
    const auto& size = m_.grid.size;
    const auto nx = std::size_t(size[0]);
    same.assign(nx * std::size_t(size[1]), 1);
    for (int c = std::max(k - 1, 0); c <= std::min(k + 1, size[2] - 1); ++c)
      for (int j = 0; j < size[1]; ++j)
        for (int b = std::max(j - 1, 0); b <= std::min(j + 1, size[1] - 1); ++b) {
          const Material* centre = &m_.values[m_.grid.index(0, j, k)];
          const Material* other = &m_.values[m_.grid.index(0, b, c)];
          std::uint8_t* out = &same[std::size_t(j) * nx];
          for (std::size_t i = 0; i < nx; ++i) {
            out[i] &= std::uint8_t(centre[i] == other[i]);
            if (i > 0) out[i] &= std::uint8_t(centre[i] == other[i - 1]);
            if (i + 1 < nx) out[i] &= std::uint8_t(centre[i] == other[i + 1]);
          }
        }
  }

 private:
  const Volume<Material>& m_;
};

constexpr int kCorners = 8;

/// Of the sample points within a voxel, the corners first.
std::vector<Eigen::Vector3d> sample_offsets(const Grid& grid, const std::array<int, 3>& supersample) {
  std::vector<Eigen::Vector3d> corners, others;
  const auto outer = [&](int n, std::size_t axis) { return n == 0 || n == supersample[axis] - 1; };
  for (int c = 0; c < supersample[2]; ++c)
    for (int b = 0; b < supersample[1]; ++b)
      for (int a = 0; a < supersample[0]; ++a) {
        const Eigen::Vector3d part((a + 0.5) / supersample[0] - 0.5, (b + 0.5) / supersample[1] - 0.5,
                                   (c + 0.5) / supersample[2] - 0.5);
        (outer(a, 0) && outer(b, 1) && outer(c, 2) ? corners : others)
            .emplace_back(grid.direction * grid.spacing_mm.cwiseProduct(part));
      }
  corners.insert(corners.end(), others.begin(), others.end());
  return corners;
}

}  // namespace

MaterialValues ct_numbers() {
  MaterialValues values{};
  for (std::size_t n = 0; n < kMaterialCount; ++n) {
    values.mean[n] = material_table()[n].hu;
    values.per_texture[n] = material_table()[n].hu_texture;
  }
  return values;
}

std::vector<Volume<float>> render(const MaterialField& field, const MaterialVolume& centres,
                                  const std::vector<MaterialValues>& values, std::array<int, 3> supersample,
                                  const Progress& progress) {
  for (const int n : supersample) require(n >= 1 && n <= 8, "supersample", n, "must lie in 1 .. 8");
  const Grid& grid = centres.material.grid;
  std::vector<Volume<float>> out(values.size(), Volume<float>(grid));
  const std::vector<Eigen::Vector3d> offsets = sample_offsets(grid, supersample);
  // With three points an axis and more the corners tell first whether anything else is there.
  const bool corners_tell = *std::ranges::min_element(supersample) >= 3;
  const Uniform uniform(centres.material);
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    if (progress.cancelled()) continue;
    std::vector<std::uint8_t> same;
    uniform.slice(k, same);
    std::array<int, kMaterialCount> count{};
    std::array<double, kMaterialCount> texture{};
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const std::size_t voxel = grid.index(i, j, k);
        if (same[voxel - grid.index(0, 0, k)] != 0) {
          for (std::size_t v = 0; v < values.size(); ++v)
            out[v][voxel] = float(values[v].mean[std::size_t(centres.material[voxel])] +
                                  values[v].per_texture[std::size_t(centres.material[voxel])] *
                                      double(centres.texture[voxel]));
          continue;
        }
        count.fill(0);
        texture.fill(0);
        const Eigen::Vector3d x = grid.to_world(i, j, k);
        std::size_t taken = 0;
        const auto take = [&](std::size_t until) {
          for (; taken < until; ++taken) {
            const MaterialPoint p = field(x + offsets[taken]);
            ++count[std::size_t(p.material)];
            texture[std::size_t(p.material)] += double(p.texture);
          }
        };
        if (corners_tell) take(kCorners);
        if (count[std::size_t(centres.material[voxel])] < kCorners) take(offsets.size());
        for (std::size_t v = 0; v < values.size(); ++v) {
          double sum = 0;
          for (std::size_t m = 0; m < kMaterialCount; ++m)
            if (count[m] > 0) sum += count[m] * values[v].mean[m] + texture[m] * values[v].per_texture[m];
          out[v][voxel] = float(sum / double(taken));
        }
      }
  }
  return progress.cancelled() ? std::vector<Volume<float>>(values.size()) : out;
}

}  // namespace spinetherm
