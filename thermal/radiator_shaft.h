// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "thermal/problem.h"

namespace spinetherm {

/// The catheter of an antenna in the tissue: a capsule that begins at the tip.
Region shaft_of(const AntennaSource& source);
/// The cannula around it, as far as the entry; empty: none. It passes no heat.
std::optional<Region> sleeve_of(const AntennaSource& source);
/// That of a fibre, from its tip to its entry, or from a to b where these are not given; empty for a fibre
/// that takes no room.
std::optional<Region> shaft_of(const LightSource& source);

}  // namespace spinetherm
