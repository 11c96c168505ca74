// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set, with SPINETHERM_KERNELS the name of a namespace of its own: plain loops
// over plain arrays, no library templates, so that nothing compiled for a newer processor can be picked by
// the linker for an older one. All builds give the same bits: no contraction, no reassociation.
#include <omp.h>

#include <cmath>
#include <type_traits>

#include "thermal/heat_kernel.h"
#include "thermal/heat_kernel_rows.h"
#include "thermal/heat_kernel_stage.h"

namespace spinetherm::SPINETHERM_KERNELS {

template <class Real>
struct Rows {
  Real *flow_z, *conductance_z;  // a plane each
  Real* planes;                  // three pairs of planes: temperature and resistivity
  Real *flow_y, *conductance_y, *rate, *diagonal;
};
template <class Real>
inline Rows<Real> rows_of(Real* scratch, const int* size) {
  const auto plane = std::size_t(size[0]) * std::size_t(size[1]);
  const auto row = std::size_t(size[0]);
  Real* tail = scratch + 8 * plane;
  return {scratch, scratch + plane, scratch + 2 * plane, tail, tail + row, tail + 2 * row, tail + 3 * row};
}

/// Temperature and resistivity by plane: the level's arrays, or worked out plane by plane as the sweep needs
/// them, which spares writing and reading them.
template <class Real>
struct Planes {
  const HeatView<Real>& v;
  Real* buffer;  // three pairs of planes
  bool fused;
  std::ptrdiff_t plane;
  const Real *t[3] = {}, *r[3] = {};  // by k mod 3, from the plane's first cell
  int loaded[3] = {-1, -1, -1};

  /// Unless it is there. `all`: not only what a plain sweep reads of the resistivity.
  void load(int k, bool all) {
    const int at = (k + 3) % 3;
    if (k < 0 || k >= v.size[2] || loaded[at] == k) return;
    loaded[at] = k;
    if (!fused) {
      t[at] = v.theta + plane * k;
      r[at] = v.resistivity + plane * k;
      if (v.resistivity != nullptr) return;
    }
    Real* theta = fused && v.has_phases ? buffer + 2 * at * plane : nullptr;
    Real* resistivity =
        v.resistivity == nullptr || (fused && v.varies_with_T) ? buffer + (2 * at + 1) * plane : nullptr;
    if (fused) t[at] = theta != nullptr ? theta : v.u + plane * k;
    r[at] = resistivity != nullptr ? resistivity : v.resistivity + plane * k;
    const int ny = v.size[1];
    for (int j = v.low[1] > 0 ? v.low[1] - 1 : 0; j < (v.high[1] < ny ? v.high[1] + 1 : ny); ++j) {
      const Span need = read_of(v, j, k);
      if (need.end <= need.begin) continue;
      const std::ptrdiff_t in_plane = std::ptrdiff_t(v.size[0]) * j, c = in_plane + plane * k;
      if (v.resistivity == nullptr)
        row_of_resistivity(need.begin, need.end, v.size[0], v.tissue->resistivity, v.blocks_of_row(j, k),
                           v.label + c, all || j <= v.low[1], resistivity + in_plane);
      if (theta != nullptr || v.resistivity != nullptr)
        row_properties(need.begin, need.end, v.size[0], *v.table, v.blocks_of_row(j, k), v.label + c,
                       v.factor != nullptr ? v.factor + c : nullptr, v.u + c,
                       theta != nullptr ? theta + in_plane : nullptr,
                       v.resistivity != nullptr && resistivity != nullptr ? resistivity + in_plane : nullptr);
    }
  }
};

/// Calls take<L>(i, from, rate, diagonal) for the cells [begin, end) of a row, block by block: those of
/// [from, i + L) are new. `own` are those that are stepped; what the blood brings to them is added up.
template <bool WithDiagonal, class Real, class Take>
[[gnu::always_inline]] inline void rates_of_row(const HeatView<Real>& v, int j, int k,
                                                const Row<Real>& shared, int begin, int end, Span own,
                                                bool inner_done, BloodSum& blood_sum,
                                                const Take& shared_take) {
  const BlockTissues* blocks = v.blocks_of_row(j, k);
  Real* none = nullptr;
  const Row<Real> row = shared;  // nobody else's: its pointers may stay in registers
  const Take take = shared_take;
  if (blocks == nullptr) {
    for (int i = begin; i < end; ++i) {
      const auto b = rates_of_block<WithDiagonal, 1>(row, i, {}, from_below<WithDiagonal, 1>(row, i));
      take.template operator()<1>(i, i, b.rate, b.diagonal);
      if (i >= own.begin && i < own.end) blood_sum.lanes[0] += double(b.blood[0]);
    }
    return;
  }
  using V = VectorOf<Real, kLanes>;
  V lanes = {};
  const int first = begin / kLanes, last = (end + kLanes - 1) / kLanes;
  const bool overlaps = last * kLanes > row.nx;
  // The last block begins among cells whose flows have been renewed by then.
  FromBelow<Real, kLanes> of_last;
  if (overlaps) of_last = from_below<WithDiagonal, kLanes>(row, row.nx - kLanes);
  const auto add_blood = [&](int i, int from, const V& blood) __attribute__((always_inline)) {
    if (from == i && i >= own.begin && i + kLanes <= own.end) {
      lanes += blood;
      return;
    }
    for (int l = from - i; l < kLanes; ++l)
      if (i + l >= own.begin && i + l < own.end) lanes[l] += blood[l];
  };
  const auto block = [&](int b, int i, int from, const FromBelow<Real, kLanes>& below)
      __attribute__((always_inline)) {
    const Rates<Real, kLanes> rates = blocks[b].uniform
                                          ? rates_of_uniform_block<WithDiagonal, kLanes>(row, i, below)
                                          : rates_of_block<WithDiagonal, kLanes>(row, i, blocks[b], below);
    take.template operator()<kLanes>(i, from, rates.rate, rates.diagonal);
    add_blood(i, from, rates.blood);
  };
  const int past = last - (overlaps ? 1 : 0);
  for (int b = first; b < past; ++b) {
    if constexpr (!WithDiagonal) {
      if (is_inner(v, b, j, k)) {  // takes no flows from below
        const int i = b * kLanes;
        const bool above_is_inner = is_inner(v, b, j + 1, k) && is_inner(v, b, j, k + 1);
        if (!above_is_inner) {
          row_flow<kLanes>(i, i + kLanes, row.t, row.r, row.ty, row.ry, row.fy, none);
          row_flow<kLanes>(i, i + kLanes, row.t, row.r, row.tz, row.rz, row.fz, none);
        }
        const bool all_own = i >= own.begin && i + kLanes <= own.end;
        if (i >= own.end || i + kLanes <= own.begin || (all_own && inner_done)) continue;
        const Rates<Real, kLanes> rates = rates_of_inner_block(v, b, j, k);
        take.template operator()<kLanes>(i, i, rates.rate, rates.diagonal);
        add_blood(i, i, rates.blood);
        continue;
      }
    }
    block(b, b * kLanes, b * kLanes, from_below<WithDiagonal, kLanes>(row, b * kLanes));
  }
  if (overlaps) block(last - 1, row.nx - kLanes, (last - 1) * kLanes, of_last);
  if (row.perfused) blood_sum.lanes += __builtin_convertvector(lanes, VectorOf<double, kLanes>);
}

/// Whoever needs whole rows of rates.
struct WholeRows {};

/// Keeps the rates of a row.
template <bool WithDiagonal, class Real>
struct IntoRow {
  Real *rate = nullptr, *diagonal = nullptr;
  template <int L>
  [[gnu::always_inline]] void operator()(int i, int, VectorOf<Real, L> r, VectorOf<Real, L> d) const {
    store<L>(rate + i, r);
    if (WithDiagonal) store<L>(diagonal + i, d);
  }
};

/// One thread's planes of a sweep, in rising order. Calls finish(first cell's index, plane, n, rate,
/// diagonal) for the stepped part of every row; `WithDiagonal`: also the diagonal of -dL/dtheta. `fused`:
/// temperature and resistivity from `u`, not from the arrays. `at_once`: WholeRows, or the stage into which
/// rows without exceptions go at once instead.
template <bool WithDiagonal, class Real, class Finish, class AtOnce>
struct PlaneSweep {
  const HeatView<Real>& v;
  Rows<Real> s;
  Planes<Real> planes;
  const Finish& finish;
  const AtOnce& at_once;

  PlaneSweep(const HeatView<Real>& view, bool fused, Real* scratch, const Finish& to_finish,
             const AtOnce& to_do_at_once)
      : v(view),
        s(rows_of(scratch, view.size)),
        planes{view, s.planes, fused, std::ptrdiff_t(view.size[0]) * view.size[1]},
        finish(to_finish),
        at_once(to_do_at_once) {}

  /// `starts`: the plane below is another thread's, or not done yet.
  void operator()(int k, bool starts) {
    constexpr bool kKeepsAll = std::is_same_v<AtOnce, WholeRows>;
    const int nx = v.size[0], ny = v.size[1], nz = v.size[2];
    const auto stride_y = std::ptrdiff_t(nx), stride_z = std::ptrdiff_t(nx) * ny;
    const Real cx = v.scale[0], cy = v.scale[1], cz = v.scale[2], one = 1;
    PlaneFlows flows{0, 0, 0, 0};
    BloodSum blood;
    if constexpr (!kKeepsAll)
      if (v.weights_at != nullptr && stage_of_inner_blocks(v, at_once.s, k, blood, flows.boundary_out)) {
        flows.blood = blood.total();
        v.plane_flows[k] = flows;
        return;
      }
    const bool whole_plane = starts || WithDiagonal || v.weights_at != nullptr || v.fix.face_begin != nullptr;
    planes.load(k - 1, true);
    planes.load(k, true);
    planes.load(k + 1, whole_plane);
    const Real *t_below = planes.t[(k + 2) % 3], *r_below = planes.r[(k + 2) % 3];
    const Real *t_here = planes.t[k % 3], *r_here = planes.r[k % 3];
    const Real *t_above = planes.t[(k + 1) % 3], *r_above = planes.r[(k + 1) % 3];
    for (int j = v.low[1]; j < v.high[1]; ++j) {
      // Flows to the rows above are worked out here, so the row is as long as the longest of the three.
      const Span own = row_of(v, j, k);
      const bool fixed = has_exceptions(v, j, k);
      const Span needed = flows_of(v, j, k);
      if (needed.end <= needed.begin || (!kKeepsAll && is_inner_row(v, own, needed, j, k))) continue;
      const Span all = whole_blocks(needed, nx);
      const int i0 = all.begin, n = all.end - all.begin;
      const std::ptrdiff_t in_plane = stride_y * j, c0 = in_plane + stride_z * k;
      Row<Real> row;
      row.t = t_here + in_plane;
      row.r = r_here + in_plane;
      row.ty = j + 1 < ny ? row.t + stride_y : v.ghost_rows + stride_y;
      row.ry = j + 1 < ny ? row.r + stride_y : v.ghost_rows + 5 * stride_y;
      row.tz = k + 1 < nz ? t_above + in_plane : v.ghost_rows + 3 * stride_y;
      row.rz = k + 1 < nz ? r_above + in_plane : v.ghost_rows + 7 * stride_y;
      row.inv_c = v.inverse_capacity != nullptr ? v.inverse_capacity + c0 : nullptr;
      row.w = v.perfusion != nullptr ? v.perfusion + c0 : nullptr;
      row.perfused = v.perfused;
      row.label = v.label + c0;
      row.tissue = v.tissue;
      row.heat = v.heating + c0;
      row.fy = s.flow_y;
      row.gy = s.conductance_y;
      row.fz = s.flow_z + in_plane;
      row.gz = s.conductance_z + in_plane;
      row.rate = s.rate;
      row.diagonal = s.diagonal;
      for (int a = 0; a < 3; ++a) row.scale[a] = v.scale[a];
      row.theta_blood = v.theta_blood;
      row.t_left = v.ghost_theta[0];
      row.r_left = v.ghost_resistivity[0];
      row.t_right = v.ghost_theta[1];
      row.r_right = v.ghost_resistivity[1];
      row.nx = nx;

      const auto below = [&](const Real* tb, const Real* rb, Real* flow, Real* conductance) {
        const int whole = n / kLanes * kLanes;
        row_flow<kLanes>(i0, i0 + whole, tb, rb, row.t, row.r, flow, WithDiagonal ? conductance : nullptr);
        row_flow<1>(i0 + whole, i0 + n, tb, rb, row.t, row.r, flow, WithDiagonal ? conductance : nullptr);
      };
      if (starts)  // the face below the slab, as the thread below works it out too
        below(k > 0 ? t_below + in_plane : v.ghost_rows + 2 * stride_y,
              k > 0 ? r_below + in_plane : v.ghost_rows + 6 * stride_y, row.fz, row.gz);
      if (j == v.low[1])
        below(j > 0 ? row.t - stride_y : v.ghost_rows, j > 0 ? row.r - stride_y : v.ghost_rows + 4 * stride_y,
              row.fy, row.gy);

      const std::uint8_t* hole = v.hole != nullptr ? v.hole + c0 : nullptr;
      const auto add_outer = [&](double sign, const Real* flow) {
        for (int i = i0; i < i0 + n; ++i)
          if (hole == nullptr || hole[i] == 0) flows.boundary_out += sign * double(flow[i]);
      };
      // What goes to cells at rest beside the stepped ones, which do not take it up, leaves as well.
      const auto add_edge = [&](double sign, const Real* flow, Span beside) {
        const bool none = beside.end <= beside.begin;
        const int low = none || beside.begin > own.end ? own.end : beside.begin;
        const int high = none ? own.end : beside.end < own.begin ? own.begin : beside.end;
        const auto add = [&](int i) {
          if (hole == nullptr || hole[i] == 0) flows.rest_out += sign * double(flow[i]);
        };
        for (int i = own.begin; i < low; ++i) add(i);
        for (int i = high; i < own.end; ++i) add(i);
      };
      const bool books = WithDiagonal && v.rest_takes_heat && own.end > own.begin;
      const auto is_apart = [&](Span beside) {
        return books && (beside.end <= beside.begin || beside.begin > own.begin || beside.end < own.end);
      };
      if (j == 0) add_outer(double(cy), row.fy);
      if (k == 0) add_outer(double(cz), row.fz);
      if (j > 0 && is_apart(row_of(v, j - 1, k))) add_edge(double(cy), row.fy, row_of(v, j - 1, k));
      if (k > 0 && is_apart(row_of(v, j, k - 1))) add_edge(double(cz), row.fz, row_of(v, j, k - 1));
      if (books && own.begin > 0 && (hole == nullptr || hole[own.begin] == 0))
        flows.rest_out += double(cx) * double((row.t[own.begin] - row.t[own.begin - 1]) /
                                              (row.r[own.begin - 1] + row.r[own.begin]));
      if (books && own.end < nx && (hole == nullptr || hole[own.end - 1] == 0))
        flows.rest_out -= double(cx) * double((row.t[own.end] - row.t[own.end - 1]) /
                                              (row.r[own.end - 1] + row.r[own.end]));
      if (own.begin == 0 && own.end > 0 && (hole == nullptr || hole[0] == 0))
        flows.boundary_out += double(cx) * double((row.t[0] - row.t_left) / (row.r_left + row.r[0]));
      if (own.end == nx && own.end > own.begin && (hole == nullptr || hole[nx - 1] == 0))
        flows.boundary_out -=
            double(cx) * double((row.t_right - row.t[nx - 1]) / (row.r[nx - 1] + row.r_right));
      if constexpr (!kKeepsAll)
        if (!fixed)
          rates_of_row<WithDiagonal>(v, j, k, row, i0, i0 + n, own, !fixed, blood,
                                     IntoStage<Real>{at_once, c0, own});
      if (kKeepsAll || fixed)
        rates_of_row<WithDiagonal>(v, j, k, row, i0, i0 + n, own, !fixed, blood,
                                   IntoRow<WithDiagonal, Real>{row.rate, row.diagonal});
      if (j + 1 == ny) add_outer(-double(cy), row.fy);
      if (k + 1 == nz) add_outer(-double(cz), row.fz);
      if (j + 1 < ny && is_apart(row_of(v, j + 1, k))) add_edge(-double(cy), row.fy, row_of(v, j + 1, k));
      if (k + 1 < nz && is_apart(row_of(v, j, k + 1))) add_edge(-double(cz), row.fz, row_of(v, j, k + 1));
      if (fixed) {
        const std::size_t at = std::size_t(k) * std::size_t(ny) + std::size_t(j);
        for (auto f = v.fix.face_begin[at]; f < v.fix.face_begin[at + 1]; ++f) {
          const FaceFix<Real>& face = v.fix.faces[f];
          const int i = face.i;
          if (i < i0 || i >= i0 + n) continue;
          const Real *tn = row.t + i, *rn = row.r + i;
          if (face.axis == 0) {
            tn += face.side;
            rn += face.side;
          } else if (face.axis == 1) {
            tn += face.side * stride_y;
            rn += face.side * stride_y;
          } else {
            tn = (face.side > 0 ? t_above : t_below) + in_plane + i;
            rn = (face.side > 0 ? r_above : r_below) + in_plane + i;
          }
          const Real g = one / (row.r[i] + *rn);
          row.rate[i] += face.scale * ((*tn - row.t[i]) * g) * row.inverse_capacity(i);
          if (WithDiagonal) row.diagonal[i] += face.scale * g * row.inverse_capacity(i);
        }
        for (auto f = v.fix.wall_begin[at]; f < v.fix.wall_begin[at + 1]; ++f) {
          const WallFix<Real>& wall = v.fix.walls[f];
          const int i = wall.i;
          if (i < i0 || i >= i0 + n) continue;
          const Real k_cell = one / row.r[i];
          const Real k_mean = k_cell + wall.wall_share * (wall.k_wall - k_cell);
          const Real g = wall.conductance * k_mean;
          const Real in = g * (v.fix.wall_theta[wall.wall] - row.t[i]);
          row.rate[i] += in * row.inverse_capacity(i);
          if (i >= own.begin && i < own.end) flows.wall_in += double(in);
          if (WithDiagonal) row.diagonal[i] += g * row.inverse_capacity(i);
        }
        for (auto f = v.fix.hole_begin[at]; f < v.fix.hole_begin[at + 1]; ++f) {
          const int i = v.fix.holes[f];
          if (i < i0 || i >= i0 + n) continue;
          row.rate[i] = 0;
          if (WithDiagonal) row.diagonal[i] = 0;
          if (row.perfused && i >= own.begin && i < own.end)
            flows.blood -= double(row.perfusion(i) * (v.theta_blood - row.t[i]));
        }
      }
      if ((kKeepsAll || fixed) && own.end > own.begin)
        finish(c0 + own.begin, k, own.end - own.begin, row.rate + own.begin, row.diagonal + own.begin);
    }
    flows.blood += blood.total();
    v.plane_flows[k] = flows;
  }
};

/// Planes [begin, end) of one of the threads: as many cells for each.
struct Slab {
  int begin, end;
};
template <class Real>
inline Slab slab_of(const HeatView<Real>& v, int thread, int team) {
  const auto bound = [&](int part) {  // the sum runs up to the plane
    const double total = double(v.cells_below[v.high[2]] - v.cells_below[v.low[2]]);
    int k = v.low[2];
    while (k < v.high[2] && double(v.cells_below[k] - v.cells_below[v.low[2]]) < total * part / team) ++k;
    return k;
  };
  return {bound(thread), thread + 1 == team ? v.high[2] : bound(thread + 1)};
}

template <bool WithDiagonal, class Real, class Finish, class AtOnce>
inline void sweep(const HeatView<Real>& v, bool fused, Real* scratch, int threads, const Finish& finish,
                  const AtOnce& at_once) {
  const auto scratch_size = std::ptrdiff_t(kernel_scratch(v.size));
#pragma omp parallel num_threads(threads)
  {
    const int me = omp_get_thread_num();
    const Slab slab = slab_of(v, me, omp_get_num_threads());
    PlaneSweep<WithDiagonal, Real, Finish, AtOnce> plane(v, fused, scratch + me * scratch_size, finish,
                                                         at_once);
    for (int k = slab.begin; k < slab.end; ++k) plane(k, k == slab.begin);
  }
}

template <class Real>
void run_stage(const HeatView<Real>& view, const StageView<Real>& stage, Real* scratch, int threads) {
  const bool fused = view.has_phases || view.varies_with_T;
  const NextStage<Real> next{stage};
  sweep<false>(
      view, fused, scratch, threads,
      [&](std::ptrdiff_t c0, int, int n, const Real* rate, Real*) {
        for (int i = 0; i < n; ++i) stage.out[c0 + i] = next.template at<1>(c0 + i, load<1>(rate + i))[0];
      },
      next);
}

template <class Real>
void run_two_stages(const HeatView<Real>& view, const StageView<Real>& stage, const StageView<Real>& next,
                    PlaneFlows* next_flows, Real* scratch, int threads) {
  HeatView<Real> then = view;
  then.u = then.theta = next.y1;
  then.plane_flows = next_flows;
  const auto nothing = [](std::ptrdiff_t, int, int, const Real*, Real*) {};
  const NextStage<Real> first{stage}, second{next};
  using Plane = PlaneSweep<false, Real, decltype(nothing), NextStage<Real>>;
  const auto scratch_size = std::ptrdiff_t(kernel_scratch(view.size));
#pragma omp parallel num_threads(threads)
  {
    const int team = omp_get_num_threads(), me = omp_get_thread_num();
    const Slab slab = slab_of(view, me, team);
    Plane plane(view, false, scratch + 2 * me * scratch_size, nothing, first);
    Plane plane_then(then, false, scratch + (2 * me + 1) * scratch_size, nothing, second);
    // Planes whose neighbours are another thread's come last.
    const int begin = slab.begin + (me > 0 ? 1 : 0), end = slab.end - (me + 1 < team ? 1 : 0);
    for (int k = slab.begin; k < slab.end; ++k) {
      plane(k, k == slab.begin);
      if (k > begin && k <= end) plane_then(k - 1, k - 1 == begin);
    }
    if (slab.end > slab.begin && end == slab.end && end > begin) plane_then(end - 1, end - 1 == begin);
#pragma omp barrier
    for (int k = slab.begin; k < slab.end; ++k)
      if (k < begin || k >= end) plane_then(k, true);
  }
}

/// Largest values of a row. `bad` is 0 or NaN.
template <class Real>
struct Largest {
  Real change = 0, error = 0, stiffness = 0, bad = 0;
};

/// How much the error of a cell counts, see StepView.
template <class Real>
[[gnu::always_inline]] inline Real error_weight(const StepView<Real>& step, Real y) {
  const Real size = y < 0 ? -y : y, one = 1;
  return (y < step.cool  ? step.cool_weight
          : y > step.hot ? step.hot_weight
                         : one) /
         (one + step.relative * size);
}

/// `weight` of change and error by cell; null: 1.
template <class Real>
inline Largest<Real> look_at(int n, const Real* y0, const Real* y1, const Real* rate0, const Real* rate,
                             const Real* diagonal, Real half_dt, const StepView<Real>& step,
                             const Real* weight) {
  using V = VectorOf<Real, kLanes>;
  const V zero = {}, one = zero + Real(1), part = zero + Real(0.8), half = zero + half_dt;
  const V relative = zero + step.relative, cool = zero + step.cool, cool_weight = zero + step.cool_weight;
  const V hot = zero + step.hot, hot_weight = zero + step.hot_weight;
  const V hot_relative = zero + step.hot_relative;
  V change = zero, error = zero, stiffness = zero, bad = zero;
  const auto look = [&](const Real* a, const Real* b, const Real* r0, const Real* r1, const Real* d,
                        const Real* w) __attribute__((always_inline)) {
    const V y_after = load<kLanes>(b), rate_after = load<kLanes>(r1), diag = load<kLanes>(d);
    V c = y_after - load<kLanes>(a);
    V e = half * (load<kLanes>(r0) + rate_after) - part * c;
    if (w != nullptr) {
      const V weights = load<kLanes>(w);
      c *= weights;
      e *= weights;
    }
    c = c < zero ? -c : c;
    e = e < zero ? -e : e;
    const V size = y_after < zero ? -y_after : y_after;
    const V above = y_after > zero ? y_after * hot_relative : zero;
    e *= (y_after < cool  ? cool_weight
          : y_after > hot ? hot_weight
                          : one) /
         (one + relative * size + above * above);
    change = c > change ? c : change;
    error = e > error ? e : error;
    stiffness = diag > stiffness ? diag : stiffness;
    bad += zero * rate_after + zero * y_after;
  };
  int i = 0;
  for (; i + kLanes <= n; i += kLanes)
    look(y0 + i, y1 + i, rate0 + i, rate + i, diagonal + i, weight != nullptr ? weight + i : nullptr);
  if (i < n) {  // the rest with zeros, which change nothing
    Real rest[6][kLanes] = {};
    const std::size_t bytes = std::size_t(n - i) * sizeof(Real);
    __builtin_memcpy(rest[0], y0 + i, bytes);
    __builtin_memcpy(rest[1], y1 + i, bytes);
    __builtin_memcpy(rest[2], rate0 + i, bytes);
    __builtin_memcpy(rest[3], rate + i, bytes);
    __builtin_memcpy(rest[4], diagonal + i, bytes);
    if (weight != nullptr) __builtin_memcpy(rest[5], weight + i, bytes);
    look(rest[0], rest[1], rest[2], rest[3], rest[4], weight != nullptr ? rest[5] : nullptr);
  }
  Largest<Real> row;
  for (int l = 0; l < kLanes; ++l) {
    row.change = change[l] > row.change ? change[l] : row.change;
    row.error = error[l] > row.error ? error[l] : row.error;
    row.stiffness = stiffness[l] > row.stiffness ? stiffness[l] : row.stiffness;
    row.bad += bad[l];
  }
  return row;
}

/// d theta/du, by which errors of u count; where water boils not less than a tenth, so that steam is
/// followed.
template <class Real>
[[gnu::always_inline]] inline Real temperature_per_u(const TissueTable<Real>& t, int l, Real u) {
  const Real tenth = Real(0.1), one = 1;
  if (u > t.u_boil[l]) return u < t.u_boil[l] + t.boil_width[l] ? tenth : one;
  if (u < t.u_liquid[l]) {
    const Real mushy = t.mushy_slope[l] > tenth ? t.mushy_slope[l] : tenth;
    return u < t.u_liquid[l] - t.mushy_width[l] ? t.frozen_slope[l] : mushy;
  }
  return one;
}

template <class Real>
StepFindings run_rates(const HeatView<Real>& view, const StepView<Real>& step, Real* scratch,
                       StepFindings* plane_findings, int threads) {
  for (int k = view.low[2]; k < view.high[2]; ++k) plane_findings[k] = StepFindings{};
  sweep<true>(
      view, false, scratch, threads,
      [&](std::ptrdiff_t c0, int k, int n, const Real* __restrict rate, Real* __restrict diagonal) {
        StepFindings& f = plane_findings[k];
        Real* __restrict rate1 = step.rate1 + c0;
        const Real* __restrict rate0 = step.rate0 + c0;
        const Real* __restrict y0 = (step.y0 != nullptr ? step.y0 : step.y1) + c0;
        const Real* __restrict y1 = step.y1 + c0;
        const bool judge = step.y0 != nullptr;
        const Real half_dt = judge ? Real(0.4) * step.dt : Real(0);
        const bool weighted =
            step.label != nullptr && !(is_calm(n, y1, view.table->calm_from, view.table->calm_to) &&
                                       is_calm(n, y0, view.table->calm_from, view.table->calm_to));
        if (weighted) {
          const std::uint8_t* label = step.label + c0;
          for (int i = 0; i < n; ++i)
            diagonal[i] *= y1[i] < step.threshold[label[i]] ? step.steepest[label[i]] : Real(1);
          for (int m = 0; m < n; ++m) {  // the weights wait in rate1, until the rate takes their place
            const Real w0 = temperature_per_u(*view.table, label[m], y0[m]);
            const Real w1 = temperature_per_u(*view.table, label[m], y1[m]);
            rate1[m] = w0 < w1 ? w0 : w1;
          }
        }
        const Largest<Real> row = look_at(n, y0, y1, judge ? rate0 : rate, rate, diagonal, half_dt, step,
                                          weighted ? rate1 : nullptr);
        for (int m = 0; m < n; ++m) rate1[m] = rate[m];
        if (step.warm_begin != nullptr) {
          const std::ptrdiff_t in_grid = c0 / view.size[0];
          const auto first = std::int32_t(c0 - in_grid * view.size[0]);
          const Span warm = unlike_rest(n, y1, step.rest, step.rest_change);
          step.warm_begin[in_grid] = first + warm.begin;
          step.warm_end[in_grid] = first + warm.end;
        }
        const double change = double(row.change), error = double(row.error);
        const bool bad = !(row.bad == Real(0));
        f.stiffness_per_s =
            double(row.stiffness) > f.stiffness_per_s ? double(row.stiffness) : f.stiffness_per_s;
        f.largest_change_K = change > f.largest_change_K ? change : f.largest_change_K;
        if ((bad && f.finite) || (f.finite && error > f.error_K)) {
          f.error_K = error;
          for (int m = 0; m < n; ++m) {  // rarely: only when a row sets a new record
            const double e = double(half_dt) * (double(judge ? rate0[m] : Real(0)) + double(rate[m])) -
                             0.8 * double(y1[m] - y0[m]);
            const double counted = (e < 0 ? -e : e) * double(error_weight(step, y1[m]));
            if (bad ? !(e > -1e30 && e < 1e30) : counted >= 0.999 * error) {
              f.worst_cell = std::size_t(c0 + m);
              break;
            }
          }
        }
        f.finite = f.finite && !bad;
      },
      WholeRows{});
  StepFindings all;
  for (int k = view.low[2]; k < view.high[2]; ++k) {
    const StepFindings& f = plane_findings[k];
    if ((!f.finite && all.finite) || (f.finite == all.finite && f.error_K > all.error_K)) {
      all.worst_cell = f.worst_cell;
      all.error_K = f.error_K;
    }
    all.finite = all.finite && f.finite;
    all.largest_change_K =
        f.largest_change_K > all.largest_change_K ? f.largest_change_K : all.largest_change_K;
    all.stiffness_per_s = f.stiffness_per_s > all.stiffness_per_s ? f.stiffness_per_s : all.stiffness_per_s;
  }
  return all;
}

/// Corrections of the flows between rows b and c of four in line, over `scale`; 0 where `bit` is not set.
template <class Real>
[[gnu::always_inline]] inline Real correction_flow(Real ta, Real tb, Real tc, Real td, Real rb, Real rc,
                                                   bool valid) {
  const Real before = tb - ta, at = tc - tb, after = td - tc;
  const Real third = (after - at) - (at - before);
  const Real size_before = before < 0 ? -before : before, size_at = at < 0 ? -at : at;
  const Real size_after = after < 0 ? -after : after, size_third = third < 0 ? -third : third;
  const Real sum = (size_before + size_after) + Real(2) * size_at;
  const Real tiny = Real(1e-30);
  const Real s = Real(2) * size_third / (sum + tiny);
  const Real fade = Real(1) - (s * s) * (s * s);
  const Real flow = (fade > 0 ? fade : Real(0)) * third / (Real(-12) * (rb + rc));
  return valid ? flow : Real(0);
}

template <class Real>
void run_correction(const HeatView<Real>& v, const CorrectionView<Real>& x, Real* scratch, int threads) {
  const int nx = v.size[0], ny = v.size[1], nz = v.size[2];
  const auto stride_y = std::ptrdiff_t(nx), stride_z = std::ptrdiff_t(nx) * ny;
  const auto scratch_size = std::ptrdiff_t(kernel_scratch(v.size));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int k = v.low[2]; k < v.high[2]; ++k) {
    Real* __restrict fx = scratch + omp_get_thread_num() * scratch_size;
    Real* __restrict sum = fx + nx + 1;
    Real* __restrict below = sum + nx;
    Real* __restrict above = below + nx;
    for (int j = v.low[1]; j < v.high[1]; ++j) {
      const Span own = row_of(v, j, k);
      const int i0 = own.begin, n = own.end - own.begin;
      if (n <= 0) continue;
      const std::ptrdiff_t c0 = i0 + stride_y * j + stride_z * k;
      const Real* t = v.theta + c0;
      const Real* r = v.resistivity + c0;
      const std::uint8_t* faces = x.faces + c0;
      const Real* u = x.u != nullptr ? x.u + c0 : nullptr;
      // A set bit promises that the cells from one before to two after exist; elsewhere an offset of 0 keeps
      // the reads inside.
      const auto add_axis = [&](int axis, std::ptrdiff_t stride, int at, int size, Real scale) {
        const std::uint8_t bit = std::uint8_t(1 << axis);
        const auto flows = [&](std::ptrdiff_t b,
                               Real* __restrict flow) {  // through the face from b to b + stride
          if (u == nullptr) {
            for (int i = 0; i < n; ++i)
              flow[i] = correction_flow(t[i + b - stride], t[i + b], t[i + b + stride], t[i + b + 2 * stride],
                                        r[i + b], r[i + b + stride], (faces[i + b] & bit) != 0);
            return;
          }
          for (int i = 0; i < n; ++i) {
            const bool smooth = t[i + b - stride] == u[i + b - stride] && t[i + b] == u[i + b] &&
                                t[i + b + stride] == u[i + b + stride] &&
                                t[i + b + 2 * stride] == u[i + b + 2 * stride];
            flow[i] = correction_flow(t[i + b - stride], t[i + b], t[i + b + stride], t[i + b + 2 * stride],
                                      r[i + b], r[i + b + stride], smooth && (faces[i + b] & bit) != 0);
          }
        };
        const bool lower = at >= 2 && at + 1 < size, upper = at >= 1 && at + 2 < size;
        for (int i = 0; i < n; ++i) below[i] = above[i] = 0;
        if (lower) flows(-stride, below);
        if (upper) flows(0, above);
        // The difference first: a mirrored field has the mirrored sum, to the last bit.
        for (int i = 0; i < n; ++i) sum[i] += scale * (above[i] - below[i]);
      };
      // Along the row: face i lies before cell i of the stretch; two cells on either side must exist.
      for (int i = 0; i <= n; ++i) fx[i] = 0;
      const int i_first = i0 >= 2 ? 0 : 2 - i0, i_last = i0 + n + 1 < nx ? n : nx - 2 - i0;
      if (u == nullptr) {
        for (int i = i_first; i <= i_last; ++i)
          fx[i] =
              correction_flow(t[i - 2], t[i - 1], t[i], t[i + 1], r[i - 1], r[i], (faces[i - 1] & 1) != 0);
      } else {
        for (int i = i_first; i <= i_last; ++i) {
          const bool smooth = (t[i - 2] == u[i - 2]) & (t[i - 1] == u[i - 1]) & (t[i] == u[i]) &
                              (t[i + 1] == u[i + 1]) & ((faces[i - 1] & 1) != 0);
          fx[i] = correction_flow(t[i - 2], t[i - 1], t[i], t[i + 1], r[i - 1], r[i], smooth);
        }
      }
      for (int i = 0; i < n; ++i) sum[i] = v.scale[0] * (fx[i + 1] - fx[i]);
      add_axis(1, stride_y, j, ny, v.scale[1]);
      add_axis(2, stride_z, k, nz, v.scale[2]);
      const Real* __restrict inv_c = v.inverse_capacity + c0;
      const Real* __restrict source = x.source + c0;
      Real* __restrict heating = x.heating + c0;
      Real* __restrict rate = x.rate + c0;
      for (int i = 0; i < n; ++i) {
        const Real next = source[i] + sum[i] * inv_c[i];
        rate[i] += next - heating[i];
        heating[i] = next;
      }
      if (v.fix.hole_begin != nullptr) {
        const auto row = std::size_t(k) * std::size_t(ny) + std::size_t(j);
        for (auto f = v.fix.hole_begin[row]; f < v.fix.hole_begin[row + 1]; ++f) {
          const int i = v.fix.holes[f] - i0;
          if (i < 0 || i >= n) continue;
          rate[i] = 0;
        }
      }
    }
  }
}

template <class Real>
void run_properties(const HeatView<Real>& v, Real* theta, Real* resistivity, int threads) {
  const auto stride_y = std::ptrdiff_t(v.size[0]), stride_z = stride_y * v.size[1];
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int k = v.low[2]; k < v.high[2]; ++k)
    for (int j = v.low[1]; j < v.high[1]; ++j) {
      const Span own = row_of(v, j, k);
      if (own.end <= own.begin) continue;
      const std::ptrdiff_t c = stride_y * j + stride_z * k;
      row_properties(own.begin, own.end, v.size[0], *v.table, v.blocks_of_row(j, k), v.label + c,
                     v.factor != nullptr ? v.factor + c : nullptr, v.u + c,
                     theta != nullptr ? theta + c : nullptr,
                     resistivity != nullptr ? resistivity + c : nullptr);
    }
}

template <class Real>
double run_dose(const HeatView<Real>& v, const DoseView<Real>& d, int k) {
  double sum = 0;
  for (int j = v.low[1]; j < v.high[1]; ++j) {
    const Span own = row_of(v, j, k);
    if (own.end <= own.begin || d.row[j] == 0) continue;
    const std::ptrdiff_t in_plane = own.begin + std::ptrdiff_t(v.size[0]) * j;
    const std::ptrdiff_t c = in_plane + std::ptrdiff_t(v.size[0]) * v.size[1] * k;
    sum += dose_of_row<Real>(own.end - own.begin,
                             {d.u0 + c, d.u1 + c, d.theta1 + c, d.rate0 + c, d.rate1 + c, d.cem43 + c,
                              d.left + in_plane, v.hole != nullptr ? v.hole + c : nullptr},
                             {d.dt, v.table->calm_from, v.table->calm_to, d.below_39, d.cap_min});
  }
  return sum;
}

template <class Real>
inline void range_of(int n, const Real* values, Real& least_of, Real& most_of) {
  using V = VectorOf<Real, kLanes>;
  Real least = values[0], most = values[0];
  int i = 0;
  if (n >= kLanes) {
    V low = load<kLanes>(values), high = low;
    for (i = kLanes; i + kLanes <= n; i += kLanes) {
      const V v = load<kLanes>(values + i);
      low = v < low ? v : low;
      high = v > high ? v : high;
    }
    for (int l = 0; l < kLanes; ++l) {
      least = low[l] < least ? low[l] : least;
      most = high[l] > most ? high[l] : most;
    }
  }
  for (; i < n; ++i) {
    least = values[i] < least ? values[i] : least;
    most = values[i] > most ? values[i] : most;
  }
  least_of = least;
  most_of = most;
}

template <class Real>
void run_ranges(const HeatView<Real>& v, const Real* u0, const Real* theta, RowRange<Real>* by_row, int k) {
  for (int j = v.low[1]; j < v.high[1]; ++j) {
    const Span own = row_of(v, j, k);
    if (own.end <= own.begin) continue;
    const std::ptrdiff_t c = own.begin + std::ptrdiff_t(v.size[0]) * (std::ptrdiff_t(v.size[1]) * k + j);
    range_of(own.end - own.begin, u0 + c, by_row[j].least_u0, by_row[j].most_u0);
    range_of(own.end - own.begin, theta + c, by_row[j].least_theta, by_row[j].most_theta);
  }
}

template <bool Up, class Real>
inline void extremes_of_row(int n, const Real* __restrict theta, float now, float* __restrict extreme,
                            float* __restrict time) {
  const Real reference = Real(37);
  if (time == nullptr) {
    for (int i = 0; i < n; ++i) {
      const float T = float(theta[i] + reference);
      extreme[i] = (Up ? T > extreme[i] : T < extreme[i]) ? T : extreme[i];
    }
    return;
  }
  for (int i = 0; i < n; ++i) {
    const float T = float(theta[i] + reference);
    const bool passed = Up ? T > extreme[i] : T < extreme[i];
    time[i] = passed ? now : time[i];
    extreme[i] = passed ? T : extreme[i];
  }
}

template <class Real>
void run_extremes(const HeatView<Real>& v, const ExtremesView<Real>& x, int k) {
  for (int j = v.low[1]; j < v.high[1]; ++j) {
    const Span own = row_of(v, j, k);
    if (own.end <= own.begin || x.row[j] == 0) continue;
    const int n = own.end - own.begin;
    const std::ptrdiff_t c = own.begin + std::ptrdiff_t(v.size[0]) * (std::ptrdiff_t(v.size[1]) * k + j);
    if ((x.row[j] & 1) != 0)
      extremes_of_row<true>(n, x.theta + c, x.t_s, x.peak_degC + c,
                            x.peak_time != nullptr ? x.peak_time + c : nullptr);
    if ((x.row[j] & 2) != 0)
      extremes_of_row<false>(n, x.theta + c, x.t_s, x.lowest_degC + c,
                             x.lowest_time != nullptr ? x.lowest_time + c : nullptr);
  }
}

template void run_ranges(const HeatView<float>&, const float*, const float*, RowRange<float>*, int);
template void run_ranges(const HeatView<double>&, const double*, const double*, RowRange<double>*, int);
template void run_extremes(const HeatView<float>&, const ExtremesView<float>&, int);
template void run_extremes(const HeatView<double>&, const ExtremesView<double>&, int);
template void run_stage(const HeatView<float>&, const StageView<float>&, float*, int);
template void run_two_stages(const HeatView<float>&, const StageView<float>&, const StageView<float>&,
                             PlaneFlows*, float*, int);
template void run_two_stages(const HeatView<double>&, const StageView<double>&, const StageView<double>&,
                             PlaneFlows*, double*, int);
template void run_stage(const HeatView<double>&, const StageView<double>&, double*, int);
template StepFindings run_rates(const HeatView<float>&, const StepView<float>&, float*, StepFindings*, int);
template StepFindings run_rates(const HeatView<double>&, const StepView<double>&, double*, StepFindings*,
                                int);
template void run_correction(const HeatView<float>&, const CorrectionView<float>&, float*, int);
template void run_correction(const HeatView<double>&, const CorrectionView<double>&, double*, int);
template double run_dose(const HeatView<float>&, const DoseView<float>&, int);
template double run_dose(const HeatView<double>&, const DoseView<double>&, int);
template void run_properties(const HeatView<float>&, float*, float*, int);
template void run_properties(const HeatView<double>&, double*, double*, int);

}  // namespace spinetherm::SPINETHERM_KERNELS
