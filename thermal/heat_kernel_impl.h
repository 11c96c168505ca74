// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set, with SPINETHERM_KERNELS the name of a namespace of its own: plain loops
// over plain arrays, no library templates, so that nothing compiled for a newer processor can be picked by
// the linker for an older one. All builds give the same bits: no contraction, no reassociation.
#include <omp.h>

#include <cmath>

#include "thermal/heat_kernel.h"
#include "thermal/heat_kernel_rows.h"

namespace spinetherm::SPINETHERM_KERNELS {

template <class Real>
struct Rows {
  Real *flow_z, *conductance_z;  // a plane each
  Real* planes;                  // three pairs of planes: temperature and resistivity
  Real *flow_y, *flow_x, *conductance_y, *conductance_x, *rate, *diagonal;
};
template <class Real>
inline Rows<Real> rows_of(Real* scratch, const int* size) {
  const auto plane = std::size_t(size[0]) * std::size_t(size[1]);
  const auto row = std::size_t(size[0]) + 1;
  Real* tail = scratch + 8 * plane;
  return {scratch,        scratch + plane, scratch + 2 * plane, tail,          tail + row,
          tail + 2 * row, tail + 3 * row,  tail + 4 * row,      tail + 5 * row};
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

  void load(int k) {
    const int at = (k + 3) % 3;
    if (k < 0 || k >= v.size[2]) return;
    if (!fused) {
      t[at] = v.theta + plane * k;
      r[at] = v.resistivity + plane * k;
      return;
    }
    Real* theta = v.has_phases ? buffer + 2 * at * plane : nullptr;
    Real* resistivity = v.varies_with_T ? buffer + (2 * at + 1) * plane : nullptr;
    t[at] = theta != nullptr ? theta : v.u + plane * k;
    r[at] = resistivity != nullptr ? resistivity : v.resistivity + plane * k;
    const int ny = v.size[1];
    for (int j = v.low[1] > 0 ? v.low[1] - 1 : 0; j < (v.high[1] < ny ? v.high[1] + 1 : ny); ++j) {
      const Span need = hull(hull(hull(row_of(v, j, k), row_of(v, j - 1, k)), row_of(v, j + 1, k)),
                             hull(row_of(v, j, k - 1), row_of(v, j, k + 1)));
      if (need.end <= need.begin) continue;
      const Span all = whole_vectors(need, v.size[0]);
      const int from = all.begin > 0 ? all.begin - 1 : 0;
      const int to = all.end < v.size[0] ? all.end + 1 : all.end;
      const std::ptrdiff_t in_plane = std::ptrdiff_t(v.size[0]) * j + from, c = in_plane + plane * k;
      row_properties(to - from, *v.table, v.label + c, v.factor != nullptr ? v.factor + c : nullptr, v.u + c,
                     theta != nullptr ? theta + in_plane : nullptr,
                     resistivity != nullptr ? resistivity + in_plane : nullptr);
    }
  }
};

/// Calls finish(first cell's index, plane, n, rate, diagonal) for the stepped part of every row;
/// `WithDiagonal`: also the diagonal of -dL/dtheta. `fused`: temperature and resistivity from `u`, not from
/// the arrays.
template <bool WithDiagonal, class Real, class Finish>
inline void sweep(const HeatView<Real>& v, bool fused, Real* scratch, int threads, const Finish& finish) {
  const int nx = v.size[0], ny = v.size[1], nz = v.size[2];
  const auto stride_y = std::ptrdiff_t(nx), stride_z = std::ptrdiff_t(nx) * ny;
  const auto scratch_size = std::ptrdiff_t(kernel_scratch(v.size));
  const Real cx = v.scale[0], cy = v.scale[1], cz = v.scale[2], one = 1;
#pragma omp parallel num_threads(threads)
  {
    const int team = omp_get_num_threads(), me = omp_get_thread_num();
    // Planes with as many cells for each thread; the sum runs up to the plane.
    const auto bound = [&](int part) {
      const double total = double(v.cells_below[v.high[2]] - v.cells_below[v.low[2]]);
      int k = v.low[2];
      while (k < v.high[2] && double(v.cells_below[k] - v.cells_below[v.low[2]]) < total * part / team) ++k;
      return k;
    };
    const int k_begin = bound(me), k_end = me + 1 == team ? v.high[2] : bound(me + 1);
    const Rows<Real> s = rows_of(scratch + me * scratch_size, v.size);
    Planes<Real> planes{v, s.planes, fused, stride_z};
    if (k_begin < k_end) {
      planes.load(k_begin - 1);
      planes.load(k_begin);
    }
    for (int k = k_begin; k < k_end; ++k) {
      planes.load(k + 1);
      const Real *t_below = planes.t[(k + 2) % 3], *r_below = planes.r[(k + 2) % 3];
      const Real *t_here = planes.t[k % 3], *r_here = planes.r[k % 3];
      const Real *t_above = planes.t[(k + 1) % 3], *r_above = planes.r[(k + 1) % 3];
      PlaneFlows flows{0, 0, 0};
      for (int j = v.low[1]; j < v.high[1]; ++j) {
        // Flows to the rows above are worked out here, so the row is as long as the longest of the three.
        const Span own = row_of(v, j, k);
        const Span needed = hull(own, hull(row_of(v, j + 1, k), row_of(v, j, k + 1)));
        if (needed.end <= needed.begin) continue;
        const Span all = whole_vectors(needed, nx);
        const int i0 = all.begin, n = all.end - all.begin;
        const std::ptrdiff_t in_plane = i0 + stride_y * j, c0 = in_plane + stride_z * k;
        const Real* __restrict t = t_here + in_plane;
        const Real* __restrict r = r_here + in_plane;
        Real* __restrict fz = s.flow_z + in_plane;
        Real* __restrict gz = s.conductance_z + in_plane;
        Real* __restrict fy = s.flow_y + i0;
        Real* __restrict gy = s.conductance_y + i0;
        Real* __restrict fx = s.flow_x;
        Real* __restrict gx = s.conductance_x;
        Real* __restrict rate = s.rate;
        Real* __restrict diagonal = s.diagonal;
        const Real* ghost = v.ghost_rows + i0;

        if (k == k_begin) {  // the face below the slab, as the thread below works it out too
          const Real* tb = k > 0 ? t_below + in_plane : ghost + 2 * stride_y;
          const Real* rb = k > 0 ? r_below + in_plane : ghost + 6 * stride_y;
          row_flow(n, tb, rb, t, r, fz, WithDiagonal ? gz : nullptr);
        }
        if (j == v.low[1]) {
          const Real* tb = j > 0 ? t - stride_y : ghost;
          const Real* rb = j > 0 ? r - stride_y : ghost + 4 * stride_y;
          row_flow(n, tb, rb, t, r, fy, WithDiagonal ? gy : nullptr);
        }
        const Real* ty = j + 1 < ny ? t + stride_y : ghost + stride_y;
        const Real* ry = j + 1 < ny ? r + stride_y : ghost + 5 * stride_y;
        const Real* tz = k + 1 < nz ? t_above + in_plane : ghost + 3 * stride_y;
        const Real* rz = k + 1 < nz ? r_above + in_plane : ghost + 7 * stride_y;
        const bool first = i0 == 0, last = i0 + n == nx;
        const Real t_left = first ? v.ghost_theta[0] : t[-1], r_left = first ? v.ghost_resistivity[0] : r[-1];
        const Real t_right = last ? v.ghost_theta[1] : t[n], r_right = last ? v.ghost_resistivity[1] : r[n];
        const Real* __restrict inv_c = v.inverse_capacity + c0;
        const Real* __restrict heat = v.heating + c0;
        const Real* __restrict w = v.perfusion != nullptr ? v.perfusion + c0 : nullptr;

        const std::uint8_t* hole = v.hole != nullptr ? v.hole + c0 : nullptr;
        const auto add_outer = [&](double sign, const Real* flow) {
          for (int i = 0; i < n; ++i)
            if (hole == nullptr || hole[i] == 0) flows.boundary_out += sign * double(flow[i]);
        };
        if (j == 0) add_outer(double(cy), fy);
        if (k == 0) add_outer(double(cz), fz);
        fx[0] = (t[0] - t_left) * (one / (r_left + r[0]));
        if (WithDiagonal) gx[0] = one / (r_left + r[0]);
        Real lanes[kLanes] = {};
        const auto general = [&](int b, int e) {
          const int inner = e < n ? e : n - 1;
          flow_along(b + 1, inner, t, r, fx);
          if (e == n) fx[n] = (t_right - t[n - 1]) * (one / (r[n - 1] + r_right));
          if (WithDiagonal) {
            for (int i = b + 1; i <= inner; ++i) gx[i] = one / (r[i - 1] + r[i]);
            if (e == n) gx[n] = one / (r[n - 1] + r_right);
            rates_and_diagonal(b, e, v.scale, t, r, ty, ry, tz, rz, inv_c, fx, gx, fy, gy, fz, gz, rate,
                               diagonal);
          } else {
            rates_of_row(b, e, v.scale, t, r, ty, ry, tz, rz, fx, fy, fz, rate);
          }
          if (w != nullptr) {
            add_blood(e - b, w + b, v.theta_blood, t + b, inv_c + b, heat + b, rate + b, lanes);
            if (WithDiagonal) add_products(b, e, w, inv_c, diagonal);
          } else {
            add_heating(b, e, inv_c, heat, rate);
          }
        };
        int done = 0;
        if (v.run_begin != nullptr) {
          const std::ptrdiff_t row = std::ptrdiff_t(k) * ny + j;
          for (auto m = v.run_begin[row]; m < v.run_begin[row + 1]; ++m) {
            const UniformRun<Real>& run = v.runs[m];
            const int b = run.begin - i0 > done ? run.begin - i0 : done;
            const int e = run.end - i0 < n - 1 ? run.end - i0 : n - 1;
            if (e - b < kShortestRun) continue;
            if (b > done) general(done, b);
            const Uniform<Real> u{run.conductance, run.inverse_capacity, run.perfusion};
            uniform_rate(b, e, u, v.scale, v.theta_blood, t, ty, tz, heat, fx, fy, fz, rate, lanes);
            if (WithDiagonal)
              for (int i = b; i < e; ++i) {
                gx[i + 1] = gy[i] = gz[i] = u.conductance;
                diagonal[i] = (u.conductance * (2 * (cx + cy + cz)) + u.w) * u.inv_c;
              }
            done = e;
          }
        }
        if (done < n) general(done, n);
        for (const Real lane : lanes) flows.blood += double(lane);

        if (first && (hole == nullptr || hole[0] == 0)) flows.boundary_out += double(cx) * double(fx[0]);
        if (last && (hole == nullptr || hole[n - 1] == 0)) flows.boundary_out -= double(cx) * double(fx[n]);
        if (j + 1 == ny) add_outer(-double(cy), fy);
        if (k + 1 == nz) add_outer(-double(cz), fz);
        if (v.fix.face_begin != nullptr) {
          const auto row = std::size_t(k) * std::size_t(ny) + std::size_t(j);
          for (auto f = v.fix.face_begin[row]; f < v.fix.face_begin[row + 1]; ++f) {
            const FaceFix<Real>& face = v.fix.faces[f];
            const int i = face.i - i0;
            if (i < 0 || i >= n) continue;
            const Real *tn = t + i, *rn = r + i;
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
            const Real g = one / (r[i] + *rn);
            rate[i] += face.scale * ((*tn - t[i]) * g) * inv_c[i];
            if (WithDiagonal) diagonal[i] += face.scale * g * inv_c[i];
          }
          for (auto f = v.fix.wall_begin[row]; f < v.fix.wall_begin[row + 1]; ++f) {
            const WallFix<Real>& wall = v.fix.walls[f];
            const int i = wall.i - i0;
            if (i < 0 || i >= n) continue;
            const Real k_cell = one / r[i];
            const Real k_mean = k_cell + wall.wall_share * (wall.k_wall - k_cell);
            const Real g = wall.conductance * k_mean;
            const Real in = g * (v.fix.wall_theta[wall.wall] - t[i]);
            rate[i] += in * inv_c[i];
            flows.wall_in += double(in);
            if (WithDiagonal) diagonal[i] += g * inv_c[i];
          }
          for (auto f = v.fix.hole_begin[row]; f < v.fix.hole_begin[row + 1]; ++f) {
            const int i = v.fix.holes[f] - i0;
            if (i < 0 || i >= n) continue;
            rate[i] = 0;
            if (WithDiagonal) diagonal[i] = 0;
            if (w != nullptr) flows.blood -= double(w[i] * (v.theta_blood - t[i]));
          }
        }
        if (own.end > own.begin)
          finish(own.begin + stride_y * j + stride_z * k, k, own.end - own.begin, rate + (own.begin - i0),
                 diagonal + (own.begin - i0));
      }
      v.plane_flows[k] = flows;
    }
  }
}

template <class Real>
void run_stage(const HeatView<Real>& view, const StageView<Real>& stage, Real* scratch, int threads) {
  sweep<false>(view, view.has_phases || view.varies_with_T, scratch, threads,
               [&](std::ptrdiff_t c0, int, int n, const Real* __restrict rate, Real*) {
                 const Real* y0 = stage.y0 + c0;
                 const Real* y1 = stage.y1 + c0;
                 const Real* y2 = stage.y2 + c0;
                 const Real* rate0 = stage.rate0 + c0;
                 Real* out = stage.out + c0;
                 const Real mu = stage.mu, nu = stage.nu, a = stage.mu_t_dt, b = stage.gamma_t_dt;
#pragma GCC ivdep
                 for (int i = 0; i < n; ++i)
                   out[i] =
                       y0[i] + ((mu * (y1[i] - y0[i]) + nu * (y2[i] - y0[i])) + (a * rate[i] + b * rate0[i]));
               });
}

/// 16 cells at once, in whatever vectors the processor has; every set gives the same bits.
template <class Real>
struct Sixteen {
  typedef Real V __attribute__((vector_size(kLanes * sizeof(Real))));  // NOLINT: an alias cannot carry this
  V v;
  [[gnu::always_inline]] void load(const Real* p) { __builtin_memcpy(&v, p, sizeof v); }
};
/// Largest values of a row. `bad` is 0 or NaN.
template <class Real>
struct Largest {
  Real change = 0, error = 0, stiffness = 0, bad = 0;
};

/// How much the error of a cell counts, see StepView.
template <class Real>
[[gnu::always_inline]] inline Real error_weight(const StepView<Real>& step, Real y) {
  const Real size = y < 0 ? -y : y, one = 1;
  return (y < step.cool ? step.cool_weight : one) / (one + step.relative * size);
}

/// `weight` of change and error by cell; null: 1.
template <class Real>
inline Largest<Real> look_at(int n, const Real* y0, const Real* y1, const Real* rate0, const Real* rate,
                             const Real* diagonal, Real half_dt, const StepView<Real>& step,
                             const Real* weight) {
  using S = Sixteen<Real>;
  using V = typename S::V;
  const V zero = {}, one = zero + Real(1), part = zero + Real(0.8), half = zero + half_dt;
  const V relative = zero + step.relative, cool = zero + step.cool, cool_weight = zero + step.cool_weight;
  V change = zero, error = zero, stiffness = zero, bad = zero;
  const auto look = [&](const Real* a, const Real* b, const Real* r0, const Real* r1, const Real* d,
                        const Real* w) __attribute__((always_inline)) {
    S before, after, rate_before, rate_after, diag, weights;
    before.load(a);
    after.load(b);
    rate_before.load(r0);
    rate_after.load(r1);
    diag.load(d);
    V c = after.v - before.v;
    V e = half * (rate_before.v + rate_after.v) - part * c;
    if (w != nullptr) {
      weights.load(w);
      c *= weights.v;
      e *= weights.v;
    }
    c = c < zero ? -c : c;
    e = e < zero ? -e : e;
    const V size = after.v < zero ? -after.v : after.v;
    e *= (after.v < cool ? cool_weight : one) / (one + relative * size);
    change = c > change ? c : change;
    error = e > error ? e : error;
    stiffness = diag.v > stiffness ? diag.v : stiffness;
    bad += zero * rate_after.v + zero * after.v;
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
      });
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
      const std::ptrdiff_t c = own.begin + stride_y * j + stride_z * k;
      row_properties(own.end - own.begin, *v.table, v.label + c, v.factor != nullptr ? v.factor + c : nullptr,
                     v.u + c, theta != nullptr ? theta + c : nullptr,
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
    sum += dose_of_row(own.end - own.begin, d.u0 + c, d.u1 + c, d.theta1 + c, d.rate0 + c, d.rate1 + c, d.dt,
                       v.table->calm_from, v.table->calm_to, d.below_39,
                       v.hole != nullptr ? v.hole + c : nullptr, d.cap_min, d.cem43 + c, d.left + in_plane);
  }
  return sum;
}

template void run_stage(const HeatView<float>&, const StageView<float>&, float*, int);
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
