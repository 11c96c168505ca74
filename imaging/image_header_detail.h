// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared by the header readers of image_header.h; no public interface.

#include <string_view>

#include "imaging/image_header.h"

namespace spinetherm::header_detail {

std::string lower(std::string text);
std::string trimmed(std::string_view text);
/// First bytes of a file, decompressed when it is gzip.
std::string head_of(const std::filesystem::path& path, std::size_t count);
bool head_is_gzip(const std::filesystem::path& path);
/// Keeps the first reason only, and drops the grid.
void refuse(ImageHeader& header, const std::filesystem::path& path, std::string what, std::string to_do);
/// The same for what nobody can have meant.
void refuse_broken(ImageHeader& header, const std::filesystem::path& path, std::string what,
                   std::string to_do);
/// Refuses sizes that are no volume: not positive, fewer than three, a further one above 1, several
/// components.
void check_size(ImageHeader& header, const std::filesystem::path& path);
/// Puts the sizes, the columns of voxel steps and the origin (LPS mm) into header.grid, or refuses.
void set_geometry(ImageHeader& header, const std::filesystem::path& path, const Eigen::Matrix3d& steps_mm,
                  const Eigen::Vector3d& origin_mm);

/// Columns of LPS from RAS.
inline const Eigen::Matrix3d kLpsFromRas = Eigen::Vector3d(-1, -1, 1).asDiagonal();

ImageHeader read_nifti_header(const std::filesystem::path& path);
ImageHeader read_nrrd_header(const std::filesystem::path& path);
ImageHeader read_meta_header(const std::filesystem::path& path);

}  // namespace spinetherm::header_detail
