// SPDX-License-Identifier: Apache-2.0
#include "imaging/cone_beam.h"

#include <gmock/gmock.h>
#include <omp.h>

#include "imaging/core/error.h"
#include "tests/imaging/cone_beam_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ConeBeamGeometry, SourceStandsWhereTheHeaderSays) {
  ConeBeamGeometry g;
  g.isocentre_mm = {5, -3, 40};
  EXPECT_LT((g.source_mm(0) - Eigen::Vector3d(5, -653, 40)).norm(), 1e-9);               // in front
  EXPECT_LT((g.source_mm(std::acos(0.0)) - Eigen::Vector3d(655, -3, 40)).norm(), 1e-9);  // at the left
  // Seen from the front, columns run to the patient's left and rows to the head.
  EXPECT_GT(g.pixel_mm(0, 300, 200).x(), g.pixel_mm(0, 299, 200).x());
  EXPECT_GT(g.pixel_mm(0, 300, 200).z(), g.pixel_mm(0, 300, 199).z());
  EXPECT_NEAR(g.pixel_mm(0, 300, 200).y(), -3 + 500, 1e-9);
  // The middle of the detector lies on the ray through the isocentre.
  const Eigen::Vector3d middle = g.pixel_mm(0.7, 255.5, 191.5);
  const Eigen::Vector3d ray = (middle - g.source_mm(0.7)).normalized();
  EXPECT_LT((g.source_mm(0.7) + 650 * ray - g.isocentre_mm).norm(), 1e-9);
}

TEST(ConeBeamGeometry, FieldIsWhatEveryViewSees) {
  const ConeBeamGeometry g;
  EXPECT_NEAR(g.fov_radius_mm(), 100, 0.5);
  for (const double r : {0.0, 50.0, 99.0}) {
    const Eigen::Vector3d x(r * std::cos(0.3), r * std::sin(0.3), g.fov_half_height_mm(r) - 1e-6);
    EXPECT_TRUE(g.sees(x));
    EXPECT_FALSE(g.sees(x + Eigen::Vector3d(0, 0, 0.01)));
    double highest = 0;
    for (int n = 0; n < 720; ++n) {  // where the point falls on the detector, turn by turn
      const double angle = n * 3.14159265 / 360;
      const Eigen::Vector3d away = (g.isocentre_mm - g.source_mm(angle)).normalized();
      const Eigen::Vector3d from = x - g.source_mm(angle);
      highest = std::max(highest, from.z() * g.source_detector_mm / from.dot(away));
    }
    EXPECT_NEAR(highest, g.v_mm(g.rows - 1), 0.05);
  }
}

TEST(ConeBeamProjector, SphereCastsItsChords) {
  const Sphere sphere{{7, -4, 3}, 20, 20};
  const auto volume = voxels_of(sphere, centred_grid({64, 64, 64}, {1, 1, 1}));
  ConeBeamGeometry g = small_geometry();
  const ConeBeamProjector projector({&volume});
  for (const double angle : {0.0, 0.35, 0.7853981, 1.3, 4.0}) {
    std::vector<float> integrals(g.pixels());
    projector.add_view(g, angle, integrals);
    double worst = 0, sum = 0, exact_sum = 0;
    for (int c = 0; c < g.columns; ++c)
      for (int r = 0; r < g.rows; ++r) {
        const double exact = 0.02 * chord_mm(sphere, g.source_mm(angle), g.pixel_mm(angle, c, r));
        const double found = integrals[std::size_t(c) * 64 + std::size_t(r)];
        if (exact > 0.48) worst = std::max(worst, std::abs(found / exact - 1));  // chords from 24 mm
        if (exact == 0 && found > 0) {
          EXPECT_LT(found, 0.25);  // the outer half voxel
        }
        sum += found;
        exact_sum += exact;
      }
    EXPECT_LT(worst, 0.02) << angle;
    EXPECT_NEAR(sum / exact_sum, 1, 2e-3) << angle;
  }
}

TEST(ConeBeamProjector, ChordsConvergeWithTheVoxel) {
  const Sphere sphere{{3, 5, -2}, 15, 20};
  const ConeBeamGeometry g = small_geometry();
  const auto error = [&](int n, double spacing) {
    const auto volume = voxels_of(sphere, centred_grid({n, n, n}, Eigen::Vector3d::Constant(spacing)));
    std::vector<float> integrals(g.pixels());
    ConeBeamProjector({&volume}).add_view(g, 0.5, integrals);
    double squares = 0;
    for (int c = 0; c < g.columns; ++c)
      for (int r = 0; r < g.rows; ++r)
        squares += std::pow(integrals[std::size_t(c) * 64 + std::size_t(r)] -
                                0.02 * chord_mm(sphere, g.source_mm(0.5), g.pixel_mm(0.5, c, r)),
                            2);
    return std::sqrt(squares);
  };
  EXPECT_LT(error(44, 1), 0.6 * error(22, 2));  // first order: the surface is a jump
}

TEST(ConeBeamProjector, PathThroughASlabOfAnisotropicVoxels) {
  // A slab of water across y: path = thickness over the cosine with y, for each ray that stays within.
  Volume<float> slab(centred_grid({80, 10, 20}, {2, 1.5, 4}), 20);
  const ConeBeamGeometry g = small_geometry();
  std::vector<float> integrals(g.pixels());
  ConeBeamProjector({&slab}).add_view(g, 0, integrals);
  for (const int c : {40, 63, 90})
    for (const int r : {10, 31, 60}) {
      const Eigen::Vector3d ray = (g.pixel_mm(0, c, r) - g.source_mm(0)).normalized();
      if (std::abs(ray.z() / ray.y() * 660) > 38) continue;
      EXPECT_NEAR(integrals[std::size_t(c) * 64 + std::size_t(r)], 20e-3 * 15 / ray.y(), 1e-4)
          << c << " " << r;
    }
}

TEST(ConeBeamProjector, SeveralVolumesAtOnceAreEachAlone) {
  const Grid grid = centred_grid({40, 36, 30}, {1.5, 1.5, 1.5});
  const auto a = voxels_of({{3, 0, 0}, 18, 20}, grid), b = voxels_of({{-9, 4, 2}, 6, 50}, grid);
  const ConeBeamGeometry g = small_geometry();
  std::vector<float> both(2 * g.pixels()), first(g.pixels()), second(g.pixels());
  ConeBeamProjector({&a, &b}).add_view(g, 1.1, both);
  ConeBeamProjector({&a}).add_view(g, 1.1, first);
  ConeBeamProjector({&b}).add_view(g, 1.1, second);
  first.insert(first.end(), second.begin(), second.end());
  EXPECT_EQ(both, first);
}

TEST(ConeBeamProjector, ThreadsChangeNothing) {
  const auto volume = voxels_of({{7, -4, 3}, 15, 20}, centred_grid({48, 48, 48}, {1, 1, 1}));
  ConeBeamOrbit orbit;
  orbit.views = 9;
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = project(volume, small_geometry(), orbit);
  omp_set_num_threads(2);
  EXPECT_EQ(one, project(volume, small_geometry(), orbit));
  omp_set_num_threads(before);
}

TEST(ConeBeamProjector, StopsWhenTold) {
  std::stop_source stop;
  Progress progress{[&](double, std::string_view) { stop.request_stop(); }, stop.get_token()};
  ConeBeamOrbit orbit;
  orbit.views = 40;
  EXPECT_TRUE(project(Volume<float>(centred_grid({8, 8, 8}, {1, 1, 1})), small_geometry(), orbit, progress)
                  .values.empty());
}

TEST(ConeBeamProjector, RefusesWhatCannotBeMeant) {
  const Volume<float> volume(centred_grid({8, 8, 8}, {1, 1, 1}));
  const auto refused = [&](auto change, const char* part) {
    ConeBeamGeometry g = small_geometry();
    ConeBeamOrbit orbit;
    change(g, orbit);
    EXPECT_THAT([&] { project(volume, g, orbit); }, ThrowsMessage<ConfigError>(HasSubstr(part)));
  };
  refused([](auto& g, auto&) { g.source_axis_mm = -1; }, "source_axis_mm = -1");
  refused([](auto& g, auto&) { g.source_detector_mm = 600; }, "source_detector_mm = 600");
  refused([](auto& g, auto&) { g.columns = 1; }, "columns = 1");
  refused([](auto& g, auto&) { g.rows = 0; }, "rows = 0");
  refused([](auto& g, auto&) { g.pitch_mm = std::nan(""); }, "pitch_mm");
  refused([](auto& g, auto&) { g.offset_mm = 200; }, "offset_mm = 200");
  refused([](auto& g, auto&) { g.isocentre_mm.x() = std::nan(""); }, "isocentre_mm");
  refused([](auto&, auto& o) { o.views = 0; }, "views = 0");
  refused([](auto&, auto& o) { o.arc_deg = 180; }, "arc_deg = 180");
  refused([](auto& g, auto& o) { g.offset_mm = 30, o.arc_deg = 250; }, "full turn");
  Volume<float> turned = volume;
  turned.grid.direction << 0, 1, 0, 1, 0, 0, 0, 0, 1;
  EXPECT_THAT([&] { ConeBeamProjector({&turned}); }, ThrowsMessage<ConfigError>(HasSubstr("resample")));
  Volume<float> broken = volume;
  broken[7] = std::nanf("");
  EXPECT_THAT([&] { ConeBeamProjector({&broken}); }, ThrowsMessage<ConfigError>(HasSubstr("finite")));
  EXPECT_THROW(ConeBeamProjector({}), ConfigError);
}

}  // namespace
}  // namespace spinetherm
