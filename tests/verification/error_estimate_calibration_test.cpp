// SPDX-License-Identifier: Apache-2.0
// The error estimate beside the error that is made, over closed forms with drawn parameters: the error lies
// between 0.1 and 2 times the estimate in 90 % of the runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "apps/engine_options.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/error_estimate.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// A problem with samples at two times, and its closed form.
struct ExactProblem {
  ThermalProblem problem;
  std::function<double(const Vector3d& x_mm, double t_s)> T_degC;
};

class Draws {
 public:
  explicit Draws(unsigned seed) : rng_(seed) {}
  double operator()(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(rng_);
  }
  UniformTissue tissue(double most_perfusion_per_s) {
    UniformTissue t;
    t.density_kg_per_m3 = (*this)(950, 1150);
    t.specific_heat_J_per_kg_K = (*this)(2300, 3700);
    t.conductivity_W_per_m_K = (*this)(0.25, 0.6);
    t.perfusion_per_s = (*this)(0, most_perfusion_per_s);
    return t;
  }
  Vector3d direction() {
    std::normal_distribution<double> normal;
    return Vector3d(normal(rng_), normal(rng_), normal(rng_)).normalized();
  }

 private:
  std::mt19937_64 rng_;
};

void run_for(ThermalProblem& p, double end_s) {
  p.duration_s = end_s;
  p.sample.times_s = {end_s / 2, end_s};
}
/// 30^3 cells of 1 mm, a point anywhere in the middle, and samples around it.
ThermalProblem cube(const UniformTissue& tissue, const std::vector<double>& distances_mm, Draws& draw,
                    Vector3d& at_mm) {
  ThermalProblem p = uniform_problem(tissue, {30, 30, 30}, 1);
  at_mm = {draw(14, 15), draw(14, 15), draw(14, 15)};
  for (const double r : distances_mm)
    for (int n = 0; n < 5; ++n)
      p.sample.points_mm.push_back(at_mm + r * (n == 0 ? Vector3d(1, 0, 0) : draw.direction()));
  return p;
}
ThermalProblem column(const UniformTissue& tissue, int n) {
  ThermalProblem p = uniform_problem(tissue, {n, 3, 3}, 0.5);
  p.tissue_map.labels.grid.origin_mm = {0.25, -0.5, -0.5};
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  return p;
}

ExactProblem gaussian(Draws& draw) {
  const UniformTissue tissue = draw.tissue(0.006);
  const double sigma_mm = draw(2.4, 4);
  Vector3d at;
  ThermalProblem p = cube(tissue, {0, 1.5, 3, 5}, draw, at);
  p.sources = {{GaussianSource{3, sigma_mm, at}}};
  run_for(p, draw(20, 60));
  return {p, [=](const Vector3d& x, double t) {
            return 37 + gaussian_source_K(tissue, 3, sigma_mm, (x - at).norm(), t);
          }};
}
ExactProblem point(Draws& draw) {
  const UniformTissue tissue = draw.tissue(0.006);
  Vector3d at;
  ThermalProblem p = cube(tissue, {9, 11, 13}, draw, at);
  p.sources = {{PointSource{2, at}}};
  run_for(p, draw(20, 90));
  return {p, [=](const Vector3d& x, double t) { return 37 + point_source_K(tissue, 2, (x - at).norm(), t); }};
}
ExactProblem box(Draws& draw) {
  const UniformTissue tissue = draw.tissue(0.006);
  const Vector3d half_mm(draw(3, 5), draw(3, 5), draw(3, 5));
  Vector3d at;
  ThermalProblem p = cube(tissue, {0, 1.5, 6, 8}, draw, at);
  p.sources = {{BoxSource{3, at, half_mm}}};
  run_for(p, draw(20, 60));
  return {p, [=](const Vector3d& x, double t) { return 37 + box_source_K(tissue, 3, half_mm, x - at, t); }};
}
ExactProblem sphere(Draws& draw) {
  const UniformTissue tissue = draw.tissue(0.006);
  const double a_mm = draw(3, 4.5), theta_s = draw(15, 60);
  Vector3d at;
  ThermalProblem p = cube(tissue, {5, 6, 8}, draw, at);
  p.sources = {{FixedTemperatureSource{{Sphere{at, a_mm}}, {{0, 37 + theta_s}}}}};
  run_for(p, draw(20, 90));
  return {p, [=](const Vector3d& x, double t) {
            return 37 + sphere_transient_K(tissue, theta_s, a_mm, (x - at).norm(), t);
          }};
}
ExactProblem slab(Draws& draw) {
  const UniformTissue tissue = draw.tissue(0.01);
  const double step_K = draw(10, 50);
  ThermalProblem p = column(tissue, 81);
  p.boundary[x_min] = {BoundaryKind::fixed, 37 + step_K, 0};
  for (const double x : {1.0, 2.1, 4.9, 10.0}) p.sample.points_mm.emplace_back(x, 0, 0);
  run_for(p, draw(60, 200));
  return {p, [=](const Vector3d& x, double t) { return 37 + semi_infinite_K(tissue, step_K, x.x(), t); }};
}
/// Two bodies; the face between them lies on one of cells in both resolutions.
ExactProblem contact(Draws& draw) {
  const UniformTissue left = draw.tissue(0), right = draw.tissue(0);
  const auto hot_degC = float(draw(45, 90));
  constexpr int n = 162;
  constexpr double middle_mm = n / 2 * 0.5;
  ThermalProblem p = column(left, n);
  p.tissue_map.tissues.push_back(soft_tissue(right));
  p.initial_field = Volume<float>(p.grid(), 37);
  for (int k = 0; k < 3; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < n; ++i) {
        p.tissue_map.labels(i, j, k) = i >= n / 2;
        if (i < n / 2) p.initial_field(i, j, k) = hot_degC;
      }
  for (const double x : {-5.0, -2.0, -1.1, 1.1, 2.0, 5.0})
    p.sample.points_mm.emplace_back(middle_mm + x, 0, 0);
  run_for(p, draw(20, 120));
  return {p, [=](const Vector3d& x, double t) {
            return contact_degC(left, double(hot_degC), right, 37, x.x() - middle_mm, t);
          }};
}
/// Ice and tissue conduct alike, so that the mushy zone conducts as in the closed form.
ExactProblem freezing(Draws& draw) {
  FreezingTissue f;
  f.frozen_k = f.unfrozen_k = draw(0.5, 1.5);
  f.latent_J_per_kg = draw(50e3, 250e3);
  UniformTissue warm;
  warm.density_kg_per_m3 = f.density_kg_per_m3;
  warm.specific_heat_J_per_kg_K = f.unfrozen_c;
  warm.conductivity_W_per_m_K = f.unfrozen_k;
  const double wall_degC = draw(-160, -80);
  ThermalProblem p = column(warm, 162);
  p.tissue_map.tissues[0].frozen =
      Frozen{f.density_kg_per_m3, f.frozen_c, f.frozen_k, f.latent_J_per_kg, f.solidus_degC, f.liquidus_degC};
  p.boundary[x_min] = {BoundaryKind::fixed, wall_degC, 0};
  for (double x = 1.3; x < 25; x += 2.3) p.sample.points_mm.emplace_back(x, 0, 0);
  run_for(p, draw(120, 500));
  return {p, [=](const Vector3d& x, double t) { return mushy_slab_degC(f, wall_degC, 37, x.x(), t); }};
}

TEST(ErrorEstimateCalibration, TheErrorLiesBetweenATenthAndTwiceTheEstimateInNineOfTenRuns) {
  struct Family {
    const char* name;
    ExactProblem (*make)(Draws&);
  };
  constexpr int kRuns = 8;
  int runs = 0, held = 0;
  for (const Family& family : {Family{"Gaussian", gaussian},
                               {"point", point},
                               {"box", box},
                               {"sphere", sphere},
                               {"slab", slab},
                               {"contact", contact},
                               {"freezing", freezing}}) {
    Draws draw(2026);
    int family_held = 0;
    for (int n = 0; n < kRuns; ++n) {
      const ExactProblem exact = family.make(draw);
      const BioheatOptions options = engine_options(exact.problem, 0);
      ThermalResult r = solve(exact.problem, options);
      add_error_estimate(exact.problem, options, r);
      ASSERT_TRUE(r.error_estimate.peak_K) << family.name;
      double error_K = 0;
      for (const Sample& s : r.samples)
        error_K = std::max(error_K, std::abs(s.T_degC - exact.T_degC(s.at_mm, s.t_s)));
      const double share = error_K / *r.error_estimate.peak_K;
      const bool in_range = share > 0.1 && share < 2;
      family_held += in_range;
      if (!in_range)
        std::cout << family.name << " " << n << ": error " << error_K << " K, estimate "
                  << *r.error_estimate.peak_K << " K\n";
    }
    runs += kRuns;
    held += family_held;
    EXPECT_GE(family_held, kRuns / 2) << family.name;
  }
  RecordProperty("runs", runs);
  RecordProperty("held", held);
  std::cout << held << " of " << runs << " estimates hold\n";
  EXPECT_GE(held, 0.9 * runs);
}

}  // namespace
}  // namespace spinetherm
