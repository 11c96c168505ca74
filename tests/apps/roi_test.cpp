// SPDX-License-Identifier: Apache-2.0
#include "apps/roi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// 400 x 400 x 300 mm around the origin.
Grid large_scan() { return box_grid({-200, -200, -150}, {200, 200, 150}, 2); }
Eigen::Vector3d high_corner(const Grid& g) { return g.to_world(g.size[0] - 1, g.size[1] - 1, g.size[2] - 1); }

TEST(RoiGrid, ReachesAsFarAsTheOptionsSay) {
  const RoiOptions o;
  const Eigen::Vector3d centre(10, 20, -30);
  const Grid roi = roi_grid(large_scan(), centre, o);
  EXPECT_LT((roi.origin_mm - Eigen::Vector3d(10 - o.side_mm, 20 - o.front_mm, -30 - o.up_down_mm)).norm(),
            1e-9);
  EXPECT_LT((high_corner(roi) - Eigen::Vector3d(10 + o.side_mm, 20 + o.back_mm, -30 + o.up_down_mm)).norm(),
            1e-9)
      << "behind (+y, LPS) it reaches to the skin, in front less";
  EXPECT_EQ(roi.spacing_mm, Eigen::Vector3d::Constant(o.spacing_mm));
  EXPECT_EQ(roi.direction, Eigen::Matrix3d::Identity());
}

TEST(RoiGrid, StaysWithinTheScan) {
  RoiOptions o;
  o.spacing_mm = 0.7;  // divides no edge evenly
  const Grid scan = large_scan();
  const Grid roi = roi_grid(scan, {150, 190, 140}, o);
  for (int a = 0; a < 3; ++a) {
    EXPECT_GE(roi.origin_mm[a], scan.origin_mm[a]);
    EXPECT_LE(high_corner(roi)[a], high_corner(scan)[a]);
    EXPECT_GT(high_corner(roi)[a], high_corner(scan)[a] - o.spacing_mm);
  }
}

TEST(RoiGrid, IsAxisAlignedWhateverTheScansAxes) {
  Grid scan = large_scan();
  scan.origin_mm = {200, -200, 150};
  scan.direction.col(0) *= -1;
  scan.direction.col(2) *= -1;
  const Grid roi = roi_grid(scan, {0, 0, 0});
  EXPECT_TRUE(same_geometry(roi, roi_grid(large_scan(), {0, 0, 0})));
  EXPECT_EQ(axis_letters(roi), "LPS");
}

TEST(RoiGrid, ATargetFarOutsideIsRefused) {
  EXPECT_THAT(
      [] {
        roi_grid(large_scan(), {500, 0, 0});
      },
      ThrowsMessage<ConfigError>(HasSubstr("target lies outside the image")));
  EXPECT_THAT(
      [] {
        roi_grid(large_scan(), {0, 0, -400});
      },
      ThrowsMessage<ConfigError>(HasSubstr("target lies outside the image")));
}

TEST(RoiOptions, EveryLengthMustBePositive) {
  for (double RoiOptions::*field : {&RoiOptions::side_mm, &RoiOptions::front_mm, &RoiOptions::back_mm,
                                    &RoiOptions::up_down_mm, &RoiOptions::spacing_mm}) {
    RoiOptions o;
    o.*field = 0;
    EXPECT_THROW(roi_grid(large_scan(), {0, 0, 0}, o), ConfigError);
    o.*field = std::nan("");
    EXPECT_THROW(o.validate(), ConfigError);
  }
}

TEST(CropToRoi, KeepsALinearFieldFromAFinerAndACoarserScan) {
  const auto field = [](const Eigen::Vector3d& x) { return 2 * x.x() - x.y() + 0.5 * x.z() + 30; };
  const Grid roi = box_grid({-5, -5, -5}, {5, 5, 5}, 1);
  for (const double spacing_mm : {0.4, 1.0, 2.5}) {
    Image scan;
    scan.modality = Modality::ct;
    scan.source = "somewhere";
    scan.warnings = {"noticed"};
    scan.volume = Volume<float>(box_grid({-20, -20, -20}, {20, 20, 20}, spacing_mm));
    const Grid& g = scan.volume.grid;
    for (int k = 0; k < g.size[2]; ++k)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) scan.volume(i, j, k) = float(field(g.to_world(i, j, k)));
    const Image cropped = crop_to_roi(scan, roi);
    EXPECT_EQ(cropped.modality, Modality::ct);
    EXPECT_EQ(cropped.source, "somewhere");
    EXPECT_EQ(cropped.warnings, scan.warnings);
    ASSERT_EQ(cropped.volume.grid, roi);
    for (int n = 0; n < 11; ++n)
      EXPECT_NEAR(cropped.volume(n, 10 - n, 5), field(roi.to_world(n, 10 - n, 5)), 0.35) << spacing_mm;
  }
}

TEST(CropToRoi, AveragesNoiseOfAFinerScanAndKnowsNothingOutside) {
  Image scan;
  scan.volume = Volume<float>(box_grid({0, 0, 0}, {10, 10, 10}, 0.25));
  for (std::size_t n = 0; n < scan.volume.values.size(); ++n) scan.volume[n] = n % 2 ? 100 : -100;
  const Image cropped = crop_to_roi(scan, box_grid({5, 5, 5}, {14, 5, 5}, 1));
  EXPECT_NEAR(cropped.volume(0, 0, 0), 0, 30) << "a mean over the voxel, not one sample of it";
  EXPECT_TRUE(std::isnan(cropped.volume(9, 0, 0)));
}

}  // namespace
}  // namespace spinetherm
