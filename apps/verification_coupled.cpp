// SPDX-License-Identifier: Apache-2.0
// Case (j) of the verification table: coupled problems beside one-dimensional references. No closed form, but
// solutions that have converged in their own mesh (physics notes, section 4.1 (j)).

#include <fmt/format.h>

#include <cmath>

#include "apps/radial_ablation.h"
#include "apps/verification_detail.h"
#include "imaging/core/units.h"

namespace spinetherm::verification {
namespace {

using Eigen::Vector3d;

constexpr Boundary kInsulated{BoundaryKind::insulated, 0, 0};
constexpr double kCell_mm = 0.5;

/// Profiles of a sample along some directions from the origin.
struct Rays {
  std::vector<double> distances_mm;
  std::vector<Vector3d> directions;

  std::vector<Vector3d> ray(const Vector3d& direction) const {
    std::vector<Vector3d> points_mm;
    for (const double r : distances_mm) points_mm.push_back(r * direction);
    return points_mm;
  }
  std::vector<Vector3d> all() const {
    std::vector<Vector3d> points_mm;
    for (const Vector3d& d : directions)
      for (const Vector3d& x : ray(d)) points_mm.push_back(x);
    return points_mm;
  }
  /// Of all directions the radius that is farthest from `exact_mm`.
  double radius_mm(const ThermalResult& result, double t_s, double degC, double exact_mm) const {
    double worst = exact_mm;
    for (const Vector3d& d : directions) {
      const double r = crossing_mm(result, ray(d), distances_mm, t_s, degC);
      if (!(std::abs(r - exact_mm) <= std::abs(worst - exact_mm))) worst = r;
    }
    return worst;
  }
  double T_degC(const ThermalResult& result, double r_mm, double t_s, double exact_degC) const {
    double worst = exact_degC;
    for (const Vector3d& d : directions) {
      const double T = sample_at(result, r_mm * d, t_s).T_degC;
      if (!(std::abs(T - exact_degC) <= std::abs(worst - exact_degC))) worst = T;
    }
    return worst;
  }
};

/// A long probe of 0.75 mm that cools to -140 degC in 30 s, in perfused tissue; the reference has converged
/// to 0.03 mm. A quarter of the plane, two faces being planes of symmetry. The same for every seed.
void freezing_probe(Runner& runner, std::vector<VerificationRow>& rows) {
  UniformTissue tissue;
  tissue.density_kg_per_m3 = 1000;
  tissue.specific_heat_J_per_kg_K = 3700;
  tissue.conductivity_W_per_m_K = 0.5;
  tissue.perfusion_per_s = 0.003;
  ThermalProblem p = cube_problem(tissue, 1, kCell_mm);
  Grid grid;
  grid.size = {120, 120, 1};  // the outer faces 60 mm away, as in the reference
  grid.spacing_mm.setConstant(kCell_mm);
  grid.origin_mm = {kCell_mm / 2, kCell_mm / 2, 0};
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  p.tissue_map.tissues[0].frozen = Frozen{1000, 2000, 2, 250e3, -8, -0.6};
  for (const auto face : {x_min, y_min, z_min, z_max}) p.boundary[face] = kInsulated;
  const Region probe{Cylinder{{0, 0, -10}, {0, 0, 10}, 0.75}};
  p.sources = {{FixedTemperatureSource{probe, {{0, kRest_degC}, {30, -140}}, false}, {}}};
  p.duration_s = 600;
  p.sample.times_s = {60, 300, 600};
  Rays rays;
  for (double r = 1.5; r < 20; r += 0.25) rays.distances_mm.push_back(r);
  for (const double degrees : {5.0, 25.0, 45.0})
    rays.directions.emplace_back(std::cos(degrees * kPi / 180), std::sin(degrees * kPi / 180), 0);
  p.sample.points_mm = rays.all();
  const ThermalResult result = runner.run(p);
  struct Reference {
    double t_s, degC, r_mm;
  };
  for (const Reference& r : {Reference{60, 0, 5.484},
                             {60, -20, 4.165},
                             {60, -40, 3.108},
                             {300, 0, 11.11},
                             {300, -20, 7.759},
                             {300, -40, 5.230},
                             {600, 0, 14.33},
                             {600, -20, 9.746},
                             {600, -40, 6.331}})
    rows.push_back({fmt::format("freezing probe: radius of {:g} degC, {:g} s", r.degC, r.t_s), "mm", r.r_mm,
                    rays.radius_mm(result, r.t_s, r.degC, r.r_mm), 0.4});
}

/// The reference's ball of 50 mm, whose outer 30 mm are for the current a resistance and nothing else: a
/// shell of 20 to 25 mm with a third of the conductivity has the same, (1/20 - 1/50) = 3 (1/20 - 1/25).
constexpr double kShellFrom_mm = 20, kBall_mm = 25, kShellDivisor = 3;

/// One octant of the ball: three faces are planes of symmetry to heat and to current.
ThermalProblem octant_problem(const RadialAblation& a) {
  UniformTissue tissue;
  tissue.density_kg_per_m3 = 1060;
  tissue.specific_heat_J_per_kg_K = a.heat_capacity_J_per_m3_K / tissue.density_kg_per_m3;
  tissue.conductivity_W_per_m_K = a.conductivity_W_per_m_K;
  tissue.perfusion_per_s = a.perfusion_W_per_m3_K / tissue.blood_J_per_m3_K;
  ThermalProblem p = cube_problem(tissue, int(kBall_mm / kCell_mm) + 2, kCell_mm);
  Grid grid = p.grid();
  grid.origin_mm.setConstant(kCell_mm / 2);
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  Tissue near = p.tissue_map.tissues[0];
  near.conductivity_per_K = a.conductivity_per_K;
  near.electrical_S_per_m = a.electrical_S_per_m;
  near.electrical_per_K = a.electrical_per_K;
  near.drying = Drying{a.dries_from_degC, a.dries_to_degC, a.dry_residual};
  near.damage = Arrhenius{a.damage_per_s, a.damage_J_per_mol};
  near.perfusion_rule.falls_with_arrhenius = true;
  Tissue far = near;
  far.name = "shell";
  far.electrical_S_per_m = a.electrical_S_per_m / a.shell_divisor;
  p.tissue_map.tissues = {near, far};
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        p.tissue_map.labels(i, j, k) = grid.to_world(i, j, k).norm() > a.shell_from_mm;
  p.boundary.fill(kInsulated);
  const Region ball{Sphere{{0, 0, 0}, a.outer_mm}};
  ElectrodesSource source;
  source.electrodes = {{{Sphere{{0, 0, 0}, a.electrode_mm}}, a.potential_V, {}},
                       {{Outside{std::make_shared<const Region>(ball)}}, 0, a.rest_degC}};
  source.outer_grounded = false;
  p.sources = {{source, {}}};
  return p;
}

/// A sphere at a constant voltage: sigma(T) with drying, k(T), perfusion that falls with damage.
void radiofrequency(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 60);
  RadialAblation a;
  a.outer_mm = kBall_mm;
  a.shell_from_mm = kShellFrom_mm;
  a.shell_divisor = kShellDivisor;
  a.electrode_mm = draw(1.5, 1.5, 2);
  a.potential_V = draw(17, 14, 17);
  a.electrical_S_per_m = draw(0.2, 0.15, 0.25);
  a.electrical_per_K = draw(0.015, 0.01, 0.02);
  a.conductivity_W_per_m_K = draw(0.5, 0.45, 0.6);
  a.conductivity_per_K = draw(0.0012, 0, 0.002);
  a.heat_capacity_J_per_m3_K *= draw(1, 0.7, 1.05);
  a.perfusion_W_per_m3_K *= draw(1, 0.5, 2);
  const std::vector<double> times_s = {60, 300, 600}, distances_mm = {2, 3, 5, 8, 10, 15};

  ThermalProblem p = octant_problem(a);
  p.duration_s = times_s.back();
  p.sample.times_s = times_s;
  Rays rays{{},
            {Vector3d(0.9, 0.3, 0.1).normalized(), Vector3d(1, 1, 1).normalized(), Vector3d(0, 0.6, 0.8)}};
  for (double r = 1.75; r < 18; r += 0.25) rays.distances_mm.push_back(r);
  p.sample.points_mm = rays.all();
  const ThermalResult result = runner.run(p);
  const std::vector<RadialState> exact = solve_radial(a, times_s);

  const auto add_T = [&](const std::string& name, double t, double r, double exact_degC) {
    rows.push_back({fmt::format("{}: r = {:g} mm, {:g} s", name, r, t), "degC", exact_degC,
                    rays.T_degC(result, r, t, exact_degC), 1});
  };
  const auto add_r50 = [&](const std::string& name, double t, double exact_mm) {
    rows.push_back({fmt::format("{}: radius of 50 degC, {:g} s", name, t), "mm", exact_mm,
                    rays.radius_mm(result, t, 50, exact_mm), 0.3});
  };
  const auto add_power = [&](const std::string& name, double exact_A) {
    double current_A = std::nan("");
    if (result.electrical && !result.electrical->times_s.empty())
      current_A = 8 * result.electrical->current_A.back();
    rows.push_back({name + ": current at the end", "A", exact_A, current_A, 0.03 * exact_A});
  };
  for (const RadialState& state : exact) {
    for (const double r : distances_mm) add_T("radiofrequency", state.t_s, r, state.T_at(r));
    if (state.isotherm_mm(50) > 2) add_r50("radiofrequency", state.t_s, state.isotherm_mm(50));
  }
  add_power("radiofrequency", exact.back().current_A);
  if (!draw.is_reference()) return;
  // The physics notes' own table. Its drying is a straight line, but nothing in it reaches 100 degC.
  struct Table {
    double t_s, r50_mm;
    std::array<double, 6> T_degC;
  };
  for (const Table& t : {Table{60, 3.963, {68.704, 57.685, 44.765, 38.671, 37.6, 37.073}},
                         {300, 6.503, {87.01, 74.276, 57.281, 45.353, 41.66, 38.113}},
                         {600, 7.829, {94.011, 80.712, 62.739, 49.483, 44.748, 39.386}}}) {
    for (std::size_t n = 0; n < distances_mm.size(); ++n)
      add_T("radiofrequency, table", t.t_s, distances_mm[n], t.T_degC[n]);
    add_r50("radiofrequency, table", t.t_s, t.r50_mm);
  }
  add_power("radiofrequency, table", 0.10009);
}

}  // namespace

std::vector<VerificationRow> run_coupled(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  freezing_probe(runner, rows);
  radiofrequency(options, runner, rows);
  rows.push_back(runner.energy_row());
  return rows;
}

}  // namespace spinetherm::verification
