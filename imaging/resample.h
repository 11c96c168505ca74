// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "imaging/core/rigid.h"
#include "imaging/core/volume.h"

namespace spinetherm {

/// What a voxel gets that the source does not cover: not a number, so that no later step can take it for
/// tissue. Callers that need a number (air, 0) name it themselves.
inline constexpr float kOutside = std::numeric_limits<float>::quiet_NaN();

/// Trilinear value of `source` at each voxel centre of `target`:
///   out(ijk) = source(source_from_target * x(ijk)),  x in mm, LPS.
/// A point outside the outer faces of the source gets `outside`; between an outer voxel's centre and its face
/// the edge value is held; a NaN of the source spreads only to points that it has weight in. Slices thicker
/// than the target's spacing are interpolated linearly: no detail is invented, and none is recovered. A
/// target coarser than the source aliases: use resample_mean. Parallel; the same for any number of threads.
Volume<float> resample_linear(const Volume<float>& source, const Grid& target, float outside = kOutside,
                              const Rigid& source_from_target = {});

/// As resample_linear, but each target voxel is the mean over its own box, taken at ceil(target spacing /
/// source spacing) points an axis (8 at most): for targets coarser than the source. A voxel whose centre
/// lies outside the source gets `outside`; points of its box outside the source do not count.
Volume<float> resample_mean(const Volume<float>& source, const Grid& target, float outside = kOutside,
                            const Rigid& source_from_target = {});

/// Value of the source voxel that holds the point; `outside` elsewhere. Never makes a value that the source
/// does not hold: for labels and masks. T: std::uint8_t, std::uint16_t, std::uint32_t, float.
template <class T>
Volume<T> resample_nearest(const Volume<T>& source, const Grid& target, T outside = T{},
                           const Rigid& source_from_target = {});

}  // namespace spinetherm
