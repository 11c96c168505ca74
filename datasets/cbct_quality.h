// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "datasets/cbct_scanner.h"

namespace spinetherm {

struct WaterCylinderOptions {
  double diameter_mm = 160;
  double spacing_mm = 0.5;  ///< of the cylinder across its axis, and of the image
  int slices = 9;           ///< that are reconstructed, about the plane of the source
  void validate() const;
};

/// What a CBCT makes of a cylinder of water on its axis.
struct WaterCylinderFigures {
  double mean_HU = 0;   ///< within 15 % of the radius; 0 when calibrated
  double noise_HU = 0;  ///< standard deviation there
  double cupping_HU =
      0;  ///< mean at 80-90 % of the radius (of the field, where that is smaller) less that within
  /// Width of the Gaussian that blurs the cylinder's edge: 2.355 times half the distance between the radii at
  /// 84 % and 16 % of its height. Empty when the field cuts the edge off.
  std::optional<double> edge_fwhm_mm = {};
};
/// Of the scanner that projects. Empty when cancelled.
std::optional<WaterCylinderFigures> measure_water_cylinder(const ProjectionCbctOptions& scanner,
                                                           const WaterCylinderOptions& options,
                                                           std::uint64_t seed, const Progress& progress = {});

/// Of the fast model. Its noise is told from what it draws into the image besides by a run without noise.
WaterCylinderFigures measure_water_cylinder(const CbctOptions& model, const WaterCylinderOptions& options,
                                            std::uint64_t seed);

}  // namespace spinetherm
