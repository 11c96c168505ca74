// SPDX-License-Identifier: Apache-2.0
// Dose and extremes of a plane, for heat_kernel_impl.h alone: included once per instruction set, as that is.
#include "thermal/heat_kernel.h"

namespace spinetherm::SPINETHERM_KERNELS {

/// 2^x for |x| < 126, to 2e-7 of its value: x = n + r, |r| <= 1/2, and a polynomial for 2^r.
template <int L>
[[gnu::always_inline]] inline VectorOf<float, L> power_of_two(VectorOf<float, L> x) {
  using V = VectorOf<float, L>;
  using I = typename Vector<float, L>::I;
  const V zero = {}, shift = zero + 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const V shifted = x + shift, r = x - (shifted - shift);
  const V p =
      1.0F + r * (0.693147182F +
                  r * (0.240226480F +
                       r * (0.0555041469F + r * (0.00961817801F + r * (0.00133335581F + r * 0.000154697F)))));
  const I n = (I)shifted - (I)shift;
  return p * (V)((n + 127) << 23);
}

/// Mean of 2^e over a course from e0 to e1 that lies `bow` above its chord in the mean, see cem43_min() of
/// damage.h; `r0`, `r1` are its ends.
template <class F>
[[gnu::always_inline]] inline F mean_of_powers(F e0, F e1, F r0, F r1, F bow) {
  constexpr float ln2 = 0.693147182F;
  const F zero = {}, d = ln2 * (e1 - e0), growth = ln2 * bow;
  const auto level = (d < 0.1F) & (d > -0.1F);
  const F mean = level ? 0.5F * (r0 + r1) * (1 - d * d / 12.0F) : (r1 - r0) / (level ? zero + 1.0F : d);
  return mean * (1 + growth + 0.5F * growth * growth);
}

/// What dose_of_row() needs of every cell and gives back.
template <class Real>
struct DoseCells {
  const Real *u0 = nullptr, *u1 = nullptr, *theta1 = nullptr, *rate0 = nullptr, *rate1 = nullptr;
  float* cem43 = nullptr;
  std::uint8_t* left = nullptr;
  const std::uint8_t* hole = nullptr;  ///< null: none
};
template <class Real>
struct DoseRule {
  Real dt = 0, calm_from = 0, calm_to = 0;
  bool below_39 = false;
  float cap_min = 0;
};

/// Of kLanes cells, see DoseView; `sum` receives what they gain.
template <class Real>
[[gnu::always_inline]] inline void dose_of_block(const DoseCells<Real>& c, const DoseRule<Real>& rule,
                                                 VectorOf<float, kLanes>& sum) {
  using V = VectorOf<Real, kLanes>;
  using F = VectorOf<float, kLanes>;
  using I = typename Vector<Real, kLanes>::I;
  using Mask = typename Vector<float, kLanes>::I;
  const Real at_43 = 6, at_39 = 2;
  const V a = load<kLanes>(c.u0), b = load<kLanes>(c.u1);
  const I warm = (a >= at_39) | (b >= at_39);
  if (!rule.below_39 && !any<Real, kLanes>(warm)) return;
  // What the course departs from its chord by, at either end [K].
  const V begins = rule.dt * load<kLanes>(c.rate0) - (b - a),
          ends = rule.dt * load<kLanes>(c.rate1) - (b - a);
  const V m = Real(0.5) * (a + b) + Real(0.125) * (begins - ends);
  // log2 of the rate, from 43 degC.
  const auto exponent = [&](V T) __attribute__((always_inline)) {
    const V d = T - at_43;
    return __builtin_convertvector(d < 0 ? 2 * d : d, F);
  };
  const F e0 = exponent(a), e1 = exponent(b), em = exponent(m), change = e1 - e0;
  I plain = ~(((a < at_43) ^ (b < at_43)) | ((m < at_43) ^ (a < at_43))) & (load<kLanes>(c.theta1) == b) &
            (a > rule.calm_from) & (a < rule.calm_to);
  if (!rule.below_39)  // else the rate goes on as it is
    plain &= warm & ~(((a < at_39) ^ (b < at_39)) | ((m < at_39) ^ (a < at_39)));
  const float gentle = 0.84F, far = 100;  // the first: log2 of 1.8
  Mask good = __builtin_convertvector(plain, Mask) & (e0 < far) & (e1 < far) & (em < far) & (e0 > -far) &
              (e1 > -far) & (em > -far);
  Mask counts = __builtin_convertvector(warm, Mask);
  if (rule.below_39) counts = ~(counts ^ counts);
  if (c.hole != nullptr) {
    const Mask open = __builtin_convertvector(load<kLanes>(c.hole) == 0, Mask);
    good &= open;
    counts &= open;
  }
  const F zero = {}, none = zero - far;
  const F r0 = power_of_two<kLanes>(good ? e0 : none), rm = power_of_two<kLanes>(good ? em : none),
          r1 = power_of_two<kLanes>(good ? e1 : none);
  F dose = float(rule.dt) / 360.0F * (r0 + 4 * rm + r1);  // Simpson's rule
  const Mask steep = good & ((change >= gentle) | (change <= -gentle));
  if (any<float, kLanes>(steep)) {
    const F x = __builtin_convertvector(begins, F), y = __builtin_convertvector(ends, F);
    const F scale = __builtin_convertvector(a < at_43, Mask) ? zero + 2.0F : zero + 1.0F;
    const F halves = mean_of_powers(e0, em, r0, rm, scale * (2.5F * x + 0.5F * y) / 48.0F) +
                     mean_of_powers(em, e1, rm, r1, scale * (0.5F * x + 2.5F * y) / -48.0F);
    dose = steep ? float(rule.dt) / 120.0F * halves : dose;
  }
  dose = good ? dose : zero;
  sum += dose;
  store<kLanes>(c.cem43, smaller<F>(load<kLanes>(c.cem43) + dose, zero + rule.cap_min));
  const Mask left = counts & ~good & 1;
  store<kLanes>(c.left, __builtin_convertvector(left, VectorOf<std::uint8_t, kLanes>));
}

template <class Real>
inline double dose_of_row(int n, const DoseCells<Real>& row, const DoseRule<Real>& rule) {
  VectorOf<float, kLanes> sum = {};
  const auto total = [&] {
    double all_lanes = 0;
    for (int l = 0; l < kLanes; ++l) all_lanes += double(sum[l]);
    return all_lanes;
  };
  int i = 0;
  for (; i + kLanes <= n; i += kLanes)
    dose_of_block<Real>({row.u0 + i, row.u1 + i, row.theta1 + i, row.rate0 + i, row.rate1 + i, row.cem43 + i,
                         row.left + i, row.hole != nullptr ? row.hole + i : nullptr},
                        rule, sum);
  if (i == n) return total();
  // The rest as a whole block, with cells at rest that are not asked for.
  Real values[5][kLanes] = {};
  float cem43[kLanes] = {};
  std::uint8_t left[kLanes] = {}, hole[kLanes] = {};
  const auto rest = std::size_t(n - i);
  const Real* from[5] = {row.u0, row.u1, row.theta1, row.rate0, row.rate1};
  for (int m = 0; m < 5; ++m) __builtin_memcpy(values[m], from[m] + i, rest * sizeof(Real));
  __builtin_memcpy(cem43, row.cem43 + i, rest * sizeof(float));
  if (row.hole != nullptr) __builtin_memcpy(hole, row.hole + i, rest);
  for (int l = int(rest); l < kLanes; ++l) hole[l] = 1;
  dose_of_block<Real>({values[0], values[1], values[2], values[3], values[4], cem43, left, hole}, rule, sum);
  __builtin_memcpy(row.cem43 + i, cem43, rest * sizeof(float));
  __builtin_memcpy(row.left + i, left, rest);
  return total();
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

}  // namespace spinetherm::SPINETHERM_KERNELS
