// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "imaging/core/volume.h"

namespace spinetherm {

struct BodyOptions {
  double air_HU = -300;       ///< parts air from fat [HU]
  double padding_HU = -1100;  ///< below it nothing was imaged [HU]; air is -1000
  /// Air that reaches the image's side but is less than this [ml] is bowel gas, and air whose mean is above
  /// this [HU] is lung, both cut by the image: no outer air.
  double least_air_ml = 30, lung_HU = -930;
  double spacing_mm = 3;  ///< of the mask; the entry of a path is refined on the CT itself
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// The patient's body in a CT: what the air that reaches the image's sides does not fill.
struct Body {
  Volume<std::uint8_t> inside;  ///< 1 body; empty without a CT
  Volume<std::uint8_t> air;     ///< 1 outer air, as against what was never imaged
  bool reaches_skin = false;    ///< the body meets outer air somewhere
};

/// Floods outer air from the sides of the image (not from its upper and lower end, where the lungs would
/// leak), then keeps the part of the rest that holds `inside_mm`; inner air belongs to the body. ConfigError
/// when that point lies outside the image or in outer air.
Body find_body(const Volume<float>& ct_HU, const Eigen::Vector3d& inside_mm, const BodyOptions& options = {});

}  // namespace spinetherm
