// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "datasets/spine_model.h"

namespace spinetherm {

/// Moves what lies in the sac from its prone to its supine place: backwards, by the patient's own
/// VertebraSize::cord_prone_shift_mm times a factor, linear between the levels. In each column from front to
/// back (x and z are kept) the cord moves as a whole, the fluid behind it is compressed and that before it
/// stretched, both evenly; at the wall of the sac nothing moves, and the sac stays where it is to bone. Below
/// the conus the middle of the cauda stands for the cord. A column's shift is at most 0.7 of the fluid behind
/// the cord, so that nothing folds: the map has an inverse in closed form and a Jacobian of 0.3 or more.
/// `model` must outlive it.
class NeuralShift {
 public:
  NeuralShift(const SpineModel& model, double factor);

  Eigen::Vector3d supine_from_prone(const Eigen::Vector3d& x) const;
  Eigen::Vector3d prone_from_supine(const Eigen::Vector3d& x) const;
  /// Dorsal shift of the cord (or the middle of the cauda) at a height, as it came out [mm].
  double dorsal_mm(double z) const;

 private:
  /// The column through a point: its front and back wall, front and back of what moves as a whole, shift.
  struct Column {
    double front, first, last, back, shift;
  };
  bool column(const Eigen::Vector3d& x, Column& out) const;
  double wanted_mm(double z) const;

  const SpineModel* model_;
  std::vector<double> z_, shift_;  ///< falling z
};

}  // namespace spinetherm
