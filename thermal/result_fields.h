// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include "thermal/dose_field.h"
#include "thermal/heat_level.h"
#include "thermal/power_drives.h"
#include "thermal/result.h"

namespace spinetherm {

/// The fields of a result that have been asked for, from the state and the dose at the end of a run, which
/// are left empty.
template <class Real>
void set_fields(const OutputFields& wanted, HeatLevel<Real>& level, DoseField<Real>& dose,
                const PowerDrives& drive, ThermalResult& result) {
  const auto volume = [&](std::vector<float> values) {
    Volume<float> v;
    v.grid = level.grid;
    v.values = std::move(values);
    return v;
  };
  level.rate = {};
  for (std::size_t n = 0; n < level.y.size(); ++n)
    if (int(n) != level.now || !level.theta.empty()) level.y[n] = {};
  if (wanted.temperature) {
    std::vector<Real>& theta = level.theta.empty() ? level.y[std::size_t(level.now)] : level.theta;
    if constexpr (std::is_same_v<Real, float>) {
#pragma omp parallel for num_threads(level.threads) schedule(static)
      for (std::ptrdiff_t c = 0; c < std::ptrdiff_t(theta.size()); ++c)
        theta[std::size_t(c)] = float(double(theta[std::size_t(c)]) + kReference_degC);
      result.temperature = volume(std::move(theta));
    } else {
      result.temperature = Volume<float>(level.grid);
      for (std::size_t c = 0; c < level.grid.count(); ++c)
        result.temperature[c] = float(theta[c] + kReference_degC);
    }
  }
  if (wanted.peak_temperature) {
    result.peak_temperature = volume(std::move(dose.peak));
    result.peak_time_s = volume(std::move(dose.peak_time));
  }
  if (wanted.lowest_temperature) {
    result.lowest_temperature = volume(std::move(dose.lowest));
    result.lowest_time_s = volume(std::move(dose.lowest_time));
  }
  if (wanted.potential) result.potential = drive.potential_V();
  if (wanted.power_density) result.power_density = drive.power_W_per_m3();
  if (wanted.freezes) result.freezes = volume(dose.freezes->freezes());
  if (wanted.lowest_twice) result.lowest_twice = volume(dose.freezes->lowest_twice());
  if (wanted.cell_death) result.cell_death = volume(dose.cell_death->dead());
  if (wanted.cem43) result.cem43 = volume(std::move(dose.cem43));
  if (wanted.arrhenius && !dose.arrhenius.empty()) result.arrhenius = volume(std::move(dose.arrhenius));
}

}  // namespace spinetherm
