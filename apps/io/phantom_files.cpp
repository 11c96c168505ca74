// SPDX-License-Identifier: Apache-2.0
#include "apps/io/phantom_files.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "apps/io/phantom_json.h"
#include "imaging/core/error.h"
#include "imaging/dicom_writer.h"
#include "imaging/displacement_field.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json json_of(const Eigen::Vector3d& v) { return {v.x(), v.y(), v.z()}; }

/// Whole numbers, as scanners store them.
void write_image(const fs::path& path, const Volume<float>& volume, const std::string& description) {
  Volume<std::int16_t> stored(volume.grid);
  for (std::size_t n = 0; n < volume.values.size(); ++n)
    stored[n] = std::int16_t(std::lround(std::clamp(volume[n], -32768.0f, 32767.0f)));
  write_volume(path, stored, description);
}

/// A markups file of 3D Slicer, LPS mm.
void write_landmarks(const fs::path& path, const std::vector<LevelLandmarks>& levels) {
  Json points = Json::array();
  for (const LevelLandmarks& level : levels)
    for (const Landmark& l : level.points)
      points.push_back({{"id", std::to_string(points.size() + 1)},
                        {"label", level.level + " " + l.name},
                        {"position", json_of(l.at_mm)},
                        {"positionStatus", "defined"}});
  write_json_file({{"@schema",
                    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
                    "Resources/Schema/markups-schema-v1.0.3.json#"},
                   {"markups", Json::array({{{"type", "Fiducial"},
                                             {"coordinateSystem", "LPS"},
                                             {"coordinateUnits", "mm"},
                                             {"controlPoints", points}}})}},
                  path);
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json json_of(const Sins& sins, int imaging) {
  Json parts = Json::object();
  for (const SinsItem& item : sins.items) parts[item.name] = {item.lowest, item.highest};
  return {{"imaging", imaging}, {"low", sins.lowest}, {"high", sins.highest}, {"parts", parts}};
}

/// The exact motion of a vertebra.
Rigid motion_of(const SpinePhantom& phantom, const std::string& level) {
  for (const LevelMotion& m : phantom.posture.motions)
    if (m.level == level) return m.mri_from_cbct;
  return phantom.mri_from_cbct;
}

void write_lesion(const fs::path& path, const SpinePhantom& phantom) {
  const PhantomLesion& l = phantom.lesion;
  const LesionGrade& grade = l.grade;
  const EpiduralMeasure& epidural = grade.epidural;
  const Rigid mri_from_ct = motion_of(phantom, l.level) * inverse(phantom.ct_from_cbct);
  const TargetFacts& facts = grade.facts;
  const Eligibility eligible = assess_eligibility(phantom.options.clinical, facts);
  Json json = {{"format", "spinetherm.lesion"},
               {"version", 1},
               {"virtual", phantom.virtual_of.has_value()},
               {"level", l.level},
               {"words", lesion_words(phantom.options.lesion)},
               {"kind", to_string(l.options.kind)},
               {"place", to_string(l.options.place)},
               {"side", l.options.side > 0 ? "left" : "right"},
               {"centre_mm", json_of(l.centre_mm)},
               {"centre_in_mri_mm", json_of(mri_from_ct * l.centre_mm)},
               {"radius_mm", l.options.radius_mm.value()},
               {"volume_ml", l.volume_ml},
               {"largest_diameter_mm", l.extent.largest_diameter_mm},
               {"extent_mm", json_of(l.extent.box_mm)},
               {"escc", epidural.escc},
               {"epidural",
                {{"tumour_ml", epidural.tumour_ml},
                 {"sac_lost", epidural.sac_lost},
                 {"cord_gap_mm", or_null(epidural.cord_gap_mm)},
                 {"cord_ratio", or_null(epidural.cord_ratio)},
                 {"csf_left", or_null(epidural.csf_left)},
                 {"graded_by", epidural.by_cord ? "cord" : "sac, below the conus"}}},
               {"sins", json_of(grade.sins, grade.sins_imaging)},
               {"posterior_wall_defect_mm", or_null(facts.posterior_wall_defect_mm)},
               {"collapse", or_null(facts.collapse)},
               {"added_kyphosis_deg", grade.kyphosis_deg},
               {"body_involved", or_null(facts.body_involved)},
               {"posterolateral_sides", facts.posterolateral_sides.value_or(0)},
               {"eligibility", {{"verdict", to_string(eligible.verdict)}, {"reasons", eligible.reasons}}}};
  if (phantom.virtual_of) json["source"] = source_json(*phantom.virtual_of);
  write_json_file(json, path);
}

/// What the labels tell (datasets/lesion_grade.h), for the case.
CaseFindings findings_of(const TargetFacts& facts) {
  return {facts.escc, facts.collapse, facts.body_involved, facts.alignment_points,
          facts.posterolateral_sides};
}

/// Told in the header of every image.
std::string description_of(const SpinePhantom& phantom) {
  return phantom.virtual_of ? "SYNTHETIC: real CT with a virtual lesion, not a patient's disease"
                            : "SYNTHETIC: phantom, no patient";
}

/// What a virtual patient's case says instead of a phantom's.
void describe_virtual(const SpinePhantom& phantom, PatientCase& c) {
  const VirtualSource& source = *phantom.virtual_of;
  c.level.confirmed_by = {{"labels of the source CT", "ct", ""}};
  c.target.name = "virtual " + c.target.name;
  c.notes = fmt::format(
      "SYNTHETIC: part of the real CT {} with a virtual lesion, seed {}. CBCT and MRI were simulated from "
      "it; "
      "CT and CBCT share their frame, the MRI was moved by truth/mri_from_cbct.tfm.",
      source.ct, phantom.options.seed);
  for (const std::string& note : source.modelled) c.notes += " Of the MRI: " + note + ".";
  if (!source.notes.empty()) c.notes += " Of the source: " + source.notes;
}

}  // namespace

std::string phantom_suffix(std::string_view format) {
  if (format == "nifti") return ".nii.gz";
  if (format == "nrrd" || format == "mha") return "." + std::string(format);
  throw ConfigError("unknown format '" + std::string(format) + "'", "--format", "use nifti, nrrd or mha");
}

PatientCase write_phantom(const SpinePhantom& phantom, const fs::path& folder,
                          const PhantomFileOptions& options) {
  std::error_code error;
  fs::create_directories(folder / "truth", error);
  if (error)
    throw IoError("cannot make a folder: " + error.message(), (folder / "truth").string(),
                  "choose one that can be written");
  PatientCase c;
  c.file = folder / "case.json";
  struct Written {
    std::string name;
    const Image* image;
    const Volume<StructureValue>* labels;
    const std::vector<LevelLandmarks>* landmarks;
  };
  std::vector<Written> all = {{"ct", &phantom.ct, &phantom.anatomy.labels, &phantom.landmarks},
                              {"cbct", &phantom.cbct, &phantom.labels_cbct, &phantom.landmarks},
                              {"mri_t1", &phantom.mri_t1, &phantom.labels_mri, &phantom.landmarks_mri},
                              {"mri_t2", &phantom.mri_t2, &phantom.labels_mri, &phantom.landmarks_mri},
                              {"mri_stir", &phantom.mri_stir, &phantom.labels_mri, &phantom.landmarks_mri}};
  const std::vector<LevelLandmarks> none;  // they are in the CT's frame, and written with it
  if (!phantom.ct_body.volume.empty())
    all.push_back({"ct_body", &phantom.ct_body, &phantom.labels_ct_body, &none});
  for (const Written& w : all) {
    const fs::path path = folder / (w.name + options.suffix);
    write_image(path, w.image->volume, description_of(phantom));
    write_labels(folder / ("labels_" + w.name + options.suffix), *w.labels);
    if (!w.landmarks->empty()) write_landmarks(folder / ("landmarks_" + w.name + ".mrk.json"), *w.landmarks);
    const CaseImage image{path, "", w.image->modality};
    if (w.name == "ct_body") continue;
    if (w.name == "ct")
      c.ct = image;
    else if (w.name == "cbct")
      c.cbct = image;
    else
      c.mri.push_back(image);
  }
  if (phantom.options.radiographs) {
    const std::string description = description_of(phantom);
    write_volume(folder / ("radiograph_ap" + options.suffix), phantom.radiographs.ap, description);
    write_volume(folder / ("radiograph_lateral" + options.suffix), phantom.radiographs.lateral, description);
  }
  write_transform(folder / "truth/mri_from_cbct.tfm", phantom.mri_from_cbct);
  write_transform(folder / "truth/ct_from_cbct.tfm", phantom.ct_from_cbct);
  for (const LevelMotion& m : phantom.posture.motions)
    write_transform(folder / fmt::format("truth/mri_from_cbct_{}.tfm", m.level), m.mri_from_cbct);
  if (!phantom.posture.field.empty())
    write_displacement_field(folder / ("truth/mri_from_cbct_field" + options.suffix), phantom.posture.field);
  if (!phantom.posture.distortion.empty())
    write_displacement_field(folder / ("truth/mri_distortion_field" + options.suffix),
                             phantom.posture.distortion);
  if (options.dicom)
    write_dicom_series(folder / "ct_dicom", phantom.ct.volume,
                       phantom.virtual_of ? "SYNTHETIC: real CT, virtual lesion" : "SYNTHETIC: phantom");
  write_lesion(folder / "lesion.json", phantom);
  write_json_file(phantom_json(phantom), folder / "phantom.json");

  c.labels = {{folder / ("labels_ct" + options.suffix), "spinetherm"}};
  c.transforms = {{folder / "truth/ct_from_cbct.tfm", "cbct", "ct"}};
  c.level = {phantom.lesion.level, {{"phantom truth", "ct", ""}}};
  c.target.name =
      fmt::format("{} lesion in {}", to_string(phantom.lesion.options.kind), phantom.lesion.level);
  c.target.label = "tumour";
  c.target.kind = std::string(to_string(phantom.lesion.options.kind));
  c.clinical = phantom.options.clinical;
  c.findings = findings_of(phantom.lesion.grade.facts);
  c.synthetic = true;
  c.notes = fmt::format(
      "Synthetic patient of {} to {}, seed {}. CT and CBCT (prone) share their frame; the MRI (supine) was "
      "moved "
      "by truth/mri_from_cbct_<level>.tfm.",
      phantom.options.levels.front(), phantom.options.levels.back(), phantom.options.seed);
  if (phantom.virtual_of) describe_virtual(phantom, c);
  write_case(c, c.file);
  return c;
}

}  // namespace spinetherm
