// SPDX-License-Identifier: Apache-2.0
// Rows of cells, for heat_kernel_impl.h alone: included once per instruction set, as that is.
#include "thermal/heat_kernel.h"

namespace spinetherm::SPINETHERM_KERNELS {

/// Flow per unit of `scale` from one row of cells to the next: (theta_b - theta_a) / (r_a + r_b).
template <class Real>
[[gnu::always_inline]] inline void row_flow(int n, const Real* __restrict ta, const Real* __restrict ra,
                                            const Real* __restrict tb, const Real* __restrict rb,
                                            Real* __restrict flow, Real* __restrict conductance) {
  const Real one = 1;
  for (int i = 0; i < n; ++i) flow[i] = (tb[i] - ta[i]) * (one / (ra[i] + rb[i]));
  if (conductance != nullptr)
    for (int i = 0; i < n; ++i) conductance[i] = one / (ra[i] + rb[i]);
}

/// Sums of a row in 16 lanes, so that the compiler may use its vectors without changing a bit.
inline constexpr int kLanes = 16;

/// rate = (rate + w (theta_b - theta)) / (rho c) + heating; adds w (theta_b - theta) to the lanes.
template <class Real>
[[gnu::always_inline]] inline void add_blood(int n, const Real* __restrict w, Real theta_blood,
                                             const Real* __restrict t, const Real* __restrict inv_c,
                                             const Real* __restrict heat, Real* __restrict rate,
                                             Real* __restrict lanes) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int l = 0; l < kLanes; ++l) {
      const Real blood = w[i + l] * (theta_blood - t[i + l]);
      lanes[l] += blood;
      rate[i + l] = (rate[i + l] + blood) * inv_c[i + l] + heat[i + l];
    }
  for (int l = 0; i < n; ++i, ++l) {
    const Real blood = w[i] * (theta_blood - t[i]);
    lanes[l] += blood;
    rate[i] = (rate[i] + blood) * inv_c[i] + heat[i];
  }
}

/// Flow to the cell before, i in [b, e].
template <class Real>
[[gnu::always_inline]] inline void flow_along(int b, int e, const Real* __restrict t,
                                              const Real* __restrict r, Real* __restrict fx) {
  const Real one = 1;
  for (int i = b; i <= e; ++i) fx[i] = (t[i] - t[i - 1]) * (one / (r[i - 1] + r[i]));
}
/// Divergence of the flows of cells [b, e); `fy` and `fz` hold those from below and receive those to above.
template <class Real>
[[gnu::always_inline]] inline void rates_of_row(int b, int e, const Real* scale, const Real* __restrict t,
                                                const Real* __restrict r, const Real* __restrict ty,
                                                const Real* __restrict ry, const Real* __restrict tz,
                                                const Real* __restrict rz, const Real* __restrict fx,
                                                Real* __restrict fy, Real* __restrict fz,
                                                Real* __restrict rate) {
  const Real cx = scale[0], cy = scale[1], cz = scale[2], one = 1;
  for (int i = b; i < e; ++i) {
    const Real up_y = (ty[i] - t[i]) * (one / (r[i] + ry[i]));
    const Real up_z = (tz[i] - t[i]) * (one / (r[i] + rz[i]));
    rate[i] = cx * (fx[i + 1] - fx[i]) + cy * (up_y - fy[i]) + cz * (up_z - fz[i]);
    fy[i] = up_y;
    fz[i] = up_z;
  }
}
template <class Real>
[[gnu::always_inline]] inline void rates_and_diagonal(
    int b, int e, const Real* scale, const Real* __restrict t, const Real* __restrict r,
    const Real* __restrict ty, const Real* __restrict ry, const Real* __restrict tz,
    const Real* __restrict rz, const Real* __restrict inv_c, const Real* __restrict fx,
    const Real* __restrict gx, Real* __restrict fy, Real* __restrict gy, Real* __restrict fz,
    Real* __restrict gz, Real* __restrict rate, Real* __restrict diagonal) {
  const Real cx = scale[0], cy = scale[1], cz = scale[2], one = 1;
  for (int i = b; i < e; ++i) {
    const Real up_y = one / (r[i] + ry[i]), up_z = one / (r[i] + rz[i]);
    const Real flow_y = (ty[i] - t[i]) * up_y, flow_z = (tz[i] - t[i]) * up_z;
    rate[i] = cx * (fx[i + 1] - fx[i]) + cy * (flow_y - fy[i]) + cz * (flow_z - fz[i]);
    diagonal[i] = (cx * (gx[i + 1] + gx[i]) + cy * (up_y + gy[i]) + cz * (up_z + gz[i])) * inv_c[i];
    gy[i] = up_y;
    gz[i] = up_z;
    fy[i] = flow_y;
    fz[i] = flow_z;
  }
}
template <class Real>
[[gnu::always_inline]] inline void add_products(int b, int e, const Real* __restrict x,
                                                const Real* __restrict y, Real* __restrict sum) {
  for (int i = b; i < e; ++i) sum[i] += x[i] * y[i];
}
template <class Real>
[[gnu::always_inline]] inline void add_heating(int b, int e, const Real* __restrict inv_c,
                                               const Real* __restrict heat, Real* __restrict rate) {
  for (int i = b; i < e; ++i) rate[i] = rate[i] * inv_c[i] + heat[i];
}

template <class Real>
struct Uniform {
  Real conductance, inv_c, w;  // of a face; 1/(rho c); perfusion
};
/// The row's cells [b, e) are alike, their neighbours above as well: flow and rate without divisions, and
/// without reading their properties.
template <class Real>
[[gnu::always_inline]] inline void uniform_rate(int b, int e, const Uniform<Real>& u, const Real* scale,
                                                Real theta_blood, const Real* __restrict t,
                                                const Real* __restrict ty, const Real* __restrict tz,
                                                const Real* __restrict heat, Real* __restrict fx,
                                                Real* __restrict fy, Real* __restrict fz,
                                                Real* __restrict rate, Real* __restrict lanes) {
  const Real cx = scale[0], cy = scale[1], cz = scale[2], g = u.conductance, inv_c = u.inv_c, w = u.w;
  for (int i = b + 1; i <= e; ++i) fx[i] = (t[i] - t[i - 1]) * g;
  const auto cell = [&](int i, int l) __attribute__((always_inline)) {
    const Real up_y = (ty[i] - t[i]) * g, up_z = (tz[i] - t[i]) * g;
    const Real flow = cx * (fx[i + 1] - fx[i]) + cy * (up_y - fy[i]) + cz * (up_z - fz[i]);
    fy[i] = up_y;
    fz[i] = up_z;
    const Real blood = w * (theta_blood - t[i]);
    lanes[l] += blood;
    rate[i] = (flow + blood) * inv_c + heat[i];
  };
  int i = b;
  for (; i + kLanes <= e; i += kLanes)
    for (int l = 0; l < kLanes; ++l) cell(i + l, l);
  for (int l = 0; i < e; ++i, ++l) cell(i, l);
}

/// Whether every value lies strictly between two bounds (not when one is NaN).
template <class Real>
[[gnu::always_inline]] inline bool is_calm(int n, const Real* __restrict u, Real low, Real high) {
  int outside = 0;
  for (int i = 0; i < n; ++i) outside |= !((u[i] > low) & (u[i] < high));
  return outside == 0;
}
[[gnu::always_inline]] inline bool is_one_tissue(int n, const std::uint8_t* __restrict label) {
  int other = 0;
  const std::uint8_t first = label[0];
  for (int i = 0; i < n; ++i) other |= label[i] ^ first;
  return other == 0;
}

/// theta = theta(u) and r = 1/(k(theta) factor) of n cells in line. `theta` null: u is theta; `r` null: not
/// asked for.
template <class Real>
inline void row_properties(int n, const TissueTable<Real>& table, const std::uint8_t* __restrict label,
                           const float* __restrict factor, const Real* __restrict u, Real* __restrict theta,
                           Real* __restrict r) {
  const Real one = 1;
  const bool calm = is_calm(n, u, table.calm_from, table.calm_to);
  const bool alike = is_one_tissue(n, label);
  if (theta != nullptr) {
    if (calm) {
      for (int i = 0; i < n; ++i) theta[i] = u[i];
    } else if (alike) {
      const int l = label[0];
      for (int i = 0; i < n; ++i) theta[i] = theta_of_u(table, l, u[i]);
    } else {
      for (int i = 0; i < n; ++i) theta[i] = theta_of_u(table, label[i], u[i]);
    }
  }
  if (r == nullptr) return;
  const Real* __restrict t = theta != nullptr ? theta : u;
  if (calm) {
    // conductivity() where nothing freezes or boils: the same numbers with fewer look-ups.
    const Real least = Real(0.1);
    if (alike) {
      const Real growth = table.growth[label[0]], k37 = table.k37[label[0]];
      for (int i = 0; i < n; ++i) {
        const Real f = one + growth * t[i];
        r[i] = k37 * (f > least ? f : least);
      }
    } else {
      for (int i = 0; i < n; ++i) {
        const Real f = one + table.growth[label[i]] * t[i];
        r[i] = table.k37[label[i]] * (f > least ? f : least);
      }
    }
  } else if (alike) {
    const int l = label[0];
    for (int i = 0; i < n; ++i) r[i] = conductivity(table, l, t[i]);
  } else {
    for (int i = 0; i < n; ++i) r[i] = conductivity(table, label[i], t[i]);
  }
  if (factor != nullptr)
    for (int i = 0; i < n; ++i) r[i] *= Real(factor[i]);
  for (int i = 0; i < n; ++i) r[i] = one / r[i];
}

/// Shorter runs of like cells gain less than the change of loops costs.
inline constexpr int kShortestRun = 32;

/// Cells [begin, end) of a row.
struct Span {
  int begin, end;
};
inline Span hull(Span a, Span b) {
  if (a.end <= a.begin) return b;
  if (b.end <= b.begin) return a;
  return {a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}
/// To whole vectors, so that loops have no rest; the added cells are at rest.
inline Span whole_vectors(Span s, int size) {
  const int end = (s.end + kLanes - 1) / kLanes * kLanes;
  return {s.begin / kLanes * kLanes, end < size ? end : size};
}
template <class Real>
inline Span row_of(const HeatView<Real>& v, int j, int k) {
  if (j < 0 || j >= v.size[1] || k < 0 || k >= v.size[2]) return {0, 0};
  const std::ptrdiff_t row = std::ptrdiff_t(k) * v.size[1] + j;
  return {v.row_begin[row], v.row_end[row]};
}

/// 2^x for |x| < 126, to 2e-7 of its value: x = n + r, |r| <= 1/2, and a polynomial for 2^r.
[[gnu::always_inline]] inline float power_of_two(float x) {
  const float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = x + shift, r = x - (shifted - shift);
  const float p =
      1.0F + r * (0.693147182F +
                  r * (0.240226480F +
                       r * (0.0555041469F + r * (0.00961817801F + r * (0.00133335581F + r * 0.000154697F)))));
  const int n = __builtin_bit_cast(int, shifted) - __builtin_bit_cast(int, shift);
  return p * __builtin_bit_cast(float, (n + 127) << 23);
}

template <class Real>
inline double dose_of_row(int n, const Real* __restrict u0, const Real* __restrict u1,
                          const Real* __restrict theta1, const Real* __restrict rate0,
                          const Real* __restrict rate1, Real dt, Real calm_from, Real calm_to, bool below_39,
                          const std::uint8_t* __restrict hole, float cap_min, float* __restrict cem43,
                          std::uint8_t* __restrict left) {
  const Real at_43 = 6, at_39 = 2, eighth = dt / 8, half = Real(0.5);
  const float sixth = float(dt) / 360.0F, gentle = 0.84F;  // log2 of 1.8
  constexpr int kBlock = 64;
  double sum = 0;
  for (int first = 0; first < n; first += kBlock) {
    const int count = n - first < kBlock ? n - first : kBlock;
    float dose[kBlock];
    const Real *a = u0 + first, *b = u1 + first, *t = theta1 + first, *ra = rate0 + first,
               *rb = rate1 + first;
    std::uint8_t* out = left + first;
    for (int i = 0; i < count; ++i) {
      const Real m = half * (a[i] + b[i]) + eighth * (ra[i] - rb[i]);
      const Real d0 = a[i] - at_43, d1 = b[i] - at_43, dm = m - at_43;
      const float e0 = float(d0 < 0 ? 2 * d0 : d0), e1 = float(d1 < 0 ? 2 * d1 : d1);
      const float em = float(dm < 0 ? 2 * dm : dm);
      const bool warm = (a[i] >= at_39) | (b[i] >= at_39);
      const bool counts = below_39 | warm;
      const bool passes = ((a[i] < at_43) != (b[i] < at_43)) | ((a[i] < at_39) != (b[i] < at_39)) |
                          ((m < at_43) != (a[i] < at_43)) | ((m < at_39) != (a[i] < at_39));
      const float change = e1 - e0;
      const bool known = (change < gentle) & (change > -gentle) & (e0 < 100) & (e1 < 100) & (em < 100) &
                         (e0 > -100) & (e1 > -100) & (em > -100);
      const bool plain = (t[i] == b[i]) & (a[i] > calm_from) & (a[i] < calm_to);
      const bool good = counts & !passes & known & plain;
      out[i] = counts & !good;
      const float x0 = good ? e0 : -100.0F, x1 = good ? e1 : -100.0F, xm = good ? em : -100.0F;
      dose[i] = good ? sixth * (power_of_two(x0) + 4 * power_of_two(xm) + power_of_two(x1)) : 0.0F;
    }
    if (hole != nullptr)
      for (int i = 0; i < count; ++i) {
        dose[i] = hole[first + i] != 0 ? 0.0F : dose[i];
        out[i] = hole[first + i] != 0 ? 0 : out[i];
      }
    float* cem = cem43 + first;
    for (int i = 0; i < count; ++i) {
      const float grown = cem[i] + dose[i];
      cem[i] = grown < cap_min ? grown : cap_min;
    }
    float lanes[8] = {};
    int i = 0;
    for (; i + 8 <= count; i += 8)
      for (int l = 0; l < 8; ++l) lanes[l] += dose[i + l];
    for (int l = 0; i < count; ++i, ++l) lanes[l] += dose[i];
    for (const float lane : lanes) sum += double(lane);
  }
  return sum;
}

}  // namespace spinetherm::SPINETHERM_KERNELS
