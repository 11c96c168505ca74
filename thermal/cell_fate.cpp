// SPDX-License-Identifier: Apache-2.0
#include "thermal/cell_fate.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"

namespace spinetherm {

FreezeHistory::FreezeHistory(const std::vector<float>& start_degC)
    : freezes_(start_degC.size(), 0),
      now_(start_degC.size(), 0),
      lowest_(start_degC.size(), 0),
      second_(start_degC.size(), 0) {
  for (std::size_t c = 0; c < now_.size(); ++c) now_[c] = std::min(0.0F, start_degC[c]);
}

void FreezeHistory::change(std::size_t c, float T_degC) {
  if (T_degC < 0) {
    if (now_[c] >= 0 && freezes_[c] < 255) ++freezes_[c];
    now_[c] = std::min(now_[c], T_degC);
    return;
  }
  if (freezes_[c] > 0) {  // else it began below 0
    if (now_[c] < lowest_[c]) {
      second_[c] = lowest_[c];
      lowest_[c] = now_[c];
    } else {
      second_[c] = std::min(second_[c], now_[c]);
    }
  }
  now_[c] = 0;
}

std::vector<float> FreezeHistory::lowest_twice() const {
  std::vector<float> out(now_.size(), 0);
  for (std::size_t c = 0; c < out.size(); ++c) {
    if (freezes_[c] == 0) continue;
    const float higher = std::max(now_[c], lowest_[c]);  // of this freeze and the coldest before
    out[c] = std::min(higher, second_[c]);
  }
  return out;
}

void FreezeHistory::take(const FreezeHistory& other, std::size_t cell, std::size_t to) {
  freezes_[to] = other.freezes_[cell];
  now_[to] = other.now_[cell];
  lowest_[to] = other.lowest_[cell];
  second_[to] = other.second_[cell];
}

void FreezeHistory::exchange_state(Archive& archive) { archive(freezes_, now_, lowest_, second_); }

CellState advance(const CellDeathModel& m, CellState state, const TemperatureStep& step) {
  const double low = std::min(step.T0_degC, step.T1_degC), high = std::max(step.T0_degC, step.T1_degC);
  if (low < m.from_degC && high > m.from_degC) {
    const double part = (m.from_degC - step.T0_degC) / (step.T1_degC - step.T0_degC);
    state = advance(m, state, straight_step(step.T0_degC, m.from_degC, part * step.dt_s));
    return advance(m, state, straight_step(m.from_degC, step.T1_degC, (1 - part) * step.dt_s));
  }
  if (high <= m.from_degC) {
    const double excess = std::max(0.0, 1 - state.alive - state.dead - (1 - m.alive));
    return {state.alive - excess * std::expm1(-m.backward_per_s * step.dt_s), state.dead};
  }
  const auto rate = [&](const CellState& s, double T_degC) {
    const double forward = m.forward_per_s * std::exp(T_degC / m.scale_degC) * (1 - s.alive);
    const double vulnerable = 1 - s.alive - s.dead;
    return CellState{-forward * s.alive + m.backward_per_s * vulnerable, forward * vulnerable};
  };
  const double fastest = m.forward_per_s * std::exp(high / m.scale_degC) + m.backward_per_s;
  const int parts = std::max(1, int(std::ceil(step.dt_s * fastest / 0.2)));
  const double dt = step.dt_s / parts;
  const auto plus = [](const CellState& s, double h, const CellState& r) {
    return CellState{s.alive + h * r.alive, s.dead + h * r.dead};
  };
  for (int n = 0; n < parts; ++n) {
    const auto T = [&](double part) {
      return step.T0_degC + (step.T1_degC - step.T0_degC) * (n + part) / parts;
    };
    const CellState a = rate(state, T(0)), b = rate(plus(state, dt / 2, a), T(0.5)),
                    c = rate(plus(state, dt / 2, b), T(0.5)), d = rate(plus(state, dt, c), T(1));
    state.alive += dt / 6 * (a.alive + 2 * b.alive + 2 * c.alive + d.alive);
    state.dead += dt / 6 * (a.dead + 2 * b.dead + 2 * c.dead + d.dead);
  }
  return state;
}

CellDeath::CellDeath(std::size_t cells, const CellDeathModel& model)
    : model_(model), alive_(cells, float(model.alive)), dead_(cells, 0) {}

void CellDeath::exchange_state(Archive& archive) { archive(alive_, dead_); }

void CellDeath::add(std::size_t cell, const TemperatureStep& step) {
  const CellState state = advance(model_, {double(alive_[cell]), double(dead_[cell])}, step);
  alive_[cell] = float(state.alive);
  dead_[cell] = float(state.dead);
}

}  // namespace spinetherm
