// SPDX-License-Identifier: Apache-2.0
#include "imaging/radiograph.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/imaging/cone_beam_fixture.h"

namespace spinetherm {
namespace {

/// Brightest pixel.
std::array<int, 2> peak(const Volume<float>& image) {
  const auto n = std::max_element(image.values.begin(), image.values.end()) - image.values.begin();
  return {int(n % image.grid.size[0]), int(n / image.grid.size[0])};
}

TEST(Radiograph, ApHasThePatientsRightOnTheLeftAndTheHeadUp) {
  ConeBeamGeometry g = small_geometry();
  const Grid grid = centred_grid({80, 80, 80}, {1, 1, 1});
  // A ball at the patient's right, back and head.
  const auto ball = voxels_of({{-25, 20, 15}, 5, 20}, grid);
  const auto ap = digitally_reconstructed_radiograph(ball, RadiographView::ap, g);
  EXPECT_EQ(ap.grid.size, (std::array<int, 3>{128, 64, 1}));
  EXPECT_LT(peak(ap)[0], 64);  // left
  EXPECT_LT(peak(ap)[1], 32);  // up
  EXPECT_EQ(axis_letters(ap.grid), "LIP");
  const auto lateral = digitally_reconstructed_radiograph(ball, RadiographView::lateral, g);
  EXPECT_GT(peak(lateral)[0], 64);  // the back is on the right
  EXPECT_LT(peak(lateral)[1], 32);
  EXPECT_EQ(axis_letters(lateral.grid), "PIR");
}

TEST(Radiograph, GridLiesInThePlaneOfTheIsocentre) {
  ConeBeamGeometry g = small_geometry();
  g.isocentre_mm = {10, 20, -30};
  Grid grid = centred_grid({80, 80, 80}, {1, 1, 1});
  grid.origin_mm += g.isocentre_mm;
  // In that plane a point is shown where it is.
  for (const auto view : {RadiographView::ap, RadiographView::lateral}) {
    const Eigen::Vector3d across =
        view == RadiographView::ap ? Eigen::Vector3d(18, 0, 7) : Eigen::Vector3d(0, 18, 7);
    const Eigen::Vector3d at = g.isocentre_mm + across;
    const auto image = digitally_reconstructed_radiograph(voxels_of({at, 6, 20}, grid), view, g);
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    double total = 0;
    for (int j = 0; j < image.grid.size[1]; ++j)
      for (int i = 0; i < image.grid.size[0]; ++i) {
        sum += image(i, j, 0) * image.grid.to_world(i, j, 0);
        total += image(i, j, 0);
      }
    EXPECT_LT((sum / total - at).norm(), 0.1) << to_string(view);
    EXPECT_NEAR(image.grid.spacing_mm.x(), 1.93 * 650 / 1150, 1e-9);
    // The path through its middle.
    EXPECT_NEAR(image(peak(image)[0], peak(image)[1], 0), 0.02 * 12, 0.01);
  }
}

TEST(Radiograph, RefusesValuesThatDoNotFit) {
  EXPECT_THROW(radiograph_image(small_geometry(), 0, std::vector<float>(7)), ConfigError);
}

}  // namespace
}  // namespace spinetherm
