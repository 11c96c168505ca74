// SPDX-License-Identifier: Apache-2.0
#include "imaging/radiograph.h"

#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {

double angle_rad(RadiographView view) { return view == RadiographView::ap ? 0 : kPi / 2; }

Volume<float> radiograph_image(const ConeBeamGeometry& geometry, double angle_rad,
                               std::span<const float> values) {
  geometry.validate();
  if (values.size() != geometry.pixels())
    throw ConfigError("the values do not fit the detector", "radiograph_image", "give columns * rows values");
  const double s = std::sin(angle_rad), c = std::cos(angle_rad);
  const double to_isocentre = geometry.source_axis_mm / geometry.source_detector_mm;
  const int rows = geometry.rows;
  Grid grid;
  grid.size = {geometry.columns, rows, 1};
  grid.spacing_mm = {geometry.isocentre_pitch_mm(), geometry.isocentre_pitch_mm(), 1};
  grid.direction << c, 0, -s,  // columns: to the right, downwards, away from the source
      s, 0, c, 0, -1, 0;
  grid.origin_mm = geometry.isocentre_mm + to_isocentre * (geometry.u_mm(0) * grid.direction.col(0) -
                                                           geometry.v_mm(rows - 1) * grid.direction.col(1));
  Volume<float> out(grid);
  for (int i = 0; i < geometry.columns; ++i)
    for (int j = 0; j < rows; ++j)
      out(i, j, 0) = values[std::size_t(i) * std::size_t(rows) + std::size_t(rows - 1 - j)];
  return out;
}

Volume<float> digitally_reconstructed_radiograph(const Volume<float>& attenuation_per_m, RadiographView view,
                                                 const ConeBeamGeometry& geometry) {
  geometry.validate();
  std::vector<float> integrals(geometry.pixels());
  ConeBeamProjector({&attenuation_per_m}).add_view(geometry, angle_rad(view), integrals);
  return radiograph_image(geometry, angle_rad(view), integrals);
}

}  // namespace spinetherm
