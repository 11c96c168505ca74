// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <Eigen/Geometry>
#include <cstdint>
#include <optional>
#include <vector>

#include "datasets/epidural_curtain.h"
#include "datasets/image_material.h"
#include "datasets/lesion_options.h"
#include "datasets/vertebra_shape.h"
#include "imaging/core/rigid.h"

namespace spinetherm {

/// Collapse of a vertebral body as a map of its own frame: the upper endplate sinks, most in front; the
/// lower endplate, the pedicles and the arch stay. Continuous, one to one.
struct BodyFracture {
  double anterior_loss_mm = 0, posterior_loss_mm = 0;  ///< of height; 0: intact
  double half_height_mm = 1, wall_y_mm = 1;            ///< of the intact body

  /// The vertebra as it was: where the bone that is now at x came from.
  Eigen::Vector3d before(const Eigen::Vector3d& x) const;
  /// Where the bone that was at x is now.
  Eigen::Vector3d after(const Eigen::Vector3d& x) const;
  /// The motion of all that stands on the upper endplate, in the vertebra's frame.
  Rigid sinking() const;

 private:
  double loss_at(double y) const;
};
/// A wedge: the anterior height loses `share`, the posterior wall kPosteriorShare of it.
BodyFracture fracture_body(const VertebraShape& shape, double share);
inline constexpr double kPosteriorShare = 0.3;

/// What fills a lesion of this kind; a mixed one holds islands of bone.
Material lesion_material(LesionKind kind, bool island);

/// The lesion of one vertebra. Solids are held in the vertebra's frame as it was before a fracture, so that
/// the lesion sinks in with the body.
struct LesionShape {
  std::size_t vertebra = 0;  ///< index into SpineModel::vertebrae()
  LesionOptions options;     ///< with the radius, the gap and the defect that were used
  Rigid vertebra_from_world;
  BodyFracture fracture;
  Eigen::Vector3d centre_mm{0, 0, 0};  ///< world
  double radius_mm = 0, wall_gap_mm = 0;
  EpiduralCurtain curtain;
  double grade_share = 0.5;  ///< drawn: 0 a mild case of its epidural grade, 1 a severe one
  Eigen::AlignedBox3d box;   ///< world: outside it nothing is changed

  Eigen::Vector3d local(const Eigen::Vector3d& world) const {
    return fracture.before(vertebra_from_world * world);
  }
  /// Distance [mm, about] to the lesion's surface, from a point of the vertebra's frame; negative inside. The
  /// lesion is where there is bone too.
  double bone_distance_mm(const Eigen::Vector3d& x) const;
  /// In the hole of the posterior wall.
  bool in_channel(const Eigen::Vector3d& x) const;
  /// In the mass beside the body, which replaces soft tissue.
  bool in_paraspinal(const Eigen::Vector3d& x) const;
  Material material_at(const Eigen::Vector3d& x) const;
  /// Near a lytic lesion the cortex is moth-eaten: whether it is gone here.
  bool eats_cortex(const Eigen::Vector3d& x, double distance_mm) const;

  struct Ball {
    Eigen::Vector3d centre{0, 0, 0};  ///< in units of the lesion's semi-axes
    double radius = 1;
  };
  struct Tube {
    Eigen::Vector3d a_mm, b_mm;
    double radius_mm;
  };
  Eigen::Vector3d local_centre_mm{0, 0, 0}, half_mm{1, 1, 1};
  double exponent = 2;  ///< of the core: 2 an ellipsoid, more where the endplates flatten it
  std::vector<Ball> balls;
  std::vector<Tube> tubes;      ///< into pedicles, and out to the mass beside the body
  std::optional<Tube> channel;  ///< through the posterior wall
  Eigen::Vector3d mass_centre_mm{0, 0, 0}, mass_half_mm{0, 0, 0};  ///< 0: none
  std::uint64_t seed = 1;
};

/// Shapes a lesion for a vertebra; place, outline and lobes from the seed. The curtain has no thickness yet.
/// ConfigError when it does not fit into the body.
LesionShape shape_lesion(const LesionOptions& options, std::uint64_t seed, const VertebraShape& shape,
                         const Rigid& world_from_vertebra, const BodyFracture& fracture);

}  // namespace spinetherm
