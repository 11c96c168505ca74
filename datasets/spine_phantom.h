// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/cbct_image_model.h"
#include "datasets/cbct_scanner.h"
#include "datasets/ct_scanner.h"
#include "datasets/fluoroscopy.h"
#include "datasets/lesion_grade.h"
#include "datasets/lesion_options.h"
#include "datasets/mri_scanner.h"
#include "datasets/posture_options.h"
#include "datasets/spine_options.h"
#include "datasets/spine_patient.h"
#include "datasets/vertebra_shape.h"
#include "imaging/core/anatomy.h"
#include "imaging/core/progress.h"
#include "imaging/core/rigid.h"
#include "imaging/displacement_field.h"

namespace spinetherm {

/// Reads "L2-L4", "T8" or "L4-S1": levels from the head down; S1 is called sacrum. ConfigError for what such
/// a spine lacks.
std::vector<std::string> parse_levels(std::string_view range, SpineVariant variant = SpineVariant::none);

/// A patient for whom ablation is considered at all: local control, no deficit, pain that is not mechanical,
/// nothing that speaks against it.
ClinicalFacts usual_clinical_facts();

/// How the CBCT is made: drawn into the image, or projected and reconstructed.
enum class CbctMode { image, projection };
std::string_view to_string(CbctMode mode);

struct SpinePhantomOptions {
  std::vector<std::string> levels = {"L2", "L3", "L4"};
  std::string lesion_level;  ///< empty: the middle of `levels`
  LesionOptions lesion = {};
  SpineOptions spine = {};  ///< which patient
  double spacing_mm = 1;    ///< of CT and CBCT; CT slices and MRI may be thicker
  double width_mm = 160;    ///< left to right, about the middle of the body
  double front_mm = 55;     ///< of the image before the middle of the body
  double back_mm = 105;     ///< behind it: the skin of the back lies at 75-95 mm
  double margin_mm = 14;    ///< of the image above and below the end discs: the neighbours are cut
  int supersample = 3;      ///< points an axis in voxels at a boundary
  std::uint64_t seed = 1;   ///< of noise, of the lesion's shape and of the pose of the MRI
  double mri_rotation_deg = 4, mri_translation_mm = 8;  ///< size of the pose of the MRI
  PostureOptions posture;                               ///< bending of the spine besides
  CtOptions ct;
  MrOptions mr;  ///< pixels are never finer than `spacing_mm`, slices never thinner
  CbctMode cbct_mode = CbctMode::image;
  CbctOptions cbct;
  ProjectionCbctOptions projection;
  bool radiographs = false;  ///< AP and lateral too
  FluoroscopyOptions fluoroscopy;
  /// The clinic's part of the case. A primary tumour that is not told is drawn (draw_primary()).
  ClinicalFacts clinical = usual_clinical_facts();
  void validate() const;
};
/// The lesion's level: `lesion_level`, or the middle of `levels`.
std::string lesion_level_of(const SpinePhantomOptions& options);

struct LevelLandmarks {
  std::string level;
  std::vector<Landmark> points;  ///< 16
};

struct PhantomLesion {
  std::string level;
  LesionOptions options;               ///< with the radius, gap and wall defect that were used
  Eigen::Vector3d centre_mm{0, 0, 0};  ///< CT frame: of the sphere that holds it
  double volume_ml = 0;                ///< of its mask
  MaskExtent extent;                   ///< of its mask
  LesionGrade grade;
  Volume<std::uint8_t> mask;  ///< on the CT's grid: in bone, canal and beside the body
};

struct SpinePhantomSummary {
  Termination termination = Termination::not_run;
  double wall_time_s = 0;
};

/// How the frame of the MRI follows from that of the CBCT.
struct PostureTruth {
  std::vector<LevelMotion> motions;  ///< of the levels that were asked for, exact
  DisplacementField field;           ///< mri_from_cbct(x) - x on 2 mm, over the box of the CBCT
  /// Where the MRI shows points wrongly: true less apparent position on 4 mm, over the MRI; empty when off.
  DisplacementField distortion;
  int redrawn = 0;              ///< draws of joints by which facets would have met
  double neural_dorsal_mm = 0;  ///< shift of cord or cauda at the middle level, supine from prone
};

/// What a virtual patient (datasets/virtual_patient.h) was made of.
struct VirtualSource {
  std::string ct, labels, notes;
  double ct_noise_HU = 0;             ///< as measured, and added where the lesion was drawn
  double marrow_HU = 0;               ///< of the real patient
  std::vector<std::string> modelled;  ///< what the MRI shows and no label told
};

/// A synthetic patient. CT and CBCT share their frame, that of the prone patient; the MRI, of the patient
/// supine, has a frame and a grid of its own, which its weightings share.
struct SpinePhantom {
  SpinePhantomSummary summary;
  SpinePhantomOptions options;  ///< with the MRI's stack as it was made
  SpinePatient patient;         ///< as drawn
  Image ct, cbct, mri_t1, mri_t2, mri_stir;
  Image ct_body;  ///< the whole cross section at about 2 mm; none of a virtual patient
  Volume<StructureValue> labels_ct_body;  ///< on its grid
  Volume<std::uint8_t> cbct_valid;        ///< 1 where the CBCT was measured
  FluoroscopyImages radiographs;          ///< empty unless asked for
  Anatomy anatomy;                        ///< on the CT's grid; roots as the tubes that they were made from
  Volume<StructureValue> labels_cbct;     ///< on the CBCT's grid
  Volume<StructureValue> labels_mri;      ///< on the MRI's grid, as its images show them
  Rigid mri_from_cbct;                    ///< the truth; where the spine bends, the best rigid motion
  Rigid ct_from_cbct;                     ///< identity
  PostureTruth posture;
  std::vector<LevelLandmarks> landmarks;      ///< CT frame; levels that were asked for
  std::vector<LevelLandmarks> landmarks_mri;  ///< the same points in the MRI's frame, undistorted
  PhantomLesion lesion;
  std::optional<VirtualSource> virtual_of;  ///< set: a real CT with a virtual lesion; `patient` says nothing
};

/// A rotation of options.mri_rotation_deg about `centre_mm` and a shift of options.mri_translation_mm, both
/// in a direction that the seed draws.
Rigid random_pose(const SpinePhantomOptions& options, const Eigen::Vector3d& centre_mm);

/// Makes a patient's spine (SpineOptions, vertebrae.json) in LPS millimetres: patient's left +x,
/// posterior +y, head +z, origin at the middle of the middle level's body. Bodies, arches, discs, canal,
/// sac, cord or cauda, roots, great vessels, psoas and back muscles, lungs and ribs (thoracic), kidneys and
/// bowel (lumbar), fat, skin, air; the levels beyond the ends appear cut. The MRI shows the posture that
/// Posture draws. The result depends on the options only, not on the number of threads. ConfigError for
/// options that cannot be meant; when cancelled the summary says so and nothing else may be used.
SpinePhantom make_spine_phantom(const SpinePhantomOptions& options = {}, const Progress& progress = {});

}  // namespace spinetherm
