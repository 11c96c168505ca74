// SPDX-License-Identifier: Apache-2.0
// Stages of Runge-Kutta-Legendre steps, for heat_kernel_impl.h alone: included once per instruction set, as
// that is.
#include "thermal/heat_kernel.h"

namespace spinetherm::SPINETHERM_KERNELS {

/// What the blood brings to the cells of a plane, lane by lane.
struct BloodSum {
  VectorOf<double, kLanes> lanes = {};
  double total() const {
    double sum = 0;
    for (int l = 0; l < kLanes; ++l) sum += lanes[l];
    return sum;
  }
};

/// Y_j from the rates, see run_stage(). A copy for each row, whose values may stay in registers.
template <class Real>
struct NextStage {
  StageView<Real> s;
  template <int L>
  [[gnu::always_inline]] VectorOf<Real, L> at(std::ptrdiff_t c, VectorOf<Real, L> rate) const {
    const auto y0 = load<L>(s.y0 + c);
    return y0 + ((s.mu * (load<L>(s.y1 + c) - y0) + s.nu * (load<L>(s.y2 + c) - y0)) +
                 (s.mu_t_dt * rate + s.gamma_t_dt * load<L>(s.rate0 + c)));
  }
};
/// Takes the rates of the stepped cells of a row, which begins at cell c0, into the next stage.
template <class Real>
struct IntoStage {
  NextStage<Real> next;
  std::ptrdiff_t c0 = 0;
  Span own;
  template <int L>
  [[gnu::always_inline]] void operator()(int i, int from, VectorOf<Real, L> rate, VectorOf<Real, L>) const {
    const VectorOf<Real, L> out = next.template at<L>(c0 + i, rate);
    Real* to = next.s.out + c0;
    const int first = from > own.begin ? from : own.begin, past = i + L < own.end ? i + L : own.end;
    if (first == i && past == i + L) {
      store<L>(to + i, out);
      return;
    }
    Real values[L];
    store<L>(values, out);
    for (int n = first; n < past; ++n) to[n] = values[n - i];
  }
};
/// Whether the rates of a block follow from its weights: it does not overlap another one and lies at none of
/// the faces y and z of the grid.
template <class Real>
inline bool is_inner(const HeatView<Real>& v, int b, int j, int k) {
  return v.weights_at != nullptr && (b + 1) * kLanes <= v.size[0] && j > 0 && j + 1 < v.size[1] && k > 0 &&
         k + 1 < v.size[2];
}
/// Whether stage_of_inner_blocks() leaves nothing of a row, neither cells nor flows that a block at a face of
/// the grid takes in.
template <class Real>
inline bool is_inner_row(const HeatView<Real>& v, Span own, Span needed, int j, int k) {
  return v.weights_at != nullptr && j > 0 && j + 2 < v.size[1] && k > 0 && k + 2 < v.size[2] &&
         needed.end <= v.size[0] / kLanes * kLanes && own.begin % kLanes == 0 && own.end % kLanes == 0 &&
         !has_exceptions(v, j, k);
}
/// What leaves through the faces x of the grid from a row, beginning at `t`, over the volume of a cell.
template <class Real>
inline double outflow_of_row(const HeatView<Real>& v, Span own, const Real* t, const std::uint8_t* label) {
  const int last = v.size[0] - 1;
  double sum = 0;
  const auto flow = [&](int i, int face) {
    const Real r = v.tissue->resistivity[label[i]];
    return double(v.scale[0]) * double((t[i] - v.ghost_theta[face]) / (v.ghost_resistivity[face] + r));
  };
  if (own.begin == 0) sum += flow(0, 0);
  if (own.end > last) sum += flow(last, 1);
  return sum;
}

/// Differences of theta from the cells of a block to their neighbours along each axis, weighted, in an order
/// that a mirrored field mirrors. `at`: its first cell; `left`, `right`: theta of the neighbours along x.
template <int L, class Real, class Weight>
[[gnu::always_inline]] inline VectorOf<Real, L> weighted_neighbours(const Real* at, std::ptrdiff_t up_y,
                                                                    std::ptrdiff_t up_z, VectorOf<Real, L> t,
                                                                    VectorOf<Real, L> left,
                                                                    VectorOf<Real, L> right,
                                                                    const Weight& weight) {
  const auto pair = [&](int axis, std::ptrdiff_t up) __attribute__((always_inline)) {
    return weight(axis, load<L>(at - up) - t, load<L>(at + up) - t);
  };
  return weight(0, left - t, right - t) + pair(1, up_y) + pair(2, up_z);
}
/// Of block `b` of a row, from its first cell `c`.
template <class Real>
[[gnu::always_inline]] inline VectorOf<Real, kLanes> rates_by_weights(const HeatView<Real>& v,
                                                                      const Real* weights, int b,
                                                                      std::ptrdiff_t c,
                                                                      VectorOf<Real, kLanes> t) {
  constexpr int L = kLanes;
  using V = VectorOf<Real, L>;
  const std::ptrdiff_t up_y = v.size[0], up_z = up_y * v.size[1];
  const Real* at = v.theta + c;
  const V left = b > 0 ? load<L>(at - 1) : shifted<L>(v.ghost_theta[0], t);
  const V right = after<L>(at - std::ptrdiff_t(b) * L, b * L, v.size[0], v.ghost_theta[1]);
  const V sum = weighted_neighbours<L>(
      at, up_y, up_z, t, left, right, [&](int axis, V below, V above) __attribute__((always_inline)) {
        return load<L>(weights + 2 * axis * L) * below + load<L>(weights + (2 * axis + 1) * L) * above;
      });
  return (sum + load<L>(weights + 6 * L) * (v.theta_blood - t)) + load<L>(v.heating + c);
}
/// What the blood brings to a block.
template <class Real>
[[gnu::always_inline]] inline VectorOf<Real, kLanes> blood_of_block(const HeatView<Real>& v,
                                                                    BlockTissues tissues, std::ptrdiff_t c,
                                                                    VectorOf<Real, kLanes> t) {
  const Real* by_cell = v.perfusion != nullptr ? v.perfusion + c : nullptr;
  return by_cell_or_tissue<kLanes>(by_cell, v.tissue->perfusion, tissues, v.label + c, 0) *
         (v.theta_blood - t);
}

/// The next stage of the inner blocks of plane k that are stepped as a whole, and the flows of what is done;
/// rows with exceptions are left. Whether nothing else is left of the plane. A function of its own, small
/// enough for everything to stay in registers.
template <class Real>
[[gnu::noinline]] bool stage_of_inner_blocks(const HeatView<Real>& v, const StageView<Real>& stage, int k,
                                             BloodSum& blood_sum, double& boundary_out) {
  constexpr int L = kLanes;
  using V = VectorOf<Real, L>;
  const V zero = {}, t_blood = zero + v.theta_blood;
  const NextStage<Real> next{stage};
  const std::ptrdiff_t up_y = v.size[0], up_z = up_y * v.size[1];
  V uniform_weights[3] = {}, to_blood = zero;
  Real w = 0;
  int of_label = -1;
  bool all_done = true;
  for (int j = v.low[1]; j < v.high[1]; ++j) {
    const Span needed = flows_of(v, j, k), own = row_of(v, j, k);
    if (needed.end <= needed.begin) continue;
    const bool done = is_inner_row(v, own, needed, j, k);
    all_done = all_done && done;
    if (own.end <= own.begin || !is_inner(v, 0, j, k) || has_exceptions(v, j, k)) continue;
    const std::ptrdiff_t row = std::ptrdiff_t(k) * v.size[1] + j;
    const BlockTissues* blocks = v.blocks + row * blocks_of(v.size[0]);
    const std::int32_t* weights_at = v.weights_at + row * blocks_of(v.size[0]);
    if (done && (own.begin == 0 || own.end == v.size[0]))
      boundary_out += outflow_of_row(v, own, v.theta + row * up_y, v.label + row * up_y);
    V warmth = zero, blood = zero;
    const auto add_blood = [&]() __attribute__((always_inline)) {
      if (v.perfused) blood_sum.lanes += __builtin_convertvector(w * warmth + blood, VectorOf<double, L>);
      warmth = blood = zero;
    };
    for (int b = (own.begin + L - 1) / L; b < own.end / L; ++b) {
      const std::ptrdiff_t c = row * up_y + std::ptrdiff_t(b) * L;
      const V t = load<L>(v.theta + c);
      if (!blocks[b].uniform) {
        const Real* weights = v.weights + std::ptrdiff_t(weights_at[b]) * kBlockWeights;
        if (v.perfused) blood += blood_of_block(v, blocks[b], c, t);
        store<L>(stage.out + c, next.template at<L>(c, rates_by_weights(v, weights, b, c, t)));
        continue;
      }
      if (blocks[b].first != of_label) {
        add_blood();
        of_label = blocks[b].first;
        const Real inv_c = v.tissue->inverse_capacity[of_label], g = v.tissue->conductance[of_label] * inv_c;
        w = v.tissue->perfusion[of_label];
        for (int a = 0; a < 3; ++a) uniform_weights[a] = zero + v.scale[a] * g;
        to_blood = zero + w * inv_c;
      }
      warmth += t_blood - t;
      const V sum = weighted_neighbours<L>(
          v.theta + c, up_y, up_z, t, load<L>(v.theta + c - 1),
          load<L>(v.theta + c + 1), [&](int axis, V below, V above) __attribute__((always_inline)) {
            return uniform_weights[axis] * (below + above);
          });
      const V rate = (sum + to_blood * (t_blood - t)) + load<L>(v.heating + c);
      store<L>(stage.out + c, next.template at<L>(c, rate));
    }
    add_blood();
  }
  return all_done;
}

/// Rates of an inner block that is stepped in part, or lies in a row with exceptions.
template <class Real>
[[gnu::always_inline]] inline Rates<Real, kLanes> rates_of_inner_block(const HeatView<Real>& v, int b, int j,
                                                                       int k) {
  using V = VectorOf<Real, kLanes>;
  const std::ptrdiff_t row = std::ptrdiff_t(k) * v.size[1] + j, block = row * blocks_of(v.size[0]) + b;
  const std::ptrdiff_t c = row * v.size[0] + std::ptrdiff_t(b) * kLanes;
  const V t = load<kLanes>(v.theta + c);
  Rates<Real, kLanes> rates = {};
  rates.blood = blood_of_block(v, v.blocks[block], c, t);
  const Real* weights = v.weights + std::ptrdiff_t(v.weights_at[block]) * kBlockWeights;
  rates.rate = rates_by_weights(v, weights, b, c, t);
  return rates;
}

}  // namespace spinetherm::SPINETHERM_KERNELS
