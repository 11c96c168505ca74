// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared by the cases of verification.h; no public interface.

#include <functional>
#include <random>

#include "apps/verification.h"
#include "thermal/bioheat_solver.h"
#include "thermal/closed_form.h"

namespace spinetherm::verification {

/// Temperature of the undisturbed tissue in every case [degC].
inline constexpr double kRest_degC = 37;

/// Parameters of one run: those of the reference tables, or drawn around them.
class Draw {
 public:
  Draw(const VerificationOptions& options, std::uint64_t run);
  double operator()(double reference, double low, double high);
  bool is_reference() const { return reference_; }
  /// Soft tissue of the reference tables, or one of the body's range (density times heat capacity 2 to 4
  /// MJ/m3/K, conductivity 0.25 to 0.6 W/m/K: fat and bone to water).
  UniformTissue tissue(double perfusion_per_s);
  Eigen::Vector3d direction();

 private:
  bool reference_;
  std::mt19937_64 rng_;
};

/// n^3 cells of h mm around the origin, rest at the start and on the faces, without sources.
ThermalProblem cube_problem(const UniformTissue& tissue, int n, double h_mm);
/// A column of n x 3 x 3 cells along x, from x = 0, y = z = 0 in the middle; insulated sides.
ThermalProblem column_problem(const UniformTissue& tissue, int n, double h_mm, const Boundary& at_zero,
                              const Boundary& at_end);

/// Runs the engine as a user would, and keeps the largest energy residual of a case.
class Runner {
 public:
  Runner(const VerificationOptions& options, const Progress& progress)
      : options_(options), progress_(progress) {}
  ThermalResult run(const ThermalProblem& problem);
  /// With options of its own, for orders of convergence.
  ThermalResult run(const ThermalProblem& problem, BioheatOptions options);
  /// The gate of single-precision states: relative residual 1e-4.
  VerificationRow energy_row() const;

 private:
  const VerificationOptions& options_;
  const Progress& progress_;
  double worst_residual_ = 0;
};

/// The sample of a point and a time; NaN temperature and dose when the run has none, so that the row fails.
Sample sample_at(const ThermalResult& result, const Eigen::Vector3d& at_mm, double t_s);

/// Distance at which a sampled profile first passes a temperature, on a straight line between samples; NaN
/// when it does not.
double crossing_mm(const ThermalResult& result, const std::vector<Eigen::Vector3d>& points_mm,
                   const std::vector<double>& distances_mm, double t_s, double degC);

/// Rows of the rise at distances from a centre: the worst direction of each distance and time.
struct RadialCheck {
  std::string name;
  Eigen::Vector3d centre_mm{0, 0, 0};
  std::vector<Eigen::Vector3d> directions;
  std::vector<double> distances_mm, times_s;
  std::function<double(double r_mm, double t_s)> exact_K;
  std::function<double(double exact_K, double r_mm, double t_s)> gate_K;

  Sampling sampling() const;
  void add_rows(const ThermalResult& result, std::vector<VerificationRow>& rows) const;
};
/// Along an axis, in a plane, along a diagonal and one that is drawn.
std::vector<Eigen::Vector3d> some_directions(Draw& draw);

/// (i) Light of a point, P mu^2 exp(-mu r)/(4 pi r) [W/m3], switched on at t = 0 in endless tissue. With
///   U(a) = exp(alpha a^2 t)/(8 pi r) {e^{-ar} erfc[a sqrt(alpha t) - x] - e^{ar} erfc[a sqrt(alpha t) + x]},
/// x = r/2 sqrt(alpha t), what heat at first e^{-ar}/(4 pi r) has become at t, and m = 1/L:
///   theta = P mu^2/(k (mu^2 - m^2)) {(e^{-mr} - e^{-mu r})/(4 pi r) - e^{-beta t} [U(m) - U(mu)]};
/// t may be infinite, w may be 0.
double point_light_K(const UniformTissue& tissue, double power_W, const OpticalProperties& optical,
                     double r_mm, double t_s);

std::vector<VerificationRow> run_sphere(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_sources(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_slab(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_freezing(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_electrodes(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_layers(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_dose(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_manufactured(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_radiation(const VerificationOptions& options, const Progress& progress);
std::vector<VerificationRow> run_coupled(const VerificationOptions& options, const Progress& progress);

}  // namespace spinetherm::verification
