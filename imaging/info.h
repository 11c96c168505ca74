// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/grid.h"

namespace spinetherm {

/// One thing that a file, folder or archive holds: a DICOM series, a volume, a transform.
struct ScanItem {
  std::string name;  ///< DICOM: series number and description; else the file's name
  std::string
      kind;  ///< "image", "label map", "transform", "displacement field", "colour image", "segmentation" ...
  std::string format;      ///< "DICOM", "NIfTI", "NRRD", "MetaImage", "ITK transform"
  std::string modality;    ///< DICOM's word, else empty: other formats do not say
  std::string series_uid;  ///< DICOM
  std::optional<int> series_number;
  std::size_t files = 1;
  std::vector<std::int64_t> size;              ///< voxels along each dimension, as declared
  std::string value_type;                      ///< as stored: "int16" ...
  std::optional<Grid> grid;                    ///< LPS mm; empty where there is no one regular geometry
  bool axial = false;                          ///< DICOM
  std::optional<std::array<double, 2>> range;  ///< lowest and highest value
  std::string range_of;                        ///< "all voxels", "the middle slice", or why there is no range
  std::vector<std::uint32_t> labels;           ///< values of a label map but 0
  std::vector<std::string> notes;  ///< of a transform: angle, shift; of a label map: how it was recognised
  std::vector<std::string> warnings;
  std::string refusal;  ///< one line why read_image() refuses it; empty when it accepts
  /// The refusal once more, when it is no other kind of image but one that nobody can use: truncated, of
  /// impossible geometry, larger than memory.
  std::optional<IoError> broken = {};
};

struct ScanInfo {
  std::filesystem::path path;
  std::string what;  ///< "DICOM folder", "DICOM archive", "DICOM file", "file", "folder"
  std::vector<ScanItem> items;
  std::size_t other_files = 0;  ///< in a folder or archive, of no kind that is known here
  std::vector<std::string> warnings;
};

/// What a file, folder or archive is. Reads headers; of a volume file also the voxels (up to 2e8) for range
/// and labels; of a DICOM series the middle slice. A thing that read_image() would refuse is described, with
/// the reason. IoError (one line) when nothing in it is known.
ScanInfo describe(const std::filesystem::path& path);

/// For people: some lines for each item.
std::string to_text(const ScanInfo& info);
/// {"path", "what", "items": [{"name", "kind", "format", "modality", "series_uid", "series_number", "files",
/// "size", "value_type", "spacing_mm", "origin_mm", "direction", "axes", "axial", "range", "range_of",
/// "labels", "notes", "warnings", "refusal"}], "other_files", "warnings"}; null where unknown.
nlohmann::ordered_json to_json(const ScanInfo& info);

}  // namespace spinetherm
