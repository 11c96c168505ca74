// SPDX-License-Identifier: Apache-2.0
#include "imaging/resample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "imaging/core/random.h"

namespace spinetherm {
namespace {

Grid odd_grid() {
  Grid g;
  g.size = {13, 11, 9};
  g.spacing_mm = {1.1, 0.9, 3.0};
  g.origin_mm = {-20, 35, 7};
  // Axes P, I, R with a tilt: no axis of the grid is an axis of the patient.
  Eigen::Matrix3d pir;
  pir << 0, 0, -1, 1, 0, 0, 0, -1, 0;
  g.direction = Eigen::AngleAxisd(0.3, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix() * pir;
  return g;
}

double plane(const Eigen::Vector3d& x) { return 3 * x.x() - 2 * x.y() + 0.5 * x.z() + 10; }

Volume<float> plane_volume(const Grid& g) {
  Volume<float> v(g);
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) v(i, j, k) = float(plane(g.to_world(i, j, k)));
  return v;
}

TEST(Resample, LinearIsExactForAPlaneThroughAnyAxesAndRigidMotion) {
  const Volume<float> source = plane_volume(odd_grid());
  const Rigid source_from_target{
      Eigen::Quaterniond(Eigen::AngleAxisd(0.4, Eigen::Vector3d(0, 1, 1).normalized())), {2, -3, 1}};
  const Eigen::Vector3d centre = inverse(source_from_target) * source.grid.centre_mm();
  const Grid target =
      box_grid(centre - Eigen::Vector3d::Constant(9), centre + Eigen::Vector3d::Constant(9), 0.8);
  const Volume<float> out = resample_linear(source, target, kOutside, source_from_target);
  int seen = 0, outside = 0;
  for (int k = 0; k < target.size[2]; ++k)
    for (int j = 0; j < target.size[1]; ++j)
      for (int i = 0; i < target.size[0]; ++i) {
        const Eigen::Vector3d x = source_from_target * target.to_world(i, j, k);
        const Eigen::Vector3d n = source.grid.to_index(x);
        if (!source.grid.covers(x)) {
          EXPECT_TRUE(std::isnan(out(i, j, k)));
          ++outside;
        } else if (n.minCoeff() >= 0 && n.x() <= 12 && n.y() <= 10 && n.z() <= 8) {
          EXPECT_NEAR(out(i, j, k), plane(x), 2e-3);
          ++seen;
        }
      }
  EXPECT_GT(seen, 500);
  EXPECT_GT(outside, 100);
}

TEST(Resample, LinearOnItsOwnGridReturnsTheSource) {
  const Volume<float> source = plane_volume(odd_grid());
  const Volume<float> out = resample_linear(source, source.grid);
  for (std::size_t n = 0; n < out.values.size(); ++n) EXPECT_NEAR(out[n], source[n], 1e-3);
}

TEST(Resample, OutsideIsTheValueThatWasAskedFor) {
  const Volume<float> source(box_grid({0, 0, 0}, {5, 5, 5}, 1), 7.0f);
  const Grid far = box_grid({100, 0, 0}, {105, 5, 5}, 1);
  for (const float v : resample_linear(source, far).values) EXPECT_TRUE(std::isnan(v));
  for (const float v : resample_linear(source, far, -1000.0f).values) EXPECT_EQ(v, -1000.0f);
  for (const float v : resample_mean(source, far).values) EXPECT_TRUE(std::isnan(v));
}

TEST(Resample, ThickSlicesAreInterpolatedNotRepeated) {
  Grid thick;
  thick.size = {4, 4, 3};
  thick.spacing_mm = {1, 1, 4};
  Volume<float> source(thick);
  for (std::size_t n = 0; n < source.values.size(); ++n) source[n] = 100.0f * float(n / 16);
  Grid fine = thick;
  fine.size = {4, 4, 9};
  fine.spacing_mm = {1, 1, 1};
  const Volume<float> out = resample_linear(source, fine);
  for (int k = 0; k < 9; ++k) EXPECT_NEAR(out(1, 2, k), 25.0 * k, 1e-4);
}

TEST(Resample, MeanKeepsTheAverageOfNoiseWhereLinearAliases) {
  Volume<float> source(box_grid({0, 0, 0}, {39, 39, 39}, 1));
  auto rng = trial_rng(5, 0);
  std::normal_distribution<float> noise(50, 20);
  for (auto& v : source.values) v = noise(rng);
  const Grid coarse = box_grid({1.5, 1.5, 1.5}, {37.5, 37.5, 37.5}, 4);
  const auto spread = [](const Volume<float>& v) {
    double sum = 0, squares = 0;
    for (const float x : v.values) sum += x, squares += double(x) * x;
    const double n = double(v.values.size());
    return std::sqrt(squares / n - (sum / n) * (sum / n));
  };
  // 4 x 4 x 4 voxels in a box: the noise falls by 8; one trilinear point averages 8 voxels at most.
  EXPECT_NEAR(spread(resample_mean(source, coarse)), 20.0 / 8, 0.8);
  EXPECT_GT(spread(resample_linear(source, coarse)), 5.0);
}

TEST(Resample, NearestNeverInventsALabel) {
  Volume<std::uint16_t> source(odd_grid());
  auto rng = trial_rng(9, 0);
  const std::set<std::uint16_t> allowed = {0, 3, 122, 700};
  for (auto& v : source.values) v = *std::next(allowed.begin(), std::ptrdiff_t(rng() % 4));
  const Eigen::Vector3d c = source.grid.centre_mm();
  const Grid target = box_grid(c - Eigen::Vector3d::Constant(15), c + Eigen::Vector3d::Constant(15), 0.7);
  const auto out = resample_nearest<std::uint16_t>(source, target, 0);
  std::size_t set = 0;
  for (int k = 0; k < target.size[2]; ++k)
    for (int j = 0; j < target.size[1]; ++j)
      for (int i = 0; i < target.size[0]; ++i) {
        EXPECT_TRUE(allowed.count(out(i, j, k)));
        EXPECT_EQ(out(i, j, k), sample_nearest(source, target.to_world(i, j, k)).value_or(0));
        set += out(i, j, k) != 0;
      }
  EXPECT_GT(set, 1000u);
}

}  // namespace
}  // namespace spinetherm
