// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_level.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thermal/tissue_law.h"

namespace spinetherm {
namespace {

template <class Real>
void set_boundary(HeatLevel<Real>& level, const std::array<Boundary, 6>& boundary) {
  const auto nx = std::size_t(level.grid.size[0]);
  level.ghost_rows.assign(8 * nx, Real(0));
  for (std::size_t f = 0; f < 6; ++f) {
    const Boundary& b = boundary[f];
    const double h_m = level.grid.spacing_mm[Eigen::Index(f / 2)] * 1e-3;
    level.ghost_theta[f] = b.kind == BoundaryKind::insulated ? Real(0) : Real(b.degC - kReference_degC);
    double r = std::numeric_limits<double>::infinity();
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

}  // namespace

template <class Real>
FixView<Real> Fixes<Real>::view() const {
  if (hole_begin.empty()) return {};
  return {face_begin.data(), faces.data(),      wall_begin.data(), walls.data(),
          wall_theta.data(), hole_begin.data(), holes.data()};
}

template <class Real>
HeatLevel<Real> make_level(const ThermalProblem& problem, int threads) {
  HeatLevel<Real> level;
  const TissueMap& map = problem.tissue_map;
  level.grid = problem.grid();
  level.threads = threads;
  level.table = make_tissue_table<Real>(map.tissues);
  level.label = map.labels.values.data();
  if (!map.factors.conductivity.empty()) level.conductivity_factor = map.factors.conductivity.values.data();
  for (const std::uint8_t label : map.labels.values) level.used[label] = true;

  const std::size_t count = level.grid.count();
  for (auto& stage : level.y) stage.assign(count, Real(0));
  level.rate.assign(count, Real(0));
  level.resistivity.assign(count, Real(0));
  level.inverse_capacity.assign(count, Real(0));
  level.perfusion.assign(count, Real(0));
  level.source.assign(count, Real(0));
  if (level.table.has_phases) level.theta.assign(count, Real(0));
  level.theta_blood = Real(problem.blood.temperature_degC - kReference_degC);

  const double blood = problem.blood.density_kg_per_m3 * problem.blood.specific_heat_J_per_kg_K;
  std::array<double, 256> capacity{}, blood_flow{}, start{};
  for (std::size_t n = 0; n < map.tissues.size(); ++n) {
    const Tissue& t = map.tissues[n];
    capacity[n] = t.density_kg_per_m3 * t.specific_heat_J_per_kg_K;
    blood_flow[n] = t.perfusion_per_s * blood;
    start[n] = u_of_theta(t, problem.initial_degC - kReference_degC);
    if (level.used[n] && t.perfusion_per_s > 0) level.perfused = true;
    // A cell that melts or freezes within a step is as stiff as its ice.
    level.steepest[n] = std::max(level.table.frozen_slope[n], Real(1));
    level.steepest_below[n] = level.table.u_liquid[n];
    level.boils_to[n] = level.table.u_boil[n] + level.table.boil_width[n];
  }
  for (std::size_t c = 0; c < count; ++c) {
    const std::uint8_t label = level.label[c];
    const double factor = map.factors.heat_capacity.empty() ? 1 : double(map.factors.heat_capacity[c]);
    level.inverse_capacity[c] = Real(1 / (capacity[label] * factor));
    double w = blood_flow[label];
    if (!map.factors.perfusion.empty()) w *= double(map.factors.perfusion[c]);
    level.perfusion[c] = Real(w);
    const double u = problem.initial_field.empty()
                         ? start[label]
                         : u_of_theta(map.tissues[label], double(problem.initial_field[c]) - kReference_degC);
    for (auto& stage : level.y) stage[c] = Real(u);
  }
  set_boundary(level, problem.boundary);
  level.scratch.assign(kernel_scratch(level.grid.size.data()) * std::size_t(threads), Real(0));
  level.plane_findings.assign(std::size_t(level.grid.size[2]), {});
  level.plane_blood_W_per_m3.assign(std::size_t(level.grid.size[2]), 0);

  level.can_rest = starts_at_rest(problem, level.used);
  level.theta_rest = Real(problem.initial_degC - kReference_degC);
  level.low = {0, 0, 0};
  level.high = level.grid.size;
  // Cells outside the window are read by their neighbours: their properties must be there from the start.
  if (!level.table.varies_with_T || level.can_rest) {
    PropertyView<Real> all{{level.grid.size[0], level.grid.size[1], level.grid.size[2]},
                           {0, 0, 0},
                           {level.grid.size[0], level.grid.size[1], level.grid.size[2]},
                           &level.table,
                           level.label,
                           level.conductivity_factor,
                           level.y[0].data(),
                           level.theta.empty() ? nullptr : level.theta.data(),
                           level.resistivity.data()};
    run_properties(all, threads);
  }
  if (level.can_rest) level.high = level.low;
  return level;
}

template <class Real>
void update_properties(HeatLevel<Real>& level, const std::vector<Real>& u) {
  if (level.window_empty()) return;
  PropertyView<Real> view;
  for (std::size_t a = 0; a < 3; ++a) {
    view.size[a] = level.grid.size[a];
    view.low[a] = level.low[a];
    view.high[a] = level.high[a];
  }
  view.table = &level.table;
  view.label = level.label;
  view.factor = level.conductivity_factor;
  view.u = u.data();
  view.theta = level.theta.empty() ? nullptr : level.theta.data();
  view.resistivity = level.table.varies_with_T ? level.resistivity.data() : nullptr;
  if (view.theta != nullptr || view.resistivity != nullptr) run_properties(view, level.team());
}

template <class Real>
HeatView<Real> view_of(HeatLevel<Real>& level, const std::vector<Real>& u) {
  HeatView<Real> view;
  for (std::size_t a = 0; a < 3; ++a) {
    const double h_m = level.grid.spacing_mm[Eigen::Index(a)] * 1e-3;
    view.size[a] = level.grid.size[a];
    view.low[a] = level.low[a];
    view.high[a] = level.high[a];
    view.scale[a] = Real(2 / (h_m * h_m));
  }
  view.theta = level.theta_of(u);
  view.resistivity = level.resistivity.data();
  view.inverse_capacity = level.inverse_capacity.data();
  view.perfusion = level.perfused ? level.perfusion.data() : nullptr;
  view.plane_blood_W_per_m3 = level.plane_blood_W_per_m3.data();
  view.heating = level.heating.empty() ? level.source.data() : level.heating.data();
  view.theta_blood = level.theta_blood;
  std::copy(level.ghost_theta.begin(), level.ghost_theta.end(), view.ghost_theta);
  std::copy(level.ghost_resistivity.begin(), level.ghost_resistivity.end(), view.ghost_resistivity);
  view.ghost_rows = level.ghost_rows.data();
  view.fix = level.fixes.view();
  return view;
}

template <class Real>
void include_in_window(HeatLevel<Real>& level, const std::array<int, 3>& low,
                       const std::array<int, 3>& high) {
  const bool empty = level.window_empty();
  for (std::size_t a = 0; a < 3; ++a) {
    const int l = std::max(low[a], 0), h = std::min(high[a], level.grid.size[a]);
    level.low[a] = empty ? l : std::min(level.low[a], l);
    level.high[a] = empty ? h : std::max(level.high[a], h);
  }
}

template <class Real>
bool grow_window(HeatLevel<Real>& level, int cells, double threshold_K) {
  if (!level.can_rest || level.window_empty()) return false;
  const auto threshold = Real(threshold_K);
  const std::vector<Real>& u = level.y[std::size_t(level.now)];
  const auto differs = [&](int axis, int at) {
    std::array<int, 3> l = level.low, h = level.high;
    l[std::size_t(axis)] = at;
    h[std::size_t(axis)] = at + 1;
    for (int k = l[2]; k < h[2]; ++k)
      for (int j = l[1]; j < h[1]; ++j)
        for (int i = l[0]; i < h[0]; ++i)
          if (std::abs(u[level.grid.index(i, j, k)] - level.theta_rest) > threshold) return true;
    return false;
  };
  std::array<int, 3> low = level.low, high = level.high;
  for (int a = 0; a < 3; ++a) {
    const auto s = std::size_t(a);
    if (level.low[s] > 0 && differs(a, level.low[s])) low[s] -= cells;
    if (level.high[s] < level.grid.size[s] && differs(a, level.high[s] - 1)) high[s] += cells;
  }
  const bool grows = low != level.low || high != level.high;
  include_in_window(level, low, high);
  return grows;
}

template <class Real>
void fill_outside(const HeatLevel<Real>& level, std::vector<Real>& values, Real value) {
  const auto& size = level.grid.size;
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j) {
      const auto row = values.begin() + std::ptrdiff_t(level.grid.index(0, j, k));
      const bool crosses = k >= level.low[2] && k < level.high[2] && j >= level.low[1] && j < level.high[1];
      std::fill(row, row + (crosses ? level.low[0] : size[0]), value);
      if (crosses) std::fill(row + level.high[0], row + size[0], value);
    }
}

template <class Real>
double boundary_outflow_W(const HeatLevel<Real>& level, const Real* theta) {
  if (level.window_empty()) return 0;
  double sum = 0;
  for (std::size_t f = 0; f < 6; ++f) {
    const std::size_t a = f / 2;
    const int face = f % 2 == 0 ? 0 : level.grid.size[a] - 1;
    if (std::isinf(level.ghost_resistivity[f]) || face < level.low[a] || face >= level.high[a]) continue;
    std::array<int, 3> l = level.low, h = level.high;
    l[a] = face;
    h[a] = face + 1;
    double flow = 0;
    for (int k = l[2]; k < h[2]; ++k)
      for (int j = l[1]; j < h[1]; ++j)
        for (int i = l[0]; i < h[0]; ++i) {
          const std::size_t c = level.grid.index(i, j, k);
          if (level.is_hole(c)) continue;
          flow += double(theta[c] - level.ghost_theta[f]) /
                  double(level.resistivity[c] + level.ghost_resistivity[f]);
        }
    const double h_m = level.grid.spacing_mm[Eigen::Index(a)] * 1e-3;
    sum += 2 / (h_m * h_m) * flow;
  }
  return sum * level.cell_volume_m3();
}

template <class Real>
double blood_inflow_W(const HeatLevel<Real>& level) {
  double sum = 0;
  if (level.perfused)
    for (int k = level.low[2]; k < level.high[2]; ++k) sum += level.plane_blood_W_per_m3[std::size_t(k)];
  return sum * level.cell_volume_m3();
}

template <class Real>
double wall_inflow_W(const HeatLevel<Real>& level, const Real* theta) {
  const Fixes<Real>& f = level.fixes;
  if (f.walls.empty()) return 0;
  double sum = 0;
  for (std::size_t row = 0; row + 1 < f.wall_begin.size(); ++row)
    for (std::size_t n = f.wall_begin[row]; n < f.wall_begin[row + 1]; ++n) {
      const WallFix<Real>& w = f.walls[n];
      const std::size_t c = row * std::size_t(level.grid.size[0]) + std::size_t(w.i);
      const double k_cell = 1 / double(level.resistivity[c]);
      const double k = k_cell + double(w.wall_share) * (double(w.k_wall) - k_cell);
      sum += double(w.conductance) * k * double(f.wall_theta[std::size_t(w.wall)] - theta[c]);
    }
  return sum * level.cell_volume_m3();
}

template <class Real>
double stored_J(const HeatLevel<Real>& level) {
  const std::vector<Real>& u = level.y[std::size_t(level.now)];
  const Real start = level.can_rest ? level.theta_rest : Real(0);
  double sum = 0;
  for (int k = level.low[2]; k < level.high[2]; ++k) {
    double plane = 0;
    for (int j = level.low[1]; j < level.high[1]; ++j)
      for (int i = level.low[0]; i < level.high[0]; ++i) {
        const std::size_t c = level.grid.index(i, j, k);
        if (!level.is_hole(c)) plane += double(u[c] - start) / double(level.inverse_capacity[c]);
      }
    sum += plane;
  }
  return sum * level.cell_volume_m3();
}

#define SPINETHERM_INSTANTIATE(Real)                                                                       \
  template struct Fixes<Real>;                                                                             \
  template HeatLevel<Real> make_level(const ThermalProblem&, int);                                         \
  template void update_properties(HeatLevel<Real>&, const std::vector<Real>&);                             \
  template HeatView<Real> view_of(HeatLevel<Real>&, const std::vector<Real>&);                             \
  template void include_in_window(HeatLevel<Real>&, const std::array<int, 3>&, const std::array<int, 3>&); \
  template bool grow_window(HeatLevel<Real>&, int, double);                                                \
  template void fill_outside(const HeatLevel<Real>&, std::vector<Real>&, Real);                            \
  template double boundary_outflow_W(const HeatLevel<Real>&, const Real*);                                 \
  template double blood_inflow_W(const HeatLevel<Real>&);                                                  \
  template double wall_inflow_W(const HeatLevel<Real>&, const Real*);                                      \
  template double stored_J(const HeatLevel<Real>&);
SPINETHERM_INSTANTIATE(float)
SPINETHERM_INSTANTIATE(double)
#undef SPINETHERM_INSTANTIATE

}  // namespace spinetherm
