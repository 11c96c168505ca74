// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imaging/canal.h"

namespace spinetherm {

struct CtAnatomyOptions {
  /// Half edges of the region around the target [mm], patient axes x, y, z: three thoracic levels, and as far
  /// to the sides as an oblique path begins. To the back it is extended to 15 mm behind the skin.
  Eigen::Vector3d half_size_mm{85, 70, 60};
  double spacing_mm = 1;  ///< of the anatomy's grid
  /// Name of the vertebra at the target, an assumption of the case ("T9"); empty: it gets no label.
  std::string level;
  CanalOptions canal;

  void validate() const;
};

/// Anatomy around a target from CT numbers alone, for a scan without labels, on an LPS axis-aligned grid:
///   * `canal` (segmented) by find_canal();
///   * `bone` (estimated): above the threshold that enclosed the canal, its enclosed marrow included;
///   * `vertebra_<level>` (estimated): that bone between the discs above and below the target, up to 42 mm to
///     either side, when both discs are found; spinous processes and ribs that reach across a disc's plane
///     are cut by it, and rib heads within it are part of it;
///   * `lung_left`, `lung_right` (estimated): air within the body in pieces of 50 ml or more;
///   * `skin` (estimated): the outer 2 mm of the body.
/// What is not found is not there: no canal, no `canal`, and a warning that says why. No cord, no dura, no
/// vessels: they cannot be seen. ConfigError when the centre lies outside the image or in air.
Anatomy anatomy_from_ct(const Image& ct, const Eigen::Vector3d& centre_mm,
                        const CtAnatomyOptions& options = {});

/// A disc seen as a dark gap between two bright endplates on the way along the canal.
struct DiscPlane {
  Eigen::Vector3d point_mm;  ///< at the canal's front wall
  Eigen::Vector3d towards_head;
  double contrast_HU = 0;  ///< of the darker endplate over the disc
};

/// Discs in front of a canal, from the feet up: the profile of the mean CT number of a patch 5 to 20 mm in
/// front of the canal's wall and 18 mm wide, across the canal's direction; gaps between bright bands, 15 to
/// 45 mm apart and evenly spaced, by dynamic programming. Marrow as dark as disc (osteoporosis) hides them:
/// then fewer or none are returned.
std::vector<DiscPlane> find_discs(const Volume<float>& ct, const Canal& canal);

}  // namespace spinetherm
