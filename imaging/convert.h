// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "imaging/read.h"

namespace spinetherm {

struct ConvertOptions {
  ReadOptions read = {};  ///< series, memory limit
  bool labels =
      false;  ///< a label map even when it carries no names: whole numbers from 0 up, or it is refused
  bool dicom = false;  ///< write a CT series into the folder `out` (write_dicom_series())
};

struct ConvertSummary {
  std::string kind = "not run";  ///< "image", "label map", "transform", "CT series"
  std::string type;              ///< what was written: "int16", "float32", ...; empty for a transform
  std::string series_uid;        ///< of a CT series
  std::vector<std::string> warnings;
};

/// Reads anything that read_image(), read_label_volume() or map_points() can read and writes it in the format
/// of the suffix of `out`: .nii .nii.gz .nrrd .mha for volumes, .tfm .txt .h5 .mat for transforms. No value
/// changes: whole numbers are written as uint8, int16 or uint16 where all fit, everything else as float32. A
/// label map with names (3D Slicer's segments, labels.json) keeps them. With `dicom`, a CT becomes a DICOM
/// series; rounding is warned of. Refused are transforms, label maps, DICOM of another modality, and what a
/// file that names no modality shows to be no CT: no value below 0 HU. IoError as those functions.
ConvertSummary convert(const std::filesystem::path& in, const std::filesystem::path& out,
                       const ConvertOptions& options = {});

}  // namespace spinetherm
