// SPDX-License-Identifier: Apache-2.0
#include "datasets/vertebra_shape.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kSome = {"C4", "T1", "T5", "T8", "T12", "L1", "L3", "L5"};

double distance(const VertebraShape& v, double x, double y, double z) { return v.at({x, y, z}).distance_mm; }
/// How far one can go from `start`, inside the bone, until one leaves it.
double extent(const VertebraShape& v, Eigen::Vector3d start, const Eigen::Vector3d& step) {
  const Eigen::Vector3d first = start;
  while (v.at(start).distance_mm < 0) start += 0.05 * step;
  return (start - first).norm();
}
/// Distance from `to` to where one first meets bone on the way from 40 mm out.
double outline(const VertebraShape& v, const Eigen::Vector3d& to, const Eigen::Vector3d& direction) {
  double r = 40;
  while (r > 0 && v.at(to + r * direction).distance_mm > 0) r -= 0.05;
  return r;
}

TEST(VertebraShape, BodyHasTheSizeOfTheTable) {
  for (const std::string& level : kSome) {
    const VertebraSize& s = vertebra_size(level);
    const VertebraShape v(s);
    const double rim = std::min(v.rim_z(0, true), v.rim_z(-s.body_depth_upper_mm / 2, true)) - 0.6;
    EXPECT_NEAR(outline(v, {0, 0, rim}, {1, 0, 0}), s.body_width_upper_mm / 2, 1.0) << level;
    if (level[0] != 'C') {  // whose lower edge is bevelled at the sides for the uncinate processes
      EXPECT_NEAR(outline(v, {0, 0, -rim}, {-1, 0, 0}), s.body_width_lower_mm / 2, 1.0) << level;
    }
    EXPECT_NEAR(outline(v, {0, 0, rim}, {0, -1, 0}), s.body_depth_upper_mm / 2, 1.0) << level;
    EXPECT_NEAR(outline(v, {0, 0, -rim}, {0, -1, 0}), s.body_depth_lower_mm / 2, 1.0) << level;
    EXPECT_NEAR(v.wall_y(), (s.body_depth_upper_mm + s.body_depth_lower_mm) / 4, 1e-9) << level;
    EXPECT_NEAR(extent(v, {0, 0.97 * v.wall_y(), 0}, {0, 1, 0}), 0, 1.0) << level;  // the wall ends there
    // Up to the rims, near the back, where the table's height is measured.
    const double up = extent(v, {0, 0.9 * v.body_half(0).y(), 0}, {0, 0, 1}),
                 down = extent(v, {0, 0.9 * v.body_half(0).y(), 0}, {0, 0, -1});
    EXPECT_NEAR(up + down, s.posterior_height_mm, 1.2) << level;
  }
}

TEST(VertebraShape, PedicleHasTheSizeOfTheTable) {
  for (const std::string& level : kSome) {
    const VertebraSize& s = vertebra_size(level);
    const VertebraShape v(s);
    for (const int side : {1, -1}) {
      const Eigen::Vector3d c = v.pedicle_centre(side);
      ASSERT_LT(v.at(c).distance_mm, 0) << level;
      const double height = extent(v, c, {0, 0, 1}) + extent(v, c, {0, 0, -1});
      EXPECT_NEAR(height, s.pedicle_height_mm, 1.0) << level << " " << side;
      const double angle = s.pedicle_angle_deg * kPi / 180;
      const Eigen::Vector3d out(side * std::cos(angle), -std::sin(angle), 0);  // square to its axis
      EXPECT_NEAR(extent(v, c - Eigen::Vector3d(0, 0, 2.5), out), s.pedicle_width_mm / 2, 1.0) << level;
    }
  }
}

TEST(VertebraShape, RingIsClosedAtThePedicles) {
  // Water poured into the canal of the axial slice at the pedicles does not run out.
  for (const std::string& level : kSome) {
    const VertebraShape v(vertebra_size(level));
    constexpr int n = 241;  // 0.5 mm
    const double low_pedicle = v.pedicle_z() - 0.3 * v.size().pedicle_height_mm;
    std::vector<std::uint8_t> wet(std::size_t(n) * n);
    std::vector<std::array<int, 2>> todo = {{n / 2, n / 2}};
    bool out = false;
    while (!todo.empty() && !out) {
      const auto [i, j] = todo.back();
      todo.pop_back();
      out = i < 1 || j < 1 || i > n - 2 || j > n - 2;
      std::uint8_t& cell = wet[std::size_t(j) * n + std::size_t(i)];
      if (out || cell || distance(v, (i - n / 2) * 0.5, v.canal_y() + (j - n / 2) * 0.5, low_pedicle) < 0)
        continue;
      cell = 1;
      todo.insert(todo.end(), {{i + 1, j}, {i - 1, j}, {i, j + 1}, {i, j - 1}});
    }
    EXPECT_FALSE(out) << level;
    const double area = 0.25 * double(std::count(wet.begin(), wet.end(), 1));
    const VertebraSize& s = v.size();
    const double ellipse = kPi / 4 * s.canal_width_mm * s.canal_depth_mm;
    EXPECT_GT(area, 0.97 * ellipse) << level;
    EXPECT_LT(area, 1.35 * ellipse) << level;  // recesses beside the body
  }
}

TEST(VertebraShape, CanalIsOpen) {
  for (const std::string& level : kSome) {
    const VertebraSize& s = vertebra_size(level);
    const VertebraShape v(s);
    for (double z = -s.posterior_height_mm / 2; z <= s.posterior_height_mm / 2; z += 1)
      for (int n = 0; n < 24; ++n) {
        const double t = 2 * kPi * n / 24;
        EXPECT_GT(distance(v, 0.88 * s.canal_width_mm / 2 * std::cos(t),
                           v.canal_y() + 0.88 * s.canal_depth_mm / 2 * std::sin(t), z),
                  0)
            << level << " z " << z << " at " << n * 15 << " deg";
      }
  }
}

TEST(VertebraShape, ForamenIsOpenBelowThePedicle) {
  for (const std::string& level : {std::string("T8"), std::string("L3")}) {
    const VertebraSize& s = vertebra_size(level);
    const VertebraShape v(s);
    const double z = v.pedicle_z() - s.pedicle_height_mm / 2 - 2.5;
    for (double x = 0; x < s.canal_width_mm / 2 + s.pedicle_width_mm + 4; x += 0.5)
      EXPECT_GT(distance(v, x, v.wall_y() + 0.28 * s.canal_depth_mm, z), 0) << level << " x " << x;
  }
}

TEST(VertebraShape, IsSymmetricLeftToRight) {
  const VertebraShape v(vertebra_size("L2"));
  for (double x = 0.5; x < 40; x += 3.1)
    for (double y = -20; y < 60; y += 3.3)
      for (double z = -25; z < 25; z += 3.7)
        EXPECT_EQ(distance(v, x, y, z), distance(v, -x, y, z)) << x << " " << y << " " << z;
}

TEST(VertebraShape, CortexOfTheBodyIsThinAndThePosteriorWallThinnest) {
  const VertebraShape v(vertebra_size("L3"));
  const double front = v.at({0, -v.body_half(4).y() + 0.1, 4}).shell_mm;
  const double back = v.at({5, v.body_half(4).y() + 0.02, 4}).shell_mm;
  EXPECT_NEAR(front, 0.35, 1e-9);
  EXPECT_NEAR(back, 0.25, 1e-9);
}

TEST(VertebraShape, SixteenLandmarksLieOnItsSurface) {
  for (const std::string& level : kSome) {
    const VertebraShape v(vertebra_size(level));
    const auto points = v.landmarks();
    ASSERT_EQ(points.size(), 16u);
    std::set<std::string> names;
    for (const Landmark& p : points) {
      names.insert(p.name);
      if (p.name.starts_with("pedicle")) {
        EXPECT_LT(v.at(p.at_mm).distance_mm, 0) << level << " " << p.name;
      } else {
        EXPECT_NEAR(v.at(p.at_mm).distance_mm, 0, 2.6) << level << " " << p.name;
      }
    }
    EXPECT_EQ(names.size(), 16u);
  }
}

}  // namespace
}  // namespace spinetherm
