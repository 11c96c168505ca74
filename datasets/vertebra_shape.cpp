// SPDX-License-Identifier: Apache-2.0
#include "datasets/vertebra_shape.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

// Cortex [mm]. Body: 0.25-0.35 by histology, posterior thinner than anterior (domain review, high
// confidence). Endplate, arch and pedicle walls (medial 1.2, lateral 0.6): recalled.
constexpr double kShellAnterior = 0.35, kShellPosterior = 0.25, kShellEndplate = 0.5, kShellArch = 0.9;
constexpr double kShellPedicleMedial = 1.2, kShellPedicleLateral = 0.6;

// Form factors, drawn after anatomical atlases; no measurement.
constexpr double kWaistAcross = 0.10, kWaistDepth = 0.03;  // share lost at mid-height
constexpr double kRearBreadth = 1.35;
constexpr double kEndplateHollow_mm = 1.0;
constexpr double kBackHollow_mm = 0.8;  // the posterior wall lies further back beside the midline
constexpr double kMargin_mm = 6;        // distances are computed this far outside the bone
constexpr double kLaminaSlope = 0.35;   // mm down for each mm back

double capsule(const Eigen::Vector3d& x, const Eigen::Vector3d& a, const Eigen::Vector3d& b, double radius) {
  return segment_distance(x, a, b) - radius;
}

}  // namespace

double ellipse_distance(double x, double y, double a, double b) {
  const double u = x / a, v = y / b;
  const double rho2 = u * u + v * v;
  const double gradient = std::sqrt(u * u / (a * a) + v * v / (b * b));
  if (gradient < 1e-9) return -std::min(a, b);
  return std::max((rho2 - 1) / (2 * gradient), -std::min(a, b));
}

double segment_distance(const Eigen::Vector3d& x, const Eigen::Vector3d& a, const Eigen::Vector3d& b) {
  const Eigen::Vector3d ab = b - a;
  const double t = std::clamp((x - a).dot(ab) / ab.squaredNorm(), 0.0, 1.0);
  return (x - a - t * ab).norm();
}

VertebraShape::VertebraShape(const VertebraSize& size) : size_(size), sacrum_(size.level == "sacrum") {
  half_height_ = size.posterior_height_mm / 2;
  wall_y_ = (size.body_depth_upper_mm + size.body_depth_lower_mm) / 4;
  canal_y_ = wall_y_ + size.canal_depth_mm / 2;
  pedicle_z_ = std::max(half_height_ * 0.92 - size.pedicle_height_mm / 2, 0.0);
  pedicle_sin_ = std::sin(size.pedicle_angle_deg * kPi / 180);
  pedicle_cos_ = std::cos(size.pedicle_angle_deg * kPi / 180);
  // Forwards into the body; where the canal is wider than the body, far enough inwards to meet it.
  pedicle_front_ = 4 + 0.55 * wall_y_;
  if (pedicle_sin_ > 0.3)
    pedicle_front_ =
        std::max(pedicle_front_, (pedicle_centre(1).x() - 0.7 * body_half(0).x()) / pedicle_sin_);
  const bool lumbar = size.level[0] == 'L', cervical = size.level[0] == 'C';
  // Thoracic laminae overlap like tiles; lumbar ones leave a window.
  lamina_half_ = lumbar ? half_height_ * 0.86 : half_height_ + size.disc_below_mm / 2;
  lamina_z_ = pedicle_z_ - 0.22 * size.posterior_height_mm;
  lamina_thickness_ = cervical ? 4.0 : 5.5;
  facet_x_ = size.canal_width_mm / 2 + std::max(3.0, 0.4 * size.pedicle_width_mm);
  facet_radius_ = lumbar ? 3.4 : 2.7;
  spinous_tan_ = std::tan(size.spinous_slope_deg * kPi / 180);
  spinous_run_ = size.spinous_length_mm * std::cos(size.spinous_slope_deg * kPi / 180);
  spinous_z_ = lamina_z_ - kLaminaSlope * size.canal_depth_mm / 2;
  for (const Landmark& p : landmarks()) {
    (p.on_body ? body_box_ : arch_box_).extend(p.at_mm);
  }
  // Lower edges that no landmark marks: inferior processes, spinous process, laminae.
  const double low =
      std::min({-half_height_ - size.disc_below_mm - size.facet_height_mm,
                spinous_z_ - spinous_tan_ * spinous_run_ - size.spinous_height_mm / 2,
                lamina_z_ - lamina_half_ - kLaminaSlope * (size.canal_depth_mm / 2 + lamina_thickness_)});
  arch_box_.extend(Eigen::Vector3d(0, 0, low));
  if (sacrum_)
    arch_box_.extend(Eigen::AlignedBox3d(Eigen::Vector3d(-58, -10, -22), Eigen::Vector3d(58, 18, 14)));
  for (Eigen::AlignedBox3d* box : {&body_box_, &arch_box_}) {
    box->min().array() -= kMargin_mm;
    box->max().array() += kMargin_mm;
  }
}

Eigen::Vector2d VertebraShape::body_half(double z) const {
  const double s = std::clamp(z / (2 * half_height_) + 0.5, 0.0, 1.0);
  const double mid = 1 - (2 * s - 1) * (2 * s - 1);
  const double w = s * size_.body_width_upper_mm + (1 - s) * size_.body_width_lower_mm;
  const double d = s * size_.body_depth_upper_mm + (1 - s) * size_.body_depth_lower_mm;
  return {w / 2 * (1 - kWaistAcross * mid), d / 2 * (1 - kWaistDepth * mid)};
}

Eigen::Vector3d VertebraShape::pedicle_centre(int side) const {
  return {side * (size_.canal_width_mm + size_.pedicle_width_mm) / 2, wall_y_ + 4, pedicle_z_};
}

double VertebraShape::spinous_tip_y() const { return canal_y_ + size_.canal_depth_mm / 2 + spinous_run_ + 2; }

Eigen::Vector3d VertebraShape::transverse_tip(int side) const {
  const bool lumbar = size_.level[0] == 'L', thoracic = size_.level[0] == 'T';
  return {side * size_.transverse_tip_mm,
          canal_y_ + (lumbar     ? 5
                      : thoracic ? 12
                                 : -4),
          pedicle_z_ - (lumbar ? 2 : 0)};
}

Eigen::Vector3d VertebraShape::superior_facet_tip(int side) const {
  return {side * (facet_x_ + 0.5), canal_y_ + 3.5, half_height_ + size_.facet_height_mm};
}

VertebraHit VertebraShape::body_at(const Eigen::Vector3d& x) const {
  const Eigen::Vector2d half = body_half(x.z());
  const double a = half.x(), b = half.y();
  // The rear half is broader than an ellipse, and is cut by the back: a kidney.
  const double depth = x.y() > 0 ? kRearBreadth * b : b;
  const double ellipse = ellipse_distance(x.x(), x.y(), a, depth);
  const double beside = std::min(std::abs(x.x()) / (size_.canal_width_mm / 2), 1.0);
  const double back = x.y() - (b + kBackHollow_mm * beside * beside);
  const double rho2 = std::min((x.x() * x.x()) / (a * a) + (x.y() * x.y()) / (b * b), 1.0);
  const double endplate = std::abs(x.z()) - (half_height_ - kEndplateHollow_mm * (1 - rho2));
  VertebraHit hit;
  hit.body = true;
  hit.distance_mm = std::max({ellipse, back, endplate});
  hit.shell_mm = hit.distance_mm == endplate ? kShellEndplate
                 : hit.distance_mm == back   ? kShellPosterior
                                             : kShellAnterior;
  return hit;
}

double VertebraShape::pedicle_distance(const Eigen::Vector3d& x) const {
  const int side = x.x() >= 0 ? 1 : -1;
  const Eigen::Vector3d r = x - pedicle_centre(side);
  const double lateral = side * r.x();
  const double along = r.y() * pedicle_cos_ + lateral * pedicle_sin_;   // backwards (and outwards)
  const double across = lateral * pedicle_cos_ - r.y() * pedicle_sin_;  // outwards
  const double tube =
      ellipse_distance(across, r.z(), size_.pedicle_width_mm / 2, size_.pedicle_height_mm / 2);
  const double back_end = along - (size_.canal_depth_mm / 2 + 1), front_end = -pedicle_front_ - along;
  return std::max({tube, back_end, front_end});
}

double VertebraShape::arch_distance(const Eigen::Vector3d& x) const {
  const double side = x.x() >= 0 ? 1 : -1;
  const Eigen::Vector3d m(side * x.x(), x.y(), x.z());  // the left half stands for both
  const double y = x.y() - canal_y_;
  const double canal = ellipse_distance(x.x(), y, size_.canal_width_mm / 2, size_.canal_depth_mm / 2);
  const double tilted = x.z() + kLaminaSlope * y - lamina_z_;
  double d = std::max({canal - lamina_thickness_, -canal, 1.5 - y, std::abs(tilted) - lamina_half_});
  // Spinous process: a plate with rounded edges, sheared downwards.
  const double u = x.y() - (canal_y_ + size_.canal_depth_mm / 2);
  const double plate_z = x.z() - (spinous_z_ - spinous_tan_ * u);
  const Eigen::Vector3d q(std::abs(x.x()) - 1.2, std::max(-u, u - spinous_run_),
                          std::abs(plate_z) - (size_.spinous_height_mm / 2 - 2));
  d = std::min(d, q.cwiseMax(0).norm() + std::min(q.maxCoeff(), 0.0) - 2);
  if (sacrum_) {  // wings
    const Eigen::Vector3d w = m - Eigen::Vector3d(38, 4, -4);
    return std::min(d, (w.cwiseQuotient(Eigen::Vector3d(20, 14, 18)).norm() - 1) * 14);
  }
  const double h = half_height_, f = facet_x_, r = facet_radius_;
  const Eigen::Vector3d pillar_top(f - 0.5, canal_y_ + 4, pedicle_z_ - 4);
  const Eigen::Vector3d pillar_low(f - 1.5, canal_y_ + 6, lamina_z_ - 0.3 * lamina_half_);
  d = std::min(d, capsule(m, pillar_top, pillar_low, r + 0.8));
  // Superior process, and the inferior one behind and inside the superior process of the next vertebra.
  d = std::min(d, capsule(m, {f, canal_y_ + 3.5, pedicle_z_ - 2},
                          {f + 0.5, canal_y_ + 3.5, h + size_.facet_height_mm - r}, r));
  d = std::min(
      d, capsule(m, {f - 4.5, canal_y_ + 8, lamina_z_},
                 {f - 5.5, canal_y_ + 10.5, -h - size_.disc_below_mm - size_.facet_height_mm + r + 3}, r));
  // Transverse process, flattened front to back.
  const Eigen::Vector3d root(f, canal_y_ + 2, pedicle_z_ - 2), flat(1, 1.3, 1);
  const Eigen::Vector3d tip = transverse_tip(1) - Eigen::Vector3d(3, 0, 0);
  d = std::min(d, capsule(m.cwiseProduct(flat), root.cwiseProduct(flat), tip.cwiseProduct(flat), 3.8));
  return d;
}

VertebraHit VertebraShape::at(const Eigen::Vector3d& x) const {
  VertebraHit hit;
  if (body_box_.contains(x)) hit = body_at(x);
  if (!arch_box_.contains(x)) return hit;
  const double y = x.y() - canal_y_;
  const double canal = ellipse_distance(x.x(), y, size_.canal_width_mm / 2, size_.canal_depth_mm / 2);
  const double pedicle = std::max(sacrum_ ? 99.0 : pedicle_distance(x), -canal);
  if (pedicle < hit.distance_mm) {
    const double medial = (size_.canal_width_mm + size_.pedicle_width_mm) / 2;
    hit = {pedicle, false, std::abs(x.x()) < medial ? kShellPedicleMedial : kShellPedicleLateral};
  }
  const double arch = std::max(arch_distance(x), -canal);
  if (arch < hit.distance_mm) hit = {arch, false, kShellArch};
  return hit;
}

std::vector<Landmark> VertebraShape::landmarks() const {
  std::vector<Landmark> out;
  for (const bool upper : {true, false}) {
    const std::string end = upper ? "upper_" : "lower_";
    const double z = upper ? half_height_ : -half_height_;
    const Eigen::Vector2d half = body_half(z);
    out.push_back({end + "anterior", {0, -half.y(), z}, true});
    out.push_back({end + "posterior", {0, half.y(), z}, true});
    out.push_back({end + "left", {half.x(), 0, z}, true});
    out.push_back({end + "right", {-half.x(), 0, z}, true});
  }
  for (const int side : {1, -1}) {
    const std::string s = side > 0 ? "_left" : "_right";
    out.push_back({"pedicle" + s, pedicle_centre(side)});
    out.push_back({"transverse_tip" + s, transverse_tip(side)});
    out.push_back({"superior_facet" + s, superior_facet_tip(side)});
  }
  out.push_back(
      {"arch",
       {0, canal_y_ + size_.canal_depth_mm / 2, lamina_z_ - kLaminaSlope * size_.canal_depth_mm / 2}});
  out.push_back({"spinous_tip", {0, spinous_tip_y(), spinous_z_ - spinous_tan_ * spinous_run_}});
  return out;
}

}  // namespace spinetherm
