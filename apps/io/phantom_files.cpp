// SPDX-License-Identifier: Apache-2.0
#include "apps/io/phantom_files.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "imaging/core/error.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json json_of(const Eigen::Vector3d& v) { return {v.x(), v.y(), v.z()}; }

/// Whole numbers, as scanners store them.
void write_image(const fs::path& path, const Volume<float>& volume) {
  Volume<std::int16_t> stored(volume.grid);
  for (std::size_t n = 0; n < volume.values.size(); ++n)
    stored[n] = std::int16_t(std::lround(std::clamp(volume[n], -32768.0f, 32767.0f)));
  write_volume(path, stored);
}

/// A markups file of 3D Slicer, LPS mm.
void write_landmarks(const fs::path& path, const std::vector<LevelLandmarks>& levels,
                     const Rigid& image_from_ct) {
  Json points = Json::array();
  for (const LevelLandmarks& level : levels)
    for (const Landmark& l : level.points)
      points.push_back({{"id", std::to_string(points.size() + 1)},
                        {"label", level.level + " " + l.name},
                        {"position", json_of(image_from_ct * l.at_mm)},
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

void write_lesion(const fs::path& path, const SpinePhantom& phantom) {
  const PhantomLesion& l = phantom.lesion;
  const LesionGrade& grade = l.grade;
  const EpiduralMeasure& epidural = grade.epidural;
  const Rigid mri_from_ct = phantom.mri_from_cbct * inverse(phantom.ct_from_cbct);
  const TargetFacts& facts = grade.facts;
  const Eligibility eligible = assess_eligibility(phantom.options.clinical, facts);
  write_json_file(
      {{"format", "spinetherm.lesion"},
       {"version", 1},
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
       {"eligibility", {{"verdict", to_string(eligible.verdict)}, {"reasons", eligible.reasons}}}},
      path);
}

}  // namespace

PatientCase write_phantom(const SpinePhantom& phantom, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder / "truth", error);
  if (error)
    throw IoError("cannot make a folder: " + error.message(), (folder / "truth").string(),
                  "choose one that can be written");
  write_image(folder / "ct.nii.gz", phantom.ct.volume);
  write_image(folder / "mri_t2.nii.gz", phantom.mri_t2.volume);
  write_image(folder / "cbct.nii.gz", phantom.cbct.volume);
  write_labels(folder / "labels_ct.nii.gz", phantom.anatomy.labels);
  write_labels(folder / "labels_mri_t2.nii.gz", phantom.labels_mri);
  write_transform(folder / "truth/mri_from_cbct.tfm", phantom.mri_from_cbct);
  write_transform(folder / "truth/ct_from_cbct.tfm", phantom.ct_from_cbct);
  const Rigid cbct_from_ct = inverse(phantom.ct_from_cbct);
  write_landmarks(folder / "landmarks_ct.mrk.json", phantom.landmarks, Rigid{});
  write_landmarks(folder / "landmarks_cbct.mrk.json", phantom.landmarks, cbct_from_ct);
  write_landmarks(folder / "landmarks_mri_t2.mrk.json", phantom.landmarks_mri, Rigid{});
  write_lesion(folder / "lesion.json", phantom);

  PatientCase c;
  c.file = folder / "case.json";
  c.ct = CaseImage{folder / "ct.nii.gz", "", Modality::ct};
  c.cbct = CaseImage{folder / "cbct.nii.gz", "", Modality::cbct};
  c.mri = {CaseImage{folder / "mri_t2.nii.gz", "", Modality::mr_t2}};
  c.labels = {{folder / "labels_ct.nii.gz", "spinetherm"}};
  c.transforms = {{folder / "truth/ct_from_cbct.tfm", "cbct", "ct"}};
  c.level = {phantom.lesion.level, {{"phantom truth", "ct", ""}}};
  c.target.name =
      fmt::format("{} lesion in {}", to_string(phantom.lesion.options.kind), phantom.lesion.level);
  c.target.label = "tumour";
  c.target.kind = std::string(to_string(phantom.lesion.options.kind));
  c.clinical = phantom.options.clinical;
  c.notes = fmt::format(
      "Synthetic patient of {} to {}, seed {}. CT and CBCT share their frame; the MRI was moved by "
      "truth/mri_from_cbct.tfm.",
      phantom.options.levels.front(), phantom.options.levels.back(), phantom.options.seed);
  write_case(c, c.file);
  return c;
}

}  // namespace spinetherm
