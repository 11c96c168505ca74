// SPDX-License-Identifier: Apache-2.0
// Bad input is one line "error: <what> (<where>): <what to do>" on stderr, nothing on stdout, exit 2, and
// nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/io/phantom_files.h"
#include "imaging/write.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class BadInput : public ::testing::Test {
 protected:
  /// A box of soft tissue, 80 mm wide.
  BadInput() {
    Grid grid = box_grid({-40, -40, -40}, {40, 40, 40}, 4);
    Volume<std::int16_t> tissue(grid);
    for (std::size_t n = 0; n < tissue.values.size(); ++n)
      tissue[n] = std::int16_t(40 + n % 17 - (n % 5) * 20);
    write_volume(scratch / "ct.nii", tissue);
    write_volume(scratch / "ct.nii.gz", tissue);
    write_volume(scratch / "ct.nrrd", tissue);
  }
  std::string bytes_of(const std::string& name) const {
    std::ifstream in(scratch / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(scratch / name, std::ios::binary) << bytes;
  }
  /// ct.nii with numbers of its header replaced.
  template <class T>
  std::string nifti(const std::vector<std::pair<std::size_t, T>>& changes) const {
    std::string bytes = bytes_of("ct.nii");
    for (const auto& [at, value] : changes) std::memcpy(bytes.data() + at, &value, sizeof(T));
    put("bad.nii", bytes);
    return "bad.nii";
  }
  void write_case(const nlohmann::json& changes, const std::string& ct = "ct.nii.gz") const {
    nlohmann::json document = {{"format", "spinetherm.case"},
                               {"version", 1},
                               {"images", {{"ct", {{"path", ct}}}}},
                               {"target", {{"centre_mm", {0, 0, 0}}, {"radii_mm", {5, 5, 5}}}}};
    document.update(changes);
    put("case.json", document.dump());
  }
  void expect_refused(const std::vector<std::string>& arguments, const std::string& part) const {
    std::string line;
    for (const std::string& a : arguments) line += a + " ";
    SCOPED_TRACE(line);
    const auto before = scratch.listing();
    const Ran ran = run_program(arguments, {scratch.path()});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, AllOf(MatchesRegex("error: [^\n]+ \\([^\n]+\\): [^\n]+\n"), HasSubstr(part)));
    EXPECT_EQ(scratch.listing(), before) << "something was left behind";
  }
  /// An image that no command takes.
  void expect_no_image(const std::string& name, const std::string& part) const {
    expect_refused({"info", name}, part);
    expect_refused({"info", name, "--json"}, part);
    expect_refused({"convert", name, "out.nrrd"}, part);
    expect_refused({"convert", name, "new/folder", "--dicom"}, part);
    write_case(nlohmann::json::object(), name);
    expect_refused({"run", "case.json"}, part);
    expect_refused({"run", "case.json", "--out", "new/folder", "--json"}, part);
    expect_refused({"plan", "case.json"}, part);
  }
  void expect_no_case(const std::string& part) const {
    expect_refused({"run", "case.json"}, part);
    expect_refused({"plan", "case.json", "--json"}, part);
  }
  ScratchFolder scratch;
};

constexpr std::size_t kDim = 40, kPixdim = 76, kSrow = 280;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
using F = std::pair<std::size_t, float>;
using S = std::pair<std::size_t, std::int16_t>;

TEST_F(BadInput, MissingFile) {
  expect_no_image("none.nii.gz", "none.nii.gz");
  expect_refused({"run", "none.json"}, "none.json");
  expect_refused({"simulate", "none.json"}, "none.json");
  expect_refused({"check", "none"}, "none");
}

TEST_F(BadInput, FolderWithoutImages) {
  std::filesystem::create_directory(scratch / "empty");
  expect_no_image("empty", "holds no DICOM image");
  std::filesystem::create_directory(scratch / "notes");
  put("notes/a.txt", "notes");
  expect_no_image("notes", "holds no DICOM image");
}

TEST_F(BadInput, TextNamedAsAnImage) {
  put("text.nii.gz", std::string(500, 'x') + "\n");
  expect_no_image("text.nii.gz", "is not a NIfTI file");
  put("short.nii.gz", "text\n");
  expect_no_image("short.nii.gz", "too short for a NIfTI header");
  put("text.nrrd", std::string(500, 'x'));
  expect_no_image("text.nrrd", "is not an NRRD file");
  put("text.dcm", std::string(500, 'x'));
  expect_no_image("text.dcm", "text.dcm");
  put("empty.mha", "");
  expect_no_image("empty.mha", "is empty");
}

TEST_F(BadInput, TruncatedFile) {
  for (const char* name : {"ct.nii", "ct.nii.gz", "ct.nrrd"}) {
    const std::string whole = bytes_of(name), cut = "cut" + std::string(name).substr(2);
    put(cut, whole.substr(0, whole.size() - whole.size() / 3));
    expect_no_image(cut, "truncated");
  }
}

TEST_F(BadInput, SpacingOfZeroNegativeOrNoNumber) {
  expect_no_image(nifti<float>({F{kPixdim + 8, 0}}), "spacing 4 x 0 x 4");
  expect_no_image(nifti<float>({F{kPixdim + 8, -1}}), "spacing 4 x -1 x 4");
  expect_no_image(nifti<float>({F{kPixdim + 8, kNan}}), "spacing 4 x nan x 4");
}

TEST_F(BadInput, SingularDirectionMatrix) {
  expect_no_image(nifti<float>({F{kSrow + 4, -4}, F{kSrow + 20, 0}}), "singular");
  expect_no_image(nifti<float>({F{kSrow, kNan}}), "not a finite number");
}

TEST_F(BadInput, MoreVoxelsThanMemory) {
  nifti<std::int16_t>({S{kDim + 2, 32767}, S{kDim + 4, 32767}, S{kDim + 6, 32767}});
  expect_no_image("bad.nii", "truncated");
  put("huge.mha",
      "ObjectType = Image\nNDims = 3\nBinaryData = True\nCompressedData = True\nDimSize = 100000 100000 "
      "100000\nElementSpacing = 1 1 1\nElementType = MET_SHORT\nElementDataFile = LOCAL\nxxxx");
  expect_no_image("huge.mha", "100000 x 100000 x 100000 voxels");
}

TEST_F(BadInput, UnknownJsonKeyAndBrokenJson) {
  write_case({{"imags", 1}});
  expect_no_case("unknown key 'imags' (case.json: /imags): did you mean 'images'?");
  write_case({{"target", {{"centre_mm", {0, 0, 0}}, {"radii_mm", {5, 5, 5}}, {"lable", "x"}}}});
  expect_no_case("/target/lable");
  put("case.json", "{\"format\": \"spinetherm.case\",");
  expect_no_case("not valid JSON");
  put("case.json", "{\"format\": \"spinetherm.plan\", \"version\": 1}");
  expect_no_case("spinetherm.plan");
  put("problem.json", "{\"format\": \"spinetherm.problem\", \"version\": 1, \"girds\": {}}");
  expect_refused({"simulate", "problem.json"}, "problem.json");
}

TEST_F(BadInput, TargetOutsideTheImageOrInAirOrOfImpossibleSize) {
  write_case({{"target", {{"centre_mm", {900, 0, 0}}, {"radii_mm", {5, 5, 5}}}}});
  expect_no_case("target lies outside the image (" + (scratch / "case.json").string() +
                 ": /target/centre_mm)");
  for (const double radius_mm : {-5.0, 0.0, 1e-6, 1e9}) {
    write_case({{"target", {{"centre_mm", {0, 0, 0}}, {"radii_mm", {5.0, radius_mm, 5.0}}}}});
    expect_no_case("case.json: /target/radii_mm");
  }
  write_volume(scratch / "air.nii.gz",
               Volume<std::int16_t>(box_grid({-40, -40, -40}, {40, 40, 40}, 4), -1000));
  write_case(nlohmann::json::object(), "air.nii.gz");
  expect_no_case("target lies in air");
}

TEST_F(BadInput, UnknownDeviceOrEnergyIsRefusedBeforeAnyWork) {
  write_case(nlohmann::json::object());
  expect_refused({"run", "case.json", "--device", "bipolar-coold-15"}, "did you mean 'bipolar-cooled-15'?");
  expect_refused({"plan", "case.json", "--device", "x"}, "unknown device 'x'");
  expect_refused({"plan", "case.json", "--energy", "rfaa"}, "unknown energy 'rfaa'");
  expect_refused({"run", "case.json", "--spacing", "0"}, "--spacing");
  expect_refused({"run", "case.json", "--solves", "-1"}, "--solves");
  expect_refused({"devices", "show", "x"}, "unknown device 'x'");
}

/// A bare problem, 20 mm across, changed at one place.
class BadProblem : public BadInput {
 protected:
  BadProblem() {
    problem = nlohmann::json::parse(R"({
      "format": "spinetherm.problem", "version": 1,
      "grid": {"size": [20, 20, 20], "spacing_mm": [1, 1, 1], "origin_mm": [0, 0, 0]},
      "tissues": [{"name": "soft", "density_kg_per_m3": 1060, "specific_heat_J_per_kg_K": 3600,
                   "conductivity_W_per_m_K": 0.5, "electrical_S_per_m": 0.2}],
      "labels": {"uniform": 0}, "initial": {"degC": 37}, "boundary": {"all": {"type": "fixed", "degC": 37}},
      "sources": [{"kind": "electrodes", "outer": "grounded", "control": {"constant_W": 5},
                   "electrodes": [{"region": {"sphere": {"centre_mm": [6, 10, 10], "radius_mm": 2}}, "potential_V": 1},
                                  {"region": {"sphere": {"centre_mm": [14, 10, 10], "radius_mm": 2}}, "potential_V": -1}]}],
      "duration_s": 60})");
  }
  void expect_refused_at(const std::string& pointer, const nlohmann::json& value,
                         const std::string& part = "") {
    nlohmann::json bad = problem;
    if (value.is_discarded())
      bad[nlohmann::json::json_pointer(pointer).parent_pointer()].erase(
          nlohmann::json::json_pointer(pointer).back());
    else
      bad[nlohmann::json::json_pointer(pointer)] = value;
    put("problem.json", bad.dump());
    expect_refused({"simulate", "problem.json", "--out", "result"}, part.empty() ? pointer : part);
  }
  nlohmann::json problem;
};

TEST_F(BadProblem, IsRefusedBeforeTheFirstStep) {
  const auto removed = nlohmann::json(nlohmann::json::value_t::discarded);
  expect_refused_at("/tissues/0/electrical_S_per_m", removed);
  expect_refused_at("/tissues/0/conductivity_W_per_m_K", removed, "'conductivity_W_per_m_K' is missing");
  expect_refused_at("/tissues/0/conductivity_W_per_m_K", 0);
  expect_refused_at("/tissues/0/conductivity_W_per_m_K", -0.5);
  expect_refused_at("/sources/0/electrodes/0/region/sphere/centre_mm", {60, 10, 10},
                    "/sources/0/electrodes/0/region");
  expect_refused_at("/sources/0/electrodes/0/region/sphere/centre_mm", {0, 10, 10},
                    "/sources/0/electrodes/0/region");
  expect_refused_at("/sources/0/electrodes/0/region/sphere/centre_mm", {11, 10, 10},
                    "electrodes 0 and 1 touch");
  expect_refused_at("/sources/0/control/constant_W", -5);
  expect_refused_at("/duration_s", -60);
  expect_refused_at("/grid/spacing_mm", {1, 1, 10});
  expect_refused_at("/grid/size", {30000, 30000, 30000}, "/grid");
}

TEST_F(BadProblem, FieldFilesWithNoNumberAreRefused) {
  Volume<float> field(Grid{{20, 20, 20}}, 37);
  field(3, 2, 1) = kNan;
  write_volume(scratch / "field.mha", field);
  expect_refused_at("/initial", {{"file", "field.mha"}}, "/initial/file");
  expect_refused_at("/labels", {{"file", "field.mha"}}, "/labels/file");
  expect_refused_at("/sources/0", {{"kind", "volumetric"}, {"file", "field.mha"}}, "/sources/0/file");
}

/// What cannot be known before is not a picture either: the step, the cell and the tissue, exit 3.
TEST_F(BadProblem, AStateThatDivergesStopsTheRun) {
  Volume<float> heat(Grid{{20, 20, 20}}, 0);
  heat(3, 2, 1) = 3e38F;
  write_volume(scratch / "heat.mha", heat);
  problem["sources"] = {{{"kind", "volumetric"}, {"file", "heat.mha"}}};
  put("problem.json", problem.dump());
  const auto before = scratch.listing();
  const Ran ran = run_program({"simulate", "problem.json", "--out", "result", "--json"}, {scratch.path()});
  EXPECT_EQ(ran.code, 3) << ran.out;
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, AllOf(HasSubstr("diverged in step 1"), HasSubstr("cell (3, 2, 1)"),
                             HasSubstr("tissue 'soft'")));
  EXPECT_EQ(scratch.listing(), before) << "something was left behind";
}

/// A patient with labels on disk.
class BadLabels : public BadInput {
 protected:
  BadLabels() {
    SpinePhantomOptions o;
    o.levels = {"L3"};
    o.spacing_mm = 3;
    o.supersample = 1;
    phantom = make_spine_phantom(o);
    PatientCase patient = write_phantom(phantom, scratch / "p");
    patient.mri.clear();
    patient.cbct.reset();
    patient.transforms.clear();
    patient.labels = {{scratch / "labels.nrrd", "spinetherm"}};
    spinetherm::write_case(patient, scratch / "case.json");
  }
  SpinePhantom phantom;
};

TEST_F(BadLabels, LabelMapThatDoesNotOverlap) {
  Volume<StructureValue> labels = phantom.anatomy.labels;
  labels.grid.origin_mm.z() += 900;
  write_labels(scratch / "labels.nrrd", labels);
  expect_no_case("does not overlap the image");
}

TEST_F(BadLabels, LabelMapThatIsNone) {
  write_volume(scratch / "labels.nrrd", phantom.ct.volume);
  expect_no_case("is no label map");
  put("labels.nrrd", "text");
  expect_no_case("labels.nrrd");
}

TEST_F(BadLabels, TargetThatNoVoxelHas) {
  Volume<StructureValue> labels = phantom.anatomy.labels;
  for (auto& v : labels.values)
    if (v == *structure_value("tumour")) v = 0;
  write_labels(scratch / "labels.nrrd", labels);
  expect_no_case("no voxel is labelled 'tumour'");
}

TEST_F(BadLabels, PlanOfADeviceThatNobodyKnows) {
  write_labels(scratch / "labels.nrrd", phantom.anatomy.labels);
  put("plan.json",
      nlohmann::json{
          {"format", "spinetherm.plan"},
          {"version", 1},
          {"case", "case.json"},
          {"applicators",
           {{{"device", "no-such-device"}, {"entry_mm", {20, 80, 0}}, {"tip_mm", {10, 0, 0}}}}},
          {"protocol", {{{"modality", "rfa"}, {"steps", {{{"duration_s", 60}, {"hold_degC", 70}}}}}}}}
          .dump());
  expect_refused({"simulate", "plan.json"}, "no-such-device");
}

}  // namespace
}  // namespace spinetherm
