// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "thermal/cell_fate.h"
#include "thermal/damage.h"
#include "thermal/heat_level.h"

namespace spinetherm {

/// A rate that depends on temperature alone, tabulated for speed: linear between nodes 0.02 K apart, relative
/// error below 5e-5 for rates that grow by up to a factor e per kelvin.
class RateTable {
 public:
  RateTable() = default;
  template <class Rate>
  explicit RateTable(const Rate& rate_of_degC) : values_(kNodes) {
    for (std::size_t n = 0; n < kNodes; ++n)
      values_[n] = float(rate_of_degC(kLow_degC + double(n) * kStep_K));
  }
  static bool covers(double T_degC) { return T_degC >= kLow_degC && T_degC <= kHigh_degC; }
  /// `T_degC` must be covered.
  double operator()(double T_degC) const {
    const double x = (T_degC - kLow_degC) * (1 / kStep_K);
    const auto n = std::size_t(x);
    return double(values_[n]) + (x - double(n)) * double(values_[n + 1] - values_[n]);
  }

 private:
  static constexpr double kLow_degC = -60, kHigh_degC = 140, kStep_K = 0.02;
  static constexpr std::size_t kNodes = 10002;
  std::vector<float> values_;
};

/// Dose and extremes of every cell, gathered while the state is stepped, and what the dose does to perfusion.
/// Cells that are not active are at rest and get what their constant temperature gives, at the end.
template <class Real>
class DoseField {
 public:
  DoseField(const ThermalProblem& problem, const HeatLevel<Real>& level);

  struct Findings {
    double blood_change_W = 0;  ///< of the heat that the blood brings, where perfusion stops or returns
    double highest_degC = 0, lowest_degC = 0;  ///< of the active cells; of the start when there are none
    double added_cem43_min = 0;                ///< over the step, sum over the cells
  };
  /// After a step of dt that ended at `t_s`: `u0` and `rate0` are those before it. Perfusion that stops is
  /// taken out of the level, its current rate included.
  Findings add_step(HeatLevel<Real>& level, const std::vector<Real>& u0, const std::vector<Real>& rate0,
                    double dt_s, double t_s);
  /// Gives the cells of `rows` that are not in `before` the dose of rest until `t_s`.
  void join(const HeatLevel<Real>& level, const ActiveRows& rows, const RowStretches& before, double t_s);
  void finish(const HeatLevel<Real>& level, double t_s);
  /// A cell that leaves an applicator begins with no dose; its extremes begin at `T_degC`.
  void restart(std::size_t cell, double T_degC, double t_s);
  /// Cell n of `from` is cell `cells[n]` here; those in `hole` keep what they have.
  void take(const DoseField& from, const std::vector<std::size_t>& cells,
            const std::vector<std::uint8_t>& hole);
  /// The cell `to` takes what the cell `n` of `from` has; what that does not keep is unknown.
  void take_one(const DoseField& from, std::size_t n, std::size_t to);
  /// A cell begins anew, at this temperature.
  void begin_again(std::size_t cell, double T_degC, double t_s);
  struct Added {
    double cem43 = 0, peak_degC = 0, lowest_degC = 0;
  };
  /// The cell `to` gets this dose as well, and the damage of the cell `n` of `from`; extremes, and when they
  /// were, where they are new ones. NaN adds nothing.
  void add_one(const DoseField& from, std::size_t n, std::size_t to, const Added& added);
  /// The cell `to` of `level` has the blood of the cell `n` of `from_level`, and what is known of it.
  void take_perfusion(const DoseField& from, const HeatLevel<Real>& from_level, std::size_t n,
                      HeatLevel<Real>& level, std::size_t to);
  void exchange_state(Archive& archive);

  std::vector<float> cem43,
      arrhenius;  ///< `arrhenius`: NaN in tissue without a damage law; empty: no tissue has one
  std::vector<float> peak, lowest;            ///< [degC]
  std::vector<float> peak_time, lowest_time;  ///< [s]; empty unless asked for
  std::optional<FreezeHistory> freezes = {};  ///< these two only when asked for
  std::optional<CellDeath> cell_death = {};

 private:
  double rest_cem43_per_s() const;
  void add_rest(std::size_t cell, double t_s);
  enum class Course { idle, cold, warm };
  Course course_of(const RowRange<Real>& range, std::size_t row, bool has_holes) const;
  /// The step of one cell; in a phase change theta is not u, and the course is taken as straight.
  TemperatureStep step_of(const HeatLevel<Real>& level, const std::vector<Real>& u0,
                          const std::vector<Real>& rate0, double dt_s, std::size_t cell) const;
  double add_damage(std::size_t cell, std::size_t label, const TemperatureStep& s);
  /// Bits of ExtremesView for a row with these temperatures.
  std::uint8_t may_be_new(Real least, Real most) const;
  void add_extremes(Real theta, std::size_t cell, double t_s);
  double update_perfusion(HeatLevel<Real>& level, std::size_t cell, double T_degC);
  /// w exp(-Omega) when `added` damage has come; as update_perfusion().
  double fall_of_perfusion(HeatLevel<Real>& level, std::size_t cell, double added, double T_degC);

  DoseBelow39 below_;
  double start_degC_ = 37;
  bool even_start_ = true;  ///< all cells begin at that
  /// Above this temperature [K], and below ice, cells may change their perfusion; some by their dose.
  Real rules_from_theta_ = std::numeric_limits<Real>::max();
  bool rules_by_dose_ = false;
  std::vector<Tissue> tissues_;
  std::vector<RateTable> damage_tables_;       ///< by label; empty where the tissue has no law
  std::vector<std::uint8_t> perfusion_state_;  ///< by cell: 0 as given, 1 stopped for good, 2 stopped by ice
  std::vector<float> perfusion_kept_;          ///< what returns after thawing; empty: nowhere
  std::array<bool, 256> has_rule_{}, falls_{};
  bool rules_ = false;
  std::vector<std::uint8_t> row_has_law_;  ///< by row: some cell's tissue has a damage law; empty: none has
};

}  // namespace spinetherm
