// SPDX-License-Identifier: Apache-2.0
// Cases (a), (b), (c) and (f) of the verification table: heat alone.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "apps/verification_detail.h"

namespace spinetherm::verification {
namespace {

using Eigen::Vector3d;

/// 1 % of the rise from 3 mm, 0.5 % from 5 mm.
double sphere_gate_K(double exact_K, double r_mm, double) { return (r_mm < 5 ? 0.01 : 0.005) * exact_K; }

Source held_sphere(const Vector3d& centre_mm, double a_mm, double degC) {
  return {FixedTemperatureSource{{Sphere{centre_mm, a_mm}}, {{0, degC}}, false}, {}};
}

/// Perfused, before the faces (24 mm away) are felt; the centre lies anywhere between the cells.
void perfused_sphere(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 1);
  const UniformTissue tissue = draw.tissue(0.003);
  const double a_mm = draw(1.5, 1.5, 2.5), theta_s = draw(53, 15, 63);
  const Vector3d centre_mm(draw(0.13, -0.25, 0.25), draw(-0.08, -0.25, 0.25), draw(0.21, -0.25, 0.25));
  RadialCheck check{"perfused",     centre_mm, some_directions(draw), {3, 4, 5, 6},
                    {60, 120, 300}, {},        sphere_gate_K};
  check.exact_K = [&](double r, double t) { return sphere_transient_K(tissue, theta_s, a_mm, r, t); };
  ThermalProblem p = cube_problem(tissue, 96, 0.5);
  p.sources = {held_sphere(centre_mm, a_mm, kRest_degC + theta_s)};
  p.duration_s = 300;
  p.sample = check.sampling();
  check.add_rows(runner.run(p), rows);
}

/// Without perfusion the steady state feels the box: a cube of side 32 mm around the sphere.
void sphere_in_cube(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 2);
  const UniformTissue tissue = draw.tissue(0);
  const double a_mm = draw(1.5, 1.5, 2.2), theta_s = draw(53, 15, 63);
  const int n = draw(64, 0, 1) < 0.5 ? 65 : 64;  // the centre on a cell centre, or where eight cells meet
  const double side_mm = 0.5 * n;
  // Ten times the slowest decay, L^2 / 3 pi^2 alpha.
  const double settled_s =
      std::ceil(10 * side_mm * side_mm * 1e-6 / (3 * M_PI * M_PI * tissue.diffusivity()));
  RadialCheck check{"w = 0 in a cube", {0, 0, 0}, some_directions(draw), {3, 4, 5},
                    {settled_s},       {},        sphere_gate_K};
  check.exact_K = [&](double r, double) { return sphere_in_cube_K(theta_s, a_mm, r, side_mm); };
  ThermalProblem p = cube_problem(tissue, n, 0.5);
  p.sources = {held_sphere({0, 0, 0}, a_mm, kRest_degC + theta_s)};
  p.duration_s = settled_s;
  p.sample = check.sampling();
  check.add_rows(runner.run(p), rows);
}

/// The gate of (b), 0.1 K of 78.6 K, the rise in the middle of the reference's Gaussian after 60 s: a share
/// of the largest rise after 60 s, or after t when that is later.
constexpr double kSourceGate = 0.1 / 78.6;
constexpr double kSourceGateFrom_s = 60;

void gaussian_source(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 3);
  const UniformTissue tissue = draw.tissue(0.003);
  const double power_W = draw(5, 1, 8), sigma_mm = draw(3, 2.5, 4);
  const Vector3d centre_mm(draw(0.2, -0.25, 0.25), draw(-0.1, -0.25, 0.25), draw(0.05, -0.25, 0.25));
  RadialCheck check{"Gaussian", centre_mm, some_directions(draw), {0, 1.3, 3, 6, 10}, {10, 60, 300}, {}, {}};
  check.exact_K = [&](double r, double t) { return gaussian_source_K(tissue, power_W, sigma_mm, r, t); };
  check.gate_K = [&](double, double, double t) {
    return kSourceGate * gaussian_source_K(tissue, power_W, sigma_mm, 0, std::max(t, kSourceGateFrom_s));
  };
  ThermalProblem p = cube_problem(tissue, 80, 0.5);
  p.sources = {{GaussianSource{power_W, sigma_mm, centre_mm}, {}}};
  p.duration_s = 300;
  p.sample = check.sampling();
  check.add_rows(runner.run(p), rows);
}

void box_source(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 4);
  const UniformTissue tissue = draw.tissue(0.003);
  const double power_W = draw(5, 1, 8);
  const Vector3d half_mm(draw(2, 2, 3), draw(2, 2, 3), draw(6, 3, 6));
  const Vector3d centre_mm(draw(0, -0.25, 0.25), draw(0, -0.25, 0.25), draw(0, -0.25, 0.25));
  const std::vector<Vector3d> points_mm = {{0, 0, 0}, {0.9, 0.4, -0.6}, {4, 0, 0}, {0, 0, 10}, {5, 5, 5}};
  const std::vector<double> times_s = {10, 60};
  ThermalProblem p = cube_problem(tissue, 80, 0.5);
  p.sources = {{BoxSource{power_W, centre_mm, half_mm}, {}}};
  p.duration_s = 60;
  p.sample.times_s = times_s;
  for (const Vector3d& x : points_mm) p.sample.points_mm.push_back(centre_mm + x);
  const ThermalResult result = runner.run(p);
  for (const double t : times_s)
    for (const Vector3d& x : points_mm)
      rows.push_back(
          {fmt::format("box: rise at ({:g}, {:g}, {:g}) mm, {:g} s", x.x(), x.y(), x.z(), t), "K",
           box_source_K(tissue, power_W, half_mm, x, t),
           sample_at(result, centre_mm + x, t).T_degC - kRest_degC,
           kSourceGate * box_source_K(tissue, power_W, half_mm, {0, 0, 0}, std::max(t, kSourceGateFrom_s))});
}

/// A second-order stencil is off by h^2/4r^2 of the rise at distance r along an axis (0.2 % at 6 mm),
/// whatever the source's treatment: the gate is a share of what the same power gives in the middle of a
/// Gaussian of 3 mm.
void point_source(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 5);
  const UniformTissue tissue = draw.tissue(0.003);
  const double power_W = draw(5, 1, 8);
  const Vector3d centre_mm(draw(0.1, -0.25, 0.25), draw(-0.2, -0.25, 0.25), draw(0.15, -0.25, 0.25));
  RadialCheck check{"point", centre_mm, some_directions(draw), {6, 8, 10}, {60, 300}, {}, {}};
  check.exact_K = [&](double r, double t) { return point_source_K(tissue, power_W, r, t); };
  check.gate_K = [&](double, double, double t) {
    return kSourceGate * gaussian_source_K(tissue, power_W, 3, 0, std::max(t, kSourceGateFrom_s));
  };
  ThermalProblem p = cube_problem(tissue, 80, 0.5);
  p.sources = {{PointSource{power_W, centre_mm}, {}}};
  p.duration_s = 300;
  p.sample = check.sampling();
  check.add_rows(runner.run(p), rows);
}

/// 1e-3 of the step from 60 s on, 2e-3 at 10 s.
double step_gate_K(double step_K, double t_s) { return (t_s < 60 ? 2e-3 : 1e-3) * std::abs(step_K); }

void slab(const VerificationOptions& options, std::uint64_t number, double perfusion_per_s, double length_mm,
          bool endless, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 10 + number);
  const UniformTissue tissue = draw.tissue(perfusion_per_s);
  const double step_K = draw(30, 10, 50);
  const std::vector<double> depths_mm = {1, 2, 4.9, 10, 15}, times_s = {10, 60, 300, 1200};
  ThermalProblem p =
      column_problem(tissue, int(std::lround(length_mm / 0.25)), 0.25,
                     {BoundaryKind::fixed, kRest_degC + step_K, 0}, {BoundaryKind::fixed, kRest_degC, 0});
  p.duration_s = times_s.back();
  p.sample.times_s = times_s;
  for (const double x : depths_mm) p.sample.points_mm.emplace_back(x, 0, 0);
  const ThermalResult result = runner.run(p);
  for (const double t : times_s)
    for (const double x : depths_mm)
      rows.push_back(
          {fmt::format("{}, w = {:.2g}/s: rise at {:g} mm, {:g} s", endless ? "half-space" : "slab 20 mm",
                       tissue.perfusion_per_s, x, t),
           "K", endless ? semi_infinite_K(tissue, step_K, x, t) : slab_K(tissue, step_K, length_mm, x, t),
           sample_at(result, {x, 0, 0}, t).T_degC - kRest_degC, step_gate_K(step_K, t)});
}

Tissue like(const Tissue& base, std::string name, double k) {
  Tissue t = base;
  t.name = std::move(name);
  t.conductivity_W_per_m_K = k;
  return t;
}

/// Four layers, ends at fixed temperatures, cells of 1 mm: exact to round-off when the interfaces fall on
/// faces.
void layered_slab(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 20);
  const std::vector<Layer> layers = {{std::round(draw(10, 5, 12)), draw(0.49, 0.2, 0.6)},
                                     {std::round(draw(2, 1, 4)), draw(0.32, 0.2, 0.6)},
                                     {std::round(draw(10, 5, 12)), draw(0.31, 0.2, 0.6)},
                                     {std::round(draw(4, 2, 6)), draw(20, 1, 20)}};
  const double hot_degC = draw(90, 45, 95);
  double length_mm = 0, resistance = 0;
  for (const Layer& l : layers) {
    length_mm += l.thickness_mm;
    resistance += l.thickness_mm * 1e-3 / l.conductivity_W_per_m_K;
  }
  UniformTissue soft;
  ThermalProblem p = column_problem(soft, int(std::lround(length_mm)), 1, {BoundaryKind::fixed, hot_degC, 0},
                                    {BoundaryKind::fixed, kRest_degC, 0});
  const Tissue base = p.tissue_map.tissues[0];
  p.tissue_map.tissues.clear();
  double from_mm = 0;
  std::vector<double> depths_mm;
  auto& labels = p.tissue_map.labels;
  for (std::size_t n = 0; n < layers.size(); ++n) {
    p.tissue_map.tissues.push_back(like(base, fmt::format("layer {}", n), layers[n].conductivity_W_per_m_K));
    const double to_mm = from_mm + layers[n].thickness_mm;
    for (int k = 0; k < 3; ++k)
      for (int j = 0; j < 3; ++j)
        for (int i = int(std::lround(from_mm)); i < int(std::lround(to_mm)); ++i)
          labels(i, j, k) = std::uint8_t(n);
    depths_mm.push_back(from_mm + 0.5);
    depths_mm.push_back((from_mm + to_mm) / 2);
    from_mm = to_mm;
  }
  // 14 times the slowest decay of a slab of the same resistance, (rho c) d R / pi^2.
  p.duration_s = std::ceil(14 * soft.heat_capacity() * length_mm * 1e-3 * resistance / (M_PI * M_PI));
  p.sample.times_s = {p.duration_s};
  for (const double x : depths_mm) p.sample.points_mm.emplace_back(x, 0, 0);
  const ThermalResult result = runner.run(p);
  for (const double x : depths_mm)
    rows.push_back({fmt::format("four layers, steady: {:g} mm", x), "degC",
                    layers_degC(layers, hot_degC, kRest_degC, x),
                    sample_at(result, {x, 0, 0}, p.duration_s).T_degC, 1e-3});
}

/// Heat in the first of two layers, as a volumetric source; gate of a source.
void heated_layer(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 21);
  const Layer heated{10, draw(0.5, 0.3, 0.6)}, cold{20, draw(0.3, 0.2, 0.5)};
  const double q_W_per_m3 = draw(1e6, 2e5, 1e6), h_mm = 0.25;
  const int cells = 120, hot_cells = 40;
  UniformTissue soft;
  const Boundary rest{BoundaryKind::fixed, kRest_degC, 0};
  ThermalProblem p = column_problem(soft, cells, h_mm, rest, rest);
  const Tissue base = p.tissue_map.tissues[0];
  p.tissue_map.tissues = {like(base, "heated", heated.conductivity_W_per_m_K),
                          like(base, "cold", cold.conductivity_W_per_m_K)};
  Volume<float> q(p.grid(), 0);
  for (int k = 0; k < 3; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < cells; ++i) {
        p.tissue_map.labels(i, j, k) = i < hot_cells ? 0 : 1;
        q(i, j, k) = i < hot_cells ? float(q_W_per_m3) : 0;
      }
  p.sources = {{VolumetricSource{q}, {}}};
  const double slowest_s = soft.heat_capacity() * 0.03 *
                           (0.01 / heated.conductivity_W_per_m_K + 0.02 / cold.conductivity_W_per_m_K) /
                           (M_PI * M_PI);
  p.duration_s = std::ceil(12 * slowest_s);
  p.sample.times_s = {p.duration_s};
  const std::vector<double> depths_mm = {2, 5, 8, 15, 20, 25};
  for (const double x : depths_mm) p.sample.points_mm.emplace_back(x, 0, 0);
  const ThermalResult result = runner.run(p);
  double largest_K = 0;
  for (double x = 0.5; x < 30; x += 0.5)
    largest_K = std::max(largest_K, heated_layer_degC(heated, cold, q_W_per_m3, kRest_degC, x) - kRest_degC);
  for (const double x : depths_mm)
    rows.push_back({fmt::format("heated layer, steady: {:g} mm", x), "degC",
                    heated_layer_degC(heated, cold, q_W_per_m3, kRest_degC, x),
                    sample_at(result, {x, 0, 0}, p.duration_s).T_degC, kSourceGate * largest_K});
}

/// Two bodies of 40 mm at different temperatures brought together; gate of a step.
void contact(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 22);
  UniformTissue left, right;  // cement (PMMA) and cancellous bone
  left.density_kg_per_m3 = 1180;
  left.specific_heat_J_per_kg_K = 1466;
  left.conductivity_W_per_m_K = draw(0.19, 0.15, 0.6);
  right.density_kg_per_m3 = 1178;
  right.specific_heat_J_per_kg_K = 2274;
  right.conductivity_W_per_m_K = draw(0.31, 0.2, 0.5);
  const double hot_degC = draw(70, 45, 90), middle_mm = 40;
  ThermalProblem p =
      column_problem(right, 320, 0.25, {BoundaryKind::insulated, 0, 0}, {BoundaryKind::insulated, 0, 0});
  Tissue cement = p.tissue_map.tissues[0];
  cement.name = "left";
  cement.density_kg_per_m3 = left.density_kg_per_m3;
  cement.specific_heat_J_per_kg_K = left.specific_heat_J_per_kg_K;
  cement.conductivity_W_per_m_K = left.conductivity_W_per_m_K;
  p.tissue_map.tissues.push_back(cement);
  p.initial_field = Volume<float>(p.grid(), float(kRest_degC));
  for (int k = 0; k < 3; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 160; ++i) {
        p.tissue_map.labels(i, j, k) = 1;
        p.initial_field(i, j, k) = float(hot_degC);
      }
  p.duration_s = 120;
  p.sample.times_s = {10, 30, 120};
  const std::vector<double> places_mm = {-5, -2, -1, 1, 2, 5};
  for (const double x : places_mm) p.sample.points_mm.emplace_back(middle_mm + x, 0, 0);
  const ThermalResult result = runner.run(p);
  for (const double t : p.sample.times_s)
    for (const double x : places_mm)
      rows.push_back({fmt::format("contact of two bodies: {:g} mm, {:g} s", x, t), "degC",
                      contact_degC(left, hot_degC, right, kRest_degC, x, t),
                      sample_at(result, {middle_mm + x, 0, 0}, t).T_degC,
                      step_gate_K(hot_degC - kRest_degC, t)});
}

}  // namespace

std::vector<VerificationRow> run_sphere(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  perfused_sphere(options, runner, rows);
  sphere_in_cube(options, runner, rows);
  rows.push_back(runner.energy_row());
  return rows;
}

std::vector<VerificationRow> run_sources(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  gaussian_source(options, runner, rows);
  box_source(options, runner, rows);
  point_source(options, runner, rows);
  rows.push_back(runner.energy_row());
  return rows;
}

std::vector<VerificationRow> run_slab(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  std::uint64_t number = 0;
  for (const double w : {0.0, 0.003, 0.02}) {
    slab(options, number++, w, 20, false, runner, rows);
    slab(options, number++, w, 80, true, runner, rows);
  }
  rows.push_back(runner.energy_row());
  return rows;
}

std::vector<VerificationRow> run_layers(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  layered_slab(options, runner, rows);
  heated_layer(options, runner, rows);
  rows.push_back(runner.energy_row());
  Runner no_balance(options, progress);  // no heat comes or goes: nothing that a residual could be a share of
  contact(options, no_balance, rows);
  return rows;
}

}  // namespace spinetherm::verification
