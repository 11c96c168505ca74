// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/image_material.h"
#include "datasets/lesion_grade.h"
#include "datasets/lesion_shape.h"
#include "datasets/rib_shape.h"
#include "datasets/spine_curve.h"
#include "datasets/spine_patient.h"
#include "datasets/spine_phantom.h"
#include "datasets/spine_profile.h"
#include "datasets/tube_set.h"
#include "datasets/vertebra_shape.h"

namespace spinetherm {

/// What the phantom is at a point.
struct SpinePoint {
  StructureValue label = 0;  ///< 0: air outside the patient
  Material material = Material::air;
  /// Local deviation of the material from its mean, in standard deviations (mostly within +/- 2.5): see
  /// MaterialProperties. Spongy bone: trabeculae, subchondral density and the patient's age.
  float texture = 0;
};

/// A nerve root and its ganglion: an egg about the tube.
struct PlacedRoot {
  RootTube tube;  ///< from the side of the sac through the foramen
  StructureValue root = 0, ganglion = 0;
  Eigen::Vector3d ganglion_mm{0, 0, 0};
  double ganglion_radius_mm = 0;
};

/// Centre lines and half widths at one height [mm], in the midsagittal plane: y of the centres, half widths
/// of ellipses across (a) and front to back (b). Lying prone.
struct SpineSection {
  double body_y = 0, body_a = 0, body_b = 0;     ///< centre of the body, half width, half depth
  double canal_y = 0, canal_a = 0, canal_b = 0;  ///< ellipse of the canal
  double sac_y = 0, sac_a = 0, sac_b = 0;
  double cord_y = 0, cord_a = 0, cord_b = 0;  ///< cord_a below 1 mm: no cord here
  double cord_x = 0;                          ///< off the midline
  double lumbar = 0, thoracic = 0;            ///< 1 inside the region, 0 outside
};

/// The phantom's geometry: a pure function of position, so that any grid can be sampled.
class SpineModel {
 public:
  explicit SpineModel(const SpinePhantomOptions& options);

  SpinePoint at(const Eigen::Vector3d& x) const;
  /// The same patient without tumour; a fracture stays.
  SpinePoint healthy_at(const Eigen::Vector3d& x) const;

  const SpinePatient& patient() const { return patient_; }
  /// The levels that were asked for, with up to three neighbours above and two below.
  const std::vector<PlacedVertebra>& vertebrae() const { return vertebrae_; }
  const std::vector<PlacedRoot>& roots() const { return roots_; }
  const LesionShape& lesion() const { return lesion_; }
  /// Grades of the lesion, from labels of 0.5 mm (canal) and 0.75 mm (body).
  LesionGrade grade() const;
  /// Box of the image [mm].
  const Eigen::Vector3d& low_mm() const { return low_; }
  const Eigen::Vector3d& high_mm() const { return high_; }
  /// Where the canal's centre line passes this height.
  SpineSection section(double z) const;
  /// Coordinates that follow the spine, and its sizes there. The levels of the curve count vertebrae().
  const SpineCurve& curve() const { return curve_; }
  const SpineProfile& profile(double level) const;

 private:
  struct Rib {
    std::size_t vertebra;
    RibShape shape;
    double low_z, high_z;  ///< world
  };
  void place(const SpinePhantomOptions& options);
  void make_sections();
  struct RootPath {
    Eigen::Vector3d from_mm, ganglion_mm, to_mm;
  };
  RootPath root_path(std::size_t n, int side, double backwards_mm, double upwards_mm) const;
  double bone_clearance(const RootPath& path) const;
  void place_roots();
  void place_plexus();
  void place_vessels();
  void place_lesion(const SpinePhantomOptions& options);
  void grow_curtain();
  EpiduralMeasure measured_epidural() const;
  bool keeps_wall(const Eigen::Vector3d& x) const;
  /// The canal about x: sizes there, and a place so that x lies in the section as it lies in the canal.
  SpineSection section_about(const Eigen::Vector3d& x) const;

  bool bone_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s, SpinePoint& out) const;
  bool rib_at(const Eigen::Vector3d& x, double bone_mm, SpinePoint& out) const;
  bool iliac_at(const Eigen::Vector3d& x, double bone_mm, SpinePoint& out) const;
  bool disc_at(const Eigen::Vector3d& x, const CurvePoint& c, SpinePoint& out) const;
  bool canal_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s, SpinePoint& out) const;
  SpinePoint tissue_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                       double depth) const;
  bool near_spine_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                     SpinePoint& out) const;
  SpinePoint back_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s) const;
  SpinePoint neck_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s) const;
  SpinePoint chest_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                      double depth) const;
  SpinePoint belly_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                      double depth) const;
  float bone_texture(const Eigen::Vector3d& local, const VertebraShape& shape) const;
  float soft_texture(const Eigen::Vector3d& x, double cell_mm) const;

  SpinePatient patient_;
  std::size_t first_ = 0;  ///< vertebrae_[0] is the patient's level `first_`
  std::vector<PlacedVertebra> vertebrae_;
  SpineCurve curve_;
  std::vector<SpineProfile> profiles_;
  std::vector<PlacedRoot> roots_;
  TubeSet nerves_, vessels_;
  std::vector<Rib> ribs_;
  std::optional<std::size_t> sacrum_;   ///< in vertebrae_
  std::vector<SpineSection> sections_;  ///< at section_z_, every section_step_
  double section_z_ = 0;
  LesionShape lesion_;
  Eigen::Vector3d low_{0, 0, 0}, high_{0, 0, 0};
};

}  // namespace spinetherm
