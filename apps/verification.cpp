// SPDX-License-Identifier: Apache-2.0
#include "apps/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "apps/engine_options.h"
#include "apps/verification_detail.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {

double VerificationRow::error() const {
  const double difference = computed - exact;
  return at_least && difference > 0 ? 0 : std::abs(difference);
}

const std::vector<VerificationCase>& verification_cases() {
  using namespace verification;
  static const std::vector<VerificationCase> cases = {
      {"a", "sphere held at a temperature, h 0.5 mm", run_sphere},
      {"b", "Gaussian, box and point source, h 0.5 mm", run_sources},
      {"c", "slab, step at the surface, h 0.25 mm", run_slab},
      {"d", "freezing: sharp and mushy fronts, h 0.5 mm", run_freezing},
      {"e", "electrodes, h <= a/4", run_electrodes},
      {"f", "layers", run_layers},
      {"g", "CEM43 and Arrhenius", run_dose},
      {"h", "manufactured solution, k(T) in graded tissue", run_manufactured},
      {"i", "light and microwaves", run_radiation},
      {"j", "coupled, beside one-dimensional references, h 0.5 mm", run_coupled},
  };
  return cases;
}

std::vector<VerificationCase> choose_verification_cases(const std::string& ids) {
  if (ids.empty()) return verification_cases();
  std::vector<VerificationCase> chosen;
  std::vector<std::string> known;
  for (const VerificationCase& c : verification_cases()) known.emplace_back(c.id);
  std::istringstream list(ids);
  for (std::string id; std::getline(list, id, ',');) {
    const auto at = std::find(known.begin(), known.end(), id);
    if (at == known.end())
      throw ConfigError(fmt::format("unknown case '{}'", id), "--case",
                        fmt::format("known: {}; separate them by commas", fmt::join(known, ", ")));
    chosen.push_back(verification_cases()[std::size_t(at - known.begin())]);
  }
  return chosen;
}

const std::vector<std::string>& verification_gaps() {
  static const std::vector<std::string> gaps = {};
  return gaps;
}

namespace verification {

Draw::Draw(const VerificationOptions& options, std::uint64_t run)
    : reference_(options.seed == 1), rng_(trial_rng(options.seed, run)) {}

double Draw::operator()(double reference, double low, double high) {
  return reference_ ? reference : std::uniform_real_distribution<double>(low, high)(rng_);
}

UniformTissue Draw::tissue(double perfusion_per_s) {
  UniformTissue t;
  t.density_kg_per_m3 = (*this)(t.density_kg_per_m3, 950, 1150);
  t.specific_heat_J_per_kg_K = (*this)(t.specific_heat_J_per_kg_K, 2300, 3700);
  t.conductivity_W_per_m_K = (*this)(t.conductivity_W_per_m_K, 0.25, 0.6);
  t.perfusion_per_s = (*this)(perfusion_per_s, perfusion_per_s / 2, perfusion_per_s * 2);
  return t;
}

Eigen::Vector3d Draw::direction() {
  std::normal_distribution<double> normal;
  return Eigen::Vector3d(normal(rng_), normal(rng_), normal(rng_)).normalized();
}

Sampling RadialCheck::sampling() const {
  Sampling s;
  for (const double r : distances_mm)
    for (const Eigen::Vector3d& d : directions) s.points_mm.push_back(centre_mm + r * d);
  s.times_s = times_s;
  return s;
}

void RadialCheck::add_rows(const ThermalResult& result, std::vector<VerificationRow>& rows) const {
  for (const double t : times_s)
    for (const double r : distances_mm) {
      const double exact = exact_K(r, t);
      VerificationRow worst{fmt::format("{}: rise at r = {:g} mm, {:g} s", name, r, t), "K", exact, exact,
                            gate_K(exact, r, t)};
      for (const Eigen::Vector3d& d : directions) {
        VerificationRow row = worst;
        row.computed = sample_at(result, centre_mm + r * d, t).T_degC - kRest_degC;
        if (!(row.error() <= worst.error())) worst = row;
      }
      rows.push_back(worst);
    }
}

std::vector<Eigen::Vector3d> some_directions(Draw& draw) {
  return {Eigen::Vector3d(1, 0, 0), Eigen::Vector3d(0, -0.6, 0.8), Eigen::Vector3d(1, 1, 1).normalized(),
          draw.direction()};
}

namespace {

ThermalProblem problem_on(const Grid& grid, const UniformTissue& t) {
  ThermalProblem p;
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  Tissue tissue;
  tissue.name = "tissue";
  tissue.density_kg_per_m3 = t.density_kg_per_m3;
  tissue.specific_heat_J_per_kg_K = t.specific_heat_J_per_kg_K;
  tissue.conductivity_W_per_m_K = t.conductivity_W_per_m_K;
  tissue.perfusion_per_s = t.perfusion_per_s;
  p.tissue_map.tissues = {tissue};
  p.blood.specific_heat_J_per_kg_K = t.blood_J_per_m3_K / p.blood.density_kg_per_m3;
  p.blood.temperature_degC = kRest_degC;
  p.initial_degC = kRest_degC;
  p.boundary.fill({BoundaryKind::fixed, kRest_degC, 0});
  return p;
}

}  // namespace

ThermalProblem cube_problem(const UniformTissue& tissue, int n, double h_mm) {
  Grid grid;
  grid.size = {n, n, n};
  grid.spacing_mm.setConstant(h_mm);
  grid.origin_mm.setConstant(-0.5 * (n - 1) * h_mm);
  return problem_on(grid, tissue);
}

ThermalProblem column_problem(const UniformTissue& tissue, int n, double h_mm, const Boundary& at_zero,
                              const Boundary& at_end) {
  Grid grid;
  grid.size = {n, 3, 3};
  grid.spacing_mm.setConstant(h_mm);
  grid.origin_mm = {h_mm / 2, -h_mm, -h_mm};
  ThermalProblem p = problem_on(grid, tissue);
  p.boundary.fill({BoundaryKind::insulated, 0, 0});
  p.boundary[x_min] = at_zero;
  p.boundary[x_max] = at_end;
  return p;
}

ThermalResult Runner::run(const ThermalProblem& problem) {
  return run(problem, engine_options(problem, options_.threads));
}

ThermalResult Runner::run(const ThermalProblem& problem, BioheatOptions options) {
  options.threads = options_.threads;
  ThermalResult result = solve(problem, options, progress_);
  if (!result.summary.usable()) result.samples.clear();  // every row of the run fails
  const double residual =
      result.summary.usable() ? result.energy.relative_residual : std::numeric_limits<double>::quiet_NaN();
  if (!(residual <= worst_residual_)) worst_residual_ = residual;
  return result;
}

VerificationRow Runner::energy_row() const {
  return {"energy balance, worst run: |in - stored - out| / largest", "-", 0, worst_residual_, 1e-4};
}

Sample sample_at(const ThermalResult& result, const Eigen::Vector3d& at_mm, double t_s) {
  for (const Sample& s : result.samples)
    if ((s.at_mm - at_mm).norm() < 1e-9 && std::abs(s.t_s - t_s) < 1e-9) return s;
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  return {at_mm, t_s, unknown, unknown, {}};
}

double crossing_mm(const ThermalResult& result, const std::vector<Eigen::Vector3d>& points_mm,
                   const std::vector<double>& distances_mm, double t_s, double degC) {
  for (std::size_t n = 1; n < points_mm.size(); ++n) {
    const double a = sample_at(result, points_mm[n - 1], t_s).T_degC;
    const double b = sample_at(result, points_mm[n], t_s).T_degC;
    if ((a <= degC) != (b <= degC))
      return distances_mm[n - 1] + (distances_mm[n] - distances_mm[n - 1]) * (degC - a) / (b - a);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace verification
}  // namespace spinetherm
