// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_level.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "thermal/archive.h"
#include "thermal/tissue_law.h"

namespace spinetherm {
namespace {

/// Whether heat can change the perfusion.
bool has_rule(const PerfusionRule& rule) {
  return rule.stops_at_arrhenius || rule.stops_above_degC || rule.falls_with_arrhenius;
}

template <class Real>
void set_boundary(HeatLevel<Real>& level, const std::array<Boundary, 6>& boundary) {
  const auto nx = std::size_t(level.grid.size[0]);
  level.ghost_rows.assign(8 * nx, Real(0));
  for (std::size_t f = 0; f < 6; ++f) {
    const Boundary& b = boundary[f];
    const double h_m = level.grid.spacing_mm[Eigen::Index(f / 2)] * 1e-3;
    level.ghost_theta[f] = b.kind == BoundaryKind::insulated ? Real(0) : Real(b.degC - kReference_degC);
    double r = kInsulating;
    if (b.kind == BoundaryKind::fixed) r = 0;
    // Half a cell in series with a film: 1/(h_m r_cell / 2 + 1/h) = 2 / (h_m (r_cell + r_ghost)).
    if (b.kind == BoundaryKind::convective && b.h_W_per_m2_K > 0) r = 2 / (b.h_W_per_m2_K * h_m);
    level.ghost_resistivity[f] = Real(r);
    if (f < 2) continue;
    std::fill_n(level.ghost_rows.begin() + std::ptrdiff_t((f - 2) * nx), nx, level.ghost_theta[f]);
    std::fill_n(level.ghost_rows.begin() + std::ptrdiff_t((f + 2) * nx), nx, level.ghost_resistivity[f]);
  }
}

/// Whether the uniform start stays as it is where no source acts.
bool starts_at_rest(const ThermalProblem& problem, const std::array<bool, 256>& used) {
  if (!problem.initial_field.empty()) return false;
  const double T = problem.initial_degC;
  for (const Boundary& b : problem.boundary) {
    const bool closed =
        b.kind == BoundaryKind::insulated || (b.kind == BoundaryKind::convective && b.h_W_per_m2_K == 0);
    if (!closed && b.degC != T) return false;
  }
  for (std::size_t n = 0; n < problem.tissue_map.tissues.size(); ++n) {
    const Tissue& t = problem.tissue_map.tissues[n];
    if (!used[n]) continue;
    if (t.metabolic_W_per_m3 != 0) return false;
    if (t.perfusion_per_s > 0 && problem.blood.temperature_degC != T) return false;
    if (u_of_theta(t, T - kReference_degC) != T - kReference_degC) return false;  // in a phase change
  }
  return true;
}

/// Which tissues each block of cells has, and where properties never change and are those of the neighbours.
template <class Real>
void find_blocks(HeatLevel<Real>& level, const ThermalProblem& problem) {
  const auto& size = level.grid.size;
  if (size[0] < kBlockCells) return;
  const bool constant =
      !level.table.varies_with_T && !level.table.has_phases && problem.tissue_map.factors.empty();
  std::array<bool, 256> stays{};
  for (std::size_t n = 0; constant && n < problem.tissue_map.tissues.size(); ++n) {
    stays[n] = !has_rule(problem.tissue_map.tissues[n].perfusion_rule);
  }
  const std::size_t up_y = std::size_t(size[0]), up_z = up_y * std::size_t(size[1]);
  const int in_row = blocks_of(size[0]);
  level.blocks.assign(std::size_t(in_row) * std::size_t(size[1]) * std::size_t(size[2]), {});
#pragma omp parallel for num_threads(level.threads) schedule(static)
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int b = 0; b < in_row; ++b) {
        const int i = std::min(b * kBlockCells, size[0] - kBlockCells);
        const std::size_t c = level.grid.index(i, j, k);
        const std::uint8_t* label = level.label + c;
        BlockTissues& block = level.blocks[level.rows.row(j, k) * std::size_t(in_row) + std::size_t(b)];
        block.first = block.second = label[0];
        for (int l = 1; l < kBlockCells; ++l) {
          if (block.second == block.first) block.second = label[l];
          block.more = block.more || (label[l] != block.first && label[l] != block.second);
        }
        const bool inside =
            i > 0 && i + kBlockCells < size[0] && j > 0 && j + 1 < size[1] && k > 0 && k + 1 < size[2];
        if (!inside || block.first != block.second || !stays[block.first]) continue;
        const auto alike = [&](std::size_t from, std::size_t count) {
          return std::all_of(level.label + from, level.label + from + count,
                             [&](std::uint8_t one) { return one == block.first; });
        };
        constexpr auto kCells = std::size_t(kBlockCells);
        block.uniform = alike(c - 1, kCells + 2) && alike(c - up_y, kCells) && alike(c + up_y, kCells) &&
                        alike(c - up_z, kCells) && alike(c + up_z, kCells);
      }
  // Those at the ends of rows, and of the first and last rows, are never uniform.
  const std::size_t next_row = std::size_t(in_row), next_plane = next_row * std::size_t(size[1]);
#pragma omp parallel for num_threads(level.threads) schedule(static)
  for (std::ptrdiff_t n = 0; n < std::ptrdiff_t(level.blocks.size()); ++n) {
    const auto b = std::size_t(n);
    const auto uniform = [&](std::size_t other) { return level.blocks[other].uniform; };
    level.blocks[b].resists = !uniform(b) || b < next_plane || !uniform(b - 1) || !uniform(b + 1) ||
                              !uniform(b - next_row) || !uniform(b - next_plane);
  }
}

/// Whether all properties are the tissue's and never change.
template <class Real>
bool is_constant(const HeatLevel<Real>& level, const ThermalProblem& problem) {
  if (level.table.varies_with_T || level.table.has_phases || !problem.tissue_map.factors.empty())
    return false;
  const std::vector<Tissue>& tissues = problem.tissue_map.tissues;
  for (std::size_t n = 0; n < tissues.size(); ++n)
    if (level.used[n] && tissues[n].perfusion_per_s > 0 && has_rule(tissues[n].perfusion_rule)) return false;
  return true;
}

/// Weights of block `b` of a row, which begins at cell `c`, see kBlockWeights.
template <class Real>
void add_weights(HeatLevel<Real>& level, int b, std::size_t c, std::size_t up_y, std::size_t up_z) {
  const TissueConstants<Real>& tissue = *level.tissue;
  const HeatView<Real> view = view_of(level, level.y[0]);
  const std::array<std::size_t, 3> up{1, up_y, up_z};
  const auto add = [&](const auto& of_cell) {
    for (std::size_t n = c; n < c + kBlockCells; ++n)
      level.weights.push_back(of_cell(n, tissue.inverse_capacity[level.label[n]]));
  };
  for (std::size_t a = 0; a < 3; ++a)
    for (const bool above : {false, true})
      add([&](std::size_t n, Real inv_c) {
        const std::size_t i = std::size_t(b) * kBlockCells + n - c;
        const bool outside = a == 0 && (above ? i + 1 == up_y : i == 0);
        const Real r = outside ? level.ghost_resistivity[above ? 1 : 0]
                               : tissue.resistivity[level.label[above ? n + up[a] : n - up[a]]];
        return view.scale[a] * (Real(1) / (tissue.resistivity[level.label[n]] + r)) * inv_c;
      });
  add([&](std::size_t n, Real inv_c) { return tissue.perfusion[level.label[n]] * inv_c; });
}

/// Where more than every eighth block differs from all others, weights take more memory than they spare work;
/// but so many are few.
constexpr std::size_t kMostWeights = 8, kFewWeights = 4096;

/// The weights of blocks: the same for all that have the same tissues and neighbours.
template <class Real>
void find_weights(HeatLevel<Real>& level) {
  const auto& size = level.grid.size;
  const std::size_t up_y = std::size_t(size[0]), up_z = up_y * std::size_t(size[1]);
  const int in_row = blocks_of(size[0]), whole = size[0] / kBlockCells;
  level.weights_at.assign(level.blocks.size(), -1);
  std::unordered_map<std::string, std::int32_t> known;
  std::int32_t count = 0;
  std::array<std::int32_t, 256> of_uniform{};
  of_uniform.fill(-1);
  for (int k = 1; k + 1 < size[2]; ++k)
    for (int j = 1; j + 1 < size[1]; ++j)
      for (int b = 0; b < whole; ++b) {
        const std::size_t block = level.rows.row(j, k) * std::size_t(in_row) + std::size_t(b);
        const std::size_t c = level.grid.index(b * kBlockCells, j, k);
        if (level.blocks[block].uniform) {
          std::int32_t& at = of_uniform[level.label[c]];
          if (at < 0) {
            at = count++;
            add_weights(level, b, c, up_y, up_z);
          }
          level.weights_at[block] = at;
          continue;
        }
        std::string labels;
        const auto append = [&](std::size_t from, std::size_t cells) {
          labels.append(level.label + from, level.label + from + cells);
        };
        constexpr auto kCells = std::size_t(kBlockCells);
        const bool first = b == 0, last = (b + 1) * kBlockCells == size[0];
        labels += char((first ? 1 : 0) + (last ? 2 : 0));
        append(c - (first ? 0 : 1), kCells + (first ? 0 : 1) + (last ? 0 : 1));
        for (const std::size_t from : {c - up_y, c + up_y, c - up_z, c + up_z}) append(from, kCells);
        const auto [at, is_new] = known.emplace(std::move(labels), count);
        level.weights_at[block] = at->second;
        if (is_new) {
          ++count;
          add_weights(level, b, c, up_y, up_z);
        }
        if (known.size() > kFewWeights && known.size() * kMostWeights > level.weights_at.size()) {
          level.weights_at = std::vector<std::int32_t>();
          level.weights = std::vector<Real>();
          return;
        }
      }
}

}  // namespace

template <class Real>
FixView<Real> Fixes<Real>::view() const {
  if (hole_begin.empty()) return {};
  return {face_begin.data(), faces.data(),      wall_begin.data(), walls.data(),
          wall_theta.data(), hole_begin.data(), holes.data()};
}

template <class Real>
HeatLevel<Real> make_level(const ThermalProblem& problem, int threads, bool by_cell) {
  HeatLevel<Real> level;
  const TissueMap& map = problem.tissue_map;
  level.grid = problem.grid();
  level.threads = threads;
  level.table = make_tissue_table<Real>(map.tissues);
  level.label = map.labels.values.data();
  if (!map.factors.conductivity.empty()) level.conductivity_factor = map.factors.conductivity.values.data();
  for (const std::uint8_t label : map.labels.values) level.used[label] = true;

  const std::size_t count = level.grid.count();
  level.rate.assign(count, Real(0));
  level.source.assign(count, Real(0));
  if (level.table.has_phases) level.theta.assign(count, Real(0));
  level.theta_blood = Real(problem.blood.temperature_degC - kReference_degC);

  const double blood = problem.blood.density_kg_per_m3 * problem.blood.specific_heat_J_per_kg_K;
  std::array<double, 256> capacity{}, blood_flow{}, start{};
  level.tissue = std::make_unique<TissueConstants<Real>>();
  const auto property = [&](CellProperty<Real>& of, const Real* by_label, bool own) {
    of.label = level.label;
    of.by_label = by_label;
    if (own || by_cell) of.by_cell.assign(count, Real(0));
  };
  bool perfusion_changes = false;
  for (std::size_t n = 0; n < map.tissues.size(); ++n) {
    const Tissue& t = map.tissues[n];
    capacity[n] = t.density_kg_per_m3 * t.specific_heat_J_per_kg_K;
    blood_flow[n] = t.perfusion_per_s * blood;
    start[n] = u_of_theta(t, problem.initial_degC - kReference_degC);
    if (level.used[n] && t.perfusion_per_s > 0) {
      level.perfused = true;
      perfusion_changes = perfusion_changes || t.frozen || has_rule(t.perfusion_rule);
    }
    // A cell that melts or freezes within a step is as stiff as its ice.
    level.steepest[n] = std::max(level.table.frozen_slope[n], Real(1));
    level.steepest_below[n] = level.table.u_liquid[n];
  }
  const CellFactors& factors = map.factors;
  TissueConstants<Real>& tissue = *level.tissue;
  property(level.inverse_capacity, tissue.inverse_capacity, !factors.heat_capacity.empty());
  property(level.perfusion, tissue.perfusion, !factors.perfusion.empty() || perfusion_changes);
  property(level.resistivity, tissue.resistivity, !factors.conductivity.empty() || level.table.varies_with_T);
  for (std::size_t n = 0; n < map.tissues.size(); ++n) {
    tissue.inverse_capacity[n] = Real(1 / capacity[n]);
    tissue.perfusion[n] = Real(blood_flow[n]);
    tissue.resistivity[n] = Real(1) / conductivity(level.table, int(n), Real(start[n]));
    tissue.conductance[n] = Real(1) / (tissue.resistivity[n] + tissue.resistivity[n]);
  }
  std::vector<Real>& u = level.y[0];
  u.resize(count);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::ptrdiff_t cell = 0; cell < std::ptrdiff_t(count); ++cell) {
    const auto c = std::size_t(cell);
    const std::uint8_t label = level.label[c];
    if (!level.inverse_capacity.by_cell.empty()) {
      const double factor = factors.heat_capacity.empty() ? 1 : double(factors.heat_capacity[c]);
      level.inverse_capacity.by_cell[c] = Real(1 / (capacity[label] * factor));
    }
    if (!level.perfusion.by_cell.empty()) {
      double w = blood_flow[label];
      if (!factors.perfusion.empty()) w *= double(factors.perfusion[c]);
      level.perfusion.by_cell[c] = Real(w);
    }
    u[c] = Real(problem.initial_field.empty()
                    ? start[label]
                    : u_of_theta(map.tissues[label], double(problem.initial_field[c]) - kReference_degC));
  }
  level.y[1] = u;
  level.y[2] = u;
  set_boundary(level, problem.boundary);
  level.scratch.assign(2 * kernel_scratch(level.grid.size.data()) * std::size_t(threads), Real(0));
  level.plane_findings.assign(std::size_t(level.grid.size[2]), {});
  level.plane_flows.assign(std::size_t(level.grid.size[2]), {});
  level.next_flows = level.plane_flows;

  level.can_rest = starts_at_rest(problem, level.used);
  level.theta_rest = Real(problem.initial_degC - kReference_degC);
  level.rows = make_active_rows(level.grid.size, true);
  find_blocks(level, problem);
  // Cells at rest are read by their neighbours: their properties must be there from the start.
  HeatView<Real> all = view_of(level, level.y[0]);
  run_properties(all, level.theta.empty() ? nullptr : level.theta.data(),
                 level.resistivity.by_cell.empty() ? nullptr : level.resistivity.by_cell.data(), threads);
  if (!level.blocks.empty() && is_constant(level, problem)) find_weights(level);
  if (level.can_rest) level.rows = make_active_rows(level.grid.size, false);
  if (level.can_rest) level.rows.unit = kBlockCells;  // a block is worked on as a whole
  return level;
}

template <class Real>
void exchange_state(Archive& archive, HeatLevel<Real>& level) {
  std::vector<Real>& state = level.y[std::size_t(level.now)];
  archive(state, level.rate, level.theta, level.resistivity.by_cell, level.perfusion.by_cell, level.source,
          level.heating, level.rows, level.hole, level.correctable);
  if (!archive.reading()) return;
  // Of the stages only the cells that are not stepped are read before they are written.
  for (std::vector<Real>& stage : level.y)
    if (&stage != &state) stage = state;
}

template <class Real>
void update_properties(HeatLevel<Real>& level, const std::vector<Real>& u) {
  if (level.rows.empty()) return;
  Real* theta = level.theta.empty() ? nullptr : level.theta.data();
  Real* resistivity = level.table.varies_with_T ? level.resistivity.by_cell.data() : nullptr;
  if (theta != nullptr || resistivity != nullptr)
    run_properties(view_of(level, u), theta, resistivity, level.team());
}

template <class Real>
HeatView<Real> view_of(HeatLevel<Real>& level, const std::vector<Real>& u) {
  HeatView<Real> view;
  for (std::size_t a = 0; a < 3; ++a) {
    const double h_m = level.grid.spacing_mm[Eigen::Index(a)] * 1e-3;
    view.size[a] = level.grid.size[a];
    view.low[a] = level.rows.low[a];
    view.high[a] = level.rows.high[a];
    view.scale[a] = Real(2 / (h_m * h_m));
  }
  view.row_begin = level.rows.begin.data();
  view.row_end = level.rows.end.data();
  static_assert(sizeof(ActiveRows::Reach) == 4 * sizeof(std::int32_t));
  view.row_reach = level.rows.reach.empty() ? nullptr : &level.rows.reach.front().read_begin;
  view.cells_below = level.rows.cells_below.data();
  view.rest_takes_heat = level.can_rest;
  view.u = u.data();
  view.theta = level.theta_of(u);
  view.resistivity = level.resistivity.cells();
  view.inverse_capacity = level.inverse_capacity.cells();
  view.perfusion = level.perfusion.cells();
  view.perfused = level.perfused;
  view.tissue = level.tissue.get();
  view.heating = level.heating.empty() ? level.source.data() : level.heating.data();
  view.theta_blood = level.theta_blood;
  view.table = &level.table;
  view.label = level.label;
  view.factor = level.conductivity_factor;
  view.has_phases = level.table.has_phases;
  view.varies_with_T = level.table.varies_with_T;
  view.blocks = level.blocks.empty() ? nullptr : level.blocks.data();
  view.weights_at = level.weights_at.empty() ? nullptr : level.weights_at.data();
  view.weights = level.weights.data();
  std::copy(level.ghost_theta.begin(), level.ghost_theta.end(), view.ghost_theta);
  std::copy(level.ghost_resistivity.begin(), level.ghost_resistivity.end(), view.ghost_resistivity);
  view.ghost_rows = level.ghost_rows.data();
  view.hole = level.hole.empty() ? nullptr : level.hole.data();
  view.fix = level.fixes.view();
  view.plane_flows = level.plane_flows.data();
  return view;
}

template <class Real>
void fill_resting(const HeatLevel<Real>& level, std::vector<Real>& values, Real value) {
  const auto& size = level.grid.size;
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j) {
      const auto cells = values.begin() + std::ptrdiff_t(level.grid.index(0, j, k));
      const std::size_t row = level.rows.row(j, k);
      const bool none = level.rows.end[row] <= level.rows.begin[row];
      std::fill(cells, cells + (none ? size[0] : level.rows.begin[row]), value);
      if (!none) std::fill(cells + level.rows.end[row], cells + size[0], value);
    }
}

template <class Real>
LevelFlows flows_of(const HeatLevel<Real>& level, const std::vector<PlaneFlows>& planes) {
  LevelFlows sum;
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k) {
    const PlaneFlows& plane = planes[std::size_t(k)];
    sum.blood_W += plane.blood;
    sum.boundary_out_W += plane.boundary_out;
    sum.wall_in_W += plane.wall_in;
    sum.rest_out_W += plane.rest_out;
  }
  const double volume = level.cell_volume_m3();
  return {sum.blood_W * volume, sum.boundary_out_W * volume, sum.wall_in_W * volume, sum.rest_out_W * volume};
}

template <class Real>
double stored_J(const HeatLevel<Real>& level) {
  const std::vector<Real>& u = level.y[std::size_t(level.now)];
  const Real start = level.can_rest ? level.theta_rest : Real(0);
  std::vector<double> planes(std::size_t(level.grid.size[2]), 0.0);
#pragma omp parallel for num_threads(level.threads) schedule(static)
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k) {
    double plane = 0;
    for (int j = level.rows.low[1]; j < level.rows.high[1]; ++j) {
      const std::size_t row = level.rows.row(j, k);
      for (int i = level.rows.begin[row]; i < level.rows.end[row]; ++i) {
        const std::size_t c = level.grid.index(i, j, k);
        if (!level.is_out(c)) plane += double(u[c] - start) / double(level.inverse_capacity[c]);
      }
    }
    planes[std::size_t(k)] = plane;
  }
  double sum = 0;
  for (const double plane : planes) sum += plane;
  return sum * level.cell_volume_m3();
}

#define SPINETHERM_INSTANTIATE(Real)                                                    \
  template struct Fixes<Real>;                                                          \
  template HeatLevel<Real> make_level(const ThermalProblem&, int, bool);                \
  template void exchange_state(Archive&, HeatLevel<Real>&);                             \
  template void update_properties(HeatLevel<Real>&, const std::vector<Real>&);          \
  template HeatView<Real> view_of(HeatLevel<Real>&, const std::vector<Real>&);          \
  template void fill_resting(const HeatLevel<Real>&, std::vector<Real>&, Real);         \
  template LevelFlows flows_of(const HeatLevel<Real>&, const std::vector<PlaneFlows>&); \
  template double stored_J(const HeatLevel<Real>&);
SPINETHERM_INSTANTIATE(float)
SPINETHERM_INSTANTIATE(double)
#undef SPINETHERM_INSTANTIATE

}  // namespace spinetherm
