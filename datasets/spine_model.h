// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/image_material.h"
#include "datasets/spine_phantom.h"
#include "datasets/vertebra_shape.h"

namespace spinetherm {

/// What the phantom is at a point.
struct SpinePoint {
  StructureValue label = 0;  ///< 0: air outside the patient
  Material material = Material::air;
};

struct PlacedVertebra {
  VertebraShape shape;
  Rigid world_from_vertebra, vertebra_from_world;
  StructureValue vertebra = 0, body = 0, disc_below = 0;
  double low_z = 0, high_z = 0;  ///< of its box
};

/// A nerve root and its ganglion.
struct PlacedRoot {
  RootTube tube;
  StructureValue root = 0, ganglion = 0;
  Eigen::Vector3d ganglion_mm{0, 0, 0};
  double ganglion_radius_mm = 0;
};

/// The blob: spheres whose union is the lesion where there is bone.
struct LesionShape {
  std::size_t vertebra = 0;  ///< index into SpineModel::vertebrae()
  LesionKind kind = LesionKind::lytic;
  Eigen::Vector3d centre_mm{0, 0, 0};
  double radius_mm = 0, wall_gap_mm = 0;
  struct Part {
    Eigen::Vector3d centre_mm;
    double radius_mm;
  };
  std::vector<Part> parts;
  bool holds(const Eigen::Vector3d& x) const;
};

/// Centre lines and half widths at one height [mm], interpolated between the vertebrae.
struct SpineSection {
  double body_y = 0, body_a = 0, body_b = 0;     ///< centre of the body, half width, half depth
  double canal_y = 0, canal_a = 0, canal_b = 0;  ///< ellipse of the canal
  double sac_y = 0, sac_a = 0, sac_b = 0;
  double cord_y = 0, cord_a = 0, cord_b = 0;  ///< cord_a below 1 mm: no cord here
  double lumbar = 0, thoracic = 0;            ///< 1 inside the region, 0 outside, linear between
};

/// The phantom's geometry: a pure function of position, so that any grid can be sampled.
class SpineModel {
 public:
  explicit SpineModel(const SpinePhantomOptions& options);

  SpinePoint at(const Eigen::Vector3d& x) const;

  /// The levels that were asked for, with one neighbour above and below.
  const std::vector<PlacedVertebra>& vertebrae() const { return vertebrae_; }
  const std::vector<PlacedRoot>& roots() const { return roots_; }
  const LesionShape& lesion() const { return lesion_; }
  /// Box of the image [mm].
  const Eigen::Vector3d& low_mm() const { return low_; }
  const Eigen::Vector3d& high_mm() const { return high_; }
  SpineSection section(double z) const;

 private:
  void place_vertebrae(const SpinePhantomOptions& options);
  void make_sections();
  void place_roots();
  void place_lesion(const SpinePhantomOptions& options);

  bool bone_at(const Eigen::Vector3d& x, SpinePoint& out) const;
  bool disc_at(const Eigen::Vector3d& x, SpinePoint& out) const;
  bool canal_at(const Eigen::Vector3d& x, const SpineSection& s, SpinePoint& out) const;
  bool root_at(const Eigen::Vector3d& x, SpinePoint& out) const;
  bool vessel_at(const Eigen::Vector3d& x, const SpineSection& s, SpinePoint& out) const;
  SpinePoint soft_tissue_at(const Eigen::Vector3d& x, const SpineSection& s) const;
  double level_z(std::string_view level) const;

  std::vector<PlacedVertebra> vertebrae_;
  std::vector<PlacedRoot> roots_;
  std::vector<SpineSection> sections_;  ///< at section_z_, every section_step_
  double section_z_ = 0;
  LesionShape lesion_;
  double skin_y_ = 0, kidney_z_ = 0, bifurcation_z_ = 0;
  Eigen::Vector3d low_{0, 0, 0}, high_{0, 0, 0};
};

}  // namespace spinetherm
