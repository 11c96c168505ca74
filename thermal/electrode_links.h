// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "imaging/core/volume.h"
#include "thermal/problem.h"

namespace spinetherm {

/// Conductance of a cell to an electrode's surface, per conductivity of the cell: area / length [m].
struct SurfaceLink {
  std::size_t cell = 0;
  int electrode = 0;
  double metres = 0;
};
/// Open fraction [0, 1] of the face between a cell and its next one along `axis`, where it is not 1.
struct FaceOpening {
  std::size_t cell = 0;
  int axis = 0;
  float open = 1;
};
/// Sub-cell geometry of electrodes and insulators on a grid; depends on nothing else.
struct ElectrodeLinks {
  /// 0: tissue; n + 1: the centre lies in electrode n.
  std::vector<std::uint8_t> owner;
  /// 1: the centre lies in an insulator (and in no electrode).
  std::vector<std::uint8_t> insulated;
  std::vector<FaceOpening> faces;
  std::vector<SurfaceLink> links;  ///< by electrode, then by cell
};

/// A tube whose radius is below half a cell: a line of current to the field.
bool is_line(const Region& region, const Grid& grid);

/// Exact: a link P-Q between centres that meets an electrode is cut there, theta * h from P, and P is joined
/// to the surface by
///   K = sum over the links not cut of (A / h) (phi_Q - phi_P) / phi_P,
/// with phi the solution around the isolated surface nearest to P (sphere 1 - a/r, cylinder ln(r/a), prolate
/// spheroid, each 0 on the surface): the cell's balance then holds exactly for that solution, wherever the
/// surface lies in the cell. Near edges, flat faces and boxes, and where two electrodes share a cell,
/// K = sum of A / (theta h), which is second order by itself (Gibou et al. 2002, doi:10.1006/jcph.2001.6977).
/// Insulators close the covered part of each face, and the part of a cut link that they cover.
/// Lines (tines): spread over the radius E = 1.5 h with the density (1 - (d/E)^2), the solution around the
/// wire is
///   phi = ln(d/r) for d > E,   ln(E/r) - 3/4 + (d/E)^2 - (d/E)^4 / 4 within,
/// and each cell near it is joined to its potential by K = (outflow of phi from the cell) / phi(P), all of
/// them scaled so that sum K phi = 2 pi length: what is seen from afar is the wire of radius r, on any grid.
/// Each end is moved out by 0.25 h + 0.7 r, where current crowds: the resistance is then within 2 % for h of
/// 2 to 10 r. Voxel: cells as wholes, the surface half a cell from the neighbour's centre; of lines those
/// they cross.
///
/// ConfigError: a grid that is not axis-aligned, an electrode that meets no link, electrodes of different
/// potential that touch or are closer than a cell with nothing between them, an electrode on a grounded outer
/// face. `part`: the grid is a part of a larger one; electrodes may lie outside it.
ElectrodeLinks link_electrodes(const Grid& grid, const ElectrodesSource& source, bool voxel_applicators,
                               bool part = false);

}  // namespace spinetherm
