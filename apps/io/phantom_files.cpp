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

void write_lesion(const fs::path& path, const SpinePhantom& phantom) {
  const PhantomLesion& l = phantom.lesion;
  const Rigid mri_from_ct = phantom.mri_from_cbct * inverse(phantom.ct_from_cbct);
  write_json_file({{"format", "spinetherm.lesion"},
                   {"version", 1},
                   {"level", l.level},
                   {"kind", to_string(l.options.kind)},
                   {"place", to_string(l.options.place)},
                   {"side", l.options.side > 0 ? "left" : "right"},
                   {"centre_mm", json_of(l.centre_mm)},
                   {"centre_in_mri_mm", json_of(mri_from_ct * l.centre_mm)},
                   {"radius_mm", l.options.radius_mm.value()},
                   {"volume_ml", l.volume_ml},
                   {"escc", "0"},
                   {"posterior_wall_defect_mm", 0}},
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
  // Part of the synthetic patient: one for whom ablation is considered at all.
  c.clinical.goal = "local_control";
  c.clinical.deficit = false;
  c.clinical.sins_pain = 1;
  c.clinical.previous_dose_Gy = 0;
  c.clinical.anticoagulated = false;
  c.clinical.implants = false;
  c.clinical.pacemaker = false;
  c.notes = fmt::format(
      "Synthetic patient of {} to {}, seed {}. CT and CBCT share their frame; the MRI was moved by "
      "truth/mri_from_cbct.tfm.",
      phantom.options.levels.front(), phantom.options.levels.back(), phantom.options.seed);
  write_case(c, c.file);
  return c;
}

}  // namespace spinetherm
