// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "datasets/vertebra_shape.h"

namespace spinetherm {

/// A pair of ribs in the frame of their vertebra, and the chest wall at their level. The centre line runs
/// from the head beside the disc above, in front of the tip of the transverse process, over the angle and
/// around the chest, sinking as it goes. Left and right are alike. Joints with body and transverse process
/// are gaps that the caller cuts. The path is drawn after anatomical atlases; no measurement.
class RibShape {
 public:
  /// `index`: 0 for T1 .. 11 for T12 (and below); negative for a cervical rib.
  RibShape(const VertebraShape& vertebra, int index, double size);

  /// A place beside the centre line, seen from above.
  struct Wall {
    double distance_mm = 0;  ///< to the centre line
    double outward_mm = 0;   ///< the same, negative inside the chest
    double along_mm = 0;     ///< of the centre line, from the head
  };
  Wall wall(const Eigen::Vector3d& local) const;
  /// Signed distance to the rib at a wall place and height in the vertebra's frame.
  double distance(const Wall& wall, double z) const;
  /// Height of the centre line.
  double centre_z(double along_mm) const;
  double half_height(double along_mm) const;
  double length_mm() const { return length_; }
  /// Heights between which the rib lies.
  double low_z() const { return centre_z(length_) - 10; }
  double high_z() const { return head_z_ + 10; }

 private:
  struct Entry {
    float distance, outward, along;
  };
  double canal_y_ = 0, head_z_ = 0, tubercle_z_ = 0, tubercle_along_ = 0, slope_ = 0.4, length_ = 0;
  double low_y_ = 0;
  int columns_ = 0, rows_ = 0;
  std::vector<Entry> table_;
};

}  // namespace spinetherm
