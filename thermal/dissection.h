// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "thermal/region.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// Puts a fluid or gas in the place of tissue: cells whose centre lies in the shape and whose label gives way
/// take the medium as a further row of the map's tissues, their factors become 1. `start`: their temperature
/// at the beginning, where it is not null. Volume that was filled [ml].
/// It stays where it is: no spreading, no pressure, no flow; whether it gets there at all is not asked.
double fill_with_medium(TissueMap& map, const Region& shape, const Tissue& medium,
                        const std::function<bool(std::uint8_t label)>& gives_way,
                        Volume<float>* start = nullptr, double start_degC = 37);

}  // namespace spinetherm
