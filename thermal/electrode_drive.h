// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "thermal/electric_field.h"
#include "thermal/power_control.h"
#include "thermal/result.h"
#include "thermal/unit_heating.h"

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
  /// `patch`: the problem on a finer grid over a part of the grid, which takes the place of the cells that
  /// are `covered`: the potential is solved for on the whole grid, then in the patch with that around it; the
  /// power of the given potentials is that of both. Null: no patch.
  /// `repeatable`: an update_fields() that is cancelled goes on where it was when it is called again.
  ElectrodeDrive(const ThermalProblem& problem, const ThermalProblem* patch,
                 const std::vector<std::uint8_t>& covered, int threads, bool repeatable = false);
  bool acting() const {
    return std::any_of(drives_.begin(), drives_.end(), [](const Drive& d) { return d.on; });
  }

  /// Sources that act from now on.
  void switch_to(const std::vector<bool>& on);
  /// Follows the conductivity of the tissue. Between two solves for the potential the power density of a cell
  /// goes with its conductivity, q = q_solved sigma / sigma_solved. The sum of these is the power of the
  /// given potentials to second order in the change of the field, an upper bound; resistance, current and the
  /// power of a constant voltage go with it, other controls scale q to the power they ask for. Where tissue
  /// dries, sigma falls a hundredfold within some kelvin: there, the q that belongs to the temperature which
  /// it leads to is taken, or the cell would be dry and wet by turns. The potential is solved for anew when
  /// the conductivity has changed by 4 % in the mean weighted with the power, 2 s after the last solve at the
  /// earliest, or by 20 % at any time (on the whole grid every 10 s at most where a patch follows it), and
  /// not while all channels pause. `expected_degC(part, cell, added)` gives a cell's temperature at the end
  /// of the next step with `added` [W/m3] more heating than now. True when the power density has changed. Not
  /// converged or cancelled: see summary().
  template <class Temperature>
  bool update_fields(double t_s, const Temperature& expected_degC, const Progress& progress);
  /// Sets the power of each channel of each source from its control; `sensor_degC(at_mm)` gives the
  /// temperature at a sensor. Where several channels share a field, their potentials are set so that each
  /// gives its power (ElectricField::scales_for). True when a power has changed.
  template <class Sensor>
  bool update_power(double t_s, const Sensor& sensor_degC);
  /// Longest time until update_power() must be called again; empty: no control needs it.
  std::optional<double> period_s(double t_s) const;
  double power_W() const;  ///< of all sources that act
  /// `part` 0: of the grid, 1: of the patch. Sources without power have the scale 0.
  std::vector<UnitHeating> heating(std::size_t part) const;
  std::size_t count() const { return drives_.size(); }  ///< sources with electrodes
  void record(double t_s, ElectricalHistory& history) const;
  /// Potential and power density when a source last acted; empty: none has.
  Volume<float> potential_V() const;
  Volume<float> power_W_per_m3() const;
  const ElectricSummary& summary() const { return summary_; }
  int solves() const { return solves_; }
  void exchange_state(Archive& archive);

 private:
  /// The grid, or the patch.
  struct Part {
    const ThermalProblem* problem = nullptr;
    std::unique_ptr<ElectricField> field;
    Volume<float> sigma;               ///< of the last solve; empty: none yet
    std::vector<std::size_t> powered;  ///< cells that take 0.1 % of the largest power density
    std::vector<float> ratio;          ///< of their conductivity to that of the last solve
    Volume<float> power;               ///< of the potentials as given, as it follows the conductivity [W/m3]
    double share = 1;                  ///< of the field's own power densities, see ElectricField::outer_scale
    double cell_m3() const { return problem->grid().voxel_volume_mm3() * 1e-9; }
  };
  struct Field {
    std::size_t source = 0;  ///< the first one with these electrodes
    std::vector<Part> parts;
    bool solved = false;
    bool due = false;   ///< conductivity is set, the solve was cancelled
    double shape = 1;   ///< power of grid and patch together over that of the grid alone
    double growth = 1;  ///< of the power of given potentials since the last solve
    double solved_s = 0, whole_solved_s = 0;
    /// Of a solve that is due: the parts before it stay as they are; the one that comes next.
    std::size_t from_part = 0, next_part = 0;
    ElectricField& whole() { return *parts.front().field; }
    const ElectricField& whole() const { return *parts.front().field; }
    double solved_W() const { return whole().power_W() * shape; }
  };
  struct Channel {
    std::size_t output = 0;
    ElectrodeControl control;
    double power_W = 0;
    std::optional<HoldController> hold;
    std::optional<RollOffSwitch> roll_off;
  };
  struct Drive {
    std::size_t source = 0, field = 0;
    bool on = false;
    double power_W = 0;  ///< of all channels
    std::vector<Channel> channels;
  };
  /// Potentials of the channels are combined anew when one has changed by this part of the largest.
  static constexpr double kScale = 2e-3;
  static constexpr double kSolve = 0.04, kSolveAtOnce = 0.2, kSolvePause_s = 2, kDries = 0.02;
  /// Around a patch the potential goes with the current, whatever tissue does beside the electrodes.
  static constexpr double kWholePause_s = 10;
  static bool is_whole_due(const Field& f, double t_s) {
    const bool follows = f.parts.size() > 1 && f.whole().channels() == 1;
    return !f.solved || !follows || t_s - f.whole_solved_s >= kWholePause_s;
  }

  float sigma_at(const Part& part, std::size_t cell, float T_degC) const {
    const TissueMap& map = part.problem->tissue_map;
    const float sigma = sigma_table_(map.labels[cell], T_degC);
    return map.factors.electrical.empty() ? sigma : sigma * map.factors.electrical[cell];
  }
  /// Takes the power densities of the present scales of the channels.
  void take_power(Field& field) const;
  /// Power density for the present conductivity; returns the mean change of conductivity since the last
  /// solve.
  template <class Temperature>
  double follow(Field& field, const Drive& drive, const Temperature& expected_degC) const;
  /// Whether all channels have been switched off by their roll-off and stay so for now.
  static bool is_paused(const Drive& d, double t_s) {
    return std::ranges::all_of(d.channels, [&](const Channel& c) {
      return c.roll_off && c.roll_off->on_again_s() && *c.roll_off->on_again_s() > t_s;
    });
  }
  static double power_W(const Field& f) { return f.solved_W() * f.growth; }
  static double resistance_ohm(const Field& f) { return f.whole().resistance_ohm() / (f.shape * f.growth); }
  void solve(Field& field, const Progress& progress);
  /// Power that the control of a channel wants; empty: its potentials as given.
  std::optional<double> controlled_power_W(const Field& field, std::size_t number, Channel& channel,
                                           double t_s, double sensor_degC) const;
  /// Sets the potentials of several channels for their powers.
  void drive_channels(Field& field, const std::vector<std::optional<double>>& power_W) const;

  const ThermalProblem& problem_;
  std::vector<std::uint8_t> covered_;
  int threads_;
  bool repeatable_;
  SigmaTable sigma_table_;
  std::vector<Field> fields_;
  std::vector<Drive> drives_;
  std::size_t outputs_ = 0;
  std::optional<std::size_t> last_on_;  ///< drive
  double last_scale_ = 0;
  ElectricSummary summary_;
  int solves_ = 0;
  std::size_t next_drive_ = 0;  ///< of update_fields(); not 0: it was cancelled
};

template <class Temperature>
bool ElectrodeDrive::update_fields(double t_s, const Temperature& expected_degC, const Progress& progress) {
  bool changed = false;
  for (; next_drive_ < drives_.size(); ++next_drive_) {
    const Drive& d = drives_[next_drive_];
    Field& f = fields_[d.field];
    if (!d.on) continue;
    if (!f.due) {
      const double change = f.solved ? follow(f, d, expected_degC) : kSolveAtOnce;
      changed = changed || change > 0;
      if (is_paused(d, t_s) || change < kSolve || (change < kSolveAtOnce && t_s - f.solved_s < kSolvePause_s))
        continue;
      f.from_part = is_whole_due(f, t_s) ? 0 : 1;
      for (std::size_t p = f.from_part; p < f.parts.size(); ++p) {
        Part& part = f.parts[p];
        // The cells that follow keep the conductivity that belongs to their heating.
        std::vector<float> followed(part.powered.size());
        for (std::size_t n = 0; n < followed.size(); ++n)
          followed[n] = part.sigma[part.powered[n]] * part.ratio[n];
        const Grid& grid = part.problem->grid();
        part.sigma = Volume<float>(grid);
#pragma omp parallel for num_threads(threads_) schedule(static)
        for (int k = 0; k < grid.size[2]; ++k)
          for (std::size_t c = grid.index(0, 0, k); c < grid.index(0, 0, k + 1); ++c)
            part.sigma[c] = sigma_at(part, c, expected_degC(p, c, 0));
        for (std::size_t n = 0; n < followed.size(); ++n) part.sigma[part.powered[n]] = followed[n];
      }
      f.due = true;
    }
    solve(f, progress);
    changed = true;
    if (summary_.termination == Termination::cancelled) return changed;
    f.due = false;
    f.solved_s = t_s;
    if (f.from_part == 0) f.whole_solved_s = t_s;
  }
  next_drive_ = 0;
  return changed;
}

template <class Temperature>
double ElectrodeDrive::follow(Field& f, const Drive& d, const Temperature& expected_degC) const {
  const double scale = d.power_W > 0 ? d.power_W / f.solved_W() : 0;
  double change_W = 0, before_W = 0, now_W = 0;
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    const Volume<float>& solved = part.field->power_W_per_m3();
    const auto count = std::ptrdiff_t(part.powered.size());
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::ptrdiff_t m = 0; m < count; ++m) {
      const auto n = std::size_t(m);
      const std::size_t c = part.powered[n];
      const double q = part.share * double(solved[c]), heating = scale * double(part.power[c]);
      // The ratio r of its own consequence: r = sigma(T(r)) / sigma_solved, which falls where tissue dries.
      const auto consequence = [&](double r) {
        return double(sigma_at(part, c, expected_degC(p, c, scale * q * r - heating))) /
               double(part.sigma[c]);
      };
      double r = consequence(part.ratio[n]);
      if (std::abs(r - double(part.ratio[n])) > kDries * double(part.ratio[n])) {
        double low = std::min(r, double(part.ratio[n])), high = std::max(r, double(part.ratio[n]));
        for (int i = 0; i < 12; ++i) {
          const double middle = (low + high) / 2;
          (consequence(middle) > middle ? low : high) = middle;
        }
        r = (low + high) / 2;
      }
      part.ratio[n] = float(r);
    }
    double change = 0, before = 0, now = 0;
    for (std::size_t n = 0; n < part.powered.size(); ++n) {
      const double q = part.share * double(solved[part.powered[n]]), r = double(part.ratio[n]);
      before += q;
      now += q * r;
      change += q * r * std::abs(r - 1) / std::max(r, 1.0);
    }
    change_W += change * part.cell_m3();
    before_W += before * part.cell_m3();
    now_W += now * part.cell_m3();
  }
  if (!(now_W > 0)) return kSolveAtOnce;
  for (Part& part : f.parts) {
    const Volume<float>& solved = part.field->power_W_per_m3();
    for (std::size_t n = 0; n < part.powered.size(); ++n)
      part.power[part.powered[n]] =
          float(part.share * double(solved[part.powered[n]]) * double(part.ratio[n]) * before_W / now_W);
  }
  f.growth = 1 + (now_W - before_W) / f.solved_W();
  return change_W / now_W;
}

template <class Sensor>
bool ElectrodeDrive::update_power(double t_s, const Sensor& sensor_degC) {
  bool changed = false;
  for (std::size_t n = 0; n < drives_.size(); ++n) {
    Drive& d = drives_[n];
    if (!d.on) continue;
    Field& f = fields_[d.field];
    std::vector<std::optional<double>> wanted_W;
    for (std::size_t c = 0; c < d.channels.size(); ++c) {
      Channel& channel = d.channels[c];
      const double T = channel.hold ? sensor_degC(channel.hold->target().sensor_mm) : 0;
      wanted_W.push_back(controlled_power_W(f, c, channel, t_s, T));
    }
    if (d.channels.size() > 1) drive_channels(f, wanted_W);
    double power = 0;
    for (std::size_t c = 0; c < d.channels.size(); ++c) {
      const double at_given_V =
          d.channels.size() > 1 ? f.whole().channel_power_W(c) * f.shape * f.growth : power_W(f);
      const double given = wanted_W[c] ? *wanted_W[c] : at_given_V;
      changed = changed || given != d.channels[c].power_W;
      d.channels[c].power_W = given;
      power += given;
    }
    changed = changed || power != d.power_W;
    d.power_W = power;
    last_on_ = n;
    const double unit = power_W(f);
    if (power > 0 && unit > 0) last_scale_ = std::sqrt(power / unit);
  }
  return changed;
}

}  // namespace spinetherm
