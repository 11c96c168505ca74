// SPDX-License-Identifier: Apache-2.0
// Sweeps over the stepped cells, for heat_kernel_impl.h alone: included once per instruction set, as that is.
#include <omp.h>

#include <type_traits>

#include "thermal/heat_kernel.h"

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

}  // namespace spinetherm::SPINETHERM_KERNELS
