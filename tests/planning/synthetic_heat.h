// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finished thermal runs with closed-form fields: what the checks see of a run, without the run.

#include <cmath>
#include <functional>

#include "planning/plan.h"
#include "thermal/result.h"

namespace spinetherm::testing {

/// A run whose peak (and lowest) temperature is given everywhere; the dose is that of 60 s at the peak.
inline ThermalResult run_of(const Grid& grid,
                            const std::function<double(const Eigen::Vector3d&)>& extreme_degC) {
  ThermalResult r;
  r.summary.termination = Termination::reached_end;
  r.summary.message = "closed form";
  for (auto* v :
       {&r.peak_temperature, &r.lowest_temperature, &r.cem43, &r.arrhenius, &r.peak_time_s, &r.lowest_time_s})
    *v = Volume<float>(grid);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const double T = extreme_degC(grid.to_world(i, j, k)), hot = std::max(T, 37.0);
        r.peak_temperature(i, j, k) = float(hot);
        r.lowest_temperature(i, j, k) = float(std::min(T, 37.0));
        r.cem43(i, j, k) = float(hot < 39 ? 0 : std::pow(hot >= 43 ? 0.5 : 0.25, 43 - hot));
        // Liver collagen, 60 s: A 7.39e39 1/s, E 2.577e5 J/mol.
        r.arrhenius(i, j, k) = float(60 * 7.39e39 * std::exp(-2.577e5 / (8.314462618 * (hot + 273.15))));
        r.peak_time_s(i, j, k) = 312;
        r.lowest_time_s(i, j, k) = 600;
      }
  return r;
}

/// Excess temperature that falls off as a Gaussian.
inline std::function<double(const Eigen::Vector3d&)> gaussian(const Eigen::Vector3d& centre_mm, double rise_K,
                                                              double sigma_mm) {
  return [=](const Eigen::Vector3d& x) {
    return 37 + rise_K * std::exp(-(x - centre_mm).squaredNorm() / (2 * sigma_mm * sigma_mm));
  };
}
/// Distance from the centre at which the Gaussian reaches a temperature [mm].
inline double radius_at(double degC, double rise_K, double sigma_mm) {
  return sigma_mm * std::sqrt(2 * std::log(rise_K / (degC - 37)));
}

inline Device thin_device(const std::string& name = "test-10", double zone_mm = 15) {
  Device d;
  d.name = name;
  d.modality = "rfa";
  d.shaft_diameter_mm = 1.5;
  d.length_mm = 150;
  d.poles = {{0, 4, 1.5, 1}, {6, 10, 1.5, -1}};
  d.sensors = {{"tip", 5, 0.75}};
  d.published_zone = PublishedZone{zone_mm * 1.3, zone_mm, "closed form", {"test", Confidence::placeholder}};
  d.protocol.steps = {{.duration_s = 400, .hold_degC = 90, .max_W = 20}};
  return d;
}
inline PlacedDevice placed_at(const Eigen::Vector3d& entry_mm, const Eigen::Vector3d& tip_mm) {
  const Device device = thin_device();
  Applicator a;
  a.device = device.name;
  a.entry_mm = entry_mm;
  a.tip_mm = tip_mm;
  return {a, device};
}

}  // namespace spinetherm::testing
