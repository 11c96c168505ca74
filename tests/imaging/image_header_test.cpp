// SPDX-License-Identifier: Apache-2.0
#include "imaging/image_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "imaging/write.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class ImageHeaderTest : public FolderTest {
 protected:
  /// A file of 5 x 4 x 3 voxels.
  std::filesystem::path written(const char* name) const {
    Grid grid = oblique_grid(true);
    grid.size = {5, 4, 3};
    write_volume(folder / name, numbered<std::int16_t>(grid));
    return folder / name;
  }
};

TEST_F(ImageHeaderTest, TheFormatIsTheNamesElseTheFirstBytes) {
  EXPECT_EQ(volume_format("none.NII.GZ"), VolumeFormat::nifti);
  EXPECT_EQ(volume_format("none.img"), VolumeFormat::nifti);
  EXPECT_EQ(volume_format("none.nhdr"), VolumeFormat::nrrd);
  EXPECT_EQ(volume_format("none.mhd"), VolumeFormat::meta);
  EXPECT_EQ(volume_format("none.dcm"), std::nullopt);
  EXPECT_EQ(volume_format(folder), std::nullopt);
  for (const auto& [name, format] : std::map<const char*, VolumeFormat>{{"a.nii", VolumeFormat::nifti},
                                                                        {"b.nii.gz", VolumeFormat::nifti},
                                                                        {"c.nrrd", VolumeFormat::nrrd},
                                                                        {"d.mha", VolumeFormat::meta}}) {
    std::filesystem::rename(written(name), folder / "nameless");
    EXPECT_EQ(volume_format(folder / "nameless"), format) << name;
    EXPECT_EQ(read_image_header(folder / "nameless").format, format) << name;
  }
  put(folder / "nameless", "a text");
  EXPECT_EQ(volume_format(folder / "nameless"), std::nullopt);
}

TEST_F(ImageHeaderTest, EveryFormatDeclaresTheSame) {
  for (const char* name : {"a.nii", "a.nii.gz", "a.nrrd", "a.mha"}) {
    SCOPED_TRACE(name);
    const ImageHeader h = read_image_header(written(name));
    EXPECT_EQ(h.size, (std::vector<std::int64_t>{5, 4, 3}));
    EXPECT_EQ(h.voxels(), 60);
    EXPECT_EQ(h.components, 1);
    EXPECT_EQ(h.value_type, "int16");
    EXPECT_EQ(h.bytes_per_value, 2);
    EXPECT_TRUE(h.whole_numbers);
    EXPECT_FALSE(h.vector_field);
    EXPECT_FALSE(h.refusal);
    ASSERT_TRUE(h.grid);
    Grid grid = oblique_grid(true);
    grid.size = {5, 4, 3};
    EXPECT_TRUE(same_geometry(*h.grid, grid));
  }
}

TEST_F(ImageHeaderTest, NiftiScaleAndByteOrder) {
  const auto path = written("a.nii");
  std::string bytes = bytes_of(path);
  const float slope = 0.5F, intercept = -1024;
  std::memcpy(bytes.data() + 112, &slope, 4);
  std::memcpy(bytes.data() + 116, &intercept, 4);
  put(path, bytes);
  const ImageHeader h = read_image_header(path);
  EXPECT_EQ(h.slope, 0.5);
  EXPECT_EQ(h.intercept, -1024);
  EXPECT_FALSE(h.whole_numbers) << "halves are not whole";
  EXPECT_EQ(h.data_offset, 352u);
  EXPECT_FALSE(h.swapped_bytes);

  // The same header in the other byte order (nifti1.h: shorts, ints and floats at these places).
  const auto swap = [&](std::size_t at, std::size_t width, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n)
      std::reverse(bytes.begin() + std::ptrdiff_t(at + n * width),
                   bytes.begin() + std::ptrdiff_t(at + (n + 1) * width));
  };
  swap(0, 4, 1);     // sizeof_hdr
  swap(40, 2, 8);    // dim
  swap(56, 4, 3);    // intent
  swap(68, 2, 4);    // intent_code, datatype, bitpix, slice_start
  swap(76, 4, 8);    // pixdim
  swap(108, 4, 3);   // vox_offset, scl_slope, scl_inter
  swap(252, 2, 2);   // qform_code, sform_code
  swap(256, 4, 18);  // quaternion, offset, srow
  put(path, bytes);
  const ImageHeader swapped = read_image_header(path);
  EXPECT_TRUE(swapped.swapped_bytes);
  EXPECT_EQ(swapped.size, h.size);
  EXPECT_EQ(swapped.intercept, -1024);
  ASSERT_TRUE(swapped.grid);
  EXPECT_TRUE(same_geometry(*swapped.grid, *h.grid));
}

TEST_F(ImageHeaderTest, NrrdKeysAreKept) {
  put(folder / "a.nrrd",
      "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\nspace: LPS\n"
      "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\nSegment0_ID:=a b\n# comment\n\n" +
          std::string(24, '\0'));
  const ImageHeader h = read_image_header(folder / "a.nrrd");
  EXPECT_EQ(h.keys.at("Segment0_ID"), "a b");
  EXPECT_EQ(h.keys.size(), 1u);
}

TEST_F(ImageHeaderTest, WhatIsRefusedStillSaysWhatItDeclares) {
  put(folder / "a.mha",
      "ObjectType = Image\nNDims = 4\nDimSize = 2 3 4 5\nElementSpacing = 1 1 1 1\nBinaryData = True\n"
      "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n" +
          std::string(120, '\0'));
  const ImageHeader h = read_image_header(folder / "a.mha");
  EXPECT_EQ(h.size, (std::vector<std::int64_t>{2, 3, 4, 5}));
  ASSERT_TRUE(h.refusal);
  EXPECT_THAT(h.refusal->what(), HasSubstr("is 4-D with 5 volumes"));
  EXPECT_FALSE(h.grid);
}

TEST_F(ImageHeaderTest, APairIsReadByEitherName) {
  std::string bytes = bytes_of(written("whole.nii"));
  const float no_offset = 0;
  std::memcpy(bytes.data() + 108, &no_offset, 4);
  bytes.replace(344, 3, "ni1");
  put(folder / "pair.hdr", bytes.substr(0, 348));
  put(folder / "pair.img", bytes.substr(352));
  for (const char* name : {"pair.hdr", "pair.img"}) {
    const ImageHeader h = read_image_header(folder / name);
    EXPECT_FALSE(h.refusal) << name;
    EXPECT_EQ(h.data_file, folder / "pair.img") << name;
  }
  std::filesystem::remove(folder / "pair.hdr");
  EXPECT_THAT([&] { read_image_header(folder / "pair.img"); },
              ThrowsMessage<IoError>(HasSubstr("its header 'pair.hdr' is missing")));
}

}  // namespace
}  // namespace spinetherm
