// SPDX-License-Identifier: Apache-2.0
#include "datasets/image_simulator.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

Grid cube(int n, double spacing_mm) {
  Grid g;
  g.size = {n, n, n};
  g.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  g.origin_mm = Eigen::Vector3d::Constant(-0.5 * spacing_mm * (n - 1));
  return g;
}
struct Moments {
  double mean = 0, sd = 0;
};
Moments moments(const Volume<float>& v) {
  double sum = 0, squares = 0;
  for (const float x : v.values) {
    sum += x;
    squares += double(x) * x;
  }
  const double n = double(v.values.size());
  return {sum / n, std::sqrt(squares / n - (sum / n) * (sum / n))};
}

TEST(ImageSimulator, PartialVolumeShowsAWallThinnerThanAVoxel) {
  // A wall of 0.3 mm between fat and muscle in the middle of a voxel of 1 mm.
  const MaterialField field = [](const Eigen::Vector3d& x) {
    return x.x() < -0.15 ? Material::fat : x.x() < 0.15 ? Material::cortical_bone : Material::muscle;
  };
  const Grid g = cube(9, 1);
  Volume<Material> centres(g);
  for (int k = 0; k < 9; ++k)
    for (int j = 0; j < 9; ++j)
      for (int i = 0; i < 9; ++i) centres(i, j, k) = field(g.to_world(i, j, k));
  const auto hu = ct_numbers();
  const auto v = render(field, centres, Rigid{}, hu, 5);
  const double fat = hu[std::size_t(Material::fat)], bone = hu[std::size_t(Material::cortical_bone)],
               muscle = hu[std::size_t(Material::muscle)];
  EXPECT_NEAR(v(4, 4, 4), 0.2 * bone + 0.4 * fat + 0.4 * muscle, 1e-3);  // 5 points: one of them in the wall
  EXPECT_NEAR(v(1, 4, 4), fat, 1e-4);
  EXPECT_NEAR(v(7, 4, 4), muscle, 1e-4);
}

TEST(ImageSimulator, RenderFollowsTheTransform) {
  const MaterialField field = [](const Eigen::Vector3d& x) {
    return x.norm() < 3 ? Material::csf : Material::muscle;
  };
  Rigid field_from_grid;
  field_from_grid.translation_mm = {5, -2, 1};
  const Grid g = cube(21, 1);
  Volume<Material> centres(g);
  for (int k = 0; k < 21; ++k)
    for (int j = 0; j < 21; ++j)
      for (int i = 0; i < 21; ++i) centres(i, j, k) = field(field_from_grid * g.to_world(i, j, k));
  MaterialValues one{};
  one[std::size_t(Material::csf)] = 1;
  const auto v = render(field, centres, field_from_grid, one, 4);
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  double total = 0;
  for (int k = 0; k < 21; ++k)
    for (int j = 0; j < 21; ++j)
      for (int i = 0; i < 21; ++i) {
        sum += v(i, j, k) * g.to_world(i, j, k);
        total += v(i, j, k);
      }
  EXPECT_NEAR(total, 4.0 / 3 * 3.14159265 * 27, 1.5);
  EXPECT_LT((sum / total - Eigen::Vector3d(-5, 2, -1)).norm(), 0.03);
}

TEST(ImageSimulator, BlurKeepsTheSumAndHasItsWidth) {
  Volume<float> v(cube(31, 1));
  v(15, 15, 15) = 1000;
  const auto b = blur(v, 2);
  double sum = 0, second = 0;
  for (int k = 0; k < 31; ++k)
    for (int j = 0; j < 31; ++j)
      for (int i = 0; i < 31; ++i) {
        sum += b(i, j, k);
        second += b(i, j, k) * (i - 15) * (i - 15);
      }
  EXPECT_NEAR(sum, 1000, 0.5);
  EXPECT_NEAR(std::sqrt(second / sum), 2, 0.06);  // cut at 3 sigma
}

TEST(ImageSimulator, CtHasTheNoiseItSays) {
  Volume<float> sharp(cube(40, 1), 100);
  CtOptions options;
  options.noise_HU = 20;
  const auto m = moments(simulate_ct(sharp, options, 3).volume);
  EXPECT_NEAR(m.mean, 100, 0.5);
  EXPECT_NEAR(m.sd, 20, 0.5);
}

TEST(ImageSimulator, RicianBackgroundHasTheRayleighMean) {
  Volume<float> sharp(cube(40, 1), 0);
  MrOptions options;
  const double sigma = options.scale / options.snr;
  const auto m = moments(simulate_mr_t2(sharp, options, 3).volume);
  EXPECT_NEAR(m.mean, sigma * std::sqrt(3.14159265 / 2), 0.02 * sigma);
  EXPECT_NEAR(m.sd, sigma * std::sqrt(2 - 3.14159265 / 2), 0.02 * sigma);
}

TEST(ImageSimulator, T2ContrastIsThatOfASpine) {
  const auto s = spin_echo_signals(3500, 100);
  const auto of = [&](Material m) { return s[std::size_t(m)]; };
  EXPECT_NEAR(of(Material::csf), 1.07 * (1 - std::exp(-3500.0 / 4273)) * std::exp(-100.0 / 1578), 1e-12);
  for (std::size_t n = 0; n < kMaterialCount; ++n)
    EXPECT_LE(s[n], of(Material::csf)) << to_string(Material(n));
  EXPECT_GT(of(Material::csf), 2 * of(Material::cord));
  EXPECT_GT(of(Material::cord), 2 * of(Material::muscle));
  EXPECT_GT(of(Material::nucleus), 2 * of(Material::annulus));
  EXPECT_EQ(of(Material::cortical_bone), 0);
  EXPECT_EQ(of(Material::blood), 0);  // flow void
}

TEST(ImageSimulator, CbctMarksWhatItDidNotSee) {
  Volume<float> sharp(cube(50, 2), 40);
  CbctOptions options;
  options.fov_diameter_mm = 80;
  options.fov_height_mm = 60;
  const auto scan = simulate_cbct(sharp, options, 3);
  double inside = 0;
  for (std::size_t n = 0; n < sharp.values.size(); ++n) {
    EXPECT_EQ(scan.valid[n] == 0, scan.image.volume[n] == kCbctOutside_HU);
    inside += scan.valid[n];
  }
  EXPECT_NEAR(inside * 8, 3.14159265 * 40 * 40 * 60, 0.03 * 3.14159265 * 40 * 40 * 60);
}

TEST(ImageSimulator, CbctAirInsideIsNotTakenForOutside) {
  const auto scan = simulate_cbct(Volume<float>(cube(30, 2), -1000), {}, 3);
  for (std::size_t n = 0; n < scan.valid.values.size(); ++n)
    if (scan.valid[n]) {
      ASSERT_GT(scan.image.volume[n], kCbctOutside_HU);
    }
}

TEST(ImageSimulator, CuppingDeepensTowardsTheAxis) {
  CbctOptions options;
  options.noise_HU = 0;
  const auto scan = simulate_cbct(Volume<float>(cube(81, 2), 100), options, 3);
  EXPECT_NEAR(scan.image.volume(40, 40, 40), 0.92 * 100 + 20 - 120, 1);
  EXPECT_NEAR(scan.image.volume(40, 78, 40), 0.92 * 100 + 20 - 120 * (1 - std::pow(76.0 / 80, 2)), 1);
}

TEST(ImageSimulator, NoiseDoesNotDependOnThreads) {
  Volume<float> sharp(cube(24, 1), 60);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = simulate_ct(sharp, {}, 9).volume;
  const auto mr_one = simulate_mr_t2(sharp, {}, 9).volume;
  omp_set_num_threads(2);
  EXPECT_EQ(one, simulate_ct(sharp, {}, 9).volume);
  EXPECT_EQ(mr_one, simulate_mr_t2(sharp, {}, 9).volume);
  EXPECT_NE(one, simulate_ct(sharp, {}, 10).volume);
  omp_set_num_threads(before);
}

TEST(ImageSimulator, RefusesOptionsThatCannotBeMeant) {
  Volume<float> sharp(cube(4, 1));
  CtOptions ct;
  ct.noise_HU = -1;
  EXPECT_THROW(simulate_ct(sharp, ct, 1), ConfigError);
  MrOptions mr;
  mr.snr = 0;
  EXPECT_THROW(simulate_mr_t2(sharp, mr, 1), ConfigError);
  CbctOptions cbct;
  cbct.fov_diameter_mm = std::nan("");
  EXPECT_THROW(simulate_cbct(sharp, cbct, 1), ConfigError);
  EXPECT_THROW(spin_echo_signals(0, 100), ConfigError);
}

}  // namespace
}  // namespace spinetherm
