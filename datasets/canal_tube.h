// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "datasets/spine_model.h"
#include "imaging/core/anatomy.h"

namespace spinetherm {

/// The canal of a real spine as a smooth tube: ellipses along z, with the dural sac and the cord in them.
struct CanalTube {
  double z_mm = 0, step_mm = 1;  ///< of the first section, and between sections
  std::vector<double> x_mm;      ///< middle of the canal
  /// y in the world; x from the middle of the canal. `body_*`, `lumbar` and `thoracic` are not set.
  std::vector<SpineSection> sections;

  SpineSection section(double z) const;
  double middle_x(double z) const;
  /// The point with x counted from the middle of the canal, as SpineSection and EpiduralCurtain have it.
  Eigen::Vector3d to_section(const Eigen::Vector3d& world) const {
    return {world.x() - middle_x(world.z()), world.y(), world.z()};
  }
};

/// Fits the tube to a mask of the canal (axis-aligned LPS): centre and half axes of each slice from its first
/// and second moments, smoothed along z by a Gaussian of 8 mm, in which narrow slices count most. Sac and
/// cord have the share of the canal that vertebrae.json gives the level (supine), between levels by linear
/// interpolation along z; the cord lies where `anatomy` labels it, else where the table has it, and tapers to
/// nothing below L1. ConfigError when the mask is empty or no vertebra is labelled.
CanalTube fit_canal_tube(const Volume<std::uint8_t>& canal, const Anatomy& anatomy);

/// What lies in the tube at a point of the section's frame: cord, cauda (the dorsal part of the sac below the
/// cord), dural_sac or canal; 0 outside.
StructureValue canal_label(const SpineSection& section, const Eigen::Vector3d& x);
/// Distance [mm, about] to the part's surface, negative inside; 1e3 without a cord.
double canal_distance(const SpineSection& section, const Eigen::Vector3d& x);
double sac_distance(const SpineSection& section, const Eigen::Vector3d& x);
double cord_distance(const SpineSection& section, const Eigen::Vector3d& x);
/// Of the bundle of roots below the cord, which settle in the back of the sac when the patient is supine.
double cauda_distance(const SpineSection& section, const Eigen::Vector3d& x);

}  // namespace spinetherm
