// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "thermal/result.h"

namespace spinetherm {

/// The `spinetherm.result` document. What is not known (no damage law, no electrodes, error not estimated, no
/// current) is null, never 0. Beyond the design's keys: `termination`, `simulated_s`, `voltage_V` beside the
/// electrical lists, and `zones_cut_by_box`: keys of `extents_mm` that are lower bounds.
nlohmann::ordered_json to_json(const ThermalResult& result);

/// Writes <directory>/result.json and every field that the result holds as <directory>/fields/<name>.mha
/// (temperature ... power_density, and peak_time_s, lowest_time_s beside the extremes). IoError.
void write_result(const ThermalResult& result, const std::filesystem::path& directory);

/// What write_result() wrote; a field without a file stays empty. IoError, ConfigError with the JSON pointer.
ThermalResult read_result(const std::filesystem::path& directory);

}  // namespace spinetherm
