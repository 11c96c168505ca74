// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <Eigen/Geometry>
#include <array>
#include <limits>
#include <string>
#include <vector>

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

/// One vertebra as a union of simple solids, in its own frame: origin at the middle of the body, +x the
/// patient's left, +y posterior, +z along the body's axis towards the head.
///  * body: waisted elliptic cylinder with a flat to hollow back and biconcave endplates;
///  * pedicles: elliptic tubes, converging forwards, in the upper half of the body;
///  * arch: part of a ring around the elliptic canal, sloping down backwards, with articular pillars and
///    superior and inferior processes, transverse processes and a spinous process.
/// Distances are first-order near a surface, and infinite more than some 6 mm outside the bone's box. No
/// ribs; cervical vertebrae have no uncinate processes and no transverse foramina; the sacrum is its first
/// segment with two wings.
class VertebraShape {
 public:
  explicit VertebraShape(const VertebraSize& size);

  VertebraHit at(const Eigen::Vector3d& x) const;

  const VertebraSize& size() const { return size_; }
  double wall_y() const { return wall_y_; }        ///< posterior wall at the midline
  double canal_y() const { return canal_y_; }      ///< centre of the canal
  double pedicle_z() const { return pedicle_z_; }  ///< centre of the pedicles
  /// Middle of the narrowest part of a pedicle; side +1 left, -1 right.
  Eigen::Vector3d pedicle_centre(int side) const;
  /// Half widths of the body at a height, waist included.
  Eigen::Vector2d body_half(double z) const;
  /// Box outside which at() knows no distance.
  Eigen::AlignedBox3d box() const { return body_box_.merged(arch_box_); }
  double spinous_tip_y() const;
  Eigen::Vector3d transverse_tip(int side) const;
  Eigen::Vector3d superior_facet_tip(int side) const;

  /// 16 points that an observer could place: 8 on the rims of the endplates, both pedicle centres, both tips
  /// of the transverse processes, both superior articular tips, middle of the arch, spinous tip.
  std::vector<Landmark> landmarks() const;

 private:
  VertebraHit body_at(const Eigen::Vector3d& x) const;
  double arch_distance(const Eigen::Vector3d& x) const;
  double pedicle_distance(const Eigen::Vector3d& x) const;

  VertebraSize size_;
  bool sacrum_ = false;
  double half_height_ = 0, wall_y_ = 0, canal_y_ = 0, pedicle_z_ = 0;
  double lamina_z_ = 0, lamina_half_ = 0, lamina_thickness_ = 0;
  double facet_x_ = 0, facet_radius_ = 0, spinous_z_ = 0, spinous_tan_ = 0, spinous_run_ = 0;
  Eigen::AlignedBox3d body_box_, arch_box_;  ///< distances are only computed in them
  double pedicle_front_ = 0, pedicle_sin_ = 0, pedicle_cos_ = 1;
};

/// First-order signed distance to an ellipse (semi-axes a, b) about the origin; negative inside.
double ellipse_distance(double x, double y, double a, double b);
/// Distance to the segment a-b.
double segment_distance(const Eigen::Vector3d& x, const Eigen::Vector3d& a, const Eigen::Vector3d& b);

}  // namespace spinetherm
