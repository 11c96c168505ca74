// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/material_render.h"
#include "imaging/core/anatomy.h"

namespace spinetherm {

/// What a real patient is made of, guessed from CT numbers and labels, for the simulation of an MRI.
struct CtTissueMap {
  MaterialVolume materials;
  double marrow_HU = 0;            ///< median of the vertebral bodies' inside
  std::vector<std::string> notes;  ///< what had to be modelled, as the labels do not hold it
};

/// On the grid of anatomy.labels (axis-aligned LPS), which is `hu`'s too; `canal` on it as well.
///   bone          cortical from 200 HU above the marrow (300 at least), and in the outer layer of voxels;
///                 else trabecular, or posterior_bone behind the canal's front wall; its texture is the local
///                 deviation from marrow_HU, so that the patient's own marrow shows
///   discs         what lies between two vertebrae in front of the canal, up to 16 mm: annulus 4 mm, inner
///                 annulus to 7 mm, the rest a worn nucleus (adult; CT does not tell its water)
///   canal         cord and sac by label; cauda as strands in CSF; the rest fat and veins by HU. Without a
///   sac
///                 what is deeper than 1 mm in the canal is CSF, and without cord and cauda a cord of 9 x 7
///                 mm (cauda from L2 down) lies in it: `notes` say so
///   organs, vessels, lung by label; elsewhere air, lung, fat, muscle and bone by HU (limits -850, -300, -25,
///   180).
/// Limits: unlabelled ligaments, roots, veins and fluid look like muscle; oedema cannot be known.
CtTissueMap map_ct_tissues(const Volume<float>& hu, const Anatomy& anatomy, const Volume<std::uint8_t>& canal,
                           const std::string& level, std::uint64_t seed);

/// The material with the largest trilinear weight, and its mean texture: smooth borders from voxels. Air
/// outside.
MaterialPoint material_near(const MaterialVolume& materials, const Eigen::Vector3d& x);

}  // namespace spinetherm
