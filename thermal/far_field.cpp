// SPDX-License-Identifier: Apache-2.0
#include "thermal/far_field.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>
#include <variant>

#include "thermal/archive.h"
#include "thermal/cryo.h"
#include "thermal/parts_mean.h"
#include "thermal/tissue_law.h"
#include "thermal/tissue_table.h"

namespace spinetherm {
namespace {

/// Far cells that are left outside the box: one to flow to, one beyond it, one more.
constexpr int kRim = 3;
/// The box ends this far from applicators and strong sources at first [mm], and grows by as many far cells
/// where tissue at its faces is warmer or colder than rest by so many kelvins. Choices.
constexpr double kMargin_mm = 8;
constexpr int kGrowth = 3;
constexpr double kNearWarm_K = 5, kNearCold_K = 20;
/// Windows with fewer cells along an edge are stepped as they are.
constexpr int kFewest = 40;
/// Weights of the last cell of the box, the far cell and the one beyond it in the halo: the parabola through
/// -1/2, 1 and 3 at 1/2, in window cells from the face; without the last one, the line.
constexpr double kInner = 5.0 / 21, kFar = 5.0 / 6, kBeyond = -1.0 / 14, kInnerLine = 1.0 / 3;

}  // namespace

template <class Real>
bool FarField<Real>::applies(const ThermalProblem& problem, const BioheatOptions& options,
                             const HeatLevel<Real>& window) {
  if (!options.coarse_far_field || !window.can_rest || window.theta_rest != 0) return false;
  for (const int n : window.grid.size)
    if (n < kFewest) return false;
  for (const Source& s : problem.sources) {
    if (!s.scale.empty()) return false;
    const bool bounded = std::visit(
        [](const auto& what) {
          using What = std::decay_t<decltype(what)>;
          return std::is_same_v<What, VolumetricSource> || std::is_same_v<What, FixedTemperatureSource> ||
                 std::is_same_v<What, ElectrodesSource> || std::is_same_v<What, CryoprobeSource> ||
                 std::is_same_v<What, AntennaSource> || std::is_same_v<What, LightSource>;
        },
        s.what);
    if (!bounded) return false;
  }
  const std::vector<Box> near = near_boxes(problem);
  const Grid far = far_grid(window.grid);
  const BoxOfCells most = largest(far.size, window.grid.size);
  for (const Box& b : near)
    for (std::size_t a = 0; a < 3; ++a) {
      const double low = far.to_index(b.min_mm)[Eigen::Index(a)],
                   high = far.to_index(b.max_mm)[Eigen::Index(a)];
      if (!(low >= most.low[a] + 0.5 && high <= most.high[a] - 1.5)) return false;
    }
  return !near.empty();
}

template <class Real>
typename FarField<Real>::BoxOfCells FarField<Real>::largest(const Cell& far_size, const Cell& window_size) {
  BoxOfCells most;
  for (std::size_t a = 0; a < 3; ++a) {
    most.low[a] = kRim;
    // The last far cell may reach beyond the window.
    most.high[a] = std::min(far_size[a] - kRim, window_size[a] / kFarRatio - kRim);
  }
  return most;
}

template <class Real>
FarField<Real>::FarField(const ThermalProblem& window, const BioheatOptions& options, int threads,
                         double rest_K, double horizon_s)
    : problem(far_problem(window)),
      run(problem, options, threads, nothing_, rest_K, horizon_s),
      dose(problem, run.level),
      window_problem_(window),
      scale_s_(window.sources.size(), 0.0),
      units_(window.sources.size()) {
  run.level.covered.assign(run.level.grid.count(), 0);
  run.level.heating.assign(run.level.grid.count(), Real(0));
}

template <class Real>
typename FarField<Real>::BoxOfCells FarField<Real>::needed(const HeatLevel<Real>& window) const {
  const Grid& far = run.level.grid;
  const BoxOfCells most = largest(far.size, window.grid.size);
  BoxOfCells box{far.size, {0, 0, 0}};
  for (const Box& b : near_boxes(window_problem_)) {
    const Eigen::Vector3d low = far.to_index(b.min_mm - Eigen::Vector3d::Constant(kMargin_mm)),
                          high = far.to_index(b.max_mm + Eigen::Vector3d::Constant(kMargin_mm));
    for (std::size_t a = 0; a < 3; ++a) {
      const auto axis = Eigen::Index(a);
      box.low[a] = std::min(box.low[a], int(std::floor(low[axis] + 0.5)));
      box.high[a] = std::max(box.high[a], int(std::floor(high[axis] + 0.5)) + 1);
    }
  }
  for (std::size_t a = 0; a < 3; ++a) {
    box.low[a] = std::max(box.low[a], most.low[a]);
    box.high[a] = std::min(box.high[a], most.high[a]);
  }
  return box;
}

template <class Real>
void FarField<Real>::set_box(LevelRun<Real>& window, const BoxOfCells& box, const std::vector<bool>& on,
                             bool first) {
  box_ = box;
  HeatLevel<Real>& far = run.level;
  Cell low{}, high{};
  for (int k = box.low[2]; k < box.high[2]; ++k)
    for (int j = box.low[1]; j < box.high[1]; ++j)
      std::fill_n(far.covered.begin() + std::ptrdiff_t(far.grid.index(box.low[0], j, k)),
                  box.high[0] - box.low[0], std::uint8_t(1));
  for (std::size_t a = 0; a < 3; ++a) {
    low[a] = box.low[a] - kRim;
    high[a] = box.high[a] + kRim;
  }
  const RowStretches before = far.rows.stretches();
  if (far.can_rest && include_box(far.rows, low, high)) dose.join(far, far.rows, before, run.t_s);
  run.wall_in_J -= run.bodies.switch_to(far, nullptr, on, run.t_s, first);
  // Shafts with a coolant reach out of the near box.
  const RowStretches around = far.rows.stretches();
  if (Cell from{}, to{};
      far.can_rest && run.bodies.surroundings(far.grid, from, to) && include_box(far.rows, from, to))
    dose.join(far, far.rows, around, run.t_s);
  for (std::size_t a = 0; a < 3; ++a) {
    low[a] = box.low[a] * kFarRatio;
    high[a] = box.high[a] * kFarRatio;
  }
  include_box(window.level.rows, low, high);
  find_faces(window);
}

template <class Real>
void FarField<Real>::find_faces(const LevelRun<Real>& window) {
  const Grid &fine = window.level.grid, &far = run.level.grid;
  const std::array<std::int32_t, 3> step{1, fine.size[0], fine.size[0] * fine.size[1]};
  const std::array<std::uint32_t, 3> stride{1, std::uint32_t(far.size[0]),
                                            std::uint32_t(far.size[0]) * std::uint32_t(far.size[1])};
  faces_.clear();
  halo_.clear();
  for (int axis = 0; axis < 3 && !alone_; ++axis)
    for (const int side : {-1, 1}) {
      const auto a = std::size_t(axis), b = std::size_t((axis + 1) % 3), c = std::size_t((axis + 2) % 3);
      const double h_m = fine.spacing_mm[axis] * 1e-3;
      for (int q = box_.low[c]; q < box_.high[c]; ++q)
        for (int p = box_.low[b]; p < box_.high[b]; ++p) {
          Cell at{};
          at[a] = side < 0 ? box_.low[a] - 1 : box_.high[a];
          at[b] = p;
          at[c] = q;
          Face f;
          f.axis = axis;
          f.side = side;
          f.far = std::uint32_t(far.index(at[0], at[1], at[2]));
          f.beyond = side < 0 ? f.far - stride[a] : f.far + stride[a];
          f.before = {f.far - stride[b], f.far - stride[c]};
          f.after = {f.far + stride[b], f.far + stride[c]};
          Cell halo{};
          for (std::size_t n = 0; n < 3; ++n) halo[n] = at[n] * kFarRatio;
          if (side < 0) halo[a] += kFarRatio - 1;
          f.halo = std::uint32_t(fine.index(halo[0], halo[1], halo[2]));
          f.inward = -side * step[a];
          f.along = {step[b], step[c]};
          f.scale = Real(2 / (h_m * h_m) / (kFarRatio * kFarRatio * kFarRatio));
          faces_.push_back(f);
        }
    }
  // What applicators of the window close of them.
  const std::vector<BodyLinks::Face>& links = window.bodies.links().faces;
  for (Face& f : faces_)
    for (std::size_t m = 0; m < 4; ++m) {
      const std::size_t halo = f.halo_cell(m), in = f.inner_cell(m);
      if (window.level.is_hole(in) || window.level.is_hole(halo)) f.open[m] = 0;
      for (auto l = std::ranges::lower_bound(links, in, {}, &BodyLinks::Face::cell);
           l != links.end() && l->cell == in; ++l)
        if (l->axis == f.axis && l->side == f.side) f.open[m] = Real(l->open);
    }
  flow_.assign(faces_.size(), Real(0));
  flow_now_ = flow_;
  flow_s_.assign(faces_.size(), 0.0);
  pending_s_ = mean_flow_ = flow_s_;
}

template <class Real>
void FarField<Real>::switch_to(LevelRun<Real>& window, const std::vector<bool>& on, bool first) {
  on_ = on;
  if (first) {
    set_box(window, needed(window.level), on, true);
  } else {
    run.wall_in_J -= run.bodies.switch_to(run.level, nullptr, on, run.t_s, false);
    const std::vector<double> mean = mean_flow_;
    const std::vector<Real> now = flow_now_;
    find_faces(window);
    mean_flow_ = mean;
    flow_now_ = now;
  }
  run.input.switch_to(run.level, on, false);
  for (std::vector<float>& unit : units_) unit.clear();
  run.control.restart();
}

/// As PatchLink::longest_turn_s(): the halo follows the far cell by kFar of its change.
template <class Real>
double FarField<Real>::longest_turn_s(const HeatLevel<Real>& window) const {
  double most = 0;
  for (const Face& f : faces_) {
    double sum = 0;
    for (std::size_t m = 0; m < 4; ++m) {
      const std::size_t halo = f.halo_cell(m), in = f.inner_cell(m);
      sum += double(f.open[m]) / double(window.resistivity[in] + window.resistivity[halo]);
    }
    most = std::max(most, sum * double(f.scale) * kFar * double(run.level.inverse_capacity[f.far]));
  }
  return most > 0 ? 1 / most : HUGE_VAL;
}

template <class Real>
void FarField<Real>::begin_turn(double end_s) {
  halo_.clear();
  turn_begin_s_ = run.t_s;
  turn_end_s = end_s;
  following_ = false;
  std::ranges::fill(flow_s_, 0.0);
  std::ranges::fill(scale_s_, 0.0);
  // The rates are those of the mean flows of the last turn.
  for (std::size_t n = 0; n < faces_.size(); ++n) {
    const std::size_t c = faces_[n].far;
    if (!run.level.is_out(c))
      run.level.rate[c] += Real(double(flow_now_[n]) - mean_flow_[n]) * run.level.inverse_capacity[c];
    mean_flow_[n] = double(flow_now_[n]);
  }
}

template <class Real>
void FarField<Real>::begin_step(double present_s) {
  for (std::size_t n = 0; n < faces_.size(); ++n) pending_s_[n] = present_s * double(flow_now_[n]);
}

template <class Real>
void FarField<Real>::find_halo() {
  const HeatLevel<Real>& far = run.level;
  const Real* state = far.y[std::size_t(far.now)].data();
  const Real* rate = far.rate.data();
  halo_.resize(4 * faces_.size());
  const auto count = std::ptrdiff_t(faces_.size());
#pragma omp parallel for num_threads(far.threads) schedule(static)
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    const Face& f = faces_[std::size_t(n)];
    const bool closed = far.is_hole(f.far), line = far.is_hole(f.beyond);
    // Of the far cell and the one beyond; along the face by quarters of a far cell, where both neighbours
    // count.
    const Real weight = closed ? Real(0) : line ? Real(1 - kInnerLine) : Real(kFar);
    const Real weight_beyond = closed || line ? Real(0) : Real(kBeyond);
    const auto along = [&](std::size_t b, const Real* values) {
      const bool known = !far.is_hole(f.before[b]) && !far.is_hole(f.after[b]) &&
                         far.covered[f.before[b]] == 0 && far.covered[f.after[b]] == 0;
      return known ? (values[f.after[b]] - values[f.before[b]]) / 8 : Real(0);
    };
    const auto at = [&](std::size_t m, const Real* values) {
      const Real b = along(0, values), c = along(1, values);
      const Real off = ((m & 1) != 0 ? b : -b) + ((m >> 1) != 0 ? c : -c);
      return weight * values[f.far] + weight_beyond * values[f.beyond] + (weight + weight_beyond) * off;
    };
    for (std::size_t m = 0; m < 4; ++m) {
      HaloCell& h = halo_[4 * std::size_t(n) + m];
      h.cell = std::uint32_t(f.halo_cell(m));
      h.in = std::uint32_t(f.inner_cell(m));
      h.inner = closed ? Real(1) : line ? Real(kInnerLine) : Real(kInner);
      h.base = at(m, state);
      h.per_s = at(m, rate);
      h.open = closed ? Real(0) : f.open[m] * f.scale;
    }
  }
}

template <class Real>
void FarField<Real>::set(HeatLevel<Real>& window, double t_s, std::vector<Real>& u, bool arrays) {
  if (halo_.empty()) find_halo();
  const auto since = Real(t_s - run.t_s);
  const TissueTable<Real>& table = window.table;
  const bool varies = table.varies_with_T;
  const float* factor = window.conductivity_factor;
  const std::uint8_t* label = window.label;
  Real* values = u.data();
  std::vector<Real>& resistivity = window.resistivity.by_cell;
  Real* thetas = arrays && !window.theta.empty() ? window.theta.data() : nullptr;
  const auto count = std::ptrdiff_t(faces_.size());
#pragma omp parallel for num_threads(window.team()) schedule(static)
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    Real sum = 0;
    for (std::ptrdiff_t m = 4 * n; m < 4 * n + 4; ++m) {
      const HaloCell h = halo_[std::size_t(m)];
      Real theta_in = values[h.in], theta = h.inner * theta_in + (h.base + since * h.per_s);
      values[h.cell] = theta;
      const bool calm =
          std::min(theta, theta_in) > table.calm_from && std::max(theta, theta_in) < table.calm_to;
      if (!calm) {
        theta = theta_of_u(table, label[h.cell], theta);
        theta_in = theta_of_u(table, label[h.in], theta_in);
      }
      Real g;  // 1/(r + r')
      if (varies) {
        const auto k_of = [&](std::size_t c, Real t) {
          const Real k = calm ? calm_conductivity(table, label[c], t) : conductivity(table, label[c], t);
          return factor != nullptr ? k * Real(factor[c]) : k;
        };
        const Real k = k_of(h.cell, theta), k_in = k_of(h.in, theta_in);
        g = k * k_in / (k + k_in);
        if (arrays) resistivity[h.cell] = Real(1) / k;
      } else {
        g = 1 / (window.resistivity[h.cell] + window.resistivity[h.in]);
      }
      if (thetas != nullptr) thetas[h.cell] = theta;
      sum += h.open * ((theta_in - theta) * g);
    }
    flow_[std::size_t(n)] = sum;
  }
}

template <class Real>
void FarField<Real>::weigh(double weight_s) {
  for (std::size_t n = 0; n < faces_.size(); ++n) pending_s_[n] += weight_s * double(flow_[n]);
}

template <class Real>
void FarField<Real>::count(const std::vector<UnitHeating>& electric, double dt_s) {
  for (std::size_t n = 0; n < faces_.size(); ++n) flow_s_[n] += pending_s_[n];
  for (const auto& e : electric) scale_s_[e.drive] += e.scale * dt_s;
}

template <class Real>
typename FarField<Real>::Step FarField<Real>::follow(const HeatLevel<Real>& window,
                                                     const std::vector<UnitHeating>& electric,
                                                     bool new_fields, const Progress& progress) {
  halo_.clear();
  HeatLevel<Real>& far = run.level;
  if (!following_) {
    following_ = true;
    const double turn_s = turn_end_s - turn_begin_s_;
    std::vector<UnitHeating> mean = electric;
    for (auto& e : mean) {
      std::vector<float>& unit = units_[e.drive];
      if (new_fields || unit.empty()) {
        unit.assign(far.grid.count(), 0);
        for_far_parts(window.grid, far.grid,
                      [&](std::size_t f, std::size_t c) { unit[f] += e.unit_W_per_m3[c] / 8; });
      }
      e.unit_W_per_m3 = unit.data();
      e.scale = scale_s_[e.drive] / turn_s;
    }
    const RowStretches before = far.rows.stretches();
    run.heating_W = run.input.apply(far, mean, run.bodies.links().ghosts, new_fields);
    if (far.rows != before) dose.join(far, far.rows, before, run.t_s);
    far.heating = far.source;
    for (std::size_t n = 0; n < faces_.size(); ++n) {
      const std::size_t c = faces_[n].far;
      mean_flow_[n] = flow_s_[n] / turn_s;
      if (!far.is_hole(c)) far.heating[c] += Real(mean_flow_[n] * double(far.inverse_capacity[c]));
    }
    run.refresh_rates();
  }
  const Step step = run.step(turn_end_s, 1, progress);
  if (step.outcome != LevelRun<Real>::Outcome::accepted) return step;
  last_dose = dose.add_step(far, run.state_before(), run.rate_before(), step.dt_s, run.t_s);
  run.flows.blood_W += last_dose.blood_change_W;
  run.restore_rest();
  run.correct();
  const RowStretches before = far.rows.stretches();
  if (run.grow_rows(4)) {
    dose.join(far, far.rows, before, run.t_s);
    run.refresh_rates();
  }
  return step;
}

template <class Real>
void FarField<Real>::average(const HeatLevel<Real>& window) {
  HeatLevel<Real>& far = run.level;
  std::vector<Real>& u = far.y[std::size_t(far.now)];
  const Real* theta = window.theta_now();
  for (int k = box_.low[2]; k < box_.high[2]; ++k)
    for (int j = box_.low[1]; j < box_.high[1]; ++j)
      for (int i = box_.low[0]; i < box_.high[0]; ++i) {
        Real sum = 0;
        int open = 0;
        for (int m = 0; m < 8; ++m) {
          const std::size_t c = window.grid.index(i * kFarRatio + (m & 1), j * kFarRatio + (m >> 1 & 1),
                                                  k * kFarRatio + (m >> 2));
          if (window.is_hole(c)) continue;
          sum += theta[c];
          ++open;
        }
        if (open > 0) u[far.grid.index(i, j, k)] = sum / Real(open);
      }
}

template <class Real>
double FarField<Real>::between(const auto& values, const Cell& at) const {
  const Grid& grid = run.level.grid;
  std::array<std::array<int, 2>, 3> cell{};
  for (std::size_t a = 0; a < 3; ++a) {
    const int own = at[a] / kFarRatio;
    cell[a] = {own, std::clamp(at[a] % kFarRatio == 0 ? own - 1 : own + 1, 0, grid.size[a] - 1)};
  }
  double sum = 0, weights = 0;
  for (std::size_t m = 0; m < 8; ++m) {
    const std::size_t c = grid.index(cell[0][m & 1], cell[1][m >> 1 & 1], cell[2][m >> 2]);
    const auto value = double(values[c]);
    if (run.level.is_hole(c) || std::isnan(value)) continue;
    const double w =
        ((m & 1) != 0 ? 0.25 : 0.75) * ((m >> 1 & 1) != 0 ? 0.25 : 0.75) * ((m >> 2) != 0 ? 0.25 : 0.75);
    sum += w * value;
    weights += w;
  }
  if (weights > 0) return sum / weights;
  return double(values[grid.index(cell[0][0], cell[1][0], cell[2][0])]);
}

template <class Real>
bool FarField<Real>::grow(LevelRun<Real>& window, DoseField<Real>& window_dose) {
  HeatLevel<Real>& near = window.level;
  HeatLevel<Real>& far = run.level;
  const BoxOfCells most = largest(far.grid.size, near.grid.size);
  BoxOfCells box = box_;
  const Real* theta = near.theta_now();
  for (const Face& f : faces_) {
    const std::size_t in = f.inner_cell(0);
    const bool calm = theta[in] < Real(kNearWarm_K) && theta[in] > Real(-kNearCold_K);
    if (calm || near.is_hole(in)) continue;
    const auto a = std::size_t(f.axis);
    if (f.side < 0)
      box.low[a] = std::max(box_.low[a] - kGrowth, most.low[a]);
    else
      box.high[a] = std::min(box_.high[a] + kGrowth, most.high[a]);
  }
  if (box == box_) return false;
  average(near);
  const std::vector<Real>& state = far.y[std::size_t(far.now)];
  double gained_J = 0;
  for (int k = box.low[2]; k < box.high[2]; ++k)
    for (int j = box.low[1]; j < box.high[1]; ++j)
      for (int i = box.low[0]; i < box.high[0]; ++i) {
        if (box_.holds({i, j, k})) continue;
        const std::size_t f = far.grid.index(i, j, k);
        double heat = far.is_hole(f) ? 0 : 8 * double(state[f]) / double(far.inverse_capacity[f]);
        double capacity = 0;
        const auto part = [&](int m) {
          return Cell{i * kFarRatio + (m & 1), j * kFarRatio + (m >> 1 & 1), k * kFarRatio + (m >> 2)};
        };
        for (int m = 0; m < 8; ++m) {
          const Cell at = part(m);
          const std::size_t c = near.grid.index(at[0], at[1], at[2]);
          const double u = between(state, at);
          for (auto& stage : near.y) stage[c] = Real(u);
          window_dose.take_one(dose, f, c);
          window_dose.peak[c] = float(between(dose.peak, at));
          window_dose.lowest[c] = float(between(dose.lowest, at));
          if (near.is_hole(c)) continue;
          heat -= u / double(near.inverse_capacity[c]);
          capacity += 1 / double(near.inverse_capacity[c]);
        }
        if (capacity == 0 || far.is_hole(f)) {
          gained_J -= heat * near.cell_volume_m3();
          continue;
        }
        // No heat is lost or won.
        for (int m = 0; m < 8; ++m) {
          const Cell at = part(m);
          const std::size_t c = near.grid.index(at[0], at[1], at[2]);
          if (near.is_hole(c)) continue;
          for (auto& stage : near.y) stage[c] += Real(heat / capacity);
        }
      }
  run.wall_in_J += gained_J;
  set_box(window, box, on_, false);
  far.heating = far.source;
  run.refresh_rates();
  halo_.clear();
  return true;
}

template <class Real>
void FarField<Real>::take_over(LevelRun<Real>& window, const DoseField<Real>& window_dose) {
  const HeatLevel<Real>& near = window.level;
  HeatLevel<Real>& far = run.level;
  begun_degC_.assign(far.grid.count(), std::nanf(""));
  for (int k = box_.low[2]; k < box_.high[2]; ++k)
    for (int j = box_.low[1]; j < box_.high[1]; ++j)
      for (int i = box_.low[0]; i < box_.high[0]; ++i) {
        const std::size_t f = far.grid.index(i, j, k);
        PartsMean<Real> mean(far.label[f]);
        double perfusion = 0;
        int open = 0;
        for (int m = 0; m < 8; ++m) {
          const std::size_t c = near.grid.index(i * kFarRatio + (m & 1), j * kFarRatio + (m >> 1 & 1),
                                                k * kFarRatio + (m >> 2));
          mean.add(near, c);
          if (near.is_hole(c)) continue;
          perfusion += double(near.perfusion[c]);
          if (open++ == 0) dose.take_perfusion(window_dose, near, c, far, f);
        }
        if (mean.empty()) continue;
        const auto u = Real(mean.u(problem.tissue_map.tissues));
        for (auto& stage : far.y) stage[f] = u;
        if (!far.perfusion.by_cell.empty()) far.perfusion.by_cell[f] = Real(perfusion / open);
        const double T = double(theta_of_u(far.table, far.label[f], u)) + kReference_degC;
        dose.begin_again(f, T, run.t_s);
        if (!far.is_hole(f)) begun_degC_[f] = float(T);
      }
  alone_ = true;
  std::ranges::fill(far.covered, std::uint8_t(0));
  find_faces(window);
  run.wall_in_J -= run.bodies.switch_to(far, nullptr, on_, run.t_s, false);
  run.input.switch_to(far, on_, false);
  run.heating_W = run.input.apply(far, {}, run.bodies.links().ghosts, true);
  far.heating = far.source;
  run.refresh_rates();
  run.control.restart();
  window.level.rows = make_active_rows(near.grid.size, false);
}

template <class Real>
void FarField<Real>::show(HeatLevel<Real>& window) const {
  const HeatLevel<Real>& far = run.level;
  const std::vector<Real>& state = far.y[std::size_t(far.now)];
  const auto& size = window.grid.size;
#pragma omp parallel for num_threads(window.threads) schedule(static)
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j) {
      const std::size_t f0 = far.grid.index(0, j / kFarRatio, k / kFarRatio), c0 = window.grid.index(0, j, k);
      const std::size_t row = window.rows.row(j, k);
      for (int i = 0; i < size[0]; ++i) {
        if (i == window.rows.begin[row] && window.rows.end[row] > i) i = window.rows.end[row];
        if (i >= size[0]) break;
        const std::size_t c = c0 + std::size_t(i);
        if (window.is_hole(c)) continue;
        const Real u = state[f0 + std::size_t(i / kFarRatio)];
        for (auto& stage : window.y) stage[c] = u;
        window.rate[c] = u;  // it changes places with the stages
        if (!window.theta.empty()) window.theta[c] = u;
      }
    }
}

/// What has come since the far cells took over is added to what the box had by then: dose, and how far
/// temperature has gone on to rise or fall, in cells where it did by then. The others have had their extreme:
/// what the larger cells would add is the step from one size to another.
template <class Real>
void FarField<Real>::finish_box(const HeatLevel<Real>& window, DoseField<Real>& window_dose) {
  const auto& size = window.grid.size;
  const Real* theta = window.theta_now();
  // Unknown outside of the box and inside applicators, which take no part in the means.
  std::vector<float> rise = begun_degC_, fall = begun_degC_, gain = begun_degC_;
  for (std::size_t f = 0; f < rise.size(); ++f) {
    if (std::isnan(begun_degC_[f])) continue;
    rise[f] = dose.peak[f] - begun_degC_[f];
    fall[f] = dose.lowest[f] - begun_degC_[f];
    gain[f] = dose.cem43[f];
  }
#pragma omp parallel for num_threads(window.threads) schedule(static)
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = 0; i < size[0]; ++i) {
        const Cell at{i, j, k}, own{i / kFarRatio, j / kFarRatio, k / kFarRatio};
        const std::size_t c = window.grid.index(i, j, k);
        if (!box_.holds(own) || window.is_hole(c)) continue;
        const double begun_degC = double(theta[c]) + kReference_degC;
        const bool rises = window.rate[c] > 0, falls = window.rate[c] < 0;
        window_dose.add_one(dose, run.level.grid.index(own[0], own[1], own[2]), c,
                            {between(gain, at), begun_degC + (rises ? between(rise, at) : 0),
                             begun_degC + (falls ? between(fall, at) : 0)});
      }
}

template <class Real>
void FarField<Real>::finish(HeatLevel<Real>& window, DoseField<Real>& window_dose) {
  dose.finish(run.level, run.t_s);
  if (alone_)
    finish_box(window, window_dose);
  else
    average(window);
  HeatLevel<Real>& far = run.level;
  // For the slopes beside the box.
  for (int k = box_.low[2]; k < box_.high[2]; ++k)
    for (int j = box_.low[1]; j < box_.high[1]; ++j)
      for (int i = box_.low[0]; i < box_.high[0]; ++i) {
        const std::size_t f = far.grid.index(i, j, k),
                          c = window.grid.index(i * kFarRatio, j * kFarRatio, k * kFarRatio);
        dose.peak[f] = window_dose.peak[c];
        dose.lowest[f] = window_dose.lowest[c];
        dose.cem43[f] = window_dose.cem43[c];
      }
  const std::span<const Real> thetas(alone_ ? far.theta_now() : far.y[std::size_t(far.now)].data(),
                                     far.grid.count());
  std::vector<Real>& u = window.y[std::size_t(window.now)];
  const std::vector<Tissue>& tissues = window_problem_.tissue_map.tissues;
  const auto& size = window.grid.size;
#pragma omp parallel for num_threads(window.threads) schedule(static)
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = 0; i < size[0]; ++i) {
        const Cell at{i, j, k}, own{i / kFarRatio, j / kFarRatio, k / kFarRatio};
        const bool in_box = box_.holds(own);
        if (in_box && !alone_) continue;
        const std::size_t c = window.grid.index(i, j, k), f = far.grid.index(own[0], own[1], own[2]);
        if (window.is_hole(c)) continue;
        const double theta = between(thetas, at);
        u[c] = Real(in_box ? u_of_theta(tissues[window.label[c]], theta) : theta);
        if (!window.theta.empty()) window.theta[c] = Real(theta);
        if (in_box) continue;
        window_dose.take_one(dose, f, c);
        window_dose.peak[c] = float(between(dose.peak, at));
        window_dose.lowest[c] = float(between(dose.lowest, at));
        window_dose.cem43[c] = float(between(dose.cem43, at));
      }
}

template <class Real>
void FarField<Real>::exchange_state(Archive& archive, LevelRun<Real>& window, const std::vector<bool>& on) {
  archive(box_, alone_, begun_degC_, run.level.covered);
  on_ = on;
  run.exchange_state(archive, on);
  if (archive.reading()) find_faces(window);
  halo_.clear();
  archive(dose, turn_begin_s_, turn_end_s, following_, flow_, flow_now_, flow_s_, mean_flow_, scale_s_,
          units_);
}

template class FarField<float>;
template class FarField<double>;

}  // namespace spinetherm
