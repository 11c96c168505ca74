// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "imaging/core/anatomy.h"
#include "planning/body.h"
#include "planning/labelled_canal.h"
#include "planning/target.h"

namespace spinetherm {

/// Values of several maps of one axis-aligned grid at a point: weights are found once, then used for each
/// map.
class TrilinearCell {
 public:
  /// False (and not to be used) when the point lies outside the grid.
  bool locate(const Grid& grid, const Eigen::Vector3d& x_mm);
  double operator()(const Volume<float>& map) const;

 private:
  std::array<std::size_t, 8> index_{};
  std::array<double, 8> weight_{};
};

/// Front, middle and centre line of the canal in an axial slice [mm]; the gate is what lies beside the canal
/// between its front and its middle: there the pedicle is.
struct CanalSlice {
  bool known = false;
  double front_mm = 0, middle_mm = 0;  ///< y; front is the smaller one (LPS)
  double centre_x_mm = 0;
};

struct CorridorSettings {
  double spacing_mm = 1;
  double near_mm = 45;   ///< half-width of the fine maps
  double wide_mm = 130;  ///< left, right and behind: of the coarse maps, at twice the spacing
  double tall_mm = 90;   ///< up and down
};

/// Signed distances [mm] to the surfaces that a path must keep clear of or stay inside (negative inside).
/// Empty map: no such label. The fine maps share one grid around the target, the coarse ones another.
struct CorridorMaps {
  LabelledCanal canal;
  Volume<float> canal_mm, bone_mm, other_bone_mm, roots_mm, vessels_mm, viscera_mm, implant_mm;  // fine
  Volume<float> far_vessels_mm, far_viscera_mm;                                                  // coarse
  std::vector<CanalSlice> slices;  ///< by slice of the fine grid
  Body body;
  std::string bone_name;              ///< "vertebra_L3" or "all bone"
  std::vector<std::string> unknowns;  ///< what could not be looked out for
  const Grid& near_grid() const { return bone_mm.grid; }
  /// The slice at a height, or the nearest known one.
  const CanalSlice* slice_at(double z_mm) const;
};

/// Own bone is the vertebra of the target's level where it is labelled, else all bone; the target belongs to
/// it.
CorridorMaps corridor_maps(const Anatomy& anatomy, const Target& target, const Volume<float>& ct_HU,
                           const CorridorSettings& settings = {});

}  // namespace spinetherm
