// SPDX-License-Identifier: Apache-2.0
#include "apps/io/phantom_files.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/io/points.h"
#include "datasets/cohort.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/displacement_field.h"
#include "imaging/info.h"
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
  ASSERT_EQ(read.mri.size(), 3U);
  EXPECT_EQ(read.mri[0].modality, Modality::mr_t1);
  EXPECT_EQ(read.mri[1].modality, Modality::mr_t2);
  EXPECT_EQ(read.mri[2].modality, Modality::mr_stir);
  EXPECT_EQ(read.target.label, "tumour");
  EXPECT_EQ(read.target.kind, "lytic");
  EXPECT_EQ(read.clinical.primary, draw_primary(p.options.seed));
  EXPECT_EQ(read.level.name, "L3");
  ASSERT_EQ(read.level.confirmed_by.size(), 1U);
  EXPECT_EQ(read.level.confirmed_by[0].method, "phantom truth");

  const Image ct = read_image(read.ct->path);
  EXPECT_TRUE(same_geometry(ct.volume.grid, p.ct.volume.grid));
  EXPECT_EQ(ct.volume.values, p.ct.volume.values);
  const Image mri = read_image(read.mri[1].path);
  EXPECT_TRUE(same_geometry(mri.volume.grid, p.mri_t2.volume.grid));
  EXPECT_EQ(mri.volume.values, p.mri_t2.volume.values);

  const auto raw = read_label_volume(read.labels.at(0).path);
  const Anatomy anatomy = import_labels(raw, read.labels[0].convention);
  EXPECT_EQ(anatomy.labels.values, p.anatomy.labels.values);
  EXPECT_EQ(anatomy.status_of("cauda"), StructureStatus::imported);
}

TEST(PhantomFiles, EachVertebrasTransformCarriesItsLandmarksToTheMri) {
  const ScratchFolder scratch;
  write_phantom(small(), scratch.path());
  const auto cbct = read_points(scratch / "landmarks_cbct.mrk.json");
  ASSERT_EQ(cbct.size(), 32U);
  EXPECT_EQ(cbct[0].name, "L2 upper_anterior");
  const auto field = read_displacement_field(scratch / "truth/mri_from_cbct_field.nii.gz");
  for (const char* image : {"mri_t1", "mri_t2", "mri_stir"}) {
    const auto mri = read_points(scratch / ("landmarks_" + std::string(image) + ".mrk.json"));
    ASSERT_EQ(mri.size(), 32U);
    for (const std::string level : {"L2", "L3"}) {
      std::vector<Eigen::Vector3d> from, to;
      for (std::size_t n = 0; n < 32; ++n) {
        EXPECT_EQ(cbct[n].name, mri[n].name);
        if (!cbct[n].name.starts_with(level)) continue;
        from.push_back(cbct[n].at_mm);
        to.push_back(mri[n].at_mm);
      }
      const auto carried = map_points(scratch / ("truth/mri_from_cbct_" + level + ".tfm"), from);
      const auto roughly = map_points(scratch / "truth/mri_from_cbct.tfm", from);
      for (std::size_t n = 0; n < 16; ++n) {
        EXPECT_LT((carried[n] - to[n]).norm(), 1e-6) << level;
        EXPECT_LT((roughly[n] - to[n]).norm(), 6) << level;
        const auto [i, j, k] = field.grid.nearest(from[n]);
        ASSERT_TRUE(field.grid.contains(i, j, k));
        EXPECT_LT((from[n] + field(i, j, k).cast<double>() - to[n]).norm(), 1.5) << level;
      }
    }
  }
}

TEST(PhantomFiles, InfoReadsEveryFile) {
  const ScratchFolder scratch;
  for (const std::string format : {"nifti", "nrrd", "mha"}) {
    PhantomFileOptions options;
    options.suffix = phantom_suffix(format);
    options.dicom = format == "nifti";
    SpinePhantom phantom = small();
    phantom.posture.distortion = phantom.posture.field;  // as if it were on
    const PatientCase written = write_phantom(phantom, scratch / format, options);
    EXPECT_EQ(read_case(written.file), written);
    int volumes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch / format)) {
      const auto& path = entry.path();
      if (!entry.is_regular_file() || path.extension() == ".json" || path.extension() == ".dcm") continue;
      const ScanInfo info = describe(path);
      ASSERT_EQ(info.items.size(), 1U) << path;
      const bool field = path.filename().string().find("field") != std::string::npos;
      const bool image = !field && path.extension() != ".tfm";
      EXPECT_EQ(info.items[0].refusal.empty(), image) << path << info.items[0].refusal;
      if (field && format != "mha") {  // which has no word for it
        EXPECT_EQ(info.items[0].kind, "displacement or vector field") << path;
      }
      volumes += info.items[0].kind == "image" || info.items[0].kind == "label map";
    }
    EXPECT_EQ(volumes, 12) << format;
    if (options.dicom) {
      const ScanInfo info = describe(scratch / format / "ct_dicom");
      ASSERT_EQ(info.items.size(), 1U);
      EXPECT_EQ(info.items[0].modality, "CT");
      EXPECT_EQ(read_image(scratch / format / "ct_dicom").volume.values, phantom.ct.volume.values);
    }
  }
  EXPECT_THROW(phantom_suffix("dicom"), ConfigError);
}

TEST(PhantomFiles, SayWhatTheyWereMadeOf) {
  const ScratchFolder scratch;
  const SpinePhantom p = small();
  write_phantom(p, scratch.path());
  const auto json = parse_json_file(scratch / "phantom.json");
  EXPECT_EQ(json.at("format"), "spinetherm.phantom");
  EXPECT_EQ(json.at("synthetic"), true);
  EXPECT_EQ(json.at("seed"), p.options.seed);
  EXPECT_EQ(json.at("posture").at("flexion_sd_deg"), p.options.posture.flexion_sd_deg);
  EXPECT_EQ(json.at("posture").at("levels").size(), 2U);
  EXPECT_EQ(json.at("ct").at("noise_HU"), p.options.ct.noise_HU);
  EXPECT_EQ(json.at("mri").at("stir").at("ti_ms"), p.options.mr.stir.ti_ms);
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
  EXPECT_LT(
      (p.posture.motions[1].mri_from_cbct * centre - lesion.get<Eigen::Vector3d>("centre_in_mri_mm")).norm(),
      1e-9);
  EXPECT_EQ(lesion.get<std::string>("side"), "left");
}

TEST(PhantomFiles, LesionTellsGradesThatAgreeWithEligibility) {
  const ScratchFolder scratch;
  SpinePhantomOptions o;
  o.levels = {"T6", "T7", "T8"};
  o.lesion = parse_lesion("lytic,posterior,pedicle,size:18,epidural:2");
  o.clinical.primary = "lung";
  o.spacing_mm = 2.5;
  o.supersample = 1;
  const SpinePhantom p = make_spine_phantom(o);
  write_phantom(p, scratch.path());
  const auto lesion = parse_json_file(scratch / "lesion.json");
  EXPECT_EQ(lesion["escc"], "2");
  EXPECT_EQ(lesion["epidural"]["graded_by"], "cord");
  EXPECT_LT(lesion["epidural"]["cord_ratio"], 0.9);
  EXPECT_EQ(lesion["sins"]["imaging"], 1 + 2 + 1);  // semirigid, lytic, one pedicle
  EXPECT_EQ(lesion["sins"]["low"], 4);
  EXPECT_EQ(lesion["sins"]["high"], 7);
  EXPECT_EQ(lesion["sins"]["parts"]["pain"], nlohmann::json({0, 3}));
  EXPECT_GT(lesion["posterior_wall_defect_mm"], 2);
  EXPECT_GE(lesion["largest_diameter_mm"], 15);
  EXPECT_EQ(lesion["eligibility"]["verdict"], "refer");
  const PatientCase read = read_case(scratch / "case.json");
  EXPECT_EQ(read.clinical.primary, "lung");
  EXPECT_TRUE(read.synthetic);
  EXPECT_EQ(read.findings.escc, lesion["escc"].get<std::string>());
  EXPECT_EQ(read.findings.posterolateral_sides, 1);
  EXPECT_EQ(read.findings.collapse, 0);
  EXPECT_GT(read.findings.body_involved.value(), 0.05);
  EXPECT_EQ(assess_eligibility(read.clinical, p.lesion.grade.facts).verdict, EligibilityVerdict::refer);
}

}  // namespace
}  // namespace spinetherm
