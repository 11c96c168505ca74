// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "imaging/cone_beam.h"

namespace spinetherm {

/// Both are seen from the source with the head up. `ap`: source in front, the patient's right on the image's
/// left. `lateral`: source at the patient's left, front of the patient on the image's left.
enum class RadiographView { ap, lateral };
constexpr std::string_view to_string(RadiographView view) {
  return view == RadiographView::ap ? "AP" : "lateral";
}
/// Angle of the source, as ConeBeamGeometry has it.
double angle_rad(RadiographView view);

/// One view as an image of a single slice: i to the viewer's right, j downwards, k away from the viewer. The
/// grid lies in the plane of the isocentre that faces the source, so that its spacing is the pixel pitch over
/// the magnification there. `values`: columns * rows as ConeBeamProjector writes them.
Volume<float> radiograph_image(const ConeBeamGeometry& geometry, double angle_rad,
                               std::span<const float> values);

/// Digitally reconstructed radiograph: line integrals [-] through an attenuation volume [1/m]. The volume is
/// taken as it is: what lies outside it casts no shadow.
Volume<float> digitally_reconstructed_radiograph(const Volume<float>& attenuation_per_m, RadiographView view,
                                                 const ConeBeamGeometry& geometry);

}  // namespace spinetherm
