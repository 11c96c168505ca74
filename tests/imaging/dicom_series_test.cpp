// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "imaging/read.h"
#include "tests/imaging/archive_fixture.h"
#include "tests/imaging/dicom_fixture.h"
#include "tests/imaging/io_fixture.h"
#include "tests/imaging/scan_folder.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Dicom : public FolderTest {
 protected:
  /// What read_image says of a series of six slices after `change`.
  std::string refusal(const std::function<void(FakeDicom&, int)>& change, int count = 6) {
    const auto here = folder / fmt::format("series{}", next_++);
    write_fake_series(here, count, change);
    try {
      read_image(here);
    } catch (const IoError& e) {
      EXPECT_TRUE(scan_dicom(here).series.at(0).refusal) << "info would not know";
      return e.what();
    }
    return "accepted";
  }

 private:
  int next_ = 0;
};

std::map<std::string, std::string> fake_files() {
  std::map<std::string, std::string> files{{"data/README.md", std::string(300, 'x')}};
  for (int slice = 0; slice < 6; ++slice)
    files[fmt::format("data/{:03}.dcm", 500 - slice)] = FakeDicom(slice, -100 + 2.0 * slice).bytes();
  return files;
}

TEST_F(Dicom, SortsByPositionAndAppliesTheRescale) {
  write_fake_series(folder, 6);
  put(folder / "README.md", std::string(300, 'x'));
  const Image ct = read_image(folder);
  EXPECT_EQ(ct.modality, Modality::ct);
  const Grid& g = ct.volume.grid;
  EXPECT_EQ(g.size, (std::array<int, 3>{FakeDicom::kColumns, FakeDicom::kRows, 6}));
  EXPECT_TRUE(g.spacing_mm.isApprox(Eigen::Vector3d(0.5, 0.75, 2)));
  EXPECT_TRUE(g.origin_mm.isApprox(Eigen::Vector3d(-10, -20, -100)));
  EXPECT_EQ(axis_letters(g), "LPS");
  for (int k = 0; k < 6; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        ASSERT_EQ(ct.volume(i, j, k), 2 * (100 * k + j * FakeDicom::kColumns + i) - 1024);
  EXPECT_EQ(scan_dicom(folder).other_files, 1u);
}

TEST_F(Dicom, SagittalSlicesKeepTheirAxes) {
  write_fake_series(folder, 5, [](FakeDicom& d, int slice) {
    d.set(0x00200037, "DS", "0\\1\\0\\0\\0\\-1")
        .set(0x00200032, "DS", fmt::format("{}\\5\\7", 3 - 1.5 * slice));
  });
  const Image image = read_image(folder);
  EXPECT_EQ(axis_letters(image.volume.grid), "PIR");  // row x column points to the right
  EXPECT_NEAR(image.volume.grid.spacing_mm[2], 1.5, 1e-12);
  EXPECT_NEAR(image.volume.grid.origin_mm[0], 3, 1e-12);
  EXPECT_FALSE(scan_dicom(folder).series[0].axial);
}

TEST_F(Dicom, RefusesEveryIrregularSeriesWithItsReason) {
  EXPECT_EQ(refusal({}), "accepted");
  const auto at = [](FakeDicom& d, double y, double z) {
    d.set(0x00200032, "DS", fmt::format("-10\\{}\\{}", y, z));
  };
  EXPECT_THAT(refusal([&](FakeDicom& d, int n) { at(d, -20 + 0.5 * n, 2 * n); }),
              HasSubstr("gantry tilt: slices are sheared by 14.0 deg"));
  EXPECT_THAT(refusal([&](FakeDicom& d, int n) { at(d, -20, 2 * n + (n > 3 ? 2 : 0)); }),
              HasSubstr("1 slice missing between 6.00 and 10.00 mm along the normal (slices 4 and 5 of 6)"));
  EXPECT_THAT(refusal([&](FakeDicom& d, int n) { at(d, -20, 2 * n + (n > 3 ? 0.7 : 0)); }),
              HasSubstr("uneven slices: 2.70 mm apart between 6.00 and 8.70"));
  EXPECT_THAT(refusal([&](FakeDicom& d, int n) { at(d, -20, 2 * (n == 5 ? 2 : n)); }),
              HasSubstr("1 duplicate slice position, e.g. at 4.00 mm"));
  EXPECT_THAT(refusal([&](FakeDicom& d, int n) { at(d, -20, 2 * (n / 2)); }),
              HasSubstr("4-D: 2 images at each of 3 positions"));
  EXPECT_THAT(refusal([&](FakeDicom& d, int) { at(d, -20, 0); }),
              HasSubstr("is not a volume: all 6 slices lie at one position"));
  EXPECT_THAT(refusal([](FakeDicom& d, int n) {
                if (n == 2) d.set(0x00200037, "DS", "0\\1\\0\\0\\0\\-1");
              }),
              HasSubstr("different orientation"));
  EXPECT_THAT(refusal([](FakeDicom& d, int n) {
                if (n == 2) d.set(0x00280030, "DS", "0.8\\0.8");
              }),
              HasSubstr("different pixel spacing"));
  EXPECT_THAT(refusal([](FakeDicom& d, int n) {
                if (n == 2) d.set_short(0x00280010, 2).pixels.resize(12);
              }),
              HasSubstr("different size"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.set(0x00080008, "CS", "ORIGINAL\\PRIMARY\\LOCALIZER"); }),
              HasSubstr("localizer"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.set_short(0x00280002, 3).set(0x00280004, "CS", "RGB"); }),
              HasSubstr("RGB"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.set(0x00080060, "CS", "RTSTRUCT"); }),
              HasSubstr("structure set"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.set(0x00280030, "DS", "0\\0.5"); }),
              HasSubstr("pixel spacing 0.5 x 0 mm"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.set(0x00280030, "DS", "nan\\0.5"); }),
              HasSubstr("pixel spacing"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.set(0x00200037, "DS", "1\\0\\0\\1\\0\\0"); }),
              HasSubstr("not orthonormal"));
  EXPECT_THAT(refusal([](FakeDicom& d, int) { d.erase(0x00200032); }), HasSubstr("without position"));
  EXPECT_THAT(refusal({}, 2), HasSubstr("is not a volume: 2 slices"));
}

TEST_F(Dicom, SmallRoundingOfPositionsIsNoGap) {
  write_fake_series(folder, 9, [](FakeDicom& d, int n) {
    d.set(0x00200032, "DS", fmt::format("-10\\-20\\{:.1f}", 1.25 * n));
  });
  EXPECT_NEAR(read_image(folder).volume.grid.spacing_mm[2], 1.25, 1e-9);
}

TEST_F(Dicom, AMultiFrameObjectIsSortedByItsFrames) {
  FakeDicom object(0, 0);
  object.pixels.clear();
  std::string frames;
  for (int n = 0; n < 5; ++n) {  // stored from the top down
    const std::string position = FakeDicom::element(0x00200032, "DS", fmt::format("1\\2\\{}", 30 - 3 * n));
    frames += FakeDicom::item(FakeDicom::element(0x00209113, "SQ", FakeDicom::item(position)));
    for (int p = 0; p < FakeDicom::kRows * FakeDicom::kColumns; ++p)
      object.pixels.push_back(std::int16_t(1000 + n));
  }
  object.set(0x00280008, "IS", "5").set(0x52009230, "SQ", frames);
  object.write(folder / "mf.dcm");
  const Image image = read_image(folder / "mf.dcm");
  EXPECT_EQ(image.volume.grid.size[2], 5);
  EXPECT_NEAR(image.volume.grid.origin_mm[2], 18, 1e-12);
  EXPECT_EQ(image.volume(0, 0, 0), 2 * 1004 - 1024);
  EXPECT_EQ(image.volume(0, 0, 4), 2 * 1000 - 1024);

  object.erase(0x52009230).write(folder / "mf.dcm");
  EXPECT_THAT([&] { read_image(folder / "mf.dcm"); },
              ThrowsMessage<IoError>(HasSubstr("no positions of their own")));
}

TEST_F(Dicom, ChoosesTheLargestAxialCtOrTheSeriesThatIsNamed) {
  const auto rename = [](const char* uid, const char* number, const char* modality) {
    return [=](FakeDicom& d, int) {
      d.set(0x0020000e, "UI", uid).set(0x00200011, "IS", number).set(0x00080060, "CS", modality);
    };
  };
  write_fake_series(folder / "a", 4, rename("1.1", "1", "CT"));
  write_fake_series(folder / "b", 7, rename("1.2", "2", "CT"));
  write_fake_series(folder / "c", 9, rename("1.3", "3", "MR"));
  EXPECT_EQ(read_image(folder).volume.grid.size[2], 7);
  EXPECT_THAT(read_image(folder).warnings, testing::ElementsAre(HasSubstr("series 2 of 3")));
  EXPECT_EQ(read_image(folder, {.series = "1"}).volume.grid.size[2], 4);
  EXPECT_EQ(read_image(folder, {.series = "1.3"}).volume.grid.size[2], 9);
  EXPECT_EQ(read_image(folder, {.series = "", .expected = Modality::mr_t2}).modality, Modality::mr_t2);
  EXPECT_EQ(read_image(folder, {.series = "", .expected = Modality::cbct}).modality, Modality::cbct);
  EXPECT_THAT([&] { read_image(folder, {.series = "8"}); },
              ThrowsMessage<IoError>(HasSubstr("there is 1: CT")));
  EXPECT_THAT([&] { read_image(folder, {.series = "3", .expected = Modality::ct}); },
              ThrowsMessage<IoError>(HasSubstr("a CT series is needed")));
}

TEST_F(Dicom, TheLargestSeriesIsNotReplacedSilentlyWhenItIsRefused) {
  write_fake_series(folder / "a", 4);
  write_fake_series(folder / "b", 9, [](FakeDicom& d, int n) {
    d.set(0x0020000e, "UI", "1.9")
        .set(0x00200011, "IS", "9")
        .set(0x00200032, "DS", fmt::format("0\\{}\\{}", n, 2 * n));
  });
  EXPECT_THAT([&] { read_image(folder); },
              ThrowsMessage<IoError>(
                  testing::AllOf(HasSubstr("gantry tilt"), HasSubstr("choose with --series: 5: CT"))));
  EXPECT_EQ(read_image(folder, {.series = "5"}).volume.grid.size[2], 4);
}

TEST_F(Dicom, ArchivesReadAsTheirFolder) {
  write_fake_series(folder / "data", 6);
  const Image expected = read_image(folder / "data");
  for (const char* name : {"s.tar.xz", "s.tar.gz", "s.tar", "s.zip"}) {
    write_archive(folder / name, fake_files(), std::string(name) == "s.zip");
    const Image image = read_image(folder / name);
    EXPECT_EQ(image.volume, expected.volume) << name;
    EXPECT_EQ(scan_dicom(folder / name).other_files, 1u);
  }
  const std::string whole = bytes_of(folder / "s.tar.xz");
  put(folder / "half.tar.xz", whole.substr(0, whole.size() / 2));
  EXPECT_THAT([&] { read_image(folder / "half.tar.xz"); },
              ThrowsMessage<IoError>(HasSubstr("archive is damaged")));
  EXPECT_THAT([&] { read_image(folder / "s.tar.xz", {.max_memory_MB = 0.001}); },
              ThrowsMessage<IoError>(HasSubstr("unpacks to more than")));
}

TEST_F(Dicom, TruncatedFilesAreRefused) {
  write_fake_series(folder, 6);
  const auto victim = folder / "498.dcm";
  const std::string whole = bytes_of(victim);
  for (const std::size_t keep : {std::size_t(40), std::size_t(140), whole.size() / 3, whole.size() / 2,
                                 whole.size() - 20, whole.size() - 1}) {
    put(victim, whole.substr(0, keep));
    EXPECT_THROW(read_image(folder), IoError) << keep << " of " << whole.size() << " bytes";
  }
  put(victim, whole);
  EXPECT_NO_THROW(read_image(folder));
}

TEST_F(Dicom, GarbledFilesNeverEndTheProgram) {
  write_fake_series(folder, 4);
  const auto victim = folder / "499.dcm";
  const std::string whole = bytes_of(victim);
  int refused = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::string bytes = whole;
    for (unsigned n = 0; n <= seed % 5; ++n) bytes[random() % bytes.size()] = char(random());
    put(victim, bytes);
    try {
      read_image(folder);
    } catch (const IoError& e) {
      ++refused;
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(refused, 25);
}

TEST_F(Dicom, MissingAndEmptyFolders) {
  EXPECT_THAT([&] { read_image(folder); }, ThrowsMessage<IoError>(HasSubstr("holds no DICOM image")));
  put(folder / "README.md", "nothing here");
  EXPECT_THAT([&] { read_image(folder); }, ThrowsMessage<IoError>(HasSubstr("holds no DICOM image")));
  EXPECT_THAT([&] { read_image(folder / "none"); }, ThrowsMessage<IoError>(HasSubstr("does not exist")));
}

class DicomScans : public ScanFolderTest {};

TEST_F(DicomScans, OddSeriesAreReadOrRefusedWithTheReason) {
  const std::map<std::string, std::string> expected = {
      {"d2n_failing_gantrytilting_001", "gantry tilt: slices are sheared by 14.0 deg"},
      {"d2n_failing_notavolume_001", "all 4 slices lie at one position"},
      {"d2n_failing_slicecount_001", "2 slices"},
      {"d2n_failing_sliceincrement_001", "1 slice missing between 28.11 and 38.11 mm"},
      {"d2n_failing_sliceincrement_002", "gantry tilt"},
      {"d2n_failing_sliceorientation_001", "different orientation"},
      {"d2n_ge_anatomical_001_single_slice", "1 slice"},
      {"d2n_generic_rgb_001", "RGB"},
      {"ge_head_variable_tilt_dicom.tar.xz", "sheared by 18.5 deg; uneven slices: 1.08 mm apart"},
      {"d2n_generic_anatomical_001", ""},
      {"d2n_generic_anatomical_002_non_isotropic", ""},
      {"d2n_generic_compressed_j2k_001", ""},
      {"d2n_generic_compressed_jpeg_001", ""},
      {"d2n_generic_compressed_jpegls_001", ""},
      {"d2n_generic_compressed_rle_001", ""},
      {"d2n_hitachi_anatomical_001", ""},
      {"d2n_hyperfine_anatomical_001", ""},
      {"d2n_philips_enhanced_anatomical_001", ""},
      {"d2n_siemens_multiframe_anatomical_001", ""},
      {"ibsi2_orientation", ""},
      {"dcmqi/ct-3slice", ""}};
  for (const auto& [name, reason] : expected) {
    std::string said;
    try {
      read_image(folder() / "dicom_odd" / name);
    } catch (const IoError& e) {
      said = e.what();
    }
    if (reason.empty())
      EXPECT_EQ(said, "") << name;
    else
      EXPECT_THAT(said, HasSubstr(reason)) << name;
  }
}

TEST_F(DicomScans, CompressedPixelsAreThoseOfTheUncompressedSeries) {
  // The same four noise slices in three lossless syntaxes.
  const auto odd = folder() / "dicom_odd";
  const auto rle = read_volume(odd / "d2n_generic_compressed_rle_001");
  EXPECT_EQ(read_volume(odd / "d2n_generic_compressed_jpegls_001"), rle);
  EXPECT_EQ(read_volume(odd / "d2n_generic_compressed_jpeg_001"), rle);
}

TEST_F(DicomScans, TheThoracicSeriesInItsArchive) {
  const Image ct = read_image(folder() / "ct" / "LIDC-IDRI-0314_dicom.tar.xz");
  EXPECT_EQ(ct.volume.grid.size, (std::array<int, 3>{512, 512, 275}));
  EXPECT_NEAR(ct.volume.grid.spacing_mm[2], 1, 1e-6);
  EXPECT_EQ(axis_letters(ct.volume.grid), "LPS");
  // Inside the body of T9, and air in front of the patient.
  EXPECT_GT(*sample_linear(ct.volume, {-8.0, 225, -566.0}), 0);
  EXPECT_LT(*sample_linear(ct.volume, {-8.0, -50, -566.0}), -900);
}

}  // namespace
}  // namespace spinetherm
