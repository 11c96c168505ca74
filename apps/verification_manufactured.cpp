// SPDX-License-Identifier: Apache-2.0
// Case (h) of the verification table: a manufactured, nonlinear problem; orders in space and in time.

#include <fmt/format.h>

#include <cmath>

#include "apps/verification_detail.h"
#include "imaging/core/units.h"

namespace spinetherm::verification {
namespace {

using Eigen::Vector3d;

constexpr Boundary kInsulated{BoundaryKind::insulated, 0, 0};

/// A value with its gradient and Laplacian, in metres.
struct Field {
  double value;
  Vector3d gradient;
  double laplacian;
};

/// T = 37 + A f(t) phi(x) in a closed cube of side L, f = 1 - exp(-t/tau), with
///   k = k0 g(x) (1 + gamma (T - 37)),  rho c = C0 kappa(x),  w rho_b c_b = W0 omega(x).
/// The heating that makes it the solution is a sum of three products of time and place:
///   f' C A phi + f [W A phi - A k0 div(g grad phi)] - f^2 A^2 gamma k0 div(g phi grad phi).
struct Manufactured {
  double side_mm = 40, A_K = 20, tau_s = 60;
  double k0 = 0.5, gamma_per_K = 0.0015, C0 = 1060.0 * 3600, W0 = 0.003 * 1050 * 3617;
  double phi_amplitude = 0.5, g_amplitude = 0.3, kappa_amplitude = 0.2, omega_amplitude = 0.5;

  double q() const { return kPi / (side_mm * kMetre_per_mm); }
  Field phi(const Vector3d& x_m) const {
    const double b = phi_amplitude, p = q();
    const Vector3d n(p, 2 * p, p);
    const Vector3d a = x_m.cwiseProduct(n);
    const double cx = std::cos(a[0]), cy = std::cos(a[1]), cz = std::cos(a[2]);
    const double v = b * cx * cy * cz;
    return {1 + v,
            {-b * n[0] * std::sin(a[0]) * cy * cz, -b * n[1] * cx * std::sin(a[1]) * cz,
             -b * n[2] * cx * cy * std::sin(a[2])},
            -n.squaredNorm() * v};
  }
  Field g(const Vector3d& x_m) const {
    const double p = q(), x = x_m[0] * p, y = x_m[1] * p, b = g_amplitude;
    const double v = b * std::sin(x) * std::cos(y);
    return {
        1 + v, {b * p * std::cos(x) * std::cos(y), -b * p * std::sin(x) * std::sin(y), 0}, -2 * p * p * v};
  }
  double kappa(const Vector3d& x_m) const { return 1 + kappa_amplitude * std::cos(q() * x_m[2]); }
  double omega(const Vector3d& x_m) const { return 1 + omega_amplitude * std::cos(q() * x_m[0]); }
  double f(double t_s) const { return -std::expm1(-t_s / tau_s); }
  double exact_K(const Vector3d& x_mm, double t_s) const {
    return A_K * f(t_s) * phi(x_mm * kMetre_per_mm).value;
  }
  /// Factors of f', f and f^2 [W/m3 times s, 1, 1].
  std::array<double, 3> heating(const Vector3d& x_m) const {
    const Field u = phi(x_m), k = g(x_m);
    const double linear = k.value * u.laplacian + k.gradient.dot(u.gradient);  // div(g grad phi)
    return {C0 * kappa(x_m) * A_K * u.value, A_K * (W0 * omega(x_m) * u.value - k0 * linear),
            -A_K * A_K * gamma_per_K * k0 * (u.value * linear + k.value * u.gradient.squaredNorm())};
  }
  ThermalProblem problem(int n, double end_s) const;
};

ThermalProblem Manufactured::problem(int n, double end_s) const {
  UniformTissue tissue;
  tissue.density_kg_per_m3 = 1000;
  tissue.specific_heat_J_per_kg_K = C0 / 1000;
  tissue.conductivity_W_per_m_K = k0;
  tissue.perfusion_per_s = W0 / tissue.blood_J_per_m3_K;
  ThermalProblem p = cube_problem(tissue, n, side_mm / n);
  Grid grid = p.grid();
  grid.origin_mm.setConstant(side_mm / n / 2);
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  p.tissue_map.tissues[0].conductivity_per_K = gamma_per_K;
  p.boundary.fill(kInsulated);
  CellFactors& factors = p.tissue_map.factors;
  factors.heat_capacity = factors.perfusion = Volume<float>(grid, 1);
  if (g_amplitude != 0) factors.conductivity = Volume<float>(grid, 1);
  std::array<Volume<float>, 3> heat;
  heat.fill(Volume<float>(grid, 0));
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        const std::size_t c = grid.index(i, j, k);
        // Averages over the cell, as the engine takes them: eight Gauss points.
        std::array<double, 6> sum{};
        for (int corner = 0; corner < 8; ++corner) {
          const Vector3d side(corner & 1 ? 1 : -1, corner & 2 ? 1 : -1, corner & 4 ? 1 : -1);
          const Vector3d x_m =
              (grid.to_world(i, j, k) + grid.spacing_mm[0] / std::sqrt(12.0) * side) * kMetre_per_mm;
          const auto q = heating(x_m);
          for (std::size_t m = 0; m < 3; ++m) sum[m] += q[m] / 8;
          sum[3] += kappa(x_m) / 8;
          sum[4] += omega(x_m) / 8;
          sum[5] += g(x_m).value / 8;
        }
        for (std::size_t m = 0; m < 3; ++m) heat[m][c] = float(sum[m]);
        factors.heat_capacity[c] = float(sum[3]);
        factors.perfusion[c] = float(sum[4]);
        if (g_amplitude != 0) factors.conductivity[c] = float(sum[5]);
      }
  // Corners this dense are off by less than 1e-6 of the curve.
  const double between_s = tau_s / 600;
  std::array<Curve, 3> scale;
  for (double t = 0; t < end_s + 2 * between_s; t += between_s) {
    const double rate = std::exp(-t / tau_s) / tau_s;
    scale[0].push_back({t, rate});
    scale[1].push_back({t, f(t)});
    scale[2].push_back({t, f(t) * f(t)});
  }
  for (std::size_t m = 0; m < 3; ++m) p.sources.push_back({VolumetricSource{heat[m]}, {}, scale[m]});
  p.duration_s = end_s;
  return p;
}

/// The centres of some cells on an even lattice: what is sampled there is not interpolated, and not rounded
/// to float as fields are.
std::vector<Vector3d> some_centres(const Grid& grid, int along_axis) {
  std::vector<Vector3d> points_mm;
  const auto cell = [&](int a) { return int((a + 0.5) * grid.size[0] / along_axis); };
  for (int k = 0; k < along_axis; ++k)
    for (int j = 0; j < along_axis; ++j)
      for (int i = 0; i < along_axis; ++i) points_mm.push_back(grid.to_world(cell(i), cell(j), cell(k)));
  return points_mm;
}

/// Root mean square over the samples.
double error_K(const Manufactured& m, const ThermalResult& result) {
  double sum = 0;
  for (const Sample& s : result.samples)
    sum += std::pow(s.T_degC - kRest_degC - m.exact_K(s.at_mm, s.t_s), 2);
  return result.samples.empty() ? std::nan("") : std::sqrt(sum / double(result.samples.size()));
}

constexpr double kOrder = 2, kOrderGate = 0.1;  ///< 1.9 or more

/// On n^3 cells after half a time constant.
double error_on(const Manufactured& m, int n, bool fourth_order, double max_step_s, Runner& runner) {
  const double end_s = m.tau_s / 2;
  BioheatOptions o;
  o.double_precision = true;
  o.fourth_order = fourth_order;
  o.first_step_s = std::min(o.first_step_s, max_step_s);
  o.max_step_s = max_step_s;
  o.step_error_K = 1e-5;
  ThermalProblem p = m.problem(n, end_s);
  p.sample = {some_centres(p.grid(), 7), {end_s}};
  return error_K(m, runner.run(p, o));
}

/// Of `cells` and twice as many, with steps so short that the error of time is none beside that of space.
double order_in_space(const Manufactured& m, int cells, bool fourth_order, Runner& runner) {
  const double step_s = fourth_order ? 0.1 : 1;
  return std::log2(error_on(m, cells, fourth_order, step_s, runner) /
                   error_on(m, 2 * cells, fourth_order, step_s, runner));
}

/// Constant steps of three stages each, beside steps of a sixteenth, on the same cells.
double order_in_time(const Manufactured& m, double step_s, Runner& runner) {
  const double end_s = 12 * step_s;
  const auto samples = [&](double dt_s) {
    ThermalProblem p = m.problem(10, end_s);
    p.sample = {some_centres(p.grid(), 4), {end_s}};
    BioheatOptions o;
    o.double_precision = true;
    o.fourth_order = false;
    o.first_step_s = o.max_step_s = dt_s;
    o.max_step_K = o.step_error_K = 1e3;
    return runner.run(p, o).samples;
  };
  const auto fine = samples(step_s / 16);
  const auto difference_K = [&](double dt_s) {
    const auto s = samples(dt_s);
    double sum = 0;
    for (std::size_t n = 0; n < fine.size(); ++n)
      sum += n < s.size() ? std::pow(s[n].T_degC - fine[n].T_degC, 2) : std::nan("");
    return std::sqrt(sum);
  };
  return std::log2(difference_K(step_s) / difference_K(step_s / 2));
}

}  // namespace

std::vector<VerificationRow> run_manufactured(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  Draw draw(options, 70);
  Manufactured m;
  m.A_K = draw(m.A_K, 10, 30);
  m.tau_s = draw(m.tau_s, 40, 90);
  m.k0 = draw(m.k0, 0.3, 0.6);
  m.gamma_per_K = draw(m.gamma_per_K, 0.001, 0.005);
  m.W0 *= draw(1, 0.5, 2);
  m.phi_amplitude = draw(m.phi_amplitude, 0.3, 0.6);
  m.g_amplitude = draw(m.g_amplitude, 0.1, 0.4);
  m.kappa_amplitude = draw(m.kappa_amplitude, 0.1, 0.3);
  m.omega_amplitude = draw(m.omega_amplitude, 0, 0.5);
  const auto add = [&](std::string what, double order) {
    rows.push_back({std::move(what), "-", kOrder, order, kOrderGate, true});
  };
  add("graded tissue: order in space, 26 and 52 cells", order_in_space(m, 26, false, runner));
  add("graded tissue: order in time, steps of 8 and 4 s", order_in_time(m, 8, runner));
  // Where k is graded from cell to cell the flows are plain. Where it is not they are corrected to fourth
  // order, by a correction that is first order in the step: short steps show the order in space, and at the
  // steps that the engine takes the error must stay below that of plain flows.
  Manufactured even = m;
  even.g_amplitude = 0;
  add("even k37, corrected flows: order in space, 20 and 40 cells", order_in_space(even, 20, true, runner));
  rows.push_back({"even k37, corrected flows, steps of 1 s: error, gate: plain flows", "K", 0,
                  error_on(even, 40, true, 1, runner), error_on(even, 40, false, 1, runner)});
  rows.push_back(runner.energy_row());
  return rows;
}

}  // namespace spinetherm::verification
