// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imaging/core/anatomy.h"
#include "imaging/core/image.h"

namespace spinetherm {

struct CanalOptions {
  /// Half edge of the cube around the seed that is searched [mm]; three thoracic levels up and down.
  double half_size_mm = 60;
  double spacing_mm = 1;  ///< of the grid that is searched; thinner than the canal's wall is of no use
  /// Bone begins here [HU]. Empty: each of 150, 200, 250 and 300 is tried and the one that encloses most
  /// slices is taken: old marrow lies below 100, cortical walls above 300 even where 3 mm slices blur them.
  std::optional<double> threshold_HU;
  /// Area of the canal in an axial slice [mm2]: thoracic 150 to 280, lumbar 250 to 450 (guidance.md 4.1);
  /// wide enough for stenosis and for a scalloped canal.
  double min_area_mm2 = 80, max_area_mm2 = 600;
  /// Openings of the bony ring up to twice this [mm] are closed (foramina, ligaments).
  double max_closing_mm = 5;
  /// Mean CT number of the inside [HU]: fat and CSF to cord, not marrow and not gas.
  double min_inside_HU = -90, max_inside_HU = 110;

  void validate() const;
};

/// The vertebral canal as CT shows it: the wall of bone, not the dura and not the cord. The threshold lies
/// below the half height of a cortical wall, so that the wall is drawn up to half a voxel inside of where it
/// is.
struct Canal {
  Volume<std::uint8_t> mask;                   ///< on an LPS axis-aligned grid around the seed
  std::vector<Eigen::Vector3d> centreline_mm;  ///< one point an axial slice, from the feet up
  std::vector<bool> enclosed;  ///< of each of those slices: bone all around, or interpolated between such?
  double enclosed_fraction = 0;
  double threshold_HU = 0;  ///< bone began here
  std::string quality;      ///< in words, for warnings
};

struct CanalSearch {
  std::optional<Canal> canal;
  std::string reason;  ///< why there is none
};

/// Finds the canal behind a vertebral body on a CT or CBCT without labels (guidance.md section 5, step 3).
/// In each axial slice of a cube around `seed_near_mm` (LPS, in or near the body): holes that bone encloses
/// once openings of up to 2 r are closed (the points further than r from bone that cannot reach the slice's
/// edge, grown back by r; r = 0, 1 ... max_closing_mm, smallest first). A chain of such holes through the
/// slices, found by dynamic programming, is the canal; slices between two of the chain that bone leaves open
/// (discs, foramina) get the interpolated shape. The seed's patient axes matter, the image's do not.
///
/// Nothing is claimed without evidence: no chain, a chain that does not pass the seed, fewer than 8 mm of
/// enclosed slices or less than a quarter of the way are `reason`s. Limits: bent far out of the axial plane
/// (> 45 deg), laminectomy, metal, and contrast in the sac are not handled.
CanalSearch find_canal(const Image& ct, const Eigen::Vector3d& seed_near_mm,
                       const CanalOptions& options = {});

/// find_canal() on the volume's own voxels, all of them: an LPS axis-aligned grid of equal spacings
/// (box_grid). half_size_mm and spacing_mm of the options are not used. Not a number: not imaged.
CanalSearch find_canal_on_grid(const Volume<float>& ct, const Eigen::Vector3d& seed_near_mm,
                               const CanalOptions& options = {});

/// Puts the canal into the anatomy: background voxels inside it become `canal`, status `segmented`. Labels of
/// the map (cord, bone) are kept where they are.
void add_canal(Anatomy& anatomy, const Canal& canal);

}  // namespace spinetherm
