// SPDX-License-Identifier: Apache-2.0
#include "datasets/cbct_quality.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spinetherm {
namespace {

constexpr double kFwhm = 2.354820;

WaterCylinderOptions cylinder() {
  WaterCylinderOptions o;
  o.diameter_mm = 128;
  o.spacing_mm = 0.8;
  return o;
}

TEST(CbctQuality, TheFastModelMeasuresWhatItsOptionsSay) {
  CbctOptions options;
  const WaterCylinderFigures f = measure_water_cylinder(options, cylinder(), 2);
  EXPECT_NEAR(f.noise_HU, options.noise_HU, 4);
  // cupping (1 - r^2 / R^2), R of the field, means over the middle and from 0.8 to 0.9 of the radius.
  const double radius = 64, field = options.fov_diameter_mm / 2;
  const double middle = std::pow(0.15 * radius, 2) / 2,
               rim = (std::pow(0.8 * radius, 2) + std::pow(0.9 * radius, 2)) / 2;
  EXPECT_NEAR(f.cupping_HU, -options.cupping_HU * (rim - middle) / (field * field), 8);
  EXPECT_NEAR(f.mean_HU, options.hu_offset + options.cupping_HU * (1 - middle / (field * field)), 12);
}

TEST(CbctQuality, TheEdgeTellsTheBlurOfTheModelAndItsVoxels) {
  for (const double sigma_mm : {0.5, 1.0}) {
    CbctOptions options;
    options.psf_sigma_mm = sigma_mm;
    const auto edge = measure_water_cylinder(options, cylinder(), 2).edge_fwhm_mm;
    ASSERT_TRUE(edge);
    EXPECT_NEAR(*edge, kFwhm * std::hypot(sigma_mm, 0.8 / std::sqrt(12)), 0.15) << sigma_mm;
  }
}

TEST(CbctQuality, AFieldThatCutsTheCylinderTellsNoEdge) {
  WaterCylinderOptions wide = cylinder();
  wide.diameter_mm = 200;
  EXPECT_FALSE(measure_water_cylinder(CbctOptions{}, wide, 2).edge_fwhm_mm);
}

}  // namespace
}  // namespace spinetherm
