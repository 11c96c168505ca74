// SPDX-License-Identifier: Apache-2.0
// Case (d) of the verification table: freezing fronts.

#include <fmt/format.h>

#include <cmath>

#include "apps/verification_detail.h"
#include "imaging/core/units.h"

namespace spinetherm::verification {
namespace {

using Eigen::Vector3d;

constexpr Boundary kInsulated{BoundaryKind::insulated, 0, 0};
constexpr double kCell_mm = 0.5;

/// A sharp front as the engine has it: the latent heat spread over 0.2 K. At the 5 to 40 K/mm of ice behind a
/// front that is less than a tenth of a cell, so that the front sweeps through cell after cell; narrower
/// ranges only take more steps.
constexpr double kSharpRange_K = 0.2;

/// Fronts of freezing tissue whose mushy zone conducts as k(T), linear from solidus to liquidus, as the
/// problem format has it (the closed forms of closed_form.h hold it at the mean): a half-space with a cold
/// wall, or a line sink. Similarity in eta = x / 2 sqrt(alpha_s t):
///   eta^-m (eta^m k T')' = -2 alpha_s rho c eta T',   m = 0 (slab), 1 (line).
/// From a solidus at lambda the flow of the ice is known; the mushy zone is integrated to the liquidus
/// (Runge-Kutta in T, where eta and the flow are smooth), and lambda is found by halving until the flow there
/// is that of the unfrozen side. Error below 1e-6.
class LinearMushyFronts {
 public:
  enum Shape { slab, line };
  /// `drive`: temperature of the wall [degC], or strength of the sink [W/m].
  LinearMushyFronts(const FreezingTissue& tissue, Shape shape, double drive, double initial_degC)
      : t_(tissue), shape_(shape), drive_(drive), initial_degC_(initial_degC) {}

  FreezingFronts fronts() const {
    double low = 1e-3, high = 2;
    for (int n = 0; n < 60; ++n) (surplus((low + high) / 2) > 0 ? high : low) = (low + high) / 2;
    return {low, liquidus(low).eta, alpha_s_};
  }

 private:
  struct State {
    double eta, flow;  ///< eta^m k T'
  };

  State slope(double T, const State& s) const {  // d/dT
    const double ice = (t_.liquidus_degC - T) / (t_.liquidus_degC - t_.solidus_degC);
    const double k = t_.unfrozen_k + (t_.frozen_k - t_.unfrozen_k) * ice;
    const double c = 2 * alpha_s_ * t_.density_kg_per_m3 * t_.mushy_c();
    return shape_ == slab ? State{k / s.flow, -c * s.eta} : State{k * s.eta / s.flow, -c * s.eta * s.eta};
  }
  double flow_of_ice(double lambda) const {
    if (shape_ == line) return drive_ / (2 * kPi) * std::exp(-lambda * lambda);
    return t_.frozen_k * (t_.solidus_degC - drive_) * 2 / std::sqrt(kPi) * std::exp(-lambda * lambda) /
           std::erf(lambda);
  }
  double flow_of_unfrozen(double lambda) const {
    const double ratio = std::sqrt(alpha_s_ / alpha_l_), u = lambda * ratio;
    const double k = 2 * t_.unfrozen_k * (initial_degC_ - t_.liquidus_degC) * std::exp(-u * u);
    return shape_ == slab ? k * ratio / (std::sqrt(kPi) * std::erfc(u)) : -k / std::expint(-u * u);
  }
  State liquidus(double lambda) const {
    State s{lambda, flow_of_ice(lambda)};
    constexpr int steps = 2000;
    const double dT = (t_.liquidus_degC - t_.solidus_degC) / steps;
    for (int n = 0; n < steps && s.flow > 0; ++n) {
      const double T = t_.solidus_degC + n * dT;
      const State a = slope(T, s);
      const State b = slope(T + dT / 2, {s.eta + dT / 2 * a.eta, s.flow + dT / 2 * a.flow});
      const State c = slope(T + dT / 2, {s.eta + dT / 2 * b.eta, s.flow + dT / 2 * b.flow});
      const State d = slope(T + dT, {s.eta + dT * c.eta, s.flow + dT * c.flow});
      s.eta += dT / 6 * (a.eta + 2 * b.eta + 2 * c.eta + d.eta);
      s.flow += dT / 6 * (a.flow + 2 * b.flow + 2 * c.flow + d.flow);
    }
    return s;
  }
  double surplus(double lambda) const {  // of flow from the unfrozen side: positive beyond the front
    const State s = liquidus(lambda);
    return s.flow > 0 ? flow_of_unfrozen(s.eta) - s.flow : 1;
  }

  FreezingTissue t_;
  Shape shape_;
  double drive_, initial_degC_;
  double alpha_s_ = t_.frozen_k / (t_.density_kg_per_m3 * t_.frozen_c);
  double alpha_l_ = t_.unfrozen_k / (t_.density_kg_per_m3 * t_.unfrozen_c);
};

UniformTissue unfrozen(const FreezingTissue& t) {
  UniformTissue warm;
  warm.density_kg_per_m3 = t.density_kg_per_m3;
  warm.specific_heat_J_per_kg_K = t.unfrozen_c;
  warm.conductivity_W_per_m_K = t.unfrozen_k;
  return warm;
}
Frozen frozen(const FreezingTissue& t) {
  return {t.density_kg_per_m3, t.frozen_c, t.frozen_k, t.latent_J_per_kg, t.solidus_degC, t.liquidus_degC};
}
FreezingTissue sharp() {
  FreezingTissue t;
  t.solidus_degC = t.liquidus_degC - kSharpRange_K;
  return t;
}
double middle_degC(const FreezingTissue& t) { return (t.solidus_degC + t.liquidus_degC) / 2; }

/// A column of 80 mm behind a cold wall, with its profile.
struct Slab {
  ThermalResult result;
  std::vector<Vector3d> points_mm;
  std::vector<double> depths_mm;
  double front_mm(double t_s, double degC) const {
    return crossing_mm(result, points_mm, depths_mm, t_s, degC);
  }
};
Slab run_slab_of(const FreezingTissue& tissue, double wall_degC, double initial_degC,
                 const std::vector<double>& times_s, Runner& runner) {
  ThermalProblem p =
      column_problem(unfrozen(tissue), 160, kCell_mm, {BoundaryKind::fixed, wall_degC, 0}, kInsulated);
  p.tissue_map.tissues[0].frozen = frozen(tissue);
  p.initial_degC = initial_degC;
  p.duration_s = times_s.back();
  p.sample.times_s = times_s;
  Slab slab;
  for (int i = 0; i < 80; ++i) {
    slab.points_mm.push_back(p.grid().to_world(i, 1, 1));
    slab.depths_mm.push_back(slab.points_mm.back().x());
  }
  p.sample.points_mm = slab.points_mm;
  slab.result = runner.run(p);
  return slab;
}

void slabs(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 50);
  const double wall_degC = draw(-140, -160, -80);
  const std::vector<double> times_s = {60, 300, 600};

  const FreezingTissue mushy;
  const FreezingFronts exact =
      LinearMushyFronts(mushy, LinearMushyFronts::slab, wall_degC, kRest_degC).fronts();
  const Slab three = run_slab_of(mushy, wall_degC, kRest_degC, times_s, runner);
  for (const double t : times_s) {
    rows.push_back({fmt::format("mushy slab: solidus, {:g} s", t), "mm", exact.solid_mm(t),
                    three.front_mm(t, mushy.solidus_degC), 0.25});
    rows.push_back({fmt::format("mushy slab: liquidus, {:g} s", t), "mm", exact.liquid_mm(t),
                    three.front_mm(t, mushy.liquidus_degC), 0.25});
  }

  const FreezingTissue front = sharp();
  const double melting_degC = middle_degC(front);
  const FreezingFronts one_phase = stefan_fronts(front, wall_degC);
  const Slab one = run_slab_of(front, wall_degC, front.liquidus_degC, times_s, runner);
  const FreezingFronts two_phase = neumann_fronts(front, wall_degC, kRest_degC);
  const Slab two = run_slab_of(front, wall_degC, kRest_degC, times_s, runner);
  for (const double t : times_s) {
    rows.push_back({fmt::format("slab at its melting point: front, {:g} s", t), "mm", one_phase.solid_mm(t),
                    one.front_mm(t, melting_degC), kCell_mm});
    rows.push_back({fmt::format("slab at {:g} degC: front, {:g} s", kRest_degC, t), "mm",
                    two_phase.solid_mm(t), two.front_mm(t, melting_degC), kCell_mm});
  }
}

/// A line sink along the edge of a quarter of its surroundings: two faces are planes of symmetry, the others
/// 40 mm away. The profile along three directions.
class LineSink {
 public:
  LineSink(const FreezingTissue& tissue, double Q_W_per_m, double h_mm, const std::vector<double>& times_s,
           Runner& runner) {
    const int n = int(std::lround(40 / h_mm));
    Grid grid;
    grid.size = {n, n, 1};
    grid.spacing_mm.setConstant(h_mm);
    grid.origin_mm.setConstant(h_mm / 2);
    ThermalProblem p = cube_problem(unfrozen(tissue), 1, h_mm);
    p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
    p.tissue_map.tissues[0].frozen = frozen(tissue);
    for (const auto face : {x_min, y_min, z_min, z_max}) p.boundary[face] = kInsulated;
    p.sources = {{LineSource{-Q_W_per_m / 4, {0, 0, 0}, {0, 0, h_mm}}, {}}};
    p.duration_s = times_s.back();
    p.sample.times_s = times_s;
    for (double r = 1.5; r < 16; r += 0.1) distances_mm_.push_back(r);
    for (const double degrees : {10.0, 30.0, 45.0}) {
      const double angle = degrees * kPi / 180;
      std::vector<Vector3d> ray;
      for (const double r : distances_mm_)
        ray.emplace_back(r * std::cos(angle), r * std::sin(angle), h_mm / 2);
      p.sample.points_mm.insert(p.sample.points_mm.end(), ray.begin(), ray.end());
      rays_mm_.push_back(std::move(ray));
    }
    result_ = runner.run(p);
  }
  /// Of the three directions the one that is farthest from `exact_mm`.
  double front_mm(double t_s, double degC, double exact_mm) const {
    double worst = exact_mm;
    for (const auto& ray : rays_mm_) {
      const double r = crossing_mm(result_, ray, distances_mm_, t_s, degC);
      if (!(std::abs(r - exact_mm) <= std::abs(worst - exact_mm))) worst = r;
    }
    return worst;
  }

 private:
  std::vector<double> distances_mm_;
  std::vector<std::vector<Vector3d>> rays_mm_;
  ThermalResult result_;
};

void line_sinks(const VerificationOptions& options, Runner& runner, std::vector<VerificationRow>& rows) {
  Draw draw(options, 51);
  const double Q = draw(500, 300, 700);
  const std::vector<double> times_s = {100, 150, 200, 250, 300};

  const FreezingTissue mushy;
  const FreezingFronts exact = LinearMushyFronts(mushy, LinearMushyFronts::line, Q, kRest_degC).fronts();
  const LineSink fine(mushy, Q, kCell_mm, times_s, runner), coarse(mushy, Q, 2 * kCell_mm, times_s, runner);
  double fine_sum = 0, coarse_sum = 0;
  for (const double t : times_s) {
    const auto add = [&](const char* name, double exact_mm, double degC) {
      const double at_mm = fine.front_mm(t, degC, exact_mm);
      if (t == 100 || t == 300)
        rows.push_back({fmt::format("mushy line sink of {:.3g} W/m: {}, {:g} s", Q, name, t), "mm", exact_mm,
                        at_mm, 0.25});
      fine_sum += std::pow(at_mm - exact_mm, 2);
      coarse_sum += std::pow(coarse.front_mm(t, degC, exact_mm) - exact_mm, 2);
    };
    add("solidus", exact.solid_mm(t), mushy.solidus_degC);
    add("liquidus", exact.liquid_mm(t), mushy.liquidus_degC);
  }
  rows.push_back({"mushy line sink: order in space, h 1 and 0.5 mm", "-", 1,
                  std::log2(coarse_sum / fine_sum) / 2, 0, true});

  const FreezingTissue front = sharp();
  const FreezingFronts one = line_sink_fronts(front, Q, kRest_degC);
  const LineSink sink(front, Q, kCell_mm, times_s, runner);
  for (const double t : {100.0, 300.0})
    rows.push_back({fmt::format("line sink of {:.3g} W/m: front, {:g} s", Q, t), "mm", one.solid_mm(t),
                    sink.front_mm(t, middle_degC(front), one.solid_mm(t)), kCell_mm});
}

}  // namespace

std::vector<VerificationRow> run_freezing(const VerificationOptions& options, const Progress& progress) {
  std::vector<VerificationRow> rows;
  Runner runner(options, progress);
  slabs(options, runner, rows);
  line_sinks(options, runner, rows);
  rows.push_back(runner.energy_row());
  return rows;
}

}  // namespace spinetherm::verification
