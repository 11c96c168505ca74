// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_input.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include "thermal/archive.h"
#include "thermal/heat_source.h"

namespace spinetherm {

template <class Real>
HeatInput<Real>::HeatInput(const ThermalProblem& problem, double rest_K, double horizon_s)
    : problem_(problem), rest_K_(rest_K), horizon_s_(horizon_s) {
  for (const Source& s : problem.sources) varies_ = varies_ || !s.scale.empty() || has_field(s);
}

template <class Real>
void HeatInput<Real>::switch_to(HeatLevel<Real>& level, const std::vector<bool>& on, bool smooth,
                                bool resumed) {
  woken_for_.clear();
  counted_ = {};
  heats_ = false;
  std::array<double, 256> metabolic{};
  for (std::size_t n = 0; n < problem_.tissue_map.tissues.size(); ++n) {
    metabolic[n] = problem_.tissue_map.tissues[n].metabolic_W_per_m3;
    heats_ = heats_ || (level.used[n] && metabolic[n] != 0);
  }
  const auto acts = [&](std::size_t n) {  // those with a curve: scaled_heating.h
    return on[n] && problem_.sources[n].scale.empty();
  };
  const auto with_density = [&](std::size_t n, const auto& call) {
    std::visit(
        [&](const auto& source) {
          if constexpr (requires { add_power_density(level.grid, source, smooth, given_); }) call(source);
        },
        problem_.sources[n].what);
  };
  for (std::size_t n = 0; n < on.size(); ++n)
    if (acts(n)) with_density(n, [&](const auto&) { heats_ = true; });
  if (resumed && !varies_) return;
  std::vector<Real>& given = varies_ ? given_ : level.source;
  // The level's heating has more in it than this.
  const auto count_in_heating = [&](Real sign) {
    if (!varies_ && !level.heating.empty())
      for (std::size_t c = 0; c < given.size(); ++c) level.heating[c] += sign * given[c];
  };
  count_in_heating(-1);
  given.assign(heats_ || !varies_ ? level.grid.count() : 0, Real(0));
  if (!heats_) return;
  for (std::size_t n = 0; n < on.size(); ++n)
    if (acts(n))
      with_density(n, [&](const auto& source) { add_power_density(level.grid, source, smooth, given); });
#pragma omp parallel for num_threads(level.threads) schedule(static)
  for (std::ptrdiff_t cell = 0; cell < std::ptrdiff_t(given.size()); ++cell) {
    const auto c = std::size_t(cell);
    given[c] = Real((double(given[c]) + metabolic[level.label[c]]) * double(level.inverse_capacity[c]));
  }
  count_in_heating(1);
}

template <class Real>
void HeatInput<Real>::wake(HeatLevel<Real>& level, const std::vector<UnitHeating>& electric,
                           bool new_fields) {
  const Grid& grid = level.grid;
  if (!level.can_rest || level.rows.cells() == std::int64_t(grid.count())) return;
  if (!heats_ && electric.empty()) return;
  bool known = !new_fields && woken_for_.size() == electric.size() + 1;
  for (std::size_t n = 0; known && n < electric.size(); ++n) known = electric[n].scale <= woken_for_[n + 1];
  if (known) return;
  // A little more than now, so that not every rise of the power asks for another look.
  constexpr double kMore = 1.3;
  woken_for_ = {1};
  for (const auto& e : electric) woken_for_.push_back(kMore * e.scale);
  RowStretches heated = no_stretches(grid.size);
  // Whole blocks that are surely not heated are passed over at once.
  const bool by_blocks = heats_ && electric.empty();
  const auto limit = Real(0.999 * rest_K_ / horizon_s_);
#pragma omp parallel for num_threads(level.threads) schedule(static)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j) {
      const std::size_t row = level.rows.row(j, k), c0 = grid.index(0, j, k);
      const auto is_heated = [&](int i) {
        const std::size_t c = c0 + std::size_t(i);
        if (level.is_out(c)) return false;
        double q = 0;
        for (const auto& e : electric) q += kMore * e.scale * double(e.unit_W_per_m3[c]);
        const double rate = steady_rate(level, c) + q * double(level.inverse_capacity[c]);
        return std::abs(rate) * horizon_s_ > rest_K_;
      };
      const Real* steady = by_blocks ? (varies_ ? given_ : level.source).data() + c0 : nullptr;
      const auto any_is_heated = [&](int i) {  // of a block, by what is steady
        int any = 0;
        for (int l = i; l < i + kBlockCells; ++l) any |= int(std::abs(steady[l]) > limit);
        return any != 0;
      };
      // From both ends up to what is active already.
      const bool none = level.rows.end[row] <= level.rows.begin[row];
      const int last = none ? grid.size[0] : level.rows.begin[row];
      int b = 0;
      while (by_blocks && last - b >= kBlockCells && !any_is_heated(b)) b += kBlockCells;
      while (b < last && !is_heated(b)) ++b;
      int e = grid.size[0];
      const int first = none ? b : level.rows.end[row];
      while (by_blocks && e - first >= kBlockCells && !any_is_heated(e - kBlockCells)) e -= kBlockCells;
      while (e > first && !is_heated(e - 1)) --e;
      heated.begin[row] = b;
      heated.end[row] = e;
    }
  include(level.rows, heated);
}

/// The power density of the active cells, summed up; that of cells that were active before is known.
template <class Real>
double HeatInput<Real>::count_new(const HeatLevel<Real>& level) {
  const ActiveRows& rows = level.rows;
  if (counted_.begin.empty()) {
    counted_ = no_stretches(rows.size);
    counted_planes_.assign(std::size_t(rows.size[2]), 0.0);
  }
#pragma omp parallel for num_threads(level.team()) schedule(static)
  for (int k = rows.low[2]; k < rows.high[2]; ++k) {
    double& sum = counted_planes_[std::size_t(k)];
    const auto count = [&](std::size_t from, std::size_t to) {
      for (std::size_t c = from; heats_ && c < to; ++c)
        if (level.source[c] != 0) sum += double(level.source[c] / level.inverse_capacity[c]);
    };
    for (int j = rows.low[1]; j < rows.high[1]; ++j) {
      const std::size_t row = rows.row(j, k), c0 = level.grid.index(0, j, k);
      const std::int32_t begin = rows.begin[row], end = std::max(rows.end[row], begin);
      const bool none = counted_.end[row] <= counted_.begin[row];
      count(c0 + std::size_t(begin), c0 + std::size_t(none ? end : counted_.begin[row]));
      if (!none) count(c0 + std::size_t(counted_.end[row]), c0 + std::size_t(end));
    }
  }
  counted_ = rows.stretches();
  double power = 0;
  for (const double plane : counted_planes_) power += plane;
  return power;
}

template <class Real>
double HeatInput<Real>::apply(HeatLevel<Real>& level, const std::vector<UnitHeating>& electric,
                              const std::vector<BodyLinks::Ghost>& ghosts, bool new_fields) {
  wake(level, electric, new_fields);
  const ActiveRows& rows = level.rows;
  const bool has_out = !level.hole.empty() || !level.covered.empty();
  if (!varies_ && !has_out) return count_new(level) * level.cell_volume_m3();
  std::vector<double> planes(std::size_t(level.grid.size[2]), 0.0);
#pragma omp parallel for num_threads(level.team()) schedule(static)
  for (int k = rows.low[2]; k < rows.high[2]; ++k) {
    double power = 0;
    std::vector<Real> before(std::size_t(level.grid.size[0]));
    for (int j = rows.low[1]; j < rows.high[1]; ++j) {
      const std::size_t row = rows.row(j, k), c0 = level.grid.index(0, j, k);
      const std::size_t from = c0 + std::size_t(rows.begin[row]);
      const std::size_t to = c0 + std::size_t(std::max(rows.end[row], rows.begin[row]));
      Real* source = level.source.data();
      std::copy(source + from, source + to, before.begin());
      if (!given_.empty())
        std::copy(given_.data() + from, given_.data() + to, source + from);
      else if (varies_)
        std::fill(source + from, source + to, Real(0));
      if (heats_ && has_out)
        for (std::size_t c = from; c < to; ++c) source[c] = level.is_out(c) ? Real(0) : source[c];
      if (heats_)
        for (std::size_t c = from; c < to; ++c) power += double(source[c] / level.inverse_capacity[c]);
      for (const auto& e : electric) {
        if (e.scale == 0) continue;
        constexpr std::size_t kLanes = 8;
        double lanes[kLanes] = {};
        const float* unit = e.unit_W_per_m3;
        const auto scale = Real(e.scale);
        const auto add = [&](std::size_t c, std::size_t l) {
          const Real q = scale * Real(unit[c]);
          lanes[l] += double(q);
          source[c] += q * level.inverse_capacity[c];
        };
        std::size_t c = from;
        for (; c + kLanes <= to; c += kLanes)
          for (std::size_t l = 0; l < kLanes; ++l) add(c + l, l);
        for (; c < to; ++c) add(c, 0);
        for (const double lane : lanes) power += lane;
      }
      if (has_out && !electric.empty())
        for (std::size_t c = from; c < to; ++c)
          if (level.is_out(c)) {
            for (const auto& e : electric) power -= double(Real(e.scale) * Real(e.unit_W_per_m3[c]));
            source[c] = 0;
          }
      Real* rate = level.rate.data();
      for (std::size_t c = from; c < to; ++c) rate[c] += source[c] - before[c - from];
      if (level.heating.empty()) continue;
      Real* heating = level.heating.data();
      for (std::size_t c = from; c < to; ++c) heating[c] += source[c] - before[c - from];
    }
    planes[std::size_t(k)] = power;
  }
  double power = 0;
  for (const double plane : planes) power += plane;
  for (std::size_t n = 0; !electric.empty() && n < ghosts.size();) {
    std::size_t end = n;
    while (end < ghosts.size() && ghosts[end].taken == ghosts[n].taken) ++end;
    double q = 0;
    for (const auto& e : electric) q += e.scale * double(e.unit_W_per_m3[ghosts[n].taken]);
    for (std::size_t m = n; m < end; ++m) {
      const double share = std::max(0.0, ghosts[m].ratio) * q / double(end - n);
      const std::size_t c = ghosts[m].cell;
      if (!rows.holds(c)) continue;
      const auto added = Real(share * double(level.inverse_capacity[c]));
      level.source[c] += added;
      level.rate[c] += added;
      if (!level.heating.empty()) level.heating[c] += added;
      power += share;
    }
    n = end;
  }
  return power * level.cell_volume_m3();
}

template <class Real>
void HeatInput<Real>::exchange_state(Archive& archive) {
  archive(woken_for_, counted_.begin, counted_.end, counted_planes_);
}

template class HeatInput<float>;
template class HeatInput<double>;

}  // namespace spinetherm
