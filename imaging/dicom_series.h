// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/grid.h"
#include "imaging/core/image.h"

namespace spinetherm {

/// One image plane of a series: a classic DICOM file holds one, an enhanced multi-frame file many.
struct DicomSlice {
  std::size_t file = 0;                        ///< index into DicomFolder::files
  int frame = 0;                               ///< within the file
  std::optional<Eigen::Vector3d> position_mm;  ///< centre of the first pixel, LPS
  std::optional<Eigen::Matrix3d> axes;         ///< columns: along a row, along a column, normal
  std::optional<Eigen::Vector2d> pixel_mm;     ///< between columns, between rows
  double slope = 1, intercept = 0;             ///< value = stored * slope + intercept
};

/// The objects of a folder that share a SeriesInstanceUID.
struct DicomSeries {
  std::string uid;
  std::optional<int> number;
  std::string description;
  std::string modality;  ///< DICOM's word: CT, MR, XA, SEG, RTSTRUCT ...
  std::string kind;      ///< "image" or what else it is: "segmentation", "structure set", "localizer", ...
  std::size_t files = 0;
  std::array<int, 2> pixels{0, 0};  ///< columns, rows (of the first object)
  int bits = 0;                     ///< allocated for each pixel
  std::vector<DicomSlice> slices;   ///< sorted along the normal when `grid` is set
  std::optional<Grid> grid;         ///< set when the series is one volume
  bool axial = false;               ///< normal within 30 deg of the head-foot axis
  std::vector<std::string> warnings;
  std::optional<IoError> refusal;  ///< why it cannot be read as one volume
};

/// A folder, file or archive of DICOM objects whose headers have been read.
struct DicomFolder {
  std::filesystem::path path;
  std::vector<DicomSeries> series;  ///< by series number, then UID
  std::size_t other_files = 0;      ///< files that are no DICOM (README.md ...), ignored
  /// DICOM files whose header cannot be read: they may belong to any series, so that none is read.
  std::vector<std::string> broken;
  std::vector<std::string> files;  ///< DICOM objects: paths, or names within the archive
  /// Contents of `files` when an archive was kept in memory, empty otherwise.
  std::vector<std::vector<char>> contents;
};

struct DicomScanOptions {
  bool keep_archive = false;    ///< keep an archive's objects in memory, so that pixels can be read after
  double max_memory_MB = 4096;  ///< limit of what is kept
};

/// True when the file begins as a DICOM object: "DICM" at byte 128, or a bare data set without that preamble.
bool is_dicom_file(const std::filesystem::path& path);

/// Reads the headers (never the pixels) of every DICOM object in a folder and its sub-folders, in one file,
/// or in an archive, and groups them into series. A series whose slices do not make one regular volume
/// carries the reason in `refusal`: gantry tilt or other shear (> 0.3 mm over the stack), uneven or missing
/// slices (a slice more than 10 % of the spacing off its place), duplicate positions, mixed orientation or
/// size, RGB, 4-D, fewer than three slices, a localizer, an object without positions. IoError when there is
/// no DICOM object at all.
DicomFolder scan_dicom(const std::filesystem::path& path, const DicomScanOptions& options = {});

/// The series that `wanted` names (UID or number); when empty, the axial CT of most slices, or the only image
/// series that fits `expected` (MR always: weightings must not be confused). A series that is refused throws
/// its reason: no other is taken in its place silently.
const DicomSeries& choose_series(const DicomFolder& folder, std::string_view wanted,
                                 std::optional<Modality> expected = std::nullopt);

/// Reads the pixels of one series, slices in parallel, as value = stored * slope + intercept.
/// IoError when the series is refused or a file is truncated.
Image read_dicom_series(const DicomFolder& folder, const DicomSeries& series, double max_memory_MB = 4096);

/// Lowest and highest value of one slice of a series (for `info`: the middle one, in place of all).
std::array<float, 2> dicom_slice_range(const DicomFolder& folder, const DicomSeries& series,
                                       std::size_t slice);

}  // namespace spinetherm
