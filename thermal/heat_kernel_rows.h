// SPDX-License-Identifier: Apache-2.0
// Rows of cells, for heat_kernel_impl.h alone: included once per instruction set, as that is.
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "thermal/heat_kernel.h"

namespace spinetherm::SPINETHERM_KERNELS {

/// Cells are worked on in blocks of so many, in whatever vectors the processor has; every set gives the same
/// bits.
inline constexpr int kLanes = kBlockCells;

// The vectors are passed between functions that are always inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

template <class Real>
struct IntegerOf;
template <>
struct IntegerOf<std::uint8_t> {
  using Type = std::int8_t;
};
template <>
struct IntegerOf<float> {
  using Type = std::int32_t;
};
template <>
struct IntegerOf<double> {
  using Type = std::int64_t;
};
/// `L` cells at once.
template <class Real, int L>
struct Vector {
  using Integer = typename IntegerOf<Real>::Type;
  // An alias cannot carry the attribute.
  typedef Real V __attribute__((vector_size(L * sizeof(Real))));     // NOLINT
  typedef Integer I __attribute__((vector_size(L * sizeof(Real))));  // NOLINT
};
template <class Real, int L>
using VectorOf = typename Vector<Real, L>::V;

template <int L, class Real>
[[gnu::always_inline]] inline VectorOf<Real, L> load(const Real* p) {
  VectorOf<Real, L> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <int L, class Real>
[[gnu::always_inline]] inline void store(Real* p, VectorOf<Real, L> v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <int L, class Real>
[[gnu::always_inline]] inline VectorOf<Real, L> all(Real x) {
  const VectorOf<Real, L> zero = {};
  return zero + x;
}

/// 1/x of x > 0 to the last digit but one: three of Newton's steps from the mirrored exponent, which takes a
/// third of the time of a division. In double the division itself.
template <class Real, int L>
[[gnu::always_inline]] inline VectorOf<Real, L> reciprocal(VectorOf<Real, L> x) {
  if constexpr (sizeof(Real) == sizeof(double)) {
    return Real(1) / x;
  } else {
    using I = typename Vector<Real, L>::I;
    const Real two = 2;
    VectorOf<Real, L> y = (VectorOf<Real, L>)(0x7EF311C7 - (I)x);
    y = y * (two - x * y);
    y = y * (two - x * y);
    return y * (two - x * y);
  }
}

/// Whether a comparison holds for any of the cells.
template <class Real, int L>
[[gnu::always_inline]] inline bool any(typename Vector<Real, L>::I holds) {
  if constexpr (sizeof(holds) == 64) {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask((__m512i)holds, (__m512i)holds) != 0;
#elif defined(__AVX2__)
    __m256i half[2];
    __builtin_memcpy(half, &holds, sizeof half);
    const __m256i both = half[0] | half[1];
    return _mm256_testz_si256(both, both) == 0;
#endif
  }
  typename Vector<Real, L>::Integer sum = 0;
  for (int l = 0; l < L; ++l) sum |= holds[l];
  return sum != 0;
}

/// One row of cells and those above it, from its first cell.
template <class Real>
struct Row {
  const Real *t = nullptr, *r = nullptr;                       // temperature, 1/k
  const Real *ty = nullptr, *ry = nullptr;                     // of the next row
  const Real *tz = nullptr, *rz = nullptr;                     // of the row in the next plane
  const Real *inv_c = nullptr, *w = nullptr, *heat = nullptr;  // the first two null: as the tissue's
  const std::uint8_t* label = nullptr;
  const TissueConstants<Real>* tissue = nullptr;
  bool perfused = false;
  Real *fy = nullptr, *gy = nullptr, *fz = nullptr,
       *gz = nullptr;  // flows and conductances below, then above
  Real *rate = nullptr, *diagonal = nullptr;
  Real scale[3] = {0, 0, 0}, theta_blood = 0;
  Real t_left = 0, r_left = 0, t_right = 0, r_right = 0;  // beyond the ends of the grid
  int nx = 0;

  Real inverse_capacity(int i) const {
    return inv_c != nullptr ? inv_c[i] : tissue->inverse_capacity[label[i]];
  }
  Real perfusion(int i) const { return w != nullptr ? w[i] : tissue->perfusion[label[i]]; }
};
/// `first`, then all but the last of `v`.
template <int L, class Real>
[[gnu::always_inline]] inline VectorOf<Real, L> shifted(Real first, VectorOf<Real, L> v) {
  const VectorOf<Real, L> zero = {};
  if constexpr (L == 1) return zero + first;
  static_assert(L == 1 || L == 16, "the order below is that of a block");
  if constexpr (L == 16)
    return __builtin_shufflevector(v, zero + first, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
}
/// Values of the neighbours after cells [i, i + L).
template <int L, class Real>
[[gnu::always_inline]] inline VectorOf<Real, L> after(const Real* p, int i, int nx, Real beyond) {
  if (i + L < nx) return load<L>(p + i + 1);
  Real shifted[L];
  __builtin_memcpy(shifted, p + i + 1, (L - 1) * sizeof(Real));
  shifted[L - 1] = beyond;
  return load<L>(shifted);
}
/// What flows into cells from below, before the row's flows to above take its place.
template <class Real, int L>
struct FromBelow {
  VectorOf<Real, L> fy, fz, gy, gz;
};
template <bool WithDiagonal, int L, class Real>
[[gnu::always_inline]] inline FromBelow<Real, L> from_below(const Row<Real>& row, int i) {
  FromBelow<Real, L> b;
  b.fy = load<L>(row.fy + i);
  b.fz = load<L>(row.fz + i);
  if (WithDiagonal) {
    b.gy = load<L>(row.gy + i);
    b.gz = load<L>(row.gz + i);
  }
  return b;
}

/// Flows and conductances along the row.
template <class Real, int L>
struct AlongRow {
  VectorOf<Real, L> flow, g;
};
/// Through the faces after cells [i, i + L).
template <int L, class Real>
[[gnu::always_inline]] inline AlongRow<Real, L> after_cells(const Row<Real>& row, int i) {
  const auto r = load<L>(row.r + i), t = load<L>(row.t + i);
  const auto g = reciprocal<Real, L>(r + after<L>(row.r, i, row.nx, row.r_right));
  return {(after<L>(row.t, i, row.nx, row.t_right) - t) * g, g};
}
/// Through the faces before cells [i, i + L), `right` those after them.
template <int L, class Real>
[[gnu::always_inline]] inline AlongRow<Real, L> before_cells(const Row<Real>& row, int i,
                                                             const AlongRow<Real, L>& right) {
  const Real t = i > 0 ? row.t[i - 1] : row.t_left, r = i > 0 ? row.r[i - 1] : row.r_left;
  const Real g = reciprocal<Real, 1>(VectorOf<Real, 1>{r + row.r[i]})[0];
  AlongRow<Real, L> left;
  left.flow = shifted<L>((row.t[i] - t) * g, right.flow);
  left.g = shifted<L>(g, right.g);
  return left;
}

/// `by_label` (of 256) of each of `L` labels.
template <int L, class Real>
[[gnu::always_inline]] inline VectorOf<Real, L> look_up(const Real* by_label, const std::uint8_t* label) {
#ifdef __AVX512F__
  if constexpr (L == 16 && sizeof(Real) == sizeof(float)) {  // the first 32 of the table fit in two registers
    const auto labels = load<L>(label);
    if (_mm_testz_si128((__m128i)labels, _mm_set1_epi8(char(0xE0))) != 0) {
      const auto at = __builtin_convertvector(labels, typename Vector<float, L>::I);
      return (VectorOf<Real, L>)_mm512_permutex2var_ps((__m512)load<L>(by_label), (__m512i)at,
                                                       (__m512)load<L>(by_label + L));
    }
  }
#endif
  Real values[L];
  for (int l = 0; l < L; ++l) values[l] = by_label[label[l]];
  return load<L>(values);
}

/// The table's constants of a block, by cell.
enum class Mix { one, two, many };
template <Mix M, int L, class Real>
struct Constants {
  typename Vector<Real, L>::I is_first = {};
  const std::uint8_t* label = nullptr;
  int first = 0, second = 0;

  [[gnu::always_inline]] VectorOf<Real, L> operator()(const Real* by_label) const {
    if constexpr (M == Mix::one) return all<L>(by_label[first]);
    if constexpr (M == Mix::two) return is_first ? all<L>(by_label[first]) : all<L>(by_label[second]);
    return look_up<L>(by_label, label);
  }
};
template <Mix M, int L, class Real>
[[gnu::always_inline]] inline Constants<M, L, Real> constants_of(BlockTissues tissues,
                                                                 const std::uint8_t* label) {
  Constants<M, L, Real> c;
  c.first = label[0];
  c.label = label;
  if constexpr (M == Mix::one) return c;
  c.first = tissues.first;
  c.second = tissues.second;
  if constexpr (M == Mix::two) {
    const VectorOf<std::uint8_t, L> zero = {}, labels = load<L>(label);
    c.is_first = __builtin_convertvector(labels == zero + tissues.first, decltype(c.is_first));
  }
  return c;
}
/// Calls with<Mix>() for the mixture of a block.
template <int L, class Call>
[[gnu::always_inline]] inline void by_mix(BlockTissues tissues, const Call& call) {
  if (L == 1 || (tissues.first == tissues.second && !tissues.more))
    call.template operator()<Mix::one>();
  else if (!tissues.more)
    call.template operator()<Mix::two>();
  else
    call.template operator()<Mix::many>();
}

/// A property of the cells [i, i + L) of a row.
template <int L, class Real>
[[gnu::always_inline]] inline VectorOf<Real, L> by_cell_or_tissue(const Real* by_cell, const Real* by_label,
                                                                  BlockTissues tissues,
                                                                  const std::uint8_t* label, int i) {
  if (by_cell != nullptr) return load<L>(by_cell + i);
  VectorOf<Real, L> values = {};
  by_mix<L>(
      tissues, [&]<Mix M>() __attribute__((always_inline)) {
        values = constants_of<M, L, Real>(tissues, label + i)(by_label);
      });
  return values;
}

/// Of cells [i, i + L): rate of change, diagonal of -dL/dtheta where asked for, and what the blood brings.
template <class Real, int L>
struct Rates {
  VectorOf<Real, L> rate, diagonal, blood;
};

/// Divergence of the flows (theta_b - theta_a) / (r_a + r_b), blood and heating.
template <bool WithDiagonal, int L, class Real>
[[gnu::always_inline]] inline Rates<Real, L> rates_of_block(const Row<Real>& row, int i, BlockTissues tissues,
                                                            const FromBelow<Real, L>& below) {
  using V = VectorOf<Real, L>;
  const Real cx = row.scale[0], cy = row.scale[1], cz = row.scale[2];
  const V t = load<L>(row.t + i), r = load<L>(row.r + i);
  const V inv_c = by_cell_or_tissue<L>(row.inv_c, row.tissue->inverse_capacity, tissues, row.label, i);
  const AlongRow<Real, L> right = after_cells<L>(row, i), left = before_cells<L>(row, i, right);
  const V g_y = reciprocal<Real, L>(r + load<L>(row.ry + i)),
          g_z = reciprocal<Real, L>(r + load<L>(row.rz + i));
  const V up_y = (load<L>(row.ty + i) - t) * g_y, up_z = (load<L>(row.tz + i) - t) * g_z;
  V rate = cx * (right.flow - left.flow) + cy * (up_y - below.fy) + cz * (up_z - below.fz);
  store<L>(row.fy + i, up_y);
  store<L>(row.fz + i, up_z);
  V diagonal = {}, blood = {};
  if (WithDiagonal) {
    diagonal = (cx * (right.g + left.g) + cy * (g_y + below.gy) + cz * (g_z + below.gz)) * inv_c;
    store<L>(row.gy + i, g_y);
    store<L>(row.gz + i, g_z);
  }
  if (row.perfused) {
    const V w = by_cell_or_tissue<L>(row.w, row.tissue->perfusion, tissues, row.label, i);
    blood = w * (row.theta_blood - t);
    rate += blood;
    if (WithDiagonal) diagonal += w * inv_c;
  }
  return {rate * inv_c + load<L>(row.heat + i), diagonal, blood};
}
/// The same where all these cells and their neighbours above and after them are alike: without reading
/// properties.
template <bool WithDiagonal, int L, class Real>
[[gnu::always_inline]] inline Rates<Real, L> rates_of_uniform_block(const Row<Real>& row, int i,
                                                                    const FromBelow<Real, L>& below) {
  using V = VectorOf<Real, L>;
  const std::uint8_t l = row.label[i];
  const Real cx = row.scale[0], cy = row.scale[1], cz = row.scale[2], g = row.tissue->conductance[l];
  const Real inv_c = row.tissue->inverse_capacity[l], w = row.tissue->perfusion[l];
  const V t = load<L>(row.t + i);
  const V left = (t - load<L>(row.t + i - 1)) * g, right = (load<L>(row.t + i + 1) - t) * g;
  const V up_y = (load<L>(row.ty + i) - t) * g, up_z = (load<L>(row.tz + i) - t) * g;
  const V flow = cx * (right - left) + cy * (up_y - below.fy) + cz * (up_z - below.fz);
  store<L>(row.fy + i, up_y);
  store<L>(row.fz + i, up_z);
  const V blood = w * (row.theta_blood - t), zero = {};
  if (WithDiagonal) {
    store<L>(row.gy + i, all<L>(g));
    store<L>(row.gz + i, all<L>(g));
  }
  const V diagonal = zero + (g * (2 * (cx + cy + cz)) + w) * inv_c;
  return {(flow + blood) * inv_c + load<L>(row.heat + i), diagonal, blood};
}
/// Flow per unit of `scale` from one row of cells to the next, and the conductance.
template <int L, class Real>
[[gnu::always_inline]] inline void row_flow(int begin, int end, const Real* ta, const Real* ra,
                                            const Real* tb, const Real* rb, Real* flow, Real* conductance) {
  for (int i = begin; i < end; i += L) {
    const auto g = reciprocal<Real, L>(load<L>(ra + i) + load<L>(rb + i));
    store<L>(flow + i, (load<L>(tb + i) - load<L>(ta + i)) * g);
    if (conductance != nullptr) store<L>(conductance + i, g);
  }
}

/// Whether every value lies strictly between two bounds (not when one is NaN).
template <class Real>
[[gnu::always_inline]] inline bool is_calm(int n, const Real* __restrict u, Real low, Real high) {
  int outside = 0;
  for (int i = 0; i < n; ++i) outside |= !((u[i] > low) & (u[i] < high));
  return outside == 0;
}
template <class V>
[[gnu::always_inline]] inline V larger(V a, V b) {
  return a > b ? a : b;
}
template <class V>
[[gnu::always_inline]] inline V smaller(V a, V b) {
  return a < b ? a : b;
}

/// theta_of_u() and 1/(conductivity() factor) of tissue_table.h for the cells of a block. `calm`: nothing
/// freezes or boils here, and k still grows. `theta` null: u is theta; `r` null: not asked for.
template <Mix M, int L, class Real>
[[gnu::always_inline]] inline void properties_of_block(const TissueTable<Real>& table, BlockTissues tissues,
                                                       const std::uint8_t* label, const float* factor,
                                                       const Real* u_of, bool calm, Real* theta_of, Real* r) {
  using V = VectorOf<Real, L>;
  const auto pick = constants_of<M, L, Real>(tissues, label);
  const V zero = {}, one = zero + Real(1);
  V theta = load<L>(u_of);
  if (theta_of != nullptr) {
    if (!calm) {
      const V u = theta;
      const V b = larger<V>(pick(table.u_liquid) - u, zero), a = larger<V>(u - pick(table.u_boil), zero);
      const V b_mushy = smaller<V>(b, pick(table.mushy_width)),
              a_boil = smaller<V>(a, pick(table.boil_width));
      theta = u + (b - b_mushy * pick(table.mushy_slope) - (b - b_mushy) * pick(table.frozen_slope)) -
              (a - a_boil * pick(table.boil_slope) - (a - a_boil));
    }
    store<L>(theta_of, theta);
  }
  if (r == nullptr) return;
  const V least = zero + Real(0.1), growth = pick(table.growth), k37 = pick(table.k37);
  V k;
  if (calm) {
    k = k37 * larger<V>(one + growth * theta, least);
  } else {
    const V theta_liquid = pick(table.theta_liquid), cap = zero + Real(63);
    const V unfrozen = k37 * larger<V>(one + growth * smaller<V>(larger<V>(theta, theta_liquid), cap), least);
    const V x = (theta_liquid - theta) * pick(table.inverse_mushy_range);
    const V ice = smaller<V>(larger<V>(x, zero), one);
    k = unfrozen + ice * (pick(table.k_frozen) - unfrozen);
  }
  if (factor != nullptr) k = k * __builtin_convertvector(load<L>(factor), V);
  store<L>(r, reciprocal<Real, L>(k));
}

/// Of block `b` of a row of nx cells the first cell: the last block of a row overlaps the one before, so that
/// all are whole.
inline int start_of_block(int b, int nx) { return (b + 1) * kLanes <= nx ? b * kLanes : nx - kLanes; }

/// theta and r of the cells [begin, end) of a row, at least. All pointers are to the row's first cell.
template <class Real>
inline void row_properties(int begin, int end, int nx, const TissueTable<Real>& table,
                           const BlockTissues* blocks, const std::uint8_t* label, const float* factor,
                           const Real* u, Real* theta, Real* r) {
  const auto one_cell = [&](int i, bool calm) {
    properties_of_block<Mix::one, 1>(table, {}, label + i, factor != nullptr ? factor + i : nullptr, u + i,
                                     calm, theta != nullptr ? theta + i : nullptr,
                                     r != nullptr ? r + i : nullptr);
  };
  if (nx < kLanes || end - begin == 1) {
    for (int i = begin; i < end; ++i) one_cell(i, false);
    return;
  }
  const int first = begin / kLanes, last = (end + kLanes - 1) / kLanes;
  for (int b = first; b < last; ++b) {
    const int i = start_of_block(b, nx);
    const auto here = load<kLanes>(u + i);
    const bool calm = !any<Real, kLanes>(~((here > table.calm_from) & (here < table.calm_to)));
    by_mix<kLanes>(
        blocks[b], [&]<Mix M>() __attribute__((always_inline)) {
          properties_of_block<M, kLanes>(
              table, blocks[b], label + i, factor != nullptr ? factor + i : nullptr, u + i, calm,
              theta != nullptr ? theta + i : nullptr, r != nullptr ? r + i : nullptr);
        });
  }
}

/// The tissues' resistivity for the cells [begin, end) of a row, at least; unless `all`, only for blocks
/// where it is read. Pointers as above.
template <class Real>
inline void row_of_resistivity(int begin, int end, int nx, const Real* by_label, const BlockTissues* blocks,
                               const std::uint8_t* label, bool all, Real* values) {
  if (nx < kLanes) {
    for (int i = begin; i < end; ++i) values[i] = by_label[label[i]];
    return;
  }
  for (int b = begin / kLanes; b < (end + kLanes - 1) / kLanes; ++b) {
    if (!all && !blocks[b].resists) continue;
    const int i = start_of_block(b, nx);
    const Real* none = nullptr;
    store<kLanes>(values + i, by_cell_or_tissue<kLanes>(none, by_label, blocks[b], label, i));
  }
}

/// Cells [begin, end) of a row.
struct Span {
  int begin, end;
};
/// To whole blocks; the added cells are at rest.
inline Span whole_blocks(Span s, int size) {
  const int end = (s.end + kLanes - 1) / kLanes * kLanes;
  return {s.begin / kLanes * kLanes, end < size ? end : size};
}
template <class Real>
inline Span row_of(const HeatView<Real>& v, int j, int k) {
  if (j < 0 || j >= v.size[1] || k < 0 || k >= v.size[2]) return {0, 0};
  const std::ptrdiff_t row = std::ptrdiff_t(k) * v.size[1] + j;
  return {v.row_begin[row], v.row_end[row]};
}

/// What is read of a row, and where its flows to the rows above are needed.
template <class Real>
inline Span read_of(const HeatView<Real>& v, int j, int k) {
  const std::int32_t* reach = v.row_reach + 4 * (std::ptrdiff_t(k) * v.size[1] + j);
  return {reach[0], reach[1]};
}
template <class Real>
inline Span flows_of(const HeatView<Real>& v, int j, int k) {
  const std::int32_t* reach = v.row_reach + 4 * (std::ptrdiff_t(k) * v.size[1] + j);
  return {reach[2], reach[3]};
}

/// The stretch from the first to the last of n values that differ from `rest` by more than `change`.
template <class Real>
inline Span unlike_rest(int n, const Real* values, Real rest, Real change) {
  const auto differs = [&](int i) {
    const Real d = values[i] - rest;
    return (d < 0 ? -d : d) > change;
  };
  const auto any_differs = [&](int i) {
    const auto d = load<kLanes>(values + i) - rest;
    return any<Real, kLanes>((d < 0 ? -d : d) > change);
  };
  Span s{0, n};
  while (s.end - s.begin >= kLanes && !any_differs(s.begin)) s.begin += kLanes;
  while (s.begin < s.end && !differs(s.begin)) ++s.begin;
  while (s.end - s.begin >= kLanes && !any_differs(s.end - kLanes)) s.end -= kLanes;
  while (s.begin < s.end && !differs(s.end - 1)) --s.end;
  return s;
}

/// Whether something other than the plain stencil holds in a row.
template <class Real>
inline bool has_exceptions(const HeatView<Real>& v, int j, int k) {
  if (v.fix.face_begin == nullptr) return false;
  const std::ptrdiff_t row = std::ptrdiff_t(k) * v.size[1] + j;
  const auto has = [&](const std::uint32_t* begin) { return begin[row] != begin[row + 1]; };
  return has(v.fix.face_begin) || has(v.fix.wall_begin) || has(v.fix.hole_begin);
}

}  // namespace spinetherm::SPINETHERM_KERNELS
