// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/applicator_geometry.h"

namespace spinetherm {

/// How a wall passes heat between tissue and what flows inside.
struct FilmLaw {
  double area_mm2 = 0;
  double film_W_per_m2_K = 0;  ///< 0: passes no heat
  double limit_W = 0;          ///< most heat that is taken from the tissue, or given to it
  bool operator==(const FilmLaw&) const = default;
};

/// Walls with a film. Per area of wall
///   q = h (T_wall - T_gas)  [W/m2],
/// h the film coefficient, in series with the tissue between wall and cell: the cell's flow is
///   Q_c = g_c (T_c - T_gas),  1/g_c = 1/K_c + 1/(h A_c)  [K/W],
/// K_c the conductance to the surface (applicator_geometry.h) and A_c the cell's share of the wall, scaled so
/// that the shares sum up to the exact area. Conductivity is the mean of the cell's and that at the wall's
/// temperature.
///
/// The gas takes at most `limit_W`: when the sum of Q_c would be more, its temperature is one at which it is
/// just that,
///   T_gas' = (sum g_c T_c - limit) / sum g_c,
/// the same over the whole wall, as the gas of a Joule-Thomson probe warms until what it takes equals what
/// its expansion provides. Likewise for the heat that a warm gas gives. This is worked out anew for every
/// evaluation of the right-hand side, from the state alone: the limit holds at all times and energy closes.
template <class Real>
class FilmWalls {
 public:
  struct State {
    double extraction_W = 0;
    double gas_theta = 0;                      ///< T - 37 degC, raised to T_gas' where the limit acts
    double mean_theta = 0, coldest_theta = 0;  ///< of the wall's surface
  };

  void clear() { walls_.clear(); }
  void add(int wall, const FilmLaw& law) { walls_.push_back({wall, law, {}, {}, 0}); }
  bool empty() const { return walls_.empty(); }
  /// Which fixes belong to which wall. ConfigError when the grid has no cell inside a wall's body.
  /// `in_patch`: a wall without links here is another level's.
  void link(const Grid& grid, const BodyLinks& links, bool voxel, bool in_patch = false);
  /// Sets conductances and gas temperatures in the level's fixes for the state `u`; `gas_theta` by row of
  /// add().
  void update(HeatLevel<Real>& level, const std::vector<Real>& u, const std::vector<double>& gas_theta);
  /// Walls without links, or `all`, take the states of the same walls on another level.
  void take_states(const FilmWalls& other, bool all) {
    for (std::size_t n = 0; n < walls_.size(); ++n)
      if (all || walls_[n].links.empty()) walls_[n].state = other.walls_[n].state;
  }
  const State& state(std::size_t n) const { return walls_[n].state; }
  void set_state(std::size_t n, const State& state) { walls_[n].state = state; }
  int wall(std::size_t n) const { return walls_[n].wall; }
  std::size_t size() const { return walls_.size(); }

 private:
  struct Link {
    std::size_t fix = 0, cell = 0;
    double conductance_per_m2 = 0;  ///< of the tissue, over conductivity and volume
    double area_per_m = 0;          ///< share of the wall over the cell's volume
    double theta = 0;               ///< of the surface
    double theta_cell = 0, k_cell = 0;
  };
  struct Wall {
    int wall = 0;
    FilmLaw law;
    std::vector<Link> links;
    State state;
    double area_per_m = 0;  ///< sum over the links
  };
  void update_wall(HeatLevel<Real>& level, const std::vector<Real>& u, double gas_theta, Wall& wall);

  std::vector<Wall> walls_;
  bool voxel_ = false;
};

}  // namespace spinetherm
