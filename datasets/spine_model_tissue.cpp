// SPDX-License-Identifier: Apache-2.0
// What lies at a point: bone, disc, canal, roots, vessels, then soft tissue out to the skin. Places and sizes
// of the soft tissues are drawn after anatomical atlases; no measurement, but for what vertebrae.json names.
#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"

namespace spinetherm {
namespace {

StructureValue value_of(const char* name) { return *structure_value(name); }

const StructureValue kCanal = value_of("canal"), kSac = value_of("dural_sac"), kCord = value_of("cord"),
                     kCauda = value_of("cauda"), kTumour = value_of("tumour"), kMuscle = value_of("muscle"),
                     kFat = value_of("fat"), kSkin = value_of("skin"), kAorta = value_of("aorta"),
                     kCava = value_of("vena_cava"), kIliacArtery = value_of("iliac_artery"),
                     kIliacVein = value_of("iliac_vein"), kVessel = value_of("vessel"),
                     kRib = value_of("rib"), kBowel = value_of("bowel"), kOesophagus = value_of("oesophagus"),
                     kTrachea = value_of("trachea");
const std::array<StructureValue, 2> kKidney = {value_of("kidney_left"), value_of("kidney_right")},
                                    kLung = {value_of("lung_left"), value_of("lung_right")};

bool in_ellipse(double x, double y, double a, double b) {
  return a > 0 && b > 0 && (x * x) / (a * a) + (y * y) / (b * b) <= 1;
}

Material lesion_material(const LesionShape& lesion, const Eigen::Vector3d& x) {
  switch (lesion.kind) {
    case LesionKind::lytic:
      return Material::tumour_lytic;
    case LesionKind::blastic:
      return Material::tumour_blastic;
    case LesionKind::marrow:
      return Material::tumour_marrow;
    case LesionKind::mixed:
      break;
  }
  const Eigen::Vector3d r = (x - lesion.centre_mm) / lesion.radius_mm;  // islands of both
  return std::sin(4 * r.x()) * std::cos(3 * r.y()) + 0.5 * std::sin(5 * r.z()) > 0 ? Material::tumour_blastic
                                                                                   : Material::tumour_lytic;
}

}  // namespace

SpinePoint SpineModel::at(const Eigen::Vector3d& x) const {
  SpinePoint out;
  if (bone_at(x, out) || disc_at(x, out)) return out;
  const SpineSection s = section(x.z());
  if (canal_at(x, s, out) || root_at(x, out)) return out;
  if (in_ellipse(x.x(), x.y() - s.canal_y, s.canal_a, s.canal_b)) return {kCanal, Material::epidural_fat};
  if (vessel_at(x, s, out)) return out;
  return soft_tissue_at(x, s);
}

bool SpineModel::bone_at(const Eigen::Vector3d& x, SpinePoint& out) const {
  constexpr double kVeinRadius_mm = 1.8, kVeinLength_mm = 14;  // basivertebral vein, open to the canal
  double nearest = 0;
  for (std::size_t n = 0; n < vertebrae_.size(); ++n) {
    const PlacedVertebra& v = vertebrae_[n];
    if (x.z() < v.low_z || x.z() > v.high_z) continue;
    const Eigen::Vector3d local = v.vertebra_from_world * x;
    const VertebraHit hit = v.shape.at(local);
    if (hit.distance_mm >= nearest) continue;
    nearest = hit.distance_mm;
    out.label = hit.body ? v.body : v.vertebra;
    const bool vein = hit.body && local.y() > v.shape.wall_y() - kVeinLength_mm &&
                      std::hypot(local.x(), local.z()) < kVeinRadius_mm;
    if (vein) {
      out.material = Material::basivertebral_vein;
    } else if (-hit.distance_mm < hit.shell_mm) {
      out.material = Material::cortical_bone;
    } else if (n == lesion_.vertebra && lesion_.holds(x)) {
      out.label = kTumour;
      out.material = lesion_material(lesion_, x);
    } else {
      out.material = hit.body ? Material::trabecular_bone : Material::posterior_bone;
    }
  }
  if (nearest < 0) return true;
  for (const PlacedVertebra& v : vertebrae_) {  // ribs
    const VertebraSize& size = v.shape.size();
    if (size.level[0] != 'T') continue;
    const Eigen::Vector3d local = v.vertebra_from_world * x;
    if (std::abs(local.z()) > 45 || std::abs(local.x()) < size.canal_width_mm / 2) continue;
    const Eigen::Vector3d m(std::abs(local.x()), local.y(), local.z());
    const Eigen::Vector3d tip = v.shape.transverse_tip(1);
    const Eigen::Vector3d head(v.shape.body_half(0).x() + 3, v.shape.wall_y() - 3,
                               size.posterior_height_mm / 2);
    const Eigen::Vector3d tubercle(tip.x() + 2, tip.y() - 6, tip.z());
    const Eigen::Vector3d angle(60, v.shape.canal_y() + 14, -12), side(95, v.shape.canal_y() - 8, -28);
    const double d =
        std::min({segment_distance(m, head, tubercle) - 3.2, segment_distance(m, tubercle, angle) - 4,
                  segment_distance(m, angle, side) - 4});
    if (d < 0) {
      out = {kRib, d > -0.8 ? Material::cortical_bone : Material::posterior_bone};
      return true;
    }
  }
  return false;
}

bool SpineModel::disc_at(const Eigen::Vector3d& x, SpinePoint& out) const {
  for (std::size_t n = 0; n + 1 < vertebrae_.size(); ++n) {
    const PlacedVertebra &up = vertebrae_[n], &low = vertebrae_[n + 1];
    if (x.z() > up.high_z || x.z() < low.low_z) continue;
    const Eigen::Vector3d a = up.vertebra_from_world * x, b = low.vertebra_from_world * x;
    const double below = -up.shape.size().posterior_height_mm / 2 - a.z(),
                 above = b.z() - low.shape.size().posterior_height_mm / 2;
    if (below < -3 || above < -3) continue;  // the hollow endplates are filled by the disc
    const double width = (up.shape.size().body_width_lower_mm + low.shape.size().body_width_upper_mm) / 4;
    const double depth = (up.shape.size().body_depth_lower_mm + low.shape.size().body_depth_upper_mm) / 4;
    const double y = (a.y() + b.y()) / 2;
    if (!in_ellipse(a.x(), y - 0.6, width, depth + 0.6) || y > depth + 0.5) continue;
    const bool core = in_ellipse(a.x(), y - 1, 0.62 * width, 0.62 * depth);
    out = {up.disc_below, core ? Material::nucleus : Material::annulus};
    return true;
  }
  return false;
}

/// Sac, cord and cauda.
bool SpineModel::canal_at(const Eigen::Vector3d& x, const SpineSection& s, SpinePoint& out) const {
  if (!in_ellipse(x.x(), x.y() - s.sac_y, s.sac_a, s.sac_b)) return false;
  const bool has_cord = s.cord_a > 1;
  if (has_cord && in_ellipse(x.x(), x.y() - s.cord_y, s.cord_a, s.cord_b)) {
    out = {kCord, Material::cord};
  } else if (!has_cord && in_ellipse(x.x(), x.y() - s.sac_y + 0.8, 0.75 * s.sac_a, 0.65 * s.sac_b)) {
    out = {kCauda, Material::cauda};  // settled ventrally: prone
  } else {
    out = {kSac, Material::csf};
  }
  return true;
}

bool SpineModel::root_at(const Eigen::Vector3d& x, SpinePoint& out) const {
  for (const PlacedRoot& r : roots_) {
    const double from_ganglion = (x - r.ganglion_mm).squaredNorm();
    if (from_ganglion > 40 * 40) continue;  // no tube is longer
    if (from_ganglion < r.ganglion_radius_mm * r.ganglion_radius_mm) {
      out = {r.ganglion, Material::nerve};
      return true;
    }
    if (segment_distance(x, r.tube.from_mm, r.tube.to_mm) < r.tube.radius_mm) {
      out = {r.root, Material::nerve};
      return true;
    }
  }
  return false;
}

bool SpineModel::vessel_at(const Eigen::Vector3d& x, const SpineSection& s, SpinePoint& out) const {
  const double front = s.body_y - s.body_b;
  const auto hit = [&](StructureValue label, double cx, double cy, double a, double b) {
    if (!in_ellipse(x.x() - cx, x.y() - cy, a, b)) return false;
    out = {label, Material::blood};
    return true;
  };
  if (s.lumbar + s.thoracic < 0.5)  // neck: carotid and jugular
    return std::abs(x.x()) > 10 && hit(kVessel, x.x() > 0 ? 28 : -28, front - 14, 7, 5);
  const double below = bifurcation_z_ - x.z();  // past the bifurcation
  if (below > 0) {
    const double side = x.x() > 0 ? 1 : -1;
    return hit(kIliacVein, side * (7 + 0.45 * below), front - 9, 7, 6) ||
           hit(kIliacArtery, side * (8 + 0.6 * below), front - 21, 5, 5);
  }
  const double left = s.lumbar * 11 + (1 - s.lumbar) * (0.8 * s.body_a + 9);
  const double ahead = s.lumbar * 11.5 - (1 - s.lumbar) * (0.35 * s.body_b);
  if (hit(kAorta, left, front - ahead, 9.5, 9.5)) return true;
  return s.lumbar > 0.5 && hit(kCava, -14, front - 10, 11, 8);
}

SpinePoint SpineModel::soft_tissue_at(const Eigen::Vector3d& x, const SpineSection& s) const {
  const double side_x = std::abs(x.x());
  const std::size_t side = x.x() > 0 ? 0 : 1;
  const bool neck = s.lumbar + s.thoracic < 0.5;
  const double depth =
      neck ? -ellipse_distance(x.x(), x.y() - 8, 64, skin_y_ - 8) : skin_y_ - x.x() * x.x() / 700 - x.y();
  if (depth < 0) return {};
  if (depth < 2) return {kSkin, Material::skin};
  if (depth < 11) return {kFat, Material::fat};
  const double wall = s.canal_y - s.canal_b, front = s.body_y - s.body_b;
  const double canal = ellipse_distance(x.x(), x.y() - s.canal_y, s.canal_a, s.canal_b);
  if (x.y() > s.canal_y && canal < 3.5) return {kMuscle, Material::ligament};  // between the laminae
  if (x.y() > wall - 1 && x.y() < s.canal_y + 1 && side_x < s.canal_a + 9)
    return {kFat, Material::fat};  // in the foramina
  if (neck) {
    if (in_ellipse(x.x(), x.y() - front + 24, 8, 8)) return {kTrachea, Material::air};
    if (in_ellipse(x.x() - 3, x.y() - front + 10, 7, 4.5)) return {kOesophagus, Material::muscle};
    return {kMuscle, side_x < 1.5 && x.y() > s.canal_y ? Material::ligament : Material::muscle};
  }
  if (x.y() > s.canal_y + 2) {  // muscles of the back
    if (side_x < 1.5) return {kMuscle, Material::ligament};
    if (in_ellipse(side_x, x.y() - s.canal_y - 14, s.thoracic > 0.5 ? 62 : 70, 46))
      return {kMuscle, Material::muscle};
  }
  if (s.thoracic > 0.5) {
    if (in_ellipse(x.x() - 3, x.y() - front + 9, 8, 6)) return {kOesophagus, Material::muscle};
    const double beside = x.y() < front - 1 ? 24 : s.body_a + 5;
    const double behind = side_x < 34 ? s.canal_y - 6 : s.canal_y + 6;
    if (side_x > beside && x.y() < behind) return {kLung[side], Material::lung};
    return x.y() > s.canal_y - 4 ? SpinePoint{kMuscle, Material::muscle} : SpinePoint{kFat, Material::fat};
  }
  if (in_ellipse(side_x - s.body_a - 13, x.y() - s.body_y - 3, 13, 20)) return {kMuscle, Material::muscle};
  if (in_ellipse(side_x - 62, x.y() - s.body_y - 34, 17, 8)) return {kMuscle, Material::muscle};
  const double kidney_z = (x.z() - kidney_z_) / 55;
  if (std::abs(kidney_z) < 1) {
    const double size = std::sqrt(1 - kidney_z * kidney_z);
    if (in_ellipse(side_x - 64, x.y() - s.body_y - 2, 22 * size, 20 * size))
      return {kKidney[side], Material::organ};
  }
  if (in_ellipse(side_x - 45, x.y() - front + 30, 18, 14)) return {kBowel, Material::organ};
  return {kFat, Material::fat};
}

}  // namespace spinetherm
