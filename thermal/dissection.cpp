// SPDX-License-Identifier: Apache-2.0
#include "thermal/dissection.h"

#include <algorithm>

#include "imaging/core/error.h"

namespace spinetherm {

double fill_with_medium(TissueMap& map, const Region& shape, const Tissue& medium,
                        const std::function<bool(std::uint8_t label)>& gives_way, Volume<float>* start,
                        double start_degC) {
  const auto known =
      std::ranges::find_if(map.tissues, [&](const Tissue& t) { return t.name == medium.name; });
  const auto label = std::size_t(known - map.tissues.begin());
  require(label < 255, "fill_with_medium: tissues", double(label), "at most 255");
  if (known == map.tissues.end()) map.tissues.push_back(medium);
  const Grid& grid = map.labels.grid;
  std::size_t filled = 0;
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const std::size_t c = grid.index(i, j, k);
        if (!contains(shape, grid.to_world(i, j, k)) || !gives_way(map.labels[c])) continue;
        map.labels[c] = std::uint8_t(label);
        for (Volume<float>* factor : {&map.factors.conductivity, &map.factors.heat_capacity,
                                      &map.factors.perfusion, &map.factors.electrical})
          if (!factor->empty()) (*factor)[c] = 1;
        if (start != nullptr) (*start)[c] = float(start_degC);
        ++filled;
      }
  return double(filled) * grid.voxel_volume_mm3() * 1e-3;
}

}  // namespace spinetherm
