// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "thermal/tissue_table.h"

namespace spinetherm {

/// A face between two unknown cells that an applicator covers in part: adds (open - 1) times the plain flow.
template <class Real>
struct FaceFix {
  std::int32_t i = 0;              ///< cell within its row
  std::int8_t axis = 0, side = 1;  ///< to the neighbour; side -1 or +1
  Real scale = 0;                  ///< 2 / spacing^2 of the axis [1/m2], times (open - 1)
};
/// Heat through the wall of an applicator into the cell: du/dt += inv_c k (theta_wall - theta) conductance.
template <class Real>
struct WallFix {
  std::int32_t i = 0;
  std::int32_t wall = 0;  ///< which wall temperature
  Real conductance = 0;   ///< over k and cell volume [1/m2]
  Real k_wall = 0;        ///< conductivity of the cell's tissue at the wall's temperature [W/m/K]
  Real wall_share = 0;    ///< of k_wall in the k of the flow; the rest is the cell's
};
/// Exceptions of the plain stencil, sorted by row (row = k ny + j); `*_begin` have one entry a row and one
/// more.
template <class Real>
struct FixView {
  const std::uint32_t* face_begin = nullptr;
  const FaceFix<Real>* faces = nullptr;
  const std::uint32_t* wall_begin = nullptr;
  const WallFix<Real>* walls = nullptr;
  const Real* wall_theta = nullptr;
  const std::uint32_t* hole_begin = nullptr;
  const std::int32_t* holes = nullptr;  ///< cells (within their row) that are not part of the problem
};

/// Cells of a row are worked on in blocks of so many; the last block of a row overlaps the one before.
inline constexpr int kBlockCells = 16;
/// Blocks of a row of nx cells.
inline int blocks_of(int nx) { return (nx + kBlockCells - 1) / kBlockCells; }
/// Which tissues a block of cells has.
struct BlockTissues {
  std::uint8_t first = 0, second = 0;  ///< the same where there is but one
  bool more = false;                   ///< than these two
  /// All cells, and those next to them along each axis, are alike and as the tissue's constants: the short
  /// way.
  bool uniform = false;
  /// Resistivity is read here: this block or one beside, before or below it is not uniform.
  bool resists = true;
};
/// Of a block, where properties never change: du/dt is the sum over the neighbours n
/// along -x, +x, -y, +y, -z, +z of weight_n (theta_n - theta), weight (theta_blood - theta) and heating; by
/// cell the six weights and the seventh, that of the blood [1/s].
inline constexpr int kBlockWeights = 7 * kBlockCells;
/// Properties by label, as they are at the start.
template <class Real>
struct TissueConstants {
  using Row = Real[256];
  Row conductance{};       ///< k/2: of a face between two cells alike, 1/(r + r)
  Row resistivity{};       ///< 1/k [m K/W]
  Row inverse_capacity{};  ///< 1/(rho c) [m3 K/J]
  Row perfusion{};         ///< w rho_b c_b [W/m3/K]
};

/// What a sweep sums up in one plane, over the volume of a cell [W/m3].
struct PlaneFlows {
  double blood = 0;         ///< that the blood brings
  double boundary_out = 0;  ///< that leaves through the outer faces of the box
  double wall_in = 0;       ///< that comes in through the walls of applicators
  double rest_out = 0;      ///< that leaves to cells at rest; by run_rates() alone
};

/// Resistivity of a ghost cell that lets no heat through [m K/W]: large, but not so that its reciprocal
/// leaves the numbers.
inline constexpr double kInsulating = 1e30;

/// Plain arrays of one level of the grid, as the kernels read them. Temperatures are theta = T - 37 [K];
/// cells are i + nx (j + ny k). Of each row only the cells [row_begin, row_end) are stepped; cells beside
/// them are read and are at rest.
template <class Real>
struct HeatView {
  int size[3] = {0, 0, 0};
  int low[3] = {0, 0, 0}, high[3] = {0, 0, 0};  ///< box around the cells that are stepped
  const std::int32_t *row_begin = nullptr,
                     *row_end = nullptr;  ///< row j + ny k; an empty row has end <= begin
  /// By row four values, see ActiveRows::Reach: what is read, and where flows to the rows above are needed.
  const std::int32_t* row_reach = nullptr;
  const std::int64_t* cells_below = nullptr;  ///< stepped cells in the planes below plane k
  bool rest_takes_heat = false;               ///< what flows into cells that are not stepped is summed up
  Real scale[3] = {0, 0, 0};                  ///< 2 / spacing^2 [1/m2]
  const Real* u = nullptr;                    ///< the state, see tissue_table.h
  const Real* theta = nullptr;                ///< temperature; u itself without phases
  // Null: as the tissue's constants.
  const Real* resistivity = nullptr;
  const Real* inverse_capacity = nullptr;
  const Real* perfusion = nullptr;
  bool perfused = false;          ///< somewhere
  const Real* heating = nullptr;  ///< (q + q_m) / (rho c) [K/s]
  Real theta_blood = 0;
  // For temperature and resistivity of a stage, which are not stored but worked out as they are needed:
  const TissueTable<Real>* table = nullptr;
  const std::uint8_t* label = nullptr;
  const float* factor = nullptr;  ///< on k, cell by cell; null: 1
  bool has_phases = false, varies_with_T = false;
  const TissueConstants<Real>* tissue = nullptr;
  const BlockTissues* blocks = nullptr;  ///< blocks_of() for each row; null: rows are shorter than a block
  /// By block, where properties never change: which of the weights are its own; -1: it lies at a face y or z
  /// of the grid. Null: they change.
  const std::int32_t* weights_at = nullptr;
  const Real* weights = nullptr;  ///< kBlockWeights each
  // Beyond the outer faces x_min, x_max, y_min ... lies a ghost cell with this temperature and resistivity:
  // 0 fixes the temperature on the face, kInsulating insulates, 2/(h dx) is a film of coefficient h.
  Real ghost_theta[6] = {0, 0, 0, 0, 0, 0}, ghost_resistivity[6] = {0, 0, 0, 0, 0, 0};
  const Real* ghost_rows = nullptr;  ///< 8 rows of nx: theta of y_min, y_max, z_min, z_max, then resistivity
  const std::uint8_t* hole = nullptr;  ///< 1: not part of the problem; null: none
  FixView<Real> fix;
  PlaneFlows* plane_flows = nullptr;  ///< one a plane: receives the flows

  const BlockTissues* blocks_of_row(int j, int k) const {
    return blocks == nullptr ? nullptr : blocks + std::ptrdiff_t(k * size[1] + j) * blocks_of(size[0]);
  }
};

/// Scratch of all threads: `threads` times kernel_scratch() values.
std::size_t kernel_scratch(const int size[3]);

template <class Real>
struct StageView {
  const Real* y0 = nullptr;
  const Real* y1 = nullptr;     ///< Y_{j-1}
  const Real* y2 = nullptr;     ///< Y_{j-2}
  const Real* rate0 = nullptr;  ///< L(Y_0)
  Real* out = nullptr;          ///< Y_j; may be y2
  Real mu = 0, nu = 0, mu_t_dt = 0, gamma_t_dt = 0;
};
/// Y_j = Y_0 + mu (Y_1 - Y_0) + nu (Y_2 - Y_0) + mu~ dt L(u) + gamma~ dt L_0 of the cells that are stepped.
template <class Real>
void run_stage(const HeatView<Real>& view, const StageView<Real>& stage, Real* scratch, int threads);

/// Two stages at once, plane after plane, so that the second finds what it reads in the cache; where weights
/// are given and there are no exceptions. `next` takes what `stage` gives: its y1 is the other's out, its out
/// the other's y1. `next_flows` receives the flows of the second, one a plane. Scratch: twice that of
/// run_stage().
template <class Real>
void run_two_stages(const HeatView<Real>& view, const StageView<Real>& stage, const StageView<Real>& next,
                    PlaneFlows* next_flows, Real* scratch, int threads);

/// What the sweep at the end of a macro-step learns of it.
template <class Real>
struct StepView {
  const Real* y0 = nullptr;     ///< before; null: no step to judge
  const Real* y1 = nullptr;     ///< after
  const Real* rate0 = nullptr;  ///< L before
  Real* rate1 = nullptr;        ///< receives L after
  Real dt = 0;
  /// The error counts over 1 + relative |y| [1/K], of what is warm over 1 + relative y + (hot_relative y)^2:
  /// what is hot or cold need not be known as well.
  Real relative = 0, hot_relative = 0;
  /// Of cells below `cool` and above `hot` [K] the error counts less: beside ice and steam the estimate is
  /// that of a front that has just moved, which dies out again.
  Real cool = -1e30F, cool_weight = 1, hot = 1e30F, hot_weight = 1;
  const std::uint8_t* label = nullptr;  ///< with `steepest`
  const Real* steepest = nullptr;       ///< by label: largest d theta/du of the tissue, see heat_level.cpp
  const Real* threshold = nullptr;      ///< by label: u below which `steepest` counts
  /// By row, where asked for: receives the stretch of stepped cells from the first to the last that differ
  /// from `rest` by more than `rest_change`; empty rows are left as they are.
  std::int32_t *warm_begin = nullptr, *warm_end = nullptr;
  Real rest = 0, rest_change = 0;
};
struct StepFindings {
  double largest_change_K = 0;  ///< over the step
  double error_K = 0;           ///< estimate of the local error, largest of all cells
  double stiffness_per_s = 0;   ///< largest diagonal of -dL/du: forward Euler is stable to its inverse
  std::size_t worst_cell = 0;   ///< of the error, or one that is not finite
  bool finite = true;
};
/// L(theta) of the cells that are stepped, and the findings: the error estimate is that of
/// Runge-Kutta-Chebyshev codes (Sommeijer, Shampine & Verwer 1998, doi:10.1016/S0377-0427(97)00219-7):
///   e = 0.8 (y_0 - y_1) + 0.4 dt (L_0 + L_1).
/// `plane_findings`: one entry a plane of the grid.
template <class Real>
StepFindings run_rates(const HeatView<Real>& view, const StepView<Real>& step, Real* scratch,
                       StepFindings* plane_findings, int threads);

/// Fourth order in space where four cells in line are of one smooth piece of tissue: the flow through their
/// middle face gains -(k/h) (d3 theta)/12, d3 the third difference, faded out where that is not small against
/// the first differences. Worked out once a macro-step and held over it.
template <class Real>
struct CorrectionView {
  const std::uint8_t* faces = nullptr;  ///< bit a: the face to the next cell along axis a may be corrected
  const Real* u = nullptr;              ///< with phases: only where theta is u; else null
  const Real* source = nullptr;         ///< (q + q_m)/(rho c) [K/s]
  Real* heating = nullptr;              ///< receives source + correction, as in HeatView
  Real* rate = nullptr;                 ///< L of the present state, kept up to date
};
template <class Real>
void run_correction(const HeatView<Real>& view, const CorrectionView<Real>& correction, Real* scratch,
                    int threads);

/// CEM43 of one step in one plane, by Simpson's rule on the cubic through temperatures and rates:
///   CEM43 += dt/6 (R(T_0) + 4 R(T_m) + R(T_1)),  T_m = (T_0 + T_1)/2 + dt (T_0' - T_1')/8,
/// R = 2^(T - 43)/60 above 43 degC, 4^(T - 43)/60 below, 0 below 39 degC unless `below_39`; where R changes
/// by more than a factor 1.8, as cem43_min() of damage.h.
template <class Real>
struct DoseView {
  const Real *u0 = nullptr, *u1 = nullptr;        ///< before and after the step [K]
  const Real* theta1 = nullptr;                   ///< temperature after; where it is not u, the cell is left
  const Real *rate0 = nullptr, *rate1 = nullptr;  ///< [K/s]
  Real dt = 0;
  bool below_39 = false;
  float* cem43 = nullptr;             ///< [min]
  float cap_min = 0;                  ///< no cell's dose becomes more
  const std::uint8_t* row = nullptr;  ///< by j: 1, the rows to work on
  /// By cell of the plane: receives 1 where the rule does not hold (the temperature passes 43 degC or, unless
  /// `below_39`, 39 degC; a phase change): the dose is not added.
  std::uint8_t* left = nullptr;
};
/// Returns the sum of the doses that were added [min].
template <class Real>
double run_dose(const HeatView<Real>& view, const DoseView<Real>& dose, int k);

/// Least and largest values in the stepped cells of a row: of the state before a step and of the temperature
/// after it.
template <class Real>
struct RowRange {
  Real least_u0 = 0, most_u0 = 0, least_theta = 0, most_theta = 0;
};
/// By row j of plane k; empty rows are left out.
template <class Real>
void run_ranges(const HeatView<Real>& view, const Real* u0, const Real* theta, RowRange<Real>* by_row, int k);

/// Extremes of the temperature of the cells of one plane, and when they were reached.
template <class Real>
struct ExtremesView {
  const Real* theta = nullptr;
  float t_s = 0;
  float *peak_degC = nullptr, *peak_time = nullptr;      ///< the time may be null
  float *lowest_degC = nullptr, *lowest_time = nullptr;  ///< likewise
  const std::uint8_t* row = nullptr;                     ///< by j: bit 0 the peak, bit 1 the lowest
};
template <class Real>
void run_extremes(const HeatView<Real>& view, const ExtremesView<Real>& extremes, int k);

/// theta = theta(u) and resistivity = 1/k(theta) of the cells that are stepped, into arrays; null: not asked
/// for.
template <class Real>
void run_properties(const HeatView<Real>& view, Real* theta, Real* resistivity, int threads);

}  // namespace spinetherm
