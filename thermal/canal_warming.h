// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/tissue.h"

namespace spinetherm {

/// What moves in the spinal canal brings warmth to what is cooled there. Left off in every heat verdict; a
/// cold verdict is taken with it off and on, and the worse counts. Placeholders between the published guesses
/// (effective conductivity of pulsing CSF 1.0-2.0 W/m/K, venous plexus 0.01-0.02 1/s more perfusion in a
/// shell of 1-2 mm); never fitted to a validation case.
struct CanalWarming {
  double csf_conductivity_W_per_m_K = 1.5;  ///< of CSF that is not frozen, by its pulsing
  double plexus_perfusion_per_s = 0.015;    ///< in addition, in the fat of the epidural space
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// Changes the rows of CSF and epidural fat in a map whose labels are TissueClass numbers. Perfusion of
/// frozen fat stops as it does elsewhere.
void add_canal_warming(TissueMap& map, const CanalWarming& warming = {});

}  // namespace spinetherm
