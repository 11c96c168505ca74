// SPDX-License-Identifier: Apache-2.0
#include "imaging/info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "imaging/core/error.h"
#include "imaging/read.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"
#include "tests/imaging/dicom_fixture.h"
#include "tests/imaging/io_fixture.h"
#include "tests/imaging/scan_folder.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Info : public FolderTest {};

TEST_F(Info, DescribesAVolume) {
  const Grid grid = oblique_grid(true);
  write_volume(folder / "ct.nii.gz", numbered<float>(grid, -1000, 12.5));
  const ScanInfo info = describe(folder / "ct.nii.gz");
  ASSERT_EQ(info.items.size(), 1u);
  const ScanItem& item = info.items[0];
  EXPECT_EQ(item.kind, "image");
  EXPECT_EQ(item.format, "NIfTI");
  EXPECT_EQ(item.value_type, "float32");
  EXPECT_EQ(item.size, (std::vector<std::int64_t>{7, 5, 4}));
  ASSERT_TRUE(item.grid);
  EXPECT_TRUE(same_geometry(*item.grid, grid));
  ASSERT_TRUE(item.range);
  EXPECT_EQ(*item.range, (std::array<double, 2>{-1000, -1000 + 12.5 * 139}));
  EXPECT_EQ(item.refusal, "");
  const auto json = to_json(info);
  EXPECT_EQ(json["items"][0]["axes"], axis_letters(grid));
  EXPECT_TRUE(json["items"][0]["refusal"].is_null());
  EXPECT_THAT(to_text(info), HasSubstr("range    -1000 to 737.5 (all voxels)"));
}

TEST_F(Info, TellsALabelMapFromAnImage) {
  Volume<StructureValue> labels(oblique_grid(false));
  for (std::size_t n = 40; n < 80; ++n) labels[n] = *structure_value("cord");
  write_labels(folder / "a.nrrd", labels);
  write_labels(folder / "b.nii.gz", labels);
  for (const char* name : {"a.nrrd", "b.nii.gz"}) {
    const ScanItem item = describe(folder / name).items.at(0);
    EXPECT_EQ(item.kind, "label map") << name;
    EXPECT_EQ(item.labels, std::vector<std::uint32_t>{*structure_value("cord")});
  }
  write_volume(folder / "c.nii.gz", numbered<std::uint8_t>(oblique_grid(false)));
  EXPECT_EQ(describe(folder / "c.nii.gz").items.at(0).kind, "image");
}

TEST_F(Info, DescribesTransformsAndOwnDocuments) {
  write_transform(folder / "t.h5",
                  {Eigen::Quaterniond(Eigen::AngleAxisd(0.5, Eigen::Vector3d::UnitZ())), {1, 2, 3}});
  const ScanItem item = describe(folder / "t.h5").items.at(0);
  EXPECT_EQ(item.kind, "transform");
  EXPECT_THAT(item.notes.at(1), HasSubstr("turns by 28.648 deg, moves the origin to 1.000, 2.000, 3.000 mm"));
  EXPECT_THAT(item.refusal, HasSubstr("not an image"));
  put(folder / "case.json", R"({"format": "spinetherm.case", "version": 1})");
  EXPECT_EQ(describe(folder / "case.json").items.at(0).kind, "spinetherm.case document");
}

TEST_F(Info, DescribesEverySeriesOfAFolderAndWhyOneIsRefused) {
  write_fake_series(folder / "good", 5);
  write_fake_series(folder / "tilted", 5, [](FakeDicom& d, int n) {
    d.set(0x0020000e, "UI", "9.9")
        .set(0x00200011, "IS", "6")
        .set(0x00200032, "DS", fmt::format("0\\{}\\{}", n, 2 * n));
  });
  put(folder / "README.md", "notes");
  const ScanInfo info = describe(folder);
  EXPECT_EQ(info.what, "DICOM folder");
  EXPECT_EQ(info.other_files, 1u);
  ASSERT_EQ(info.items.size(), 2u);
  EXPECT_EQ(info.items[0].series_number, 5);
  EXPECT_EQ(info.items[0].modality, "CT");
  EXPECT_TRUE(info.items[0].axial);
  EXPECT_EQ(info.items[0].range_of, "the middle slice");
  EXPECT_EQ(*info.items[0].range, (std::array<double, 2>{2 * 200 - 1024, 2 * 223 - 1024}));
  EXPECT_FALSE(info.items[1].grid);
  EXPECT_THAT(info.items[1].refusal, HasSubstr("gantry tilt"));
  const ScanItem slice = describe(folder / "good" / "500.dcm").items.at(0);
  EXPECT_THAT(slice.refusal, HasSubstr("name the folder of the whole series"));
}

TEST_F(Info, NothingKnownIsAOneLineError) {
  EXPECT_THAT([&] { describe(folder / "none"); }, ThrowsMessage<IoError>(HasSubstr("does not exist")));
  EXPECT_THAT([&] { describe(folder); }, ThrowsMessage<IoError>(HasSubstr("holds no DICOM image")));
  put(folder / "notes.txt", "notes");
  EXPECT_THAT([&] { describe(folder / "notes.txt"); },
              ThrowsMessage<IoError>(HasSubstr("is no image that is known")));
}

class InfoScans : public ScanFolderTest {};

TEST_F(InfoScans, EveryFileAndFolderIsAnsweredWithinTenSeconds) {
  std::vector<std::filesystem::path> paths{folder()};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder()))
    paths.push_back(entry.path());
  int summaries = 0, accepted = 0;
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  for (const auto& path : paths) {
    const std::clock_t start = std::clock();  // processor time: a busy machine must not fail the test
    try {
      const ScanInfo info = describe(path);
      EXPECT_FALSE(info.items.empty()) << path;
      EXPECT_FALSE(to_text(info).empty());
      EXPECT_FALSE(to_json(info).dump().empty());
      ++summaries;
      for (const auto& item : info.items) {
        accepted += item.refusal.empty();
        EXPECT_EQ(item.refusal.find('\n'), std::string::npos) << path;
      }
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << path;
    }
    EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, 10) << path;
  }
  const std::string said = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  EXPECT_EQ(said, "") << "a library talked";
  EXPECT_GT(summaries, 200);
  EXPECT_GT(accepted, 100);
}

TEST_F(InfoScans, InfoAndReadAgreeOnWhatIsRefused) {
  for (const char* part : {"nifti_odd", "dicom_odd"})
    for (const auto& entry : std::filesystem::directory_iterator(folder() / part)) {
      if (entry.path().filename() == "48_orientations" || entry.path().filename() == "dcmqi") continue;
      bool info_accepts = false;
      for (const auto& item : describe(entry.path()).items) info_accepts |= item.refusal.empty();
      bool read_accepts = true;
      try {
        read_image(entry.path());
      } catch (const IoError&) {
        read_accepts = false;
      }
      EXPECT_EQ(info_accepts, read_accepts) << entry.path();
    }
}

}  // namespace
}  // namespace spinetherm
