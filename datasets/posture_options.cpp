// SPDX-License-Identifier: Apache-2.0
#include "datasets/posture_options.h"

#include "imaging/core/error.h"

namespace spinetherm {

bool PostureOptions::rigid() const {
  return flexion_sd_deg == 0 && side_sd_deg == 0 && shift_sd_mm == 0 && disc_low_mm == 0 &&
         disc_high_mm == 0 && neural_factor == 0;
}

void PostureOptions::validate() const {
  require(flexion_sd_deg >= 0 && flexion_sd_deg <= 6, "PostureOptions.flexion_sd_deg", flexion_sd_deg,
          "must lie in [0, 6] deg");
  require(side_sd_deg >= 0 && side_sd_deg <= 3, "PostureOptions.side_sd_deg", side_sd_deg,
          "must lie in [0, 3] deg");
  require(shift_sd_mm >= 0 && shift_sd_mm <= 2, "PostureOptions.shift_sd_mm", shift_sd_mm,
          "must lie in [0, 2] mm");
  require(disc_low_mm >= -1 && disc_low_mm <= disc_high_mm, "PostureOptions.disc_low_mm", disc_low_mm,
          "must lie in [-1, disc_high_mm] mm");
  require(disc_high_mm <= 2, "PostureOptions.disc_high_mm", disc_high_mm, "must be <= 2 mm");
  require(largest_deg > 0 && largest_deg <= 8, "PostureOptions.largest_deg", largest_deg,
          "must lie in (0, 8] deg");
  require(neural_factor >= 0 && neural_factor <= 2, "PostureOptions.neural_factor", neural_factor,
          "must lie in [0, 2]");
}

PostureOptions posture_preset(std::string_view word) {
  if (word == "usual") return {};
  if (word == "rigid") return {0, 0, 0, 0, 0, 4, 0};
  if (word == "large") return {3.5, 1.2, 0.8, -0.3, 0.5, 8, 1};
  throw ConfigError("unknown posture '" + std::string(word) + "'", "--posture", "use rigid, usual or large");
}

}  // namespace spinetherm
