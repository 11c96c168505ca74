// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "imaging/core/anatomy.h"
#include "imaging/core/rigid.h"

namespace spinetherm {

/// A vertebra of a real scan, measured from its labels.
struct LabelledVertebra {
  std::string level;
  /// Frame of the body: origin in its middle, x to the patient's left, y to the back, z along the canal to
  /// the head.
  Rigid vertebra_from_world;
  Eigen::Vector3d half_mm{0, 0, 0};  ///< half width, depth and height of the body (1 % to 99 % of its voxels)
  double wall_y_mm = 0;              ///< of the posterior wall near the midline
  double canal_half_width_mm = 0;
  std::array<std::optional<Eigen::Vector3d>, 2> pedicles;  ///< left, right: the thickest point, body's frame
  std::array<double, 2> pedicle_half_mm{0, 0};             ///< half thickness there
  Volume<float> depth_mm;  ///< world: signed distance to the vertebra's surface, negative in bone
  Volume<std::uint8_t> body, canal;
};

/// Signed distance [mm] to a mask on a finer grid: exact on the mask's own grid, smoothed there by half a
/// voxel, linear between; 1e3 where the mask's grid does not reach or the mask is empty.
Volume<float> smooth_distance_mm(const Volume<std::uint8_t>& mask, const Grid& grid);

/// Labels on another, finer grid: the structure whose smooth_distance_mm() is the lowest, and background
/// where none is negative, so that coarse voxels do not show as steps. Background outside.
Volume<StructureValue> smooth_labels(const Volume<StructureValue>& labels, const Grid& grid);

/// Measures `level` on anatomy.labels, whose grid is axis-aligned LPS. The body is its own label, else what
/// of the vertebra lies in front of a line fitted to the canal's front wall; up is the direction of the canal
/// (least squares over the vertebra's height). ConfigError when the level has no voxel, has no body (C1, C2,
/// sacrum), is cut by the scan's edge, or no canal is known.
LabelledVertebra measure_vertebra(const Anatomy& anatomy, const std::string& level);

}  // namespace spinetherm
