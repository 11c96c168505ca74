// SPDX-License-Identifier: Apache-2.0
#include "planning/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "planning/labelled_canal.h"

namespace spinetherm {
namespace {

/// How far from the canal a target can lie and still be said to face it [mm]: thicker than any posterior
/// wall.
constexpr double kFacing_mm = 5;
/// A wall of 0.3 mm shows in the partial volume of voxels up to this size [mm].
constexpr double kFine_mm = 1.5;
/// A target that was drawn to the edge of the bone holds the wall in its outermost part [mm].
constexpr double kCortexInside_mm = 2;
constexpr double kStep_mm = 0.5;
/// Furthest from a lesion in the body to the back of the arch [mm].
constexpr double kRing_mm = 40;

/// The target's box and so much around it that the ring of its vertebra closes. ConfigError when it is empty.
Grid grid_around(const Target& target) {
  const Eigen::Vector3d centre = shape_of(target).centre_mm;
  Eigen::Vector3d low = centre, high = centre;
  const Grid& g = target.mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (target.mask(i, j, k)) {
          low = low.cwiseMin(g.to_world(i, j, k));
          high = high.cwiseMax(g.to_world(i, j, k));
        }
  const Eigen::Vector3d around = Eigen::Vector3d::Constant(kRing_mm);
  return box_grid(low - around, high + around, 1);
}

/// Bone on the steepest way from `x_mm` to the target, or in its rim.
bool bone_between(const Volume<float>& to_target_mm, const Volume<std::uint8_t>& bone,
                  const Volume<float>& ct_HU, double bone_HU, Eigen::Vector3d x_mm) {
  for (int step = 0; step < int(3 * kFacing_mm / kStep_mm); ++step) {
    const auto d = sample_linear(to_target_mm, x_mm);
    if (!d || *d <= -kCortexInside_mm) return false;
    if (sample_nearest(bone, x_mm).value_or(0)) return true;
    if (!ct_HU.empty() && sample_linear(ct_HU, x_mm).value_or(0) >= bone_HU) return true;
    Eigen::Vector3d slope;
    for (int a = 0; a < 3; ++a) {
      const Eigen::Vector3d e = Eigen::Vector3d::Unit(a) * 0.75;
      slope[a] = sample_linear(to_target_mm, x_mm + e).value_or(*d) -
                 sample_linear(to_target_mm, x_mm - e).value_or(*d);
    }
    if (slope.norm() < 1e-6) return false;
    x_mm -= kStep_mm * slope.normalized();
  }
  return false;
}

}  // namespace

Volume<std::uint8_t> ellipsoid_mask(const Eigen::Vector3d& centre_mm, const Eigen::Vector3d& radii_mm,
                                    double spacing_mm) {
  for (int a = 0; a < 3; ++a) require(radii_mm[a] > 0, "radii_mm", radii_mm[a], "must be > 0 mm");
  require(spacing_mm > 0, "spacing_mm", spacing_mm, "must be > 0 mm");
  const Eigen::Vector3d reach = radii_mm.array() + 2 * spacing_mm;
  Volume<std::uint8_t> mask(box_grid(centre_mm - reach, centre_mm + reach, spacing_mm));
  for (int k = 0; k < mask.grid.size[2]; ++k)
    for (int j = 0; j < mask.grid.size[1]; ++j)
      for (int i = 0; i < mask.grid.size[0]; ++i)
        mask(i, j, k) = (mask.grid.to_world(i, j, k) - centre_mm).cwiseQuotient(radii_mm).norm() <= 1;
  return mask;
}

TargetShape shape_of(const Target& target) {
  const Volume<std::uint8_t>& mask = target.mask;
  const auto centre = centroid_mm(mask);
  if (!centre)
    throw ConfigError("target '" + target.name + "' is empty", "/target",
                      "check its label, centre and radii");
  TargetShape shape;
  shape.centre_mm = *centre;
  Eigen::Matrix3d second = Eigen::Matrix3d::Zero();
  double count = 0;
  for (int k = 0; k < mask.grid.size[2]; ++k)
    for (int j = 0; j < mask.grid.size[1]; ++j)
      for (int i = 0; i < mask.grid.size[0]; ++i)
        if (mask(i, j, k)) {
          const Eigen::Vector3d r = mask.grid.to_world(i, j, k) - *centre;
          second += r * r.transpose();
          ++count;
        }
  second /= count;
  const Eigen::Matrix3d& axes = mask.grid.direction;  // a voxel has moments of its own
  second += axes * (mask.grid.spacing_mm.array().square() / 12).matrix().asDiagonal() * axes.transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> eigen(second);
  for (int a = 0; a < 3; ++a) {
    shape.axes.col(a) = eigen.eigenvectors().col(2 - a);
    shape.half_mm[a] = std::sqrt(5 * std::max(eigen.eigenvalues()[2 - a], 0.0));
  }
  if (shape.axes.determinant() < 0) shape.axes.col(2) = -shape.axes.col(2);
  shape.volume_ml = count * mask.grid.voxel_volume_mm3() * 1e-3;
  return shape;
}

PosteriorWall assess_posterior_wall(const Anatomy& anatomy, const Target& target, const Volume<float>& ct_HU,
                                    double bone_HU) {
  const Grid grid = grid_around(target);
  const LabelledCanal canal = find_labelled_canal(anatomy, grid);
  PosteriorWall wall;
  if (canal.mask.empty()) {
    wall.reason = "canal not known";
    return wall;
  }
  Volume<std::uint8_t> tumour(grid), bone(grid);
  const Volume<StructureValue> labels = labels_on(anatomy, grid);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        tumour(i, j, k) = sample_nearest(target.mask, grid.to_world(i, j, k)).value_or(0) ? 1 : 0;
        bone(i, j, k) = is_bone(labels(i, j, k)) && !tumour(i, j, k) && !canal.mask(i, j, k);
      }
  const Volume<float> to_target = signed_distance_mm(tumour);
  double nearest = std::numeric_limits<double>::infinity();
  Eigen::Vector3d low, high;
  int open = 0;
  for (int k = 1; k + 1 < grid.size[2]; ++k)
    for (int j = 1; j + 1 < grid.size[1]; ++j)
      for (int i = 1; i + 1 < grid.size[0]; ++i) {
        if (!canal.mask(i, j, k)) continue;
        nearest = std::min(nearest, double(to_target(i, j, k)));
        const bool surface = !canal.mask(i - 1, j, k) || !canal.mask(i + 1, j, k) ||
                             !canal.mask(i, j - 1, k) || !canal.mask(i, j + 1, k);
        if (!surface || to_target(i, j, k) > kFacing_mm) continue;
        const Eigen::Vector3d x = grid.to_world(i, j, k);
        if (bone_between(to_target, bone, ct_HU, bone_HU, x)) continue;
        low = open ? low.cwiseMin(x).eval() : x;
        high = open ? high.cwiseMax(x).eval() : x;
        ++open;
      }
  if (open == 0) {
    wall.defect_mm = 0;
    wall.reason = nearest > kFacing_mm
                      ? fmt::format("intact: the target lies {:.0f} mm from the canal", nearest)
                      : "intact: bone between target and canal";
    return wall;
  }
  if (ct_HU.empty()) {
    wall.reason = "no bone is labelled between target and canal, and there is no CT to see the wall on";
    return wall;
  }
  const double coarsest =
      std::max(anatomy.labels.grid.spacing_mm.maxCoeff(), ct_HU.grid.spacing_mm.maxCoeff());
  if (coarsest > kFine_mm) {
    wall.reason = fmt::format(
        "no bone seen between target and canal, but voxels of {:.1f} mm do not show a wall", coarsest);
    return wall;
  }
  wall.defect_mm = (high - low).maxCoeff() + 1;
  wall.reason = fmt::format("no bone between target and canal over {:.0f} mm", *wall.defect_mm);
  return wall;
}

}  // namespace spinetherm
