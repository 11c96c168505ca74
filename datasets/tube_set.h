// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstdint>
#include <vector>

#include "datasets/image_material.h"
#include "imaging/core/anatomy.h"

namespace spinetherm {

/// A straight piece of nerve or vessel with round ends.
struct Tube {
  Eigen::Vector3d from_mm{0, 0, 0}, to_mm{0, 0, 0};
  double radius_mm = 1;
  StructureValue label = 0;
  Material material = Material::nerve;
};

/// Many thin tubes, found through a coarse grid.
class TubeSet {
 public:
  void add(const Tube& tube) { tubes_.push_back(tube); }
  /// Pieces along a line of points.
  void add_line(const std::vector<Eigen::Vector3d>& points_mm, double radius_mm, StructureValue label,
                Material material);
  /// Must follow the last add().
  void build();
  /// The first tube added that holds the point; null: none.
  const Tube* find(const Eigen::Vector3d& x) const;
  const std::vector<Tube>& tubes() const { return tubes_; }

 private:
  std::vector<Tube> tubes_;
  Eigen::Vector3d low_{0, 0, 0};
  std::array<int, 3> count_{0, 0, 0};
  std::vector<std::uint32_t> first_;  ///< of each cell in `members_`, one more than cells
  std::vector<std::uint16_t> members_;
};

}  // namespace spinetherm
