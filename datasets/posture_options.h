// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "imaging/core/rigid.h"

namespace spinetherm {

/// How the spine of a patient who lies supine in the MRI differs from that of one who lies prone in the CBCT:
/// for each joint, drawn from normal distributions. The defaults follow guidance.md 4.3.
struct PostureOptions {
  double flexion_sd_deg = 1.5;                    ///< about the left-right axis
  double side_sd_deg = 0.8;                       ///< side bending and axial rotation, each
  double shift_sd_mm = 0.6;                       ///< each axis
  double disc_low_mm = -0.3, disc_high_mm = 0.5;  ///< change of the height of a disc, even between these
  double largest_deg = 4;    ///< the whole turn of a joint: what exceeds it is drawn again
  double neural_factor = 1;  ///< times the patient's shift of cord and cauda; 0: none
  bool rigid() const;        ///< one motion for all, nothing moves in the sac
  void validate() const;
};
/// `rigid`, `usual` (the defaults) or `large` (joints to 8 deg). ConfigError for another word.
PostureOptions posture_preset(std::string_view word);

/// The motion of one vertebra.
struct LevelMotion {
  std::string level;
  Rigid mri_from_cbct;
};

}  // namespace spinetherm
