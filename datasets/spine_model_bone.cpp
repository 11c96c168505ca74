// SPDX-License-Identifier: Apache-2.0
// What of a point is bone, joint or disc.
#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"
#include "datasets/value_noise.h"

namespace spinetherm {
namespace {

constexpr double kFar = 1e9;
// Joints and ribs, drawn after atlases; no measurement.
constexpr double kFacetGap_mm = 1.4, kRibGap_mm = 1.0, kIliacGap_mm = 2.0;
constexpr double kShellRib_mm = 0.8, kShellIliac_mm = 1.1;
constexpr double kTextureStretch = 2.6;  // trabeculae of a body run up and down

const StructureValue kMuscle = *structure_value("muscle"), kRib = *structure_value("rib"),
                     kBone = *structure_value("bone");

/// Of the segment a-b in the plane.
double line_distance(const Eigen::Vector2d& p, const Eigen::Vector2d& a, const Eigen::Vector2d& b) {
  const Eigen::Vector2d ab = b - a;
  return (p - a - std::clamp((p - a).dot(ab) / ab.squaredNorm(), 0.0, 1.0) * ab).norm();
}

}  // namespace

float SpineModel::bone_texture(const Eigen::Vector3d& local, const VertebraShape& shape) const {
  const double cell = patient_.trabecula_mm;
  const double fine = value_noise_2(
      {local.x() / cell, local.y() / cell, local.z() / (kTextureStretch * cell)}, patient_.texture_seed);
  const double coarse = value_noise(local / 8.0, patient_.texture_seed + 5);
  // Denser under the endplates, loose about the basivertebral vein.
  const double h = shape.size().posterior_height_mm / 2;
  const double rim = std::abs(local.z()) / h;
  const double dense = 0.9 * smooth_step(0.55, 1.0, rim) - 0.7 * (1 - smooth_step(0.1, 0.5, rim));
  constexpr double kLossPerYear = 2.5 / 45;  // HU a year over HU of one unit of texture
  return float(patient_.texture_gain * (0.85 * fine + 0.4 * coarse) + dense -
               kLossPerYear * (patient_.age_years - 65));
}

float SpineModel::soft_texture(const Eigen::Vector3d& x, double cell_mm) const {
  return float(patient_.texture_gain * value_noise(x / cell_mm, patient_.texture_seed + 11));
}

bool SpineModel::bone_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                         SpinePoint& out) const {
  double first = kFar, second = kFar;
  std::size_t owner = 0;
  VertebraHit hit;
  bool second_body = false;
  Eigen::Vector3d local(0, 0, 0);
  if (std::abs(c.left_mm) < 70) {
    for (std::size_t n = 0; n < vertebrae_.size(); ++n) {
      const PlacedVertebra& v = vertebrae_[n];
      if (x.z() < v.low_z || x.z() > v.high_z) continue;
      const Eigen::Vector3d l = v.local(x);
      const VertebraHit h = v.shape.at(l);
      if (h.distance_mm < first) {
        second = first;
        second_body = hit.body;
        first = h.distance_mm;
        hit = h;
        owner = n;
        local = l;
      } else if (h.distance_mm < second) {
        second = h.distance_mm;
        second_body = h.body;
      }
    }
  }
  // Where two vertebrae would meet a joint lies between them.
  const double gap = s.neck + s.chest > 0.5 ? 1.2 : kFacetGap_mm;
  const double inside = std::max(first, (first - second + gap) / 2);
  if (inside < 0) {
    const PlacedVertebra& v = vertebrae_[owner];
    out.label = hit.body ? v.body : v.vertebra;
    if (hit.body && v.shape.in_basivertebral(local)) {
      out.material = Material::basivertebral_vein;
      out.texture = 0;
    } else if (-inside < hit.shell_mm) {
      out.material = Material::cortical_bone;
      out.texture = 0;
    } else {
      out.material = hit.body ? Material::trabecular_bone : Material::posterior_bone;
      out.texture = bone_texture(local, v.shape);
    }
    return true;
  }
  const bool bodies = hit.body && second_body;
  if (first < 0 || (!bodies && first < 0.9 && second < 0.9)) {
    out = {kMuscle, Material::cartilage, 0};
    return true;
  }
  return rib_at(x, first, out) || iliac_at(x, first, out);
}

bool SpineModel::rib_at(const Eigen::Vector3d& x, double bone_mm, SpinePoint& out) const {
  for (const Rib& rib : ribs_) {
    if (x.z() < rib.low_z || x.z() > rib.high_z) continue;
    const PlacedVertebra& v = vertebrae_[rib.vertebra];
    const Eigen::Vector3d local = v.vertebra_from_world * x;
    if (local.z() > rib.shape.high_z() || local.z() < rib.shape.low_z()) continue;
    const RibShape::Wall w = rib.shape.wall(local);
    if (w.distance_mm > 6) continue;
    double d = rib.shape.distance(w, local.z());
    if (d >= 0) continue;
    d = std::max(d, kRibGap_mm - bone_mm);
    if (d >= 0) {
      out = {kMuscle, Material::cartilage, 0};
      return true;
    }
    out.label = kRib;
    out.material = d > -kShellRib_mm ? Material::cortical_bone : Material::posterior_bone;
    out.texture = d > -kShellRib_mm ? 0 : bone_texture(local, v.shape);
    return true;
  }
  return false;
}

bool SpineModel::iliac_at(const Eigen::Vector3d& x, double bone_mm, SpinePoint& out) const {
  if (!sacrum_) return false;
  const PlacedVertebra& v = vertebrae_[*sacrum_];
  const Eigen::Vector3d local = v.vertebra_from_world * x;
  const double ax = std::abs(local.x());
  if (ax < 30 || local.z() > 60 || local.z() < -80) return false;
  // Seen along the sacrum: from the posterior spine past the joint outwards to the front.
  // The wing leans outwards, upwards of the joint.
  const Eigen::Vector2d p(ax - 0.3 * (local.z() + 15), local.y() - v.shape.wall_y());
  const Eigen::Vector2d spine(47, 42), joint(62, 6), wing(88, -38), front(128, -78);
  const double d = std::min({line_distance(p, spine, joint) - 5.0, line_distance(p, joint, wing) - 4.6,
                             line_distance(p, wing, front) - 5.0});
  // The crest: low behind, highest at the side.
  const double along = mix(0, 1, std::clamp((42 - p.y()) / 120, 0.0, 1.0));
  const double crest = -8 + 62 * smooth_step(0.12, 0.62, along) - 30 * smooth_step(0.75, 1.0, along);
  double inside = smooth_max(smooth_max(d, local.z() - crest, 4.0), -62 - local.z(), 4.0);
  if (inside >= 0) return false;
  inside = std::max(inside, kIliacGap_mm - bone_mm);
  if (inside >= 0) {
    out = {kMuscle, Material::cartilage, 0};
    return true;
  }
  const bool shell = inside > -kShellIliac_mm;
  out = {kBone, shell ? Material::cortical_bone : Material::posterior_bone,
         shell ? 0 : bone_texture(local, v.shape)};
  return true;
}

bool SpineModel::disc_at(const Eigen::Vector3d& x, const CurvePoint& c, SpinePoint& out) const {
  const double share = c.level - std::floor(c.level);
  if (c.level < 0 || c.level >= double(vertebrae_.size() - 1) || share < 0.12 || share > 0.92) return false;
  const auto n = std::size_t(c.level);
  const PlacedVertebra &up = vertebrae_[n], &low = vertebrae_[n + 1];
  const VertebraSize &us = up.shape.size(), &ls = low.shape.size();
  const double a = (us.body_width_lower_mm + ls.body_width_upper_mm) / 4;
  if (std::abs(c.left_mm) > a + 4) return false;
  const Eigen::Vector3d in_up = up.local(x), in_low = low.local(x);
  const double depth = (us.body_depth_lower_mm + ls.body_depth_upper_mm) / 4;
  const double t = std::clamp(-in_up.z() / (in_low.z() - in_up.z()), 0.0, 1.0);
  const double y = mix(in_up.y() + us.body_depth_lower_mm / 2 - up.shape.wall_y(), in_low.y(), t);
  const double below = up.shape.rim_z(in_up.y(), false) - in_up.z(),
               above = in_low.z() - low.shape.rim_z(in_low.y(), true);
  const double mid = std::clamp(below / std::max(below + above, 0.5), 0.0, 1.0);
  const double wear = up.disc_degeneration;
  const double round = 1 - (2 * mid - 1) * (2 * mid - 1);
  const double bulge = (0.4 + 2.2 * wear * wear) * round;
  const double ax = std::abs(c.left_mm);
  const double wall = ellipse_distance(ax, y, a + bulge, y > 0 ? 1.35 * (depth + bulge) : depth + bulge);
  const double edge = smooth_max(wall, y - depth - 0.5 - bulge + 0.6 * smooth_step(4, 0, ax), 4.0);
  if (edge >= 0) return false;
  // The hollow endplates are filled by the disc; near the rim it stays between the bodies.
  const double rho2 = (ax * ax) / (a * a) + (y * y) / (depth * depth);
  double reach = rho2 < 0.85 ? 3.2 : 0.5;
  if (us.level[0] == 'C' && ax > 0.5 * a) reach = 5.0;
  if (below < -reach || above < -reach) return false;
  out.label = up.disc_below;
  out.texture = soft_texture(x, 2.5);
  // Nucleus: behind the middle, a lens; the annulus is dark outside.
  const double nx = ax / (0.66 * a), ny = (y - 0.10 * depth) / (0.66 * depth);
  const double nucleus = nx * nx + ny * ny + 0.35 * (2 * mid - 1) * (2 * mid - 1);
  if (nucleus < 1) {
    const bool cleft = wear > 0.12 && std::abs(mid - 0.5) < 0.055 && nucleus < 0.75;
    out.material = wear > 0.62            ? Material::nucleus_black
                   : wear > 0.30 || cleft ? Material::nucleus_worn
                                          : Material::nucleus;
  } else {
    out.material = edge > -2.6 ? Material::annulus : Material::inner_annulus;
    if (wear > 0.62) out.material = Material::annulus;
  }
  return true;
}

}  // namespace spinetherm
