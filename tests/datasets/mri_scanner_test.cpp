// SPDX-License-Identifier: Apache-2.0
#include "datasets/mri_scanner.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/datasets/image_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Slices of one fine slice each, nothing that a test does not turn on.
MrOptions plain() {
  MrOptions o;
  o.stack = {MrPlane::sagittal, 1, 1, 0, false};
  o.psf_sigma_px = 0;
  o.bias = 0;
  return o;
}
MrSequence quiet(Modality weighting) {
  MrSequence q = mr_sequence(weighting);
  q.snr = 1e6;
  return q;
}

TEST(MriScanner, BackgroundHasTheRayleighMomentsOfItsSnr) {
  const Volume<float> nothing(cube(40, 1));
  const MrOptions options = plain();
  const MrSequence q = mr_sequence(Modality::mr_t2);
  const double cord = species_signals(q).water[Material::cord];
  const double sigma = options.scale * cord / q.snr;
  ASSERT_GT(sigma, 5);  // so that whole numbers do not matter
  const auto m = moments(simulate_mr(nothing, nothing, q, options, 3).volume.values);
  EXPECT_NEAR(m.mean, sigma * std::sqrt(3.14159265 / 2), 0.02 * sigma);
  EXPECT_NEAR(m.sd, sigma * std::sqrt(2 - 3.14159265 / 2), 0.02 * sigma);
}

TEST(MriScanner, NoiseIsGaussianWhereTheSignalIsStrong) {
  const Volume<float> nothing(cube(40, 1)), strong(cube(40, 1), 0.5F);
  const MrSequence q = mr_sequence(Modality::mr_t2);
  const MrOptions options = plain();
  const double sigma = options.scale * species_signals(q).water[Material::cord] / q.snr;
  const auto m = moments(simulate_mr(strong, nothing, q, options, 3).volume.values);
  EXPECT_NEAR(m.sd, sigma, 0.03 * sigma);
  EXPECT_NEAR(m.mean, 500 + sigma * sigma / 1000, 0.5);  // Rician: S + sigma^2 / 2 S
}

TEST(MriScanner, WaterAndFatOfOppositeSignCancel) {
  const Volume<float> water(cube(12, 1), -0.3F), fat(cube(12, 1), 0.3F);
  EXPECT_NEAR(simulate_mr(water, fat, quiet(Modality::mr_stir), plain(), 1).volume(6, 6, 6), 0, 1);
}

TEST(MriScanner, FatIsShiftedAlongTheReadoutByTheBandwidth) {
  EXPECT_NEAR(chemical_shift_px({Modality::mr_t1, 550, 12, 0, 150, 20}, 1.5), 220.0 / 150, 1e-9);
  EXPECT_NEAR(chemical_shift_px({Modality::mr_t1, 550, 12, 0, 150, 20}, 3), 440.0 / 150, 1e-9);
  const Grid g = cube(31, 1);
  Volume<float> nothing(g), block(g);
  for (int k = 12; k < 19; ++k)
    for (int j = 12; j < 19; ++j)
      for (int i = 12; i < 19; ++i) block(i, j, k) = 0.5F;
  const auto middle = [&](const Volume<float>& v) {
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    double total = 0;
    for (int k = 0; k < 31; ++k)
      for (int j = 0; j < 31; ++j)
        for (int i = 0; i < 31; ++i) {
          if (v(i, j, k) < 3) continue;
          sum += v(i, j, k) * Eigen::Vector3d(i, j, k);
          total += v(i, j, k);
        }
    return Eigen::Vector3d(sum / total);
  };
  MrOptions options = plain();
  const MrSequence q = quiet(Modality::mr_t1);
  const double shift = 220.0 / q.bandwidth_Hz_per_px;
  EXPECT_LT((middle(simulate_mr(block, nothing, q, options, 1).volume) - Eigen::Vector3d(15, 15, 15)).norm(),
            0.01);
  EXPECT_LT((middle(simulate_mr(nothing, block, q, options, 1).volume) - Eigen::Vector3d(15, 15 + shift, 15))
                .norm(),
            0.05);
  options.stack.readout_along_rows = true;
  EXPECT_LT((middle(simulate_mr(nothing, block, q, options, 1).volume) - Eigen::Vector3d(15 + shift, 15, 15))
                .norm(),
            0.05);
  options.chemical_shift = false;
  EXPECT_LT((middle(simulate_mr(nothing, block, q, options, 1).volume) - Eigen::Vector3d(15, 15, 15)).norm(),
            0.01);
}

TEST(MriScanner, ThickSlicesHaveTheirThicknessGapAndPartialVolume) {
  MrStack stack;  // 0.7 x 0.7 x 4 mm, 0.4 mm gap
  const Grid fine = fine_stack_grid(stack, {3, 4, 5}, {88, 70, 35});
  EXPECT_DOUBLE_EQ(fine.spacing_mm.z(), 1);
  const Grid g = stack_grid(stack, fine);
  EXPECT_EQ(g.size, (std::array<int, 3>{100, 50, 20}));
  EXPECT_DOUBLE_EQ(g.spacing_mm.z(), 4.4);
  EXPECT_LT((g.centre_mm() - Eigen::Vector3d(3, 4, 5)).norm(), 1e-9);
  EXPECT_EQ(axis_letters(g), "PIR");
  EXPECT_NEAR(g.direction.determinant(), 1, 1e-12);
  stack.plane = MrPlane::axial;
  EXPECT_EQ(axis_letters(fine_stack_grid(stack, {0, 0, 0}, {88, 70, 35})), "LPS");

  // A sheet of water 1 mm thick in one fine slice fills a quarter of a slice.
  MrOptions options = plain();
  options.stack = {MrPlane::sagittal, 1, 4, 0, false};
  Volume<float> water(cube(20, 1)), nothing(cube(20, 1));
  for (int j = 0; j < 20; ++j)
    for (int i = 0; i < 20; ++i) water(i, j, 9) = 0.8F;
  const auto v = simulate_mr(water, nothing, quiet(Modality::mr_t2), options, 1).volume;
  ASSERT_EQ(v.grid.size[2], 5);
  EXPECT_NEAR(v(10, 10, 2), 200, 1);
}

TEST(MriScanner, CoilIsStrongestAtTheBack) {
  MrOptions options = plain();
  options.bias = 0.3;
  options.stack.slice_mm = 2;
  const Volume<float> water(cube(41, 2), 0.5F), nothing(cube(41, 2));
  const auto v = simulate_mr(water, nothing, quiet(Modality::mr_t2), options, 1).volume;
  EXPECT_NEAR(v(20, 20, 20), 500 * (1 + 0.3 * 0.3), 2);
  EXPECT_GT(v(20, 40, 20), 1.3 * v(20, 0, 20));
  for (const float x : v.values) {
    ASSERT_GT(x, 500 * 0.69);
    ASSERT_LT(x, 500 * 1.31);
  }
}

TEST(MriScanner, DistortionIsTheFieldThatItSays) {
  MrDistortion d;
  EXPECT_FALSE(d.on());
  EXPECT_EQ(d.displacement_mm({50, 60, 70}, {0, 0, 1}).norm(), 0);
  d.gradient_mm = 2;
  EXPECT_LT((d.displacement_mm({0, 100, 0}, {0, 0, 1}) - Eigen::Vector3d(0, 2, 0)).norm(), 1e-12);
  EXPECT_LT((d.displacement_mm({0, 50, 0}, {0, 0, 1}) - Eigen::Vector3d(0, 0.25, 0)).norm(), 1e-12);  // cubic
  d.gradient_mm = 0;
  d.metal_mm = Eigen::Vector3d(0, 0, 0);
  d.metal_shift_mm = 1;
  EXPECT_LT((d.displacement_mm({0, 0, 10}, {0, 1, 0}) - Eigen::Vector3d(0, 1, 0)).norm(), 1e-12);
  EXPECT_LT((d.displacement_mm({20, 0, 0}, {0, 1, 0}) - Eigen::Vector3d(0, -0.5 / 8, 0)).norm(), 1e-12);
}

TEST(MriScanner, WholeUnitsAndTheSameForAnyNumberOfThreads) {
  Volume<float> water(cube(24, 1), 0.3F), fat(cube(24, 1), 0.1F);
  water(12, 12, 12) = 1;
  const auto [one, two] = on_one_and_two_threads(
      [&] { return simulate_mr(water, fat, mr_sequence(Modality::mr_t1), plain(), 9).volume; });
  EXPECT_EQ(one, two);
  for (const float x : one.values) ASSERT_EQ(x, std::round(x));
  EXPECT_NE(one, simulate_mr(water, fat, mr_sequence(Modality::mr_t1), plain(), 10).volume);
}

TEST(MriScanner, RefusesOptionsThatCannotBeMeantByName) {
  const Volume<float> water(cube(8, 1));
  const auto refused = [&](const char* name, auto change) {
    MrOptions o = plain();
    change(o);
    EXPECT_THAT([&] { simulate_mr(water, water, o.t2, o, 1); }, ThrowsMessage<ConfigError>(HasSubstr(name)));
  };
  refused("bias", [](auto& o) { o.bias = 1; });
  refused("pixel_mm", [](auto& o) { o.stack.pixel_mm = 0; });
  refused("gap_mm", [](auto& o) { o.stack.gap_mm = -1; });
  refused("snr", [](auto& o) { o.t2.snr = 0; });
  refused("metal_shift_mm", [](auto& o) { o.distortion.metal_shift_mm = 9; });
}

}  // namespace
}  // namespace spinetherm
