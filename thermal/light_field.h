// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "thermal/multigrid.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Steady diffusion of light in scattering tissue,
///   -div(D grad phi) + mu_a phi = S,  D = 1 / (3 (mu_a + mu_s')),
/// with the fluence rate phi [W/m2]; mu_a phi is the heating. Each cell is one of two kinds:
///   like the tissue beside the fibre (D and mu_a within 25 %): phi = phi0 + phi1,
///   another:                                                   phi = phi1,
/// where phi0 is the closed form in endless tissue like that beside the fibre and phi1 is solved for by
/// finite volumes. So uniform tissue is exact however coarse the cells (light may fall to 1/e in less than
/// one), and where phi0 is far from the truth it is not there to be taken away again.
///
/// Limits: diffusion is no theory for tissue that hardly scatters (fluid), nor nearer to the fibre than
/// 1 / (mu_a + mu_s'). The wall of the catheter emits evenly; inside, the light goes on as in the tissue, but
/// without absorption.
struct LightField {                  // for one watt that leaves the fibre
  OpticalProperties beside;          ///< of the tissue that phi0 is for
  Volume<std::uint8_t> like_beside;  ///< by cell: 1 where phi0 is part of the fluence rate
  Volume<float> correction;          ///< phi1 [W/m2]
  double absorbed_W = 0;             ///< in the cells of the grid
  double escaped_W = 0;              ///< through the outer faces
  FlowSummary summary;
};

/// Beyond its outer faces the grid goes on with the tissue of its outer cells; phi1 falls there as
/// exp(-mu r)/r from the middle of the source. `of_cell`: properties of a cell of the grid; called from
/// several threads. `before`: a field of the same source and grid, to start from. Cancelled: no field.
LightField solve_light(const Grid& grid, const LightSource& source,
                       const std::function<OpticalProperties(std::size_t cell)>& of_cell, int threads,
                       const Progress& progress = {}, const LightField* before = nullptr);

/// Fluence rate [W/m2] for one watt that leaves the fibre, the mean over the part of every cell that is not
/// inside the catheter; 0 inside, nowhere negative. `solved`: the grid of the solution. On another grid
/// inside of that one phi0 is exact and phi1 trilinear.
Volume<float> fluence(const Grid& grid, const LightSource& source, const LightField& field,
                      const Grid& solved, int threads);

}  // namespace spinetherm
