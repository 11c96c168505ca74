// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "imaging/core/volume.h"
#include "thermal/result.h"

namespace spinetherm {

/// Which side of the level belongs to the zone.
enum class IsoSide { above, below };

struct IsoOptions {
  IsoSide side = IsoSide::above;
  /// Interpolate log(value): for doses, which grow exponentially between two cells.
  bool logarithmic = false;
};

/// Volume and extent of {value >= level} (or <= level) of a field given at cell centres and linear between
/// them: each cube between eight centres is cut into 24 tetrahedra (its centre, a face's centre, an edge),
/// whose parts are exact; the cutting is symmetric, so that a mirrored field has the mirrored zone. Beyond
/// the outer centres the field is constant to the outer faces. NaN: not in the zone. The extent is that of
/// the crossings on the lines between neighbouring centres. Second order in the spacing. `taken`: cells
/// inside an applicator, without a value of their own (empty: none); they count as the mean of their
/// neighbours, layer by layer, so that the applicator belongs to the zone around it.
Zone iso_zone(const Grid& whole, const std::vector<float>& all, double level, const IsoOptions& options,
              const std::vector<std::uint8_t>& taken);

/// The values that `taken` cells count as, see iso_zone().
std::vector<float> fill_taken(const Grid& grid, const std::vector<float>& values,
                              const std::vector<std::uint8_t>& taken);

/// The zones of ThermalResult from the extremes [degC] and doses of a run; `arrhenius` empty: no such zone.
std::map<std::string, Zone> result_zones(const Grid& grid, const std::vector<float>& peak_degC,
                                         const std::vector<float>& lowest_degC,
                                         const std::vector<float>& cem43_min,
                                         const std::vector<float>& arrhenius,
                                         const std::vector<std::uint8_t>& taken, int threads = 1);

}  // namespace spinetherm
