// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/grid.h"

namespace spinetherm {

enum class VolumeFormat { nifti, nrrd, meta };

constexpr std::string_view to_string(VolumeFormat f) {
  switch (f) {
    case VolumeFormat::nifti:
      return "NIfTI";
    case VolumeFormat::nrrd:
      return "NRRD";
    case VolumeFormat::meta:
      return "MetaImage";
  }
  return "NIfTI";
}

/// What the header of a NIfTI, NRRD or MetaImage file declares, before any voxel is read and before any
/// library has mended it: ITK replaces a zero spacing by 1 and a missing orientation by the identity.
struct ImageHeader {
  VolumeFormat format = VolumeFormat::nifti;
  std::vector<std::int64_t> size;   ///< every dimension, as declared, without the components of a voxel
  int components = 1;               ///< values per voxel: 3 for RGB and vectors, 2 for complex numbers
  std::string value_type;           ///< "int16", "float32", "rgb24", "complex64" ...
  int bytes_per_value = 0;          ///< one component
  bool whole_numbers = false;       ///< an integer type without a fractional scale
  double slope = 1, intercept = 0;  ///< value = stored * slope + intercept; NIfTI only
  bool swapped_bytes = false;       ///< NIfTI of the other byte order
  std::uint64_t data_offset = 0;    ///< NIfTI: where the voxels begin in ...
  std::filesystem::path data_file;  ///< ... this file, compressed or not
  bool vector_field = false;        ///< components are a vector: a displacement field
  /// The refusal is of what nobody can have meant (truncated, zero spacing, singular axes), not of another
  /// kind of image.
  bool broken = false;
  /// Geometry in LPS mm with `direction` orthonormal; empty when `refusal` says why there is none.
  std::optional<Grid> grid;
  std::map<std::string, std::string> keys;  ///< NRRD key:=value pairs, among them Slicer's segments
  std::vector<std::string> warnings;
  /// Why this cannot be read as one volume of numbers (4-D, RGB, sheared, zero spacing ...).
  std::optional<IoError> refusal;

  double voxels() const {
    double n = 1;
    for (auto s : size) n *= double(s);
    return n;
  }
  /// Memory for the voxels as stored and as float.
  double need_MB() const { return voxels() * double(std::max(bytes_per_value, 1) + 4) / 1e6; }
};

/// The format that the name of the file claims (.nii .nii.gz .hdr .img, .nrrd .nhdr, .mha .mhd), or that its
/// first bytes show. Empty: neither.
std::optional<VolumeFormat> volume_format(const std::filesystem::path& path);

/// Reads the header alone. NIfTI: the sform when its code is set, else the qform (as nibabel, FSL and
/// Slicer); both are turned from RAS to LPS and from metres or microns to mm. A file whose header gives no
/// orientation at all is refused: left and right would be a guess.
/// Of an uncompressed file it checks that every voxel is there.
/// IoError when the file is missing, truncated before its header's end, or not of the format it claims.
/// Limits: NIfTI-2 and ANALYZE 7.5 are refused.
ImageHeader read_image_header(const std::filesystem::path& path);

}  // namespace spinetherm
