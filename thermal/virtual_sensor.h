// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "thermal/result.h"

namespace spinetherm {

class Archive;

/// What measures in a patient reads something else than the temperature T of the tissue around its tip:
///   S = T + stem (T_rest - T) + pickup P,   dL/dt = (S - L)/lag,   reading = L(t - delay) + noise,
/// stem: part of the tip's temperature that the needle brings from the skin; pickup: what the energy's field
/// adds for every watt P that acts; noise: a normal deviate, drawn anew every period. Thermocouples have a
/// lag, MR thermometry has noise and a period, neuromonitoring a delay. Rules read the reading, never T.
/// Numbers are the user's; all effects are off unless given.
struct VirtualSensor {
  std::string name = {};
  Eigen::Vector3d at_mm{0, 0, 0};
  double lag_s = 0, delay_s = 0;
  double stem = 0;  ///< [0, 1)
  double pickup_K_per_W = 0;
  double noise_K = 0;      ///< standard deviation
  double period_s = 0;     ///< of new readings; 0: at every step
  std::uint32_t seed = 1;  ///< of the noise
  /// As soon as the reading is there, everything that is scheduled ends.
  std::optional<double> stop_above_degC = {}, stop_below_degC = {};
  bool operator==(const VirtualSensor&) const = default;
};
/// ConfigError naming the number that breaks its rule, below `where`.
void validate(const VirtualSensor& sensor, const std::string& where);

/// The sensors of a run.
class SensorReadings {
 public:
  SensorReadings(const std::vector<VirtualSensor>& sensors, double rest_degC);
  using Truth = std::function<double(const Eigen::Vector3d& at_mm)>;
  /// Time has come to `t_s`, with `power_W` acting since the last call. The tissue's temperature runs
  /// straight between two calls, for which the lag is exact.
  void advance(double t_s, double power_W, const Truth& degC);
  /// What the sensor at this place reads; empty: there is none.
  std::optional<double> reading_degC(const Eigen::Vector3d& at_mm) const;
  /// The first sensor whose reading says stop; empty: none.
  std::optional<std::size_t> stop() const;
  bool any() const { return !sensors_.empty(); }
  /// Steps must not be longer [s]; empty: as long as they like.
  std::optional<double> period_s() const;
  void stopped(std::size_t sensor, double t_s);
  const std::vector<SensorHistory>& history() const { return history_; }
  void exchange_state(Archive& archive);

 private:
  struct State {
    double seen = 0, lagged = 0, reading = 0;
    double next_s = 0;                        ///< of the next new reading
    std::vector<std::array<double, 2>> past;  ///< (t, L), as far back as the delay
    std::uint64_t draws = 0;
  };
  const std::vector<VirtualSensor>& sensors_;
  double rest_degC_;
  std::vector<State> states_;
  std::vector<SensorHistory> history_;
  double t_s_ = -1;
};

}  // namespace spinetherm
