// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "thermal/electrode_drive.h"
#include "thermal/radiation_drive.h"

namespace spinetherm {

/// All sources of a problem whose power density comes from a field, as one: electrodes first, then antennas
/// and light. See electrode_drive.h and radiation_drive.h.
class PowerDrives {
 public:
  PowerDrives(const ThermalProblem& problem, const ThermalProblem* patch,
              const std::vector<std::uint8_t>& covered, int threads, bool repeatable)
      : electrodes_(problem, patch, covered, threads, repeatable),
        radiation_(problem, patch, covered, threads) {}

  bool acting() const { return electrodes_.acting() || radiation_.acting(); }
  void switch_to(const std::vector<bool>& on) {
    electrodes_.switch_to(on);
    radiation_.switch_to(on);
  }
  template <class Temperature, class Damage>
  bool update_fields(double t_s, const Temperature& expected_degC, const Damage& damage,
                     const Progress& progress) {
    failed_ = {};
    const bool current = electrodes_.update_fields(t_s, expected_degC, progress);
    if (electrodes_.acting() && !electrodes_.summary().usable()) {
      failed_ =
          Failure{electrodes_.summary().termination, "electric field: " + electrodes_.summary().message};
      return true;
    }
    const bool radiated = radiation_.update_fields(t_s, expected_degC, damage, progress);
    if (radiation_.acting() && !radiation_.summary().usable())
      failed_ = Failure{radiation_.summary().termination, "radiated field: " + radiation_.summary().message};
    return current || radiated;
  }
  template <class Sensor>
  bool update_power(double t_s, const Sensor& sensor_degC) {
    return electrodes_.update_power(t_s, sensor_degC);
  }
  std::optional<double> period_s(double t_s) const { return electrodes_.period_s(t_s); }
  double power_W() const { return electrodes_.power_W() + radiation_.power_W(); }
  std::vector<UnitHeating> heating(std::size_t part) const {
    std::vector<UnitHeating> list = electrodes_.heating(part);
    for (const UnitHeating& h : radiation_.heating(part, electrodes_.count())) list.push_back(h);
    return list;
  }
  /// Why the last update_fields() came to no end; empty: it did.
  struct Failure {
    Termination termination = Termination::not_run;
    std::string message;
  };
  const std::optional<Failure>& failure() const { return failed_; }
  void record(double t_s, ThermalResult& result) const {
    if (electrodes_.acting()) {
      if (!result.electrical) result.electrical.emplace();
      electrodes_.record(t_s, *result.electrical);
    }
    if (radiation_.acting()) {
      if (!result.radiation) result.radiation.emplace();
      radiation_.record(t_s, *result.radiation);
    }
  }
  int solves() const { return electrodes_.solves() + radiation_.solves(); }
  Volume<float> potential_V() const { return electrodes_.potential_V(); }
  Volume<float> power_W_per_m3() const {
    Volume<float> power = electrodes_.power_W_per_m3();
    radiation_.add_power_W_per_m3(power);
    return power;
  }
  void exchange_state(Archive& archive) { archive(electrodes_, radiation_); }

 private:
  ElectrodeDrive electrodes_;
  RadiationDrive radiation_;
  std::optional<Failure> failed_;
};

}  // namespace spinetherm
