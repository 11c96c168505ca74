// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "datasets/image_material.h"
#include "imaging/core/progress.h"
#include "imaging/core/volume.h"

namespace spinetherm {

/// What a body is made of at a point: the material, and its local deviation from the mean in standard
/// deviations (SpinePoint::texture).
struct MaterialPoint {
  Material material = Material::air;
  float texture = 0;
};
/// A body in an image's frame [mm]. Must be pure: it is called from several threads.
using MaterialField = std::function<MaterialPoint(const Eigen::Vector3d&)>;
/// A body at the centres of voxels.
struct MaterialVolume {
  Volume<Material> material;
  Volume<float> texture;
  MaterialVolume() = default;
  explicit MaterialVolume(const Grid& grid) : material(grid), texture(grid) {}
};

/// What each material shows, a CT number or a signal of MR: mean + per_texture * texture.
struct MaterialValues {
  std::array<double, kMaterialCount> mean{}, per_texture{};
  double& operator[](Material m) { return mean[std::size_t(m)]; }
  double operator[](Material m) const { return mean[std::size_t(m)]; }
};
MaterialValues ct_numbers();

/// Mean value over each voxel, one volume for each of `values`, all from one pass over the body. `centres`
/// holds it at every voxel centre. A voxel whose 26 neighbours are all of its material has that
/// material's value at its centre; any other is averaged over supersample[0] x [1] x [2] points along the
/// grid's axes, so that a wall thinner than a voxel shows with the part that it fills; with three points an
/// axis or more, only where its centre and the eight outer points are not all of one material. Misses what is
/// smaller than a voxel and far from any other boundary. Cancelled: empty volumes.
std::vector<Volume<float>> render(const MaterialField& field, const MaterialVolume& centres,
                                  const std::vector<MaterialValues>& values, std::array<int, 3> supersample,
                                  const Progress& progress = {});

}  // namespace spinetherm
