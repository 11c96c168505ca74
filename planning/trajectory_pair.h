// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "planning/trajectory.h"

namespace spinetherm {

/// Two probes that act together, one through each pedicle.
struct TrajectoryPair {
  Trajectory left, right;
  double spread_mm = 0;  ///< between the centres of their active parts
  double gap_mm = 0;     ///< least distance between the surfaces of their shafts
  double score = 0;      ///< penalties of both paths and of the pair; smaller is better
};

struct TrajectoryPairOptions {
  double shaft_diameter_mm = 2.4;
  double spread_mm = 10;  ///< wanted between the centres: the zones should meet, not lie on each other
  double half_mm = 10;    ///< mean half-axis of the target: unit of what its centre is missed by
  int keep = 3;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// Least distance [mm] between two segments a-b and c-d.
double segment_gap_mm(const Eigen::Vector3d& a_mm, const Eigen::Vector3d& b_mm, const Eigen::Vector3d& c_mm,
                      const Eigen::Vector3d& d_mm);

/// Pairs of a left and a right transpedicular path, best first, no path in two of them. Surfaces of the
/// shafts stay one shaft's diameter apart all along. The middle between the two goals counts as off-centre
/// instead of each of them, and a spread below the wanted one costs 2 (1 - spread / wanted).
std::vector<TrajectoryPair> bipedicular_pairs(const std::vector<Trajectory>& paths,
                                              const Eigen::Vector3d& target_centre_mm,
                                              const TrajectoryPairOptions& options = {});

}  // namespace spinetherm
