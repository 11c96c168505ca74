// SPDX-License-Identifier: Apache-2.0
#include "thermal/light_field.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "imaging/core/units.h"
#include "thermal/radiator_shaft.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

// At 980 nm.
constexpr OpticalProperties kWhite{110, 3720}, kGrey{52, 540}, kSkull{22, 1730}, kFluid{48, 10};
constexpr int kThreads = 2;

double diffusion_m(const OpticalProperties& o) {
  return 1 / (3 * (o.absorption_per_m + o.reduced_scattering_per_m));
}
double mu_per_m(const OpticalProperties& o) { return std::sqrt(o.absorption_per_m / diffusion_m(o)); }

Grid box(int cells, double spacing_mm) {
  Grid grid;
  grid.size = {cells, cells, cells};
  grid.spacing_mm = Vector3d::Constant(spacing_mm);
  grid.origin_mm = Vector3d::Constant(-(cells - 1) / 2.0 * spacing_mm);
  return grid;
}
Vector3d middle(const Grid& grid, std::size_t c) {
  const auto nx = std::size_t(grid.size[0]), ny = std::size_t(grid.size[1]);
  return grid.to_world(int(c % nx), int(c / nx % ny), int(c / nx / ny));
}
LightSource point() {
  LightSource s;
  s.a_mm = s.b_mm = {0.23, -0.37, 0.11};
  return s;
}
/// Oblique, 8 mm long, in a catheter that comes from above.
LightSource fibre(double radius_mm) {
  const Vector3d back = Vector3d(0.3, -0.2, 0.9).normalized(), tip(0.2, 0.3, -5.1);
  LightSource s;
  s.a_mm = tip + 1.5 * back;
  s.b_mm = tip + 9.5 * back;
  s.radius_mm = radius_mm;
  if (radius_mm > 0) {
    s.tip_mm = tip;
    s.entry_mm = tip + 50 * back;
  }
  return s;
}
auto everywhere(const OpticalProperties& o) {
  return [o](std::size_t) { return o; };
}
auto half_space(const Grid& grid, double at_mm, const OpticalProperties& below,
                const OpticalProperties& above) {
  return [=](std::size_t c) { return middle(grid, c).x() < at_mm ? below : above; };
}
/// Mean over a cell: 4 Gauss points an axis.
template <class Function>
double cell_mean(const Grid& grid, std::size_t c, const Function& f) {
  constexpr std::array<double, 4> at{-0.4305681558, -0.1699905218, 0.1699905218, 0.4305681558},
      weight{0.1739274226, 0.3260725774, 0.3260725774, 0.1739274226};
  double sum = 0;
  for (std::size_t n = 0; n < 64; ++n) {
    const std::size_t i = n % 4, j = n / 4 % 4, k = n / 16;
    sum += weight[i] * weight[j] * weight[k] *
           f(middle(grid, c) + grid.spacing_mm.cwiseProduct(Vector3d(at[i], at[j], at[k])));
  }
  return sum;
}
/// What cells take of a watt, each with the part that is outside of the catheter.
double absorbed_W(const Grid& grid, const LightSource& source, const Volume<float>& phi,
                  const std::function<OpticalProperties(std::size_t)>& of_cell) {
  const auto catheter = shaft_of(source);
  double sum = 0;
  for (std::size_t c = 0; c < grid.count(); ++c) {
    if (phi[c] == 0) continue;
    const double outside = catheter ? 1 - covered_fraction(*catheter, middle(grid, c), grid.spacing_mm) : 1;
    sum += double(phi[c]) * of_cell(c).absorption_per_m * outside * grid.voxel_volume_mm3() * 1e-9;
  }
  return sum;
}

/// phi = exp(-mu r) / (4 pi D r); from the wall of a sphere, divided by exp(-mu R) (1 + mu R).
TEST(LightField, PointInUniformTissue) {
  for (const double radius_mm : {0.0, 0.825})
    for (const double spacing_mm : {1.0, 0.5})
      for (const OpticalProperties& o : {kWhite, kGrey, kSkull}) {
        const Grid grid = box(int(13 / spacing_mm), spacing_mm);
        LightSource source = point();
        source.radius_mm = radius_mm;
        const LightField field = solve_light(grid, source, everywhere(o), kThreads);
        ASSERT_EQ(field.summary.termination, Termination::converged);
        EXPECT_EQ(field.beside, o);
        const Volume<float> phi = fluence(grid, source, field, grid, kThreads);
        const double mu = mu_per_m(o), wall = mu * radius_mm * 1e-3;
        const double scale = std::exp(wall) / (1 + wall) / (4 * kPi * diffusion_m(o));
        const auto wanted = [&](const Vector3d& x) {
          const double r = (x - source.a_mm).norm() * 1e-3;
          return scale * std::exp(-mu * r) / r;
        };
        double worst = 0;
        for (std::size_t c = 0; c < grid.count(); ++c)
          if ((middle(grid, c) - source.a_mm).norm() >= std::max(2e3 / mu, radius_mm + spacing_mm))
            worst = std::max(worst, std::abs(double(phi[c]) / cell_mean(grid, c, wanted) - 1));
        EXPECT_LT(worst, 0.01) << o.reduced_scattering_per_m << " at " << spacing_mm << ", wall at "
                               << radius_mm;
      }
}

/// The table of i_laser_mwa.json, white matter at 980 nm, in a small cell around the point.
TEST(LightField, MatchesTheReferenceTable) {
  for (const auto& [r_mm, W_per_m2] : std::map<double, double>{
           {1, 297072.1539688356}, {2, 48259.6013390825}, {5, 662.062611532314}, {10, 1.1984722140145694}}) {
    const Grid coarse = box(24, 1);
    const LightField field = solve_light(coarse, point(), everywhere(kWhite), kThreads);
    Grid small = box(1, 0.02);
    small.origin_mm = point().a_mm + r_mm * Vector3d(1, 2, -2) / 3;
    EXPECT_NEAR(double(fluence(small, point(), field, coarse, kThreads)[0]), W_per_m2, 2e-3 * W_per_m2);
  }
}

/// phi = P' K0(mu rho) / (2 pi D mu R K1(mu R)); without a catheter the last three are 1.
TEST(LightField, LongLineInUniformTissue) {
  for (const double radius_mm : {0.0, 0.825})
    for (const OpticalProperties& o : {kWhite, kGrey}) {
      Grid grid = box(20, 1);
      grid.size[2] = 3;
      LightSource source;
      source.a_mm = {0.2, -0.3, -60};
      source.b_mm = {0.2, -0.3, 60};
      source.radius_mm = radius_mm;
      const LightField field = solve_light(grid, source, everywhere(o), kThreads);
      const Volume<float> phi = fluence(grid, source, field, grid, kThreads);
      const double mu = mu_per_m(o), wall = mu * radius_mm * 1e-3;
      const double scale =
          1 / (2 * kPi * diffusion_m(o) * 0.12) / (wall > 0 ? wall * std::cyl_bessel_k(1, wall) : 1);
      for (std::size_t c = 0; c < grid.count(); ++c) {
        const auto wanted = [&](const Vector3d& x) {
          return scale * std::cyl_bessel_k(0, mu * std::hypot(x.x() - 0.2, x.y() + 0.3) * 1e-3);
        };
        const Vector3d x = middle(grid, c);
        if (std::hypot(x.x() - 0.2, x.y() + 0.3) < 2) continue;
        const double mean = cell_mean(grid, c, wanted);
        ASSERT_NEAR(double(phi[c]), mean, 0.01 * mean) << x.transpose() << ", wall at " << radius_mm;
      }
    }
}

/// A point in a sphere of one tissue inside another:
///   A exp(-m1 r)/r + B sinh(m1 r)/r within, C exp(-m2 r)/r outside, phi and D phi' continuous.
struct TwoTissues {
  TwoTissues(const OpticalProperties& inner, const OpticalProperties& outer, double radius_m)
      : m1(mu_per_m(inner)), m2(mu_per_m(outer)), a(radius_m) {
    const double d1 = diffusion_m(inner), d2 = diffusion_m(outer);
    const double e1 = std::exp(-m1 * a), s1 = std::sinh(m1 * a), c1 = std::cosh(m1 * a);
    A = 1 / (4 * kPi * d1);
    B = A * e1 * (d1 * (1 + m1 * a) - d2 * (1 + m2 * a)) / (d1 * (m1 * a * c1 - s1) + d2 * s1 * (1 + m2 * a));
    C = (A * e1 + B * s1) * std::exp(m2 * a);
  }
  double operator()(double r) const {
    return (r < a ? A * std::exp(-m1 * r) + B * std::sinh(m1 * r) : C * std::exp(-m2 * r)) / r;
  }
  double m1, m2, a, A = 0, B = 0, C = 0;
};

/// Cells of one tissue each make stairs of the sphere; with a tissue that light enters by less than a cell
/// the two cells next to the stairs are off, but not the means over shells a millimetre thick.
TEST(LightField, SphereInAnotherTissue) {
  constexpr double kSphere_mm = 5;
  struct Case {
    OpticalProperties inner, outer;
    double spacing_mm, worst, worst_shell;
  };
  for (const Case& t : {Case{kGrey, kSkull, 1, 0.05, 0.02}, Case{kSkull, kGrey, 1, 0.05, 0.02},
                        Case{kGrey, kSkull, 0.5, 0.05, 0.01}, Case{kWhite, kGrey, 1, 0.12, 0.05},
                        Case{kWhite, kGrey, 0.5, 0.06, 0.02}, Case{kGrey, kWhite, 1, 0.4, 0.07},
                        Case{kGrey, kWhite, 0.5, 0.15, 0.02}, Case{kSkull, kFluid, 1, 0.05, 0.05},
                        Case{kWhite, kFluid, 0.5, 0.05, 0.03}}) {
    const Grid grid = box(int(24 / t.spacing_mm), t.spacing_mm);
    const LightSource source = point();
    const auto of_cell = [&](std::size_t c) {
      return (middle(grid, c) - source.a_mm).norm() < kSphere_mm ? t.inner : t.outer;
    };
    const LightField field = solve_light(grid, source, of_cell, kThreads);
    ASSERT_EQ(field.summary.termination, Termination::converged);
    const Volume<float> phi = fluence(grid, source, field, grid, kThreads);
    const TwoTissues exact(t.inner, t.outer, kSphere_mm * 1e-3);
    double worst = 0;
    std::array<double, 10> sum{}, wanted_sum{};
    for (std::size_t c = 0; c < grid.count(); ++c) {
      const double r_mm = (middle(grid, c) - source.a_mm).norm();
      if (r_mm < std::min(2e3 / exact.m1, 3.0) || r_mm >= kSphere_mm + 4) continue;
      if (std::abs(r_mm - kSphere_mm) < std::sqrt(0.75) * t.spacing_mm) continue;  // may be cut
      const double wanted =
          cell_mean(grid, c, [&](const Vector3d& x) { return exact((x - source.a_mm).norm() * 1e-3); });
      if (std::abs(r_mm - kSphere_mm) > 2 * t.spacing_mm)
        worst = std::max(worst, std::abs(double(phi[c]) / wanted - 1));
      sum[std::size_t(r_mm)] += double(phi[c]);
      wanted_sum[std::size_t(r_mm)] += wanted;
    }
    double worst_shell = 0;
    for (std::size_t n = 0; n < sum.size(); ++n)
      if (wanted_sum[n] > 0) worst_shell = std::max(worst_shell, std::abs(sum[n] / wanted_sum[n] - 1));
    const auto what = ::testing::Message() << t.inner.reduced_scattering_per_m << " in "
                                           << t.outer.reduced_scattering_per_m << " at " << t.spacing_mm;
    EXPECT_LT(worst, t.worst) << what;
    EXPECT_LT(worst_shell, t.worst_shell) << what;
  }
}

/// All light is absorbed or leaves, and the fluence rate says the same as the sums; whatever lies beside.
TEST(LightField, KeepsTheWatt) {
  const Grid grid = box(16, 1);
  for (const double radius_mm : {0.0, 0.3, 0.825})
    for (const auto& [below, above] :
         {std::array{kWhite, kWhite}, std::array{kGrey, kGrey}, std::array{kWhite, kFluid},
          std::array{kFluid, kWhite}, std::array{kGrey, kSkull}})
      for (const LightSource& source : {fibre(radius_mm), [&] {
                                          LightSource s = point();
                                          s.radius_mm = radius_mm;
                                          return s;
                                        }()}) {
        const auto of_cell = half_space(grid, 0.7, below, above);
        const LightField field = solve_light(grid, source, of_cell, kThreads);
        ASSERT_EQ(field.summary.termination, Termination::converged);
        const auto what = ::testing::Message()
                          << radius_mm << " " << below.reduced_scattering_per_m << "|"
                          << above.reduced_scattering_per_m << " " << (source.a_mm == source.b_mm);
        EXPECT_NEAR(field.absorbed_W + field.escaped_W, 1, 0.01) << what;
        const Volume<float> phi = fluence(grid, source, field, grid, kThreads);
        EXPECT_NEAR(absorbed_W(grid, source, phi, of_cell), field.absorbed_W, 0.01) << what;
        EXPECT_GE(*std::ranges::min_element(phi.values), 0) << what;
      }
}

TEST(LightField, DarkInsideTheCatheter) {
  const Grid grid = box(24, 0.5);
  const LightSource source = fibre(0.825);
  const LightField field = solve_light(grid, source, everywhere(kGrey), kThreads);
  const Volume<float> phi = fluence(grid, source, field, grid, kThreads);
  const auto catheter = shaft_of(source);
  int dark = 0;
  for (std::size_t c = 0; c < grid.count(); ++c) {
    const double depth_mm = -signed_distance_mm(*catheter, middle(grid, c));
    if (depth_mm > 0.45) {
      EXPECT_EQ(phi[c], 0);
      ++dark;
    } else if (depth_mm < 0) {
      EXPECT_GT(phi[c], 0);
    }
  }
  EXPECT_GT(dark, 10);
}

/// An interface beside the source: cells half as large give the same light.
TEST(LightField, FinerCellsAgree) {
  for (const double radius_mm : {0.0, 0.825})
    for (const auto& [below, above] : {std::array{kGrey, kSkull}, std::array{kGrey, kWhite}}) {
      const LightSource source = fibre(radius_mm);
      const Grid coarse = box(12, 1), fine = box(24, 0.5);
      const LightField in_coarse =
          solve_light(coarse, source, half_space(coarse, 1.0, below, above), kThreads);
      const LightField in_fine = solve_light(fine, source, half_space(fine, 1.0, below, above), kThreads);
      const Volume<float> a = fluence(coarse, source, in_coarse, coarse, kThreads),
                          b = fluence(fine, source, in_fine, fine, kThreads),
                          c = fluence(fine, source, in_coarse, coarse, kThreads);
      const double bound =
          below.reduced_scattering_per_m + above.reduced_scattering_per_m > 3000 ? 0.1 : 0.04;
      double difference = 0, difference_c = 0, sum = 0;
      for (int k = 0; k < 12; ++k)
        for (int j = 0; j < 12; ++j)
          for (int i = 0; i < 12; ++i) {
            if (signed_distance_mm(Region{Capsule{source.a_mm, source.b_mm, 1}}, coarse.to_world(i, j, k)) <
                1.5)
              continue;
            double mean_b = 0, mean_c = 0;
            for (int n = 0; n < 8; ++n) {
              const int ii = 2 * i + n % 2, jj = 2 * j + n / 2 % 2, kk = 2 * k + n / 4;
              mean_b += double(b(ii, jj, kk)) / 8;
              mean_c += double(c(ii, jj, kk)) / 8;
            }
            difference += std::abs(double(a(i, j, k)) - mean_b);
            difference_c += std::abs(mean_c - mean_b);
            sum += mean_b;
          }
      EXPECT_LT(difference, bound * sum) << below.reduced_scattering_per_m << " " << radius_mm;
      EXPECT_LT(difference_c, bound * sum) << below.reduced_scattering_per_m << " " << radius_mm;
    }
}

/// On any grid inside of the solved one phi0 is worked out anew.
TEST(LightField, PatchInUniformTissueIsExact) {
  const Grid coarse = box(16, 1), patch = box(16, 0.5);
  const LightSource source = fibre(0.825);
  const LightField of_coarse = solve_light(coarse, source, everywhere(kWhite), kThreads),
                   of_patch = solve_light(patch, source, everywhere(kWhite), kThreads);
  EXPECT_EQ(fluence(patch, source, of_coarse, coarse, kThreads).values,
            fluence(patch, source, of_patch, patch, kThreads).values);
}

TEST(LightField, SameBitsForAnyNumberOfThreads) {
  const Grid grid = box(30, 1);
  const LightSource source = fibre(0.825);
  const auto of_cell = half_space(grid, 1.2, kWhite, kGrey);
  const LightField one = solve_light(grid, source, of_cell, 1), two = solve_light(grid, source, of_cell, 2);
  EXPECT_EQ(one.correction, two.correction);
  EXPECT_EQ(one.like_beside, two.like_beside);
  EXPECT_EQ(one.absorbed_W, two.absorbed_W);
  EXPECT_EQ(one.escaped_W, two.escaped_W);
  EXPECT_EQ(fluence(grid, source, one, grid, 1), fluence(grid, source, two, grid, 2));
}

/// Coagulation goes on around the fibre.
TEST(LightField, GoesOnFromTheFieldBefore) {
  const Grid grid = box(24, 1);
  const LightSource source = fibre(0.825);
  const auto coagulated_to = [&](double radius_mm) {
    return [&grid, source, radius_mm](std::size_t c) {
      const double d = signed_distance_mm(Region{Capsule{source.a_mm, source.b_mm, 0.5}}, middle(grid, c));
      const double part = std::clamp(radius_mm - d, 0.0, 1.0);
      return OpticalProperties{52, 540 * (1 + 2 * part)};
    };
  };
  const LightField before = solve_light(grid, source, coagulated_to(4.0), kThreads),
                   cold = solve_light(grid, source, coagulated_to(4.2), kThreads),
                   warm = solve_light(grid, source, coagulated_to(4.2), kThreads, {}, &before);
  ASSERT_EQ(warm.summary.termination, Termination::converged);
  EXPECT_LT(warm.summary.iterations, cold.summary.iterations);
  const Volume<float> a = fluence(grid, source, cold, grid, kThreads),
                      b = fluence(grid, source, warm, grid, kThreads);
  for (std::size_t c = 0; c < grid.count(); ++c) ASSERT_NEAR(a[c], b[c], 1e-3F * a[c] + 0.1F);
  EXPECT_NEAR(warm.absorbed_W, cold.absorbed_W, 1e-4);
}

TEST(LightField, CancelIsSeen) {
  const Grid grid = box(16, 1);
  std::stop_source stop;
  stop.request_stop();
  Progress progress;
  progress.stop = stop.get_token();
  for (const OpticalProperties& above : {kGrey, kSkull}) {  // without and with something to solve
    const LightField field =
        solve_light(grid, point(), half_space(grid, 1, kGrey, above), kThreads, progress);
    EXPECT_EQ(field.summary.termination, Termination::cancelled);
    EXPECT_TRUE(field.correction.empty());
  }
}

}  // namespace
}  // namespace spinetherm
