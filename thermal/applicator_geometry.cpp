// SPDX-License-Identifier: Apache-2.0
#include "thermal/applicator_geometry.h"

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

using Eigen::Vector3d;

struct IndexBox {
  std::array<int, 3> low{0, 0, 0}, high{0, 0, 0};
};
/// Cells whose centres lie within `margin_mm` of the region's bounding box.
IndexBox cells_around(const Grid& grid, const Region& region, double margin_mm) {
  const Box box = bounding_box(region);
  IndexBox b;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    const double first = (box.min_mm[axis] - margin_mm - grid.origin_mm[axis]) / grid.spacing_mm[axis];
    const double last = (box.max_mm[axis] + margin_mm - grid.origin_mm[axis]) / grid.spacing_mm[axis];
    const double n = grid.size[a];
    b.low[a] = int(std::clamp(std::ceil(first), 0.0, n));
    b.high[a] = int(std::clamp(std::floor(last) + 1, 0.0, n));
  }
  return b;
}

template <class Visit>
void for_each_cell(const IndexBox& b, const Visit& visit) {
  for (int k = b.low[2]; k < b.high[2]; ++k)
    for (int j = b.low[1]; j < b.high[1]; ++j)
      for (int i = b.low[0]; i < b.high[0]; ++i) visit(i, j, k);
}

double thinnest_radius_mm(const Region& region) {
  if (const auto* s = std::get_if<Sphere>(&region.shape)) return s->radius_mm;
  if (const auto* c = std::get_if<Capsule>(&region.shape)) return c->radius_mm;
  if (const auto* c = std::get_if<Cylinder>(&region.shape)) return c->radius_mm;
  if (const auto* t = std::get_if<Tube>(&region.shape)) return t->radius_mm;
  if (const auto* p = std::get_if<Prolate>(&region.shape)) return std::min(p->long_half_mm, p->short_half_mm);
  if (const auto* b = std::get_if<Box>(&region.shape)) return (b->max_mm - b->min_mm).minCoeff() / 2;
  return 1e9;
}

/// How far outside the surface a centre still counts as the wall.
double wall_reach_mm(const Grid& grid, const Body& body, bool voxel) {
  if (voxel) return 0;
  const double farthest_centre = 0.505 * grid.spacing_mm.norm();
  const double thin = farthest_centre - thinnest_radius_mm(body.region);
  if (body.wall < 0) return 0;
  return std::max(0.25 * grid.spacing_mm.minCoeff(), thin);
}

}  // namespace

double wall_profile_mm(double kappa_1, double kappa_2, double d) {
  const double a = 1 + kappa_1 * d, b = 1 + kappa_2 * d;
  if (std::abs(kappa_1 - kappa_2) > 1e-6 * (std::abs(kappa_1) + std::abs(kappa_2)))
    return (std::log(a) - std::log(b)) / (kappa_1 - kappa_2);
  return d / a;
}

std::array<double, 2> curvatures_per_mm(const Region& region, const Vector3d& x) {
  if (const auto* s = std::get_if<Sphere>(&region.shape)) return {1 / s->radius_mm, 1 / s->radius_mm};
  if (const auto* c = std::get_if<Capsule>(&region.shape)) {
    const Vector3d ab = c->b_mm - c->a_mm;
    const double t = ab.squaredNorm() > 0 ? (x - c->a_mm).dot(ab) / ab.squaredNorm() : -1;
    const bool shaft = t > 0 && t < 1;
    return {1 / c->radius_mm, shaft ? 0 : 1 / c->radius_mm};
  }
  if (const auto* c = std::get_if<Cylinder>(&region.shape)) {
    const Vector3d ab = c->b_mm - c->a_mm;
    const double t = (x - c->a_mm).dot(ab) / ab.squaredNorm();
    return {t > 0 && t < 1 ? 1 / c->radius_mm : 0, 0};
  }
  if (const auto* t = std::get_if<Tube>(&region.shape)) {
    const BesideLine beside = beside_line(*t, x);
    const bool shaft = beside.along_mm > 0 && beside.along_mm < beside.length_mm;
    const double round = 1 / t->radius_mm;
    if (t->flat_ends) return {shaft ? round : 0, 0};
    return {round, shaft ? 0 : round};
  }
  if (const auto* p = std::get_if<Prolate>(&region.shape)) {
    // Foot point by one Newton step along the exact distance; (u, v) along and across the axis.
    const double A = p->long_half_mm, b = p->short_half_mm, d = signed_distance_mm(region, x);
    const Vector3d axis = p->axis.normalized();
    const auto split = [&](const Vector3d& y) {
      const double along = std::abs((y - p->centre_mm).dot(axis));
      return std::array<double, 2>{along, ((y - p->centre_mm) - (y - p->centre_mm).dot(axis) * axis).norm()};
    };
    Vector3d g;
    for (int n = 0; n < 3; ++n) {
      Vector3d e = Vector3d::Zero();
      e[n] = 1e-5;
      g[n] = (signed_distance_mm(region, x + e) - signed_distance_mm(region, x - e)) / 2e-5;
    }
    const auto [u, v] = split(x - d * g);
    const double s = std::sqrt(u * u / std::pow(A, 4) + v * v / std::pow(b, 4));
    return {1 / (A * A * b * b * s * s * s), 1 / (b * b * s)};
  }
  if (const auto* o = std::get_if<Outside>(&region.shape)) {
    const auto [k1, k2] = curvatures_per_mm(*o->inside, x);
    return {-k1, -k2};
  }
  return {0, 0};
}

namespace {

/// Solution beside a surface, as seen from one cell: psi by signed distance with the cell's curvatures.
class LocalSolution {
 public:
  LocalSolution(const Region& region, const Vector3d& x_mm)
      : region_(&region), kappa_(curvatures_per_mm(region, x_mm)) {
    // Where 1 + kappa d ends the solution has its singularity; half way there it is not smooth any more.
    const double convex = std::max(1e-9, std::max(kappa_[0], kappa_[1]));
    const double concave = std::min(-1e-9, std::min(kappa_[0], kappa_[1]));
    deepest_mm_ = -0.5 / convex;
    farthest_mm_ = -0.9 / concave;
  }
  double distance(const Vector3d& x_mm) const { return signed_distance_mm(*region_, x_mm); }
  bool reaches(const Vector3d& x_mm) const { return distance(x_mm) > deepest_mm_; }
  double operator()(const Vector3d& x_mm) const {
    return wall_profile_mm(kappa_[0], kappa_[1], std::clamp(distance(x_mm), deepest_mm_, farthest_mm_));
  }

 private:
  const Region* region_;
  std::array<double, 2> kappa_;
  double deepest_mm_ = 0, farthest_mm_ = 0;
};

class BodyLinker {
 public:
  BodyLinker(const Volume<std::uint8_t>& labels, const std::vector<Body>& bodies, bool voxel)
      : labels_(labels), grid_(labels.grid), bodies_(bodies), voxel_(voxel) {}

  BodyLinks link() {
    links_.owner.assign(grid_.count(), 0);
    bool any = false;
    for (std::size_t n = 0; n < bodies_.size(); ++n) {
      const double reach = wall_reach_mm(grid_, bodies_[n], voxel_);
      for_each_cell(cells_around(grid_, bodies_[n].region, reach), [&](int i, int j, int k) {
        std::int16_t& owner = links_.owner[grid_.index(i, j, k)];
        if (owner != 0 || signed_distance_mm(bodies_[n].region, grid_.to_world(i, j, k)) > reach) return;
        owner = std::int16_t(n + 1);
        any = true;
      });
    }
    for (std::size_t n = 0; n < bodies_.size(); ++n) {
      const double margin = wall_reach_mm(grid_, bodies_[n], voxel_) + 1.01 * grid_.spacing_mm.maxCoeff();
      const IndexBox box = cells_around(grid_, bodies_[n].region, margin);
      for_each_cell(box, [&](int i, int j, int k) {
        if (owner({i, j, k}) == 0) cut_faces(int(n), {i, j, k});
      });
      if (bodies_[n].wall < 0) continue;
      if (!voxel_) find_ghosts(int(n), box);
      for_each_cell(box, [&](int i, int j, int k) {
        if (owner({i, j, k}) == 0) join_wall(int(n), {i, j, k});
      });
    }
    if (!any) links_.owner.clear();
    const auto by_cell = [](const auto& a, const auto& b) { return a.cell < b.cell; };
    std::stable_sort(links_.walls.begin(), links_.walls.end(), by_cell);
    std::stable_sort(links_.faces.begin(), links_.faces.end(), by_cell);
    std::stable_sort(links_.ghosts.begin(), links_.ghosts.end(),
                     [](const auto& a, const auto& b) { return a.taken < b.taken; });
    merge_faces();
    return std::move(links_);
  }

 private:
  using Cell = std::array<int, 3>;

  int owner(const Cell& c) const { return links_.owner[index(c)]; }
  std::size_t index(const Cell& c) const { return grid_.index(c[0], c[1], c[2]); }
  bool in_grid(const Cell& c) const { return grid_.contains(c[0], c[1], c[2]); }
  Vector3d centre(const Cell& c) const { return grid_.to_world(c[0], c[1], c[2]); }
  static Cell moved(Cell c, int axis, int steps) {
    c[std::size_t(axis)] += steps;
    return c;
  }

  /// Closes the faces of a cell towards the body, and the covered part of its other faces.
  void cut_faces(int n, const Cell& c) {
    const Body& body = bodies_[std::size_t(n)];
    for (int axis = 0; axis < 3; ++axis)
      for (const int side : {-1, 1}) {
        const Cell q = moved(c, axis, side);
        if (!in_grid(q)) continue;
        if (owner(q) == n + 1) links_.faces.push_back({index(c), axis, side, 0});
        if (owner(q) != 0 || body.wall >= 0 || voxel_) continue;
        Vector3d edge = grid_.spacing_mm, middle = (centre(c) + centre(q)) / 2;
        edge[axis] = 0;
        if (signed_distance_mm(body.region, middle) > edge.norm() / 2) continue;
        const double covered = covered_fraction(body.region, middle, edge);
        if (covered > 1e-4) links_.faces.push_back({index(c), axis, side, 1 - covered});
      }
  }

  /// Taken cells into which the solution of the nearest shell of neighbours, one or two cells away,
  /// continues.
  void find_ghosts(int n, const IndexBox& box) {
    for_each_cell(box, [&](int i, int j, int k) {
      const Cell c{i, j, k};
      if (owner(c) != n + 1) return;
      for (int shell = 1; shell <= 2; ++shell)
        if (continue_from_shell(n, c, shell)) return;
    });
    std::sort(ghost_.begin(), ghost_.end());
  }
  /// False when the shell holds no cell to continue from.
  bool continue_from_shell(int n, const Cell& c, int shell) {
    const Body& body = bodies_[std::size_t(n)];
    const std::size_t before = links_.ghosts.size();
    for (int dk = -shell; dk <= shell; ++dk)
      for (int dj = -shell; dj <= shell; ++dj)
        for (int di = -shell; di <= shell; ++di) {
          const Cell p{c[0] + di, c[1] + dj, c[2] + dk};
          if (!in_grid(p) || owner(p) != 0 || labels_[index(p)] != labels_[index(c)]) continue;
          const LocalSolution psi(body.region, centre(p));
          const double at_p = psi(centre(p)), ratio = at_p > 0 ? psi(centre(c)) / at_p : -1e9;
          // Far into the body from a cell that nearly touches it, round-off and curvature would be magnified.
          if (psi.reaches(centre(c)) && ratio > -3)
            links_.ghosts.push_back({index(c), index(p), body.wall, ratio});
        }
    if (links_.ghosts.size() == before) return false;
    ghost_.push_back(index(c));
    return true;
  }
  bool has_value(const Cell& c) const {
    return in_grid(c) && (owner(c) == 0 || std::binary_search(ghost_.begin(), ghost_.end(), index(c)));
  }

  void join_wall(int n, const Cell& c) {
    const Body& body = bodies_[std::size_t(n)];
    const LocalSolution psi(body.region, centre(c));
    const double at_c = psi(centre(c)), distance = psi.distance(centre(c));
    double flow = 0, voxel_conductance = 0, voxel_area_per_m = 0, plain = 0;
    for (int axis = 0; axis < 3; ++axis)
      for (const int side : {-1, 1}) {
        const Cell q = moved(c, axis, side);
        if (!in_grid(q)) continue;  // as if mirrored: nothing flows
        const double h_m = grid_.spacing_mm[axis] * 1e-3;
        if (owner(q) == n + 1) {
          voxel_conductance += 2 / (h_m * h_m);
          voxel_area_per_m += 1 / h_m;
          plain += 1 / (h_m * h_m);
          continue;
        }
        double drop = psi(centre(q)) - at_c;
        const Cell before = moved(c, axis, -side), after = moved(q, axis, side);
        if (owner(q) == 0 && has_value(before) && has_value(after) && one_tissue({before, c, q, after}))
          drop -= (psi(centre(after)) - 3 * psi(centre(q)) + 3 * at_c - psi(centre(before))) / 12;
        flow += drop / (h_m * h_m);
      }
    if (plain == 0) return;  // it does not touch the body
    double conductance = voxel_conductance;
    // Flow = area k theta / psi in the local solution; whole cells: half a spacing.
    double depth_m = voxel_conductance > 0 ? voxel_area_per_m / voxel_conductance : 0;
    if (!voxel_) {
      const double h_mm = grid_.spacing_mm.minCoeff();
      const double straight = plain * h_mm / std::max(distance, 0.25 * h_mm);
      conductance = at_c > 0 ? flow / at_c : straight;
      // Near edges and between bodies the local solution may not fit; the straight link is second order too.
      conductance = std::clamp(conductance, straight / 4, straight * 4);
      depth_m = 1e-3 * (at_c > 0 ? at_c : std::max(distance, 0.25 * h_mm));
    }
    links_.walls.push_back({index(c), body.wall, conductance, conductance * depth_m});
  }
  bool one_tissue(const std::array<Cell, 4>& cells) const {
    return std::all_of(cells.begin(), cells.end(),
                       [&](const Cell& c) { return labels_[index(c)] == labels_[index(cells[0])]; });
  }

  /// A face that several bodies cover is open for what none does, at least nothing.
  void merge_faces() {
    std::vector<BodyLinks::Face> merged;
    for (const BodyLinks::Face& f : links_.faces) {
      auto same = std::find_if(merged.rbegin(), merged.rend(), [&](const BodyLinks::Face& m) {
        return m.cell != f.cell || (m.axis == f.axis && m.side == f.side);
      });
      if (same != merged.rend() && same->cell == f.cell)
        same->open = std::max(0.0, same->open + f.open - 1);
      else
        merged.push_back(f);
    }
    links_.faces = std::move(merged);
  }

  const Volume<std::uint8_t>& labels_;
  const Grid& grid_;
  const std::vector<Body>& bodies_;
  bool voxel_;
  BodyLinks links_;
  std::vector<std::size_t> ghost_;
};

}  // namespace

BodyLinks link_bodies(const Volume<std::uint8_t>& labels, const std::vector<Body>& bodies, bool voxel) {
  if (bodies.empty()) return {};
  return BodyLinker(labels, bodies, voxel).link();
}

template <class Real>
Fixes<Real> make_fixes(const Grid& grid, const BodyLinks& links, std::size_t walls, bool voxel,
                       const std::vector<std::uint8_t>& covered) {
  Fixes<Real> fixes;
  if (links.owner.empty() && links.faces.empty() && covered.empty()) return fixes;
  const auto nx = std::size_t(grid.size[0]);
  const std::size_t rows = std::size_t(grid.size[1]) * std::size_t(grid.size[2]);
  fixes.face_begin.assign(rows + 1, 0);
  fixes.wall_begin = fixes.hole_begin = fixes.face_begin;
  for (const BodyLinks::Face& f : links.faces) {
    const double h_m = grid.spacing_mm[f.axis] * 1e-3;
    fixes.faces.push_back({std::int32_t(f.cell % nx), std::int8_t(f.axis), std::int8_t(f.side),
                           Real(2 / (h_m * h_m) * (f.open - 1))});
    ++fixes.face_begin[f.cell / nx + 1];
  }
  for (const BodyLinks::Wall& w : links.walls) {
    WallFix<Real> fix;
    fix.i = std::int32_t(w.cell % nx);
    fix.wall = w.wall;
    fix.conductance = Real(w.conductance_per_m2);
    fix.wall_share = voxel ? Real(0) : Real(0.5);
    fixes.walls.push_back(fix);
    ++fixes.wall_begin[w.cell / nx + 1];
  }
  for (std::size_t c = 0; c < grid.count(); ++c) {
    const bool owned = !links.owner.empty() && links.owner[c] != 0;
    if (!owned && (covered.empty() || covered[c] == 0)) continue;
    fixes.holes.push_back(std::int32_t(c % nx));
    ++fixes.hole_begin[c / nx + 1];
  }
  for (std::size_t r = 0; r < rows; ++r) {
    fixes.face_begin[r + 1] += fixes.face_begin[r];
    fixes.wall_begin[r + 1] += fixes.wall_begin[r];
    fixes.hole_begin[r + 1] += fixes.hole_begin[r];
  }
  fixes.wall_theta.assign(std::max<std::size_t>(walls, 1), Real(0));
  return fixes;
}
template Fixes<float> make_fixes(const Grid&, const BodyLinks&, std::size_t, bool,
                                 const std::vector<std::uint8_t>&);
template Fixes<double> make_fixes(const Grid&, const BodyLinks&, std::size_t, bool,
                                  const std::vector<std::uint8_t>&);

}  // namespace spinetherm
