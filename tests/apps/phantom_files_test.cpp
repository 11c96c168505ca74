// SPDX-License-Identifier: Apache-2.0
#include "apps/io/phantom_files.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/io/points.h"
#include "imaging/core/json_reader.h"
#include "imaging/labels.h"
#include "imaging/read.h"
#include "imaging/transform_io.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

SpinePhantom small() {
  SpinePhantomOptions o;
  o.levels = {"L2", "L3"};
  o.spacing_mm = 2.5;
  o.supersample = 1;
  return make_spine_phantom(o);
}

TEST(PhantomFiles, AreAPatientCaseThatIsReadBackAsItWas) {
  const ScratchFolder scratch;
  const SpinePhantom p = small();
  const PatientCase written = write_phantom(p, scratch / "patient");
  const PatientCase read = read_case(scratch / "patient/case.json");
  EXPECT_EQ(read.ct->path, written.ct->path);
  EXPECT_EQ(read.mri.at(0).modality, Modality::mr_t2);
  EXPECT_EQ(read.target.label, "tumour");
  EXPECT_EQ(read.target.kind, "lytic");
  EXPECT_EQ(read.level.name, "L3");
  ASSERT_EQ(read.level.confirmed_by.size(), 1U);
  EXPECT_EQ(read.level.confirmed_by[0].method, "phantom truth");

  const Image ct = read_image(read.ct->path);
  EXPECT_TRUE(same_geometry(ct.volume.grid, p.ct.volume.grid));
  EXPECT_EQ(ct.volume.values, p.ct.volume.values);
  const Image mri = read_image(read.mri[0].path);
  EXPECT_TRUE(same_geometry(mri.volume.grid, p.mri_t2.volume.grid));

  const auto raw = read_label_volume(read.labels.at(0).path);
  const Anatomy anatomy = import_labels(raw, read.labels[0].convention);
  EXPECT_EQ(anatomy.labels.values, p.anatomy.labels.values);
  EXPECT_EQ(anatomy.status_of("cauda"), StructureStatus::imported);
}

TEST(PhantomFiles, TheTrueTransformCarriesTheLandmarksOfTheCbctToTheMri) {
  const ScratchFolder scratch;
  write_phantom(small(), scratch.path());
  const auto cbct = read_points(scratch / "landmarks_cbct.mrk.json");
  const auto mri = read_points(scratch / "landmarks_mri_t2.mrk.json");
  ASSERT_EQ(cbct.size(), 32U);
  ASSERT_EQ(mri.size(), 32U);
  std::vector<Eigen::Vector3d> at_mm;
  for (const NamedPoint& point : cbct) at_mm.push_back(point.at_mm);
  const auto carried = map_points(scratch / "truth/mri_from_cbct.tfm", at_mm);
  for (std::size_t n = 0; n < 32; ++n) {
    EXPECT_EQ(cbct[n].name, mri[n].name);
    EXPECT_LT((carried[n] - mri[n].at_mm).norm(), 1e-6) << cbct[n].name;
  }
  EXPECT_EQ(cbct[0].name, "L2 upper_anterior");
}

TEST(PhantomFiles, LesionIsWhereItsMaskIs) {
  const ScratchFolder scratch;
  const SpinePhantom p = small();
  write_phantom(p, scratch.path());
  const auto json = parse_json_file(scratch / "lesion.json");
  const JsonReader lesion(json);
  expect_format(lesion, "lesion");
  const auto centre = lesion.get<Eigen::Vector3d>("centre_mm");
  EXPECT_LT((centre - *centroid_mm(p.lesion.mask)).norm(), 2.5);
  EXPECT_LT((p.mri_from_cbct * centre - lesion.get<Eigen::Vector3d>("centre_in_mri_mm")).norm(), 1e-9);
  EXPECT_EQ(lesion.get<std::string>("side"), "left");
}

}  // namespace
}  // namespace spinetherm
