// SPDX-License-Identifier: Apache-2.0
#include "imaging/ct_anatomy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "imaging/core/error.h"
#include "imaging/read.h"
#include "tests/imaging/scan_folder.h"
#include "tests/imaging/toy_spine.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ToySpine tilted_spine() {
  ToySpine spine;
  spine.levels = {"T12", "L1", "L2", "L3", "L4"};
  spine.patient_from_spine = {
      Eigen::Quaterniond(Eigen::AngleAxisd(0.2, Eigen::Vector3d(0.9, 0.4, 0).normalized())), {12, 150, -400}};
  return spine;
}

Image ct_of(const ToySpine& spine, const Grid& grid, double noise_HU = 25) {
  Image image;
  image.modality = Modality::ct;
  image.volume = spine.ct(grid, noise_HU);
  return image;
}

TEST(CtAnatomy, DiscsDivideTheSpine) {
  const ToySpine spine = tilted_spine();
  const Image ct = ct_of(spine, spine.grid(1));
  const Eigen::Vector3d seed = spine.patient_from_spine * Eigen::Vector3d(0, -20, -64);
  const auto search = find_canal(ct, seed);
  ASSERT_TRUE(search.canal);
  const auto discs = find_discs(ct.volume, *search.canal);
  ASSERT_GE(discs.size(), 2u);
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  for (const DiscPlane& d : discs) {
    // Discs lie half way between the bodies, at -16 - 32 n.
    const double z = (spine_from_patient * d.point_mm).z();
    EXPECT_NEAR(std::remainder(z + 16, 32), 0, 3) << z;
    EXPECT_GT(d.contrast_HU, 100);
  }
}

TEST(CtAnatomy, TargetOutsideOrInAirIsRefused) {
  Image ct;
  ct.volume = Volume<float>(box_grid({0, 0, 0}, {60, 60, 60}, 2), -1000.0f);
  EXPECT_THAT(
      [&] {
        anatomy_from_ct(ct, {200, 0, 0});
      },
      ThrowsMessage<ConfigError>(HasSubstr("outside the image")));
  EXPECT_THAT([&] { anatomy_from_ct(ct, {30, 30, 30}); }, ThrowsMessage<ConfigError>(HasSubstr("in air")));
  CtAnatomyOptions options;
  options.level = "X9";
  EXPECT_THROW(anatomy_from_ct(ct, {30, 30, 30}, options), ConfigError);
}

class CtAnatomyOfRealScans : public ScanFolderTest {};

TEST_F(CtAnatomyOfRealScans, ThoracicCtWithoutLabels) {
  const Image ct = read_image(folder() / "ct" / "LIDC-IDRI-0314_dicom.tar.xz");
  const Eigen::Vector3d target(-8, 235.5, -566);
  CtAnatomyOptions options;
  options.level = "T9";
  const Anatomy a = anatomy_from_ct(ct, target, options);
  EXPECT_EQ(a.status_of("canal"), StructureStatus::segmented);
  EXPECT_EQ(a.status_of("vertebra_T9"), StructureStatus::estimated);
  EXPECT_EQ(a.status_of("cord"), StructureStatus::missing);
  EXPECT_EQ(a.status_of("lung_left"), StructureStatus::estimated);
  const auto at = [&](double x, double y, double z) {
    return std::string(structure_name(sample_nearest(a.labels, Eigen::Vector3d(x, y, z)).value()));
  };
  EXPECT_EQ(at(-11, 249, -566), "canal");  // seen on the picture
  EXPECT_EQ(at(-8, 235.5, -566), "vertebra_T9");
  EXPECT_EQ(at(-8, 220, -590), "bone");  // the next body
  EXPECT_EQ(at(45, 220, -566), "lung_left");
  EXPECT_EQ(at(-60, 230, -566), "lung_right");
  // Area of the canal in every slice near the target: thoracic canals have 150 to 280 mm2 (guidance.md 4.1),
  // this patient's 105 to 210 by the threshold of 150 HU, which lies up to half a voxel inside the wall.
  std::map<int, int> area_mm2;
  const Volume<std::uint8_t> canal = a.mask("canal");
  const Grid& g = canal.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (canal(i, j, k)) ++area_mm2[k];
  const int middle = g.nearest(target)[2];
  for (int k = middle - 35; k <= middle + 35; ++k) {
    EXPECT_GT(area_mm2[k], 95) << k;
    EXPECT_LT(area_mm2[k], 240) << k;
  }
  // Skin behind the spine, 60 to 80 mm from the canal, and none in front.
  const auto skin = centroid_mm(a.mask("skin"));
  ASSERT_TRUE(skin);
  EXPECT_GT(skin->y(), 275);
}

}  // namespace
}  // namespace spinetherm
