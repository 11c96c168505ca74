// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "imaging/core/error.h"
#include "imaging/dicom_series.h"
#include "imaging/info.h"
#include "imaging/read.h"
#include "tests/imaging/dicom_fixture.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::ThrowsMessage;

class DicomWriter : public FolderTest {
 protected:
  std::string refusal(const Volume<float>& volume) {
    try {
      write_dicom_series(folder / "refused", volume);
    } catch (const Error& e) {
      EXPECT_EQ(files_in_folder(), 0u) << "something was left behind";
      return e.what();
    }
    return "accepted";
  }
  /// An element of explicit VR with a 16-bit length, as it lies in the file; empty: not there.
  static std::string element(const std::string& bytes, std::uint32_t tag, const std::string& vr) {
    const std::string head = FakeDicom::element(tag, vr, "").substr(0, 6);
    const auto at = bytes.find(head, 132);
    if (at == std::string::npos) return "";
    const auto byte = [&](std::size_t n) { return std::size_t(static_cast<unsigned char>(bytes[n])); };
    std::string value = bytes.substr(at + 8, byte(at + 6) + 256 * byte(at + 7));
    while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) value.pop_back();
    return value;
  }
};

/// Value of the voxel of `volume` at the place of voxel (i, j, k) of `grid`.
float at_same_place(const Volume<float>& volume, const Grid& grid, int i, int j, int k) {
  const Eigen::Vector3d ijk = volume.grid.to_index(grid.to_world(i, j, k));
  EXPECT_LT((ijk - ijk.array().round().matrix()).norm(), 1e-6);
  return sample_nearest(volume, grid.to_world(i, j, k)).value_or(-9999);
}

TEST_F(DicomWriter, GridAndEveryVoxelComeBackInEveryAxisOrderAndTilt) {
  const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  int name = 0;
  for (const auto& order : orders)
    for (int signs = 0; signs < 8; ++signs)
      for (const bool oblique : {false, true}) {
        Grid grid = oblique_grid(false);
        const Eigen::Matrix3d tilt = oblique ? grid.direction : Eigen::Matrix3d::Identity();
        for (int a = 0; a < 3; ++a) grid.direction.col(a) = tilt.col(order[a]) * ((signs >> a & 1) ? -1 : 1);
        const auto written = numbered<float>(grid, -1024, 7);
        const auto path = folder / std::to_string(name++);
        const DicomWriteSummary done = write_dicom_series(path, written);
        EXPECT_EQ(done.files, 4u);
        EXPECT_EQ(done.step_HU, 1);
        EXPECT_EQ(done.rounding_HU, 0);
        const Image back = read_image(path);
        EXPECT_EQ(back.modality, Modality::ct);
        EXPECT_TRUE(back.warnings.empty());
        if (grid.direction.determinant() > 0) {
          EXPECT_TRUE(same_geometry(back.volume.grid, grid, 1e-6)) << axis_letters(grid);
          EXPECT_EQ(back.volume.values, written.values) << axis_letters(grid);
          continue;
        }
        // DICOM has no handedness: the same voxels at the same places, slices the other way.
        Grid turned = grid;
        turned.origin_mm = grid.to_world(0, 0, grid.size[2] - 1);
        turned.direction.col(2) *= -1;
        EXPECT_TRUE(same_geometry(back.volume.grid, turned, 1e-6)) << axis_letters(grid);
        for (int k = 0; k < grid.size[2]; ++k)
          for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
              EXPECT_EQ(at_same_place(back.volume, grid, i, j, k), written(i, j, k));
      }
}

TEST_F(DicomWriter, LongFractionsOfAMillimetreSurvive) {
  Grid grid = oblique_grid(false);
  grid.spacing_mm = {1.0 / 3, 0.6999999999, 1.2345678901234};
  grid.origin_mm = {-123.4567890123456, 1e-9, 1234.5678901234567};
  write_dicom_series(folder / "ct", Volume<float>(grid, -5));
  EXPECT_TRUE(same_geometry(read_image(folder / "ct").volume.grid, grid, 1e-9));
}

TEST_F(DicomWriter, TheWholeRangeOfInt16IsKept) {
  Volume<float> volume(oblique_grid(false), 0);
  volume[0] = -32768;
  volume[1] = 32767;
  write_dicom_series(folder / "ct", volume);
  EXPECT_EQ(read_volume(folder / "ct").values, volume.values);
}

TEST_F(DicomWriter, FractionsAreStoredInTheFinestStepThatFits) {
  auto volume = numbered<float>(oblique_grid(false), -1000.3, 0.7);
  DicomWriteSummary done = write_dicom_series(folder / "fine", volume);
  EXPECT_EQ(done.step_HU, 1.0 / 16);
  EXPECT_GT(done.rounding_HU, 0);
  EXPECT_LE(done.rounding_HU, 1.0 / 32);
  const auto back = read_volume(folder / "fine");
  for (std::size_t n = 0; n < volume.values.size(); ++n)
    EXPECT_NEAR(back[n], volume[n], done.rounding_HU + 1e-6);

  volume[3] = 8000;  // metal
  EXPECT_EQ(write_dicom_series(folder / "coarse", volume).step_HU, 0.25);
  Volume<float> quarters(oblique_grid(false), -0.25);
  EXPECT_EQ(write_dicom_series(folder / "exact", quarters).rounding_HU, 0);
  EXPECT_EQ(read_volume(folder / "exact").values, quarters.values);
}

TEST_F(DicomWriter, RefusesWhatDicomCannotHold) {
  const Grid grid = oblique_grid(false);
  Volume<float> volume(grid, -10);
  volume[5] = 32768;
  EXPECT_THAT(refusal(volume), HasSubstr("do not fit"));
  volume[5] = -32769;
  EXPECT_THAT(refusal(volume), HasSubstr("do not fit"));
  volume[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal(volume), HasSubstr("1 voxels that are no finite number"));
  volume[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal(volume), HasSubstr("no finite number"));
  volume[5] = 30000;
  volume[6] = 0.5;  // half a step of the only step that holds 30000
  EXPECT_THAT(refusal(volume), HasSubstr("would change by 0.5 HU"));
  Grid flat = grid;
  flat.size[2] = 2;
  EXPECT_THAT(refusal(Volume<float>(flat, -10)), HasSubstr("has 2 slices"));
  Grid wide = grid;
  wide.size = {65536, 1, 3};
  EXPECT_THAT(refusal(Volume<float>(wide, -10)), HasSubstr("65536 x 1 pixels"));
  Volume<float> empty;
  empty.grid = grid;
  EXPECT_THAT(refusal(empty), HasSubstr("another number of values"));
}

TEST_F(DicomWriter, NeverWritesOverAnything) {
  const Volume<float> volume(oblique_grid(false), -10);
  put(folder / "file", "precious");
  std::filesystem::create_directory(folder / "full");
  put(folder / "full" / "notes.txt", "precious");
  for (const char* name : {"file", "full"})
    EXPECT_THAT([&] { write_dicom_series(folder / name, volume); },
                ThrowsMessage<IoError>(HasSubstr("exists and is not an empty folder")));
  EXPECT_THAT([&] { write_dicom_series(folder / "none" / "ct", volume); },
              ThrowsMessage<IoError>(HasSubstr("its folder does not exist")));
  EXPECT_EQ(bytes_of(folder / "file"), "precious");
  EXPECT_EQ(files_in_folder(), 2u);
  std::filesystem::create_directory(folder / "empty");
  write_dicom_series(folder / "empty" / "", volume);
  EXPECT_EQ(scan_dicom(folder / "empty").files.size(), 4u);
}

TEST_F(DicomWriter, TheSameVolumeIsTheSameObjectsAndAnotherIsNot) {
  auto volume = numbered<float>(oblique_grid(false), -1000);
  const auto first = write_dicom_series(folder / "a", volume);
  const auto second = write_dicom_series(folder / "b", volume);
  EXPECT_EQ(first.series_uid, second.series_uid);
  for (const char* name : {"slice-0001.dcm", "slice-0004.dcm"})
    EXPECT_EQ(bytes_of(folder / "a" / name), bytes_of(folder / "b" / name));
  volume[70] += 1;
  EXPECT_NE(write_dicom_series(folder / "c", volume).series_uid, first.series_uid);
  volume[70] -= 1;
  volume.grid.origin_mm[2] += 0.001;
  EXPECT_NE(write_dicom_series(folder / "d", volume).series_uid, first.series_uid);
}

TEST_F(DicomWriter, UidsAreUuidsUnder225AndEveryInstanceHasItsOwn) {
  write_dicom_series(folder / "ct", numbered<float>(oblique_grid(false), -1000));
  std::set<std::string> uids;
  for (int n = 1; n <= 4; ++n) {
    const std::string bytes = bytes_of(folder / "ct" / fmt::format("slice-{:04}.dcm", n));
    const std::string uid = element(bytes, 0x00080018, "UI");
    EXPECT_THAT(uid, MatchesRegex("2\\.25\\.[1-9][0-9]{20,38}"));
    uids.insert(uid);
    uids.insert(element(bytes, 0x0020000d, "UI"));
    uids.insert(element(bytes, 0x0020000e, "UI"));
    uids.insert(element(bytes, 0x00200052, "UI"));
    EXPECT_EQ(element(bytes, 0x00200013, "IS"), std::to_string(n));
  }
  EXPECT_EQ(uids.size(), 7u) << "4 images, study, series, frame of reference";
}

TEST_F(DicomWriter, SaysWhatItIsAndGuessesNothing) {
  write_dicom_series(folder / "ct", numbered<float>(oblique_grid(false), -1000));
  const std::string bytes = bytes_of(folder / "ct" / "slice-0001.dcm");
  EXPECT_EQ(element(bytes, 0x00080008, "CS"), "DERIVED\\SECONDARY\\AXIAL");
  EXPECT_EQ(element(bytes, 0x00080016, "UI"), "1.2.840.10008.5.1.4.1.1.2");
  EXPECT_EQ(element(bytes, 0x00281054, "LO"), "HU");
  EXPECT_THAT(element(bytes, 0x00100010, "PN"), HasSubstr("Derived research object"));
  EXPECT_THAT(element(bytes, 0x00100020, "LO"), HasSubstr("derived-research-object"));
  EXPECT_THAT(element(bytes, 0x00081030, "LO"), HasSubstr("Not for treating patients"));
  for (const auto& [tag, vr] : std::map<std::uint32_t, std::string>{
           {0x00180060, "DS"}, {0x00200012, "IS"}, {0x00185100, "CS"}, {0x00080020, "DA"}}) {
    EXPECT_NE(bytes.find(FakeDicom::element(tag, vr, "")), std::string::npos) << "there, and empty";
  }
}

TEST_F(DicomWriter, InfoShowsACt) {
  write_dicom_series(folder / "ct", numbered<float>(oblique_grid(false), -1000, 5));
  const ScanItem item = describe(folder / "ct").items.at(0);
  EXPECT_EQ(item.kind, "image");
  EXPECT_EQ(item.modality, "CT");
  EXPECT_EQ(item.refusal, "");
  EXPECT_EQ(item.files, 4u);
  EXPECT_EQ(item.size, (std::vector<std::int64_t>{7, 5, 4}));
}

}  // namespace
}  // namespace spinetherm
