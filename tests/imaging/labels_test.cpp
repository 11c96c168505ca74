// SPDX-License-Identifier: Apache-2.0
#include "imaging/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "imaging/core/error.h"
#include "imaging/read.h"
#include "tests/imaging/scan_folder.h"
#include "tests/imaging/toy_spine.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A toy spine written with the values of a convention.
Volume<std::uint32_t> written_as(const std::string& convention, const std::vector<std::string>& levels,
                                 double spacing_mm = 2) {
  ToySpine spine;
  spine.levels = levels;
  const Anatomy a = spine.anatomy(spine.grid(spacing_mm), false);
  Volume<std::uint32_t> raw(a.labels.grid);
  for (const LabelMeaning& m : label_convention(convention).values)
    for (std::size_t n = 0; n < raw.values.size(); ++n)
      if (a.labels[n] == m.structure) raw[n] = m.value;
  return raw;
}

TEST(Labels, EveryPairOfConventionsIsToldApart) {
  const std::vector<std::string> conventions = {"totalsegmentator-v1", "totalsegmentator-v2", "verse"};
  for (const std::string& written : conventions) {
    const auto raw = written_as(written, {"T11", "T12", "L1", "L2", "L3"});
    for (const std::string& read : conventions) {
      if (read == written) {
        EXPECT_THAT(import_labels(raw, read).levels_present(),
                    ::testing::ElementsAre("T11", "T12", "L1", "L2", "L3"));
      } else {
        EXPECT_THAT(
            [&] { import_labels(raw, read, {.where = "map.nii.gz"}); },
            ThrowsMessage<ConfigError>(AllOf(HasSubstr("as " + read), HasSubstr("(map.nii.gz)"),
                                             HasSubstr("looks like " + written), HasSubstr("T11 to L3"))))
            << written << " read as " << read;
      }
    }
  }
}

TEST(Labels, ThoracicSpacingReadAsLumbarIsRefusedThoughInBounds) {
  // T2 to T5 of version 1, 20 mm apart: T11 to L2 of version 2 by the numbers,
  // which is 30 % too close.
  Volume<std::uint32_t> raw(box_grid({-20, -20, -100}, {20, 20, 20}, 2));
  for (std::size_t n = 0; n < raw.values.size(); ++n) {
    const int i = int(n % 21), j = int(n / 21 % 21), k = int(n / (21 * 21));
    const Eigen::Vector3d x = raw.grid.to_world(i, j, k);
    const int level = int(std::lround(-x.z() / 20));
    if (level >= 0 && level < 4 && std::abs(x.z() + 20 * level) < 8 && std::hypot(x.x(), x.y()) < 17)
      raw[n] = std::uint32_t(33 - level);
  }
  EXPECT_THAT(import_labels(raw, "totalsegmentator-v1").levels_present(),
              ::testing::ElementsAre("T2", "T3", "T4", "T5"));
  EXPECT_THAT([&] { import_labels(raw, "totalsegmentator-v2"); },
              ThrowsMessage<ConfigError>(HasSubstr("looks like totalsegmentator-v1")));
}

TEST(Labels, AnUpsideDownSpineIsRefused) {
  auto raw = written_as("spinetherm", {"L1", "L2", "L3"});
  const auto first = *structure_value("vertebra_L1"), third = *structure_value("vertebra_L3");
  for (auto& v : raw.values) v = v == first ? third : v == third ? first : v;
  EXPECT_THAT([&] { import_labels(raw, "spinetherm"); },
              ThrowsMessage<ConfigError>(HasSubstr("L2 would lie above L1")));
}

TEST(Labels, SkippedVertebraIsToldAndSwappedSizesAreRefused) {
  auto raw = written_as("verse", {"L1", "L2", "L3"});
  for (auto& v : raw.values)
    if (v == 21) v = 0;
  EXPECT_THAT(import_labels(raw, "verse").warnings, Contains(HasSubstr("no label between L1 and L3")));
  // L1 directly followed by L5 in the place of L2: 32 mm for four steps.
  raw = written_as("verse", {"L1", "L2"});
  for (auto& v : raw.values)
    if (v == 21) v = 24;
  EXPECT_THAT([&] { import_labels(raw, "verse"); },
              ThrowsMessage<ConfigError>(HasSubstr("L1 and L5 would be 32 mm apart")));
}

TEST(Labels, UnknownValuesAreListedOrRefused) {
  auto raw = written_as("verse", {"L1", "L2", "L3"});
  raw[0] = 77;
  const Anatomy a = import_labels(raw, "verse");
  EXPECT_THAT(a.warnings, Contains(HasSubstr("left out: 77")));
  EXPECT_EQ(a.labels[0], 0);
  for (int n = 0; n < 20000; ++n) raw[std::size_t(n)] = 77;
  EXPECT_THAT([&] { import_labels(raw, "verse"); },
              ThrowsMessage<ConfigError>(HasSubstr("values it does not know (77)")));
}

TEST(Labels, MasksImagesAndEmptyMapsAreRefusedWithTheReason) {
  Volume<std::uint32_t> raw(box_grid({0, 0, 0}, {60, 60, 60}, 2));
  EXPECT_THAT([&] { import_labels(raw, "verse"); }, ThrowsMessage<ConfigError>(HasSubstr("is empty")));
  for (std::size_t n = 5000; n < 7000; ++n) raw[n] = 1;
  EXPECT_THAT([&] { import_labels(raw, "verse"); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("is a mask"), HasSubstr("names no level"))));
  for (std::size_t n = 0; n < raw.values.size(); ++n) raw[n] = std::uint32_t(n);
  EXPECT_THAT([&] { import_labels(raw, "verse"); }, ThrowsMessage<ConfigError>(HasSubstr("not a label map")));
}

TEST(Labels, CordBelowTheConusBecomesCauda) {
  ToySpine spine;
  spine.levels = {"T12", "L1", "L2", "L3"};
  const Grid grid = spine.grid(2);
  auto raw = written_as("totalsegmentator-v2", spine.levels);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        if (spine.in_canal(grid.to_world(i, j, k))) raw(i, j, k) = 79;
  const Anatomy a = import_labels(raw, "totalsegmentator-v2");
  EXPECT_EQ(a.status_of("cord"), StructureStatus::imported);
  EXPECT_EQ(a.status_of("cauda"), StructureStatus::imported);
  EXPECT_THAT(a.warnings, Contains(HasSubstr("cauda equina")));
  // The L1-L2 disc lies half way between vertebra 1 and vertebra 2 of the toy.
  const double conus_z = -1.5 * ToySpine::pitch_mm;
  for (int k = 0; k < grid.size[2]; ++k) {
    const double z = grid.to_world(0, 0, k).z();
    const auto at = sample_nearest(a.labels, {0, 0, z});
    EXPECT_EQ(structure_name(*at), std::abs(z - conus_z) < 3 ? structure_name(*at)
                                   : z > conus_z             ? "cord"
                                                             : "cauda");
  }
}

TEST(Labels, WrongSideIsTold) {
  auto raw = written_as("totalsegmentator-v2", {"L1", "L2", "L3"});
  const Grid& g = raw.grid;
  for (int k = 0; k < 5; ++k)
    for (int j = 0; j < 3; ++j) {
      raw(0, j, k) = 3;  // kidney_left at the lowest x: the patient's right
      raw(g.size[0] - 1, j, k) = 2;
    }
  EXPECT_THAT(import_labels(raw, "totalsegmentator-v2").warnings,
              Contains(HasSubstr("kidney_left lies on the patient's right")));
}

TEST(Labels, OverlapOfAnotherScanIsRefused) {
  const Grid labels = box_grid({0, 0, 0}, {100, 100, 100}, 2);
  EXPECT_NEAR(check_overlap(labels, labels), 1, 1e-9);
  EXPECT_NEAR(check_overlap(labels, box_grid({51, 0, 0}, {200, 100, 100}, 2)), 0.5, 0.06);
  EXPECT_THAT(
      [&] {
        check_overlap(labels, box_grid({300, 0, 0}, {400, 90, 90}, 2), "map.nii");
      },
      ThrowsMessage<ConfigError>(AllOf(HasSubstr("does not overlap"), HasSubstr("map.nii"))));
}

TEST(Labels, ResamplingKeepsValuesAndForgetsWhatIsNotThere) {
  ToySpine spine;
  const Anatomy a = spine.anatomy(spine.grid(2), true);
  // A region that holds the middle vertebra alone.
  const Anatomy out = resample_labels(a, box_grid({-30, -40, -44}, {30, 30, -20}, 1));
  const std::set<StructureValue> allowed(a.labels.values.begin(), a.labels.values.end());
  for (const StructureValue v : out.labels.values) EXPECT_TRUE(allowed.count(v));
  EXPECT_TRUE(out.has("vertebra_L3"));
  EXPECT_TRUE(out.has("canal"));
  EXPECT_FALSE(out.has("vertebra_L2"));
  EXPECT_EQ(out.levels_present(), std::vector<std::string>{"L3"});
  EXPECT_THAT(out.warnings, Contains(HasSubstr("vertebra_L2")));
}

class LabelsOfRealScans : public ScanFolderTest {
 protected:
  Volume<std::uint32_t> map(const std::string& name) const {
    return read_label_volume(folder() / "labels" / name);
  }
};

TEST_F(LabelsOfRealScans, TotalSegmentatorV2Imports) {
  const Anatomy a = import_labels(map("ts_example_seg_all.nii.gz"), "totalsegmentator-v2");
  EXPECT_THAT(a.levels_present(),
              ::testing::ElementsAre("T11", "T12", "L1", "L2", "L3", "L4", "L5", "sacrum"));
  for (const char* name : {"cord", "cauda", "aorta", "vena_cava", "kidney_left", "rib", "muscle", "bowel"})
    EXPECT_EQ(a.status_of(name), StructureStatus::imported) << name;
  EXPECT_THAT(a.warnings, Contains(AllOf(HasSubstr("cut by the edge"), HasSubstr("T11"), HasSubstr("T12"))));
  EXPECT_THAT(a.warnings, Contains(HasSubstr("cauda equina")));
  // The kidneys lie on their own sides: +x is the patient's left.
  EXPECT_GT(centroid_mm(a.mask("kidney_left"))->x(), centroid_mm(a.mask("kidney_right"))->x() + 100);
  // L3 where the case of this scan puts its target.
  EXPECT_EQ(structure_name(*sample_nearest(a.labels, {10.0, -136.0, 315.6})), "vertebra_L3");
}

TEST_F(LabelsOfRealScans, TheWrongConventionIsRefusedAndTheRightOneNamed) {
  const auto total = map("ts_example_seg_all.nii.gz");
  for (const char* wrong : {"totalsegmentator-v1", "verse"})
    EXPECT_THAT([&] { import_labels(total, wrong); },
                ThrowsMessage<ConfigError>(HasSubstr("looks like totalsegmentator-v2")));
  const auto verse = map("tptbox_ct/sub-ct_seg-vert_label-22_msk.nii.gz");
  for (const char* wrong : {"totalsegmentator-v1", "totalsegmentator-v2"})
    EXPECT_THAT([&] { import_labels(verse, wrong); },
                ThrowsMessage<ConfigError>(AllOf(HasSubstr("looks like verse"), HasSubstr("L2 to L4"))));
}

TEST_F(LabelsOfRealScans, VertebraeAloneTellVersionOneFromTwo) {
  const auto raw = map("ts_example_ct_report_totalseg.nii.gz");
  EXPECT_THAT(import_labels(raw, "totalsegmentator-v2").levels_present(),
              ::testing::ElementsAre("T11", "T12", "L1", "L2", "L3", "L4", "L5", "sacrum"));
  EXPECT_THAT([&] { import_labels(raw, "totalsegmentator-v1"); },
              ThrowsMessage<ConfigError>(HasSubstr("looks like totalsegmentator-v2 (T11 to sacrum)")));
}

TEST_F(LabelsOfRealScans, VerseCropInUnusualAxesImports) {
  const Anatomy a = import_labels(map("tptbox_ct/sub-ct_seg-vert_label-22_msk.nii.gz"), "verse");
  EXPECT_THAT(a.levels_present(), ::testing::ElementsAre("L2", "L3", "L4"));
  EXPECT_FALSE(a.has("cord"));
  EXPECT_THAT(a.warnings, Contains(AllOf(HasSubstr("cut by the edge"), HasSubstr("L2"), HasSubstr("L4"))));
}

TEST_F(LabelsOfRealScans, OtherKindsAreRefusedWithAReason) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"tptbox_ct/sub-ct_seg-subreg_label-22_msk.nii.gz", "subregion map"},
      {"tptbox_mri/sub-mri_seg-subreg_label-6_msk.nii.gz", "subregion map"},
      {"ts_test_result_totalseg_vertebrae_body.nii.gz", "vertebrae_body"},
      {"ts_sm_masks/spinal_cord.nii.gz", "binary mask"},
      {"ts_sm_masks/vertebrae_C1.nii.gz", "empty"},
      // C5 to C7 by their numbers, but of the size of lumbar vertebrae, and
      // with other values beside.
      {"tptbox_mri/sub-mri_seg-vert_label-6_msk.nii.gz", "no known convention"},
  };
  for (const auto& [file, reason] : files) {
    const auto raw = map(file);
    for (const char* convention : {"totalsegmentator-v1", "totalsegmentator-v2", "verse"})
      EXPECT_THAT([&] { import_labels(raw, convention); }, ThrowsMessage<ConfigError>(HasSubstr(reason)))
          << file << " as " << convention;
  }
}

TEST_F(LabelsOfRealScans, RefinedVertebraeAreVerse) {
  // Its makers call it TotalSegmentator; its values are those of VerSe, and the
  // import finds that out.
  const auto raw = map("ts_test_result_totalseg_vertebrae_pp_refined.nii.gz");
  EXPECT_THAT(import_labels(raw, "verse").levels_present(),
              ::testing::ElementsAre("T12", "L1", "L2", "L3", "L4", "L5"));
  EXPECT_THAT([&] { import_labels(raw, "totalsegmentator-v1"); },
              ThrowsMessage<ConfigError>(HasSubstr("looks like verse")));
}

TEST_F(LabelsOfRealScans, LabelsOfAnotherPatientDoNotOverlap) {
  const auto lumbar = map("ts_example_seg_all.nii.gz");
  const auto crop = map("tptbox_ct/sub-ct_seg-vert_label-22_msk.nii.gz");
  EXPECT_THROW(check_overlap(crop.grid, lumbar.grid), ConfigError);
}

}  // namespace
}  // namespace spinetherm
