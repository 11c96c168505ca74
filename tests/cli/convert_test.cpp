// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "imaging/core/anatomy.h"
#include "imaging/read.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// An image in an oblique, left-handed frame, so that a lost axis shows.
template <class T>
Volume<T> oblique_volume() {
  Grid grid;
  grid.size = {5, 4, 3};
  grid.spacing_mm = {0.5, 0.75, 2.5};
  grid.origin_mm = {-12.25, 7.5, 100.125};
  grid.direction = Eigen::AngleAxisd(0.3, Eigen::Vector3d::UnitX()).toRotationMatrix();
  grid.direction.col(0) *= -1;
  Volume<T> volume(grid);
  for (std::size_t n = 0; n < volume.values.size(); ++n) volume[n] = T(n);
  return volume;
}

void expect_same(const Volume<float>& a, const Volume<float>& b) {
  EXPECT_TRUE(same_geometry(a.grid, b.grid));
  EXPECT_EQ(a.values, b.values);
}

TEST(Convert, KeepsValuesAndGeometryBetweenAllFormats) {
  const ScratchFolder scratch;
  Volume<float> volume = oblique_volume<float>();
  for (float& v : volume.values) v = v * 20 - 1000;
  write_volume(scratch / "0.nii.gz", volume);
  const std::vector<std::string> names = {"0.nii.gz", "1.nrrd", "2.mha", "3.nii", "4.nii.gz"};
  for (std::size_t n = 1; n < names.size(); ++n) {
    const Ran ran =
        run_program({"convert", (scratch / names[n - 1]).string(), (scratch / names[n]).string(), "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(nlohmann::json::parse(ran.out).at("value_type"), "int16");
    expect_same(read_volume(scratch / names[n]), volume);
  }
}

TEST(Convert, KeepsFractions) {
  const ScratchFolder scratch;
  Volume<float> volume = oblique_volume<float>();
  volume[7] = 0.125F;
  write_volume(scratch / "a.mha", volume);
  const Ran ran = run_program({"convert", (scratch / "a.mha").string(), (scratch / "b.nii.gz").string()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, (scratch / "b.nii.gz").string() + "\n");
  expect_same(read_volume(scratch / "b.nii.gz"), volume);
}

TEST(Convert, KeepsLabelsAndTheirNames) {
  const ScratchFolder scratch;
  Volume<StructureValue> labels(oblique_volume<float>().grid);
  labels[3] = structure_value("vertebra_L3").value();
  labels[4] = structure_value("cord").value();
  write_labels(scratch / "a.seg.nrrd", labels);
  const Ran ran = run_program(
      {"convert", "--labels", (scratch / "a.seg.nrrd").string(), (scratch / "b.nii.gz").string()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Volume<std::uint32_t> back = read_label_volume(scratch / "b.nii.gz");
  for (std::size_t n = 0; n < labels.values.size(); ++n) EXPECT_EQ(back[n], labels[n]);
  EXPECT_EQ(read_label_names(scratch / "b.nii.gz"), structure_names(labels));
}

TEST(Convert, CarriesTransformsBetweenTheirFormats) {
  const ScratchFolder scratch;
  const Rigid motion{Eigen::Quaterniond(Eigen::AngleAxisd(0.2, Eigen::Vector3d(1, 2, 3).normalized())),
                     {4, -5, 6}};
  write_transform(scratch / "a.tfm", motion);
  ASSERT_EQ(run_program({"convert", (scratch / "a.tfm").string(), (scratch / "b.h5").string()}).code, 0);
  EXPECT_LT(angle_deg(inverse(read_rigid(scratch / "b.h5")) * motion), 1e-6);
  EXPECT_LT((read_rigid(scratch / "b.h5").translation_mm - motion.translation_mm).norm(), 1e-9);
}

TEST(Convert, RefusesAndLeavesNothingBehind) {
  const ScratchFolder scratch;
  write_volume(scratch / "a.mha", oblique_volume<float>());
  std::ofstream(scratch / "there.mha") << "precious";
  std::ofstream(scratch / "text.nii.gz") << "not an image";
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& part) {
    const Ran ran = run_program(arguments, {scratch.path()});
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr(part));
    EXPECT_EQ(ran.out, "");
  };
  refused({"convert", "a.mha", "there.mha"}, "the output file exists");
  refused({"convert", "a.mha", "./a.mha", "--force"}, "the same file");
  refused({"convert", "a.mha", "nowhere/b.mha"}, "no such folder");
  refused({"convert", "a.mha", "b.jpeg"}, "b.jpeg");
  refused({"convert", "text.nii.gz", "b.mha"}, "text.nii.gz");
  refused({"convert", "text.nii.gz", "there.mha", "--force"}, "text.nii.gz");
  refused({"convert", "--convention", "verze", "a.mha", "b.mha"}, "verse");
  refused({"convert", ".", "b.mha"}, "error: ");
  EXPECT_THAT(scratch.listing(), ElementsAre("a.mha", "text.nii.gz", "there.mha"));
  EXPECT_EQ(std::filesystem::file_size(scratch / "there.mha"), 8);
}

TEST(Convert, WritesADicomSeriesThatInfoShowsAsACt) {
  const ScratchFolder scratch;
  Volume<float> ct = oblique_volume<float>();
  ct.grid.direction.col(0) *= -1;  // right-handed: comes back slice by slice as it was
  for (float& v : ct.values) v = v * 20 - 1000;
  write_volume(scratch / "ct.nrrd", ct);
  const RunOptions here{scratch.path()};
  const Ran ran = run_program({"convert", "ct.nrrd", "out/series", "--dicom", "--json"}, here);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const auto said = nlohmann::json::parse(ran.out);
  EXPECT_EQ(said.at("kind"), "CT series");
  expect_same(read_volume(scratch / "out/series"), ct);
  const auto info = nlohmann::json::parse(run_program({"info", "out/series", "--json"}, here).out);
  EXPECT_EQ(info["items"][0]["modality"], "CT");
  EXPECT_EQ(info["items"][0]["series_uid"], said.at("series_uid"));
  EXPECT_EQ(info["items"][0]["files"], 3);

  EXPECT_EQ(run_program({"convert", "ct.nrrd", "out/series", "--dicom"}, here).code, 2);
  EXPECT_EQ(run_program({"convert", "ct.nrrd", "out/series", "--dicom", "--force"}, here).code, 0);
  expect_same(read_volume(scratch / "out/series"), ct);
}

TEST(Convert, RefusesADicomSeriesOfAnythingElseAndLeavesNothingBehind) {
  const ScratchFolder scratch;
  write_volume(scratch / "mr.nrrd", oblique_volume<float>());
  write_transform(scratch / "t.tfm", Rigid{});
  const auto before = scratch.listing();
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& part) {
    const Ran ran = run_program(arguments, {scratch.path()});
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr(part));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(scratch.listing(), before);
  };
  refused({"convert", "mr.nrrd", "new/series", "--dicom"}, "no value below 0");
  refused({"convert", "t.tfm", "series", "--dicom"}, "is a transform, not a CT (t.tfm)");
  refused({"convert", "mr.nrrd", "series", "--dicom", "--labels"}, "not a label map");
  refused({"convert", "mr.nrrd", "series", "--dicom", "--convention", "verse"}, "not a label map");
  refused({"convert", "mr.nrrd", "t.tfm", "--dicom"}, "not a directory");
  refused({"convert", "none.nrrd", "series", "--dicom"}, "does not exist");
}

TEST(Convert, ReadsARealDicomFolder) {
  const auto scans = scans_folder();
  if (scans.empty()) GTEST_SKIP() << "the folder of sample scans is missing (SPINETHERM_DATA)";
  const ScratchFolder scratch;
  const auto folder = scans / "dicom_odd/d2n_generic_compressed_jpegls_001";
  const Ran ran = run_program({"convert", folder.string(), (scratch / "a.nrrd").string(), "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Image direct = read_image(folder);
  expect_same(read_volume(scratch / "a.nrrd"), direct.volume);
}

}  // namespace
}  // namespace spinetherm
