// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "imaging/core/image.h"

namespace spinetherm {

struct ReadOptions {
  /// DICOM only: SeriesInstanceUID or series number; empty: the largest axial CT (choose_series()).
  std::string series = {};
  /// What the scan is meant to be. A DICOM series of another modality is refused; NIfTI, NRRD and MHA do not
  /// say, and take this. A cone-beam CT calls itself CT or XA, and an MR does not name its weighting.
  std::optional<Modality> expected = {};
  /// Refused before allocation when the voxels alone (as stored, and as float) need more [MB].
  /// 4 GB: what a laptop of 8 GB can hold; a 512 x 512 x 2000 CT takes 3.1 GB.
  double max_memory_MB = 4096;

  void validate() const;
};

/// Reads a scan as one volume: a DICOM folder, one DICOM file, an archive (.tar.xz, .tar.gz, .tar, .zip) of a
/// DICOM folder, NIfTI (.nii .nii.gz .hdr/.img), NRRD (.nrrd .nhdr) or MetaImage (.mha .mhd). Values are
/// stored value * slope + intercept: HU for CT. Axis order and handedness are kept in Grid::direction (LPS
/// mm); nothing is flipped. DICOM slices are sorted by their position along the normal. IoError, before the
/// voxels are allocated, for what is missing, broken, not one volume of numbers (4-D, RGB, vectors), of
/// uneven or sheared slices, of no known orientation, or larger than `max_memory_MB`.
Image read_image(const std::filesystem::path& path, const ReadOptions& options = {});

/// As read_image(), when only the numbers matter.
Volume<float> read_volume(const std::filesystem::path& path, const ReadOptions& options = {});

/// Reads a label map of any format of read_image() except DICOM, with the values as they are.
/// IoError also when a value is negative, not a whole number or above 4294967295.
Volume<std::uint32_t> read_label_volume(const std::filesystem::path& path, const ReadOptions& options = {});

}  // namespace spinetherm
