// SPDX-License-Identifier: Apache-2.0
#include "datasets/fluoroscopy.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

FluoroscopyOptions small_panel() {
  FluoroscopyOptions options;
  options.geometry.columns = 120;
  options.geometry.rows = 100;
  options.geometry.pitch_mm = 1.6;
  options.shutter = false;
  return options;
}
/// Water, with a bone at the patient's right, front and foot.
Volume<float> body() {
  Grid g;
  g.size = {60, 60, 60};
  g.spacing_mm = {1.5, 1.5, 1.5};
  g.origin_mm = {-44.25, -44.25, -44.25};
  Volume<float> out(g, -1000);
  for (int k = 0; k < 60; ++k)
    for (int j = 0; j < 60; ++j)
      for (int i = 0; i < 60; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        if (std::hypot(x.x(), x.y()) < 40) out(i, j, k) = 0;
        if ((x - Eigen::Vector3d(-15, -12, -20)).norm() < 7) out(i, j, k) = 1200;
      }
  return out;
}
/// Mean of a square about a point of the patient, where the ray through it falls.
double near(const Volume<float>& image, const ConeBeamGeometry& geometry, double angle,
            const Eigen::Vector3d& x) {
  const Eigen::Vector3d source = geometry.source_mm(angle),
                        forwards = (geometry.isocentre_mm - source).normalized();
  const Eigen::Vector3d on_plane =
      source + (x - source) * (geometry.source_axis_mm / (x - source).dot(forwards));
  const auto [i, j, k] = image.grid.nearest(on_plane);
  double sum = 0;
  for (int b = j - 1; b <= j + 1; ++b)
    for (int a = i - 1; a <= i + 1; ++a) sum += image(a, b, 0);
  return sum / 9;
}

TEST(Fluoroscopy, BoneShowsWhereItLies) {
  const FluoroscopyOptions options = small_panel();
  const auto images = simulate_fluoroscopy(body(), options, 1);
  for (const auto view : {RadiographView::ap, RadiographView::lateral}) {
    const auto& image = view == RadiographView::ap ? images.ap : images.lateral;
    const double angle = angle_rad(view);
    const double bone = near(image, options.geometry, angle, {-15, -12, -20});
    // The same place mirrored across, and up.
    const Eigen::Vector3d across =
        view == RadiographView::ap ? Eigen::Vector3d(15, -12, -20) : Eigen::Vector3d(-15, 12, -20);
    EXPECT_GT(bone, near(image, options.geometry, angle, across) + 0.2) << to_string(view);
    EXPECT_GT(bone, near(image, options.geometry, angle, {-15, -12, 20}) + 0.2) << to_string(view);
  }
  EXPECT_EQ(axis_letters(images.ap.grid), "LIP");
  EXPECT_EQ(axis_letters(images.lateral.grid), "PIR");
}

TEST(Fluoroscopy, NeedleIsDenseAndEndsAtItsTip) {
  FluoroscopyOptions options = small_panel();
  options.detector.photons = {};
  const auto plain = simulate_fluoroscopy(body(), options, 1);
  options.needles = {{{0, 45, 10}, {0, 0, 10}, 3, XrayMaterial::iron}};
  const auto images = simulate_fluoroscopy(body(), options, 1);
  const double side = angle_rad(RadiographView::lateral);
  const auto added = [&](double y) {
    return near(images.lateral, options.geometry, side, {0, y, 10}) -
           near(plain.lateral, options.geometry, side, {0, y, 10});
  };
  EXPECT_GT(added(10), 0.5);
  EXPECT_LT(std::abs(added(-10)), 0.05);
}

TEST(Fluoroscopy, OpenBeamIsZeroAndNoiseComesFromTheSeed) {
  FluoroscopyOptions options = small_panel();
  const auto one = simulate_fluoroscopy(body(), options, 1), again = simulate_fluoroscopy(body(), options, 1),
             other = simulate_fluoroscopy(body(), options, 2);
  EXPECT_EQ(one.ap, again.ap);
  EXPECT_EQ(one.lateral, again.lateral);
  EXPECT_NE(one.ap, other.ap);
  EXPECT_NEAR(near(one.ap, options.geometry, 0, {-55, 0, 0}), 0, 0.05);
}

TEST(Fluoroscopy, ShutterLeavesRaysThatGoRightThrough) {
  // Water that fills its volume: every ray that the shutter lets through has the whole way through it.
  Volume<float> water = body();
  std::fill(water.values.begin(), water.values.end(), 0.f);
  FluoroscopyOptions options = small_panel();
  options.detector = {.photons = {}, .blur_sigma_mm = 0, .scatter_to_primary = 0};
  const auto open = simulate_fluoroscopy(water, options, 1);
  options.shutter = true;
  const auto shut = simulate_fluoroscopy(water, options, 1);
  const auto lowest = [](const Volume<float>& v) {
    return *std::min_element(v.values.begin(), v.values.end());
  };
  EXPECT_NEAR(lowest(open.ap), 0, 1e-6);
  for (const auto* v : {&shut.ap, &shut.lateral}) {
    const auto beam = make_xray_beam(v == &shut.ap ? options.beam : options.lateral_beam());
    EXPECT_GT(lowest(*v), 0.96 * beam.water_line_integral(0.09));  // the outer half voxel fades
    // Close to the whole face: 90 mm, less what the far face is farther away than the isocentre.
    EXPECT_NEAR(v->grid.size[0] * v->grid.spacing_mm.x(), 90 * 750.0 / 795, 2.2);
    EXPECT_NEAR(v->grid.size[1] * v->grid.spacing_mm.y(), 90 * 750.0 / 795, 2.2);
  }
  // What is left has kept its place.
  EXPECT_EQ(shut.ap(3, 5, 0), *sample_nearest(open.ap, shut.ap.grid.to_world(3, 5, 0)));
  options.isocentre_mm = Eigen::Vector3d(500, 0, 0);
  EXPECT_THAT([&] { simulate_fluoroscopy(water, options, 1); },
              ThrowsMessage<ConfigError>(HasSubstr("sees nothing")));
}

TEST(Fluoroscopy, StopsAndRefuses) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(simulate_fluoroscopy(body(), small_panel(), 1, {{}, stop.get_token()}).ap.empty());
  FluoroscopyOptions options = small_panel();
  options.beam.tube_kV = 10;
  EXPECT_THAT([&] { simulate_fluoroscopy(body(), options, 1); },
              ThrowsMessage<ConfigError>(HasSubstr("tube_kV = 10")));
  options = small_panel();
  options.isocentre_mm = Eigen::Vector3d(std::nan(""), 0, 0);
  EXPECT_THAT([&] { simulate_fluoroscopy(body(), options, 1); },
              ThrowsMessage<ConfigError>(HasSubstr("isocentre_mm")));
}

}  // namespace
}  // namespace spinetherm
