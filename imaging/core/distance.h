// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "imaging/core/volume.h"

namespace spinetherm {

/// Exact Euclidean distance [mm] from each voxel's centre to the nearest centre of a voxel whose mask is not
/// zero; 0 in the mask; +infinity everywhere when the mask is empty (unknown is never near and never zero).
/// Lower envelope of parabolas, one axis after the other, any spacing
/// (Felzenszwalb & Huttenlocher 2012, doi:10.4086/toc.2012.v008a019).
Volume<float> distance_to_mm(const Volume<std::uint8_t>& mask);

/// Distance [mm] to the surface of the mask, negative inside. The surface is taken half a voxel (of the
/// smallest spacing) from the outermost centres; +infinity everywhere when the mask is empty, -infinity when
/// it is full.
Volume<float> signed_distance_mm(const Volume<std::uint8_t>& mask);

}  // namespace spinetherm
