// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "imaging/core/json_reader.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Reads the volume that a JSON text names, on the problem's grid.
using ReadField = std::function<Volume<float>(const JsonReader& file)>;
/// Writes a volume beside the document; returns what the document calls it.
using WriteField = std::function<std::string(const std::string& name, const Volume<float>& field)>;

/// A source of the problem format (`kind` and its keys, `active_s`). ConfigError with the JSON pointer;
/// kinds of the format that this version does not carry (light, antenna, cryoprobe) are refused as such.
/// Values are judged by validate(ThermalProblem).
Source read_source(const JsonReader& reader, const ReadField& read_field);
/// `number` makes the name of a volumetric source's file.
nlohmann::ordered_json to_json(const Source& source, std::size_t number, const WriteField& write_field);

}  // namespace spinetherm
