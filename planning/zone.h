// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "planning/plan.h"
#include "thermal/result.h"

namespace spinetherm {

/// What counts as ablated. Heat: the tissue's own Arrhenius integral where the run has it, else CEM43.
/// First-order Arrhenius overestimates early kill of slow heating (Pearce 2012), which is why organs at risk
/// are judged by temperature and CEM43 instead. Cold: -40 degC once or -20 degC twice, the usual reading of
/// Gage & Baust 1998 (Cryobiology 37:171), recalled; practice plans by -20 or -40 degC, studies give -20 to
/// -50.
struct KillCriterion {
  double arrhenius = 1;    ///< damage integral: 63 % of the cells
  double cem43_min = 240;  ///< where the run has no damage law
  /// Judge by the Arrhenius integral where the run has it. False: by CEM43 alone, where the damage laws of
  /// the run are those of organs at risk.
  bool by_arrhenius = true;
  double lowest_degC = -40;        ///< lethal isotherm of one freeze
  double lowest_twice_degC = -20;  ///< of two freezes with a thaw between, where the run tells them apart
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
  bool operator==(const KillCriterion&) const = default;
};

/// A region of the thermal grid as a level function: >= 0 inside, linear between cell centres.
struct LevelRegion {
  Volume<float> level;       ///< empty: the run holds no field to judge by
  bool exists = false;       ///< some cell is inside
  bool touches_box = false;  ///< it reaches the outer two layers of cells: it ends somewhere beyond
  std::string criterion;     ///< in words, for the report
  bool computed() const { return !level.empty(); }
};

/// Everything killed. Doses are compared by logarithm, so that a front that falls by decades within a cell
/// stays in place; cells inside a shaft, which hold no dose, take the largest of their neighbours.
LevelRegion ablation_zone(const ThermalResult& thermal, const std::vector<PlacedDevice>& applicators,
                          const KillCriterion& kill = {});
/// Everything that was ever at or below 0 degC.
LevelRegion ice_region(const ThermalResult& thermal);
/// Everything that was ever more than `tolerance_K` from rest. What a coolant cools along the shaft of a
/// device (within 15 mm of it, no further than to 0 degC) does not count: it reaches along the shaft through
/// the skin, and says nothing of the rest of the box.
LevelRegion disturbed_region(const ThermalResult& thermal, const std::vector<PlacedDevice>& applicators,
                             double rest_degC, double tolerance_K);

/// A field with the cells that a shaft covers replaced by the largest (`smallest`: the smallest) value of
/// their neighbours outside the shaft, layer by layer.
Volume<float> without_shafts(const Volume<float>& field, const std::vector<PlacedDevice>& applicators,
                             bool smallest = false);

/// Distances [mm] to the surface of a region, negative inside: exact on a fine grid around the region, and to
/// the region's surface points further out. Error at most half of `spacing_mm`.
class RegionDistance {
 public:
  explicit RegionDistance(const LevelRegion& region, double spacing_mm = 0.5);
  /// +infinity when the region does not exist.
  double operator()(const Eigen::Vector3d& x_mm) const;
  /// Smallest of many; +infinity without points.
  double nearest(const std::vector<Eigen::Vector3d>& points_mm) const;

 private:
  Volume<float> signed_mm_;
  std::vector<Eigen::Vector3d> surface_mm_;
  Eigen::Vector3d centre_mm_{0, 0, 0};
  double radius_mm_ = 0;
};

}  // namespace spinetherm
