// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace spinetherm {

/// What apps/schema/<kind>.schema.json has against the document, one line each; empty: it is valid.
std::string schema_errors(const nlohmann::json& document, const std::string& kind);

}  // namespace spinetherm
