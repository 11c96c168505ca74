// SPDX-License-Identifier: Apache-2.0
#include "apps/report/picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "apps/report/figure.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::Not;

Volume<float> ball(double radius_mm) {
  Grid g;
  g.size = {41, 41, 41};
  g.origin_mm.setConstant(-20);
  Volume<float> v(g);
  for (int k = 0; k < 41; ++k)
    for (int j = 0; j < 41; ++j)
      for (int i = 0; i < 41; ++i) v(i, j, k) = float(radius_mm - g.to_world(i, j, k).norm());
  return v;
}

TEST(Picture, FollowsTheRadiologicalConvention) {
  EXPECT_EQ(edge_letters(axial_plane({0, 0, 0})), (std::array<std::string, 4>{"R", "L", "A", "P"}));
  EXPECT_EQ(edge_letters(sagittal_plane({0, 0, 0})), (std::array<std::string, 4>{"A", "P", "S", "I"}));
  EXPECT_EQ(edge_letters(coronal_plane({0, 0, 0})), (std::array<std::string, 4>{"R", "L", "S", "I"}));
}

TEST(Picture, TwoLettersForAnObliqueDirection) {
  EXPECT_EQ(direction_letters({0.5, 0.8, 0}), "PL");
  EXPECT_EQ(direction_letters({0.05, 1, 0.05}), "P");
}

TEST(Picture, PlaneAlongTheNeedleHoldsItsAxis) {
  const Eigen::Vector3d entry(40, 60, 5), tip(5, -10, 0);
  const Eigen::Vector3d beside(9, 20, -7);  // a target that the needle misses
  for (const SlicePlane& p :
       {along_probe_axial(entry, tip, beside), along_probe_sagittal(entry, tip, beside)}) {
    EXPECT_NEAR((p.centre_mm - beside).dot(entry - tip), 0, 1e-9);
    EXPECT_NEAR(p.right.dot(p.down), 0, 1e-12);
    EXPECT_NEAR(p.to_pixel(entry)[2], 0, 1e-9);
    EXPECT_NEAR(p.to_pixel(tip)[2], 0, 1e-9);
  }
}

TEST(Picture, PixelAndWorldAreInverse) {
  const SlicePlane p = along_probe_axial({40, 60, 5}, {5, -10, 0}, {1, 2, 3});
  const Eigen::Vector3d pixel = p.to_pixel(p.to_world(12.5, 99));
  EXPECT_NEAR(pixel[0], 12.5, 1e-9);
  EXPECT_NEAR(pixel[1], 99, 1e-9);
}

TEST(Picture, BrightVoxelOnThePatientsLeftIsOnScreenRight) {
  Volume<float> v(ball(1).grid, 0.0F);
  v(35, 20, 20) = 1000;  // x = +15 mm: patient left
  const SlicePlane p = axial_plane({0, 0, 0});
  const auto grey = grey_slice(v, p, kSoftWindow);
  const Eigen::Vector3d at = p.to_pixel({15, 0, 0});
  EXPECT_GT(at[0], p.width / 2.0);
  EXPECT_EQ(grey[std::size_t(std::lround(at[1])) * std::size_t(p.width) + std::size_t(std::lround(at[0]))],
            255);
}

TEST(Picture, ContourOfABallIsACircleOfItsRadius) {
  const auto field = ball(12);
  const SlicePlane p = axial_plane({0, 0, 0});
  const auto lines = contour(field, p, 0);
  ASSERT_EQ(lines.size(), 1U);
  for (const auto& q : lines[0]) EXPECT_NEAR(p.to_world(q[0], q[1]).norm(), 12, 0.15);
  EXPECT_LT((lines[0].front() - lines[0].back()).norm(), 0.01) << "closed";
  EXPECT_TRUE(contour(field, axial_plane({0, 0, 15}), 0).empty());
}

TEST(Picture, Base64OfKnownWords) {
  EXPECT_EQ(base64("M"), "TQ==");
  EXPECT_EQ(base64("Ma"), "TWE=");
  EXPECT_EQ(base64("Man"), "TWFu");
}

TEST(Figure, HoldsLettersPositionAndOnlyOutlinesThatMeetThePlane) {
  const auto field = ball(12);
  Figure f;
  f.title = "axial <1>";
  f.plane = axial_plane({12.34, -5, 0});
  f.scan = &field;
  f.outlines = {{"inside", "#f00", &field, 0}, {"nowhere", "#0f0", &field, 100}};
  const std::string drawn = svg(f);
  EXPECT_THAT(drawn, HasSubstr("L 12.3 A 5.0 S 0.0"));
  EXPECT_THAT(drawn, HasSubstr("axial &lt;1&gt;"));
  EXPECT_THAT(drawn, HasSubstr("<title>inside</title>"));
  EXPECT_THAT(drawn, Not(HasSubstr("<title>nowhere</title>")));
  EXPECT_THAT(drawn, HasSubstr("data:image/png;base64,iVBOR"));
}

TEST(Figure, OfASyntheticPatientSaysSoWhereNoLetterStands) {
  Figure f;
  f.title = "axial";
  f.plane = axial_plane({0, 0, 0});
  EXPECT_THAT(svg(f), Not(HasSubstr("SYNTHETIC")));
  f.mark = "SYNTHETIC";
  const std::string drawn = svg(f);
  const auto at = drawn.find(">SYNTHETIC</text>");
  ASSERT_NE(at, std::string::npos);
  const std::string element = drawn.substr(drawn.rfind("<text", at), at - drawn.rfind("<text", at));
  EXPECT_THAT(element, HasSubstr("x=\"354.0\" y=\"16.0\" text-anchor=\"end\" font-size=\"12\""));
}

TEST(Figure, ANeedleOutOfTheSliceIsDottedNotSolid) {
  Figure f;
  f.plane = axial_plane({0, 0, 0});
  f.needles = {{{0, 50, 30}, {0, 0, 30}, 0, 10, 1.5}};
  EXPECT_THAT(svg(f), HasSubstr("stroke-dasharray=\"1 2\""));
  EXPECT_THAT(svg(f), Not(HasSubstr("stroke=\"#ffffff\"")));
  f.needles = {{{0, 50, 0}, {0, 0, 0}, 0, 10, 1.5}};
  EXPECT_THAT(svg(f), HasSubstr("stroke=\"#ffffff\""));
}

TEST(Chart, ALineIsBrokenWhereItsValuesAreNotKnown) {
  const double unknown = std::numeric_limits<double>::infinity();
  const std::string svg =
      chart_svg("Resistance", "time, s", "ohm",
                {{"probe 1", "#123456", {0, 1, 2, 3, 4}, {100, 120, unknown, std::nan(""), 110}}});
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_LT(svg.size(), 10000U);
  EXPECT_THAT(svg, testing::ContainsRegex("M[0-9. ]+L[0-9. ]+M[0-9. ]+\" fill=\"none\" stroke=\"#123456\""));
}

TEST(Chart, OfNothingKnownIsEmptyAndOneValueHasAnAxis) {
  const double unknown = std::nan("");
  EXPECT_EQ(chart_svg("a", "x", "y", {{"l", "#000", {0, 1}, {unknown, unknown}}}, {}), "");
  const std::string level = chart_svg("a", "x", "y", {{"l", "#000", {0, 1}, {37, 37}}});
  EXPECT_LT(level.size(), 10000U);
  EXPECT_THAT(level, HasSubstr(">37<"));
}

}  // namespace
}  // namespace spinetherm
