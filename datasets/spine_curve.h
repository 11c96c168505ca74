// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "datasets/lesion_shape.h"
#include "datasets/spine_patient.h"
#include "datasets/vertebra_shape.h"
#include "imaging/core/anatomy.h"
#include "imaging/core/rigid.h"

namespace spinetherm {

struct PlacedVertebra {
  VertebraShape shape;
  Rigid world_from_vertebra, vertebra_from_world;
  StructureValue vertebra = 0, body = 0, disc_below = 0;
  double low_z = 0, high_z = 0;  ///< of its box
  double disc_degeneration = 0;  ///< of the disc below
  BodyFracture fracture = {};    ///< intact unless the lesion broke it
  /// The point in the frame of `shape`, which is intact.
  Eigen::Vector3d local(const Eigen::Vector3d& world) const {
    return fracture.before(vertebra_from_world * world);
  }
  /// Places it, box and all.
  void move_to(const Rigid& world_from_this);
};

/// A point in coordinates that follow the canal's centre line.
struct CurvePoint {
  double left_mm = 0;    ///< from the midline, the patient's left positive
  double behind_mm = 0;  ///< behind the centre of the canal
  double level = 0;      ///< index into the vertebrae; 1.5: half-way from 1 to 2; may lie beyond the ends
};

/// Coordinates that follow the spine: in the middle plane of a vertebra its own, between two such planes a
/// blend of theirs by the share of the heights. Smooth, and one-to-one within some 100 mm of the canal.
class SpineCurve {
 public:
  SpineCurve() = default;
  explicit SpineCurve(const std::vector<PlacedVertebra>& vertebrae);
  CurvePoint at(const Eigen::Vector3d& x) const;
  /// The point with these coordinates, to 0.01 mm and 0.001 level where the coordinates are one-to-one.
  Eigen::Vector3d point(const CurvePoint& c) const;

 private:
  struct Frame {
    Eigen::Matrix3d axes;    ///< rows: left, behind, up
    Eigen::Vector3d origin;  ///< middle of the body
    double canal_y = 0;
    double step_mm = 30;  ///< height of a level beyond the ends
  };
  Eigen::Vector3d local(std::size_t n, const Eigen::Vector3d& x) const {
    return frames_[n].axes * (x - frames_[n].origin);
  }
  std::vector<Frame> frames_;
};

/// The vertebra number `broken` collapses: all above sinks with its upper endplate. The frame stays that of
/// the vertebra number `middle`.
void break_vertebra(std::vector<PlacedVertebra>& vertebrae, std::size_t broken, double share,
                    std::size_t middle);

/// Poses of a patient's vertebrae from `first` to `last`, body under body with the posterior walls in line
/// and the angles of bodies and discs, in the frame of `middle` (origin at the middle of its body).
std::vector<PlacedVertebra> place_vertebrae(const SpinePatient& patient, std::size_t first, std::size_t last,
                                            std::size_t middle);

}  // namespace spinetherm
