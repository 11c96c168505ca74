// SPDX-License-Identifier: Apache-2.0
#include "thermal/dose_field.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thermal/archive.h"

namespace spinetherm {
namespace {

double cem43_rate(double T_degC, DoseBelow39 below) {
  return cem43_min(straight_step(T_degC, T_degC, 60), below);
}

/// Simpson's rule is good to 5e-5 when the rate changes by less than this factor over the step.
bool is_gentle(double r0, double r1) { return r0 < 1.8 * r1 && r1 < 1.8 * r0; }

/// Above it [K from 37 degC] nothing is frozen.
constexpr double kIce_K = -36;

}  // namespace

template <class Real>
DoseField<Real>::DoseField(const ThermalProblem& problem, const HeatLevel<Real>& level)
    : below_(problem.cem43_quarter_below_39 ? DoseBelow39::quarter : DoseBelow39::none),
      start_degC_(problem.initial_degC),
      even_start_(problem.initial_field.empty()),
      tissues_(problem.tissue_map.tissues),
      damage_tables_(tissues_.size()) {
  const std::size_t count = level.grid.count();
  bool any_damage = false, returns = false, rules = false;
  for (std::size_t n = 0; n < tissues_.size(); ++n) {
    const Tissue& t = tissues_[n];
    if (!level.used[n]) continue;
    if (t.damage) {
      damage_tables_[n] = RateTable([&](double T) { return arrhenius_rate_per_s(*t.damage, T); });
      any_damage = true;
    }
    has_rule_[n] = t.perfusion_per_s > 0 &&
                   (t.frozen || t.perfusion_rule.stops_at_arrhenius || t.perfusion_rule.stops_above_degC);
    falls_[n] = t.perfusion_per_s > 0 && t.perfusion_rule.falls_with_arrhenius;
    rules = rules || has_rule_[n];
    if (has_rule_[n] && t.perfusion_rule.stops_above_degC)
      rules_from_theta_ =
          std::min(rules_from_theta_, Real(*t.perfusion_rule.stops_above_degC - kReference_degC));
    rules_by_dose_ = rules_by_dose_ || t.perfusion_rule.stops_at_arrhenius.has_value();
    returns = returns || (has_rule_[n] && t.frozen && t.perfusion_rule.returns_after_freezing);
  }
  cem43.assign(count, 0);
  rules_ = rules;
  if (any_damage) {
    arrhenius.assign(count, 0);
    row_has_law_.assign(count / std::size_t(level.grid.size[0]), 0);
    for (std::size_t c = 0; c < count; ++c) {
      if (tissues_[level.label[c]].damage)
        row_has_law_[c / std::size_t(level.grid.size[0])] = 1;
      else
        arrhenius[c] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  peak.assign(count, float(problem.initial_degC));
  if (!problem.initial_field.empty()) peak = problem.initial_field.values;
  lowest = peak;
  if (problem.fields.peak_temperature) peak_time.assign(count, 0);
  if (problem.fields.lowest_temperature) lowest_time.assign(count, 0);
  if (problem.fields.freezes || problem.fields.lowest_twice) freezes.emplace(lowest);
  if (problem.fields.cell_death) cell_death.emplace(count);
  if (rules) perfusion_state_.assign(count, 0);
  if (returns) perfusion_kept_.assign(level.perfusion.by_cell.begin(), level.perfusion.by_cell.end());
}

template <class Real>
double DoseField<Real>::update_perfusion(HeatLevel<Real>& level, std::size_t c, double T_degC) {
  const Tissue& t = tissues_[level.label[c]];
  const PerfusionRule& rule = t.perfusion_rule;
  std::uint8_t& state = perfusion_state_[c];
  if (state == 1) return 0;
  const bool cooked = (rule.stops_above_degC && double(peak[c]) >= *rule.stops_above_degC) ||
                      (rule.stops_at_arrhenius && double(arrhenius[c]) >= *rule.stops_at_arrhenius);
  const bool ice = t.frozen && T_degC < t.frozen->liquidus_degC;
  std::uint8_t next = state;
  if (cooked || (ice && !rule.returns_after_freezing))
    next = 1;
  else if (ice)
    next = 2;
  else if (state == 2)
    next = 0;
  if (next == state) return 0;
  const Real before = level.perfusion[c];
  if (state == 0)
    level.perfusion.by_cell[c] = 0;
  else if (next == 0)
    level.perfusion.by_cell[c] = Real(perfusion_kept_[c]);
  state = next;
  if (level.is_out(c)) return 0;
  const Real change = (level.perfusion[c] - before) * (level.theta_blood - Real(T_degC - kReference_degC));
  level.rate[c] += change * level.inverse_capacity[c];
  return double(change);
}

template <class Real>
double DoseField<Real>::fall_of_perfusion(HeatLevel<Real>& level, std::size_t c, double added,
                                          double T_degC) {
  constexpr double kClosed = 20;  // 2e-9 of the flow is left: none
  const Real before = level.perfusion[c];
  const double share = double(arrhenius[c]) > kClosed ? 0 : std::exp(-added);
  level.perfusion.by_cell[c] = Real(double(before) * share);
  if (!perfusion_kept_.empty()) perfusion_kept_[c] = float(double(perfusion_kept_[c]) * share);
  if (level.is_out(c)) return 0;
  const Real change = (level.perfusion[c] - before) * (level.theta_blood - Real(T_degC - kReference_degC));
  level.rate[c] += change * level.inverse_capacity[c];
  return double(change);
}

/// Below 39 degC a row of tissue gathers no dose; above ice its perfusion stays as it is as well.
template <class Real>
typename DoseField<Real>::Course DoseField<Real>::course_of(const RowRange<Real>& range, std::size_t row,
                                                            bool has_holes) const {
  constexpr Real kCool_K = 2;
  const bool icy = !(range.least_theta > Real(kIce_K) && range.least_u0 > Real(kIce_K));
  if (below_ != DoseBelow39::none || cell_death || (freezes && icy) || has_holes) return Course::warm;
  if (!row_has_law_.empty() && row_has_law_[row] != 0) return Course::warm;
  if (!(range.most_u0 < kCool_K && range.most_theta < kCool_K)) return Course::warm;
  return icy || !perfusion_kept_.empty() ? Course::cold : Course::idle;
}

template <class Real>
std::uint8_t DoseField<Real>::may_be_new(Real least, Real most) const {
  // All extremes begin at the start: where nothing has passed it, nothing can be new.
  const Real start = Real(start_degC_ - kReference_degC);
  return std::uint8_t((!even_start_ || most > start ? 1 : 0) | (!even_start_ || least < start ? 2 : 0));
}

template <class Real>
void DoseField<Real>::add_extremes(Real theta, std::size_t c, double t_s) {
  const auto T = float(theta + Real(kReference_degC));
  const auto now = float(t_s);
  if (T > peak[c]) {
    peak[c] = T;
    if (!peak_time.empty()) peak_time[c] = now;
  }
  if (T < lowest[c]) {
    lowest[c] = T;
    if (!lowest_time.empty()) lowest_time[c] = now;
  }
}

template <class Real>
TemperatureStep DoseField<Real>::step_of(const HeatLevel<Real>& level, const std::vector<Real>& u0,
                                         const std::vector<Real>& rate0, double dt_s, std::size_t c) const {
  const bool phases = level.table.has_phases;
  const Real theta1 = level.theta_now()[c], u1 = level.y[std::size_t(level.now)][c];
  const double before = double(phases ? theta_of_u(level.table, level.label[c], u0[c]) : u0[c]);
  TemperatureStep s;
  s.dt_s = dt_s;
  s.T0_degC = before + kReference_degC;
  s.T1_degC = double(theta1) + kReference_degC;
  const bool plain = !phases || (before == double(u0[c]) && theta1 == u1);
  s.rate0_K_per_s = plain ? double(rate0[c]) : (s.T1_degC - s.T0_degC) / dt_s;
  s.rate1_K_per_s = plain ? double(level.rate[c]) : s.rate0_K_per_s;
  return s;
}

template <class Real>
double DoseField<Real>::add_damage(std::size_t c, std::size_t label, const TemperatureStep& s) {
  const double middle = (s.T0_degC + s.T1_degC) / 2 + s.dt_s * (s.rate0_K_per_s - s.rate1_K_per_s) / 8;
  double dose = -1;
  if (RateTable::covers(s.T0_degC) && RateTable::covers(s.T1_degC) && RateTable::covers(middle)) {
    const RateTable& table = damage_tables_[label];
    const double r0 = table(s.T0_degC), r1 = table(s.T1_degC);
    if (is_gentle(r0, r1)) dose = s.dt_s / 6 * (r0 + 4 * table(middle) + r1);
  }
  if (dose < 0) dose = spinetherm::arrhenius(*tissues_[label].damage, s);
  arrhenius[c] = float(std::min(double(arrhenius[c]) + dose, kArrheniusCap));
  return dose;
}

template <class Real>
typename DoseField<Real>::Findings DoseField<Real>::add_step(HeatLevel<Real>& level,
                                                             const std::vector<Real>& u0,
                                                             const std::vector<Real>& rate0, double dt_s,
                                                             double t_s) {
  const std::vector<Real>& u1 = level.y[std::size_t(level.now)];
  const Real* theta1 = level.theta_now();
  Findings all;
  all.highest_degC = all.lowest_degC = start_degC_;
  if (level.rows.empty()) return all;
  std::vector<Findings> planes(std::size_t(level.grid.size[2]));
  const HeatView<Real> view = view_of(level, u1);
  DoseView<Real> dose;
  dose.u0 = u0.data();
  dose.u1 = u1.data();
  dose.theta1 = theta1;
  dose.rate0 = rate0.data();
  dose.rate1 = level.rate.data();
  dose.dt = Real(dt_s);
  dose.below_39 = below_ == DoseBelow39::quarter;
  dose.cem43 = cem43.data();
  dose.cap_min = float(kCem43Cap_min);

  // Dose is dear where it is warm: whoever is done takes the next plane.
#pragma omp parallel for num_threads(level.team()) schedule(dynamic)
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k) {
    Findings f;
    f.highest_degC = -1e9;
    f.lowest_degC = 1e9;
    double change = 0;
    const std::size_t plane = level.grid.index(0, 0, k);
    const auto ny = std::size_t(level.grid.size[1]);
    std::vector<std::uint8_t> is_warm(ny, 0), has_new(ny, 0);
    std::vector<RowRange<Real>> ranges(ny);
    std::vector<std::uint8_t> left;
    run_ranges(view, u0.data(), theta1, ranges.data(), k);
    const auto seen = [&](Real least, Real most) {
      f.highest_degC = std::max(f.highest_degC, double(most) + kReference_degC);
      f.lowest_degC = std::min(f.lowest_degC, double(least) + kReference_degC);
    };
    for (int j = level.rows.low[1]; j < level.rows.high[1]; ++j) {
      const std::size_t row = level.rows.row(j, k);
      if (level.rows.end[row] <= level.rows.begin[row]) continue;
      const std::size_t begin = level.grid.index(level.rows.begin[row], j, k),
                        end = level.grid.index(level.rows.end[row], j, k);
      RowRange<Real>& range = ranges[std::size_t(j)];
      const bool has_holes = !level.hole.empty() && std::any_of(level.hole.begin() + std::ptrdiff_t(begin),
                                                                level.hole.begin() + std::ptrdiff_t(end),
                                                                [](std::uint8_t hole) { return hole != 0; });
      const Course course = course_of(range, row, has_holes);
      if (course == Course::warm) {
        is_warm[std::size_t(j)] = 1;
        left.resize(level.grid.index(0, 0, k + 1) - plane, 0);
      }
      if (has_holes) {
        // Holes between the cells keep what their walls have.
        range.least_theta = Real(HUGE_VAL);
        range.most_theta = -range.least_theta;
        for (std::size_t c = begin; c < end; ++c) {
          if (level.is_hole(c)) continue;
          range.least_theta = std::min(range.least_theta, theta1[c]);
          range.most_theta = std::max(range.most_theta, theta1[c]);
          add_extremes(theta1[c], c, t_s);
        }
        if (range.least_theta <= range.most_theta) seen(range.least_theta, range.most_theta);
      } else {
        has_new[std::size_t(j)] = may_be_new(range.least_theta, range.most_theta);
        seen(range.least_theta, range.most_theta);
      }
    }
    ExtremesView<Real> extremes;
    extremes.theta = theta1;
    extremes.t_s = float(t_s);
    extremes.peak_degC = peak.data();
    extremes.lowest_degC = lowest.data();
    extremes.peak_time = peak_time.empty() ? nullptr : peak_time.data();
    extremes.lowest_time = lowest_time.empty() ? nullptr : lowest_time.data();
    extremes.row = has_new.data();
    run_extremes(view, extremes, k);
    if (!left.empty()) {
      DoseView<Real> here = dose;
      here.row = is_warm.data();
      here.left = left.data();
      f.added_cem43_min += run_dose(view, here, k);
    }
    for (int j = level.rows.low[1]; j < level.rows.high[1]; ++j) {
      const std::size_t row = level.rows.row(j, k);
      if (level.rows.end[row] <= level.rows.begin[row]) continue;
      const std::size_t begin = level.grid.index(level.rows.begin[row], j, k),
                        end = level.grid.index(level.rows.end[row], j, k);
      const RowRange<Real>& range = ranges[std::size_t(j)];
      if (is_warm[std::size_t(j)] == 0) {
        if (course_of(range, row, false) == Course::cold)
          for (std::size_t c = begin; c < end; ++c)
            if (has_rule_[level.label[c]])
              change += update_perfusion(level, c, double(theta1[c]) + kReference_degC);
        continue;
      }
      for (std::size_t c = begin; c < end; ++c) {
        if (left[c - plane] == 0) continue;
        // Far above all dose the exact integral leaves the range of numbers.
        const double exact = cem43_min(step_of(level, u0, rate0, dt_s, c), below_);
        const double added = exact < kCem43Cap_min ? exact : kCem43Cap_min;
        cem43[c] = float(std::min(double(cem43[c]) + added, kCem43Cap_min));
        f.added_cem43_min += added;
      }
      if (!row_has_law_.empty() && row_has_law_[row] != 0)
        for (std::size_t c = begin; c < end; ++c) {
          const std::size_t label = level.label[c];
          if (!tissues_[label].damage || level.is_hole(c)) continue;
          const TemperatureStep s = step_of(level, u0, rate0, dt_s, c);
          const double added = add_damage(c, label, s);
          if (falls_[label]) change += fall_of_perfusion(level, c, added, s.T1_degC);
        }
      if (freezes && !(range.least_theta > Real(kIce_K) && range.least_u0 > Real(kIce_K)))
        for (std::size_t c = begin; c < end; ++c)
          if (!level.is_hole(c)) freezes->add(c, double(theta1[c]) + kReference_degC);
      if (cell_death)
        for (std::size_t c = begin; c < end; ++c)
          if (!level.is_hole(c)) cell_death->add(c, step_of(level, u0, rate0, dt_s, c));
      // No cell of the row can close or open its vessels.
      if (!rules_ || (!rules_by_dose_ && perfusion_kept_.empty() && range.most_theta < rules_from_theta_ &&
                      range.least_theta > Real(kIce_K)))
        continue;
      for (std::size_t c = begin; c < end; ++c)
        if (has_rule_[level.label[c]] && !level.is_hole(c))
          change += update_perfusion(level, c, double(theta1[c]) + kReference_degC);
    }
    f.blood_change_W = change * level.cell_volume_m3();
    planes[std::size_t(k)] = f;
  }
  all.highest_degC = -1e9;
  all.lowest_degC = 1e9;
  for (int k = level.rows.low[2]; k < level.rows.high[2]; ++k) {
    const Findings& f = planes[std::size_t(k)];
    all.blood_change_W += f.blood_change_W;
    all.added_cem43_min += f.added_cem43_min;
    all.highest_degC = std::max(all.highest_degC, f.highest_degC);
    all.lowest_degC = std::min(all.lowest_degC, f.lowest_degC);
  }
  return all;
}

template <class Real>
void DoseField<Real>::restart(std::size_t cell, double T_degC, double t_s) {
  peak[cell] = std::max(peak[cell], float(T_degC));
  lowest[cell] = std::min(lowest[cell], float(T_degC));
  if (!peak_time.empty() && peak[cell] == float(T_degC)) peak_time[cell] = float(t_s);
  if (!lowest_time.empty() && lowest[cell] == float(T_degC)) lowest_time[cell] = float(t_s);
}

template <class Real>
void DoseField<Real>::take_one(const DoseField& from, std::size_t n, std::size_t to) {
  const auto one = [&](const std::vector<float>& source, std::vector<float>& values) {
    if (!values.empty()) values[to] = source.empty() ? std::numeric_limits<float>::quiet_NaN() : source[n];
  };
  one(from.cem43, cem43);
  // Tissue without a law stays unknown, whatever is beside it.
  if (!arrhenius.empty() && !std::isnan(arrhenius[to])) one(from.arrhenius, arrhenius);
  one(from.peak, peak);
  one(from.lowest, lowest);
  one(from.peak_time, peak_time);
  one(from.lowest_time, lowest_time);
  if (freezes && from.freezes) freezes->take(*from.freezes, n, to);
  if (cell_death && from.cell_death) cell_death->take(*from.cell_death, n, to);
}

template <class Real>
void DoseField<Real>::begin_again(std::size_t cell, double T_degC, double t_s) {
  cem43[cell] = 0;
  if (!arrhenius.empty() && !std::isnan(arrhenius[cell])) arrhenius[cell] = 0;
  peak[cell] = lowest[cell] = float(T_degC);
  if (!peak_time.empty()) peak_time[cell] = float(t_s);
  if (!lowest_time.empty()) lowest_time[cell] = float(t_s);
}

template <class Real>
void DoseField<Real>::add_one(const DoseField& from, std::size_t n, std::size_t to, const Added& added) {
  if (added.cem43 > 0) cem43[to] = std::min(cem43[to] + float(added.cem43), float(kCem43Cap_min));
  // Tissue without a law stays unknown, and so does what lies under cells of such tissue.
  if (!arrhenius.empty()) arrhenius[to] = std::min(arrhenius[to] + from.arrhenius[n], float(kArrheniusCap));
  const auto high = float(added.peak_degC), low = float(added.lowest_degC);
  if (high > peak[to]) {
    peak[to] = high;
    if (!peak_time.empty()) peak_time[to] = from.peak_time[n];
  }
  if (low < lowest[to]) {
    lowest[to] = low;
    if (!lowest_time.empty()) lowest_time[to] = from.lowest_time[n];
  }
}

template <class Real>
void DoseField<Real>::take_perfusion(const DoseField& from, const HeatLevel<Real>& from_level, std::size_t n,
                                     HeatLevel<Real>& level, std::size_t to) {
  if (level.perfusion.by_cell.empty() || from_level.perfusion.by_cell.empty()) return;
  level.perfusion.by_cell[to] = from_level.perfusion.by_cell[n];
  if (!perfusion_state_.empty() && !from.perfusion_state_.empty())
    perfusion_state_[to] = from.perfusion_state_[n];
  if (!perfusion_kept_.empty() && !from.perfusion_kept_.empty())
    perfusion_kept_[to] = from.perfusion_kept_[n];
}

template <class Real>
void DoseField<Real>::take(const DoseField& from, const std::vector<std::size_t>& cells,
                           const std::vector<std::uint8_t>& hole) {
  for (std::size_t n = 0; n < cells.size(); ++n)
    if (hole.empty() || hole[cells[n]] == 0) take_one(from, n, cells[n]);
}

template <class Real>
void DoseField<Real>::exchange_state(Archive& archive) {
  archive(cem43, arrhenius, peak, lowest, peak_time, lowest_time, perfusion_state_, perfusion_kept_);
  if (freezes) archive(*freezes);
  if (cell_death) archive(*cell_death);
}

template <class Real>
double DoseField<Real>::rest_cem43_per_s() const {
  return cem43_rate(start_degC_, below_) / 60;
}

template <class Real>
void DoseField<Real>::join(const HeatLevel<Real>& level, const ActiveRows& rows, const RowStretches& before,
                           double t_s) {
  const double cem = std::min(rest_cem43_per_s() * t_s, kCem43Cap_min);
  if (cem == 0 && arrhenius.empty()) return;  // as they are
  std::array<float, 256> damage{};
  for (std::size_t n = 0; n < tissues_.size(); ++n)
    if (tissues_[n].damage) damage[n] = float(arrhenius_rate_per_s(*tissues_[n].damage, start_degC_) * t_s);
#pragma omp parallel for num_threads(level.threads) schedule(static)
  for (int k = rows.low[2]; k < rows.high[2]; ++k)
    for (int j = rows.low[1]; j < rows.high[1]; ++j)
      for (int i = rows.begin[rows.row(j, k)]; i < rows.end[rows.row(j, k)]; ++i) {
        if (i >= before.begin[rows.row(j, k)] && i < before.end[rows.row(j, k)]) continue;
        const std::size_t c = level.grid.index(i, j, k);
        cem43[c] = float(cem);
        if (tissues_[level.label[c]].damage) arrhenius[c] = damage[level.label[c]];
      }
}

template <class Real>
void DoseField<Real>::finish(const HeatLevel<Real>& level, double t_s) {
  if (!level.can_rest) return;
  join(level, make_active_rows(level.grid.size, true), level.rows.stretches(), t_s);
}

template class DoseField<float>;
template class DoseField<double>;

}  // namespace spinetherm
