// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "imaging/core/rigid.h"

namespace spinetherm {

/// Writes moving_from_fixed as an ITK transform: x_in_moving = T(x_in_fixed), LPS mm, which is how ITK,
/// elastix and 3D Slicer ("from parent") resample MOVING onto FIXED. By suffix: .tfm .txt (text), .h5, .mat.
/// An AffineTransform with a zero centre, as that is what every reader knows; the numbers are exact. IoError
/// for another suffix or a folder that cannot be written; nothing half-written stays.
void write_transform(const std::filesystem::path& path, const Rigid& moving_from_fixed);

/// Reads an ITK transform of any linear kind (also a composite of such) whose matrix is a rotation to 1e-4.
/// IoError for one that scales, shears, reflects or bends, with the reason; for a broken file.
Rigid read_rigid(const std::filesystem::path& path);

/// Carries points through any ITK transform file (linear, B-spline, displacement field, composite) as ITK
/// applies it: outside the domain of a field or spline the displacement is zero. With `inverse` the way back:
/// exact for linear kinds, else Newton's iteration to 1e-3 mm; IoError names the point where there is no
/// inverse.
std::vector<Eigen::Vector3d> map_points(const std::filesystem::path& path,
                                        const std::vector<Eigen::Vector3d>& points_mm, bool inverse = false);

/// True when the file begins as an ITK transform (text, HDF5) or is a .mat file.
bool is_transform_file(const std::filesystem::path& path);

struct TransformInfo {
  std::string kind;  ///< ITK's class: "AffineTransform", "CompositeTransform", "BSplineTransform" ...
  bool linear = false;
  bool rigid = false;
  Rigid motion;  ///< set when `rigid`
};
/// IoError for a broken file.
TransformInfo describe_transform(const std::filesystem::path& path);

/// Writes the same transform under another suffix (.tfm .txt .h5 .mat).
void convert_transform(const std::filesystem::path& in, const std::filesystem::path& out);

}  // namespace spinetherm
