// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/dose_field.h"
#include "thermal/electrode_drive.h"
#include "thermal/heat_level.h"
#include "thermal/result.h"

namespace spinetherm {

/// The fields of a result that have been asked for, from the state and the dose at the end of a run.
template <class Real>
void set_fields(const OutputFields& wanted, const HeatLevel<Real>& level, const DoseField<Real>& dose,
                const ElectrodeDrive& drive, ThermalResult& result) {
  const auto volume = [&](const std::vector<float>& values) {
    Volume<float> v;
    v.grid = level.grid;
    v.values = values;
    return v;
  };
  if (wanted.temperature) {
    result.temperature = Volume<float>(level.grid);
    const Real* theta = level.theta_now();
    for (std::size_t c = 0; c < level.grid.count(); ++c)
      result.temperature[c] = float(double(theta[c]) + kReference_degC);
  }
  if (wanted.peak_temperature) {
    result.peak_temperature = volume(dose.peak);
    result.peak_time_s = volume(dose.peak_time);
  }
  if (wanted.lowest_temperature) {
    result.lowest_temperature = volume(dose.lowest);
    result.lowest_time_s = volume(dose.lowest_time);
  }
  if (wanted.potential) result.potential = drive.potential_V();
  if (wanted.power_density) result.power_density = drive.power_W_per_m3();
  if (wanted.freezes) result.freezes = volume(dose.freezes->freezes());
  if (wanted.lowest_twice) result.lowest_twice = volume(dose.freezes->lowest_twice());
  if (wanted.cell_death) result.cell_death = volume(dose.cell_death->dead());
  if (wanted.cem43) result.cem43 = volume(dose.cem43);
  if (wanted.arrhenius && !dose.arrhenius.empty()) result.arrhenius = volume(dose.arrhenius);
}

}  // namespace spinetherm
