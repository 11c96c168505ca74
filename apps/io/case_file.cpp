// SPDX-License-Identifier: Apache-2.0
#include "apps/io/case_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "apps/io/region_json.h"
#include "datasets/lesion_grade.h"
#include "imaging/core/anatomy.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/core/text.h"
#include "imaging/label_conventions.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Eigen::Vector3d;

/// A lesion is no smaller than the finest voxel and no larger than the part of a scan that is planned on
/// [mm].
constexpr double kLeastRadius_mm = 0.5, kLargestRadius_mm = 100;
const std::vector<std::string> kWeightings = {"T1", "T2", "STIR"};
constexpr std::array<Modality, 3> kWeightingModalities = {Modality::mr_t1, Modality::mr_t2,
                                                          Modality::mr_stir};
const std::vector<std::string> kGoals = {"palliation", "local_control"};
const std::vector<std::string> kParts = {"body", "all"};
const std::vector<std::string> kKinds = {"lytic", "blastic", "mixed", "marrow"};
const std::vector<std::string> kEscc(escc_grades().begin(), escc_grades().end());

std::string optional_word(const JsonReader& r, const std::string& key,
                          const std::vector<std::string>& words) {
  return r.has(key) ? words[r.get_word(key, words)] : std::string();
}

fs::path read_path(const JsonReader& r, const fs::path& folder) {
  const JsonReader child = r.at("path");
  const auto text = child.as<std::string>();
  if (text.empty()) child.fail("empty path", "name a file or folder, relative to this file");
  fs::path path = fs::absolute(folder / text).lexically_normal();
  std::error_code error;
  if (!fs::exists(path, error))
    throw IoError(fmt::format("there is no '{}'", path.string()), child.pointer(),
                  "paths are relative to the case file");
  return path;
}

CaseImage read_case_image(const JsonReader& r, const fs::path& folder, std::optional<Modality> modality) {
  CaseImage image;
  image.path = read_path(r, folder);
  image.series = r.get_or<std::string>("series", "");
  image.modality = modality ? *modality : kWeightingModalities[r.get_word("weighting", kWeightings)];
  r.finish();
  return image;
}

void read_images(const JsonReader& r, const fs::path& folder, PatientCase& c) {
  if (const auto ct = r.find("ct")) c.ct = read_case_image(*ct, folder, Modality::ct);
  if (const auto cbct = r.find("cbct")) c.cbct = read_case_image(*cbct, folder, Modality::cbct);
  if (const auto mri = r.find("mri"))
    for (const JsonReader& e : mri->elements()) c.mri.push_back(read_case_image(e, folder, std::nullopt));
  r.finish();
  if (!c.ct && !c.cbct && c.mri.empty()) r.fail("no image", "give ct, cbct or mri");
}

CaseLabels read_case_labels(const JsonReader& r, const fs::path& folder) {
  CaseLabels labels{read_path(r, folder), r.get<std::string>("convention")};
  try {
    label_convention(labels.convention);
  } catch (Error& e) {
    e.within(r.at("convention").pointer());
    throw;
  }
  r.finish();
  return labels;
}

CaseLevel read_level(const JsonReader& r) {
  CaseLevel level;
  level.name = r.get<std::string>("name");
  if (!level_index(level.name))
    r.at("name").fail(fmt::format("unknown level '{}'", level.name),
                      fmt::format("did you mean '{}'?", nearest_word(level.name, levels())));
  if (const auto confirmed = r.find("confirmed_by"))
    for (const JsonReader& e : confirmed->elements()) {
      level.confirmed_by.push_back({e.get<std::string>("method"), e.get_or<std::string>("image", ""),
                                    e.get_or<std::string>("who", "")});
      e.finish();
    }
  r.finish();
  return level;
}

CaseTarget read_target(const JsonReader& r) {
  CaseTarget t;
  t.name = r.get_or<std::string>("name", "");
  t.label = r.get_or<std::string>("label", "");
  t.centre_mm = r.get_optional<Vector3d>("centre_mm");
  t.radii_mm = r.get_optional<Vector3d>("radii_mm");
  t.part = optional_word(r, "part", kParts);
  t.kind = optional_word(r, "kind", kKinds);
  r.finish();
  if (t.label.empty() == !t.centre_mm)
    r.fail(t.label.empty() ? "no target" : "two targets", "give a label, or centre_mm and radii_mm");
  if (t.centre_mm.has_value() != t.radii_mm.has_value())
    r.fail("half an ellipsoid", "give centre_mm and radii_mm");
  if (t.radii_mm &&
      !(t.radii_mm->minCoeff() >= kLeastRadius_mm && t.radii_mm->maxCoeff() <= kLargestRadius_mm))
    r.at("radii_mm")
        .fail(fmt::format("radii of {:g}, {:g}, {:g} mm", t.radii_mm->x(), t.radii_mm->y(), t.radii_mm->z()),
              fmt::format("give three radii of {:g} to {:g} mm", kLeastRadius_mm, kLargestRadius_mm));
  if (!t.label.empty() && !structure_value(t.label)) {
    std::vector<std::string> names;
    for (const auto& [value, name] : structure_table()) names.push_back(name);
    r.at("label").fail(fmt::format("unknown structure '{}'", t.label),
                       fmt::format("did you mean '{}'?", nearest_word(t.label, names)));
  }
  return t;
}

ClinicalFacts read_clinical(const JsonReader& r) {
  ClinicalFacts c;
  if (r.has("goal")) c.goal = kGoals[r.get_word("goal", kGoals)];
  c.deficit = r.get_optional<bool>("deficit");
  c.sins_pain = r.get_optional<int>("sins_pain");
  if (c.sins_pain && *c.sins_pain != 0 && *c.sins_pain != 1 && *c.sins_pain != 3)
    r.at("sins_pain").fail(fmt::format("found {}", *c.sins_pain), "SINS gives 0, 1 or 3 points for pain");
  c.previous_dose_Gy = r.get_optional<double>("previous_dose_Gy");
  if (c.previous_dose_Gy && *c.previous_dose_Gy < 0)
    r.at("previous_dose_Gy").fail("negative dose", "give 0 or more Gy");
  c.anticoagulated = r.get_optional<bool>("anticoagulated");
  c.implants = r.get_optional<bool>("implants");
  c.pacemaker = r.get_optional<bool>("pacemaker");
  c.primary = r.get_optional<std::string>("primary");
  r.finish();
  return c;
}

CaseFindings read_findings(const JsonReader& r) {
  CaseFindings f;
  if (r.has("escc")) f.escc = kEscc[r.get_word("escc", kEscc)];
  const auto share = [&](const char* key) {
    const auto value = r.get_optional<double>(key);
    if (value && !(*value >= 0 && *value <= 1))
      r.at(key).fail(fmt::format("found {:g}", *value), "give a share from 0 to 1");
    return value;
  };
  f.collapse = share("collapse");
  f.body_involved = share("body_involved");
  f.alignment_points = r.get_optional<int>("alignment_points");
  if (f.alignment_points && *f.alignment_points != 0 && *f.alignment_points != 2 && *f.alignment_points != 4)
    r.at("alignment_points")
        .fail(fmt::format("found {}", *f.alignment_points), "SINS gives 0, 2 or 4 points for alignment");
  f.posterolateral_sides = r.get_optional<int>("posterolateral_sides");
  if (f.posterolateral_sides && (*f.posterolateral_sides < 0 || *f.posterolateral_sides > 2))
    r.at("posterolateral_sides")
        .fail(fmt::format("found {}", *f.posterolateral_sides), "give 0, 1 or 2 sides");
  r.finish();
  return f;
}

PatientCase parse_case(const nlohmann::json& document, const fs::path& folder) {
  const JsonReader r(document);
  expect_format(r, "case");
  PatientCase c;
  read_images(r.at("images"), folder, c);
  if (const auto labels = r.find("labels")) {
    if (labels->json().is_array())
      for (const JsonReader& e : labels->elements()) c.labels.push_back(read_case_labels(e, folder));
    else
      c.labels.push_back(read_case_labels(*labels, folder));
  }
  if (const auto transforms = r.find("transforms"))
    for (const JsonReader& e : transforms->elements()) {
      c.transforms.push_back({read_path(e, folder), e.get<std::string>("from"), e.get<std::string>("to")});
      e.finish();
    }
  if (const auto level = r.find("level")) c.level = read_level(*level);
  c.target = read_target(r.at("target"));
  if (const auto clinical = r.find("clinical")) c.clinical = read_clinical(*clinical);
  if (const auto findings = r.find("findings")) c.findings = read_findings(*findings);
  c.synthetic = r.get_or<bool>("synthetic", false);
  c.notes = r.get_or<std::string>("notes", "");
  r.finish();
  return c;
}

Json images_json(const PatientCase& c, const fs::path& folder) {
  const auto image_json = [&](const CaseImage& image) {
    Json j = {{"path", image.path.lexically_proximate(folder).string()}};
    if (!image.series.empty()) j["series"] = image.series;
    return j;
  };
  Json j = Json::object();
  if (c.ct) j["ct"] = image_json(*c.ct);
  if (c.cbct) j["cbct"] = image_json(*c.cbct);
  for (const CaseImage& image : c.mri) {
    Json one = image_json(image);
    for (std::size_t n = 0; n < kWeightings.size(); ++n)
      if (image.modality == kWeightingModalities[n]) one["weighting"] = kWeightings[n];
    j["mri"].push_back(std::move(one));
  }
  return j;
}

Json level_json(const CaseLevel& level) {
  Json j = {{"name", level.name}, {"confirmed_by", Json::array()}};
  for (const LevelConfirmation& by : level.confirmed_by)
    j["confirmed_by"].push_back({{"method", by.method}, {"image", by.image}, {"who", by.who}});
  return j;
}

Json target_json(const CaseTarget& t) {
  Json j = Json::object();
  if (!t.name.empty()) j["name"] = t.name;
  if (!t.label.empty()) j["label"] = t.label;
  if (t.centre_mm) j["centre_mm"] = to_json(*t.centre_mm);
  if (t.radii_mm) j["radii_mm"] = to_json(*t.radii_mm);
  if (!t.part.empty()) j["part"] = t.part;
  if (!t.kind.empty()) j["kind"] = t.kind;
  return j;
}

Json clinical_json(const ClinicalFacts& c) {
  Json j = Json::object();
  if (c.goal) j["goal"] = *c.goal;
  if (c.deficit) j["deficit"] = *c.deficit;
  if (c.sins_pain) j["sins_pain"] = *c.sins_pain;
  if (c.previous_dose_Gy) j["previous_dose_Gy"] = *c.previous_dose_Gy;
  if (c.anticoagulated) j["anticoagulated"] = *c.anticoagulated;
  if (c.implants) j["implants"] = *c.implants;
  if (c.pacemaker) j["pacemaker"] = *c.pacemaker;
  if (c.primary) j["primary"] = *c.primary;
  return j;
}

Json findings_json(const CaseFindings& f) {
  Json j = Json::object();
  if (f.escc) j["escc"] = *f.escc;
  if (f.collapse) j["collapse"] = *f.collapse;
  if (f.body_involved) j["body_involved"] = *f.body_involved;
  if (f.alignment_points) j["alignment_points"] = *f.alignment_points;
  if (f.posterolateral_sides) j["posterolateral_sides"] = *f.posterolateral_sides;
  return j;
}

}  // namespace

std::string synthetic_mark(const PatientCase& patient) { return patient.synthetic ? "SYNTHETIC" : ""; }

std::string PatientCase::name() const {
  const std::string stem = file.stem().string();
  return stem == "case" && file.has_parent_path() ? file.parent_path().filename().string() : stem;
}

std::vector<fs::path> PatientCase::inputs() const {
  std::vector<fs::path> out = {file};
  if (ct) out.push_back(ct->path);
  if (cbct) out.push_back(cbct->path);
  for (const auto& image : mri) out.push_back(image.path);
  for (const auto& l : labels) out.push_back(l.path);
  for (const auto& t : transforms) out.push_back(t.path);
  return out;
}

PatientCase read_case(const fs::path& path) {
  const nlohmann::json document = parse_json_file(path);
  try {
    PatientCase c = parse_case(document, path.parent_path());
    c.file = fs::absolute(path).lexically_normal();
    return c;
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
}

void write_case(const PatientCase& patient, const fs::path& path) {
  const fs::path folder = fs::absolute(path).lexically_normal().parent_path();
  Json j = {{"format", "spinetherm.case"}, {"version", 1}};
  if (patient.synthetic) j["synthetic"] = true;
  if (!patient.notes.empty()) j["notes"] = patient.notes;
  j["images"] = images_json(patient, folder);
  for (const CaseLabels& l : patient.labels)
    j["labels"].push_back(
        {{"path", l.path.lexically_proximate(folder).string()}, {"convention", l.convention}});
  for (const CaseTransform& t : patient.transforms)
    j["transforms"].push_back(
        {{"path", t.path.lexically_proximate(folder).string()}, {"from", t.from}, {"to", t.to}});
  if (!patient.level.name.empty()) j["level"] = level_json(patient.level);
  j["target"] = target_json(patient.target);
  if (patient.clinical != ClinicalFacts{}) j["clinical"] = clinical_json(patient.clinical);
  if (patient.findings != CaseFindings{}) j["findings"] = findings_json(patient.findings);
  write_json_file(j, path);
}

}  // namespace spinetherm
