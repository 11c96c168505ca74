// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "datasets/cbct_image_model.h"
#include "datasets/xray_body.h"
#include "datasets/xray_detector.h"
#include "imaging/fdk.h"

namespace spinetherm {

/// A CBCT by projection and reconstruction. The defaults are near those of a mobile system with a field of 20
/// cm across and 15 cm high (source 65 cm before the axis, detector 36 x 27 cm; recalled).
struct ProjectionCbctOptions {
  ConeBeamGeometry geometry;  ///< its isocentre is set from `isocentre_mm`
  ConeBeamOrbit orbit;
  std::optional<Eigen::Vector3d> isocentre_mm = {};  ///< empty: the middle of the image's grid
  XrayBeamOptions beam;
  XrayDetectorOptions detector;
  FdkOptions fdk{1.0, 20.0};
  /// Line integrals become thicknesses of water before reconstruction: no cupping of water. Otherwise CT
  /// numbers are calibrated by the mean attenuation along `calibration_mm` of water.
  bool water_correction = true;
  double calibration_mm = 160;
  std::vector<MetalNeedle> needles = {};
  bool operator==(const ProjectionCbctOptions&) const = default;
  /// ConfigError naming the first field that cannot be meant.
  void validate() const;
};

/// CBCT of the sharp HU volume on `grid`: every view is projected through two basis materials and metal
/// (XrayBody), exposed (XrayDetector), logged, and reconstructed (reconstruct_fdk). The projections are those
/// of the whole body: what lies beyond the field of view still casts its shadow, and the detector cuts it
/// off. `surround_HU` (may be null) is the rest of the body at a coarser spacing. HU = 1000 (mu / mu_water -
/// 1), rounded, from kCbctOutside_HU + 1 to 3071; kCbctOutside_HU, and `valid` 0, where not every view sees.
/// Noise of a view depends on `seed` and its number only. Cancelled: empty volumes. 256^3 voxels and 240
/// views take about 30 s of one core; simulate_cbct, for everyday use, a twentieth of that.
CbctScan simulate_projection_cbct(const Volume<float>& sharp_HU, const Grid& grid,
                                  const ProjectionCbctOptions& options, std::uint64_t seed,
                                  const Progress& progress = {}, const Volume<float>* surround_HU = nullptr);

}  // namespace spinetherm
