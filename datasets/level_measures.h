// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "datasets/vertebra_table.h"
#include "imaging/core/anatomy.h"

namespace spinetherm {

/// Volumes and sizes of one level, as its labels have them or as the table gives them. 0: not there (the cord
/// below the conus).
struct LevelMeasures {
  std::string level;
  double body_ml = 0;
  double canal_ml = 0, cord_ml = 0;  ///< over the body's posterior height; the canal with all it holds
  double body_width_mm = 0, body_depth_mm = 0;  ///< mean of what is found near the two endplates
  double body_height_mm = 0;                    ///< posterior
  double canal_width_mm = 0, canal_depth_mm = 0;
};
/// A measure: its name in files and its member.
struct LevelMeasure {
  const char* name;
  double LevelMeasures::*member;
};
const std::vector<LevelMeasure>& level_measure_list();

/// Measures every level C3 to L5 whose body the labels show whole: no voxel of it on the grid's edge, no
/// tumour that touches it or lies beside or behind its middle. Widths and depths lie in the body's frame, up
/// along the canal. ConfigError unless the grid's direction is the identity.
std::vector<LevelMeasures> measure_levels(const Volume<StructureValue>& labels);

/// The same of a row of the table: the body as an elliptic cylinder with a waist, its section at the ends the
/// mean of both endplates, its height that of its middle; canal and cord as elliptic cylinders, the cord down
/// to T12.
LevelMeasures expected_measures(const VertebraSize& size);

}  // namespace spinetherm
