// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "apps/verification_detail.h"

namespace spinetherm {
namespace {

constexpr double kEndless = std::numeric_limits<double>::infinity();

/// Steady rise per watt, k = 0.5 W/m/K, of the reference table (i).
TEST(LightClosedForm, MatchesTheReferenceTable) {
  struct Row {
    OpticalProperties optical;
    double perfusion_per_s;
    std::array<double, 3> at_2_5_10_mm;
  };
  for (const Row& row :
       {Row{{110, 3720}, 0, {71.17719280981494, 31.71574708460495, 15.915285697838096}},
        Row{{110, 3720}, 0.003, {51.36587750544752, 15.1217376669982, 3.581880163621824}},
        Row{{105, 3600}, 0.003, {50.65761058121218, 15.115941885592251, 3.587227192373369}},
        Row{{52, 540}, 0, {36.24329610766783, 24.865507321301386, 15.153376451625963}},
        Row{{22, 1730}, 0.003, {23.076066426800097, 11.396595140776824, 3.7196171528563957}},
        Row{{49, 580}, 0.003, {20.598003260015947, 10.623281984079696, 3.6583724819554515}}}) {
    UniformTissue tissue;
    tissue.perfusion_per_s = row.perfusion_per_s;
    const std::array<double, 3> distances_mm{2, 5, 10};
    for (std::size_t n = 0; n < 3; ++n)
      EXPECT_NEAR(verification::point_light_K(tissue, 1, row.optical, distances_mm[n], kEndless),
                  row.at_2_5_10_mm[n], 1e-6 * row.at_2_5_10_mm[n])
          << row.optical.reduced_scattering_per_m << " at " << distances_mm[n] << " mm";
  }
}

/// It solves the equation: d theta/dt = alpha laplace theta - beta theta + q/(rho c), by differences.
TEST(LightClosedForm, SolvesTheHeatEquation) {
  UniformTissue tissue;
  tissue.perfusion_per_s = 0.003;
  const OpticalProperties grey{52, 540};
  const double mu_per_mm = std::sqrt(3 * 52.0 * 592) * 1e-3;
  const auto theta = [&](double r, double t) { return verification::point_light_K(tissue, 1, grey, r, t); };
  for (const double t : {5.0, 60.0, 600.0})
    for (const double r : {1.0, 4.0, 9.0}) {
      const double d = 0.01, dt = 1e-3 * t;
      const double rate = (theta(r, t + dt) - theta(r, t - dt)) / (2 * dt);
      const double bend =
          ((r + d) * theta(r + d, t) - 2 * r * theta(r, t) + (r - d) * theta(r - d, t)) / (r * d * d) * 1e6;
      const double heating =
          mu_per_mm * mu_per_mm * std::exp(-mu_per_mm * r) / (4 * M_PI * r) * 1e9 / tissue.heat_capacity();
      EXPECT_NEAR(rate, tissue.diffusivity() * bend - tissue.decay() * theta(r, t) + heating, 2e-3 * heating)
          << r << " mm, " << t << " s";
    }
  EXPECT_NEAR(
      theta(5, 0.01),
      mu_per_mm * mu_per_mm * std::exp(-mu_per_mm * 5) / (4 * M_PI * 5) * 1e9 / tissue.heat_capacity() * 0.01,
      1e-5);
}

}  // namespace
}  // namespace spinetherm
