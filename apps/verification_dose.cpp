// SPDX-License-Identifier: Apache-2.0
// Case (g) of the verification table: thermal dose.

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

}  // namespace spinetherm::verification
