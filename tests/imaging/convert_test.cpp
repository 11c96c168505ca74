// SPDX-License-Identifier: Apache-2.0
#include "imaging/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "imaging/core/error.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"
#include "tests/imaging/dicom_fixture.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

class Convert : public FolderTest {};

TEST_F(Convert, ADicomSeriesBecomesAVolumeOfTheSameNumbers) {
  write_fake_series(folder / "dicom", 6);
  const auto original = read_volume(folder / "dicom");
  for (const char* name : {"ct.nii.gz", "ct.nrrd", "ct.mha"}) {
    const ConvertSummary done = convert(folder / "dicom", folder / name);
    EXPECT_EQ(done.kind, "image");
    EXPECT_EQ(done.type, "int16");
    const auto back = read_volume(folder / name);
    EXPECT_TRUE(same_geometry(back.grid, original.grid));
    EXPECT_EQ(back.values, original.values) << name;
  }
}

TEST_F(Convert, TypesAreTheNarrowestThatKeepEveryValue) {
  const Grid grid = oblique_grid(true);
  const auto type_of = [&](const Volume<float>& volume) {
    write_volume(folder / "in.nrrd", volume);
    const auto done = convert(folder / "in.nrrd", folder / "out.nii.gz");
    EXPECT_EQ(read_volume(folder / "out.nii.gz").values, volume.values);
    return done.type;
  };
  EXPECT_EQ(type_of(numbered<float>(grid)), "uint8");
  EXPECT_EQ(type_of(numbered<float>(grid, -5)), "int16");
  EXPECT_EQ(type_of(numbered<float>(grid, 40000)), "uint16");
  EXPECT_EQ(type_of(numbered<float>(grid, 70000)), "float32");
  EXPECT_EQ(type_of(numbered<float>(grid, 0, 0.5)), "float32");
}

TEST_F(Convert, LabelMapsKeepTheirNames) {
  Volume<StructureValue> labels(oblique_grid(false));
  for (std::size_t n = 20; n < 60; ++n) labels[n] = *structure_value("vertebra_L3");
  write_labels(folder / "anatomy.seg.nrrd", labels);
  EXPECT_EQ(convert(folder / "anatomy.seg.nrrd", folder / "labels.nii.gz").kind, "label map");
  EXPECT_EQ(read_label_names(folder / "labels.nii.gz"), structure_names(labels));
  std::filesystem::create_directory(folder / "b");
  EXPECT_EQ(convert(folder / "labels.nii.gz", folder / "b" / "back.nrrd").kind, "label map");
  EXPECT_EQ(read_label_names(folder / "b" / "back.nrrd"), structure_names(labels));
  // The table beside it makes no label map of an image.
  write_volume(folder / "ct.nii.gz", numbered<std::int16_t>(oblique_grid(false)));
  EXPECT_EQ(convert(folder / "ct.nii.gz", folder / "b" / "ct.nrrd").kind, "image");
  EXPECT_TRUE(read_label_names(folder / "b" / "ct.nrrd").empty());
}

TEST_F(Convert, LabelsOnDemandAreCheckedAsLabels) {
  write_volume(folder / "v.nrrd", numbered<float>(oblique_grid(false), 0, 0.5));
  EXPECT_THROW(convert(folder / "v.nrrd", folder / "w.nrrd", {.labels = true}), IoError);
  EXPECT_FALSE(std::filesystem::exists(folder / "w.nrrd"));
  write_volume(folder / "v.nrrd", numbered<float>(oblique_grid(false)));
  EXPECT_EQ(convert(folder / "v.nrrd", folder / "w.nrrd", {.labels = true}).kind, "label map");
}

TEST_F(Convert, TransformsGoBetweenTheirFormats) {
  const Rigid motion{Eigen::Quaterniond(Eigen::AngleAxisd(0.5, Eigen::Vector3d::UnitX())), {1, 2, 3}};
  write_transform(folder / "t.tfm", motion);
  EXPECT_EQ(convert(folder / "t.tfm", folder / "t.h5").kind, "transform");
  EXPECT_LT((read_rigid(folder / "t.h5").translation_mm - motion.translation_mm).norm(), 1e-12);
  EXPECT_THROW(convert(folder / "t.tfm", folder / "t.nrrd"), IoError);
}

}  // namespace
}  // namespace spinetherm
