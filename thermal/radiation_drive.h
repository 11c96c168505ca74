// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "thermal/light_field.h"
#include "thermal/placed_antenna.h"
#include "thermal/radiation_law.h"
#include "thermal/result.h"
#include "thermal/unit_heating.h"

namespace spinetherm {

class Archive;

struct RadiationSummary {
  Termination termination = Termination::not_run;
  std::string message = "no field was solved for";
  bool usable() const { return termination == Termination::converged; }
};

/// The antennas and fibres of a problem in time. Sources that share an antenna or fibre and its place (the
/// steps of one protocol) share the field.
///
/// An antenna sees the mean tissue around it (mean_around()); what its field heats is sigma |E|^2 / 2 with
/// each cell's own conductivity, scaled so that all cells together take what that solution absorbs in the
/// box. Of the power P that goes into the cable, with its loss L each way and the reflection Gamma at the
/// slot:
///   P = P (1-L)^2 |Gamma|^2 (back to the generator) + P L (1 + (1-L)|Gamma|^2) (cable)
///     + absorbed in the box + what leaves the box.
/// The cable's heat goes to the coolant, or evenly into the tissue beside the shaft behind the slot.
///
/// Light heats mu_a phi. Cells follow the coagulation of their tissue as they follow the temperature with
/// microwaves: at every step by their own coefficient with the field as it was solved, the whole scaled to
/// the power that is absorbed; the field is solved for anew when the coefficients have changed by 4 % in the
/// mean weighted with the power, kPause_s after the last time at the earliest, or by 20 % at any time.
class RadiationDrive {
 public:
  /// `patch`, `covered`: as of ElectrodeDrive.
  RadiationDrive(const ThermalProblem& problem, const ThermalProblem* patch,
                 const std::vector<std::uint8_t>& covered, int threads);
  /// Sources with such a field.
  std::size_t count() const { return drives_.size(); }
  bool acting() const;
  void switch_to(const std::vector<bool>& on);
  /// `expected_degC(part, cell, 0)`: temperature of a cell at the end of the next step, `damage(part, cell)`
  /// its Arrhenius integral (NaN: its tissue has none). True when the power density has changed. Cancelled or
  /// not converged: see summary(); called again with the same state it goes on as if it had not been.
  template <class Temperature, class Damage>
  bool update_fields(double t_s, const Temperature& expected_degC, const Damage& damage,
                     const Progress& progress);
  double power_W() const;  ///< of the generators of all sources that act
  /// Numbered from `first`.
  std::vector<UnitHeating> heating(std::size_t part, std::size_t first) const;
  void record(double t_s, RadiationHistory& history) const;
  /// Power density where a source acts; added to `power`.
  void add_power_W_per_m3(Volume<float>& power) const;
  const RadiationSummary& summary() const { return summary_; }
  int solves() const { return solves_; }
  void exchange_state(Archive& archive);

 private:
  struct Part {
    const ThermalProblem* problem = nullptr;
    std::vector<std::uint8_t> covered = {};  ///< cells that another part stands for; empty: none
    Volume<float> field;                     ///< |E|^2 or fluence rate for a watt that arrives, as solved
    Volume<float> unit;            ///< heating for a watt of the generator [W/m3], as it follows the tissue
    std::vector<std::size_t> lit;  ///< cells that take 0.1 % of the largest power density
    std::vector<float> absorption, spread;  ///< of these as solved
    std::vector<float> taken;               ///< of these: heating as last followed, without that of the shaft
    std::vector<float> shaft;               ///< heat of the shaft, by cell; empty: none
    double cell_m3() const { return problem->grid().voxel_volume_mm3() * 1e-9; }
    bool counts(std::size_t cell) const { return covered.empty() || covered[cell] == 0; }
  };
  struct Field {
    std::size_t source = 0;  ///< the first one with this field
    std::vector<Part> parts;
    bool solved = false;
    double solved_s = 0;
    /// Shares of a watt of the generator.
    double reflected = 0, cable = 0, absorbed = 0, radiated = 0;
    double unlit_W = 0;    ///< taken by the other cells per watt that arrives, as solved
    double brought_W = 0;  ///< per watt of the generator: arrives and is absorbed in the box
    LightField light;
  };
  struct Drive {
    std::size_t source = 0, field = 0;
    bool on = false;
  };
  static constexpr double kSolve = 0.04, kSolveAtOnce = 0.2, kPause_s = 2;
  static constexpr double kFollow = 2e-3;  ///< of the power density, before the heating is set anew

  bool is_antenna(const Field& f) const;
  double generator_W(const Drive& d) const;
  /// What the field of a source depends on in one cell: conductivity [S/m] and permittivity, or absorption
  /// and diffusion [1/m, m].
  struct Coefficients {
    float absorption = 0, spread = 0;
  };
  Coefficients coefficients(const Field& f, const Part& part, std::size_t cell, float state) const;
  /// By part: temperature or damage of the cells that are lit. `change`: mean relative change of the
  /// coefficients since the last solve. True when the heating has changed by kFollow.
  bool follow(Field& f, const std::vector<std::vector<float>>& state, double& change) const;
  /// By part: of all cells.
  void solve(Field& f, const std::vector<std::vector<float>>& state, const Progress& progress);
  bool solve_antenna_field(Field& f, const std::vector<std::vector<float>>& state);
  bool solve_light_field(Field& f, const std::vector<std::vector<float>>& state, const Progress& progress);
  void find_lit(Field& f, const std::vector<std::vector<float>>& state) const;
  void place_shaft_heat(Field& f, double cable_W) const;

  const ThermalProblem& problem_;
  int threads_;
  std::vector<Field> fields_;
  std::vector<Drive> drives_;
  RadiationSummary summary_;
  int solves_ = 0;
};

template <class Temperature, class Damage>
bool RadiationDrive::update_fields(double t_s, const Temperature& expected_degC, const Damage& damage,
                                   const Progress& progress) {
  bool changed = false;
  for (std::size_t n = 0; n < fields_.size(); ++n) {
    Field& f = fields_[n];
    if (std::none_of(drives_.begin(), drives_.end(), [&](const Drive& d) { return d.on && d.field == n; }))
      continue;
    const bool by_heat = is_antenna(f);
    const auto state_of = [&](std::size_t p, std::size_t c) {
      if (by_heat) return float(expected_degC(p, c, 0));
      const auto omega = float(damage(p, c));
      return std::isfinite(omega) ? omega : 0.0F;
    };
    std::vector<std::vector<float>> state(f.parts.size());
    if (f.solved) {
      for (std::size_t p = 0; p < f.parts.size(); ++p) {
        const std::vector<std::size_t>& lit = f.parts[p].lit;
        state[p].resize(lit.size());
#pragma omp parallel for num_threads(threads_) schedule(static)
        for (std::ptrdiff_t m = 0; m < std::ptrdiff_t(lit.size()); ++m)
          state[p][std::size_t(m)] = state_of(p, lit[std::size_t(m)]);
      }
      double change = 0;
      changed = follow(f, state, change) || changed;
      if (change < kSolve || (change < kSolveAtOnce && t_s - f.solved_s < kPause_s)) continue;
    }
    for (std::size_t p = 0; p < f.parts.size(); ++p) {
      const std::size_t count = f.parts[p].problem->grid().count();
      state[p].resize(count);
#pragma omp parallel for num_threads(threads_) schedule(static)
      for (std::ptrdiff_t c = 0; c < std::ptrdiff_t(count); ++c)
        state[p][std::size_t(c)] = state_of(p, std::size_t(c));
    }
    solve(f, state, progress);
    changed = true;
    if (!summary_.usable()) return changed;
    f.solved_s = t_s;
  }
  return changed;
}

}  // namespace spinetherm
