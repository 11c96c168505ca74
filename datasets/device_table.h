// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "imaging/core/json_reader.h"
#include "thermal/applicator.h"

namespace spinetherm {

/// The devices that are built in (datasets/tables/devices.json).
const std::vector<Device>& device_table();
/// A built-in device by the word of the command line, "bipolar-cooled-15". ConfigError with the nearest name
/// and the whole list when there is none.
const Device& device(std::string_view name);

/// The same in any list, for instance device_table() with the devices of a file behind it.
const Device& find_device(const std::vector<Device>& devices, std::string_view name);

/// Devices of a user's file of the same format, "spinetherm.devices". IoError when it cannot be read,
/// ConfigError with file and JSON pointer for what cannot be meant; a name that is built in is refused.
std::vector<Device> load_devices(const std::filesystem::path& path);

/// Reads a document; every number has its source. Provenance of a device is kept by key: shaft_diameter_mm,
/// length_mm, poles, cooling_part, gas_degC, film_W_per_m2_K, max_W_per_m, ramp_s, sensors, cooled_degC,
/// max_power_W, max_degC, protocol, published_zone (also when only the reason is known why there is no zone),
/// published_zone/in.
std::vector<Device> read_devices(const JsonReader& document);

}  // namespace spinetherm
