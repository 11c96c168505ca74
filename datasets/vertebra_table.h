// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/json_reader.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// Size of one level: a row of datasets/tables/vertebrae.json, or one patient's. Widths across, depths front
/// to back.
struct VertebraSize {
  std::string level;
  double body_width_upper_mm = 0, body_width_lower_mm = 0, body_depth_upper_mm = 0, body_depth_lower_mm = 0;
  double posterior_height_mm = 0;
  double canal_width_mm = 0, canal_depth_mm = 0;
  double pedicle_width_mm = 0, pedicle_height_mm = 0;
  double pedicle_angle_deg = 0;  ///< positive: converges forwards
  double disc_below_mm = 0;
  double cord_width_mm = 0, cord_depth_mm = 0;  ///< 0: no cord at this level
  double cord_ventral_gap_mm = 0;               ///< CSF in front of the cord, lying on the back
  double cord_prone_shift_mm = 0;               ///< forwards, from supine to prone
  double sac_width_mm = 0, sac_depth_mm = 0;
  double epidural_ventral_mm = 0;  ///< posterior wall to sac
  double spinous_length_mm = 0, spinous_height_mm = 0, spinous_slope_deg = 0;
  double transverse_tip_mm = 0;                     ///< from the midline
  double facet_height_mm = 0;                       ///< superior articular process above the endplate
  double facet_offset_mm = 0, facet_behind_mm = 0;  ///< middle of the upper joint: from the midline, and
                                                    ///< behind the centre of the canal
  double facet_angle_deg = 90;  ///< of the joint's plane to the sagittal plane; 90: coronal
  double facet_tilt_deg = 0;    ///< of the joint's normal upwards
  double wedge_deg = 0;         ///< between the endplates; positive: taller in front
  double joint_below_deg = 0;   ///< of the disc below; positive: taller in front
  double rib_length_mm = 0;     ///< 0: no rib
  double root_diameter_mm = 0, ganglion_diameter_mm = 0;
  bool operator==(const VertebraSize&) const = default;
};

/// A column of the table: its name in the document and its member.
struct VertebraColumn {
  const char* name;
  double VertebraSize::*member;
};
const std::vector<VertebraColumn>& vertebra_columns();

struct VertebraTable {
  std::vector<VertebraSize> rows;                ///< from the head down, C3 .. L5, sacrum
  std::vector<VertebraSize> deviations;          ///< standard deviation between people of every number
  std::map<std::string, Provenance> provenance;  ///< by column
};
const VertebraTable& vertebra_table();
/// ConfigError with the known levels when the table has no such row.
const VertebraSize& vertebra_size(std::string_view level);

/// Reads a document of the format "spinetherm.vertebrae". ConfigError with the JSON pointer: a column that is
/// missing, unknown, without source or of another length than `rows`; a level nobody knows.
VertebraTable read_vertebrae(const JsonReader& document);

}  // namespace spinetherm
