// SPDX-License-Identifier: Apache-2.0
#include "thermal/region.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

double distance_to_segment(const Vector3d& x, const Vector3d& a, const Vector3d& b) {
  const Vector3d ab = b - a;
  const double length2 = ab.squaredNorm();
  const double t = length2 > 0 ? std::clamp((x - a).dot(ab) / length2, 0.0, 1.0) : 0.0;
  return (x - a - t * ab).norm();
}

/// Distance outside, and minus the distance to the nearest wall inside, of the product of two slabs.
double distance_to_quadrant(double over_u, double over_v) {
  return std::hypot(std::max(over_u, 0.0), std::max(over_v, 0.0)) + std::min(std::max(over_u, over_v), 0.0);
}

double cylinder_distance(const Cylinder& c, const Vector3d& x) {
  const Vector3d middle = (c.a_mm + c.b_mm) / 2, axis = (c.b_mm - c.a_mm).normalized();
  const double along = (x - middle).dot(axis);
  const double across = (x - middle - along * axis).norm();
  return distance_to_quadrant(across - c.radius_mm, std::abs(along) - (c.b_mm - c.a_mm).norm() / 2);
}

/// One straight piece of a tube from a to b: round where it is joined or has a round end, flat elsewhere.
double piece_distance(const Vector3d& x, const Vector3d& a, const Vector3d& b, double radius, bool flat_a,
                      bool flat_b) {
  const Vector3d ab = b - a;
  const double length = ab.norm(), along = (x - a).dot(ab) / length;
  double foot = along;
  if (!flat_a) foot = std::max(foot, 0.0);
  if (!flat_b) foot = std::min(foot, length);
  const double across = (x - a - foot * ab / length).norm() - radius;
  double over = -kInfinity;
  if (flat_a) over = std::max(over, -along);
  if (flat_b) over = std::max(over, along - length);
  return flat_a || flat_b ? distance_to_quadrant(across, over) : across;
}

double tube_distance(const Tube& t, const Vector3d& x) {
  double best = kInfinity;
  const std::size_t pieces = t.points_mm.size() - 1;
  for (std::size_t n = 0; n < pieces; ++n)
    best = std::min(best, piece_distance(x, t.points_mm[n], t.points_mm[n + 1], t.radius_mm,
                                         t.flat_ends && n == 0, t.flat_ends && n + 1 == pieces));
  return best;
}

double line_length(const Tube& t) {
  double sum = 0;
  for (std::size_t n = 0; n + 1 < t.points_mm.size(); ++n)
    sum += (t.points_mm[n + 1] - t.points_mm[n]).norm();
  return sum;
}

double box_distance(const Box& b, const Vector3d& x) {
  const Vector3d over = ((x - (b.min_mm + b.max_mm) / 2).cwiseAbs() - (b.max_mm - b.min_mm) / 2);
  return over.cwiseMax(0.0).norm() + std::min(over.maxCoeff(), 0.0);
}

/// Distance from (u, v), both >= 0, to the ellipse (u/A)^2 + (v/B)^2 = 1 with A >= B. The foot point solves
///   F(t) = (A u / (t + A^2))^2 + (B v / (t + B^2))^2 - 1 = 0,   t > -B^2,
/// where F is convex and falling: Newton's method from the left end climbs to the root without overshoot.
double ellipse_distance(double A, double B, double u, double v) {
  const double inside = (u / A) * (u / A) + (v / B) * (v / B) < 1 ? -1 : 1;
  if (v < 1e-12 * B) {
    const double focal = A * A - B * B;
    if (A * u < focal) {  // the foot point leaves the long axis
      const double foot_u = A * A * u / focal;
      const double foot_v = B * std::sqrt(std::max(0.0, 1 - (foot_u / A) * (foot_u / A)));
      return -std::hypot(foot_u - u, foot_v);
    }
    return u - A;
  }
  double t = -B * B + B * v;  // F >= 0 here
  for (int n = 0; n < 100; ++n) {
    const double p = A * u / (t + A * A), q = B * v / (t + B * B);
    const double F = p * p + q * q - 1;
    const double slope = -2 * (p * p / (t + A * A) + q * q / (t + B * B));
    const double step = -F / slope;
    t += step;
    if (std::abs(step) < 1e-13 * (A * A + std::abs(t))) break;
  }
  return inside * std::hypot(u - A * A * u / (t + A * A), v - B * B * v / (t + B * B));
}

double prolate_distance(const Prolate& p, const Vector3d& x) {
  const Vector3d axis = p.axis.normalized(), r = x - p.centre_mm;
  const double along = std::abs(r.dot(axis));
  const double across = (r - r.dot(axis) * axis).norm();
  return p.long_half_mm >= p.short_half_mm ? ellipse_distance(p.long_half_mm, p.short_half_mm, along, across)
                                           : ellipse_distance(p.short_half_mm, p.long_half_mm, across, along);
}

/// Fraction of the unit cube on the inner side of the plane m . x = alpha (m >= 0, sum m = 1).
double cube_below_plane(std::array<double, 3> m, double alpha) {
  alpha = std::clamp(alpha, 0.0, 1.0);
  std::sort(m.begin(), m.end());
  // A component this small tilts the plane by less than round-off; the formula divides by it.
  constexpr double kTiny = 1e-6;
  const auto ramp3 = [](double a) { return a > 0 ? a * a * a : 0.0; };
  const auto ramp2 = [](double a) { return a > 0 ? a * a : 0.0; };
  if (m[1] < kTiny) return std::clamp(alpha / m[2], 0.0, 1.0);
  if (m[0] < kTiny)
    return (ramp2(alpha) - ramp2(alpha - m[1]) - ramp2(alpha - m[2]) + ramp2(alpha - m[1] - m[2])) /
           (2 * m[1] * m[2]);
  return (ramp3(alpha) - ramp3(alpha - m[0]) - ramp3(alpha - m[1]) - ramp3(alpha - m[2]) +
          ramp3(alpha - m[0] - m[1]) + ramp3(alpha - m[0] - m[2]) + ramp3(alpha - m[1] - m[2])) /
         (6 * m[0] * m[1] * m[2]);
}

/// Covered part of a small box, the surface taken for the plane at its distance from the box's centre.
double fraction_by_plane(const Region& region, const Vector3d& centre, const Vector3d& edge,
                         double distance) {
  const double h = 1e-4 * edge.maxCoeff();
  Vector3d normal;
  for (int a = 0; a < 3; ++a) {
    Vector3d step = Vector3d::Zero();
    step[a] = h;
    normal[a] = signed_distance_mm(region, centre + step) - signed_distance_mm(region, centre - step);
  }
  if (normal.norm() < 1e-6 * h) return distance <= 0 ? 1 : 0;
  normal.normalize();
  const Vector3d m = normal.cwiseAbs().cwiseProduct(edge);
  const double reach = m.sum();
  if (reach <= 0) return distance <= 0 ? 1 : 0;
  return cube_below_plane({m[0] / reach, m[1] / reach, m[2] / reach}, 0.5 - distance / reach);
}

double fraction_by_halving(const Region& region, const Vector3d& centre, const Vector3d& edge, int depth) {
  const double distance = signed_distance_mm(region, centre);
  if (distance >= edge.norm() / 2) return 0;
  if (distance <= -edge.norm() / 2) return 1;
  if (depth == 0) return fraction_by_plane(region, centre, edge, distance);
  double sum = 0;
  int parts = 0;
  for (int corner = 0; corner < 8; ++corner) {
    Vector3d child = centre;
    bool skip = false;
    for (int a = 0; a < 3; ++a) {
      const bool upper = ((corner >> a) & 1) != 0;
      if (edge[a] == 0) skip = skip || upper;  // a face or an edge: nothing to halve along this axis
      child[a] += (upper ? 0.25 : -0.25) * edge[a];
    }
    if (skip) continue;
    sum += fraction_by_halving(region, child, edge / 2, depth - 1);
    ++parts;
  }
  return sum / parts;
}

double overlap(double a_min, double a_max, double b_min, double b_max) {
  if (a_max <= a_min) return a_min >= b_min && a_min <= b_max ? 1 : 0;
  return std::max(0.0, std::min(a_max, b_max) - std::max(a_min, b_min)) / (a_max - a_min);
}

void check_point(const Vector3d& x, const std::string& where) {
  if (!x.allFinite()) throw ConfigError("a coordinate is not a finite number", where, "give millimetres");
}
void check_length(double mm, const std::string& where) {
  if (!(mm > 0) || !std::isfinite(mm))
    throw ConfigError(fmt::format("{} mm is not possible", mm), where, "give a length above 0 mm");
}

}  // namespace

bool Outside::operator==(const Outside& o) const {
  if (!inside || !o.inside) return inside == o.inside;
  return *inside == *o.inside;
}

void validate(const Region& region, const std::string& where) {
  std::visit(
      Overloaded{[&](const Sphere& s) {
                   check_point(s.centre_mm, where + "/sphere/centre_mm");
                   check_length(s.radius_mm, where + "/sphere/radius_mm");
                 },
                 [&](const Capsule& c) {
                   check_point(c.a_mm, where + "/capsule/a_mm");
                   check_point(c.b_mm, where + "/capsule/b_mm");
                   check_length(c.radius_mm, where + "/capsule/radius_mm");
                 },
                 [&](const Cylinder& c) {
                   check_point(c.a_mm, where + "/cylinder/a_mm");
                   check_point(c.b_mm, where + "/cylinder/b_mm");
                   check_length((c.b_mm - c.a_mm).norm(), where + "/cylinder/b_mm");
                   check_length(c.radius_mm, where + "/cylinder/radius_mm");
                 },
                 [&](const Tube& t) {
                   if (t.points_mm.size() < 2)
                     throw ConfigError("a tube of fewer than two points", where + "/tube/points_mm",
                                       "give its ends, and its bends between them");
                   for (std::size_t n = 0; n < t.points_mm.size(); ++n) {
                     const std::string at = fmt::format("{}/tube/points_mm/{}", where, n);
                     check_point(t.points_mm[n], at);
                     if (n > 0) check_length((t.points_mm[n] - t.points_mm[n - 1]).norm(), at);
                   }
                   check_length(t.radius_mm, where + "/tube/radius_mm");
                 },
                 [&](const Prolate& p) {
                   check_point(p.centre_mm, where + "/prolate/centre_mm");
                   check_point(p.axis, where + "/prolate/axis");
                   if (!(p.axis.norm() > 1e-9))
                     throw ConfigError("an axis of length 0", where + "/prolate/axis", "give a direction");
                   check_length(p.long_half_mm, where + "/prolate/long_half_mm");
                   check_length(p.short_half_mm, where + "/prolate/short_half_mm");
                 },
                 [&](const Box& b) {
                   check_point(b.min_mm, where + "/box/min_mm");
                   check_point(b.max_mm, where + "/box/max_mm");
                   if (!((b.max_mm - b.min_mm).minCoeff() > 0))
                     throw ConfigError("the box is inside out", where + "/box/max_mm",
                                       "every component must be above that of min_mm");
                 },
                 [&](const Outside& o) {
                   if (!o.inside)
                     throw ConfigError("outside of nothing", where + "/outside", "give the region inside");
                   validate(*o.inside, where + "/outside");
                 }},
      region.shape);
}

double signed_distance_mm(const Region& region, const Vector3d& x) {
  return std::visit(
      Overloaded{[&](const Sphere& s) { return (x - s.centre_mm).norm() - s.radius_mm; },
                 [&](const Capsule& c) { return distance_to_segment(x, c.a_mm, c.b_mm) - c.radius_mm; },
                 [&](const Cylinder& c) { return cylinder_distance(c, x); },
                 [&](const Tube& t) { return tube_distance(t, x); },
                 [&](const Prolate& p) { return prolate_distance(p, x); },
                 [&](const Box& b) { return box_distance(b, x); },
                 [&](const Outside& o) { return -signed_distance_mm(*o.inside, x); }},
      region.shape);
}

double covered_fraction(const Region& region, const Vector3d& centre_mm, const Vector3d& edge_mm) {
  if (const auto* box = std::get_if<Box>(&region.shape)) {
    double product = 1;
    for (int a = 0; a < 3; ++a)
      product *= overlap(centre_mm[a] - edge_mm[a] / 2, centre_mm[a] + edge_mm[a] / 2, box->min_mm[a],
                         box->max_mm[a]);
    return product;
  }
  if (const auto* outside = std::get_if<Outside>(&region.shape))
    return 1 - covered_fraction(*outside->inside, centre_mm, edge_mm);
  return fraction_by_halving(region, centre_mm, edge_mm, 3);
}

double crossing_fraction(const Region& region, const Vector3d& from_mm, const Vector3d& to_mm) {
  double outside = 0, inside = 1;
  for (int n = 0; n < 50; ++n) {
    const double t = (outside + inside) / 2;
    (contains(region, from_mm + t * (to_mm - from_mm)) ? inside : outside) = t;
  }
  return (outside + inside) / 2;
}

double volume_mm3(const Region& region) {
  return std::visit(
      Overloaded{
          [](const Sphere& s) { return 4 * kPi / 3 * std::pow(s.radius_mm, 3); },
          [](const Capsule& c) {
            const double r = c.radius_mm;
            return kPi * r * r * ((c.b_mm - c.a_mm).norm() + 4 * r / 3);
          },
          [](const Cylinder& c) { return kPi * c.radius_mm * c.radius_mm * (c.b_mm - c.a_mm).norm(); },
          // Pappus: bends neither add nor take away, as long as they are gentle.
          [](const Tube& t) {
            const double r = t.radius_mm;
            return kPi * r * r * (line_length(t) + (t.flat_ends ? 0 : 4 * r / 3));
          },
          [](const Prolate& p) { return 4 * kPi / 3 * p.long_half_mm * p.short_half_mm * p.short_half_mm; },
          [](const Box& b) { return (b.max_mm - b.min_mm).prod(); },
          [](const Outside&) { return kInfinity; }},
      region.shape);
}

double surface_mm2(const Region& region) {
  return std::visit(Overloaded{[](const Sphere& s) { return 4 * kPi * s.radius_mm * s.radius_mm; },
                               [](const Capsule& c) {
                                 return 2 * kPi * c.radius_mm * ((c.b_mm - c.a_mm).norm() + 2 * c.radius_mm);
                               },
                               [](const Cylinder& c) {
                                 return 2 * kPi * c.radius_mm * ((c.b_mm - c.a_mm).norm() + c.radius_mm);
                               },
                               [](const Tube& t) {
                                 const double r = t.radius_mm;
                                 return 2 * kPi * r * (line_length(t) + (t.flat_ends ? r : 2 * r));
                               },
                               [](const Prolate& p) {
                                 const double A = p.long_half_mm, b = p.short_half_mm;
                                 if (std::abs(A - b) < 1e-6 * b) return 4 * kPi * A * b;
                                 if (A > b) {
                                   const double e = std::sqrt(1 - (b / A) * (b / A));
                                   return 2 * kPi * b * b * (1 + A / (b * e) * std::asin(e));
                                 }
                                 const double e = std::sqrt(1 - (A / b) * (A / b));
                                 return 2 * kPi * b * b * (1 + (1 - e * e) / e * std::atanh(e));
                               },
                               [](const Box& b) {
                                 const Vector3d edge = b.max_mm - b.min_mm;
                                 return 2 * (edge[0] * edge[1] + edge[1] * edge[2] + edge[2] * edge[0]);
                               },
                               [](const Outside& o) { return surface_mm2(*o.inside); }},
                    region.shape);
}

std::vector<Region> convex_parts(const Region& region) {
  const auto* t = std::get_if<Tube>(&region.shape);
  if (t == nullptr) return {region};
  std::vector<Region> parts;
  for (std::size_t n = 0; n + 1 < t->points_mm.size(); ++n) {
    if (t->flat_ends)
      parts.push_back({Cylinder{t->points_mm[n], t->points_mm[n + 1], t->radius_mm}});
    else
      parts.push_back({Capsule{t->points_mm[n], t->points_mm[n + 1], t->radius_mm}});
    if (t->flat_ends && n > 0) parts.push_back({Sphere{t->points_mm[n], t->radius_mm}});
  }
  return parts;
}

BesideLine beside_line(const Tube& t, const Vector3d& x) {
  BesideLine best;
  best.distance_mm = kInfinity;
  const std::size_t pieces = t.points_mm.size() - 1;
  for (std::size_t n = 0; n < pieces; ++n) {
    const Vector3d& a = t.points_mm[n];
    const Vector3d ab = t.points_mm[n + 1] - a;
    const double length = ab.norm(), along = (x - a).dot(ab) / length;
    double foot = along;
    if (n > 0) foot = std::max(foot, 0.0);
    if (n + 1 < pieces) foot = std::min(foot, length);
    const double distance = (x - a - foot * ab / length).norm();
    if (distance < best.distance_mm) {
      best.distance_mm = distance;
      best.along_mm = best.length_mm + foot;
    }
    best.length_mm += length;
  }
  best.length_mm = line_length(t);
  return best;
}

Box bounding_box(const Region& region) {
  return std::visit(
      Overloaded{[](const Sphere& s) {
                   const Vector3d r = Vector3d::Constant(s.radius_mm);
                   return Box{s.centre_mm - r, s.centre_mm + r};
                 },
                 [](const Capsule& c) {
                   const Vector3d r = Vector3d::Constant(c.radius_mm);
                   return Box{c.a_mm.cwiseMin(c.b_mm) - r, c.a_mm.cwiseMax(c.b_mm) + r};
                 },
                 [](const Cylinder& c) {
                   const Vector3d axis = (c.b_mm - c.a_mm).normalized();
                   const Vector3d r =
                       c.radius_mm * (Vector3d::Ones() - axis.cwiseAbs2()).cwiseMax(0.0).cwiseSqrt();
                   return Box{c.a_mm.cwiseMin(c.b_mm) - r, c.a_mm.cwiseMax(c.b_mm) + r};
                 },
                 [&](const Tube&) {
                   Box b{Vector3d::Constant(kInfinity), Vector3d::Constant(-kInfinity)};
                   for (const Region& part : convex_parts(region)) {
                     const Box one = bounding_box(part);
                     b = {b.min_mm.cwiseMin(one.min_mm), b.max_mm.cwiseMax(one.max_mm)};
                   }
                   return b;
                 },
                 [](const Prolate& p) {
                   const Vector3d n2 = p.axis.normalized().cwiseAbs2();
                   const double A2 = p.long_half_mm * p.long_half_mm, b2 = p.short_half_mm * p.short_half_mm;
                   const Vector3d r = (A2 * n2 + b2 * (Vector3d::Ones() - n2)).cwiseSqrt();
                   return Box{p.centre_mm - r, p.centre_mm + r};
                 },
                 [](const Box& b) { return b; },
                 [](const Outside&) {
                   return Box{Vector3d::Constant(-kInfinity), Vector3d::Constant(kInfinity)};
                 }},
      region.shape);
}

}  // namespace spinetherm
