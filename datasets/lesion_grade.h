// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>

#include "datasets/lesion_options.h"
#include "imaging/core/anatomy.h"
#include "imaging/core/rigid.h"
#include "planning/eligibility.h"

namespace spinetherm {

/// Epidural tumour and what it does to sac and cord, slice by slice (axial slices of the grid; areas are
/// summed over 3 slices where these are thinner than 1.5 mm). The worst slice gives the grade of Bilsky et
/// al. 2010 (doi:10.3171/2010.3.SPINE09459):
///   0   no tumour in the canal
///   1a  tumour in the canal, the sac has kept its area (lost < 2 %)
///   1b  the sac is deformed, no tumour voxel touches the cord
///   1c  tumour touches the cord, which has kept its area (ratio >= 0.9)
///   2   the cord is compressed (ratio < 0.9) and at least a tenth of its CSF is left
///   3   less is left.
/// The scale is defined for the cord. Where it is thinner than 12 mm2 or has ended the sac stands for it, by
/// a convention of this phantom: area lost < 2 % is 1a, < 20 % 1b, < 45 % 1c, < 75 % 2, else 3.
struct EpiduralMeasure {
  std::string escc = "0";
  double tumour_ml = 0;                    ///< in the canal
  double sac_lost = 0;                     ///< largest share of the sac's area that a slice lost
  std::optional<double> cord_gap_mm = {};  ///< least gap between tumour and cord; empty: no cord beside it
  std::optional<double> cord_ratio = {};   ///< least area of the cord over its area before
  std::optional<double> csf_left = {};     ///< least area of CSF around the cord over its area before
  bool by_cord = true;                     ///< false: the worst slice lies below the conus
};
/// The grades from the least to the worst.
const std::array<std::string, 6>& escc_grades();
/// `before`: the same patient without the lesion, on the same grid. ConfigError unless the grids agree and
/// their direction is the identity.
EpiduralMeasure measure_epidural(const Volume<StructureValue>& labels, const Volume<StructureValue>& before);

/// Heights of a body in the middle third of its width, near its front edge, its middle and its back [mm].
struct BodyHeights {
  double anterior_mm = 0, middle_mm = 0, posterior_mm = 0;
  double depth_mm = 0;  ///< from where the anterior to where the posterior height is taken
};
/// Of the voxels of a mask, in the vertebra's frame.
BodyHeights measure_heights(const Volume<std::uint8_t>& body, const Rigid& vertebra_from_grid);

/// What images show of a lesion, in the terms of planning/eligibility.h, and how it was found.
struct LesionGrade {
  EpiduralMeasure epidural;
  TargetFacts facts;          ///< as far as images tell them
  Sins sins;                  ///< of the facts alone: pain is the clinic's, and so a range
  int sins_imaging = 0;       ///< its lowest sum without pain
  double kyphosis_deg = 0;    ///< that the collapse has added
  double body_volume_ml = 0;  ///< of the level's body
};
struct LesionScene {
  const Volume<StructureValue>& labels;  ///< of the body and its canal
  const Volume<StructureValue>& before;  ///< the same grid without the tumour (a fracture stays)
  std::string level;
  LesionKind kind = LesionKind::lytic;
  Rigid vertebra_from_grid;
  BodyHeights intact;  ///< of this body before it collapsed
  /// Along the vertebra's axis, beyond which a label of the same name is another body's (S2).
  double half_height_mm = std::numeric_limits<double>::infinity();
};
/// collapse: the worst of the three heights, 0 below 8 % (what hollow endplates and voxels may feign).
/// alignment_points: 2 from 10 degrees of added kyphosis (convention of this phantom; it never slips).
/// posterolateral_sides: sides whose pedicle or arch holds more than 0.05 ml of tumour.
/// posterior_wall_defect_mm: largest extent of the patch where tumour has replaced the bone before the canal.
/// ESCC as given.
LesionGrade grade_lesion(const LesionScene& scene, const EpiduralMeasure& epidural);

/// Largest distance between two voxels' centres of a mask, and its box, each with one voxel added [mm].
struct MaskExtent {
  double largest_diameter_mm = 0;
  Eigen::Vector3d box_mm{0, 0, 0};  ///< along LPS x, y, z
};
MaskExtent measure_extent(const Volume<std::uint8_t>& mask);

}  // namespace spinetherm
