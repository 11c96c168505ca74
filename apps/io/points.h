// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace spinetherm {

/// A landmark: LPS, millimetres.
struct NamedPoint {
  std::string name;
  Eigen::Vector3d at_mm{0, 0, 0};
  bool operator==(const NamedPoint&) const = default;
};

/// Reads points from 3D Slicer's markups (`.mrk.json`, LPS or RAS, every list in the file, in order) or from
/// `{"points": [{"name": "A", "at_mm": [x, y, z]}]}`. Keys of Slicer's that say nothing of the position are
/// ignored; in our own form an unknown key is an error. IoError or ConfigError, with the JSON pointer; also
/// for a point that was never placed, an unnamed coordinate system, and a file without points.
std::vector<NamedPoint> read_points(const std::filesystem::path& path);

/// `{"points": [{"name", "at_mm"}]}`.
nlohmann::ordered_json points_json(const std::vector<NamedPoint>& points);

}  // namespace spinetherm
