// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set, with SPINETHERM_KERNELS the name of a namespace of its own: plain loops
// over plain arrays, no library templates, so that nothing compiled for a newer processor can be picked by
// the linker for an older one. All builds give the same bits: no contraction, no reassociation.
#include <omp.h>

#include <cmath>

#include "thermal/heat_kernel.h"

namespace spinetherm::SPINETHERM_KERNELS {

template <class Real>
struct Rows {
  Real *flow_z, *flow_y, *flow_x, *conductance_z, *conductance_y, *conductance_x, *rate, *diagonal;
};
template <class Real>
inline Rows<Real> rows_of(Real* scratch, const int* size) {
  const auto plane = std::size_t(size[0]) * std::size_t(size[1]);
  const auto row = std::size_t(size[0]) + 1;
  Real* tail = scratch + 2 * plane;
  return {scratch,        tail,           tail + row,     scratch + plane,
          tail + 2 * row, tail + 3 * row, tail + 4 * row, tail + 5 * row};
}

/// Flow per unit of `scale` from one row of cells to the next: (theta_b - theta_a) / (r_a + r_b).
template <class Real>
[[gnu::always_inline]] inline void row_flow(int n, const Real* __restrict ta, const Real* __restrict ra,
                                            const Real* __restrict tb, const Real* __restrict rb,
                                            Real* __restrict flow) {
  for (int i = 0; i < n; ++i) flow[i] = (tb[i] - ta[i]) / (ra[i] + rb[i]);
}
template <class Real>
[[gnu::always_inline]] inline void row_conductance(int n, const Real* __restrict ra,
                                                   const Real* __restrict rb, Real* __restrict g) {
  for (int i = 0; i < n; ++i) g[i] = Real(1) / (ra[i] + rb[i]);
}

/// rate = (rate + w (theta_b - theta)) / (rho c) + heating; returns the sum of w (theta_b - theta), in 16
/// lanes so that the compiler may use its vectors without changing a bit.
template <class Real>
[[gnu::always_inline]] inline double add_blood(int n, const Real* __restrict w, Real theta_blood,
                                               const Real* __restrict t, const Real* __restrict inv_c,
                                               const Real* __restrict heat, Real* __restrict rate) {
  constexpr int kLanes = 16;
  Real lanes[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) {
      const Real blood = w[i + l] * (theta_blood - t[i + l]);
      lanes[l] += blood;
      rate[i + l] = (rate[i + l] + blood) * inv_c[i + l] + heat[i + l];
    }
  double sum = 0;
  for (; i < n; ++i) {
    const Real blood = w[i] * (theta_blood - t[i]);
    sum += double(blood);
    rate[i] = (rate[i] + blood) * inv_c[i] + heat[i];
  }
  for (int l = 0; l < kLanes; ++l) sum += double(lanes[l]);
  return sum;
}

/// Calls finish(first cell's index, plane, n, rate, diagonal) for every row of the window; `WithDiagonal`:
/// also the diagonal of -dL/dtheta.
template <bool WithDiagonal, class Real, class Finish>
inline void sweep(const HeatView<Real>& v, Real* scratch, int threads, const Finish& finish) {
  const int nx = v.size[0], ny = v.size[1], nz = v.size[2];
  const int i0 = v.low[0], n = v.high[0] - v.low[0];
  const auto stride_y = std::ptrdiff_t(nx), stride_z = std::ptrdiff_t(nx) * ny;
  const auto scratch_size = std::ptrdiff_t(kernel_scratch(v.size));
  const Real cx = v.scale[0], cy = v.scale[1], cz = v.scale[2];
#pragma omp parallel num_threads(threads)
  {
    const int team = omp_get_num_threads(), me = omp_get_thread_num();
    const int planes = v.high[2] - v.low[2];
    const int k_begin = v.low[2] + planes * me / team, k_end = v.low[2] + planes * (me + 1) / team;
    const Rows<Real> s = rows_of(scratch + me * scratch_size, v.size);
    for (int k = k_begin; k < k_end; ++k) {
      double blood = 0;
      for (int j = v.low[1]; j < v.high[1]; ++j) {
        const std::ptrdiff_t c0 = i0 + stride_y * j + stride_z * k;
        const Real* __restrict t = v.theta + c0;
        const Real* __restrict r = v.resistivity + c0;
        Real* __restrict fz = s.flow_z + stride_y * j;
        Real* __restrict gz = s.conductance_z + stride_y * j;
        Real* __restrict fy = s.flow_y;
        Real* __restrict gy = s.conductance_y;
        Real* __restrict fx = s.flow_x;
        Real* __restrict gx = s.conductance_x;
        Real* __restrict rate = s.rate;
        Real* __restrict diagonal = s.diagonal;
        const Real* ghost = v.ghost_rows + i0;

        if (k == k_begin) {  // the face below the slab, as the thread below works it out too
          const Real* tb = k > 0 ? t - stride_z : ghost + 2 * stride_y;
          const Real* rb = k > 0 ? r - stride_z : ghost + 6 * stride_y;
          row_flow(n, tb, rb, t, r, fz);
          if (WithDiagonal) row_conductance(n, rb, r, gz);
        }
        if (j == v.low[1]) {
          const Real* tb = j > 0 ? t - stride_y : ghost;
          const Real* rb = j > 0 ? r - stride_y : ghost + 4 * stride_y;
          row_flow(n, tb, rb, t, r, fy);
          if (WithDiagonal) row_conductance(n, rb, r, gy);
        }
        const Real* ty = j + 1 < ny ? t + stride_y : ghost + stride_y;
        const Real* ry = j + 1 < ny ? r + stride_y : ghost + 5 * stride_y;
        const Real* tz = k + 1 < nz ? t + stride_z : ghost + 3 * stride_y;
        const Real* rz = k + 1 < nz ? r + stride_z : ghost + 7 * stride_y;

        for (int i = 1; i < n; ++i) fx[i] = (t[i] - t[i - 1]) / (r[i - 1] + r[i]);
        const bool first = i0 == 0, last = i0 + n == nx;
        const Real t_left = first ? v.ghost_theta[0] : t[-1], r_left = first ? v.ghost_resistivity[0] : r[-1];
        const Real t_right = last ? v.ghost_theta[1] : t[n], r_right = last ? v.ghost_resistivity[1] : r[n];
        fx[0] = (t[0] - t_left) / (r_left + r[0]);
        fx[n] = (t_right - t[n - 1]) / (r[n - 1] + r_right);

        const Real* __restrict inv_c = v.inverse_capacity + c0;
        const Real* __restrict heat = v.heating + c0;
        if (WithDiagonal) {
          for (int i = 1; i < n; ++i) gx[i] = Real(1) / (r[i - 1] + r[i]);
          gx[0] = Real(1) / (r_left + r[0]);
          gx[n] = Real(1) / (r[n - 1] + r_right);
          for (int i = 0; i < n; ++i) {
            const Real up_y = Real(1) / (r[i] + ry[i]), up_z = Real(1) / (r[i] + rz[i]);
            diagonal[i] = (cx * (gx[i + 1] + gx[i]) + cy * (up_y + gy[i]) + cz * (up_z + gz[i])) * inv_c[i];
            gy[i] = up_y;
            gz[i] = up_z;
          }
        }
        for (int i = 0; i < n; ++i) {
          const Real up_y = (ty[i] - t[i]) / (r[i] + ry[i]), up_z = (tz[i] - t[i]) / (r[i] + rz[i]);
          rate[i] = cx * (fx[i + 1] - fx[i]) + cy * (up_y - fy[i]) + cz * (up_z - fz[i]);
          fy[i] = up_y;
          fz[i] = up_z;
        }
        if (v.perfusion != nullptr) {
          const Real* __restrict w = v.perfusion + c0;
          blood += add_blood(n, w, v.theta_blood, t, inv_c, heat, rate);
          if (WithDiagonal)
            for (int i = 0; i < n; ++i) diagonal[i] += w[i] * inv_c[i];
        } else {
          for (int i = 0; i < n; ++i) rate[i] = rate[i] * inv_c[i] + heat[i];
        }
        if (v.fix.face_begin != nullptr) {
          const auto row = std::size_t(k) * std::size_t(ny) + std::size_t(j);
          for (auto f = v.fix.face_begin[row]; f < v.fix.face_begin[row + 1]; ++f) {
            const FaceFix<Real>& face = v.fix.faces[f];
            const int i = face.i - i0;
            if (i < 0 || i >= n) continue;
            const Real sum = r[i] + r[i + face.offset];
            rate[i] += face.scale * ((t[i + face.offset] - t[i]) / sum) * inv_c[i];
            if (WithDiagonal) diagonal[i] += face.scale / sum * inv_c[i];
          }
          for (auto f = v.fix.wall_begin[row]; f < v.fix.wall_begin[row + 1]; ++f) {
            const WallFix<Real>& wall = v.fix.walls[f];
            const int i = wall.i - i0;
            if (i < 0 || i >= n) continue;
            const Real k_cell = Real(1) / r[i];
            const Real k_mean = k_cell + wall.wall_share * (wall.k_wall - k_cell);
            const Real g = wall.conductance * k_mean * inv_c[i];
            rate[i] += g * (v.fix.wall_theta[wall.wall] - t[i]);
            if (WithDiagonal) diagonal[i] += g;
          }
          for (auto f = v.fix.hole_begin[row]; f < v.fix.hole_begin[row + 1]; ++f) {
            const int i = v.fix.holes[f] - i0;
            if (i < 0 || i >= n) continue;
            rate[i] = 0;
            if (WithDiagonal) diagonal[i] = 0;
            if (v.perfusion != nullptr) blood -= double(v.perfusion[c0 + i] * (v.theta_blood - t[i]));
          }
        }
        finish(c0, k, n, rate, diagonal);
      }
      if (v.perfusion != nullptr) v.plane_blood_W_per_m3[k] = blood;
    }
  }
}

template <class Real>
void run_stage(const HeatView<Real>& view, const StageView<Real>& stage, Real* scratch, int threads) {
  sweep<false>(
      view, scratch, threads, [&](std::ptrdiff_t c0, int, int n, const Real* __restrict rate, Real*) {
        const Real* y0 = stage.y0 + c0;
        const Real* y1 = stage.y1 + c0;
        const Real* y2 = stage.y2 + c0;
        const Real* rate0 = stage.rate0 + c0;
        Real* out = stage.out + c0;
        const Real mu = stage.mu, nu = stage.nu, a = stage.mu_t_dt, b = stage.gamma_t_dt;
#pragma GCC ivdep
        for (int i = 0; i < n; ++i)
          out[i] = y0[i] + ((mu * (y1[i] - y0[i]) + nu * (y2[i] - y0[i])) + (a * rate[i] + b * rate0[i]));
      });
}

/// Largest values in 16 lanes, so that the compiler may use its vectors without changing a bit. `bad` is 0 or
/// NaN.
template <class Real>
struct Lanes {
  static constexpr int kCount = 16;
  Real change[kCount], error[kCount], stiffness[kCount], bad[kCount];
};

/// `weight` of change and error by cell; null: 1.
template <class Real>
[[gnu::always_inline]] inline Lanes<Real> look_at(int n, const Real* __restrict y0, const Real* __restrict y1,
                                                  const Real* rate0, const Real* rate,
                                                  const Real* __restrict diagonal, Real half_dt,
                                                  const Real* __restrict weight) {
  constexpr int kLanes = Lanes<Real>::kCount;
  Real change[kLanes] = {}, error[kLanes] = {}, stiffness[kLanes] = {}, bad[kLanes] = {};
  const Real zero = 0;
  const auto look = [&](int i, int l, Real w) __attribute__((always_inline)) {
    const Real c = w * (y1[i] - y0[i]);
    const Real e = w * half_dt * (rate0[i] + rate[i]) - Real(0.8) * c;
    const Real size_c = c < zero ? -c : c, size_e = e < zero ? -e : e;
    change[l] = size_c > change[l] ? size_c : change[l];
    error[l] = size_e > error[l] ? size_e : error[l];
    stiffness[l] = diagonal[i] > stiffness[l] ? diagonal[i] : stiffness[l];
    bad[l] += zero * rate[i] + zero * y1[i];
  };
  int i = 0;
  if (weight != nullptr) {
    for (; i + kLanes <= n; i += kLanes)
      for (int l = 0; l < kLanes; ++l) look(i + l, l, weight[i + l]);
    for (; i < n; ++i) look(i, 0, weight[i]);
  }
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) look(i + l, l, Real(1));
  for (; i < n; ++i) look(i, 0, Real(1));
  Lanes<Real> lanes;
  for (int l = 0; l < kLanes; ++l) {
    lanes.change[l] = change[l];
    lanes.error[l] = error[l];
    lanes.stiffness[l] = stiffness[l];
    lanes.bad[l] = bad[l];
  }
  return lanes;
}

template <class Real>
StepFindings run_rates(const HeatView<Real>& view, const StepView<Real>& step, Real* scratch,
                       StepFindings* plane_findings, int threads) {
  for (int k = view.low[2]; k < view.high[2]; ++k) plane_findings[k] = StepFindings{};
  sweep<true>(
      view, scratch, threads,
      [&](std::ptrdiff_t c0, int k, int n, const Real* __restrict rate, Real* __restrict diagonal) {
        StepFindings& f = plane_findings[k];
        Real* __restrict rate1 = step.rate1 + c0;
        const Real* __restrict rate0 = step.rate0 + c0;
        if (step.label != nullptr) {
          const std::uint8_t* label = step.label + c0;
          const Real* u = step.y1 + c0;
          for (int i = 0; i < n; ++i)
            diagonal[i] *= u[i] < step.threshold[label[i]] ? step.steepest[label[i]] : Real(1);
        }
        const Real* __restrict y0 = (step.y0 != nullptr ? step.y0 : step.y1) + c0;
        const Real* __restrict y1 = step.y1 + c0;
        const bool judge = step.y0 != nullptr;
        const Real half_dt = judge ? Real(0.4) * step.dt : Real(0);
        if (step.label != nullptr) {
          const std::uint8_t* label = step.label + c0;
          for (int m = 0; m < n; ++m) {  // the weights wait in rate1, until the rate takes their place
            const Real high = y1[m] > y0[m] ? y1[m] : y0[m], low = y1[m] > y0[m] ? y0[m] : y1[m];
            const bool boils = (high > step.boils_from[label[m]]) & (low < step.boils_to[label[m]]);
            rate1[m] = boils ? Real(0.1) : Real(1);
          }
        }
        Lanes<Real> lanes = look_at(n, y0, y1, judge ? rate0 : rate, rate, diagonal, half_dt,
                                    step.label != nullptr ? rate1 : nullptr);
        for (int m = 0; m < n; ++m) rate1[m] = rate[m];
        double change = 0, error = 0;
        bool bad = false;
        for (int l = 0; l < Lanes<Real>::kCount; ++l) {
          change = lanes.change[l] > change ? double(lanes.change[l]) : change;
          error = lanes.error[l] > error ? double(lanes.error[l]) : error;
          f.stiffness_per_s =
              lanes.stiffness[l] > f.stiffness_per_s ? double(lanes.stiffness[l]) : f.stiffness_per_s;
          bad = bad || !(lanes.bad[l] == Real(0));
        }
        f.largest_change_K = change > f.largest_change_K ? change : f.largest_change_K;
        if ((bad && f.finite) || (f.finite && error > f.error_K)) {
          f.error_K = error;
          for (int m = 0; m < n; ++m) {  // rarely: only when a row sets a new record
            const double e = double(half_dt) * (double(judge ? rate0[m] : Real(0)) + double(rate[m])) -
                             0.8 * double(y1[m] - y0[m]);
            if (bad ? !(e > -1e30 && e < 1e30) : (e < 0 ? -e : e) >= 0.999 * error) {
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
  const int i0 = v.low[0], n = v.high[0] - v.low[0];
  const auto stride_y = std::ptrdiff_t(nx), stride_z = std::ptrdiff_t(nx) * ny;
  const auto scratch_size = std::ptrdiff_t(kernel_scratch(v.size));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int k = v.low[2]; k < v.high[2]; ++k) {
    Real* __restrict fx = scratch + omp_get_thread_num() * scratch_size;
    Real* __restrict sum = fx + nx + 1;
    Real* __restrict below = sum + nx;
    Real* __restrict above = below + nx;
    for (int j = v.low[1]; j < v.high[1]; ++j) {
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
      // Along the row: face i lies before cell i of the window.
      for (int i = 0; i <= n; ++i) {
        const int low = i0 + i - 1;
        fx[i] = 0;
        if (low < 1 || low + 2 >= nx || (faces[i - 1] & 1) == 0) continue;
        if (u != nullptr &&
            !(t[i - 2] == u[i - 2] && t[i - 1] == u[i - 1] && t[i] == u[i] && t[i + 1] == u[i + 1]))
          continue;
        fx[i] = correction_flow(t[i - 2], t[i - 1], t[i], t[i + 1], r[i - 1], r[i], true);
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

/// Whether every value lies strictly between two bounds (not when one is NaN).
template <class Real>
[[gnu::always_inline]] inline bool is_calm(int n, const Real* __restrict u, Real low, Real high) {
  int outside = 0;
  for (int i = 0; i < n; ++i) outside |= !((u[i] > low) & (u[i] < high));
  return outside == 0;
}

/// conductivity() where nothing freezes or boils: the same numbers with fewer look-ups.
template <class Real>
[[gnu::always_inline]] inline void calm_resistivity(int n, const TissueTable<Real>& table,
                                                    const std::uint8_t* __restrict label,
                                                    const Real* __restrict theta, const PropertyView<Real>& v,
                                                    std::ptrdiff_t c0) {
  const Real least = Real(0.1), one = 1;
  Real* __restrict r = v.resistivity + c0;
  const Real* __restrict k37 = table.k37;
  const Real* __restrict growth = table.growth;
  for (int i = 0; i < n; ++i) {
    const Real factor = one + growth[label[i]] * theta[i];
    r[i] = k37[label[i]] * (factor > least ? factor : least);
  }
  if (v.factor != nullptr) {
    const float* __restrict extra = v.factor + c0;
    for (int i = 0; i < n; ++i) r[i] *= Real(extra[i]);
  }
  for (int i = 0; i < n; ++i) r[i] = one / r[i];
}

template <class Real>
void run_properties(const PropertyView<Real>& v, int threads) {
  const int n = v.high[0] - v.low[0];
  const auto stride_y = std::ptrdiff_t(v.size[0]), stride_z = stride_y * v.size[1];
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int k = v.low[2]; k < v.high[2]; ++k)
    for (int j = v.low[1]; j < v.high[1]; ++j) {
      const std::ptrdiff_t c0 = v.low[0] + stride_y * j + stride_z * k;
      const TissueTable<Real>& table = *v.table;
      const std::uint8_t* __restrict label = v.label + c0;
      const Real* __restrict theta = v.u + c0;
      if (is_calm(n, theta, table.calm_from, table.calm_to)) {
        if (v.theta != nullptr) {
          Real* __restrict out = v.theta + c0;
          for (int i = 0; i < n; ++i) out[i] = theta[i];
        }
        if (v.resistivity != nullptr) calm_resistivity(n, table, label, theta, v, c0);
        continue;
      }
      if (v.theta != nullptr) {
        const Real* __restrict u = v.u + c0;
        Real* __restrict out = v.theta + c0;
        for (int i = 0; i < n; ++i) out[i] = theta_of_u(table, label[i], u[i]);
        theta = v.theta + c0;
      }
      if (v.resistivity == nullptr) continue;
      Real* __restrict r = v.resistivity + c0;
      if (v.factor != nullptr) {
        const float* __restrict factor = v.factor + c0;
        for (int i = 0; i < n; ++i)
          r[i] = Real(1) / (conductivity(table, label[i], theta[i]) * Real(factor[i]));
      } else {
        for (int i = 0; i < n; ++i) r[i] = Real(1) / conductivity(table, label[i], theta[i]);
      }
    }
}

template void run_stage(const HeatView<float>&, const StageView<float>&, float*, int);
template void run_stage(const HeatView<double>&, const StageView<double>&, double*, int);
template StepFindings run_rates(const HeatView<float>&, const StepView<float>&, float*, StepFindings*, int);
template StepFindings run_rates(const HeatView<double>&, const StepView<double>&, double*, StepFindings*,
                                int);
template void run_correction(const HeatView<float>&, const CorrectionView<float>&, float*, int);
template void run_correction(const HeatView<double>&, const CorrectionView<double>&, double*, int);
template void run_properties(const PropertyView<float>&, int);
template void run_properties(const PropertyView<double>&, int);

}  // namespace spinetherm::SPINETHERM_KERNELS
