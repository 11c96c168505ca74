// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "thermal/heat_level.h"
#include "thermal/region.h"

namespace spinetherm {

/// A part of an applicator as the heat equation sees it.
struct Body {
  Region region;
  int wall = -1;  ///< row of the wall temperatures that its surface is held at; -1: it passes no heat
};

/// Bodies on a grid: which cells they take out and how their surfaces join the rest. Geometry only.
struct BodyLinks {
  std::vector<std::int16_t>
      owner;  ///< by cell: 0, or 1 + the first body that holds it; empty: no body meets the grid
  struct Wall {
    std::size_t cell = 0;
    int wall = 0;
    double conductance_per_m2 = 0;  ///< to the surface, over conductivity and volume of the cell
    double area_per_m = 0;          ///< share of the surface that the conductance stands for, over the volume
  };
  /// A taken cell beside a wall cell, and how the local solution continues into it:
  ///   theta_taken = theta_wall + ratio (theta_cell - theta_wall).
  struct Ghost {
    std::size_t taken = 0, cell = 0;
    int wall = 0;
    double ratio = 0;
  };
  struct Face {
    std::size_t cell = 0;
    int axis = 0, side = 1;  ///< neighbour at +1 or -1 along the axis
    double open = 0;
  };
  std::vector<Wall> walls;    ///< by cell
  std::vector<Ghost> ghosts;  ///< by taken cell; all of its wall cells or none
  std::vector<Face> faces;    ///< both sides of every face that is not fully open; by cell
};

/// A body held at a temperature takes out the cells whose centres it holds or comes close to (a quarter of a
/// spacing; more for a needle thinner than the grid, so that its axis is never lost). The cell beside them is
/// joined to the surface itself, wherever that lies, by
///   K = sum over its links to cells not taken (A/h) (psi_Q - psi_P) / psi_P,
///   psi(d) = integral_0^d ds / ((1 + kappa_1 s) (1 + kappa_2 s)),
/// psi the steady solution at distance d from a surface with the curvatures of the nearest point. The balance
/// of such a cell then holds exactly around a sphere or a cylinder, and to second order around other smooth
/// surfaces; edges are taken as flat. Anchoring cells that nearly touch the surface keeps the explicit step
/// within 2.5 times that of the plain grid.
///
/// A body that passes no heat takes out the cells whose centres it holds and closes its part of the faces
/// between the others. Cells that a body covers in part keep the heat capacity of a whole cell: that of the
/// metal (steel 3.95, nitinol 2.1 MJ/m3/K) is close to that of tissue (2 to 4).
///
/// Earlier bodies come first where two overlap. `voxel`: cells as wholes, the surface on their faces, half a
/// spacing from the neighbour's centre.
BodyLinks link_bodies(const Volume<std::uint8_t>& labels, const std::vector<Body>& bodies, bool voxel);

/// The stencil's exceptions for one level. `voxel`: the wall's flow uses the cell's conductivity alone, else
/// the mean of the cell's and that at the wall's temperature. `covered` cells are holes too.
template <class Real>
Fixes<Real> make_fixes(const Grid& grid, const BodyLinks& links, std::size_t walls, bool voxel,
                       const std::vector<std::uint8_t>& covered = {});

/// psi(d) of a surface with two principal curvatures [1/mm], positive where the body is convex; d [mm].
double wall_profile_mm(double kappa_1, double kappa_2, double d_mm);
/// Principal curvatures [1/mm] of the region's surface at the point nearest to x.
std::array<double, 2> curvatures_per_mm(const Region& region, const Eigen::Vector3d& x_mm);

}  // namespace spinetherm
