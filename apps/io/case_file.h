// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/image.h"
#include "planning/eligibility.h"
#include "planning/safety.h"

namespace spinetherm {

struct CaseImage {
  std::filesystem::path path;
  std::string series;  ///< DICOM: SeriesInstanceUID or number; empty: chosen
  Modality modality = Modality::unknown;
  bool operator==(const CaseImage&) const = default;
};
struct CaseLabels {
  std::filesystem::path path;
  std::string convention;  ///< of label_conventions()
  bool operator==(const CaseLabels&) const = default;
};
/// A file that maps a point of image `from` to image `to`.
struct CaseTransform {
  std::filesystem::path path;
  std::string from, to;
  bool operator==(const CaseTransform&) const = default;
};
struct CaseLevel {
  std::string name;                             ///< "L3"; empty: not known
  std::vector<LevelConfirmation> confirmed_by;  ///< empty: assumed
  bool operator==(const CaseLevel&) const = default;
};
/// Either `label` (a structure of core's table) or `centre_mm` and `radii_mm` (LPS mm of the planning image;
/// radii 0.5 to 100).
struct CaseTarget {
  std::string name;  ///< empty: not told
  std::string label;
  std::optional<Eigen::Vector3d> centre_mm, radii_mm;
  std::string part;  ///< body, all; empty: not told
  std::string kind;  ///< lytic, blastic, mixed, marrow; empty: not known
  bool operator==(const CaseTarget&) const = default;
};

/// What a reader of the images found (case.json, `findings`), or what a phantom's labels tell. The run judges
/// by it; what is empty is unknown.
struct CaseFindings {
  std::optional<std::string> escc;          ///< epidural grade 0, 1a, 1b, 1c, 2, 3
  std::optional<double> collapse;           ///< lost share of the body's height, 0..1
  std::optional<double> body_involved;      ///< share of the body that is tumour, 0..1
  std::optional<int> alignment_points;      ///< SINS: 0 normal, 2 deformity, 4 subluxation
  std::optional<int> posterolateral_sides;  ///< 0, 1 or 2 sides with pedicle, facet or rib joint
  bool operator==(const CaseFindings&) const = default;
};

/// `spinetherm.case`: what is known of a patient. All paths are absolute.
struct PatientCase {
  std::filesystem::path file;  ///< the document itself
  std::optional<CaseImage> ct, cbct;
  std::vector<CaseImage> mri;
  std::vector<CaseLabels> labels;
  std::vector<CaseTransform> transforms;
  CaseLevel level;
  CaseTarget target;
  ClinicalFacts clinical;
  CaseFindings findings;
  bool synthetic = false;  ///< no patient's images: every picture of it says so (synthetic_mark())
  std::string notes;

  /// "lumbar_L3" of lumbar_L3.json; the folder's name when the file is called case.json.
  std::string name() const;
  /// Every file that the case names, itself first: for provenance.
  std::vector<std::filesystem::path> inputs() const;
  bool operator==(const PatientCase&) const = default;
};

/// The word that headings and every picture of this case carry; empty for a patient's own images.
std::string synthetic_mark(const PatientCase& patient);

/// Reads a `spinetherm.case`. Paths are resolved against the file's folder and must exist.
/// ConfigError and IoError with the file and the JSON pointer.
PatientCase read_case(const std::filesystem::path& path);

/// Writes the case with paths relative to the folder of `path`. IoError.
void write_case(const PatientCase& patient, const std::filesystem::path& path);

}  // namespace spinetherm
