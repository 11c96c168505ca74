// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "imaging/core/json_reader.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// A tissue of the problem format. `name`, density, specific heat and conductivity are needed; any other key
/// that is absent means: no such effect. ConfigError with the JSON pointer; values are judged by
/// validate(Tissue).
Tissue read_tissue(const JsonReader& reader);
/// Without the provenance, which the problem format does not hold.
nlohmann::ordered_json to_json(const Tissue& tissue);

}  // namespace spinetherm
