// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "imaging/core/json_reader.h"
#include "planning/limit.h"

namespace spinetherm {

/// The verdict table (datasets/tables/limits.json): a domain review, not a clinician's signature.
const std::vector<ExposureLimit>& limit_table();

/// Reads a document of the format "spinetherm.limits". ConfigError with the JSON pointer: a row without
/// source or confidence, an id twice, a class, quantity or condition nobody knows, an unknown key.
std::vector<ExposureLimit> read_limits(const JsonReader& document);

}  // namespace spinetherm
