// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "thermal/damage.h"

namespace spinetherm {

class Archive;

/// Freezes of every cell. A freeze begins when the temperature falls below 0 degC after having been at 0 or
/// above, and ends when it is at 0 or above again; a cell that is below 0 at the start has not come there by
/// a freeze, and its first freeze is the next one. Temperatures count at the ends of macro-steps.
///
/// `lowest_twice` is the lowest temperature that two separate freezes reached (0 after fewer than two), so
/// that "below -20 degC twice" is lowest_twice <= -20, with an edge between the cells.
class FreezeHistory {
 public:
  /// `start_degC`: one a cell.
  explicit FreezeHistory(const std::vector<float>& start_degC);
  void add(std::size_t cell, double T_degC) {
    if (T_degC >= 0 && now_[cell] >= 0) return;
    change(cell, float(T_degC));
  }
  std::vector<float> freezes() const { return {freezes_.begin(), freezes_.end()}; }
  std::vector<float> lowest_twice() const;
  /// Cell `to` has had what cell `cell` of another list has had.
  void take(const FreezeHistory& other, std::size_t cell, std::size_t to);
  void exchange_state(Archive& archive);

 private:
  void change(std::size_t cell, float T_degC);

  std::vector<std::uint8_t> freezes_;  ///< 255: or more
  /// Lowest [degC] of the freeze that goes on, and of those before; 0: none.
  std::vector<float> now_, lowest_, second_;
};

/// Constants of the three-state model of death by heat:
///   dA/dt = -k_f e^(T/T_k) (1 - A) A + k_b (1 - A - D)
///   dD/dt =  k_f e^(T/T_k) (1 - A) (1 - A - D),    A alive, D dead, 1 - A - D vulnerable, T in degC.
/// O'Neill et al. 2011, Ann Biomed Eng 39:570, doi:10.1007/s10439-010-0177-1, fitted to heated co-cultures of
/// hepatocytes and lung fibroblasts. The paper was found, its equations and constants are recalled, not read
/// in it. Says nothing of cold.
///
/// With these constants 37 degC is no state of rest: 65 % would be dead after an hour. Below `from_degC`,
/// where CEM43 counts nothing either, cells are therefore not harmed and vulnerable ones recover until they
/// are as many as at the start (ours, not the paper's):  dA/dt = k_b max(0, V - V_0), dD/dt = 0.
struct CellDeathModel {
  double forward_per_s = 3.33e-3, backward_per_s = 7.77e-3, scale_degC = 40.5;
  double from_degC = 39;
  double alive = 0.99;  ///< at the start, the rest vulnerable: at A = 1 nothing would ever happen
  bool operator==(const CellDeathModel&) const = default;
};
struct CellState {
  double alive = 1, dead = 0;
};
/// Over a step in which the temperature goes straight from T0 to T1: Runge-Kutta of fourth order in parts
/// short against the fastest rate, cut where the temperature passes `from_degC`.
CellState advance(const CellDeathModel& model, CellState state, const TemperatureStep& step);

/// The three-state model in every cell.
class CellDeath {
 public:
  explicit CellDeath(std::size_t cells, const CellDeathModel& model = {});
  void add(std::size_t cell, const TemperatureStep& step);
  const std::vector<float>& dead() const { return dead_; }
  void take(const CellDeath& other, std::size_t cell, std::size_t to) {
    alive_[to] = other.alive_[cell];
    dead_[to] = other.dead_[cell];
  }
  void exchange_state(Archive& archive);

 private:
  CellDeathModel model_;
  std::vector<float> alive_, dead_;
};

}  // namespace spinetherm
