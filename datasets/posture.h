// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "datasets/neural_shift.h"
#include "datasets/posture_options.h"
#include "datasets/spine_model.h"

namespace spinetherm {

/// Where a point of the prone patient (frame of CT and CBCT, the model's own) lies in the supine one (frame
/// of the MRI), and back. Vertebra i moves rigidly, exactly, by T_i; a point between them by
///   x = sum_i w_i(y) T_i^-1 y,   w_i ~ 1 / d_i - 1 / 150 mm,
/// y in the MRI, d_i the distance from T_i^-1 y to the bone of vertebra i in the CBCT (0 up to 0.3 mm from
/// it): weights of inverse distance, linear across a narrow gap, so that a joint that closes by less than its
/// gap never folds (Shepard 1968, doi:10.1145/800186.810616). What lies in the sac, and is no bone, is
/// moved by NeuralShift besides. The way to the MRI is found by iteration to 1e-7 mm.
///
/// The joints turn about the middle of the disc, and where facets would meet, the vertebra gives way by up to
/// 2 mm, as facets guide the motion of a spine; a draw by which they do not come free is drawn again
/// (`redrawn` times in all). Ribs and organs follow the nearest vertebrae: nothing is known of how they move.
/// `model` must outlive it.
class Posture {
 public:
  /// `pose` is the motion of the middle one of model.vertebrae(), in the frame of the CBCT.
  Posture(const SpineModel& model, const PostureOptions& options, const Rigid& pose, std::uint64_t seed);
  ~Posture();
  Posture(const Posture&) = delete;
  Posture& operator=(const Posture&) = delete;

  Eigen::Vector3d cbct_from_mri(const Eigen::Vector3d& y) const;
  Eigen::Vector3d mri_from_cbct(const Eigen::Vector3d& x) const;

  /// In the order of model.vertebrae().
  const std::vector<LevelMotion>& motions() const { return motions_; }
  int redrawn() const { return redrawn_; }
  bool bends() const { return !bones_.empty(); }
  const NeuralShift& neural_shift() const { return neural_; }

 private:
  friend class SampledPosture;
  struct Bone;
  struct Contact;
  void draw(std::uint64_t seed);
  std::vector<Contact> contacts(std::size_t upper) const;
  bool free_joint(std::size_t upper, bool lower_moves, const std::vector<Contact>& contacts);
  const Bone* owner_of(const Eigen::Vector3d& x) const;
  Eigen::Vector3d blended(const Eigen::Vector3d& y, double* nearest_mm) const;
  Eigen::Vector3d soft_to_mri(const Eigen::Vector3d& x) const;

  const SpineModel* model_;
  PostureOptions options_;
  NeuralShift neural_;
  std::vector<Bone> bones_;
  std::vector<LevelMotion> motions_;
  Rigid pose_, back_;
  int redrawn_ = 0;
};

/// Posture::cbct_from_mri() for many points of a box of the MRI: further than 4 mm from bone, where the way
/// bends little, it is interpolated between nodes 2 mm apart (within 0.1 mm, mostly 0.01 mm); exact
/// elsewhere. `posture` must outlive it.
class SampledPosture {
 public:
  SampledPosture(const Posture& posture, const Eigen::AlignedBox3d& mri_box);
  Eigen::Vector3d cbct_from_mri(const Eigen::Vector3d& y) const;

 private:
  static constexpr double kSpacing_mm = 2, kFree_mm = 4;
  const Posture* posture_;
  Volume<Eigen::Vector3d> cbct_mm_;  ///< of the nodes, without the neural shift
  Volume<std::uint8_t> free_;        ///< 1: the cell above this node is far from bone
};

/// The rigid motion that carries the points `from` onto `to` with the least sum of squares (Umeyama 1991,
/// doi:10.1109/34.88573, without scale). ConfigError for fewer than three points.
Rigid best_rigid(const std::vector<Eigen::Vector3d>& from_mm, const std::vector<Eigen::Vector3d>& to_mm);

}  // namespace spinetherm
