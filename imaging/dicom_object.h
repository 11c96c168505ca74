// SPDX-License-Identifier: Apache-2.0
#pragma once

// The header of one DICOM object, for dicom_series.h; no public interface.

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "imaging/dicom_series.h"

namespace spinetherm {

struct DicomObject {
  std::string series_uid, description, modality, sop_class, image_type, photometric, transfer_syntax;
  std::optional<int> series_number;
  int columns = 0, rows = 0, samples = 1, bits = 0, frames = 1;
  std::optional<double> tilt_deg;  ///< GantryDetectorTilt
  bool has_rescale = false;
  std::vector<DicomSlice> slices;  ///< one for each frame; `file` is not set yet
};

/// True when the bytes (132 or more) begin a DICOM object.
bool begins_as_dicom(std::string_view head);

/// Reads the header up to the pixels of an object of `size` bytes. Empty when it is truncated or garbled.
std::optional<DicomObject> read_dicom_object(std::istream& in, std::uint64_t size);

/// Silences GDCM, which talks on stderr.
void silence_gdcm();

}  // namespace spinetherm
