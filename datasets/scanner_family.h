// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "datasets/spine_phantom.h"
#include "datasets/table_reader.h"

namespace spinetherm {

/// Settings of scanners by name, "ct.noise_HU": what datasets/tables/scanner_family.json gives for the
/// held-out family, each with the range in which real scanners lie.
using ScannerFamily = std::map<std::string, TableNumber>;
const ScannerFamily& held_out_scanners();
/// Reads a document of the format "spinetherm.scanner_family". ConfigError with the JSON pointer: an unknown
/// setting, one that is missing or named twice, one without a range.
ScannerFamily read_scanner_family(const JsonReader& document);

/// Gives CT, CBCT and MRI the settings of the held-out family: tube voltage, kernel and noise, the coil's
/// bias, repetition and echo times, and tissues whose T1, T2 and proton density lie elsewhere in their
/// spread.
void use_held_out_scanners(SpinePhantomOptions& options);

}  // namespace spinetherm
