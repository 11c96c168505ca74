// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/anatomy.h"
#include "imaging/core/image.h"
#include "imaging/core/tissue_class.h"
#include "thermal/applicator.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// How CT numbers and labels become tissues. CT numbers are typical means, half-way between two tissues;
/// calibration and contrast agent shift them.
struct TissueMapOptions {
  /// What is to be ablated, on any grid; null: only the label `tumour` is tumour.
  const Volume<std::uint8_t>* target = nullptr;
  /// lytic, mixed, blastic, marrow (taken for mixed: soft tissue between spared trabeculae); empty: from the
  /// mean CT number of the target.
  std::string target_kind;
  /// Below: never reconstructed (scanners pad with -2000 or -3024), so outside the scan's field [HU]. Air is
  /// clipped at -1024.
  double padding_below_HU = -1100;
  /// Lung parenchyma about -850, air -1000 [HU].
  double air_below_HU = -930;
  /// Gas and lung end here; partial volume with fat begins [HU].
  double lung_below_HU = -500;
  /// Half-way between fat (-95) and muscle (55) [HU].
  double fat_below_HU = -20;
  /// Unlabelled bone; above contrast-enhanced soft tissue as a rule [HU].
  double bone_from_HU = 180;
  /// Marrow of unlabelled bone: the mean over 5 mm reaches this, within 15 mm of bone [HU]; muscle and organs
  /// stay below. The marrow of old patients (60-90 HU) is not found this way.
  double marrow_mean_from_HU = 105;
  /// First CT number of the cancellous grades 1, 2, 3 and of cortical bone [HU]: the bands of
  /// datasets/tables/tissues.json.
  std::array<double, 4> bone_grades_HU = {75, 185, 370, 700};
  /// The outermost cell of labelled bone is cortical from here [HU]. A wall of 0.3 mm and 1200 HU between
  /// marrow (150) and muscle (50) reads about 430 in a voxel of 1 mm and 210 in one of 3 mm.
  double shell_from_HU = 200;
  /// Densest bone reads about 2000, enamel 3000, steel and titanium are clipped above [HU].
  double metal_from_HU = 2500;
  /// Kind of a tumour of unknown kind: lytic lesions average 116 +/- 40, blastic ones 444 to 654 HU.
  double mixed_from_HU = 190, blastic_from_HU = 330;
  /// The gap between two bodies is disc when both are within this distance along the body axis [mm]: lumbar
  /// discs are 8-14 mm high.
  double disc_reach_mm = 12;
  /// Points from which the report gives distances: centres of the active parts.
  std::vector<Eigen::Vector3d> heat_centres_mm;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

struct TissueShare {
  TissueClass tissue = TissueClass::unknown;
  double volume_ml = 0;
  std::optional<double> mean_HU = {};  ///< empty: no cell of it has a CT number
};

/// What the map was made of, so that nothing unknown looks known.
struct TissueMapReport {
  std::vector<TissueShare> tissues;  ///< classes that occur, by class
  double out_of_field_fraction = 0;  ///< of the cells
  /// Distance from the nearest heat centre to the nearest such cell; empty: none, or no centre given.
  std::optional<double> out_of_field_distance_mm = {};
  double metal_ml = 0;
  std::optional<double> metal_distance_mm = {};
  std::optional<double> target_mean_HU = {};
  TissueClass target_tissue = TissueClass::unknown;  ///< unknown: there is no target in the grid
  std::vector<std::string> warnings;
};

/// Tissue of every cell of an axis-aligned thermal grid: the labels of the map are TissueClass numbers, and
/// `table` holds the row of every class at the place of its number.
///
/// By falling priority: metal (CT number or label `implant`) and cement; cord; cauda and dural sac (csf);
/// target; roots and ganglia (labels, and tubes at least a cell wide where they do not run through bone);
/// canal (epidural fat; without a labelled sac CSF from 0 HU up); CSF within 4 mm of a cord without labelled
/// canal; labelled bone by CT number, its outermost cells cortical when they are dense; discs
/// (labelled, or the gap between two vertebrae in front of the canal); vessels, lungs, hollow and solid
/// organs, muscle, fat, skin as labelled; everything else by CT number. Cells outside the scan are `unknown`:
/// they carry heat by that row of the table and are counted in the report.
///
/// CT numbers are linear between voxels (means where the scan is finer), labels nearest. ConfigError: an
/// image that is not CT or CBCT, a table without a row for every class, a grid that does not meet the scan, a
/// turned grid, an unknown kind of target.
TissueMap make_tissue_map(const Image& ct, const Anatomy& anatomy, const Grid& grid,
                          const std::vector<Tissue>& table, const TissueMapOptions& options,
                          TissueMapReport& report);

/// Axis-aligned box around the active parts, tips and sensors of all applicators.
struct ActiveBox {
  Eigen::Vector3d low_mm, high_mm;
};
ActiveBox active_box(const std::vector<Applicator>& applicators, const std::vector<Device>& devices);

/// Axis-aligned box around the active parts of all applicators, their sensors and the target's centre, with a
/// margin [mm] for the heat to spread: 30 mm is four to six perfusion lengths sqrt(k / (w rho_b c_b)).
Grid thermal_grid(const std::vector<Applicator>& applicators, const std::vector<Device>& devices,
                  const Eigen::Vector3d& target_centre_mm, double spacing_mm, double margin_mm);

}  // namespace spinetherm
