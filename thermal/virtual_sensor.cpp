// SPDX-License-Identifier: Apache-2.0
#include "thermal/virtual_sensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/archive.h"
#include "thermal/heat_bodies.h"

namespace spinetherm {
namespace {

/// Normal deviate number `n` of a seed: splitmix64 (Steele 2014, doi:10.1145/2660193.2660195) into
/// Box-Muller, so that it is the same on every machine and depends on nothing before it.
double normal_deviate(std::uint32_t seed, std::uint64_t n) {
  const auto uniform = [&](std::uint64_t m) {
    std::uint64_t z = (std::uint64_t(seed) << 32) + (2 * n + m + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (double((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
  };
  return std::sqrt(-2 * std::log(uniform(0))) * std::cos(2 * kPi * uniform(1));
}

}  // namespace

void validate(const VirtualSensor& s, const std::string& where) {
  const auto rule = [&](bool holds, double value, const char* key, const char* what) {
    if (!holds) throw ConfigError(fmt::format("{} = {}", key, value), where + "/" + key, what);
  };
  const auto not_negative = [&](double value, const char* key) {
    rule(value >= 0 && std::isfinite(value), value, key, "give 0 or more");
  };
  not_negative(s.lag_s, "lag_s");
  not_negative(s.delay_s, "delay_s");
  not_negative(s.noise_K, "noise_K");
  not_negative(s.period_s, "period_s");
  rule(s.stem >= 0 && s.stem < 1, s.stem, "stem", "give a share of 0 or above and below 1");
  rule(std::isfinite(s.pickup_K_per_W), s.pickup_K_per_W, "pickup_K_per_W", "give a finite number");
  if (s.stop_above_degC && s.stop_below_degC)
    rule(*s.stop_above_degC > *s.stop_below_degC, *s.stop_above_degC, "stop_above_degC",
         "it lies above stop_below_degC");
}

SensorReadings::SensorReadings(const std::vector<VirtualSensor>& sensors, double rest_degC)
    : sensors_(sensors), rest_degC_(rest_degC), states_(sensors.size()) {
  for (const VirtualSensor& s : sensors) {
    SensorHistory h;
    h.name = s.name;
    h.at_mm = s.at_mm;
    history_.push_back(std::move(h));
  }
}

void SensorReadings::advance(double t_s, double power_W, const Truth& degC) {
  const bool first = t_s_ < 0;
  const double dt_s = t_s - t_s_;
  for (std::size_t n = 0; n < sensors_.size(); ++n) {
    const VirtualSensor& sensor = sensors_[n];
    State& s = states_[n];
    const double T = degC(sensor.at_mm);
    const double now = T + sensor.stem * (rest_degC_ - T);
    if (first) {
      s.seen = s.lagged = now;
    } else if (sensor.lag_s > 0) {
      // L' = (S - L)/lag with S on a straight line: L - (S - lag S') falls exponentially.
      const double slope = (now - s.seen) / dt_s, follows = sensor.lag_s * slope;
      s.lagged = now - follows + (s.lagged - (s.seen - follows)) * std::exp(-dt_s / sensor.lag_s);
    } else {
      s.lagged = now;
    }
    s.seen = now;
    if (sensor.delay_s > 0) {
      s.past.push_back({t_s, s.lagged});
      while (s.past.size() > 2 && s.past[1][0] < t_s - sensor.delay_s) s.past.erase(s.past.begin());
    }
    if (first || t_s >= s.next_s - 1e-9) {
      s.reading = sensor.delay_s > 0 ? value_at(s.past, t_s - sensor.delay_s) : s.lagged;
      // Fields add at once, without the lag of heat.
      s.reading += sensor.pickup_K_per_W * power_W;
      if (sensor.noise_K > 0) s.reading += sensor.noise_K * normal_deviate(sensor.seed, s.draws++);
      s.next_s = t_s + sensor.period_s;
    }
    SensorHistory& h = history_[n];
    h.times_s.push_back(t_s);
    h.truth_degC.push_back(T);
    h.reading_degC.push_back(s.reading);
  }
  t_s_ = t_s;
}

std::optional<double> SensorReadings::reading_degC(const Eigen::Vector3d& at_mm) const {
  for (std::size_t n = 0; n < sensors_.size(); ++n)
    if (sensors_[n].at_mm == at_mm && t_s_ >= 0) return states_[n].reading;
  return std::nullopt;
}

std::optional<std::size_t> SensorReadings::stop() const {
  if (t_s_ < 0) return std::nullopt;
  for (std::size_t n = 0; n < sensors_.size(); ++n) {
    const VirtualSensor& s = sensors_[n];
    if ((s.stop_above_degC && states_[n].reading >= *s.stop_above_degC) ||
        (s.stop_below_degC && states_[n].reading <= *s.stop_below_degC))
      return n;
  }
  return std::nullopt;
}

std::optional<double> SensorReadings::period_s() const {
  if (!any()) return std::nullopt;
  double period = 1;
  for (const VirtualSensor& s : sensors_)
    if (s.period_s > 0) period = std::min(period, s.period_s);
  return period;
}

void SensorReadings::stopped(std::size_t sensor, double t_s) { history_[sensor].stopped_s = t_s; }

void SensorReadings::exchange_state(Archive& archive) {
  for (State& s : states_) archive(s.seen, s.lagged, s.reading, s.next_s, s.past, s.draws);
  for (SensorHistory& h : history_) archive(h.times_s, h.truth_degC, h.reading_degC, h.stopped_s);
  archive(t_s_);
}

}  // namespace spinetherm
