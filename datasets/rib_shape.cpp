// SPDX-License-Identifier: Apache-2.0
#include "datasets/rib_shape.h"

#include <cmath>

namespace spinetherm {
namespace {

constexpr double kCell_mm = 2, kStep_mm = 1;
constexpr double kHalfThickness_mm = 3.3;
// Half width and depth of the chest at T1 .. T12.
constexpr double kHalfWidth[] = {62, 80, 95, 106, 113, 118, 122, 124, 124, 122, 118, 112};
constexpr double kFront[] = {-80, -105, -125, -140, -150, -158, -163, -166, -168, -168, -165, -160};

using Point = Eigen::Vector2d;

Point curve(const Point& a, const Point& b, const Point& c, const Point& d, double t) {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

}  // namespace

RibShape::RibShape(const VertebraShape& vertebra, int index, double size) : canal_y_(vertebra.canal_y()) {
  const auto at = std::size_t(std::clamp(index, 0, 11));
  const VertebraSize& s = vertebra.size();
  length_ = s.rib_length_mm;
  const double h = s.posterior_height_mm / 2;
  // Heads of T1, T11 and T12 meet their own body only.
  const bool own = index <= 0 || index >= 10;
  head_z_ = own ? 0.35 * h : h - 0.5;
  const Eigen::Vector3d tip = vertebra.transverse_tip(1);
  tubercle_z_ = std::min(tip.z() + (index >= 10 ? -2 : 0), head_z_ - 1);
  slope_ = index <= 0 ? 0.30 : 0.42;
  const double side = kHalfWidth[at] * size, front = kFront[at] * size, canal_b = s.canal_depth_mm / 2;
  const Point head(vertebra.body_half(head_z_).x() * 0.93 + 4.2, -canal_b - 3);
  const double tubercle_x = tip.x() + (index >= 10 ? 2 : 0.5);
  const Point tubercle(tubercle_x, std::min(tip.y() - canal_y_ - 9.2, 6.0));
  const std::vector<Point> knots = {head,
                                    tubercle,
                                    {mix(tubercle.x(), side, 0.28), 15},
                                    {mix(tubercle.x(), side, 0.62), 6},
                                    {mix(tubercle.x(), side, 0.92), -18},
                                    {side, 0.33 * front},
                                    {0.93 * side, 0.65 * front},
                                    {0.66 * side, 0.90 * front},
                                    {0.3 * side, 0.99 * front},
                                    {0, front}};
  std::vector<Point> line;
  std::vector<double> along;
  for (std::size_t k = 0; k + 1 < knots.size(); ++k) {
    const Point &b = knots[k], &c = knots[k + 1];
    const Point a = k > 0 ? knots[k - 1] : Point(2 * b - c);
    const Point d = k + 2 < knots.size() ? knots[k + 2] : Point(-c.x(), c.y());
    const int pieces = std::max(2, int((c - b).norm() / kStep_mm));
    for (int n = 0; n < pieces; ++n) {
      const Point p = curve(a, b, c, d, double(n) / pieces);
      along.push_back(line.empty() ? 0 : along.back() + (p - line.back()).norm());
      if (k == 1 && n == 0) tubercle_along_ = along.back();
      line.push_back(p);
    }
  }
  low_y_ = front - 20;
  columns_ = int((side + 24) / kCell_mm) + 2;
  rows_ = int((50 - low_y_) / kCell_mm) + 2;
  table_.resize(std::size_t(columns_) * std::size_t(rows_));
  for (int j = 0; j < rows_; ++j)
    for (int i = 0; i < columns_; ++i) {
      const Point p(i * kCell_mm, low_y_ + j * kCell_mm);
      std::size_t nearest = 0;
      double best = 1e18;
      for (std::size_t n = 0; n < line.size(); ++n)
        if (const double d = (p - line[n]).squaredNorm(); d < best) {
          best = d;
          nearest = n;
        }
      const std::size_t a = nearest > 0 ? nearest - 1 : 0, b = std::min(nearest + 1, line.size() - 1);
      const Point t = (line[b] - line[a]).normalized(), r = p - line[nearest];
      // The line runs outwards and then forwards: outside the chest is to its right, seen from below.
      const double side_of = t.x() * r.y() - t.y() * r.x();
      const double off = std::abs(r.dot(t)), d = off < kStep_mm ? std::abs(side_of) : std::sqrt(best);
      table_[std::size_t(j) * std::size_t(columns_) + std::size_t(i)] = {
          float(d), float(side_of >= 0 ? d : -d),
          float(std::max(along[nearest] + (off < kStep_mm ? r.dot(t) : 0), 0.0))};
    }
}

RibShape::Wall RibShape::wall(const Eigen::Vector3d& local) const {
  const double ci = std::clamp(std::abs(local.x()) / kCell_mm, 0.0, double(columns_) - 1.001);
  const double cj = std::clamp((local.y() - canal_y_ - low_y_) / kCell_mm, 0.0, double(rows_) - 1.001);
  const auto i = std::size_t(ci), j = std::size_t(cj);
  const double u = ci - double(i), v = cj - double(j);
  const Entry* e = &table_[j * std::size_t(columns_) + i];
  const Entry* f = e + columns_;
  const auto blend = [&](float Entry::*m) {
    return (1 - v) * ((1 - u) * e[0].*m + u * e[1].*m) + v * ((1 - u) * f[0].*m + u * f[1].*m);
  };
  return {blend(&Entry::distance), blend(&Entry::outward), blend(&Entry::along)};
}

double RibShape::centre_z(double along) const {
  if (along < tubercle_along_) return mix(head_z_, tubercle_z_, smooth_step(0, tubercle_along_, along));
  const double beyond = along - tubercle_along_;
  return tubercle_z_ - slope_ * beyond * smooth_step(-10, 40, beyond);
}

double RibShape::half_height(double along) const {
  return mix(5.2, 6.6, smooth_step(tubercle_along_, tubercle_along_ + 30, along)) -
         1.0 * smooth_step(2, 6, along) * (1 - smooth_step(10, 16, along));
}

double RibShape::distance(const Wall& w, double z) const {
  const double tilt = w.along_mm > tubercle_along_ + 20 ? 1 / std::sqrt(1 + slope_ * slope_) : 1;
  const double d = ellipse_distance(w.distance_mm, (z - centre_z(w.along_mm)) * tilt, kHalfThickness_mm,
                                    half_height(w.along_mm));
  return std::max(d, w.along_mm - length_);
}

}  // namespace spinetherm
