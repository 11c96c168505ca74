// SPDX-License-Identifier: Apache-2.0
// Case (i) of the verification table: light and microwaves.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>

#include "apps/verification_detail.h"
#include "imaging/core/units.h"
#include "thermal/antenna_field.h"

namespace spinetherm::verification {
namespace {

using Eigen::Vector3d;

constexpr double kEndless = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kMetre_per_mm = 1e-3;

double diffusion_m(const OpticalProperties& o) {
  return 1 / (3 * (o.absorption_per_m + o.reduced_scattering_per_m));
}
double mu_per_m(const OpticalProperties& o) { return std::sqrt(o.absorption_per_m / diffusion_m(o)); }

/// exp(-beta t) U(a), see point_light_K().
double spread_K(const UniformTissue& tissue, double a_per_m, double r_m, double t_s) {
  if (std::isinf(t_s)) return 0;
  const double root_m = std::sqrt(tissue.diffusivity() * t_s);
  const double x = r_m / (2 * root_m), shift = a_per_m * root_m;
  const double away = shift > x ? std::exp(-x * x) * scaled_erfc(shift - x)
                                : std::exp(shift * shift - 2 * shift * x) * std::erfc(shift - x);
  const double back = std::exp(-x * x) * scaled_erfc(shift + x);
  return std::exp(-tissue.decay() * t_s) * (away - back) / (8 * kPi * r_m);
}

/// Mean over a cell of a grid, 4 Gauss points an axis.
double cell_mean(const Grid& grid, const std::array<int, 3>& cell,
                 const std::function<double(const Vector3d&)>& f) {
  constexpr std::array<double, 4> at{-0.4305681558, -0.1699905218, 0.1699905218, 0.4305681558},
      weight{0.1739274226, 0.3260725774, 0.3260725774, 0.1739274226};
  double sum = 0;
  for (std::size_t n = 0; n < 64; ++n) {
    const std::size_t i = n % 4, j = n / 4 % 4, k = n / 16;
    sum += weight[i] * weight[j] * weight[k] *
           f(grid.to_world(Vector3d(cell[0] + at[i], cell[1] + at[j], cell[2] + at[k])));
  }
  return sum;
}

/// A row of the reference: 1/m, of white and grey matter, skull and muscle.
struct OpticalSet {
  const char* name;
  OpticalProperties at;
};
constexpr std::array<OpticalSet, 5> kSets = {{{"WM980", {110, 3720}},
                                              {"WM1064", {105, 3600}},
                                              {"GM980", {52, 540}},
                                              {"skull980", {22, 1730}},
                                              {"muscle980", {49, 580}}}};

OpticalProperties drawn(Draw& draw, const OpticalProperties& o) {
  return {
      draw(o.absorption_per_m, 0.7 * o.absorption_per_m, 1.4 * o.absorption_per_m),
      draw(o.reduced_scattering_per_m, 0.7 * o.reduced_scattering_per_m, 1.4 * o.reduced_scattering_per_m)};
}
void set_optical(ThermalProblem& p, const OpticalProperties& o) {
  p.tissue_map.tissues[0].optical = Optical{o, {}};
}

/// A point on a fibre, which takes no room.
Source point_light(double power_W, const Vector3d& at_mm) {
  LightSource light;
  light.power_W = power_W;
  light.wavelength_nm = 980;
  light.a_mm = light.b_mm = at_mm;
  return {light, {}};
}

/// Distances at which diffusion is a theory: from two depths of penetration on.
std::vector<double> far_enough_mm(const OpticalProperties& o) {
  const double from_mm = 2 / (mu_per_m(o) * kMetre_per_mm);
  std::vector<double> distances_mm;
  for (const double r : {2.0, 5.0, 10.0})
    if (r >= from_mm) distances_mm.push_back(r);
  if (distances_mm.size() < 2) distances_mm.insert(distances_mm.begin(), std::ceil(10 * from_mm) / 10);
  return distances_mm;
}

double light_gate_K(double exact_K, double, double) { return 0.03 * exact_K; }

/// Without perfusion the steady state feels the box, a cube around the point: theta less that of its images,
/// 1.7476 P/(4 pi k side), which for light around the point is that of the point itself. For light that ends
/// well before the faces.
void light_in_cube(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 100);
  const UniformTissue tissue = draw.tissue(0);
  const OpticalProperties optical = drawn(draw, kSets[0].at);
  const double power_W = draw(1, 0.2, 1), h_mm = 1;
  const int n = draw(29, 0, 1) < 0.5 ? 28 : 29;
  const double side_mm = h_mm * n;
  // Ten times the slowest decay.
  const double settled_s = std::ceil(10 * side_mm * side_mm * 1e-6 / (3 * kPi * kPi * tissue.diffusivity()));
  const double of_images_K =
      1.7476 * power_W / (4 * kPi * tissue.conductivity_W_per_m_K * side_mm * kMetre_per_mm);
  RadialCheck check{fmt::format("{}, w = 0 in a cube", kSets[0].name),
                    {0, 0, 0},
                    some_directions(draw),
                    far_enough_mm(optical),
                    {settled_s},
                    {},
                    light_gate_K};
  std::erase_if(check.distances_mm,
                [&](double r) { return r > side_mm / 5; });  // where images are a constant
  check.exact_K = [&](double r, double) {
    return point_light_K(tissue, power_W, optical, r, kEndless) - of_images_K;
  };
  ThermalProblem p = cube_problem(tissue, n, h_mm);
  set_optical(p, optical);
  p.sources = {point_light(power_W, {0, 0, 0})};
  p.duration_s = settled_s;
  p.sample = check.sampling();
  check.add_rows(runner.run(p), rows);
}

/// Before the faces are felt, the point anywhere between the cells; and the heating of the cell 5 mm away.
void light_switched_on(const OpticalSet& set, std::uint64_t number, double perfusion_per_s,
                       const VerificationOptions& options, Runner& runner,
                       std::vector<VerificationRow>& rows) {
  Draw draw(options, 101 + number);
  const UniformTissue tissue = draw.tissue(perfusion_per_s);
  const OpticalProperties optical = drawn(draw, set.at);
  const double power_W = draw(1, 0.2, 1), h_mm = 1;
  const Vector3d centre_mm(draw(0.2, -0.5, 0.5), draw(-0.1, -0.5, 0.5), draw(0.3, -0.5, 0.5));
  RadialCheck check{fmt::format("{}, w = {:.2g}/s", set.name, tissue.perfusion_per_s),
                    centre_mm,
                    some_directions(draw),
                    far_enough_mm(optical),
                    {60, 300},
                    {},
                    light_gate_K};
  check.exact_K = [&](double r, double t) { return point_light_K(tissue, power_W, optical, r, t); };
  ThermalProblem p = cube_problem(tissue, 40, h_mm);
  set_optical(p, optical);
  p.sources = {point_light(power_W, centre_mm)};
  p.duration_s = 300;
  p.sample = check.sampling();
  p.fields.power_density = true;
  const ThermalResult result = runner.run(p);
  check.add_rows(result, rows);
  if (perfusion_per_s > 0) return;  // the light is the same

  const Grid& g = p.grid();
  const Vector3d there = g.to_index(centre_mm + 5 * check.directions.back());
  const std::array<int, 3> cell{int(std::lround(there.x())), int(std::lround(there.y())),
                                int(std::lround(there.z()))};
  const double mu = mu_per_m(optical);
  const double exact = cell_mean(g, cell, [&](const Vector3d& x) {
    const double r_m = (x - centre_mm).norm() * kMetre_per_mm;
    return power_W * mu * mu * std::exp(-mu * r_m) / (4 * kPi * r_m);
  });
  rows.push_back(
      {fmt::format("{}: heating of the cell at 5 mm", set.name), "W/m3", exact,
       result.power_density.empty() ? kUnknown : double(result.power_density(cell[0], cell[1], cell[2])),
       0.01 * exact});
}

/// A point in a ball of one tissue in another, A e^{-m1 r}/r + B sinh(m1 r)/r inside and C e^{-m2 r}/r
/// outside, phi and D phi' continuous: the part of a watt that the ball takes. Its cells make stairs.
void light_in_ball(const OpticalSet& inner_set, const OpticalSet& outer_set, std::uint64_t number,
                   const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 120 + number);
  const OpticalProperties inner = drawn(draw, inner_set.at), outer = drawn(draw, outer_set.at);
  const double radius_mm = draw(5, 4, 6), a = radius_mm * kMetre_per_mm;
  const double m1 = mu_per_m(inner), m2 = mu_per_m(outer), d1 = diffusion_m(inner), d2 = diffusion_m(outer);
  const double e = std::exp(-m1 * a), s = std::sinh(m1 * a), c = std::cosh(m1 * a), A = 1 / (4 * kPi * d1);
  const double B =
      A * e * (d1 * (1 + m1 * a) - d2 * (1 + m2 * a)) / (d1 * (m1 * a * c - s) + d2 * s * (1 + m2 * a));
  const double C_at_a = A * e + B * s;  // C e^{-m2 a}
  const double beyond_W = outer.absorption_per_m * 4 * kPi * C_at_a * (1 + m2 * a) / (m2 * m2);

  ThermalProblem p = cube_problem(UniformTissue{}, 60, 0.5);
  set_optical(p, outer);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  p.tissue_map.tissues[1].name = "ball";
  p.tissue_map.tissues[1].optical = Optical{inner, {}};
  auto& labels = p.tissue_map.labels;
  const auto for_cells = [&](const auto& f) {
    for (int k = 0; k < labels.grid.size[2]; ++k)
      for (int j = 0; j < labels.grid.size[1]; ++j)
        for (int i = 0; i < labels.grid.size[0]; ++i) f(i, j, k);
  };
  for_cells([&](int i, int j, int k) {
    labels(i, j, k) = labels.grid.to_world(i, j, k).norm() < radius_mm ? 1 : 0;
  });
  p.sources = {point_light(1, {0, 0, 0})};
  p.duration_s = 1;
  p.fields.power_density = true;
  const ThermalResult result = runner.run(p);
  double ball_W = result.power_density.empty() ? kUnknown : 0;
  if (!result.power_density.empty())
    for_cells([&](int i, int j, int k) {
      if (labels(i, j, k) == 1)
        ball_W += double(result.power_density(i, j, k)) * labels.grid.voxel_volume_mm3() * 1e-9;
    });
  rows.push_back({fmt::format("{} ball of {:.2g} mm in {}: light in the ball", inner_set.name, radius_mm,
                              outer_set.name),
                  "W", 1 - beyond_W, ball_W, 0.01});
}

/// Heating like that around a long antenna, q = P' b e^{-b (r - a)}/(2 pi r), between a cooled wall a and a
/// shell R: T = Ta + C ln(r/a) + A e^{ba} [E1(ba) - E1(br)], A = P'/(2 pi k).
void line_of_microwaves(const VerificationOptions& options, Runner& runner,
                        std::vector<VerificationRow>& rows) {
  Draw draw(options, 130);
  const UniformTissue tissue = draw.tissue(0);
  const double W_per_m = draw(2000, 500, 2000), b = draw(70, 40, 90), a_mm = draw(1.2, 1.1, 1.6),
               wall_degC = draw(20, 5, 30);
  constexpr double shell_mm = 40, h_mm = 0.5;
  ThermalProblem p = cube_problem(tissue, 3, h_mm);
  Grid& grid = p.tissue_map.labels.grid;
  grid.size = {82, 82, 3};  // a quarter
  grid.origin_mm = {h_mm / 2, h_mm / 2, -h_mm};
  p.tissue_map.labels = Volume<std::uint8_t>(Grid(grid), 0);
  p.boundary.fill({BoundaryKind::insulated, 0, 0});
  Volume<float> q(p.grid(), 0);
  for (int j = 0; j < 82; ++j)
    for (int i = 0; i < 82; ++i) {
      const double mean = cell_mean(p.grid(), {i, j, 1}, [&](const Vector3d& x) {
        const double r_m = std::hypot(x.x(), x.y()) * kMetre_per_mm;
        return W_per_m * b * std::exp(-b * (r_m - a_mm * kMetre_per_mm)) / (2 * kPi * r_m);
      });
      for (int k = 0; k < 3; ++k) q(i, j, k) = float(mean);
    }
  const auto cylinder = [](double radius_mm) { return Region{Cylinder{{0, 0, -5}, {0, 0, 5}, radius_mm}}; };
  const Region shell{Outside{std::make_shared<const Region>(cylinder(shell_mm))}};
  p.sources = {{FixedTemperatureSource{cylinder(a_mm), {{0, wall_degC}}, false}, {}},
               {FixedTemperatureSource{shell, {{0, kRest_degC}}, false}, {}},
               {VolumetricSource{q}, {}}};
  // Seven times the slowest decay of the shell without the wall, R^2 / j_01^2 alpha.
  p.duration_s = std::ceil(7 * shell_mm * shell_mm * 1e-6 / (5.783 * tissue.diffusivity()));
  p.sample.times_s = {p.duration_s};
  const std::vector<double> distances_mm = {2, 5, 8, 10, 15, 20, 30};
  const Vector3d along = Vector3d(std::cos(0.5), std::sin(0.5), 0);
  for (const double r : distances_mm) p.sample.points_mm.push_back(r * along);
  const ThermalResult result = runner.run(p);

  const double a = a_mm * kMetre_per_mm, A = W_per_m / (2 * kPi * tissue.conductivity_W_per_m_K);
  const auto heated = [&](double r) {
    return A * std::exp(b * a) * (std::expint(-b * r) - std::expint(-b * a));
  };
  const double R = shell_mm * kMetre_per_mm, C = (kRest_degC - wall_degC - heated(R)) / std::log(R / a);
  for (const double r_mm : distances_mm) {
    const double r = r_mm * kMetre_per_mm;
    const double exact = wall_degC + C * std::log(r / a) + heated(r);
    rows.push_back({fmt::format("long antenna beside a cooled wall, steady: {:g} mm", r_mm), "degC", exact,
                    sample_at(result, r_mm * along, p.duration_s).T_degC,
                    (r_mm < 2 * a_mm ? 0.02 : 0.01) * (exact - wall_degC)});
  }
}

/// An antenna of 2.45 GHz with its slot 5 to 6 mm from the tip.
CoaxialAntenna antenna() {
  CoaxialAntenna a;
  a.inner_radius_mm = 0.145;
  a.dielectric_radius_mm = 0.47;
  a.outer_radius_mm = 0.595;
  a.catheter_radius_mm = 0.895;
  a.dielectric_permittivity = 2.03;
  a.catheter_permittivity = 2.6;
  a.cap_from_tip_mm = 0.3;
  a.cap_to_tip_mm = 0.6;
  a.slot_from_tip_mm = 5;
  a.slot_to_tip_mm = 6;
  return a;
}
/// Liver, or between bone and muscle.
Dielectric drawn_dielectric(Draw& draw) { return {draw(43.03, 12, 55), draw(1.6864, 0.4, 1.8)}; }

/// The field is singular at the edges of the slot: there the cells decide.
void reflection(const VerificationOptions& options, std::vector<VerificationRow>& rows) {
  Draw draw(options, 140);
  const Dielectric tissue = drawn_dielectric(draw);
  std::vector<std::complex<double>> reflected;
  for (const double finest_mm : {0.08, 0.04, 0.02, 0.01}) {
    AntennaFieldOptions o;
    o.finest_mm = finest_mm;
    o.growth = 1.2;
    const AntennaField field = solve_antenna(
        antenna(), [&](double, double) { return tissue; }, o);
    reflected.push_back(field.reflection);
    if (finest_mm == 0.02)
      rows.push_back({"antenna: reflected + absorbed + radiated", "W", 1,
                      field.reflected_W + field.absorbed_W + field.radiated_W, 0.01});
  }
  const std::array<double, 3> step{std::abs(reflected[1] - reflected[0]),
                                   std::abs(reflected[2] - reflected[1]),
                                   std::abs(reflected[3] - reflected[2])};
  rows.push_back(
      {"antenna: change of Gamma, 0.02 against 0.04 mm at the slot", "-", 0, step[1], 0.75 * step[0]});
  rows.push_back(
      {"antenna: change of Gamma, 0.01 against 0.02 mm at the slot", "-", 0, step[2], 0.75 * step[1]});
  rows.push_back({"antenna: change of |Gamma|, 0.01 against 0.02 mm", "-", std::abs(reflected[3]),
                  std::abs(reflected[2]), 0.003});
}

/// Far away |E|^2 falls as e^{-2 alpha r}/r^2.
void far_wave(const VerificationOptions& options, std::vector<VerificationRow>& rows) {
  Draw draw(options, 141);
  const Dielectric tissue{draw(43.03, 30, 55), draw(0.5, 0.4, 0.6)};
  AntennaFieldOptions o;
  o.radius_mm = 90;
  o.before_mm = 80;
  o.behind_mm = 90;
  o.coarsest_mm = 0.7;
  const AntennaField field = solve_antenna(
      antenna(), [&](double, double) { return tissue; }, o);
  const double omega = 2 * kPi * antenna().frequency_MHz * 1e6;
  const std::complex<double> eps(tissue.relative_permittivity,
                                 -tissue.conductivity_S_per_m / (omega * 8.8541878128e-12));
  const double alpha_per_mm = -std::imag(omega / 2.99792458e8 * std::sqrt(eps)) * kMetre_per_mm;
  constexpr double near_mm = 45, far_mm = 70, angle = 2, middle_mm = 3;
  const auto at = [&](double r) {
    return field.squared_V2_per_m2(r * std::sin(angle), middle_mm + r * std::cos(angle));
  };
  const double exact =
      std::exp(-2 * alpha_per_mm * (far_mm - near_mm)) * near_mm * near_mm / (far_mm * far_mm);
  rows.push_back(
      {"antenna: |E|^2 at 70 mm over that at 45 mm", "-", exact, at(far_mm) / at(near_mm), 0.1 * exact});
}

/// All of it inside of the box, so that the heat of the cable stays there; the axis through the middles of
/// cells, as heat in a cell whose middle lies inside of a catheter without coolant is lost.
void heated_by_antenna(const VerificationOptions& options, Runner& runner,
                       std::vector<VerificationRow>& rows) {
  Draw draw(options, 142);
  const UniformTissue tissue = draw.tissue(0.002);
  const Dielectric dielectric = drawn_dielectric(draw);
  AntennaSource source;
  source.antenna = antenna();
  source.tip_mm = {0.5, 0.5, -5.5};
  source.entry_mm = {0.5, 0.5, 20};
  source.power_W = draw(15, 5, 12);
  source.cable_loss = draw(0.1, 0.02, 0.1);
  ThermalProblem p = cube_problem(tissue, 48, 1);
  p.tissue_map.tissues[0].relative_permittivity = dielectric.relative_permittivity;
  p.tissue_map.tissues[0].microwave_S_per_m = dielectric.conductivity_S_per_m;
  p.sources = {{source, {}}};
  p.duration_s = 30;
  const ThermalResult result = runner.run(p);
  double worst_W = kUnknown, into_tissue_J = kUnknown;
  if (result.radiation && !result.radiation->sources.empty()) {
    const RadiationHistory::Source& s = result.radiation->sources[0];
    const std::vector<double>& t = result.radiation->times_s;
    worst_W = source.power_W;
    into_tissue_J = 0;
    for (std::size_t n = 0; n < t.size(); ++n) {
      const double sum = s.reflected_W[n] + s.cable_W[n] + s.absorbed_W[n] + s.radiated_W[n];
      if (!(std::abs(sum - source.power_W) <= std::abs(worst_W - source.power_W))) worst_W = sum;
      if (n > 0)
        into_tissue_J +=
            (s.cable_W[n] + s.absorbed_W[n] + s.cable_W[n - 1] + s.absorbed_W[n - 1]) / 2 * (t[n] - t[n - 1]);
    }
  }
  rows.push_back({"antenna in tissue: reflected + cable + absorbed + radiated", "W", source.power_W, worst_W,
                  0.01 * source.power_W});
  rows.push_back({"antenna in tissue: heat that tissue has taken up, 30 s", "J", into_tissue_J,
                  result.summary.usable() ? result.energy.in_J : kUnknown, 0.01 * into_tissue_J});
}

}  // namespace

double point_light_K(const UniformTissue& tissue, double power_W, const OpticalProperties& optical,
                     double r_mm, double t_s) {
  const double r = r_mm * kMetre_per_mm, mu = mu_per_m(optical), m = tissue.inverse_length();
  const double steady = (std::exp(-m * r) - std::exp(-mu * r)) / (4 * kPi * r);
  return power_W * mu * mu / (tissue.conductivity_W_per_m_K * (mu * mu - m * m)) *
         (steady - (spread_K(tissue, m, r, t_s) - spread_K(tissue, mu, r, t_s)));
}

std::vector<VerificationRow> run_radiation(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  light_in_cube(options, runner, rows);
  std::uint64_t number = 0;
  for (const OpticalSet& set : kSets) {
    for (const double w : {0.0, 0.003}) light_switched_on(set, number++, w, options, runner, rows);
  }
  light_in_ball(kSets[2], kSets[3], 0, options, runner, rows);
  light_in_ball(kSets[3], kSets[2], 1, options, runner, rows);
  line_of_microwaves(options, runner, rows);
  reflection(options, rows);
  far_wave(options, rows);
  heated_by_antenna(options, runner, rows);
  rows.push_back(runner.energy_row());
  return rows;
}

}  // namespace spinetherm::verification
