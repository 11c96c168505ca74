// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/json_reader.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// What a point of the phantom is made of, as a scanner sees it (finer than a label or a tissue class).
enum class Material : std::uint8_t {
  air,
  lung,
  skin,
  fat,
  muscle,
  ligament,
  organ,
  blood,
  cortical_bone,
  trabecular_bone,
  posterior_bone,  ///< spongy bone of arch and processes
  basivertebral_vein,
  nucleus,
  annulus,
  csf,
  cord,
  cauda,  ///< roots in CSF
  nerve,
  epidural_fat,
  tumour_lytic,
  tumour_blastic,
  tumour_marrow,  ///< replaces marrow, spares the trabeculae: no change on CT
  cartilage,      ///< and fluid of joints
  inner_annulus,
  nucleus_worn,   ///< of a disc that has lost water
  nucleus_black,  ///< desiccated
  epidural_vein,  ///< slow blood of the venous plexus
  kidney,
  liver,
  thyroid,
  count_
};
inline constexpr std::size_t kMaterialCount = std::size_t(Material::count_);
std::string_view to_string(Material material);

/// CT number, and relaxation at 1.5 T: a row of datasets/tables/image_materials.json.
struct MaterialProperties {
  double hu = 0;
  double t1_ms = 0, t2_ms = 0, proton_density = 0;  ///< proton density relative to water
  /// What one unit of SpinePoint::texture adds to the CT number [HU], and by which share it changes any MR
  /// signal [-] (bone: denser trabeculae hold less marrow, so negative).
  double hu_texture = 0, signal_texture = 0;
  Provenance ct, mr;
};
using MaterialTable = std::array<MaterialProperties, kMaterialCount>;
const MaterialTable& material_table();

/// Reads a document of the format "spinetherm.image_materials"; every material must have one row.
MaterialTable read_materials(const JsonReader& document);

}  // namespace spinetherm
