// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set, with SPINETHERM_KERNELS the name of a namespace of its own: plain loops
// over plain arrays, no library templates, so that nothing compiled for a newer processor can be picked by
// the linker for an older one. All builds give the same bits: no contraction, no reassociation.
#include <omp.h>

#include "thermal/heat_kernel.h"
#include "thermal/heat_kernel_rows.h"
#include "thermal/heat_kernel_stage.h"
#include "thermal/heat_kernel_sweep.h"

// After the rows, which it uses.
#include "thermal/heat_kernel_dose.h"

namespace spinetherm::SPINETHERM_KERNELS {

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
