// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "imaging/core/anatomy.h"
#include "imaging/label_conventions.h"

namespace spinetherm {

struct ImportOptions {
  /// Named in messages: the path of the label map.
  std::string where = "label map";
  /// Share of the labelled voxels [-] whose value the convention does not know, above which the map counts
  /// as one of another convention. Below, those voxels become background and a warning lists the values.
  double max_unknown_fraction = 0.01;

  void validate() const;
};

/// A label map in our names, all with status `imported`. The numbers mean nothing without the convention
/// (20 is L3, L1 or colon), so the convention is explicit, and is then checked against the shape of a spine:
///   * vertebrae follow each other from the head down (patient axis S of the grid), neighbours 12 to 60 mm
///     apart (cervical 8 to 32 mm; less when one is cut by the image edge);
///   * each vertebra has 1 to 200 ml (cervical at most 45 ml; no lower bound when cut), is in one piece and
///     not longer than a vertebra can be;
///   * over three or more whole levels the distances are 0.6 to 1.4 of the adult mean of those levels, and no
///     other convention fits them better by a fifth (v1 and v2 count alike, nine levels apart);
///   * at most max_unknown_fraction of the labelled voxels have a value that the convention does not know.
/// A map that fails is refused with ConfigError, which names the convention that fits, or the kind of map
/// that it looks like. The bounds are wide [expert judgement]: they separate conventions, and do not judge
/// patients. A map of one or two vertebrae may fit several conventions: a warning says so.
///
/// TotalSegmentator's `spinal_cord` below the L1-L2 disc becomes `cauda`, with a warning: the conus ends at
/// L1-L2 with a standard deviation of a third of a level (guidance.md 4.2), so that either name may be wrong
/// within about 12 mm of that plane. Vertebrae that the image edge cuts, missing levels between others, and
/// left-right organs on the wrong side are warnings.
Anatomy import_labels(const Volume<std::uint32_t>& raw, std::string_view convention,
                      const ImportOptions& options = {});

/// Share [0..1] of the label map's box that lies within the image's box (21^3 points). ConfigError when it is
/// below 1 %: the map belongs to another scan.
double check_overlap(const Grid& labels, const Grid& image, std::string_view where = "label map");

/// The same anatomy on another grid, nearest neighbour: no voxel gets a value that the source does not hold.
/// A structure without a voxel on the new grid loses its status (it is missing there, not far away), and a
/// warning says so; modelled root tubes are kept as they are.
Anatomy resample_labels(const Anatomy& anatomy, const Grid& grid);

}  // namespace spinetherm
