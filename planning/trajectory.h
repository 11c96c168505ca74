// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/anatomy.h"
#include "imaging/core/progress.h"
#include "planning/target.h"

namespace spinetherm {

enum class ApproachKind { transpedicular, parapedicular, direct };
constexpr std::string_view to_string(ApproachKind k) {
  switch (k) {
    case ApproachKind::transpedicular:
      return "transpedicular";
    case ApproachKind::parapedicular:
      return "parapedicular";
    case ApproachKind::direct:
      return "direct";
  }
  return "direct";
}

/// A straight path to the target.
struct Trajectory {
  Eigen::Vector3d entry_mm{0, 0, 0};  ///< on the skin, or where the path leaves the image
  Eigen::Vector3d tip_mm{0, 0, 0};
  Eigen::Vector3d goal_mm{0, 0, 0};  ///< where the centre of the active part comes to lie
  ApproachKind kind = ApproachKind::direct;
  std::string side;                  ///< of the patient: left, right
  bool entry_on_image_edge = false;  ///< the skin was not in the image: the true path is longer
  /// Shaft surface to each structure [mm], by canal, roots, vessels, viscera; absent: no such label.
  std::map<std::string, double> clearance_mm;
  std::map<std::string, double> penalties;  ///< parts of `score`
  double score = 0;                         ///< sum of the penalties; smaller is better
  std::vector<std::string> reasons;

  double length_mm() const { return (tip_mm - entry_mm).norm(); }
  Eigen::Vector3d direction() const { return (tip_mm - entry_mm).normalized(); }
};

struct TrajectoryOptions {
  double shaft_diameter_mm = 2.4;  ///< of the device or its cannula, whichever is thicker (13 G = 2.4 mm)
  double length_mm = 150;          ///< usable length of the device; 10 mm of it stay outside the skin
  double tip_beyond_goal_mm = 8;   ///< centre of the active part to the tip
  /// Shaft contained in bone to the canal [mm]: medial and inferior pedicle wall; no sac rule in bone.
  double canal_in_bone_mm = 1;
  /// Shaft in soft tissue to the canal [mm].
  double canal_in_soft_mm = 3;
  /// Shaft to a root [mm]: outside bone to the inflated envelope of the model, in bone to the tube itself.
  double root_mm = 2, root_in_bone_mm = 1;
  double root_inflate_mm = 2;
  double vessel_mm = 3, viscera_mm = 3;  ///< shaft to vessels; to pleura, bowel, kidney ...
  double anterior_cortex_mm = 3;         ///< bone or target that must lie ahead of the tip
  double other_bone_mm = 4;              ///< most length through another vertebra [mm]
  double skin_angle_deg = 60;            ///< steepest angle to the skin's normal
  double cone_deg = 65;                  ///< half-angle of the directions tried around straight posterior
  double tilt_deg = 35;                  ///< most tilt out of the axial plane
  int goals = 24;                        ///< goal points in the target, its centre first
  double step_deg = 1.6;                 ///< spacing of directions: 1 mm at the pedicle
  double spacing_mm = 1;                 ///< of the distance maps near the target; twice that further out
  int keep = 8;                          ///< ranked paths that are returned
  double apart_deg = 5, apart_mm = 3;    ///< alternatives differ by one of these
  int threads = 0;                       ///< OpenMP threads; 0: all
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
  bool operator==(const TrajectoryOptions&) const = default;
};

struct TrajectorySearch {
  Termination termination = Termination::not_run;
  std::vector<Trajectory> ranked;  ///< best first
  long tried = 0, accepted = 0;
  /// limit -> how many paths it alone removes: canal, roots, vessels, viscera, corridor, other bone, implant,
  /// anterior cortex, length, skin angle.
  std::map<std::string, long> rejected_by;
  std::vector<std::string> reasons;  ///< what was not known; why there is no path
  double wall_time_s = 0;
};

/// Straight paths from the skin (or the image's edge, and so stated) to the target: goal points x directions
/// of the posterior cone, marched on exact distance maps. A path to the body is
///  * transpedicular: in bone all along the canal's side; or
///  * parapedicular: outside the bone there, with pedicle between itself and the canal.
/// All others (through a foramen, between the laminae) have no corridor. A target behind the canal's front
/// wall is reached directly. The result does not depend on the number of threads. `ct_HU` may be empty: the
/// labels' edge is then the entry. ConfigError when the target is empty or lies outside the anatomy.
TrajectorySearch find_trajectories(const Anatomy& anatomy, const Target& target, const Volume<float>& ct_HU,
                                   const TrajectoryOptions& options = {}, const Progress& progress = {});

}  // namespace spinetherm
