// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "imaging/core/json_reader.h"
#include "thermal/antenna_field.h"

namespace spinetherm {

/// The lengths and permittivities of an antenna as the table of devices and the problem format write them:
/// keys are the members' names. Reading leaves other keys of the object alone.
CoaxialAntenna read_antenna_geometry(const JsonReader& reader);
nlohmann::ordered_json to_json(const CoaxialAntenna& antenna);

}  // namespace spinetherm
