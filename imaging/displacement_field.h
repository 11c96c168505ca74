// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "imaging/core/volume.h"

namespace spinetherm {

/// Displacements [mm, LPS] of the points of a grid: where a point lies in another frame, less where it lies
/// here. moving_from_fixed(x) = x + field(x).
using DisplacementField = Volume<Eigen::Vector3f>;

/// Writes a field as an image of three values a voxel, which ITK, elastix and 3D Slicer read as a
/// displacement field: .nii .nii.gz (vectors of the fifth dimension), .nrrd, .mha. The vectors stay LPS in
/// every format, which is how ITK reads them (a reader that follows NIfTI's letter would take RAS). Complete
/// or not there. IoError for another suffix, an empty or invalid field, a folder that cannot be written.
void write_displacement_field(const std::filesystem::path& path, const DisplacementField& field);

/// Reads what write_displacement_field() writes, and what ITK writes so. IoError when the file holds
/// anything else than three numbers a voxel in three dimensions.
DisplacementField read_displacement_field(const std::filesystem::path& path);

}  // namespace spinetherm
