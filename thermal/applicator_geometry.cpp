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

BodyLinks link_bodies(const Grid& grid, const std::vector<Body>& bodies, bool voxel) {
  BodyLinks links;
  if (bodies.empty()) return links;
  links.owner.assign(grid.count(), 0);
  bool any = false;
  for (std::size_t n = 0; n < bodies.size(); ++n) {
    const double reach = wall_reach_mm(grid, bodies[n], voxel);
    for_each_cell(cells_around(grid, bodies[n].region, reach), [&](int i, int j, int k) {
      std::int16_t& owner = links.owner[grid.index(i, j, k)];
      if (owner != 0 || signed_distance_mm(bodies[n].region, grid.to_world(i, j, k)) > reach) return;
      owner = std::int16_t(n + 1);
      any = true;
    });
  }
  if (!any) links.owner.clear();

  const auto owner_of = [&](const std::array<int, 3>& c) {
    return links.owner.empty() ? 0 : int(links.owner[grid.index(c[0], c[1], c[2])]);
  };
  // Cells beside a body; one that touches several bodies is joined to each.
  IndexBox all;
  for (std::size_t n = 0; n < bodies.size(); ++n) {
    const Body& body = bodies[n];
    const double margin = wall_reach_mm(grid, body, voxel) + 1.01 * grid.spacing_mm.maxCoeff();
    for_each_cell(cells_around(grid, body.region, margin), [&](int i, int j, int k) {
      const std::array<int, 3> c{i, j, k};
      const std::size_t cell = grid.index(i, j, k);
      if (owner_of(c) != 0) return;
      const Vector3d x = grid.to_world(i, j, k);
      std::array<double, 2> kappa{};
      double psi = 0, flow = 0, voxel_conductance = 0, plain = 0, d = 0;
      bool touches = false;
      const auto profile = [&](const Vector3d& y) {
        // A concave surface has a centre beyond which its own solution ends.
        const double e = signed_distance_mm(body.region, y);
        const double limit = -0.9 / std::min(-1e-9, std::min(kappa[0], kappa[1]));
        return wall_profile_mm(kappa[0], kappa[1], std::min(e, limit));
      };
      if (body.wall >= 0) {
        d = signed_distance_mm(body.region, x);
        kappa = curvatures_per_mm(body.region, x);
        psi = profile(x);
      }
      for (int axis = 0; axis < 3; ++axis)
        for (const int side : {-1, 1}) {
          std::array<int, 3> q = c;
          q[std::size_t(axis)] += side;
          if (!grid.contains(q[0], q[1], q[2])) continue;
          const double h_m = grid.spacing_mm[axis] * 1e-3;
          const int owner = owner_of(q);
          if (owner == int(n + 1)) {
            touches = true;
            links.faces.push_back({cell, axis, side, 0});
            voxel_conductance += 2 / (h_m * h_m);
            plain += 1 / (h_m * h_m);
          } else if (body.wall >= 0) {
            flow += (profile(grid.to_world(q[0], q[1], q[2])) - psi) / (h_m * h_m);
          } else if (owner == 0 && !voxel) {
            Vector3d edge = grid.spacing_mm, middle = x;
            edge[axis] = 0;
            middle[axis] += side * grid.spacing_mm[axis] / 2;
            if (signed_distance_mm(body.region, middle) > edge.norm() / 2) continue;
            const double covered = covered_fraction(body.region, middle, edge);
            if (covered > 1e-4) links.faces.push_back({cell, axis, side, 1 - covered});
          }
        }
      if (!touches || body.wall < 0) return;
      double conductance = voxel_conductance;
      if (!voxel) {
        const double h_mm = grid.spacing_mm.minCoeff();
        const double straight = plain * h_mm / std::max(d, 0.25 * h_mm);
        conductance = psi > 0 ? flow / psi : straight;
        // Near edges and between bodies the local solution may not fit; the straight link is second order
        // too.
        conductance = std::clamp(conductance, straight / 4, straight * 4);
      }
      links.walls.push_back({cell, body.wall, conductance});
    });
  }
  const auto by_cell = [](const auto& a, const auto& b) { return a.cell < b.cell; };
  std::stable_sort(links.walls.begin(), links.walls.end(), by_cell);
  std::stable_sort(links.faces.begin(), links.faces.end(), by_cell);
  // A face that two bodies cover is open for what neither does, at most.
  std::vector<BodyLinks::Face> merged;
  for (const BodyLinks::Face& f : links.faces) {
    auto same = std::find_if(merged.rbegin(), merged.rend(), [&](const BodyLinks::Face& m) {
      return m.cell != f.cell || (m.axis == f.axis && m.side == f.side);
    });
    if (same != merged.rend() && same->cell == f.cell)
      same->open = std::max(0.0, same->open + f.open - 1);
    else
      merged.push_back(f);
  }
  links.faces = std::move(merged);
  return links;
}

template <class Real>
Fixes<Real> make_fixes(const Grid& grid, const BodyLinks& links, std::size_t walls, bool voxel) {
  Fixes<Real> fixes;
  if (links.owner.empty() && links.faces.empty()) return fixes;
  const auto nx = std::size_t(grid.size[0]);
  const std::size_t rows = std::size_t(grid.size[1]) * std::size_t(grid.size[2]);
  fixes.face_begin.assign(rows + 1, 0);
  fixes.wall_begin = fixes.hole_begin = fixes.face_begin;
  const std::array<int, 3> stride{1, grid.size[0], grid.size[0] * grid.size[1]};
  for (const BodyLinks::Face& f : links.faces) {
    const double h_m = grid.spacing_mm[f.axis] * 1e-3;
    fixes.faces.push_back({std::int32_t(f.cell % nx), f.side * stride[std::size_t(f.axis)],
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
  for (std::size_t c = 0; c < links.owner.size(); ++c) {
    if (links.owner[c] == 0) continue;
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
template Fixes<float> make_fixes(const Grid&, const BodyLinks&, std::size_t, bool);
template Fixes<double> make_fixes(const Grid&, const BodyLinks&, std::size_t, bool);

}  // namespace spinetherm
