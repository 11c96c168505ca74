// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace spinetherm {

// Signed distances [mm] of simple solids, negative inside, and ways to join them (after the usual practice of
// implicit modelling). First-order: exact to second order near the surface, a lower estimate far from it.

/// Ellipse (semi-axes a, b) about the origin. Never below -min(a, b).
inline double ellipse_distance(double x, double y, double a, double b) {
  const double u = x / a, v = y / b;
  const double gradient = std::sqrt(u * u / (a * a) + v * v / (b * b));
  if (gradient < 1e-9) return -std::min(a, b);
  return std::max((u * u + v * v - 1) / (2 * gradient), -std::min(a, b));
}

inline bool in_ellipse(double x, double y, double a, double b) {
  return a > 0 && b > 0 && (x * x) / (a * a) + (y * y) / (b * b) <= 1;
}

/// Distance to the segment a-b.
inline double segment_distance(const Eigen::Vector3d& x, const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
  const Eigen::Vector3d ab = b - a;
  const double t = std::clamp((x - a).dot(ab) / ab.squaredNorm(), 0.0, 1.0);
  return (x - a - t * ab).norm();
}

/// Union whose crease is filled with a fillet of about `k` mm; at most k / 4 below the smaller distance.
inline double smooth_min(double a, double b, double k) {
  const double h = std::max(k - std::abs(a - b), 0.0);
  return std::min(a, b) - h * h / (4 * k);
}
/// Intersection whose edge is rounded with about `k` mm.
inline double smooth_max(double a, double b, double k) { return -smooth_min(-a, -b, k); }

/// 0 below `low`, 1 above `high`, smooth between.
inline double smooth_step(double low, double high, double x) {
  const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}
inline double mix(double a, double b, double t) { return a + (b - a) * t; }

}  // namespace spinetherm
