// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/canal_tube.h"
#include "datasets/epidural_curtain.h"
#include "datasets/material_render.h"
#include "imaging/core/anatomy.h"

namespace spinetherm {

/// What a voxel holds: shares of materials that add up to 1.
class MaterialMixture {
 public:
  /// Puts `share` (0 to 1) of a material over what is there.
  void over(Material material, double share, double texture = 0);
  double value(const MaterialValues& values) const;
  double share(Material material) const;
  /// The material with the largest share.
  Material dominant() const;

 private:
  struct Part {
    double share = 0, texture = 0;
  };
  std::array<Part, kMaterialCount> parts_{};  ///< texture: sum of share times texture
};

/// What a real patient is made of, guessed from CT numbers and labels, for the simulation of an MRI.
struct CtTissueMap {
  Volume<StructureValue> labels;   ///< with the modelled canal in place of the labelled one
  double marrow_HU = 0;            ///< median of the vertebral bodies' inside
  std::vector<std::string> notes;  ///< what had to be modelled, as the labels do not hold it
  CanalTube canal;

  /// A voxel of `labels`. `curtain`: an epidural tumour, before which the sac gives way; it is not drawn.
  MaterialMixture at(int i, int j, int k, const EpiduralCurtain& curtain = {}) const;
  /// The canal's part at a point: canal_label() outside of bone, with the sac pushed by the curtain; 0
  /// elsewhere.
  StructureValue canal_part(const Eigen::Vector3d& x, const EpiduralCurtain& curtain = {}) const;

  Volume<float> smooth_hu;         ///< the noise of the CT taken off
  Volume<float> bone_mm, disc_mm;  ///< signed distances, smooth
  std::uint32_t seed = 1;

 private:
  void add_canal(const Eigen::Vector3d& x, double bone_mm, double height_share,
                 const EpiduralCurtain& curtain, MaterialMixture& mixture) const;
};

/// On the grid of anatomy.labels (axis-aligned LPS), which is `hu`'s too; `canal` on it as well. Every border
/// is soft over a voxel:
///   background    air, fat and muscle by CT number: shares between -850, -110, -85 and 25 HU; unlabelled
///   bone
///                 from 120 to 250 HU
///   organs, vessels, lung by label where the CT number is not that of fat or air
///   discs         what lies between two vertebrae in front of the canal, up to 16 mm: annulus 4 mm, inner
///                 annulus to 7 mm, the rest a worn nucleus (adult; CT does not tell its water)
///   bone          cortical by CT number (150 to 550 HU above the marrow), and in a shell of 0.9 mm; else
///                 trabecular, or posterior_bone behind the canal's front wall, its texture the local
///                 deviation from marrow_HU, so that the patient's own marrow shows
///   canal         a smooth tube (fit_canal_tube()): epidural fat, veins behind the bodies, closed behind by
///                 3.5 mm of ligamentum flavum between the laminae; in it the sac with its dura, off the bone
///                 by half a millimetre, CSF, cord or, below it, strands of the cauda: `notes` say so.
/// Limits: unlabelled ligaments, roots outside the sac and fluid look like muscle; oedema cannot be known.
CtTissueMap map_ct_tissues(const Volume<float>& hu, const Anatomy& anatomy, const Volume<std::uint8_t>& canal,
                           std::uint64_t seed);

}  // namespace spinetherm
