// SPDX-License-Identifier: Apache-2.0
#include "thermal/region.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using testing::HasSubstr;

Region outside(const Region& inside) { return {Outside{std::make_shared<const Region>(inside)}}; }

std::vector<Region> all_shapes() {
  return {{Sphere{{0.3, -0.2, 0.1}, 1.7}},
          {Capsule{{-2, 0.3, 0.2}, {1.5, 1, -0.4}, 0.8}},
          {Cylinder{{-1.5, 0.3, 0.2}, {1.6, 1, -0.9}, 0.9}},
          {Tube{{{-1.9, -0.6, 0.1}, {-0.4, -0.2, 0.4}, {0.8, 0.5, 0.3}, {1.5, 1.4, 0.1}}, 0.6, false}},
          {Tube{{{-1.9, -0.6, 0.1}, {-0.4, -0.2, 0.4}, {0.8, 0.5, 0.3}, {1.5, 1.4, 0.1}}, 0.6, true}},
          {Prolate{{0.1, 0.2, -0.3}, {1, 2, -0.5}, 2.6, 0.9}},
          {Prolate{{0.1, 0.2, -0.3}, {1, 2, -0.5}, 0.7, 1.6}},
          {Box{{-1.2, -0.7, -2.1}, {1.3, 0.9, 0.4}}}};
}

/// Sum of the covered fractions of all cells, as a volume.
double volume_by_cells(const Region& region, double h) {
  const Box box = bounding_box(region);
  double sum = 0;
  for (double z = box.min_mm[2] - h; z < box.max_mm[2] + h; z += h)
    for (double y = box.min_mm[1] - h; y < box.max_mm[1] + h; y += h)
      for (double x = box.min_mm[0] - h; x < box.max_mm[0] + h; x += h)
        sum += covered_fraction(region, {x, y, z}, {h, h, h});
  return sum * h * h * h;
}

TEST(Region, FractionsAddUpToTheVolume) {
  for (const Region& region : all_shapes()) {
    SCOPED_TRACE(region.shape.index());
    EXPECT_NEAR(volume_by_cells(region, 0.37) / volume_mm3(region), 1, 1e-3);
  }
}

TEST(Region, DistanceHasSlopeOneAndTheVolumeGrowsByTheSurface) {
  std::mt19937 rng(4);
  std::uniform_real_distribution<double> u(-3, 3);
  for (const Region& region : all_shapes()) {
    SCOPED_TRACE(region.shape.index());
    int inside = 0;
    double near_shell = 0;
    const int points = 200000;
    const double shell = 0.02;
    for (int n = 0; n < points; ++n) {
      const Vector3d x(u(rng), u(rng), u(rng));
      const double d = signed_distance_mm(region, x);
      inside += d <= 0;
      near_shell += std::abs(d) < shell;
      if (n < 200 && d > 0.05) {  // outside the distance is smooth
        const double h = 1e-5;
        Vector3d g;
        for (int a = 0; a < 3; ++a) {
          Vector3d e = Vector3d::Zero();
          e[a] = h;
          g[a] = (signed_distance_mm(region, x + e) - signed_distance_mm(region, x - e)) / (2 * h);
        }
        EXPECT_NEAR(g.norm(), 1, 1e-4);
        EXPECT_NEAR(signed_distance_mm(region, x - d * g), 0, 1e-4);  // its foot point
      }
    }
    const double box = 6. * 6 * 6;
    EXPECT_NEAR(inside * box / points, volume_mm3(region), 0.02 * volume_mm3(region) + 0.1);
    EXPECT_NEAR(near_shell * box / points / (2 * shell), surface_mm2(region), 0.06 * surface_mm2(region));
  }
}

TEST(Region, ProlateDistanceAgreesWithASearchOverItsSurface) {
  const Prolate p{{0, 0, 0}, {0, 0, 1}, 5, 0.75};
  std::mt19937 rng(8);
  std::uniform_real_distribution<double> u(-6, 6);
  for (int n = 0; n < 50; ++n) {
    const double rho = std::abs(u(rng)), z = u(rng);
    double best = 1e9;
    for (int m = 0; m <= 20000; ++m) {
      const double t = kPi * m / 20000;
      best = std::min(best, std::hypot(rho - 0.75 * std::sin(t), z - 5 * std::cos(t)));
    }
    const double d = signed_distance_mm({p}, {rho * std::cos(1.1), rho * std::sin(1.1), z});
    EXPECT_NEAR(std::abs(d), best, 1e-5);
    EXPECT_EQ(d < 0, rho * rho / 0.5625 + z * z / 25 < 1);
  }
  EXPECT_NEAR(signed_distance_mm({p}, {0, 0, 0}), -0.75, 1e-12);
  EXPECT_NEAR(signed_distance_mm({p}, {0, 0, 7}), 2, 1e-12);
}

TEST(Region, FaceFractionsAreAreas) {
  // A face through the middle of a sphere is covered like a disc.
  double area = 0;
  const double h = 0.5;
  for (double y = -2.25; y < 2.5; y += h)
    for (double x = -2.25; x < 2.5; x += h)
      area += h * h * covered_fraction({Sphere{{0, 0, 0}, 2}}, {x, y, 0}, {h, h, 0});
  EXPECT_NEAR(area, kPi * 4, 0.01);
}

TEST(Region, CrossingIsOnTheSurface) {
  for (const Region& region : all_shapes()) {
    const Vector3d from(5, 4, 3), to(0.2, 0.2, -0.3);
    const double t = crossing_fraction(region, from, to);
    EXPECT_NEAR(signed_distance_mm(region, from + t * (to - from)), 0, 1e-9);
  }
}

TEST(Region, OutsideTurnsTheSign) {
  const Region in{Sphere{{1, 2, 3}, 2}};
  const Region out = outside(in);
  EXPECT_DOUBLE_EQ(signed_distance_mm(out, {1, 2, 3}), 2);
  EXPECT_TRUE(contains(out, {9, 9, 9}));
  EXPECT_NEAR(covered_fraction(out, {1, 2, 5}, {1, 1, 1}) + covered_fraction(in, {1, 2, 5}, {1, 1, 1}), 1,
              1e-12);
  EXPECT_TRUE(std::isinf(volume_mm3(out)));
  EXPECT_TRUE(out == outside(in));
}

TEST(Region, BoundingBoxesAreTight) {
  std::mt19937 rng(2);
  std::uniform_real_distribution<double> u(-3, 3);
  for (const Region& region : all_shapes()) {
    const Box box = bounding_box(region);
    Vector3d low = Vector3d::Constant(9), high = Vector3d::Constant(-9);
    for (int n = 0; n < 400000; ++n) {
      const Vector3d x(u(rng), u(rng), u(rng));
      if (!contains(region, x)) continue;
      low = low.cwiseMin(x);
      high = high.cwiseMax(x);
    }
    EXPECT_TRUE((low.array() >= box.min_mm.array()).all());
    EXPECT_TRUE((high.array() <= box.max_mm.array()).all());
    EXPECT_LT((low - box.min_mm).maxCoeff(), 0.25);
    EXPECT_LT((box.max_mm - high).maxCoeff(), 0.25);
  }
}

TEST(Region, RefusesWithThePointer) {
  const auto message = [](const Region& r) -> std::string {
    try {
      validate(r, "/sources/0/region");
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message({Sphere{{0, 0, 0}, -1}}), HasSubstr("/sources/0/region/sphere/radius_mm"));
  EXPECT_THAT(message({Sphere{{0, NAN, 0}, 1}}), HasSubstr("/sources/0/region/sphere/centre_mm"));
  EXPECT_THAT(message({Cylinder{{1, 1, 1}, {1, 1, 1}, 1}}), HasSubstr("/cylinder/b_mm"));
  EXPECT_THAT(message({Box{{0, 0, 0}, {1, -1, 1}}}), HasSubstr("/box/max_mm"));
  EXPECT_THAT(message({Prolate{{0, 0, 0}, {0, 0, 0}, 2, 1}}), HasSubstr("/prolate/axis"));
  EXPECT_THAT(message(outside({Sphere{{0, 0, 0}, 0}})), HasSubstr("/outside/sphere/radius_mm"));
  for (const Region& r : all_shapes()) EXPECT_EQ(message(r), "accepted");
}

TEST(Tube, OfOnePieceIsACapsuleOrACylinder) {
  const Vector3d a(-1, 0.4, 0.2), b(1.3, -0.5, 0.9);
  std::mt19937 rng(8);
  std::uniform_real_distribution<double> u(-3, 3);
  for (int n = 0; n < 1000; ++n) {
    const Vector3d x(u(rng), u(rng), u(rng));
    EXPECT_NEAR(signed_distance_mm({Tube{{a, b}, 0.7, false}}, x),
                signed_distance_mm({Capsule{a, b, 0.7}}, x), 1e-12);
    EXPECT_NEAR(signed_distance_mm({Tube{{a, b}, 0.7, true}}, x),
                signed_distance_mm({Cylinder{a, b, 0.7}}, x), 1e-12);
  }
}

TEST(Tube, IsTheUnionOfItsConvexPartsAndFlatEndsCutBothPolesApart) {
  const std::vector<Vector3d> line = {{-2, 0, 0}, {-0.5, 0.2, 0}, {0.7, 0.9, 0.1}, {1.2, 2, 0.4}};
  std::mt19937 rng(9);
  std::uniform_real_distribution<double> u(-3, 3);
  for (const bool flat : {false, true}) {
    const Region tube{Tube{line, 0.6, flat}};
    const std::vector<Region> parts = convex_parts(tube);
    EXPECT_GE(parts.size(), 3U);
    for (int n = 0; n < 2000; ++n) {
      const Vector3d x(u(rng), u(rng), u(rng));
      double nearest = 1e9;
      for (const Region& part : parts) nearest = std::min(nearest, signed_distance_mm(part, x));
      if (nearest > 1e-9) {
        EXPECT_NEAR(signed_distance_mm(tube, x), nearest, 1e-9);
      } else if (nearest < -1e-9) {
        EXPECT_LT(signed_distance_mm(tube, x), 0);
      }
    }
  }
  EXPECT_FALSE(contains({Tube{line, 0.6, true}}, {-2.01, 0, 0}));
  EXPECT_TRUE(contains({Tube{line, 0.6, false}}, {-2.01, 0, 0}));
}

TEST(Tube, TellsWhereAPointLiesBesideItsLine) {
  const Tube t{{{0, 0, 0}, {4, 0, 0}, {4, 3, 0}}, 0.5, false};
  const BesideLine bend = beside_line(t, {5, 1, 0}), before = beside_line(t, {-2, 0, 1});
  EXPECT_NEAR(bend.distance_mm, 1, 1e-12);
  EXPECT_NEAR(bend.along_mm, 5, 1e-12);
  EXPECT_NEAR(bend.length_mm, 7, 1e-12);
  EXPECT_NEAR(before.distance_mm, 1, 1e-12);
  EXPECT_NEAR(before.along_mm, -2, 1e-12);
}

TEST(Tube, NeedsTwoDifferentPoints) {
  const auto check = [](const Tube& t) { return [t] { validate(Region{t}, "/r"); }; };
  EXPECT_THAT(check({{{0, 0, 0}}, 1, false}),
              testing::ThrowsMessage<ConfigError>(HasSubstr("/r/tube/points_mm")));
  EXPECT_THAT(check({{{0, 0, 0}, {1, 0, 0}, {1, 0, 0}}, 1, false}),
              testing::ThrowsMessage<ConfigError>(HasSubstr("/r/tube/points_mm/2")));
  EXPECT_THAT(check({{{0, 0, 0}, {1, 0, 0}}, 0, false}),
              testing::ThrowsMessage<ConfigError>(HasSubstr("/r/tube/radius_mm")));
}

}  // namespace
}  // namespace spinetherm
