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

TEST_F(Convert, ACtBecomesADicomSeriesAndComesBack) {
  const auto ct = numbered<float>(oblique_grid(false), -1000, 3);
  write_volume(folder / "ct.nii.gz", ct);
  const ConvertSummary done = convert(folder / "ct.nii.gz", folder / "series", {.dicom = true});
  EXPECT_EQ(done.kind, "CT series");
  EXPECT_EQ(done.type, "int16");
  EXPECT_TRUE(done.warnings.empty());
  EXPECT_FALSE(done.series_uid.empty());
  convert(folder / "series", folder / "back.nrrd");
  EXPECT_TRUE(same_geometry(read_volume(folder / "back.nrrd").grid, ct.grid));
  EXPECT_EQ(read_volume(folder / "back.nrrd").values, ct.values);

  write_volume(folder / "halves.nrrd", numbered<float>(oblique_grid(false), -1000, 0.3));
  EXPECT_THAT(convert(folder / "halves.nrrd", folder / "rounded", {.dicom = true}).warnings,
              testing::ElementsAre(testing::HasSubstr("rounded to steps of 0.0625 HU")));
}

TEST_F(Convert, OnlyACtBecomesADicomSeries) {
  const auto refused = [&](const std::filesystem::path& in, const std::string& part) {
    EXPECT_THAT([&] { convert(in, folder / "out", {.dicom = true}); },
                testing::ThrowsMessage<IoError>(
                    testing::AllOf(testing::HasSubstr(part), testing::HasSubstr(in.filename().string()))));
    EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  };
  write_transform(folder / "t.tfm", Rigid{});
  refused(folder / "t.tfm", "is a transform");
  Volume<StructureValue> labels(oblique_grid(false));
  labels[7] = *structure_value("cord");
  write_labels(folder / "named.seg.nrrd", labels);
  refused(folder / "named.seg.nrrd", "is a label map");
  write_volume(folder / "unnamed.mha", labels);
  refused(folder / "unnamed.mha", "no value below 0");
  write_fake_series(folder / "mr", 5, [](FakeDicom& d, int) { d.set(0x00080060, "CS", "MR"); });
  refused(folder / "mr", "holds no CT series");
  auto hot = numbered<float>(oblique_grid(false), -10);
  hot[3] = 40000;
  write_volume(folder / "hot.nrrd", hot);
  refused(folder / "hot.nrrd", "do not fit");
  std::string four =
      "NRRD0004\ntype: uchar\ndimension: 4\nsizes: 2 3 4 5\nencoding: raw\nspace: LPS\n"
      "kinds: domain domain domain list\nspace directions: (1,0,0) (0,1,0) (0,0,1) none\n"
      "space origin: (0,0,0)\n\n" +
      std::string(120, '\0');
  put(folder / "4d.nrrd", four);
  refused(folder / "4d.nrrd", "is 4-D");
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
