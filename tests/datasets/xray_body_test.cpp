// SPDX-License-Identifier: Apache-2.0
#include "datasets/xray_body.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Grid cube(int n, double spacing_mm) {
  Grid g;
  g.size = {n, n, n};
  g.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  g.origin_mm = Eigen::Vector3d::Constant(-0.5 * spacing_mm * (n - 1));
  return g;
}
ConeBeamGeometry small_geometry() {
  ConeBeamGeometry g;
  g.columns = 96;
  g.rows = 64;
  g.pitch_mm = 1.5;
  return g;
}
double sum(const std::vector<float>& areas, const ConeBeamGeometry& g, XrayMaterial m) {
  double total = 0;
  for (std::size_t n = 0; n < g.pixels(); ++n) total += areas[std::size_t(m) * g.pixels() + n];
  return total;
}

TEST(XrayBody, BasisAttenuatesAsTheCtNumberSays) {
  Volume<float> hu(cube(3, 1));
  const std::vector<float> numbers = {-2000, -1000, -500, 0, 50, 100, 101, 300, 800, 1500, 2500, 6000};
  std::copy(numbers.begin(), numbers.end(), hu.values.begin());
  const XrayBasis basis = xray_basis(hu);
  const double water = mass_attenuation_m2_per_kg(XrayMaterial::water, 70),
               bone = mass_attenuation_m2_per_kg(XrayMaterial::cortical_bone, 70);
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    const double mu = water * basis.water[n] + bone * basis.bone[n];
    EXPECT_NEAR(1000 * (mu / (1000 * water) - 1), std::max(numbers[n], -1000.f), 0.01) << numbers[n];
    EXPECT_EQ(basis.bone[n] > 0, numbers[n] > 100) << numbers[n];
  }
  EXPECT_NEAR(basis.bone[10], 1920, 900);  // denser than bone, not more than all of it
  EXPECT_EQ(basis.water[11], 0);
}

TEST(XrayBody, ChordOfACapsule) {
  MetalNeedle needle{{0, 0, 0}, {10, 0, 0}, 2, XrayMaterial::iron};
  EXPECT_NEAR(chord_mm(needle, {5, -50, 0}, {5, 50, 0}), 2, 1e-9);                 // across
  EXPECT_NEAR(chord_mm(needle, {5, -50, 0.6}, {5, 50, 0.6}), 1.6, 1e-9);           // off its axis
  EXPECT_NEAR(chord_mm(needle, {-50, 0, 0}, {50, 0, 0}), 12, 1e-9);                // along, ends included
  EXPECT_NEAR(chord_mm(needle, {-50, 0.6, 0}, {50, 0.6, 0}), 10 + 2 * 0.8, 1e-9);  // along, beside the axis
  EXPECT_NEAR(chord_mm(needle, {-0.6, -50, 0}, {-0.6, 50, 0}), 1.6, 1e-9);         // through a round end
  EXPECT_NEAR(chord_mm(needle, {-45, -50, 0}, {55, 50, 0}), 2 * std::sqrt(2.0), 1e-9);  // at 45 deg
  EXPECT_EQ(chord_mm(needle, {5, -50, 1.1}, {5, 50, 1.1}), 0);
  EXPECT_EQ(chord_mm(needle, {-1.1, -50, 0}, {-1.1, 50, 0}), 0);
}

TEST(XrayBody, NeedleCastsItsMassAndDisplacesTheBody) {
  const Volume<float> water(cube(40, 1), 0);
  const ConeBeamGeometry g = small_geometry();
  const MetalNeedle needle{{-8, -5, -3}, {6, 7, 4}, 4, XrayMaterial::titanium};
  const XrayBody with(water, nullptr, {needle}), without(water, nullptr, {});
  EXPECT_EQ(without.materials(), 2u);
  const double length = (needle.tip_mm - needle.entry_mm).norm();
  const double volume = 3.14159265 * (4 * length + 4.0 / 3 * 8);  // mm3
  for (const double angle : {0.0, 1.0, 2.5}) {
    const auto a = with.areas(g, angle), b = without.areas(g, angle);
    // Areas sum up to mass over the area of a pixel at the needle.
    const double pixel_mm2 = std::pow(g.isocentre_pitch_mm(), 2);
    EXPECT_NEAR(sum(a, g, XrayMaterial::titanium) * pixel_mm2, 4540 * volume * 1e-3,
                0.03 * 4540 * volume * 1e-3);
    EXPECT_EQ(sum(a, g, XrayMaterial::iron), 0);
    const double lost = sum(b, g, XrayMaterial::water) - sum(a, g, XrayMaterial::water);
    EXPECT_NEAR(lost * pixel_mm2, 1000 * volume * 1e-3, 0.03 * 1000 * volume * 1e-3);
  }
}

TEST(XrayBody, SurroundFillsWhatTheBoxLeaves) {
  // Water of 60 mm as one volume, and as a fine box within a coarse one, whose voxels the box cuts.
  const Volume<float> whole(cube(60, 1), 0), fine(cube(31, 1), 0), coarse(cube(20, 3), 0);
  const ConeBeamGeometry g = small_geometry();
  for (const double angle : {0.0, 0.6}) {
    const auto expected = XrayBody(whole, nullptr, {}).areas(g, angle);
    const auto found = XrayBody(fine, &coarse, {}).areas(g, angle);
    EXPECT_NEAR(sum(found, g, XrayMaterial::water) / sum(expected, g, XrayMaterial::water), 1, 2e-3);
    // Off the faces of the box each ray agrees.
    const std::size_t middle = std::size_t(48) * 64 + 32;
    EXPECT_NEAR(found[middle] / expected[middle], 1, 0.01);
  }
}

TEST(XrayBody, RefusesWhatCannotBeMeant) {
  const Volume<float> water(cube(8, 1), 0);
  const auto refused = [&](const MetalNeedle& needle, const char* part) {
    EXPECT_THAT([&] { XrayBody(water, nullptr, {needle}); }, ThrowsMessage<ConfigError>(HasSubstr(part)));
  };
  refused({{0, 0, 0}, {0, 0, 0}, 2, XrayMaterial::iron}, "entry to tip = 0");
  refused({{0, 0, 0}, {9, 0, 0}, -2, XrayMaterial::iron}, "diameter_mm = -2");
  refused({{0, 0, 0}, {9, 0, 0}, 2, XrayMaterial::water}, "needle of water");
  Volume<float> holed = water;
  holed[5] = std::nanf("");
  EXPECT_THROW(XrayBody(holed, nullptr, {}), ConfigError);
}

}  // namespace
}  // namespace spinetherm
