// SPDX-License-Identifier: Apache-2.0
#include "datasets/ct_scanner.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/datasets/image_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(CtScanner, HasTheNoiseItSaysInWholeNumbers) {
  const Volume<float> sharp(cube(60, 1), 100);
  CtOptions options;
  options.noise_HU = 20;
  const auto v = simulate_ct(sharp, options, 3).volume;
  EXPECT_NEAR(moments(v.values).mean, 100, 0.5);
  EXPECT_NEAR(moments(v.values).sd, 20, 0.6);
  for (const float x : v.values) ASSERT_EQ(x, std::round(x));
}

TEST(CtScanner, KeepsTheRangeOfAScanner) {
  CtOptions options;
  options.noise_HU = 200;
  for (const double hu : {-1000.0, 3000.0})
    for (const float x : simulate_ct(Volume<float>(cube(20, 1), float(hu)), options, 1).volume.values) {
      ASSERT_GE(x, -1024);
      ASSERT_LE(x, 3071);
    }
}

TEST(CtScanner, CalibrationIsAStraightLine) {
  CtOptions options;
  options.noise_HU = 0;
  options.hu_gain = 1.1;
  options.hu_offset = -7;
  EXPECT_EQ(simulate_ct(Volume<float>(cube(9, 1), 100), options, 1).volume(4, 4, 4), 103);
}

TEST(CtScanner, ThickSlicesAverageAndAreNotBlurredAlongTheTable) {
  Volume<float> sharp(cube(20, 1));
  for (int j = 0; j < 20; ++j)
    for (int i = 0; i < 20; ++i) sharp(i, j, 9) = 100;
  CtOptions options;
  options.noise_HU = 0;
  options.slice_mm = 4;
  const auto v = simulate_ct(sharp, options, 1).volume;
  ASSERT_EQ(v.grid.size[2], 5);
  EXPECT_EQ(v(10, 10, 2), 25);
  EXPECT_EQ(v(10, 10, 1), 0);
  options.slice_mm = 0.5;
  EXPECT_THROW(simulate_ct(sharp, options, 1), ConfigError);
}

TEST(CtScanner, BeamHardeningDarkensBetweenDenseBones) {
  Volume<float> sharp(cube(60, 2));
  for (int k = 0; k < 60; ++k)
    for (int j = 0; j < 60; ++j)
      for (int i = 0; i < 60; ++i) {
        const double r = sharp.grid.to_world(i, j, k).head<2>().norm();
        if (r > 30 && r < 40) sharp(i, j, k) = 1200;
      }
  CtOptions options;
  options.noise_HU = 0;
  options.beam_hardening_HU = 200;
  EXPECT_NEAR(simulate_ct(sharp, options, 1).volume(30, 30, 30), -200 * 0.25, 6);
  options.beam_hardening_HU = 0;
  EXPECT_EQ(simulate_ct(sharp, options, 1).volume(30, 30, 30), 0);
}

TEST(CtScanner, DoesNotDependOnThreads) {
  Volume<float> sharp(cube(24, 1), 60);
  for (int n = 0; n < 5; ++n) sharp(12 + n, 12, 12) = 1500;
  const auto [one, two] = on_one_and_two_threads([&] { return simulate_ct(sharp, {}, 9).volume; });
  EXPECT_EQ(one, two);
  EXPECT_NE(one, simulate_ct(sharp, {}, 10).volume);
}

TEST(CtScanner, RefusesOptionsThatCannotBeMeantByName) {
  const Volume<float> sharp(cube(4, 1));
  const auto refused = [&](const char* name, auto change) {
    CtOptions o;
    change(o);
    EXPECT_THAT([&] { simulate_ct(sharp, o, 1); }, ThrowsMessage<ConfigError>(HasSubstr(name)));
  };
  refused("noise_HU = -1", [](auto& o) { o.noise_HU = -1; });
  refused("psf_sigma_mm", [](auto& o) { o.psf_sigma_mm = std::nan(""); });
  refused("slice_mm", [](auto& o) { o.slice_mm = -1; });
  refused("hu_gain", [](auto& o) { o.hu_gain = 0; });
  refused("needle", [](auto& o) { o.needle = Needle{}; });
}

}  // namespace
}  // namespace spinetherm
