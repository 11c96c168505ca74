// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "imaging/core/volume.h"

namespace spinetherm {

/// A value at a point as a weighted sum of cell values and a constant: value = sum w_n v[cell_n] + constant.
struct PointStencil {
  std::vector<std::size_t> cells;
  std::vector<double> weights;
  double constant = 0;

  template <class T>
  double operator()(const T* values) const {
    double sum = constant;
    for (std::size_t n = 0; n < cells.size(); ++n) sum += weights[n] * double(values[cells[n]]);
    return sum;
  }
};

/// Value at a point of a field whose cell values are averages over the cells. Along each axis the polynomial
/// whose averages over six cells are theirs, or over four where six are too many (sixth and fourth order;
/// one-sided at the outer faces; fewer cells where the grid is thinner), when all cells it needs are of one
/// tissue and none is `excluded`. Otherwise linear from the centre to the cell's face and on to the next
/// centre, with the temperature of the face at which the heat flow is the same on both sides,
///   T_face = (k_P T_P + k_Q T_Q) / (k_P + k_Q):
/// exact for layers at steady state, whose kinks lie on faces. Where a cell is excluded: linear between the
/// others of the eight around the point, weights rescaled; none left: the nearest cell that is not excluded.
/// `excluded` may be empty; `conductivity` gives k of a cell. The point must lie within the outer faces.
PointStencil make_stencil(const Volume<std::uint8_t>& labels, const std::vector<std::uint8_t>& excluded,
                          const std::function<double(std::size_t)>& conductivity,
                          const Eigen::Vector3d& x_mm);

}  // namespace spinetherm
