// SPDX-License-Identifier: Apache-2.0
#include "datasets/cbct_image_model.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/datasets/image_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Scale, offset and what a test turns on.
CbctOptions plain() {
  CbctOptions o;
  o.noise_HU = o.cupping_HU = o.shading_HU = o.streak_HU = o.truncation_HU = o.ring_HU = 0;
  return o;
}

TEST(CbctImageModel, MarksWhatItDidNotSee) {
  const Volume<float> sharp(cube(50, 2), 40);
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

TEST(CbctImageModel, AirInsideIsNotTakenForOutside) {
  const auto scan = simulate_cbct(Volume<float>(cube(30, 2), -1000), {}, 3);
  for (std::size_t n = 0; n < scan.valid.values.size(); ++n)
    if (scan.valid[n]) {
      ASSERT_GT(scan.image.volume[n], kCbctOutside_HU);
    }
}

TEST(CbctImageModel, CuppingDeepensTowardsTheAxis) {
  CbctOptions options = plain();
  options.cupping_HU = -120;
  const auto scan = simulate_cbct(Volume<float>(cube(81, 2), 100), options, 3);
  EXPECT_NEAR(scan.image.volume(40, 40, 40), 0.92 * 100 + 20 - 120, 1);
  EXPECT_NEAR(scan.image.volume(40, 78, 40), 0.92 * 100 + 20 - 120 * (1 - std::pow(76.0 / 80, 2)), 1);
}

TEST(CbctImageModel, ShadingIsASlopeAndTruncationABrightEdge) {
  CbctOptions options = plain();
  options.shading_HU = 50;
  const auto slope = simulate_cbct(Volume<float>(cube(81, 2), 0), options, 3).image.volume;
  EXPECT_NEAR(slope(40, 40, 40), 20, 1);
  double most = 0;
  for (int n = 0; n < 81; ++n)
    most = std::max({most, std::abs(slope(n, 40, 40) - 20.0), std::abs(slope(40, n, 40) - 20.0)});
  EXPECT_GT(most, 50 * std::sqrt(0.5) - 3);
  EXPECT_NEAR(slope(50, 40, 40) + slope(30, 40, 40), 40, 1.1);  // odd about the middle

  options = plain();
  options.truncation_HU = 200;
  const auto edge = simulate_cbct(Volume<float>(cube(81, 2), 0), options, 3).image.volume;
  EXPECT_NEAR(edge(80, 40, 40), 220, 1);
  EXPECT_NEAR(edge(75, 40, 40), 20, 1);  // 10 mm within
}

TEST(CbctImageModel, RingsDependOnTheRadiusAlone) {
  CbctOptions options = plain();
  options.ring_HU = 60;
  const auto v = simulate_cbct(Volume<float>(cube(81, 2), 0), options, 5).image.volume;
  double spread = 0;
  for (int n = 1; n < 39; ++n) {
    EXPECT_EQ(v(40 + n, 40, 40), v(40 - n, 40, 10)) << n;
    EXPECT_EQ(v(40 + n, 40, 40), v(40, 40 + n, 40)) << n;
    spread += std::abs(v(40 + n, 40, 40) - 20.0);
  }
  EXPECT_GT(spread, 60);
}

TEST(CbctImageModel, ScatterDarkensBetweenBones) {
  Volume<float> sharp(cube(60, 2));
  for (int k = 0; k < 60; ++k)
    for (int j = 0; j < 60; ++j)
      for (int i = 0; i < 60; ++i) {
        const double r = sharp.grid.to_world(i, j, k).head<2>().norm();
        if (r > 30 && r < 40) sharp(i, j, k) = 1200;
      }
  CbctOptions options = plain();
  options.streak_HU = 400;
  EXPECT_NEAR(simulate_cbct(sharp, options, 1).image.volume(30, 30, 30), 20 - 0.92 * 400 * 0.25, 10);
}

TEST(CbctImageModel, DoesNotDependOnThreads) {
  Volume<float> sharp(cube(24, 2), 60);
  for (int n = 0; n < 5; ++n) sharp(12 + n, 12, 12) = 1500;
  const auto [one, two] = on_one_and_two_threads([&] { return simulate_cbct(sharp, {}, 9).image.volume; });
  EXPECT_EQ(one, two);
  EXPECT_NE(one, simulate_cbct(sharp, {}, 10).image.volume);
}

TEST(CbctImageModel, RefusesOptionsThatCannotBeMeantByName) {
  const Volume<float> sharp(cube(4, 1));
  const auto refused = [&](const char* name, auto change) {
    CbctOptions o;
    change(o);
    EXPECT_THAT([&] { simulate_cbct(sharp, o, 1); }, ThrowsMessage<ConfigError>(HasSubstr(name)));
  };
  refused("noise_HU = -5", [](auto& o) { o.noise_HU = -5; });
  refused("fov_diameter_mm", [](auto& o) { o.fov_diameter_mm = std::nan(""); });
  refused("ring_HU", [](auto& o) { o.ring_HU = -1; });
  refused("hu_scale", [](auto& o) { o.hu_scale = 0; });
}

}  // namespace
}  // namespace spinetherm
