// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/problem.h"

namespace spinetherm {

/// Window cells along the edge of a far cell.
constexpr int kFarRatio = 2;

/// Cells of twice the size over the window; where that has an odd number of cells the last ones reach beyond
/// it.
Grid far_grid(const Grid& window);

/// The problem on cells of twice the size: the label that fills most of each, and factors that make heat
/// capacity, conductivity and perfusion the means over its parts.
ThermalProblem far_problem(const ThermalProblem& problem);

/// Boxes [mm] that must be stepped in cells of the window: around what acts or is read.
std::vector<Box> near_boxes(const ThermalProblem& problem);

/// Calls look(far cell, window cell) for every cell of the window.
template <class Look>
void for_far_parts(const Grid& window, const Grid& far, const Look& look) {
  for (int k = 0; k < window.size[2]; ++k)
    for (int j = 0; j < window.size[1]; ++j)
      for (int i = 0; i < window.size[0]; ++i)
        look(far.index(i / kFarRatio, j / kFarRatio, k / kFarRatio), window.index(i, j, k));
}

}  // namespace spinetherm
