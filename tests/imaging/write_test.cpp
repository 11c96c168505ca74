// SPDX-License-Identifier: Apache-2.0
#include "imaging/write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "imaging/core/error.h"
#include "imaging/image_header.h"
#include "imaging/read.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class Write : public FolderTest {};

/// Every axis order and both handednesses, oblique.
std::vector<Grid> many_grids() {
  std::vector<Grid> grids;
  const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders)
    for (int signs = 0; signs < 8; ++signs)
      for (const bool oblique : {false, true}) {
        Grid grid = oblique_grid(false);
        const Eigen::Matrix3d tilt = oblique ? grid.direction : Eigen::Matrix3d::Identity();
        for (int a = 0; a < 3; ++a) grid.direction.col(a) = tilt.col(order[a]) * ((signs >> a & 1) ? -1 : 1);
        grids.push_back(grid);
      }
  return grids;
}

TEST_F(Write, EveryFormatKeepsGridAndValuesInEveryAxisOrderAndHandedness) {
  for (const char* suffix : {".nii", ".nii.gz", ".nrrd", ".mha"})
    for (const Grid& grid : many_grids()) {
      const auto written = numbered<float>(grid, -1000, 0.25);
      const auto path = folder / ("v" + std::string(suffix));
      write_volume(path, written);
      const Image back = read_image(path);
      EXPECT_TRUE(same_geometry(back.volume.grid, grid, 1e-3)) << suffix << " " << axis_letters(grid);
      EXPECT_EQ(axis_letters(back.volume.grid), axis_letters(grid)) << suffix;
      EXPECT_EQ(back.volume.values, written.values) << suffix;
      EXPECT_TRUE(back.warnings.empty()) << suffix << ": " << back.warnings[0];
    }
  EXPECT_EQ(files_in_folder(), 4u) << "a temporary file was left behind";
}

TEST_F(Write, EveryTypeComesBackExactly) {
  for (const char* suffix : {".nii.gz", ".nrrd", ".mha"}) {
    const auto path = folder / ("v" + std::string(suffix));
    const Grid grid = oblique_grid(true);
    const auto check = [&](const auto& volume, const char* type) {
      write_volume(path, volume);
      EXPECT_EQ(read_image_header(path).value_type, type) << suffix;
      const auto back = read_volume(path);
      ASSERT_EQ(back.values.size(), volume.values.size());
      for (std::size_t n = 0; n < back.values.size(); ++n)
        ASSERT_EQ(double(back[n]), double(volume[n])) << suffix;
    };
    check(numbered<std::int16_t>(grid, -32768, 400), "int16");
    check(numbered<std::uint16_t>(grid, 0, 400), "uint16");
    check(numbered<std::uint8_t>(grid), "uint8");
    check(numbered<std::uint32_t>(grid, 0, 1000), "uint32");
  }
}

TEST_F(Write, NiftiQformAndSformSayTheSame) {
  for (const bool left_handed : {false, true}) {
    const auto path = folder / "v.nii";
    const Grid grid = oblique_grid(left_handed);
    write_volume(path, numbered<float>(grid));
    std::string bytes = bytes_of(path);
    const auto code = [&](std::size_t offset) {
      std::int16_t v = 0;
      std::memcpy(&v, bytes.data() + offset, 2);
      return v;
    };
    EXPECT_EQ(code(252), 1);  // qform
    EXPECT_EQ(code(254), 1);  // sform
    bytes[254] = 0;           // read it again by its qform alone
    put(path, bytes);
    EXPECT_TRUE(same_geometry(read_volume(path).grid, grid, 1e-3)) << left_handed;
    bytes[254] = 1;
    bytes[252] = 0;  // and by its sform alone
    put(path, bytes);
    EXPECT_TRUE(same_geometry(read_volume(path).grid, grid, 1e-3)) << left_handed;
  }
}

TEST_F(Write, LabelMapsCarryTheirNames) {
  Volume<StructureValue> labels(oblique_grid(true));
  labels[3] = *structure_value("vertebra_L3");
  labels[4] = *structure_value("cord");
  labels[9] = *structure_value("tumour");
  for (const char* file : {"labels_ct.nii.gz", "labels.nrrd", "anatomy.seg.nrrd", "labels.mha"}) {
    write_labels(folder / file, labels);
    EXPECT_EQ(read_label_names(folder / file), structure_names(labels)) << file;
    const auto back = read_label_volume(folder / file);
    EXPECT_TRUE(same_geometry(back.grid, labels.grid));
    for (std::size_t n = 0; n < back.values.size(); ++n) ASSERT_EQ(back[n], labels[n]) << file;
  }
  EXPECT_EQ(structure_names(labels).size(), 3u);
  const auto keys = read_image_header(folder / "anatomy.seg.nrrd").keys;
  EXPECT_EQ(keys.at("Segmentation_SourceRepresentation"), "Binary labelmap");
  EXPECT_EQ(keys.at("Segmentation_MasterRepresentation"), "Binary labelmap");
  EXPECT_EQ(keys.count("Segment2_Extent"), 1u);
  EXPECT_EQ(keys.count("Segment3_ID"), 0u);
}

TEST_F(Write, OneTableServesAFolderAndNeverContradictsItself) {
  Volume<std::uint32_t> labels(oblique_grid(false));
  labels[0] = 7;
  write_labels(folder / "a.nii.gz", labels, {{7, "cord", {1, 2, 3}}});
  labels[0] = 8;
  write_labels(folder / "b.nii.gz", labels, {{8, "canal", {4, 5, 6}}});
  EXPECT_EQ(read_label_names(folder / "a.nii.gz"),
            (std::vector<LabelName>{{7, "cord", {1, 2, 3}}, {8, "canal", {4, 5, 6}}}));
  EXPECT_THAT(
      [&] {
        write_labels(folder / "c.nii.gz", labels, {{8, "aorta", {4, 5, 6}}});
      },
      ThrowsMessage<IoError>(HasSubstr("value 8 is 'canal' there and 'aorta' here")));
  EXPECT_FALSE(std::filesystem::exists(folder / "c.nii.gz"));
}

TEST_F(Write, RefusesWhatItCannotWriteAndLeavesNothingBehind) {
  const auto volume = numbered<float>(oblique_grid(false));
  EXPECT_THAT([&] { write_volume(folder / "v.xyz", volume); },
              ThrowsMessage<IoError>(HasSubstr("use .nii.gz")));
  EXPECT_THROW(write_volume(folder / "no" / "v.nii", volume), IoError);
  EXPECT_THROW(write_volume(folder, volume), IoError);
  EXPECT_THROW(write_volume(folder / "v.nrrd", Volume<float>()), ConfigError);
  auto broken = volume;
  broken.values.pop_back();
  EXPECT_THROW(write_volume(folder / "v.nrrd", broken), IoError);
  EXPECT_EQ(files_in_folder(), 0u);
}

TEST_F(Write, AFailedWriteKeepsTheOlderFile) {
  put(folder / "x.txt", "old");
  EXPECT_THROW(write_renamed(folder / "x.txt",
                             [](const auto& temporary) {
                               put(temporary, "half");
                               throw IoError("disk full", "", "");
                             }),
               IoError);
  EXPECT_EQ(bytes_of(folder / "x.txt"), "old");
  EXPECT_EQ(files_in_folder(), 1u);
}

}  // namespace
}  // namespace spinetherm
