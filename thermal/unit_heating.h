// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace spinetherm {

/// Power density of a source that acts: `scale` times that of its field as solved.
struct UnitHeating {
  std::size_t drive = 0;  ///< number of the source among those with fields
  double scale = 0;
  const float* unit_W_per_m3 = nullptr;  ///< by cell of a part
};

}  // namespace spinetherm
