// SPDX-License-Identifier: Apache-2.0
#include "datasets/image_filters.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/datasets/image_fixture.h"

namespace spinetherm {
namespace {

TEST(ImageFilters, BlurKeepsTheSumAndHasItsWidthAlongEachAxis) {
  Volume<float> v(cube(31, 1));
  v(15, 15, 15) = 1000;
  const auto b = blur(v, {2, 1, 0});
  double sum = 0;
  Eigen::Vector3d second = Eigen::Vector3d::Zero();
  for (int k = 0; k < 31; ++k)
    for (int j = 0; j < 31; ++j)
      for (int i = 0; i < 31; ++i) {
        sum += b(i, j, k);
        second += b(i, j, k) * Eigen::Vector3d(i - 15, j - 15, k - 15).cwiseAbs2();
      }
  EXPECT_NEAR(sum, 1000, 0.5);
  EXPECT_NEAR(std::sqrt(second.x() / sum), 2, 0.06);  // cut at 3 sigma
  EXPECT_NEAR(std::sqrt(second.y() / sum), 1, 0.03);
  EXPECT_NEAR(second.z() / sum, 0, 1e-6);
  EXPECT_THROW(blur(v, {-1, 0, 0}), ConfigError);
}

TEST(ImageFilters, AThickSliceIsTheMeanOfWhatItHolds) {
  Volume<float> fine(cube(30, 1));
  for (std::size_t n = 0; n < fine.values.size(); ++n) fine[n] = float(n / 900);  // the number of the slice
  const auto thick = thick_slices(fine, 4, 5);
  ASSERT_EQ(thick.grid.size[2], 6);
  EXPECT_NEAR(thick.grid.centre_mm().z(), fine.grid.centre_mm().z(), 1e-9);
  EXPECT_DOUBLE_EQ(thick.grid.spacing_mm.z(), 5);
  for (int k = 0; k < 6; ++k)  // linear along z: the value in the middle of the slice
    EXPECT_NEAR(thick(3, 4, k), fine.grid.to_index(thick.grid.to_world(3, 4, k)).z(), 1e-4) << k;
}

TEST(ImageFilters, AThickSliceShowsTheShareOfAThinSheet) {
  Volume<float> fine(cube(20, 1));
  for (int j = 0; j < 20; ++j)
    for (int i = 0; i < 20; ++i) fine(i, j, 9) = 100;
  const auto thick = thick_slices(fine, 4, 4);  // 5 slices; the sheet of 1 mm lies in the third
  EXPECT_NEAR(thick(5, 5, 2), 25, 1e-4);
  EXPECT_NEAR(thick(5, 5, 1), 0, 1e-4);
  EXPECT_THROW(thick_slices(fine, 4, 3), ConfigError);
  EXPECT_THROW(thick_slices(fine, 40, 40), ConfigError);
}

TEST(ImageFilters, ShiftMovesTheMiddleByItsPixels) {
  Volume<float> v(cube(21, 1));
  for (int j = 8; j < 13; ++j) v(10, j, 10) = 100;
  for (const double shift : {0.0, 1.0, 0.4, 1.467, -2.3}) {
    const auto s = shifted(v, 1, shift);
    double sum = 0, first = 0;
    for (int j = 0; j < 21; ++j) {
      sum += s(10, j, 10);
      first += j * s(10, j, 10);
    }
    EXPECT_NEAR(first / sum, 10 + shift, 1e-4) << shift;
    EXPECT_NEAR(sum, 500, 1e-2) << shift;
  }
}

TEST(ImageFilters, NoiseHasUnitSdAndTheTextureOfItsKernel) {
  auto rng = slice_rng(3, kCtStream, 0);
  const int n = 300;
  const auto covariance = [&](const std::vector<float>& v, int lag) {
    double sum = 0;
    for (int j = 0; j < n; ++j)
      for (int i = 0; i + lag < n; ++i)
        sum += double(v[std::size_t(j * n + i)]) * v[std::size_t(j * n + i + lag)];
    return sum / (double(n) * (n - lag));
  };
  const auto white = SliceNoise(0).draw(n, n, rng);
  EXPECT_NEAR(moments(white).sd, 1, 0.02);
  EXPECT_NEAR(covariance(white, 1), 0, 0.02);
  const auto grain = SliceNoise(1.2).draw(n, n, rng);
  EXPECT_NEAR(moments(grain).sd, 1, 0.03);
  EXPECT_NEAR(moments(grain).mean, 0, 0.02);
  EXPECT_GT(covariance(grain, 1), 0.4);
  EXPECT_LT(covariance(grain, 5), 0.05);  // low frequencies are missing
}

TEST(ImageFilters, StreamsOfSlicesAndImagesDiffer) {
  EXPECT_NE(slice_rng(1, kCtStream, 0)(), slice_rng(1, kCtStream, 1)());
  EXPECT_NE(slice_rng(1, kCtStream, 0)(), slice_rng(1, kCbctStream, 0)());
  EXPECT_EQ(slice_rng(1, kCtStream, 0)(), slice_rng(1, kCtStream, 0)());
}

}  // namespace
}  // namespace spinetherm
