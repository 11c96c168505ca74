// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "imaging/core/volume.h"

namespace spinetherm {

/// What write_dicom_series() wrote.
struct DicomWriteSummary {
  std::string series_uid;
  std::size_t files = 0;
  double step_HU = 0;      ///< RescaleSlope: 1 when every value is whole, else a fraction of it
  double rounding_HU = 0;  ///< largest change of a value; 0: every voxel is kept
};

/// Writes a CT [HU] as a series of classic CT images (PS3.3, A.3), one file a slice, explicit VR little
/// endian, int16 with rescale. Values that are not whole are stored in the finest step of 1/16, 1/8, 1/4, 1/2
/// or 1 HU that holds the range. `folder` must not exist, or be empty; it is complete or not there: the files
/// are written in a folder of a temporary name beside it, which is renamed.
///
/// The object calls itself derived, secondary and made for research. What the volume does not know (patient,
/// dates, kV, position on the table) is sent empty, never guessed; SliceThickness is the slice spacing. UIDs
/// come from the content alone (UUIDs of version 3 under 2.25, PS3.5 B.2): the same volume gets the same ones
/// again, so that it is not two series to an archive. Slices are numbered along the normal of the image
/// plane: DICOM knows no handedness, so that a left-handed grid comes back with its slices in the other
/// order.
///
/// IoError for fewer than 3 slices, more than 65535 rows or columns, values that are no number, lie outside
/// int16 or would change by 0.5 HU or more, and a folder that cannot be written. ConfigError for a bad grid.
/// An error of the volume's names no place. `series_description` has 64 characters at most.
DicomWriteSummary write_dicom_series(const std::filesystem::path& folder, const Volume<float>& ct_HU,
                                     const std::string& series_description = "CT converted by SpineTherm");

}  // namespace spinetherm
