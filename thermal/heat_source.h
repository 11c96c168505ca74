// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/problem.h"

namespace spinetherm {

// Each adds the mean power density [W/m3] over every cell of an axis-aligned grid to `q` (cells i fastest).
// `fourth_order`: the stencil that the answer will be sought with, see stencil_correction.h.

template <class Real>
void add_power_density(const Grid& grid, const VolumetricSource& source, bool fourth_order,
                       std::vector<Real>& q);
/// Cell averages by products of error functions; tails beyond the grid are lost.
template <class Real>
void add_power_density(const Grid& grid, const GaussianSource& source, bool fourth_order,
                       std::vector<Real>& q);
/// Where heating begins or ends, the second derivative of the temperature jumps, and the stencil, which sees
/// it over two cells, is off by q h^2 / 8k on one side, 0.8 K of 149 K for 5 W in 4 x 4 x 12 mm. As the
/// second difference of any function is the mean of its second derivative weighted with a hat of width 2h,
/// the source is spread along each axis by that hat (less a twelfth of its second difference for the
/// fourth-order stencil), then averaged over the cells: exact for plane layers of heat, wherever their faces
/// lie.
template <class Real>
void add_power_density(const Grid& grid, const BoxSource& source, bool fourth_order, std::vector<Real>& q);
/// A point has no cell average of its own: put whole into its cell it would sit at the cell's centre, and
/// even there the plain stencil is 1.6 % off four cells away. The source is therefore the one whose answer on
/// this grid is the field of a point,
///   q = -P div_h grad_h erf(r / (sqrt(2) s)) / (4 pi r),   s = h / sqrt(12),
/// within 6 cells and scaled to exactly P: the field is right from four cells on, wherever the point lies in
/// its cell. What would fall outside the grid goes to the cell mirrored at the outer face.
template <class Real>
void add_power_density(const Grid& grid, const PointSource& source, bool fourth_order, std::vector<Real>& q);
/// Points, half a spacing apart at most; W_per_m times length in all.
template <class Real>
void add_power_density(const Grid& grid, const LineSource& source, bool fourth_order, std::vector<Real>& q);

}  // namespace spinetherm
