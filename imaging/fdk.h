// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "imaging/cone_beam.h"

namespace spinetherm {

struct FdkOptions {
  /// Where the Hann window of the ramp filter reaches zero, as a share of the rows' Nyquist frequency: less
  /// noise, more blur. Empty: the bare ramp (Ram-Lak).
  std::optional<double> hann_cutoff = 1.0;
  /// Rows that the detector cuts off go on as a cylinder of this attenuation [1/m] that fits the value and
  /// the slope at the edge (Hsieh 2004, doi:10.1118/1.1776673), at most half a detector far; water 20 near 60
  /// keV. Takes the bright rim away that a truncated ramp filter makes. Empty: zero beyond the detector.
  std::optional<double> extension_per_m = {};
  bool operator==(const FdkOptions&) const = default;
  void validate() const;
};

/// Attenuation [1/m] by Feldkamp, Davis and Kress (JOSA A 1984, 1:612), in the form of Kak and Slaney,
/// chapter 3:
///   f(x) = sum_b db (D / U)^2 Q_b(u, v),   Q_b = (w D' / sqrt(D'^2 + u^2 + v^2) P_b) * h
/// D source to axis, D' source to detector, U distance of x from the source along the central ray, h the ramp
/// in space (whose sum is right for constants) with a Hann window, w = 1/2 for a full turn, Parker's weights
/// for a short scan (Med Phys 1982, 9:254), Wang's for a detector with an offset (Med Phys 2002, 29:1634).
/// Exact in the plane of the source; away from it the values fall off with the cone angle, as in every
/// scanner. Voxels that not every view sees (ConeBeamGeometry::sees) are NaN. Needs a grid along the
/// patient's axes. Parallel; the same for any number of threads. Cancelled: an empty volume. Takes the
/// projections over.
Volume<float> reconstruct_fdk(Projections projections, const Grid& grid, const FdkOptions& options = {},
                              const Progress& progress = {});

}  // namespace spinetherm
