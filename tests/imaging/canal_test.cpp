// SPDX-License-Identifier: Apache-2.0
#include "imaging/canal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "imaging/core/error.h"
#include "imaging/labels.h"
#include "imaging/read.h"
#include "imaging/resample.h"
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

/// Share of the true canal that is found, and share of what is found that is canal, between two heights of
/// the spine's own axis.
struct Agreement {
  double found = 0, true_ = 0;
};
Agreement agreement(const ToySpine& spine, const Volume<std::uint8_t>& mask, double z_low, double z_high) {
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  double both = 0, truth = 0, found = 0;
  const Grid& g = mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d s = spine_from_patient * g.to_world(i, j, k);
        if (s.z() < z_low || s.z() > z_high) continue;
        const bool is = spine.in_canal(s), was = mask(i, j, k) != 0;
        both += is && was;
        truth += is;
        found += was;
      }
  return {both / truth, both / found};
}

TEST(Canal, IsFoundInATiltedNoisySpineWhereItIs) {
  const ToySpine spine = tilted_spine();
  const Image ct = ct_of(spine, spine.grid(1));
  const Eigen::Vector3d seed = spine.patient_from_spine * Eigen::Vector3d(5, -20, -64);
  const CanalSearch search = find_canal(ct, seed);
  ASSERT_TRUE(search.canal) << search.reason;
  const Agreement a = agreement(spine, search.canal->mask, -90, -38);
  EXPECT_GT(a.found, 0.93);
  EXPECT_GT(a.true_, 0.80);  // recesses behind the discs are taken in: rather too large than too small
  EXPECT_GT(search.canal->enclosed_fraction, 0.4);
  EXPECT_THAT(search.canal->quality, HasSubstr("interpolated"));
  // It holds the canal's middle, and neither the seed nor the pedicles.
  const auto in_mask = [&](const Eigen::Vector3d& s) {
    return int(sample_nearest(search.canal->mask, spine.patient_from_spine * s).value_or(0));
  };
  EXPECT_EQ(in_mask({0, 0, -64}), 1);
  EXPECT_EQ(in_mask({0, 0, -80}), 1);
  EXPECT_EQ(in_mask({5, -20, -64}), 0);
  EXPECT_EQ(in_mask({15, -5, -58}), 0);
  EXPECT_EQ(in_mask({-15, -5, -58}), 0);
}

TEST(Canal, DoesNotDependOnTheAxesOfTheImage) {
  const ToySpine spine = tilted_spine();
  const Image lps = ct_of(spine, spine.grid(1), 0);
  Grid pir;  // voxel axes P, I, R over the same box
  const Grid& g = lps.volume.grid;
  pir.size = {g.size[1], g.size[2], g.size[0]};
  pir.direction << 0, 0, -1, 1, 0, 0, 0, -1, 0;
  pir.origin_mm = g.to_world(g.size[0] - 1, 0, g.size[2] - 1);
  const Image turned = ct_of(spine, pir, 0);
  const Eigen::Vector3d seed = spine.patient_from_spine * Eigen::Vector3d(0, -20, -64);
  const auto a = find_canal(lps, seed), b = find_canal(turned, seed);
  ASSERT_TRUE(a.canal && b.canal);
  std::size_t differ = 0, set = 0;
  for (std::size_t n = 0; n < a.canal->mask.values.size(); ++n) {
    set += a.canal->mask[n] != 0;
    differ += a.canal->mask[n] != b.canal->mask[n];
  }
  EXPECT_GT(set, 10000u);
  EXPECT_LT(double(differ), 0.001 * double(set));
}

TEST(Canal, IsNotClaimedWhereThereIsNone) {
  Image ct;
  ct.modality = Modality::ct;
  ct.volume = Volume<float>(box_grid({-70, -70, -70}, {70, 70, 70}, 2), 50.0f);
  CanalSearch search = find_canal(ct, {0, 0, 0});
  EXPECT_FALSE(search.canal);
  EXPECT_THAT(search.reason, HasSubstr("no hole enclosed by bone"));
  search = find_canal(ct, {500, 0, 0});
  EXPECT_FALSE(search.canal);
  EXPECT_THAT(search.reason, HasSubstr("outside the image"));

  // A spine whose arches were taken away: bodies alone enclose nothing.
  const ToySpine spine = tilted_spine();
  ct = ct_of(spine, spine.grid(2));
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  const Grid& g = ct.volume.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if ((spine_from_patient * g.to_world(i, j, k)).y() > 0) ct.volume(i, j, k) = 50;
  search = find_canal(ct, spine.patient_from_spine * Eigen::Vector3d(0, -20, -64));
  EXPECT_FALSE(search.canal);
  EXPECT_FALSE(search.reason.empty());
}

TEST(Canal, LabelsOfTheMapStayWhereTheyAre) {
  const ToySpine spine = tilted_spine();
  const Grid grid = spine.grid(2);
  const auto search = find_canal(ct_of(spine, grid), spine.patient_from_spine * Eigen::Vector3d(0, -20, -64));
  ASSERT_TRUE(search.canal);
  Anatomy a = spine.anatomy(grid, false);
  const Anatomy before = a;
  add_canal(a, *search.canal);
  EXPECT_EQ(a.status_of("canal"), StructureStatus::segmented);
  EXPECT_THAT(a.warnings, Contains(HasSubstr("canal segmented from CT")));
  for (std::size_t n = 0; n < a.labels.values.size(); ++n)
    EXPECT_TRUE(before.labels[n] == 0 || a.labels[n] == before.labels[n]);
}

TEST(Canal, OptionsAreChecked) {
  CanalOptions options;
  options.max_area_mm2 = 10;
  EXPECT_THROW(find_canal(Image{}, {0, 0, 0}, options), ConfigError);
  Grid thick = box_grid({0, 0, 0}, {60, 60, 60}, 1);
  thick.spacing_mm.z() = 3;
  EXPECT_THROW(find_canal_on_grid(Volume<float>(thick), {30, 30, 30}), ConfigError);
}

class CanalOfRealScans : public ScanFolderTest {};

TEST_F(CanalOfRealScans, LumbarCanalHoldsTheLabelledCord) {
  const Image ct = read_image(folder() / "ct" / "ts_example_ct.nii.gz");
  const auto search = find_canal(ct, {10, -136, 315.6});
  ASSERT_TRUE(search.canal) << search.reason;
  const Anatomy labels = import_labels(read_label_volume(folder() / "labels" / "ts_example_seg_all.nii.gz"),
                                       "totalsegmentator-v2");
  const Volume<std::uint8_t>& canal = search.canal->mask;
  const Volume<StructureValue> there = resample_nearest<StructureValue>(labels.labels, canal.grid, 0);
  double cord = 0, both = 0, bone = 0, in_canal = 0;
  const double low = search.canal->centreline_mm.front().z(), high = search.canal->centreline_mm.back().z();
  for (int k = 0; k < canal.grid.size[2]; ++k) {
    const double z = canal.grid.to_world(0, 0, k).z();
    if (z < low || z > high) continue;
    for (int j = 0; j < canal.grid.size[1]; ++j)
      for (int i = 0; i < canal.grid.size[0]; ++i) {
        const std::string_view name = structure_name(there(i, j, k));
        const bool is_cord = name == "cord" || name == "cauda";
        cord += is_cord;
        both += is_cord && canal(i, j, k);
        in_canal += canal(i, j, k);
        bone += canal(i, j, k) && is_vertebra(there(i, j, k));
      }
  }
  RecordProperty("cord_in_canal", std::to_string(both / cord));
  EXPECT_GT(cord, 5000);
  EXPECT_GT(both / cord, 0.9);
  EXPECT_LT(bone / in_canal, 0.25);  // voxels of 3 mm: labels and CT wall differ by half a voxel all around
}

TEST_F(CanalOfRealScans, CropInUnusualAxes) {
  const Image ct = read_image(folder() / "labels" / "tptbox_ct" / "sub-ct_label-22_ct.nii.gz");
  const auto search = find_canal(ct, {25, 163, -68});
  ASSERT_TRUE(search.canal) << search.reason;
  const Anatomy labels = import_labels(
      read_label_volume(folder() / "labels" / "tptbox_ct" / "sub-ct_seg-vert_label-22_msk.nii.gz"), "verse");
  // Free of labelled bone, and in the ring of L3.
  const Volume<StructureValue> there =
      resample_nearest<StructureValue>(labels.labels, search.canal->mask.grid, 0);
  double bone = 0, all = 0;
  for (std::size_t n = 0; n < there.values.size(); ++n)
    if (search.canal->mask[n]) ++all, bone += there[n] != 0;
  EXPECT_GT(all, 15000);
  EXPECT_LT(bone / all, 0.12);
}

}  // namespace
}  // namespace spinetherm
