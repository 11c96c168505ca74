// SPDX-License-Identifier: Apache-2.0
// Case (e) of the verification table: resistance and power of electrodes.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/verification_detail.h"
#include "imaging/core/units.h"

namespace spinetherm::verification {
namespace {

using Eigen::Vector3d;

/// A cube of tissue whose outer faces are grounded, with its electrodes; one second of heat.
ThermalProblem electrode_problem(double sigma, int n, double h_mm, std::vector<Electrode> electrodes) {
  ThermalProblem p = cube_problem({}, n, h_mm);
  p.tissue_map.tissues[0].electrical_S_per_m = sigma;
  ElectrodesSource source;
  source.electrodes = std::move(electrodes);
  p.sources = {{source, {}}};
  p.duration_s = 1;
  p.fields.power_density = true;
  return p;
}

/// Resistance within 3 %; the integral of q beside V I within 1 %.
void add_resistance_rows(const std::string& name, double exact_ohm, const ThermalProblem& p,
                         const ThermalResult& result, std::vector<VerificationRow>& rows) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  double resistance = unknown, power_W = unknown, integral_W = unknown;
  if (result.electrical && !result.electrical->times_s.empty() && !result.power_density.empty()) {
    resistance = result.electrical->resistance_ohm.front();
    power_W = resistance * result.electrical->current_A.front() * result.electrical->current_A.front();
    integral_W = 0;
    for (const float q : result.power_density.values) integral_W += q;
    integral_W *= p.grid().voxel_volume_mm3() * std::pow(kMetre_per_mm, 3);
  }
  rows.push_back({name + ": resistance", "ohm", exact_ohm, resistance, 0.03 * exact_ohm});
  rows.push_back({name + ": integral of q, beside V I", "W", power_W, integral_W, 0.01 * power_W});
}

void sphere(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 30);
  const double sigma = draw(0.2, 0.05, 0.6), a_mm = draw(2, 2, 3), V = draw(20, 5, 30);
  const int n = 80;
  const double shift = draw(0, -0.25, 0.25);  // much less than the box: the correction stays as it is
  const auto p = electrode_problem(sigma, n, 0.5, {{{Sphere{{shift, shift, -shift}, a_mm}}, V, {}}});
  add_resistance_rows("sphere",
                      sphere_resistance_ohm(sigma, a_mm) - grounded_cube_correction_ohm(sigma, 0.5 * n), p,
                      runner.run(p), rows);
}

void two_spheres(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 31);
  const double sigma = draw(0.2, 0.05, 0.6), a_mm = draw(2, 2, 2.4), distance_mm = draw(10, 6, 11);
  const double V = draw(10, 5, 20);
  const Vector3d along = draw.is_reference() ? Vector3d(1, 0, 0) : draw.direction();
  const int n = 112;
  const Region left{Sphere{-distance_mm / 2 * along, a_mm}}, right{Sphere{distance_mm / 2 * along, a_mm}};
  auto p = electrode_problem(sigma, n, 0.5, {{left, V, {}}, {right, -V, {}}});
  add_resistance_rows("two spheres, opposite", 2 * V / two_spheres_bipolar_A(sigma, a_mm, distance_mm, V), p,
                      runner.run(p), rows);
  p = electrode_problem(sigma, n, 0.5, {{left, V, {}}, {right, V, {}}});
  add_resistance_rows("two spheres, equal",
                      V / (2 * two_spheres_parallel_A(sigma, a_mm, distance_mm, V)) -
                          grounded_cube_correction_ohm(sigma, 0.5 * n),
                      p, runner.run(p), rows);
}

void prolate(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 32);
  const double sigma = draw(0.2, 0.05, 0.6), long_mm = draw(4, 2, 5), short_mm = draw(1, 1, 1.5);
  const Vector3d axis = draw.is_reference() ? Vector3d(0, 0, 1) : draw.direction();
  const int n = 112;
  const auto p = electrode_problem(sigma, n, 0.25, {{{Prolate{{0, 0, 0}, axis, long_mm, short_mm}}, 20, {}}});
  add_resistance_rows(
      "spheroid",
      prolate_resistance_ohm(sigma, long_mm, short_mm) - grounded_cube_correction_ohm(sigma, 0.25 * n), p,
      runner.run(p), rows);
}

/// Sphere of held wall temperature inside a grounded shell at rest: field and heat together. The temperature
/// follows the square of the field: twice the 3 % of the resistance, of the largest departure from rest.
void cooled_sphere(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 33);
  const UniformTissue tissue = draw.tissue(0);
  const double k = tissue.conductivity_W_per_m_K;
  const double sigma = draw(0.2, 0.1, 0.3), a_mm = draw(2, 2, 2.5), R_mm = draw(16, 14, 16);
  const double V = draw(15, 8, 15), wall_degC = draw(10, 5, 60);
  ThermalProblem p = cube_problem(tissue, 68, 0.5);
  p.tissue_map.tissues[0].electrical_S_per_m = sigma;
  const Region shell{Outside{std::make_shared<const Region>(Region{Sphere{{0, 0, 0}, R_mm}})}};
  ElectrodesSource source;
  source.electrodes = {{{Sphere{{0, 0, 0}, a_mm}}, V, wall_degC}, {shell, 0, kRest_degC}};
  p.sources = {{source, {}}};
  p.duration_s = std::ceil(8 * R_mm * R_mm * 1e-6 / (M_PI * M_PI * tissue.diffusivity()));
  p.sample.times_s = {p.duration_s};
  p.fields.power_density = true;
  const std::vector<double> distances_mm = {3, 4, 6, 10};
  const Vector3d along = Vector3d(0.48, -0.6, 0.64);
  for (const double r : distances_mm) p.sample.points_mm.push_back(r * along);
  const ThermalResult result = runner.run(p);
  add_resistance_rows("sphere in a shell", sphere_in_shell_resistance_ohm(sigma, a_mm, R_mm), p, result,
                      rows);
  double largest_K = std::abs(wall_degC - kRest_degC);
  for (double r = a_mm; r < R_mm; r += 0.1)
    largest_K = std::max(
        largest_K, std::abs(cooled_sphere_in_shell_degC(sigma, k, V, a_mm, wall_degC, kRest_degC, R_mm, r) -
                            kRest_degC));
  for (const double r : distances_mm)
    rows.push_back({fmt::format("cooled sphere in a shell, steady: r = {:g} mm", r), "degC",
                    cooled_sphere_in_shell_degC(sigma, k, V, a_mm, wall_degC, kRest_degC, R_mm, r),
                    sample_at(result, r * along, p.duration_s).T_degC, 0.06 * largest_K});
}

}  // namespace

std::vector<VerificationRow> run_electrodes(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  sphere(options, runner, rows);
  two_spheres(options, runner, rows);
  prolate(options, runner, rows);
  cooled_sphere(options, runner, rows);
  rows.push_back(runner.energy_row());
  return rows;
}

}  // namespace spinetherm::verification
