// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "datasets/spine_phantom.h"

namespace spinetherm {

/// What a phantom was made of (spinetherm.phantom): levels, seed, grids, every option of the posture and the
/// scanners with its unit, and the motion of each level as it was drawn.
nlohmann::ordered_json phantom_json(const SpinePhantom& phantom);
/// Where a virtual patient comes from, and what of it was modelled.
nlohmann::ordered_json source_json(const VirtualSource& source);

}  // namespace spinetherm
