// SPDX-License-Identifier: Apache-2.0
#include "datasets/vertebra_shape.h"

#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

// Cortex [mm]. Body: 0.25-0.35 by histology, posterior thinner than anterior (domain review, high
// confidence). Endplate, pedicle walls (medial 1.2, lateral 0.6): recalled.
constexpr double kShellAnterior = 0.35, kShellPosterior = 0.25, kShellEndplate = 0.5;
constexpr double kShellPedicleMedial = 1.2, kShellPedicleLateral = 0.6;

// Form factors, drawn after anatomical atlases; no measurement.
constexpr double kWaistBack = 0.03;  // share of the depth lost at mid-height
constexpr double kRearBreadth = 1.35;
constexpr double kBackHollow_mm = 0.8;  // the posterior wall lies further back beside the midline
constexpr double kCell_mm = 4;
constexpr double kRoughCell_mm = 9;

struct BodyForm {
  double hollow_upper, hollow_lower;  // [mm] of the endplates
  double square;                      // 0: an ellipse; towards 1: a rectangle
  double corner;                      // radius of the rear corners
};
constexpr BodyForm kBodyForms[] = {
    {0.2, 1.3, 0.55, 2.0}, {0.9, 1.4, 0.05, 3.0}, {1.4, 2.4, 0.20, 4.0}, {0.8, 0.0, 0.25, 4.0}};

/// Deepest in the middle, flat at the rim.
double bowl(double rho2) {
  const double t = std::clamp(1 - rho2, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

}  // namespace

VertebraShape::VertebraShape(const VertebraSize& size, const VertebraStyle& style)
    : size_(size), style_(style) {
  region_ = size.level == "sacrum" ? Region::sacral
            : size.level[0] == 'C' ? Region::cervical
            : size.level[0] == 'T' ? Region::thoracic
                                   : Region::lumbar;
  if (region_ != Region::lumbar) style_.waist_front *= 0.6;  // deepest in lumbar bodies
  half_height_ = size.posterior_height_mm / 2;
  wall_y_ = (size.body_depth_upper_mm + size.body_depth_lower_mm) / 4;
  canal_y_ = wall_y_ + size.canal_depth_mm / 2;
  pedicle_z_ = std::max(half_height_ * 0.92 - size.pedicle_height_mm / 2, 0.0);
  wedge_tan_ = std::tan(size.wedge_deg / 2 * kPi / 180);
  pedicle_sin_ = std::sin(size.pedicle_angle_deg * kPi / 180);
  pedicle_cos_ = std::cos(size.pedicle_angle_deg * kPi / 180);
  // Forwards into the body; where the canal is wider than the body, far enough inwards to meet it.
  pedicle_front_ = 4 + 0.55 * wall_y_;
  if (pedicle_sin_ > 0.3)
    pedicle_front_ =
        std::max(pedicle_front_, (pedicle_centre(1).x() - 0.7 * body_half(0).x()) / pedicle_sin_);
  const bool lumbar = region_ == Region::lumbar, cervical = region_ == Region::cervical;
  // Thoracic laminae overlap like tiles; lumbar ones leave a window.
  lamina_half_ = lumbar     ? half_height_ * 0.80
                 : cervical ? half_height_ * 0.85
                            : half_height_ + size.disc_below_mm / 2;
  lamina_z_ = pedicle_z_ - (lumbar ? 0.27 : 0.22) * size.posterior_height_mm;
  lamina_thickness_ = cervical ? 3.4 : lumbar ? 6.0 : 5.2;
  spinous_tan_ = std::tan(size.spinous_slope_deg * kPi / 180);
  spinous_cos_ = std::cos(size.spinous_slope_deg * kPi / 180);
  spinous_run_ = size.spinous_length_mm * spinous_cos_;
  spinous_z_ = lamina_z_ - 0.35 * size.canal_depth_mm / 2;
  fillet_mm_ = cervical ? 1.6 : region_ == Region::sacral ? 4.0 : 2.4;
  if (cervical) foramen_ = *transverse_foramen(1);
  add_arch();
  add_joints();
  add_processes();
  if (region_ == Region::sacral) add_sacrum();
  fill_cells();
}

Eigen::Vector2d VertebraShape::body_half(double z) const {
  const double e = std::clamp(z / half_height_, -1.0, 1.0), s = (e + 1) / 2;
  const double mid = 1 - e * e * e * e;
  const double w = s * size_.body_width_upper_mm + (1 - s) * size_.body_width_lower_mm;
  const double d = s * size_.body_depth_upper_mm + (1 - s) * size_.body_depth_lower_mm;
  return {w / 2 * (1 - style_.waist_across * mid), d / 2 * (1 - kWaistBack * mid)};
}

double VertebraShape::body_front(double z) const {
  const double e = std::clamp(z / half_height_, -1.0, 1.0), s = (e + 1) / 2;
  const double d = s * size_.body_depth_upper_mm + (1 - s) * size_.body_depth_lower_mm;
  return d / 2 * (1 - style_.waist_front * (1 - e * e * e * e));
}

double VertebraShape::rim_z(double y, bool upper) const {
  const double lean = wedge_tan_ * (wall_y_ - y);
  return upper ? half_height_ + lean : -half_height_ - lean;
}

Eigen::Vector3d VertebraShape::pedicle_centre(int side) const {
  return {side * (size_.canal_width_mm + size_.pedicle_width_mm) / 2, wall_y_ + 4, pedicle_z_};
}

VertebraHit VertebraShape::body_at(const Eigen::Vector3d& x) const {
  const BodyForm& form = kBodyForms[std::size_t(region_)];
  const bool cervical = region_ == Region::cervical, sacral = region_ == Region::sacral;
  const double ax = std::abs(x.x()), y = x.y();
  double top = rim_z(y, true), low = rim_z(y, false);
  // Contour at this height, widened by lips near the rims.
  const double e = std::clamp((2 * x.z() - top - low) / (top - low), -1.0, 1.0), s = (e + 1) / 2;
  const double mid = 1 - e * e * e * e;
  double a = (s * size_.body_width_upper_mm + (1 - s) * size_.body_width_lower_mm) / 2;
  const double depth = (s * size_.body_depth_upper_mm + (1 - s) * size_.body_depth_lower_mm) / 2;
  a *= 1 - style_.waist_across * mid;
  double front = depth * (1 - style_.waist_front * mid);
  const double back = depth * (1 - kWaistBack * mid);
  if (style_.lip_mm > 0) {
    const double rim = std::max(std::abs(e) - 0.55, 0.0) / 0.45;
    a += style_.lip_mm * rim * rim;
    front += style_.lip_mm * rim * rim;
  }
  if (sacral && x.z() < low) {  // S2, tapering
    const double below = (low - x.z()) / 30;
    a *= std::max(1 - 0.35 * below, 0.4);
    front *= std::max(1 - 0.35 * below, 0.4);
    low -= 30;
  }
  const double b = y > 0 ? kRearBreadth * back : front;
  const double u = ax / a, v = y / b;
  const double u2 = u * u, v2 = v * v;
  const double square = form.square * std::clamp(2.5 - u2 - v2, 0.0, 1.0);
  const double f = u2 + v2 - square * u2 * v2 - 1;
  const double gx = u / a * (1 - square * v2), gy = v / b * (1 - square * u2);
  const double gradient = std::sqrt(gx * gx + gy * gy);
  const double side = gradient < 1e-6 ? -std::min(a, b) : std::max(f / (2 * gradient), -std::min(a, b));
  const double beside = std::min(ax / (size_.canal_width_mm / 2), 1.0);
  const double rear = y - (back + kBackHollow_mm * beside * beside);
  const double wall = smooth_max(side, rear, form.corner);
  // Endplates.
  const double ru = ax / (0.94 * a), rv = y / (0.92 * std::max(front, 1.0));
  const double rho2 = ru * ru + rv * rv, behind = (y - 0.15 * back) / (0.92 * back);
  top -= form.hollow_upper * bowl(rho2);
  low += form.hollow_lower * bowl(ru * ru + behind * behind);
  if (cervical) {
    const double lateral = smooth_step(0.58, 0.95, u) * smooth_step(-0.7, 0.0, y / front);
    top += 4.2 * lateral;
    low += 2.6 * lateral;
    low -= 1.5 * smooth_step(0.45, 1.0, -y / front);
  }
  const double end = std::max(x.z() - top, low - x.z());
  VertebraHit hit;
  hit.body = true;
  hit.distance_mm = smooth_max(wall, end, 1.0);
  hit.shell_mm = end > wall ? kShellEndplate : rear > side ? kShellPosterior : kShellAnterior;
  return hit;
}

bool VertebraShape::in_basivertebral(const Eigen::Vector3d& x) const {
  if (region_ == Region::sacral) return false;
  const double scale = size_.body_depth_upper_mm / 35;
  const double depth = (wall_y_ + kBackHollow_mm - x.y()) / scale, z = x.z() / scale,
               ax = std::abs(x.x()) / scale;
  if (depth < -0.5 || depth > 21) return false;
  // A funnel from the wall forwards, then two limbs.
  if (depth < 13 && in_ellipse(ax, z, mix(3.4, 0.9, depth / 13), mix(2.3, 0.8, depth / 13))) return true;
  return depth > 9 && in_ellipse(ax - 0.9 * (depth - 9), z - 0.1 * (depth - 9), 1.1, 0.9);
}

double VertebraShape::pedicle_distance(const Eigen::Vector3d& m) const {
  const Eigen::Vector3d r = m - pedicle_centre(1);
  const double along = r.y() * pedicle_cos_ + r.x() * pedicle_sin_;   // backwards (and outwards)
  const double across = r.x() * pedicle_cos_ - r.y() * pedicle_sin_;  // outwards
  const double flare = 1 + std::min(along * along / 500, 0.25);       // narrowest in its middle
  const double tube = ellipse_distance(across, r.z(), size_.pedicle_width_mm / 2 * flare,
                                       size_.pedicle_height_mm / 2 * flare);
  return std::max({tube, along - (size_.canal_depth_mm / 2 + 1), -pedicle_front_ - along});
}

double VertebraShape::canal_distance(const Eigen::Vector3d& m) const {
  return ellipse_distance(m.x(), m.y() - canal_y_, size_.canal_width_mm / 2, size_.canal_depth_mm / 2);
}

double VertebraShape::lamina_distance(const Eigen::Vector3d& m) const {
  constexpr double kSlope = 0.35;  // mm down for each mm back
  const double y = m.y() - canal_y_, canal = canal_distance(m);
  const double tilted = (m.z() + kSlope * y - lamina_z_) / std::sqrt(1 + kSlope * kSlope);
  // Laminae are thickest in the middle of their height and end in rounded edges.
  const double rim = std::clamp(tilted / lamina_half_, -1.0, 1.0);
  const double thick = lamina_thickness_ * (1 - 0.35 * rim * rim);
  const double ring = std::max(canal - thick, 1.0 - y);
  return smooth_max(ring, std::abs(tilted) - lamina_half_, 2.5);
}

double VertebraShape::plate_distance(const Eigen::Vector3d& m) const {
  // Spinous process: a plate, sheared downwards, with a rounded outline; thinnest in its middle, thick at the
  // tip. Lumbar ones are hatchets with a hollow upper edge, thoracic ones taper.
  const double u = m.y() - (canal_y_ + size_.canal_depth_mm / 2), t = std::clamp(u / spinous_run_, 0.0, 1.0);
  const double sheared = (m.z() - (spinous_z_ - spinous_tan_ * u)) * spinous_cos_;
  const double half = size_.spinous_height_mm / 2;
  double up = half, down = half;
  if (region_ == Region::lumbar) {
    up = half * (0.92 - 0.28 * std::sin(kPi * std::min(1.15 * t, 1.0)) - 0.10 * t);
    down = half * (0.72 + 0.36 * smooth_step(0.25, 0.9, t));
  } else if (region_ == Region::thoracic) {
    up = down = half * mix(1.0, 0.62, t);
  }
  const double edge = sheared > 0 ? sheared - up : -sheared - down;
  const double outline = smooth_max(std::max(-u, u - spinous_run_), edge, std::min(0.8 * half, 7.0));
  const double thin = 2.4 + 1.5 * smooth_step(0.6, 1.0, t) + 1.2 * (1 - smooth_step(0.0, 0.3, t));
  const double thick = region_ == Region::cervical ? 0.8 * thin : thin;
  return smooth_max(outline, m.x() - thick, 2.5);
}

double VertebraShape::part_distance(const Part& p, const Eigen::Vector3d& m) const {
  switch (p.form) {
    case Form::pedicle:
      return pedicle_distance(m);
    case Form::lamina:
      return lamina_distance(m);
    case Form::plate:
      return plate_distance(m);
    case Form::tube:
      break;
  }
  const Eigen::Vector3d ab = p.b - p.a, r = m - p.a;
  const double t = std::clamp(r.dot(ab) / ab.squaredNorm(), 0.0, 1.0);
  const double radius = p.radius_a + t * (p.radius_b - p.radius_a);
  const Eigen::Vector3d q = r - t * ab;
  if (p.flat == 1) return q.norm() - radius;
  // Stretch across the thin direction, and divide by the gradient of the stretched length.
  const double n = q.dot(p.thin), n2 = n * n, f2 = p.flat * p.flat, rest = q.squaredNorm() - n2;
  const double length = std::sqrt(rest + f2 * n2);
  if (length < 1e-9) return -radius / p.flat;
  return (length - radius) * length / std::sqrt(rest + f2 * f2 * n2);
}

VertebraHit VertebraShape::at(const Eigen::Vector3d& at) const {
  VertebraHit hit;
  const double inv = 1 / kCell_mm;
  const double ci = std::abs(at.x()) * inv, cj = (at.y() - cell_low_.y()) * inv,
               ck = (at.z() - cell_low_.z()) * inv;
  if (cj < 0 || ck < 0 || ci >= cell_count_[0] || cj >= cell_count_[1] || ck >= cell_count_[2]) return hit;
  const std::uint32_t mask =
      cells_[(std::size_t(ck) * std::size_t(cell_count_[1]) + std::size_t(cj)) * std::size_t(cell_count_[0]) +
             std::size_t(ci)];
  if (mask == 0) return hit;
  Eigen::Vector3d x = at;
  if (style_.roughness_mm > 0) {
    x += 0.6 * style_.roughness_mm * roughness_.at(at / kRoughCell_mm);
  }
  const Eigen::Vector3d m(std::abs(x.x()), x.y(), x.z());  // the left half stands for both
  if (mask & 1) {
    hit = body_at(x);
    if (region_ == Region::sacral) hit.distance_mm = std::max(hit.distance_mm, -sacral_tunnel_distance(m));
  }
  if (mask == 1) return hit;
  double arch = std::numeric_limits<double>::infinity(), nearest = arch, shell = 0;
  for (std::size_t n = 0; n < parts_.size(); ++n) {
    if (!(mask >> (n + 1) & 1)) continue;
    const Part& p = parts_[n];
    const double d = part_distance(p, m);
    if (d < nearest) {
      nearest = d;
      shell = p.form != Form::pedicle                                                ? p.shell
              : m.x() < pedicle_centre(1).x() + (m.y() - wall_y_ - 4) * pedicle_sin_ ? kShellPedicleMedial
                                                                                     : kShellPedicleLateral;
    }
    arch = std::isinf(arch) ? d : smooth_min(arch, d, fillet_mm_);
  }
  arch = carved(arch, m);
  if (arch < hit.distance_mm) {
    const double body = hit.distance_mm;
    hit = {arch, false, shell};
    if (body < fillet_mm_) hit.distance_mm = std::max(smooth_min(arch, body, 1.2), -canal_distance(m));
    if (body < 0 && -body > -arch) hit.body = true;
  }
  return hit;
}

void VertebraShape::fill_cells() {
  // A generous box, whose empty margins are found by the same test as the cells.
  const double reach = std::max({size_.transverse_tip_mm + 10, size_.body_width_lower_mm / 2 + 8,
                                 region_ == Region::sacral ? 66.0 : 30.0});
  const double down = half_height_ + size_.disc_below_mm + 18 + spinous_tan_ * spinous_run_ +
                      (region_ == Region::sacral ? 40 : 0);
  cell_low_ = {0, -size_.body_depth_lower_mm / 2 - 10, -down};
  const Eigen::Vector3d high(reach, spinous_tip_y() + 12, half_height_ + size_.facet_height_mm + 14);
  for (int a = 0; a < 3; ++a)
    cell_count_[std::size_t(a)] = int(std::ceil((high[a] - cell_low_[a]) / kCell_mm));
  cells_.assign(std::size_t(cell_count_[0]) * std::size_t(cell_count_[1]) * std::size_t(cell_count_[2]), 0);
  if (style_.roughness_mm > 0) {
    const Eigen::Vector3d end =
        cell_low_ + kCell_mm * Eigen::Vector3d(cell_count_[0], cell_count_[1], cell_count_[2]);
    roughness_ = NoiseLattice({Eigen::Vector3d(-end.x(), cell_low_.y(), cell_low_.z()) / kRoughCell_mm,
                               Eigen::Vector3d(end / kRoughCell_mm)},
                              style_.seed);
  }
  // Half a diagonal, with room for distances that are only first-order, and for the roughness.
  const double near = 1.5 * std::sqrt(3.0) * kCell_mm / 2 + fillet_mm_ + 2 * style_.roughness_mm;
  box_.setEmpty();
  std::size_t n = 0;
  for (int k = 0; k < cell_count_[2]; ++k)
    for (int j = 0; j < cell_count_[1]; ++j)
      for (int i = 0; i < cell_count_[0]; ++i, ++n) {
        const Eigen::Vector3d corner = cell_low_ + kCell_mm * Eigen::Vector3d(i, j, k);
        const Eigen::Vector3d m = corner + Eigen::Vector3d::Constant(kCell_mm / 2);
        std::uint32_t mask = body_at(m).distance_mm < near ? 1 : 0;
        for (std::size_t p = 0; p < parts_.size(); ++p)
          if (part_distance(parts_[p], m) < near) mask |= std::uint32_t(2) << p;
        cells_[n] = mask;
        if (mask == 0) continue;
        const Eigen::Vector3d end = corner + Eigen::Vector3d::Constant(kCell_mm);
        box_.extend(Eigen::Vector3d(-end.x(), corner.y(), corner.z()));
        box_.extend(end);
      }
}

std::vector<Landmark> VertebraShape::landmarks() const {
  std::vector<Landmark> out;
  for (const bool upper : {true, false}) {
    const std::string end = upper ? "upper_" : "lower_";
    const double h = upper ? half_height_ : -half_height_;
    const Eigen::Vector2d half = body_half(h);
    const auto at = [&](double x, double y) { return Eigen::Vector3d(x, y, rim_z(y, upper)); };
    out.push_back({end + "anterior", at(0, -half.y()), true});
    out.push_back({end + "posterior", at(0, half.y()), true});
    out.push_back({end + "left", at(half.x(), 0), true});
    out.push_back({end + "right", at(-half.x(), 0), true});
  }
  for (const int side : {1, -1}) {
    const std::string s = side > 0 ? "_left" : "_right";
    out.push_back({"pedicle" + s, pedicle_centre(side)});
    out.push_back({"transverse_tip" + s, transverse_tip(side)});
    out.push_back({"superior_facet" + s, superior_facet_tip(side)});
  }
  out.push_back({"arch", {0, canal_y_ + size_.canal_depth_mm / 2, spinous_z_}});
  out.push_back({"spinous_tip", {0, spinous_tip_y(), spinous_z_ - spinous_tan_ * spinous_run_}});
  return out;
}

}  // namespace spinetherm
