// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "datasets/ct_tissue_map.h"
#include "datasets/epidural_curtain.h"
#include "datasets/image_material.h"
#include "datasets/labelled_vertebra.h"
#include "datasets/lesion_grade.h"
#include "datasets/lesion_options.h"

namespace spinetherm {

/// Where soft tumour of a real scan may grow: in the canal's tube and beside the body, not into what is hard.
struct SoftRoom {
  CanalTube canal;
  /// Signed distance to bone, discs, vessels and organs, negative inside; the lesion's own vertebra is in it.
  Volume<float> hard_mm;
};

/// A lesion drawn into a vertebra of a real scan. In bone it never leaves the vertebra's label; epidural and
/// paraspinal growth stays in its SoftRoom.
struct VirtualLesion {
  LabelledVertebra vertebra;
  LesionOptions options;               ///< with the radius and the gap that were used
  Eigen::Vector3d centre_mm{0, 0, 0};  ///< world
  double lytic_HU = 55, blastic_HU = 550;

  /// Distance [mm, about] to the surface, negative inside: the least of its parts in bone and in soft tissue.
  double distance_mm(const Eigen::Vector3d& world) const;
  double bone_distance_mm(const Eigen::Vector3d& world) const;
  double soft_distance_mm(const Eigen::Vector3d& world) const;
  /// What fills it there: of a mixed lesion, islands of bone in lysis; outside bone soft tumour of any kind.
  Material material_at(const Eigen::Vector3d& world) const;
  /// CT number there, without the scanner's noise. Not of marrow lesions, which CT does not show.
  double hu_at(const Eigen::Vector3d& world) const;
  Eigen::AlignedBox3d box() const;  ///< world: nothing lies outside

  struct Tube {
    Eigen::Vector3d a_mm, b_mm;
    double radius_mm;
  };
  Eigen::Vector3d local_centre_mm{0, 0, 0}, half_mm{1, 1, 1};
  std::vector<Tube> tubes;       ///< into pedicles
  std::optional<Tube> channel;   ///< through the posterior wall
  std::optional<SoftRoom> room;  ///< with epidural or paraspinal growth
  EpiduralCurtain curtain;       ///< in the frame of room->canal; thickness_mm 0: no epidural tumour
  Eigen::Vector3d mass_centre_mm{0, 0, 0}, mass_half_mm{0, 0, 0};  ///< body's frame; 0: no paraspinal mass
  std::uint32_t seed = 1;
};

/// Size, place and outline from the options and the seed: an ellipsoid with a smooth random outline, held
/// within the sphere of the radius; moth-eaten beyond it where a lytic or mixed one meets the cortex.
/// An epidural tumour is an EpiduralCurtain behind the body, which opens the wall of a lytic or mixed
/// posterior lesion (4 mm, unless told); its thickness is what gives the wanted grade (measure_epidural() on
/// 0.5 mm). A paraspinal mass is an ellipsoid beside the body, joined to the lesion through the cortex. Mean
/// CT numbers: lytic 30-80 HU, blastic 444-654 HU (tissue review, guidance.md section 4). ConfigError for a
/// fracture, which a real scan cannot be given here, for a lesion that does not fit the body, for a pedicle
/// that the labels do not show, and for an epidural grade that this canal does not allow.
VirtualLesion shape_virtual_lesion(const LesionOptions& options, std::uint64_t seed,
                                   LabelledVertebra vertebra, const CtTissueMap& tissues);

/// The epidural grade as the labels of half a millimetre have it.
EpiduralMeasure measure_epidural(const VirtualLesion& lesion, const CtTissueMap& tissues);

/// The noise of a real CT, from patches of 7 x 7 pixels of soft tissue (mean 0 to 100 HU, no value beyond 100
/// HU of it): the lower quartile of their standard deviations, and the grain that their correlation of
/// neighbours tells. 0 when the scan has no such patch.
struct CtNoise {
  double sd_HU = 0;
  double grain_px = 0;  ///< as SliceNoise
};
CtNoise measure_ct_noise(const Volume<float>& ct);

/// Draws the lesion into the CT:  HU = (1 - c) HU + c (lesion + noise sqrt(2 / c - 1)),  c the share of the
/// voxel that the lesion fills (4 points an axis), blurred as the scanner blurs (FWHM of a voxel, at least 1
/// mm). Noise of the CT's own kind fills what the mixing takes away. Voxels that it does not reach keep their
/// value to the bit; so do all with a marrow lesion. A blastic lesion never lowers a CT number.
void draw_into_ct(Volume<float>& ct, const VirtualLesion& lesion, const CtNoise& noise, std::uint64_t seed);

}  // namespace spinetherm
