// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "thermal/electric_field.h"
#include "thermal/power_control.h"
#include "thermal/result.h"

namespace spinetherm {

/// Electrical conductivity by label and temperature, tabulated every quarter of a kelvin.
class SigmaTable {
 public:
  explicit SigmaTable(const TissueMap& map);
  float operator()(std::uint8_t label, float T_degC) const;

 private:
  static constexpr float kLow_degC = -100, kHigh_degC = 200, kStep_K = 0.25F;
  std::vector<std::vector<float>> rows_;
};

/// The electrodes of a problem in time: potential, power and control. Sources that share their electrodes
/// (the steps of one protocol) share the field.
class ElectrodeDrive {
 public:
  ElectrodeDrive(const ThermalProblem& problem, int threads);
  bool acting() const {
    return std::any_of(drives_.begin(), drives_.end(), [](const Drive& d) { return d.on; });
  }

  /// Sources that act from now on.
  void switch_to(const std::vector<bool>& on);
  /// Solves for the potentials of sources that act where the conductivity has changed enough, by 4 % in the
  /// mean weighted with the power, or by 40 % anywhere that takes 1 % of the largest power density. `T_degC`
  /// gives the temperature of a cell. True when a field is new. Not converged or cancelled: see summary().
  template <class Temperature>
  bool update_fields(const Temperature& T_degC, const Progress& progress);
  /// Sets the power of each source from its control; `sensor_degC(n)` gives the temperature that source n
  /// holds. True when a power has changed.
  template <class Sensor>
  bool update_power(double t_s, const Sensor& sensor_degC);
  /// Longest time until update_power() must be called again; empty: no control needs it.
  std::optional<double> period_s() const;
  /// Power density of a source that acts: `scale` times that of the potentials as given.
  struct Heating {
    double scale = 0;
    const float* unit_W_per_m3 = nullptr;
  };
  std::vector<Heating> heating() const;
  void record(double t_s, ElectricalHistory& history) const;
  /// Potential and power density when a source last acted; empty: none has.
  Volume<float> potential_V() const;
  Volume<float> power_W_per_m3() const;
  const ElectricSummary& summary() const { return summary_; }
  int solves() const { return solves_; }

 private:
  struct Field {
    std::size_t source = 0;  ///< the first one with these electrodes
    std::unique_ptr<ElectricField> field;
    bool solved = false;
    Volume<float> sigma;  ///< of the last solve; empty: none yet
    std::vector<std::pair<std::size_t, float>>
        powered;  ///< cells that take 1 % of the largest power density, and theirs
  };
  struct Drive {
    std::size_t source = 0, field = 0;
    bool on = false;
    double power_W = 0;
    std::optional<HoldController> hold;
    std::optional<RollOffSwitch> roll_off;
  };
  static constexpr double kMeanChange = 0.04, kCellChange = 0.4;

  float sigma_at(std::size_t cell, float T_degC) const {
    const Volume<float>& factor = problem_.tissue_map.factors.electrical;
    const float sigma = sigma_table_(problem_.tissue_map.labels[cell], T_degC);
    return factor.empty() ? sigma : sigma * factor[cell];
  }
  template <class Sigma>
  static bool needs_solve(const Field& field, const Sigma& sigma_at_cell);
  void solve(Field& field, const Progress& progress);
  double controlled_power_W(Drive& drive, double t_s, double sensor_degC);
  const ElectrodesSource& source(const Drive& d) const {
    return std::get<ElectrodesSource>(problem_.sources[d.source].what);
  }

  const ThermalProblem& problem_;
  int threads_;
  SigmaTable sigma_table_;
  std::vector<Field> fields_;
  std::vector<Drive> drives_;
  std::optional<std::size_t> last_on_;  ///< drive
  double last_scale_ = 0;
  ElectricSummary summary_;
  int solves_ = 0;
};

template <class Temperature>
bool ElectrodeDrive::update_fields(const Temperature& T_degC, const Progress& progress) {
  bool changed = false;
  for (const Drive& d : drives_) {
    Field& f = fields_[d.field];
    if (!d.on || !needs_solve(f, [&](std::size_t c) { return sigma_at(c, T_degC(c)); })) continue;
    const Grid& grid = problem_.grid();
    f.sigma = Volume<float>(grid);
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (int k = 0; k < grid.size[2]; ++k)
      for (std::size_t c = grid.index(0, 0, k); c < grid.index(0, 0, k + 1); ++c)
        f.sigma[c] = sigma_at(c, T_degC(c));
    solve(f, progress);
    changed = true;
  }
  return changed;
}

template <class Sigma>
bool ElectrodeDrive::needs_solve(const Field& f, const Sigma& sigma_at_cell) {
  if (f.sigma.empty()) return true;
  double weighted = 0, sum = 0;
  for (const auto& [cell, q] : f.powered) {
    const double change = std::abs(double(sigma_at_cell(cell)) / double(f.sigma[cell]) - 1);
    if (change > kCellChange) return true;
    weighted += change * double(q);
    sum += double(q);
  }
  return weighted > kMeanChange * sum;
}

template <class Sensor>
bool ElectrodeDrive::update_power(double t_s, const Sensor& sensor_degC) {
  bool changed = false;
  for (std::size_t n = 0; n < drives_.size(); ++n) {
    Drive& d = drives_[n];
    if (!d.on) continue;
    const double power = controlled_power_W(d, t_s, d.hold ? sensor_degC(d.source) : 0);
    changed = changed || power != d.power_W;
    d.power_W = power;
    last_on_ = n;
    const double unit = fields_[d.field].field->power_W();
    if (power > 0 && unit > 0) last_scale_ = std::sqrt(power / unit);
  }
  return changed;
}

}  // namespace spinetherm
