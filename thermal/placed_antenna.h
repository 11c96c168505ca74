// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <functional>

#include "imaging/core/volume.h"
#include "thermal/antenna_field.h"

namespace spinetherm {

/// An antenna in a grid; its tip and where it enters.
struct PlacedAntenna {
  CoaxialAntenna antenna;
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  /// Distance of a point from the axis and from the tip backwards.
  std::array<double, 2> r_z_mm(const Eigen::Vector3d& x_mm) const;
};

/// What the antenna sees of tissue that is not the same all around: the mean over the cells of a grid that
/// lie at this distance from its axis and tip, in rings half a millimetre (or a cell) wide and a millimetre
/// (or a cell) long. Where the grid has no cell, the mean of the ring that lies nearest along r and z.
/// `of_cell`: dielectric of a cell of the grid.
DielectricAround mean_around(const Grid& grid, const PlacedAntenna& placed,
                             const std::function<Dielectric(std::size_t cell)>& of_cell);

/// Square of the field's amplitude [V2/m2] for a watt that arrives, the mean over the part of every cell that
/// is not inside the catheter: conductivity / 2 times it is the heating. Cells beside the antenna are
/// divided, as the field falls with the square of the distance there. 0 inside and beyond the cylinder of the
/// field.
Volume<float> squared_field(const Grid& grid, const PlacedAntenna& placed, const AntennaField& field);

/// Part [W] of what tissue absorbs of one watt that falls into the box of a grid.
double absorbed_in_box_W(const Grid& grid, const PlacedAntenna& placed, const AntennaField& field);

}  // namespace spinetherm
