// SPDX-License-Identifier: Apache-2.0
// What lies at a point: bone, disc, canal, roots, vessels, then soft tissue out to the skin. Places and sizes
// of the soft tissues are drawn after anatomical atlases; no measurement.
#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"
#include "datasets/value_noise.h"

namespace spinetherm {
namespace {

StructureValue value_of(const char* name) { return *structure_value(name); }

const StructureValue kCanal = value_of("canal"), kMuscle = value_of("muscle"), kFat = value_of("fat"),
                     kSkin = value_of("skin"), kAorta = value_of("aorta"), kCava = value_of("vena_cava"),
                     kIliacArtery = value_of("iliac_artery"), kIliacVein = value_of("iliac_vein"),
                     kVessel = value_of("vessel"), kBowel = value_of("bowel"),
                     kOesophagus = value_of("oesophagus"), kTrachea = value_of("trachea"),
                     kHeart = value_of("heart"), kOrgan = value_of("organ"), kLiver = value_of("liver"),
                     kSpleen = value_of("spleen");
const std::array<StructureValue, 2> kKidney = {value_of("kidney_left"), value_of("kidney_right")},
                                    kLung = {value_of("lung_left"), value_of("lung_right")};

constexpr double kSkin_mm = 1.8;

double fat_layer(const SpineProfile& s, double behind) {
  const double back = 4.5 * s.neck + 7 * s.chest + 12 * s.belly + 18 * s.pelvis;
  return behind > 0 ? back : back * 1.25;
}

/// Depth below the skin; negative outside.
double skin_depth(const CurvePoint& c, const SpineProfile& s) {
  const double centre = (s.back + s.front) / 2, half = (s.back - s.front) / 2;
  const double depth = -ellipse_distance(c.left_mm, c.behind_mm - centre, s.trunk_a, half);
  // The groove over the spinous processes.
  const double groove = c.behind_mm > 0 ? 4 * s.belly + 2.5 * s.chest + 1.5 * s.neck : 0;
  return depth - groove * std::exp(-c.left_mm * c.left_mm / 200);
}

}  // namespace

SpinePoint SpineModel::healthy_at(const Eigen::Vector3d& x) const {
  const CurvePoint c = curve_.at(x);
  const SpineProfile& s = profile(c.level);
  const double depth = skin_depth(c, s);
  if (depth < 0) return {};
  SpinePoint out;
  if (bone_at(x, c, s, out) || disc_at(x, c, out)) return out;
  if (canal_at(x, c, s, out)) {
    if (out.label == kCanal)
      if (const Tube* nerve = nerves_.find(x)) return {nerve->label, nerve->material, 0};
    return out;
  }
  return tissue_at(x, c, s, depth);
}

SpinePoint SpineModel::tissue_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                                 double depth) const {
  if (depth < kSkin_mm) return {kSkin, Material::skin, 0};
  const double fat = fat_layer(s, c.behind_mm);
  if (depth < fat) {
    // Septa, some millimetres apart.
    const double septum = value_noise({x.x() / 9, x.y() / 9, x.z() / 14}, patient_.texture_seed + 21);
    if (std::abs(septum) < 0.035) return {kFat, Material::ligament, 0};
    return {kFat, Material::fat, soft_texture(x, 4)};
  }
  if (const Tube* nerve = nerves_.find(x)) return {nerve->label, nerve->material, 0};
  if (const Tube* vessel = vessels_.find(x)) return {vessel->label, vessel->material, 0};
  SpinePoint out;
  if (near_spine_at(x, c, s, out)) return out;
  if (s.neck > 0.5) return neck_at(x, c, s);
  if (s.chest > 0.5) return chest_at(x, c, s, depth);
  return belly_at(x, c, s, depth);
}

/// Ligaments that span from bone to bone, and the fat of the foramina.
bool SpineModel::near_spine_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                               SpinePoint& out) const {
  const double ax = std::abs(c.left_mm), v = c.behind_mm;
  if (ax > std::max(s.canal_a + 16, s.body_a + 2)) return false;
  const double canal = ellipse_distance(c.left_mm, v, s.canal_a, s.canal_b);
  const double flavum = 2.0 * s.neck + 2.6 * s.chest + 3.6 * (s.belly + s.pelvis);
  // Behind the sac, between the laminae: a wedge of fat, largest in the lumbar spine.
  const double pad = (5.5 * (s.belly + s.pelvis) + 1.5 * s.chest) * smooth_step(7, 0, ax);
  if (v > 0 && canal < pad) {
    out = {kCanal, Material::epidural_fat, soft_texture(x, 3)};
    return true;
  }
  if (v > 0.1 * s.canal_b && canal < flavum + pad && ax < s.canal_a + 2) {
    out = ax < 0.7 ? SpinePoint{kFat, Material::fat, 0} : SpinePoint{kMuscle, Material::ligament, 0};
    return true;
  }
  // Foramina: between the bodies and the joints.
  if (in_ellipse(ax - s.canal_a - 2, v + 0.30 * s.canal_b, 10, 0.70 * s.canal_b + 1.5)) {
    if (soft_texture(x, 2.5) > 1.0)
      out = {kFat, Material::epidural_vein, 0};
    else
      out = {kFat, Material::fat, soft_texture(x, 3)};
    return true;
  }
  // Anterior longitudinal ligament; fat between it and the waist of the body.
  const double centre = (s.body_front - s.canal_b) / 2, half = (-s.body_front - s.canal_b) / 2;
  const double body = ellipse_distance(c.left_mm, v - centre, s.body_a, half);
  if (v < centre && body < 1.2 * smooth_step(0, -10, v - centre)) {
    if (body > -0.1 && ax < 0.75 * s.body_a)
      out = {kMuscle, Material::ligament, 0};
    else
      out = {kFat, Material::fat, soft_texture(x, 3)};
    return true;
  }
  return false;
}

/// The muscles of the back between the spine and the fascia.
SpinePoint SpineModel::back_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s) const {
  const double ax = std::abs(c.left_mm), v = c.behind_mm;
  const double low = s.belly + s.pelvis;
  if (ax < 1.1) {
    // Between the spinous processes: bands of ligament in fat.
    const double band =
        value_noise({0.0, (v + 0.7 * x.z()) / 5, (x.z() - 0.4 * v) / 2.6}, patient_.texture_seed + 7);
    if (band > 0.7 && v < s.back - fat_layer(s, v) - 5) return {kMuscle, Material::fat, 0};
    return {kMuscle, Material::ligament, 0};
  }
  // Clefts with fat between multifidus, longissimus and iliocostalis.
  const double wave = 1.6 * value_noise({c.left_mm / 12, v / 12, x.z() / 30}, patient_.texture_seed + 3);
  const double first = mix(9 + 0.30 * v, 12 + 0.34 * v, low), second = mix(26 + 0.2 * v, 40 + 0.12 * v, low);
  const double wide = 0.45 + 0.9 * patient_.degeneration * low;
  if (std::abs(ax - first - wave) < wide || std::abs(ax - second + wave) < 0.8 * wide)
    return {kFat, Material::fat, soft_texture(x, 3)};
  // Fat between the bundles, most in the lumbar multifidus of the old.
  const double streak = value_noise_2({x.x() / 3.4, x.y() / 4.5, x.z() / 15}, patient_.texture_seed + 4);
  const double rare = 2.3 - patient_.degeneration * (ax < first ? 0.9 : 0.45) * (0.4 + 0.6 * low);
  if (streak > rare) return {kMuscle, Material::fat, 0};
  return {kMuscle, Material::muscle, soft_texture(x, 4)};
}

SpinePoint SpineModel::neck_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s) const {
  const double u = c.left_mm, v = c.behind_mm, ax = std::abs(u), front = s.body_front;
  const double down = s.thoracic + 7;  // 2 at C3 .. 6 at C7
  if (in_ellipse(ax - 6.5, v - front + 3.5, 6, 3.5))
    return {kMuscle, Material::muscle, soft_texture(x, 4)};  // longus
  // Airway: pharynx, larynx, trachea from C6 down; gullet behind it.
  const double low = smooth_step(4.3, 5.3, down);
  const double air_v = front - mix(13, 22, low), air_a = mix(11, 8, low), air_b = mix(4, 8, low);
  if (in_ellipse(u, v - air_v, air_a, air_b)) return {kTrachea, Material::air, 0};
  if (in_ellipse(u, v - air_v, air_a + 2, air_b + 2))
    return {kTrachea, low > 0.5 ? Material::cartilage : Material::muscle, 0};
  if (in_ellipse(u - 2 * low, v - front + mix(6, 10, low), mix(12, 8, low), mix(1.8, 4, low)))
    return {kOesophagus, Material::muscle, 0};
  if (low > 0.3 && in_ellipse(ax - 19, v - air_v - 1, 9, 11))
    return {kOrgan, Material::thyroid, soft_texture(x, 3)};
  if (in_ellipse(ax - 27, v - front + 13, 3.4, 3.4)) return {kVessel, Material::blood, 0};  // carotid
  if (in_ellipse(ax - 35, v - front + 9, u > 0 ? 5.0 : 6.5, 4.5))
    return {kVessel, Material::blood, 0};  // jugular
  const auto muscle = [&](double cu, double cv, double a, double b, double turn) {
    const double du = (ax - cu) * std::cos(turn) + (v - cv) * std::sin(turn);
    const double dv = (v - cv) * std::cos(turn) - (ax - cu) * std::sin(turn);
    return in_ellipse(du, dv, a, b);
  };
  const SpinePoint flesh{kMuscle, Material::muscle, soft_texture(x, 4)};
  if (muscle(47, front + 0, 7, 17, 0.5)) return flesh;  // sternocleidomastoid
  if (muscle(29, front + 12, 7, 6, 0)) return flesh;    // scalenes
  if (muscle(34, front + 22, 7, 7, 0)) return flesh;
  if (muscle(41, -2, 8, 12, -0.5)) return flesh;  // levator scapulae
  if (v > -2) {
    if (ax < 1.2) return {kMuscle, Material::ligament, 0};
    // Layers about the midline: multifidus, semispinalis, splenius, trapezius, with fat between.
    const double wave = 1.2 * value_noise({u / 9, v / 9, x.z() / 25}, patient_.texture_seed + 3);
    const double shell = std::hypot(ax / 1.05, v - 4) + wave;
    for (const double plane : {21.0, 34.0, 44.0})
      if (std::abs(shell - plane) < 0.7) return {kFat, Material::fat, 0};
    if (shell < 54 && ax < 48) return flesh;
  }
  if (low < 0.5 && in_ellipse(u, v - air_v + 5, 25, 17)) return flesh;  // pharyngeal and hyoid
  return {kFat, Material::fat, soft_texture(x, 4)};
}

SpinePoint SpineModel::chest_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                                double depth) const {
  const double u = c.left_mm, v = c.behind_mm, ax = std::abs(u), front = s.body_front, th = s.thoracic;
  const std::size_t side = u > 0 ? 0 : 1;
  const SpinePoint flesh{kMuscle, Material::muscle, soft_texture(x, 4)};
  const auto nearest_rib = [&]() -> const Rib* {
    const Rib* best = nullptr;
    double off = 2;
    for (const Rib& r : ribs_)
      if (const double d = std::abs(double(r.vertebra) - c.level); d < off) {
        off = d;
        best = &r;
      }
    return best;
  };
  // The chest wall at this level, between those of two ribs.
  double outward = 100;
  if (const Rib* near = nearest_rib()) {
    const auto wall = [&](const Rib& r) {
      const PlacedVertebra& p = vertebrae_[r.vertebra];
      Eigen::Vector3d flat(u, v + p.shape.canal_y(), 0);
      return r.shape.wall(flat);
    };
    const RibShape::Wall w = wall(*near);
    outward = w.outward_mm;
    const double other_level = double(near->vertebra) + (c.level > double(near->vertebra) ? 1 : -1);
    for (const Rib& r : ribs_)
      if (double(r.vertebra) == other_level)
        outward = mix(outward, wall(r).outward_mm, std::min(std::abs(c.level - double(near->vertebra)), 1.0));
    if (outward > -6 && outward < 4.2 && ax > s.body_a) {
      // The bundle below a rib: vein, artery, nerve.
      for (const Rib& r : ribs_) {
        if (x.z() < r.low_z - 6 || x.z() > r.high_z) continue;
        const PlacedVertebra& p = vertebrae_[r.vertebra];
        const Eigen::Vector3d local = p.vertebra_from_world * x;
        const RibShape::Wall own = r.shape.wall(local);
        if (own.along_mm < 12 || own.along_mm > r.shape.length_mm()) continue;
        const double z = local.z() - r.shape.centre_z(own.along_mm) + r.shape.half_height(own.along_mm);
        const double inner = own.outward_mm + 1.6;
        if (std::hypot(inner, z + 1.2) < 1.1) return {kVessel, Material::blood, 0};
        const std::string name = p.shape.size().level + (side == 0 ? "_left" : "_right");
        if (std::hypot(inner, z + 3.4) < 0.9)
          return {*structure_value("segmental_artery_" + name), Material::blood, 0};
        if (std::hypot(inner, z + 5.4) < 0.9) return {*structure_value("root_" + name), Material::nerve, 0};
      }
    }
  }
  if (outward > 4.2) {
    if (v > -2 && ax < 75) {
      // Trapezius and latissimus lie over the erector as a layer of their own.
      const double layer = depth - fat_layer(s, v);
      if (std::abs(layer - 7) < 0.6) return {kFat, Material::fat, 0};
      return back_at(x, c, s);
    }
    const double layer = depth - fat_layer(s, v);
    const double wave = value_noise({u / 20, v / 20, x.z() / 25}, patient_.texture_seed + 3);
    return std::fmod(std::abs(layer + 2 * wave), 9.0) < 1.2 ? SpinePoint{kFat, Material::fat, 0} : flesh;
  }
  if (outward > -4.4) return outward < -3.4 ? SpinePoint{kFat, Material::fat, 0} : flesh;

  // Inside the chest. The aorta comes down on the left and moves before the spine.
  const double lowered = smooth_step(5, 11.5, th);
  const double aorta_u = mix(0.85 * s.body_a + 9, 8, lowered),
               aorta_v = mix(front + 5, front - 11.5, lowered);
  const double aorta_r = mix(11.5, 10.2, lowered) * patient_.size;
  const bool below_arch = th > 3.2;
  if (below_arch && in_ellipse(u - aorta_u, v - aorta_v, aorta_r, aorta_r))
    return {kAorta, Material::blood, soft_texture(x, 6)};
  if (th > 2.4 && th <= 3.2 && in_ellipse(u - 14, v - front + 20, 11, 30))
    return {kAorta, Material::blood, 0};
  const double gullet_u = mix(1, 3, smooth_step(6, 10, th));
  if (th < 10.6 && in_ellipse(u - gullet_u, v - front + 8, 8, 5)) {
    if (in_ellipse(u - gullet_u, v - front + 8, 3.5, 1.4)) return {kOesophagus, Material::air, 0};
    return {kOesophagus, Material::muscle, 0};
  }
  if (in_ellipse(u + 7, v - front + 4, 3.4, 3.0)) return {kVessel, Material::blood, 0};  // azygos vein
  if (th < 4.2) {
    if (in_ellipse(u, v - front + 23, 8.5, 8)) return {kTrachea, Material::air, 0};
    if (in_ellipse(u, v - front + 23, 10.3, 9.8)) return {kTrachea, Material::cartilage, 0};
    if (th < 2.6 && (in_ellipse(ax - 17, v - front + 26, 5, 5) || in_ellipse(u - 9, v - front + 38, 6, 6)))
      return {kVessel, Material::blood, 0};
  } else if (th < 5.4 && in_ellipse(ax - 14 - 12 * (th - 4.2), v - front + 22, 7, 6)) {
    return {kTrachea, Material::air, 0};
  }
  if (th > 4.6 && th < 10.5) {
    const double big = std::sin(std::clamp((th - 4.6) / 5.9, 0.0, 1.0) * 3.14159265);
    const double grow = 0.45 + 0.55 * std::sqrt(big);
    if (in_ellipse(u - 16, v - front + 74, 62 * grow, 50 * grow))
      return {kHeart, Material::blood, soft_texture(x, 9)};
  }
  // Below the dome of the diaphragm only a rim of lung is left.
  const double sunk = th - 9.6;
  const bool abdomen = sunk > 0 && outward < -4.4 - std::max(2.0, 30 - 22 * sunk) && v < 8;
  if (abdomen) return belly_at(x, c, s, depth);
  const double mid = (front - s.canal_b) / 2, depth_half = (-front - s.canal_b) / 2;
  const bool paravertebral =
      in_ellipse(u, v - mid, s.body_a + 4.5, depth_half + 4) || (v > mid && ax < s.body_a + 4.0);
  const bool round_aorta = below_arch && in_ellipse(u - aorta_u, v - aorta_v, aorta_r + 2.5, aorta_r + 2.5);
  const double ahead = std::max(front - v, 0.0);
  const bool middle = v <= front + 2 && ax < (u > 0 ? 15 + 0.55 * ahead : 10 + 0.45 * ahead) && ax < 48;
  if (paravertebral || round_aorta || middle) return {kFat, Material::fat, soft_texture(x, 4)};
  // Vessels of the lung: rare dense spots.
  const double spot = value_noise_2({x.x() / 8, x.y() / 8, x.z() / 10}, patient_.texture_seed + 8);
  if (spot > 2.6) return {kLung[side], Material::blood, 0};
  return {kLung[side], Material::lung, float(0.8 * spot) + soft_texture(x, 2)};
}

SpinePoint SpineModel::belly_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                                double depth) const {
  const double u = c.left_mm, v = c.behind_mm, ax = std::abs(u), front = s.body_front, lum = s.lumbar;
  const std::size_t side = u > 0 ? 0 : 1;
  const SpinePoint flesh{kMuscle, Material::muscle, soft_texture(x, 4)},
      fat{kFat, Material::fat, soft_texture(x, 5)};
  const double layer = depth - fat_layer(s, v);
  // Back: erector spinae in its fascia, gluteal muscles below.
  if (v > 1 && ax < 78) {
    if (layer < 0.8) return {kMuscle, Material::ligament, 0};
    const double breadth = mix(76, 52, s.pelvis), height = std::max(s.back - fat_layer(s, 1) - 2, 20.0);
    const double wave = value_noise({u / 16, 0.0, x.z() / 30}, patient_.texture_seed + 6);
    // In front: the transverse processes, then the fascia over quadratus lumborum.
    const double before = 1 + (4.5 + 1.3 * wave) * smooth_step(s.canal_a + 4, s.canal_a + 26, ax);
    if (in_ellipse(ax, v, breadth, height) && v > before) return back_at(x, c, s);
  }
  // Gluteal muscles behind and iliacus before the iliac wing.
  if (s.pelvis > 0.3 && ax > 40) {
    const double outside = 0.83 * (ax - 47) + 0.56 * (v - 33);
    if (outside > 0) return layer < 30 ? flesh : fat;
    if (outside > -17 && ax > 62) return flesh;
  }
  // Abdominal wall: three layers.
  if (layer < 17 && (ax > 80 || v < s.front + 45)) return std::fmod(layer, 6.0) < 0.9 ? fat : flesh;
  // Psoas, growing downwards, and quadratus lumborum.
  if (lum > -0.7) {
    const double t = std::clamp((lum + 0.7) / 4.6, 0.0, 1.0), past = std::max(lum - 3.8, 0.0);
    const double a = mix(5, 20, std::sqrt(t)), b = mix(7, 23, std::sqrt(t));
    const double pu = s.body_a + mix(3, 12, t) + 12 * past,
                 pv = (front - s.canal_b) / 2 + mix(9, -3, t) - 12 * past;
    if (in_ellipse(ax - pu, v - pv, a, b)) {
      const double streak = value_noise({x.x() / 3, x.y() / 3, x.z() / 15}, patient_.texture_seed + 4);
      return streak > 2.2 ? SpinePoint{kMuscle, Material::fat, 0} : flesh;
    }
  }
  if (lum > -1.2 && lum < 4.2 && in_ellipse(ax - 60 - 3 * lum, v + 2 - 0.10 * (ax - 60), 18, 7.5))
    return flesh;
  // Great vessels.
  const double below = (lum - 3.35) * 34;
  if (below > 0) {
    const double away = u > 0 ? 1 : -1;
    if (in_ellipse(u - away * (6 + 0.48 * below), v - front + 15 - 0.1 * below, 5.5, 5.5))
      return {kIliacArtery, Material::blood, 0};
    if (below > 14 && in_ellipse(u - away * (5 + 0.45 * below), v - front + 7, 7.5, 6))
      return {kIliacVein, Material::blood, 0};
  } else {
    const double r = mix(10, 8.5, std::clamp(lum / 3.3, 0.0, 1.0)) * patient_.size;
    if (in_ellipse(u - 8, v - front + 11.5, r, r)) return {kAorta, Material::blood, soft_texture(x, 6)};
  }
  if (below < 16 && in_ellipse(u + 15, v - front + 9, 11, 8))
    return {kCava, Material::blood, soft_texture(x, 6)};
  // Crura of the diaphragm beside the aorta.
  if (lum < 1.6 && in_ellipse(ax - 12, v - front + 4, 4.5 - 1.2 * std::max(lum, 0.0), 11)) return flesh;
  // Kidneys, the right one lower, in their fat.
  const double kidney = (lum - (u > 0 ? 0.35 : 0.65)) / 1.65;
  if (std::abs(kidney) < 1.15) {
    const double r = std::sqrt(std::max(1 - kidney * kidney, 0.0)), ku = 58 + 5 * kidney + 4;
    const double kv = front * 0.5 - 2 - 6 * kidney;
    if (r > 0.05 && in_ellipse(ax - ku, v - kv, 26 * r, 25 * r)) {
      if (std::abs(kidney) < 0.6 && in_ellipse(ax - ku + 9, v - kv + 4, 13 * (r - 0.3), 9 * (r - 0.3)))
        return fat;
      return {kKidney[side], Material::kidney, soft_texture(x, 6)};
    }
    const double rim = std::sqrt(std::max(1.3 - kidney * kidney, 0.0));
    if (in_ellipse(ax - ku, v - kv, 33 * rim, 32 * rim)) return fat;
  }
  if (u < -22 && lum < 2.1 &&
      in_ellipse(u + 92, v + 78, 76 - 9 * std::max(lum, 0.0), 66 - 9 * std::max(lum, 0.0)))
    return {kLiver, Material::liver, soft_texture(x, 6)};
  if (u > 40 && lum < 0.3 && in_ellipse(u - 108, v + 42, 24, 46))
    return {kSpleen, Material::organ, soft_texture(x, 6)};
  // Colon at the sides, small bowel before the great vessels, in fat.
  const double colon = std::hypot(ax - 96, v + 52 - (u > 0 ? 6 : 0));
  if (lum > 0.7 && colon < 20) {
    if (colon > 17.5) return {kBowel, Material::organ, 0};
    const double content = value_noise(x / 9, patient_.texture_seed + 9);
    return {kBowel, content > 0.9 ? Material::air : Material::organ, soft_texture(x, 3)};
  }
  const double loop = value_noise({x.x() / 17, x.y() / 17, x.z() / 17}, patient_.texture_seed + 10);
  if (v < front - 28 + 7 * loop) {
    if (loop > -0.15) return {kBowel, loop > 2.05 ? Material::air : Material::organ, soft_texture(x, 5)};
  }
  return fat;
}

}  // namespace spinetherm
