// SPDX-License-Identifier: Apache-2.0
// Cases (d) and (g) of the verification table: freezing fronts, thermal dose.

#include <fmt/format.h>

#include <cmath>

#include "apps/verification_detail.h"
#include "imaging/core/units.h"

namespace spinetherm::verification {
namespace {

constexpr double kDoseGate = 1e-3;  ///< 0.1 %
constexpr Boundary kInsulated{BoundaryKind::insulated, 0, 0};

/// A few cells without any flux: one temperature that the case controls.
ThermalProblem uniform_problem(const UniformTissue& tissue, double initial_degC) {
  ThermalProblem p = column_problem(tissue, 4, 1, kInsulated, kInsulated);
  p.initial_degC = initial_degC;
  p.sample.points_mm = {p.grid().to_world(1, 1, 1)};
  p.fields.cem43 = p.fields.arrhenius = true;
  return p;
}

double final_cem43_min(Runner& runner, ThermalProblem& p) {
  p.sample.times_s = {p.duration_s};
  return sample_at(runner.run(p), p.sample.points_mm[0], p.duration_s).cem43_min;
}

void constant_temperature(const VerificationOptions& options, Runner& runner,
                          std::vector<VerificationRow>& rows) {
  Draw draw(options, 40);
  for (const double reference : {39.5, 42.0, 43.0, 45.0, 50.0, 60.0}) {
    const double T_degC = draw(reference, reference - 0.4, reference + 2);
    ThermalProblem p = uniform_problem({}, T_degC);
    p.duration_s = 60 * draw(2, 1, 10);
    const double exact = cem43_min({{p.duration_s / 60, T_degC}});
    rows.push_back({fmt::format("CEM43 of {:.4g} min at {:.4g} degC", p.duration_s / 60, T_degC), "min",
                    exact, final_cem43_min(runner, p), kDoseGate * exact});
  }
  ThermalProblem cool = uniform_problem({}, 38.5);
  cool.duration_s = 600;
  rows.push_back({"CEM43 of 10 min at 38.5 degC: none below 39", "min", 0, final_cem43_min(runner, cool), 0});
}

void ramp(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 41);
  for (const auto& [top, rate] : {std::pair{45.0, 1.0}, {50.0, 2.0}, {60.0, 30.0}}) {
    const double T_degC = draw(top, top - 1, top + 3), K_per_min = draw(rate, rate / 2, rate * 2);
    const UniformTissue tissue;
    ThermalProblem p = uniform_problem(tissue, kRest_degC);
    p.duration_s = 60 * (T_degC - kRest_degC) / K_per_min;
    p.sources = {
        {VolumetricSource{Volume<float>(p.grid(), float(tissue.heat_capacity() * K_per_min / 60))}, {}}};
    const double exact = cem43_of_ramp_min(kRest_degC, T_degC, K_per_min);
    rows.push_back({fmt::format("CEM43 of a ramp to {:.4g} degC at {:.3g} K/min", T_degC, K_per_min), "min",
                    exact, final_cem43_min(runner, p), kDoseGate * exact});
  }
}

/// Perfusion alone cools as 37 + D exp(-beta t); followed until 0.01 K above rest.
void cooling(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 42);
  for (const double reference : {8.0, 13.0, 23.0}) {
    const double D_K = draw(reference, reference - 1, reference + 2), tau_min = draw(2, 1, 4);
    UniformTissue tissue;
    tissue.perfusion_per_s = tissue.heat_capacity() / (tau_min * 60 * tissue.blood_J_per_m3_K);
    ThermalProblem p = uniform_problem(tissue, kRest_degC + D_K);
    p.duration_s = std::ceil(60 * tau_min * std::log(D_K / 0.01));
    const double exact = cem43_of_cooling_min(D_K, tau_min);
    rows.push_back({fmt::format("CEM43 of cooling from {:.4g} degC, {:.3g} min", kRest_degC + D_K, tau_min),
                    "min", exact, final_cem43_min(runner, p), kDoseGate * exact});
  }
}

void arrhenius(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 43);
  struct Law {
    const char* name;
    double frequency_per_s, energy_J_per_mol, T_degC;
  };
  // Jacques 1996 (liver), He & Bischof / Brown (perfusion), derived from Froese 1991 (cord): physics notes,
  // section 2.
  for (const Law& law : {Law{"liver", 7.39e39, 2.577e5, 55}, Law{"perfusion", 1.98e106, 6.67e5, 50},
                         Law{"cord", 5.2958549e108, 680321.68, 46}}) {
    const double T_degC = draw(law.T_degC, law.T_degC - 3, law.T_degC + 3);
    ThermalProblem p = uniform_problem({}, T_degC);
    p.tissue_map.tissues[0].damage = Arrhenius{law.frequency_per_s, law.energy_J_per_mol};
    const double omega = draw(1, 0.3, 5);
    p.duration_s = arrhenius_time_s(law.frequency_per_s, law.energy_J_per_mol, T_degC, omega);
    p.sample.times_s = {p.duration_s};
    const Sample s = sample_at(runner.run(p), p.sample.points_mm[0], p.duration_s);
    rows.push_back({fmt::format("Arrhenius, {}: {:.4g} s at {:.4g} degC", law.name, p.duration_s, T_degC),
                    "-", omega, s.arrhenius.value_or(std::nan("")), kDoseGate * omega});
  }
}

/// Fronts of a freezing half-space whose mushy zone conducts as k(T), linear from solidus to liquidus, as the
/// problem format has it (the closed form of closed_form.h holds it at the mean). Similarity in
/// eta = x / 2 sqrt(alpha_s t):  (k T')' = -2 alpha_s rho c eta T'.  From a solidus at lambda the flux of the
/// ice is known; the mushy zone is integrated to the liquidus (Runge-Kutta in T, where eta and the flux are
/// smooth), and lambda is found by halving until the flux there is that of the unfrozen side. Error below
/// 1e-6.
FreezingFronts linear_mushy_fronts(const FreezingTissue& t, double wall_degC, double initial_degC) {
  const double alpha_s = t.frozen_k / (t.density_kg_per_m3 * t.frozen_c);
  const double alpha_l = t.unfrozen_k / (t.density_kg_per_m3 * t.unfrozen_c);
  const double ratio = std::sqrt(alpha_s / alpha_l),
               c_mushy = 2 * alpha_s * t.density_kg_per_m3 * t.mushy_c();
  struct State {
    double eta, flux;
  };
  const auto slope = [&](double T, const State& s) {  // d/dT of eta and of k T'
    const double ice = (t.liquidus_degC - T) / (t.liquidus_degC - t.solidus_degC);
    const double k = t.unfrozen_k + (t.frozen_k - t.unfrozen_k) * ice;
    return State{k / s.flux, -c_mushy * s.eta};
  };
  const auto liquidus = [&](double lambda) {
    State s{lambda, t.frozen_k * (t.solidus_degC - wall_degC) * 2 / std::sqrt(kPi) *
                        std::exp(-lambda * lambda) / std::erf(lambda)};
    constexpr int steps = 2000;
    const double dT = (t.liquidus_degC - t.solidus_degC) / steps;
    for (int n = 0; n < steps && s.flux > 0; ++n) {
      const double T = t.solidus_degC + n * dT;
      const State a = slope(T, s);
      const State b = slope(T + dT / 2, {s.eta + dT / 2 * a.eta, s.flux + dT / 2 * a.flux});
      const State c = slope(T + dT / 2, {s.eta + dT / 2 * b.eta, s.flux + dT / 2 * b.flux});
      const State d = slope(T + dT, {s.eta + dT * c.eta, s.flux + dT * c.flux});
      s.eta += dT / 6 * (a.eta + 2 * b.eta + 2 * c.eta + d.eta);
      s.flux += dT / 6 * (a.flux + 2 * b.flux + 2 * c.flux + d.flux);
    }
    return s;
  };
  const auto surplus = [&](double lambda) {  // of flux from the unfrozen side: positive beyond the front
    const State s = liquidus(lambda);
    if (!(s.flux > 0)) return 1.0;
    const double u = s.eta * ratio;
    return t.unfrozen_k * (initial_degC - t.liquidus_degC) * 2 / std::sqrt(kPi) * ratio * std::exp(-u * u) /
               std::erfc(u) -
           s.flux;
  };
  double low = 1e-3, high = 2;
  for (int n = 0; n < 60; ++n) (surplus((low + high) / 2) > 0 ? high : low) = (low + high) / 2;
  return {low, liquidus(low).eta, alpha_s};
}

/// Distance at which a sampled profile, rising with x, reaches a temperature; NaN when it does not.
double front_mm(const ThermalResult& result, const std::vector<Eigen::Vector3d>& points_mm, double t_s,
                double degC) {
  for (std::size_t n = 1; n < points_mm.size(); ++n) {
    const double low = sample_at(result, points_mm[n - 1], t_s).T_degC;
    const double high = sample_at(result, points_mm[n], t_s).T_degC;
    if (low <= degC && high > degC)
      return points_mm[n - 1].x() + (points_mm[n].x() - points_mm[n - 1].x()) * (degC - low) / (high - low);
  }
  return std::nan("");
}

}  // namespace

std::vector<VerificationRow> run_dose(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  constant_temperature(options, runner, rows);
  ramp(options, runner, rows);
  cooling(options, runner, rows);
  arrhenius(options, runner, rows);
  return rows;
}

std::vector<VerificationRow> run_freezing(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  Draw draw(options, 50);
  const FreezingTissue tissue;
  const double wall_degC = draw(-140, -160, -80), h_mm = 0.5;
  const std::vector<double> times_s = {60, 300, 600};
  UniformTissue warm;
  warm.density_kg_per_m3 = tissue.density_kg_per_m3;
  warm.specific_heat_J_per_kg_K = tissue.unfrozen_c;
  warm.conductivity_W_per_m_K = tissue.unfrozen_k;
  ThermalProblem p = column_problem(warm, 160, h_mm, {BoundaryKind::fixed, wall_degC, 0},
                                    {BoundaryKind::fixed, kRest_degC, 0});
  p.tissue_map.tissues[0].frozen =
      Frozen{tissue.density_kg_per_m3, tissue.frozen_c,     tissue.frozen_k,
             tissue.latent_J_per_kg,   tissue.solidus_degC, tissue.liquidus_degC};
  p.duration_s = times_s.back();
  p.sample.times_s = times_s;
  for (int i = 0; i < 80; ++i) p.sample.points_mm.push_back(p.grid().to_world(i, 1, 1));
  const ThermalResult result = runner.run(p);
  const FreezingFronts exact = linear_mushy_fronts(tissue, wall_degC, kRest_degC);
  for (const double t : times_s) {
    rows.push_back({fmt::format("solidus, {:g} s", t), "mm", exact.solid_mm(t),
                    front_mm(result, p.sample.points_mm, t, tissue.solidus_degC), 0.25});
    rows.push_back({fmt::format("liquidus, {:g} s", t), "mm", exact.liquid_mm(t),
                    front_mm(result, p.sample.points_mm, t, tissue.liquidus_degC), 0.25});
  }
  rows.push_back(runner.energy_row());
  return rows;
}

/// A long probe of 0.75 mm that cools to -140 degC in 30 s, in perfused tissue: no closed form, but a
/// one-dimensional solution converged to 0.03 mm (physics notes, section 4.1 (j)). The same for every seed.
std::vector<VerificationRow> run_probe(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  constexpr double h_mm = 0.5;
  constexpr int n = 240;  // the outer faces 60 mm away, as in the reference
  UniformTissue tissue;
  tissue.density_kg_per_m3 = 1000;
  tissue.specific_heat_J_per_kg_K = 3700;
  tissue.conductivity_W_per_m_K = 0.5;
  tissue.perfusion_per_s = 0.003;
  ThermalProblem p = cube_problem(tissue, n, h_mm);
  Grid grid = p.grid();
  grid.size[2] = 3;
  grid.origin_mm.z() = -h_mm;
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  p.tissue_map.tissues[0].frozen = Frozen{1000, 2000, 2, 250e3, -8, -0.6};
  p.boundary[z_min] = p.boundary[z_max] = kInsulated;
  const Region probe{Cylinder{{0, 0, -1.5 * h_mm}, {0, 0, 1.5 * h_mm}, 0.75}};
  p.sources = {{FixedTemperatureSource{probe, {{0, kRest_degC}, {30, -140}}, false}, {}}};
  p.duration_s = 600;
  p.sample.times_s = {60, 300, 600};
  for (double x = 1.5; x < 20; x += 0.25) p.sample.points_mm.emplace_back(x, 0, 0);
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
    rows.push_back({fmt::format("radius of {:g} degC, {:g} s", r.degC, r.t_s), "mm", r.r_mm,
                    front_mm(result, p.sample.points_mm, r.t_s, r.degC), 0.4});
  rows.push_back(runner.energy_row());
  return rows;
}

}  // namespace spinetherm::verification
