// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "datasets/spine_patient.h"

namespace spinetherm {

/// Widths and places at one position along the spine, in the coordinates of SpineCurve [mm]: left of the
/// midline, behind the centre of the canal. Half widths of ellipses are `_a` across and `_b` front to back.
struct SpineProfile {
  double canal_a = 0, canal_b = 0;
  double sac_behind = 0, sac_a = 0, sac_b = 0;
  double cord_left = 0, cord_behind = 0, cord_a = 0, cord_b = 0;  ///< lying on the back; cord_a 0: no cord
  double cord_prone_shift = 0;                                    ///< forwards, from supine to prone
  double body_a = 0, body_front = 0;  ///< half width; anterior wall (negative: before the canal)
  double neck = 0, chest = 0, belly = 0, pelvis = 0;  ///< shares of the regions; sum 1
  double trunk_a = 0, back = 0, front = 0;            ///< skin: half width, behind and before the canal
  double disc = 0;                                    ///< 0 in the middle of a body .. 1 of a disc
  double lumbar = 0;                                  ///< levels below the middle of L1, negative above
  double thoracic = 0;                                ///< levels below the middle of T1
  /// Crossing of the cauda and of the roots beside the cord: thin tubes, lying on the back and prone.
  struct Strand {
    double left, behind, radius;
    bool operator==(const Strand&) const = default;
  };
  std::vector<Strand> strands;
};

/// Samples a level; the profile nearest to a position is a good one.
inline constexpr int kProfilesALevel = 48;

/// Profiles from `first` - 2 to `last` + 3 levels (indices into the patient's), by steps of a level over
/// kProfilesALevel.
std::vector<SpineProfile> make_profiles(const SpinePatient& patient, std::size_t first, std::size_t last);

/// Level (index into the patient's, with its fraction) at which a root leaves the sac: above the pedicle of
/// its vertebra for lumbar, at it for thoracic, above it for cervical roots.
double root_exit(const SpinePatient& patient, std::size_t level);

}  // namespace spinetherm
