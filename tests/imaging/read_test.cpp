// SPDX-License-Identifier: Apache-2.0
#include "imaging/read.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "imaging/core/error.h"
#include "imaging/write.h"
#include "tests/imaging/io_fixture.h"
#include "tests/imaging/scan_folder.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Read : public FolderTest {
 protected:
  std::string error_of(const std::filesystem::path& path, const ReadOptions& options = {}) const {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    std::string said = "accepted";
    try {
      read_image(path, options);
    } catch (const IoError& e) {
      said = e.what();
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout(), "") << path;
    EXPECT_EQ(said.find('\n'), std::string::npos);
    return said;
  }
  /// A valid .nii whose header has been overwritten.
  template <class T>
  std::filesystem::path nifti(std::initializer_list<std::pair<std::size_t, T>> changes) const {
    const auto path = folder / "v.nii";
    write_volume(path, numbered<float>(oblique_grid(false)));
    std::string bytes = bytes_of(path);
    for (const auto& [offset, value] : changes) std::memcpy(bytes.data() + offset, &value, sizeof(T));
    put(path, bytes);
    return path;
  }
  std::filesystem::path mha(const std::string& lines, std::size_t bytes = 24) const {
    const auto path = folder / "v.mha";
    put(path, "ObjectType = Image\nNDims = 3\nBinaryData = True\n" + lines +
                  "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n" + std::string(bytes, '\7'));
    return path;
  }
  std::filesystem::path nrrd(const std::string& lines, std::size_t bytes = 24) const {
    const auto path = folder / "v.nrrd";
    put(path, "NRRD0004\ntype: uchar\nencoding: raw\n" + lines + "\n" + std::string(bytes, '\7'));
    return path;
  }
};

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kDim = 40, kPixdim = 76, kQform = 252, kSform = 254, kSrow = 280, kType = 70,
                      kUnits = 123;

TEST_F(Read, WhatIsNotThereOrNotAnImage) {
  EXPECT_THAT(error_of(folder / "none.nii.gz"), HasSubstr("does not exist"));
  EXPECT_THAT(error_of(folder), HasSubstr("holds no DICOM image"));
  put(folder / "text.nii.gz", "this is a text, not an image\n");
  EXPECT_THAT(error_of(folder / "text.nii.gz"), HasSubstr("too short for a NIfTI header"));
  put(folder / "long.nii.gz", std::string(1000, 'x'));
  EXPECT_THAT(error_of(folder / "long.nii.gz"), HasSubstr("is not a NIfTI file"));
  put(folder / "text.nrrd", std::string(1000, 'x'));
  EXPECT_THAT(error_of(folder / "text.nrrd"), HasSubstr("is not an NRRD file"));
  put(folder / "text.mha", std::string(1000, 'x'));
  EXPECT_THAT(error_of(folder / "text.mha"), HasSubstr("is not a MetaImage file"));
  put(folder / "empty.nrrd", "");
  EXPECT_THAT(error_of(folder / "empty.nrrd"), HasSubstr("is empty"));
  put(folder / "notes.txt", "notes");
  EXPECT_THAT(error_of(folder / "notes.txt"), HasSubstr("is no image that is known here"));
  EXPECT_THAT(error_of(nifti<float>({}), {.series = "3"}), HasSubstr("has no series"));
  EXPECT_THROW(read_image(folder, {.max_memory_MB = -1}), ConfigError);
}

TEST_F(Read, TruncatedFiles) {
  for (const char* name : {"v.nii", "v.nii.gz", "v.nrrd", "v.mha"}) {
    Grid grid = oblique_grid(false);
    grid.size = {40, 30, 20};
    const auto path = folder / name;
    write_volume(path, numbered<float>(grid, 0, 0.37));
    const std::string whole = bytes_of(path);
    ASSERT_EQ(error_of(path), "accepted");
    for (const double part : {0.1, 0.5, 0.9, 0.99}) {
      put(path, whole.substr(0, std::size_t(part * double(whole.size()))));
      EXPECT_THAT(error_of(path), HasSubstr("trunca")) << name << " " << part;
    }
  }
}

TEST_F(Read, NiftiGeometryThatCannotBeMeant) {
  using F = std::pair<std::size_t, float>;
  EXPECT_EQ(error_of(nifti<float>({})), "accepted");
  EXPECT_THAT(error_of(nifti<float>({F{kPixdim + 8, 0}})), HasSubstr("spacing 0.5 x 0 x 3"));
  EXPECT_THAT(error_of(nifti<float>({F{kPixdim + 4, -1}})), HasSubstr("spacing -1 x"));
  EXPECT_THAT(error_of(nifti<float>({F{kPixdim + 12, kNan}})), HasSubstr("nan"));
  EXPECT_THAT(error_of(nifti<float>({F{kSrow, kNan}})), HasSubstr("not a finite number"));
  EXPECT_THAT(error_of(nifti<float>({F{kSrow, 0}, F{kSrow + 16, 0}, F{kSrow + 32, 0}})),
              HasSubstr("spacing 0 x"));
  EXPECT_THAT(error_of(nifti<float>({F{kSrow, 0}, F{kSrow + 4, 0}, F{kSrow + 8, 0}})), HasSubstr("singular"));
  EXPECT_THAT(error_of(nifti<float>({F{kSrow + 8, 2}})), HasSubstr("sheared"));
  using S = std::pair<std::size_t, std::int16_t>;
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kQform, 0}, S{kSform, 0}})), HasSubstr("gives no orientation"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kDim + 2, -5}})), HasSubstr("a dimension of the image is -5"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kDim, 9}})), HasSubstr("broken NIfTI header"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kDim, 4}, S{kDim + 8, 3}})),
              HasSubstr("is 4-D with 3 volumes"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kDim, 2}})), HasSubstr("is 2-D"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kType, 128}})), HasSubstr("3 values per voxel (rgb24)"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kType, 77}})), HasSubstr("NIfTI type 77"));
  EXPECT_THAT(error_of(nifti<std::int16_t>({S{kDim + 2, 32767}, S{kDim + 4, 32767}, S{kDim + 6, 32767}})),
              HasSubstr("is truncated: 560 of 140724603846652 bytes"));
  EXPECT_EQ(error_of(nifti<std::int16_t>({S{kDim, 4}, S{kDim + 8, 1}})), "accepted") << "a time axis of one";
}

TEST_F(Read, NiftiInMetresIsTurnedIntoMillimetres) {
  const auto path = nifti<char>({{kUnits, char(1)}});
  const Grid grid = read_volume(path).grid;
  EXPECT_TRUE(grid.spacing_mm.isApprox(1000 * oblique_grid(false).spacing_mm, 1e-5));
}

TEST_F(Read, AnSformThatContradictsTheQformIsUsedWithAWarning) {
  const auto path = nifti<float>({{kSrow + 12, 500.f}});
  const Image image = read_image(path);
  EXPECT_NEAR(image.volume.grid.origin_mm[0], -500, 1e-3);  // LPS of RAS
  EXPECT_THAT(image.warnings, testing::ElementsAre(HasSubstr("qform and sform differ by")));
}

TEST_F(Read, MetaImageGeometryThatCannotBeMeant) {
  const std::string size = "DimSize = 2 3 4\n", spacing = "ElementSpacing = 1 1 1\n";
  EXPECT_EQ(error_of(mha(size + spacing)), "accepted");
  EXPECT_THAT(error_of(mha(size + "ElementSpacing = 1 0 1\n")), HasSubstr("spacing 1 x 0 x 1"));
  EXPECT_THAT(error_of(mha(size + "ElementSpacing = 1 -2 1\n")), HasSubstr("spacing 1 x -2 x 1"));
  EXPECT_THAT(error_of(mha(size + "ElementSpacing = 1 nan 1\n")), HasSubstr("spacing 1 x nan x 1"));
  EXPECT_THAT(error_of(mha(size + spacing + "TransformMatrix = 1 0 0 1 0 0 0 0 1\n")), HasSubstr("singular"));
  EXPECT_THAT(error_of(mha(size + spacing + "TransformMatrix = 0 0 0 0 0 0 0 0 0\n")), HasSubstr("singular"));
  EXPECT_THAT(error_of(mha(size + spacing + "TransformMatrix = 1 0 0 0 1 0\n")), HasSubstr("does not fit"));
  EXPECT_THAT(error_of(mha(size + spacing + "Offset = nan 0 0\n")), HasSubstr("not a finite number"));
  EXPECT_THAT(error_of(mha(size)), HasSubstr("gives no spacing"));
  EXPECT_THAT(error_of(mha("DimSize = 100000 100000 100000\n" + spacing)), HasSubstr("is truncated"));
  EXPECT_THAT(error_of(mha("CompressedData = True\nDimSize = 100000 100000 100000\n" + spacing)),
              HasSubstr("100000 x 100000 x 100000 voxels, which need"));
  EXPECT_THAT(error_of(mha("DimSize = 2 0 4\n" + spacing)), HasSubstr("a dimension of the image is 0"));
  EXPECT_THAT(error_of(mha("DimSize = 2 3 1e30\n" + spacing)),
              HasSubstr("a dimension of the image is 1e+30"));
  EXPECT_THAT(error_of(mha("ElementNumberOfChannels = 3\n" + size + spacing, 72)),
              HasSubstr("3 values per voxel"));
  EXPECT_THAT(error_of(mha(spacing)), HasSubstr("broken MetaImage header"));
}

TEST_F(Read, NrrdGeometryThatCannotBeMeant) {
  const std::string size = "dimension: 3\nsizes: 2 3 4\n", lps = "space: left-posterior-superior\n",
                    axes = "space directions: (1,0,0) (0,1,0) (0,0,1)\n", origin = "space origin: (0,0,0)\n";
  EXPECT_EQ(error_of(nrrd(size + lps + axes + origin)), "accepted");
  EXPECT_THAT(error_of(nrrd(size + axes + origin)), HasSubstr("names no space"));
  EXPECT_THAT(error_of(nrrd(size + "spacings: 1 0 1\n")), HasSubstr("spacing 0"));
  EXPECT_THAT(error_of(nrrd(size + lps + "space directions: (1,0,0) (0,0,0) (0,0,1)\n" + origin)),
              HasSubstr("spacing 1 x 0 x 1"));
  EXPECT_THAT(error_of(nrrd(size + lps + "space directions: (1,0,0) (1,0,0) (0,0,1)\n" + origin)),
              HasSubstr("singular"));
  EXPECT_THAT(error_of(nrrd(size + lps + "space directions: (1,0,0) (0.3,1,0) (0,0,1)\n" + origin)),
              HasSubstr("sheared"));
  EXPECT_THAT(error_of(nrrd(size + lps + "space directions: (nan,0,0) (0,1,0) (0,0,1)\n" + origin)),
              HasSubstr("not a finite number"));
  EXPECT_THAT(
      error_of(nrrd("dimension: 3\nsizes: 100000 100000 100000\nencoding: gzip\n" + lps + axes + origin)),
      HasSubstr("100000 x 100000 x 100000 voxels, which need"));
  EXPECT_THAT(error_of(nrrd("dimension: 4\nsizes: 2 3 4 5\nkinds: domain domain domain list\n" + lps +
                                "space directions: (1,0,0) (0,1,0) (0,0,1) none\n" + origin,
                            120)),
              HasSubstr("is 4-D with 5 volumes"));
  EXPECT_THAT(error_of(nrrd("dimension: 4\nsizes: 3 2 3 4\nkinds: vector domain domain domain\n" + lps +
                                "space directions: none (1,0,0) (0,1,0) (0,0,1)\n" + origin,
                            72)),
              HasSubstr("field of 3-vectors"));
  EXPECT_THAT(
      error_of(nrrd("dimension: 4\nsizes: 2 2 3 4\nkinds: list domain domain domain\n" + lps +
                        "space directions: none (1,0,0) (0,1,0) (0,0,1)\n" + origin + "Segment0_ID:=a\n",
                    48)),
      HasSubstr("2 layers of overlapping segments"));
}

TEST_F(Read, NrrdSpacesBecomeLps) {
  const std::string rest =
      "dimension: 3\nsizes: 2 3 4\nspace directions: (1,0,0) (0,2,0) (0,0,3)\nspace origin: (10,20,30)\n";
  const Grid ras = read_volume(nrrd("space: right-anterior-superior\n" + rest)).grid;
  EXPECT_EQ(axis_letters(ras), "RAS");
  EXPECT_TRUE(ras.origin_mm.isApprox(Eigen::Vector3d(-10, -20, 30)));
  const Grid las = read_volume(nrrd("space: LAS\n" + rest)).grid;
  EXPECT_EQ(axis_letters(las), "LAS");
  EXPECT_TRUE(las.origin_mm.isApprox(Eigen::Vector3d(10, -20, 30)));
}

TEST_F(Read, TheMemoryLimitActsBeforeAllocation) {
  const auto path = folder / "v.nii.gz";
  write_volume(path, numbered<float>(oblique_grid(false)));
  EXPECT_THAT(error_of(path, {.max_memory_MB = 0.001}), HasSubstr("the limit is 0 MB"));
}

TEST_F(Read, LabelsAreWholeNumbersFromZeroUp) {
  const Grid grid = oblique_grid(true);
  const auto path = folder / "l.nii.gz";
  Volume<float> values(grid, 3.f);
  write_volume(path, values);
  EXPECT_EQ(read_label_volume(path).values, std::vector<std::uint32_t>(grid.count(), 3));
  const auto refused = [&](float v) {
    values[5] = v;
    write_volume(path, values);
    EXPECT_THAT([&] { read_label_volume(path); }, ThrowsMessage<IoError>(HasSubstr("is no label map")));
  };
  refused(2.5f);
  refused(-1);
  refused(kNan);
  refused(1e12f);
  Volume<std::uint32_t> large(grid, 4294967295u);
  write_volume(folder / "l.nrrd", large);
  EXPECT_EQ(read_label_volume(folder / "l.nrrd").values, large.values);
}

TEST_F(Read, VoxelsThatAreNotNumbersAreReported) {
  auto volume = numbered<float>(oblique_grid(false));
  volume[3] = kNan;
  write_volume(folder / "v.nrrd", volume);
  EXPECT_THAT(read_image(folder / "v.nrrd").warnings,
              testing::ElementsAre("1 voxels are not finite numbers"));
}

class ReadScans : public ScanFolderTest {};

TEST_F(ReadScans, FortyEightAxisOrdersAreOneHead) {
  const auto orders = folder() / "nifti_odd" / "48_orientations";
  const auto reference = read_volume(orders / "RAS.nii.gz");
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(orders)) {
    const auto volume = read_volume(entry.path());
    EXPECT_EQ(axis_letters(volume.grid), entry.path().filename().string().substr(0, 3));
    for (const Eigen::Vector3d& at :
         {Eigen::Vector3d(20, 10, 30), Eigen::Vector3d(-30, -25, 5), Eigen::Vector3d(5, 40, -12)}) {
      const auto here = sample_linear(volume, at), there = sample_linear(reference, at);
      ASSERT_TRUE(here && there) << entry.path();
      EXPECT_NEAR(*here, *there, 1e-2) << entry.path();
    }
    ++read;
  }
  EXPECT_EQ(read, 48);
}

TEST_F(ReadScans, ASecondFileFormatShowsTheSameHead) {
  const auto odd = folder() / "nifti_odd";
  EXPECT_EQ(read_volume(odd / "ras.hdr"), read_volume(odd / "ras.img"));
  EXPECT_THAT([&] { read_image(odd / "shear.nii.gz"); },
              ThrowsMessage<IoError>(HasSubstr("sheared, 18.50 deg")));
  EXPECT_THAT([&] { read_image(odd / "complex_image.nii.gz"); },
              ThrowsMessage<IoError>(HasSubstr("complex64")));
  EXPECT_THAT([&] { read_image(odd / "ct_perfusion.nii.gz"); }, ThrowsMessage<IoError>(HasSubstr("rgb24")));
  EXPECT_THAT([&] { read_image(odd / "warp_5d_vector_with_FLT_MAX.nii.gz"); },
              ThrowsMessage<IoError>(HasSubstr("field of 3-vectors")));
  EXPECT_THAT([&] { read_image(odd / "minimal.nii.gz"); },
              ThrowsMessage<IoError>(HasSubstr("no orientation")));
  EXPECT_EQ(read_label_volume(folder() / "labels" / "ts_example_seg_all.nii.gz").grid,
            read_volume(folder() / "ct" / "ts_example_ct.nii.gz").grid);
}

}  // namespace
}  // namespace spinetherm
