// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "datasets/xray_body.h"
#include "datasets/xray_detector.h"
#include "imaging/radiograph.h"

namespace spinetherm {

/// A C-arm with a flat panel of 30 cm (recalled).
struct FluoroscopyOptions {
  /// Its isocentre is set from `isocentre_mm`.
  ConeBeamGeometry geometry{.source_axis_mm = 750,
                            .source_detector_mm = 1150,
                            .columns = 768,
                            .rows = 768,
                            .pitch_mm = 0.4,
                            .offset_mm = 0,
                            .isocentre_mm = {0, 0, 0}};
  std::optional<Eigen::Vector3d> isocentre_mm = {};  ///< empty: the middle of the body's grid
  XrayBeamOptions beam{.tube_kV = 80, .aluminium_mm = 3, .copper_mm = 0.2, .bins = 8};
  XrayDetectorOptions detector{.photons = 4e4,
                               .blur_sigma_mm = 0.25,
                               .scatter_to_primary = 0.6,
                               .scatter_sigma_mm = 60,
                               .scatter_corrected = 0.5};
  double lateral_kV = 95;  ///< of the lateral view, through twice the body (recalled)
  /// Exposure control: photons that a pixel counts on average in the middle third of the field, as in a spot
  /// image (recalled). Empty: detector.photons. No noise when detector.photons is empty.
  std::optional<double> exposure_photons = 1500;
  std::vector<MetalNeedle> needles = {};
  /// Crops the images to rays that enter the body's volume by the face towards the source and leave it by
  /// the opposite one, as a shutter would: else the cut ends of the volume show as ramps.
  bool shutter = true;
  /// The shutter also closes columns at either side by which most rays pass less than this line integral:
  /// the skin's outline and open beam, whose scatter would veil the spine. 0: leaves them open.
  double thinnest_line_integral = 0.8;
  bool operator==(const FluoroscopyOptions&) const = default;
  XrayBeamOptions lateral_beam() const;
  void validate() const;
};

/// -ln of the detector's signal over that without a patient: bright where rays are stopped, 0 in the open
/// beam. Single slices in patient space, oriented as radiograph_image says: AP seen from the front, the
/// patient's right on the image's left; lateral from the left, the front on the image's left.
struct FluoroscopyImages {
  Volume<float> ap, lateral;
};

/// Both views of the sharp HU volume (grid along the patient's axes) and, when given, the rest of the body.
/// Noise depends on the seed only. Cancelled: empty volumes.
/// ConfigError when the shutter leaves less than 2 x 2 pixels.
FluoroscopyImages simulate_fluoroscopy(const Volume<float>& sharp_HU, const FluoroscopyOptions& options,
                                       std::uint64_t seed, const Progress& progress = {},
                                       const Volume<float>* surround_HU = nullptr);

}  // namespace spinetherm
