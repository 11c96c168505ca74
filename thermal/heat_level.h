// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "thermal/active_rows.h"
#include "thermal/heat_kernel.h"
#include "thermal/problem.h"
#include "thermal/rkl2.h"

namespace spinetherm {

/// Exceptions of the plain stencil on one level: what the applicators leave open and what their walls
/// conduct.
template <class Real>
struct Fixes {
  std::vector<std::uint32_t> face_begin, wall_begin, hole_begin;  ///< by row; empty: no exceptions
  std::vector<FaceFix<Real>> faces;
  std::vector<WallFix<Real>> walls;
  std::vector<std::int32_t> holes;
  std::vector<Real> wall_theta;
  FixView<Real> view() const;
};

/// A property of every cell: its tissue's, or one of its own where cells of a tissue differ.
template <class Real>
struct CellProperty {
  std::vector<Real> by_cell;            ///< empty: the tissue's
  const Real* by_label = nullptr;       ///< 256 values, with
  const std::uint8_t* label = nullptr;  ///< one a cell
  Real operator[](std::size_t cell) const { return by_cell.empty() ? by_label[label[cell]] : by_cell[cell]; }
  const Real* cells() const { return by_cell.empty() ? nullptr : by_cell.data(); }
};

/// One level of the thermal grid: a box of cells and its arrays, free of what drives it in time. The solver
/// owns a list of levels; one covers the whole box.
///
/// Only the active cells are stepped. The others are at rest: their temperature is that of the start, the
/// blood and the boundary, so that their rate of change is exactly zero.
template <class Real>
struct HeatLevel {
  Grid grid;
  TissueTable<Real> table;
  const std::uint8_t* label = nullptr;
  const float* conductivity_factor = nullptr;
  std::array<bool, 256> used{};  ///< labels that occur

  std::array<std::vector<Real>, 3> y;  ///< roles rotate: y[now] is the state u, the others are stages
  int now = 0;
  std::vector<Real> rate;   ///< L(y[now]) [K/s]
  std::vector<Real> theta;  ///< only with phases; else theta is u
  std::unique_ptr<TissueConstants<Real>> tissue;
  CellProperty<Real> resistivity, inverse_capacity, perfusion;  ///< see TissueConstants
  std::vector<Real> source;                                     ///< (q + q_m)/(rho c) [K/s]
  std::vector<Real> heating;              ///< source and correction of the stencil, as the kernels take it
  std::vector<std::uint8_t> correctable;  ///< see stencil_correction.h; empty: the plain stencil everywhere
  bool perfused = false;
  Real theta_blood = 0;

  ActiveRows rows;
  bool can_rest = false;  ///< cells that are not active are exactly at rest
  Real theta_rest = 0;

  std::array<Real, 6> ghost_theta{}, ghost_resistivity{};
  std::vector<Real> ghost_rows;
  std::array<Real, 256> steepest{}, steepest_below{};
  Fixes<Real> fixes;
  std::vector<std::uint8_t> hole;     ///< 1: not part of the problem; empty: none
  std::vector<std::uint8_t> covered;  ///< 1: a fine patch is stepped in its place; empty: none
  std::vector<Real> scratch;
  std::vector<StepFindings> plane_findings;
  std::vector<PlaneFlows> plane_flows;   ///< of the last sweep, see HeatView
  std::vector<PlaneFlows> next_flows;    ///< of the second of two stages at once
  std::vector<BlockTissues> blocks;      ///< see HeatView
  std::vector<std::int32_t> weights_at;  ///< likewise
  std::vector<Real> weights;             ///< likewise
  int threads = 1;

  const Real* theta_of(const std::vector<Real>& u) const { return theta.empty() ? u.data() : theta.data(); }
  const Real* theta_now() const { return theta_of(y[std::size_t(now)]); }
  /// Threads for a sweep over the active cells: below 12288 cells each, waiting for one another costs more
  /// than it saves.
  int team() const { return std::clamp(int(double(rows.cells()) / 12288), 1, threads); }
  double cell_volume_m3() const { return grid.voxel_volume_mm3() * 1e-9; }
  /// Neither stepped nor heated here.
  bool is_out(std::size_t cell) const { return is_hole(cell) || (!covered.empty() && covered[cell] != 0); }
  bool is_hole(std::size_t cell) const { return !hole.empty() && hole[cell] != 0; }
};

/// Properties, boundaries and the initial state; heating is zero and no cell active or, where the start is no
/// state of rest, all. `by_cell`: every property is kept cell by cell, as stencil_correction.h reads them.
template <class Real>
HeatLevel<Real> make_level(const ThermalProblem& problem, int threads, bool by_cell = false);

/// State of the level for a checkpoint: what steps, switches and dose change in it. Geometry of the
/// applicators
/// (`fixes`) comes from who sets it, all else from make_level().
template <class Real>
void exchange_state(Archive& archive, HeatLevel<Real>& level);

/// theta and 1/k of the active cells, from the state `u`.
template <class Real>
void update_properties(HeatLevel<Real>& level, const std::vector<Real>& u);

/// `theta` is that of the level's arrays, the temperature of `u` where update_properties() has seen it.
template <class Real>
HeatView<Real> view_of(HeatLevel<Real>& level, const std::vector<Real>& u);

/// Gives the cells that are not active one value.
template <class Real>
void fill_resting(const HeatLevel<Real>& level, std::vector<Real>& values, Real value);

/// Flows of a sweep [W].
struct LevelFlows {
  double blood_W = 0;         ///< that the blood brings
  double boundary_out_W = 0;  ///< that leaves through the outer faces
  double wall_in_W = 0;       ///< that comes in through the walls of applicators
  double rest_out_W = 0;      ///< that leaves to cells at rest, after a sweep for rates
};
template <class Real>
LevelFlows flows_of(const HeatLevel<Real>& level, const std::vector<PlaneFlows>& planes);

/// Heat stored in the active cells [J], relative to rest where cells can rest, else to 37 degC.
template <class Real>
double stored_J(const HeatLevel<Real>& level);

}  // namespace spinetherm
