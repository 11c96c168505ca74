// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <Eigen/Geometry>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "datasets/solid.h"
#include "datasets/value_noise.h"
#include "datasets/vertebra_table.h"

namespace spinetherm {

/// How a point lies to one vertebra.
struct VertebraHit {
  double distance_mm = std::numeric_limits<double>::infinity();  ///< to the bone's surface, negative inside
  bool body = false;                                             ///< the nearest part is the body
  double shell_mm = 0;                                           ///< thickness of the cortex there
};

/// A point of a vertebra that an observer could place in every image.
struct Landmark {
  std::string name;
  Eigen::Vector3d at_mm{0, 0, 0};
  bool on_body = false;  ///< of a vertebra; else on its arch
  bool operator==(const Landmark&) const = default;
};

/// Middle of the left facet joint and its normal, which points to the inferior process of the upper vertebra.
struct FacetPlane {
  Eigen::Vector3d at_mm{0, 0, 0}, normal{0, 1, 0};
};

/// What of a vertebra's form is no dimension of the table.
struct VertebraStyle {
  double waist_across = 0.10, waist_front = 0.12;  ///< shares of the half width and depth lost at mid-height
  double lip_mm = 0;                               ///< osteophytes at the rims, hypertrophy of the facets
  double roughness_mm = 0;                         ///< of the surface; 0: left and right alike
  std::uint32_t seed = 1;                          ///< of the roughness
  std::optional<FacetPlane> below = {};  ///< of the next vertebra, in this frame; empty: one of its own size
};

/// One vertebra as a union of solids, in its own frame: origin at the middle of the body, +x the patient's
/// left, +y posterior, +z along the body's axis towards the head.
///  * body: waisted, with rounded rear corners, a hollow back and hollow, wedged endplates; cervical ones
///  with
///    uncinate processes; a foramen of the basivertebral vein in the back;
///  * pedicles: elliptic tubes, converging forwards, in the upper half of the body;
///  * arch: laminae around the elliptic canal, sloping down backwards, articular pillars and processes that
///    meet those of the neighbours in a plane, transverse processes (cervical with their foramina) and a
///    spinous process (cervical bifid).
/// Distances are first-order near a surface, and infinite in cells of 4 mm that no part reaches. No ribs. The
/// sacrum is its first segment with two wings and a tapering rest that stands for S2.
class VertebraShape {
 public:
  explicit VertebraShape(const VertebraSize& size, const VertebraStyle& style = {});

  VertebraHit at(const Eigen::Vector3d& at) const;
  /// True inside the canal of the basivertebral vein, which opens in the posterior wall.
  bool in_basivertebral(const Eigen::Vector3d& x) const;

  const VertebraSize& size() const { return size_; }
  double wall_y() const { return wall_y_; }        ///< posterior wall at the midline
  double canal_y() const { return canal_y_; }      ///< centre of the canal
  double pedicle_z() const { return pedicle_z_; }  ///< centre of the pedicles
  /// Middle of the narrowest part of a pedicle; side +1 left, -1 right.
  Eigen::Vector3d pedicle_centre(int side) const;
  /// Half width, and depth of the posterior wall behind the centre, at a height, waist included.
  Eigen::Vector2d body_half(double z) const;
  /// Depth of the anterior wall before the centre at a height, waist included.
  double body_front(double z) const;
  /// Height of an endplate's rim above (upper) or below the centre at depth y.
  double rim_z(double y, bool upper) const;
  /// Box outside which at() knows no distance.
  const Eigen::AlignedBox3d& box() const { return box_; }
  double spinous_tip_y() const;
  Eigen::Vector3d transverse_tip(int side) const;
  Eigen::Vector3d superior_facet_tip(int side) const;
  FacetPlane upper_joint() const;  ///< left joint with the vertebra above
  /// Centre line of the transverse foramen (cervical); empty elsewhere.
  std::optional<Eigen::Vector2d> transverse_foramen(int side) const;

  /// 16 points that an observer could place: 8 on the rims of the endplates, both pedicle centres, both tips
  /// of the transverse processes, both superior articular tips, middle of the arch, spinous tip.
  std::vector<Landmark> landmarks() const;

 private:
  enum class Region { cervical, thoracic, lumbar, sacral };
  enum class Form { tube, plate, lamina, pedicle };
  struct Part {
    Form form = Form::tube;
    Eigen::Vector3d a{0, 0, 0}, b{0, 0, 0};  ///< ends of a tube, with its radii
    double radius_a = 0, radius_b = 0;
    Eigen::Vector3d thin{0, 0, 1};  ///< direction across which a tube is `flat` times thinner
    double flat = 1;
    double shell = 0;
  };

  void add_tube(const Eigen::Vector3d& a, const Eigen::Vector3d& b, double radius_a, double radius_b,
                double shell, const Eigen::Vector3d& thin = {0, 0, 1}, double flat = 1);
  void add_arch();
  void add_joints();
  void add_processes();
  void add_sacrum();
  void fill_cells();

  VertebraHit body_at(const Eigen::Vector3d& x) const;
  double part_distance(const Part& part, const Eigen::Vector3d& m) const;
  double pedicle_distance(const Eigen::Vector3d& m) const;
  double lamina_distance(const Eigen::Vector3d& m) const;
  double plate_distance(const Eigen::Vector3d& m) const;
  double canal_distance(const Eigen::Vector3d& m) const;
  double carved(double arch, const Eigen::Vector3d& m) const;
  double sacral_tunnel_distance(const Eigen::Vector3d& m) const;

  VertebraSize size_;
  VertebraStyle style_;
  Region region_ = Region::lumbar;
  double half_height_ = 0, wall_y_ = 0, canal_y_ = 0, pedicle_z_ = 0, wedge_tan_ = 0;
  double lamina_z_ = 0, lamina_half_ = 0, lamina_thickness_ = 0;
  double spinous_z_ = 0, spinous_tan_ = 0, spinous_cos_ = 1, spinous_run_ = 0;
  double pedicle_front_ = 0, pedicle_sin_ = 0, pedicle_cos_ = 1;
  double fillet_mm_ = 2;
  Eigen::Vector2d foramen_{0, 0};  ///< left transverse foramen
  std::vector<Part> parts_;
  Eigen::AlignedBox3d box_;
  /// Which parts (bit n + 1) and whether the body (bit 0) reach a cell; of the left half, as |x| is looked
  /// up.
  std::vector<std::uint32_t> cells_;
  std::array<int, 3> cell_count_{0, 0, 0};
  Eigen::Vector3d cell_low_{0, 0, 0};
  NoiseLattice roughness_;
};

}  // namespace spinetherm
