// SPDX-License-Identifier: Apache-2.0
// Sac, cord, cauda, epidural space, roots with their ganglia, lumbar plexus. Places that vertebrae.json does
// not name are drawn after anatomical atlases; no measurement.
#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"

namespace spinetherm {
namespace {

/// Share of the foramen's height from the upper pedicle down to the root. Exits at 42-49 % above the lower
/// pedicle are reported; nearer the upper one is the harder case for heat in the body.
constexpr double kRootBelowPedicle = 0.40;
constexpr double kDura_mm = 0.35;
constexpr double kRootBeyond_mm = 14;  // of the tube past the ganglion

const StructureValue kCanal = *structure_value("canal"), kSac = *structure_value("dural_sac"),
                     kCord = *structure_value("cord"), kCauda = *structure_value("cauda");

}  // namespace

/// Sac, cord and cauda, and what lies about them in the canal.
bool SpineModel::canal_at(const Eigen::Vector3d& x, const CurvePoint& c, const SpineProfile& s,
                          SpinePoint& out) const {
  const double u = c.left_mm, v = c.behind_mm;
  if (!in_ellipse(u, v, s.canal_a, s.canal_b)) return false;
  if (in_ellipse(u, v - s.sac_behind, s.sac_a, s.sac_b)) {
    out = {kSac, Material::csf, 0};
    const double cord = s.cord_behind - s.cord_prone_shift;
    if (s.cord_a > 0 && in_ellipse(u - s.cord_left, v - cord, s.cord_a, s.cord_b)) {
      out = {kCord, Material::cord, soft_texture(x, 2)};
      return true;
    }
    double nearest = 9;
    for (const SpineProfile::Strand& strand : s.strands) {
      const double dv = v - strand.behind, du = u - strand.left;
      if (std::abs(du) > 2 || std::abs(dv) > 2) continue;
      nearest = std::min(nearest, std::hypot(du, dv) - strand.radius);
    }
    if (s.cord_a == 0) {  // below the cord: the bundle, with the CSF in it
      if (nearest < 0)
        out = {kCauda, Material::nerve, 0};
      else if (nearest < 0.9)
        out = {kCauda, Material::csf, 0};
    } else if (nearest < 0) {
      out = {kSac, Material::nerve, 0};
    }
    if (out.material == Material::csf && ellipse_distance(u, v - s.sac_behind, s.sac_a, s.sac_b) > -kDura_mm)
      out = {kSac, Material::ligament, 0};
    return true;
  }
  out = {kCanal, Material::epidural_fat, soft_texture(x, 2)};
  const double from_wall = -ellipse_distance(u, v, s.canal_a, s.canal_b);
  if (v < -0.5 * s.canal_b) {
    const double band = mix(1.6, 5.0, s.disc);  // the posterior longitudinal ligament: broad at discs
    const double standoff = mix(1.2, 0.0, s.disc);
    if (std::abs(u) < band && from_wall > standoff && from_wall < standoff + 0.9) {
      out.material = Material::ligament;
    } else if (s.disc < 0.7 && soft_texture(x, 3) > -1.1) {
      out.material = Material::epidural_vein;  // anterior plexus, behind the bodies
    }
  } else if (std::abs(u) > 0.6 * s.sac_a && soft_texture(x, 3.5) > 0.9) {
    out.material = Material::epidural_vein;
  }
  return true;
}

/// The way of a root through its foramen, `backwards_mm` and `upwards_mm` beside the usual place.
SpineModel::RootPath SpineModel::root_path(std::size_t n, int side, double backwards_mm,
                                           double upwards_mm) const {
  const PlacedVertebra& v = vertebrae_[n];
  const VertebraSize& s = v.shape.size();
  RootPath path;
  if (s.level == "sacrum") {
    path.from_mm = v.world_from_vertebra * Eigen::Vector3d(side * 5.0, v.shape.canal_y() - 0.5, 2);
    path.to_mm = v.world_from_vertebra * Eigen::Vector3d(side * 20.0, v.shape.wall_y() - 6, -24);
    path.ganglion_mm = path.from_mm + 0.42 * (path.to_mm - path.from_mm);
    return path;
  }
  const bool cervical = s.level[0] == 'C', lumbar = s.level[0] == 'L';
  const PlacedVertebra& other = vertebrae_[cervical ? n - 1 : n + 1];
  const VertebraSize& o = other.shape.size();
  const bool lowest = o.level == "sacrum";
  const double edge = s.pedicle_height_mm / 2, other_edge = o.pedicle_height_mm / 2;
  const Eigen::Vector3d own = v.shape.pedicle_centre(side);
  const Eigen::Vector3d next =
      v.vertebra_from_world * (other.world_from_vertebra * other.shape.pedicle_centre(side));
  const double height =
      cervical ? next.z() - other_edge - own.z() - edge : own.z() - edge - next.z() - other_edge;
  Eigen::Vector3d in_foramen = own;
  // Close behind the disc at the lowest foramen, where the joint of S1 stands behind it.
  in_foramen.y() = v.shape.wall_y() +
                   (cervical ? 0.12
                    : lowest ? 0.15
                             : 0.28) *
                       s.canal_depth_mm +
                   backwards_mm;
  const double share = kRootBelowPedicle + (lowest ? 0.10 : 0);
  in_foramen.z() += (cervical ? 1 : -1) * (edge + share * height) + upwards_mm;
  path.ganglion_mm = v.world_from_vertebra * in_foramen;
  const CurvePoint g = curve_.at(path.ganglion_mm);
  // Down a mm outwards; lumbar roots leave the sac at 50-59 deg.
  const double slope = lumbar ? 1.0 : cervical ? 0.35 : 0.25;
  const double step = s.posterior_height_mm + s.disc_below_mm;
  CurvePoint start{side * 0.80 * s.sac_width_mm / 2, 0, 0};
  start.level = g.level - slope * (std::abs(g.left_mm) - std::abs(start.left_mm)) / step;
  const SpineProfile& p = profile(start.level);
  start.left_mm = side * 0.80 * p.sac_a;
  start.behind_mm = p.sac_behind - 0.22 * p.sac_b;
  path.from_mm = curve_.point(start);
  path.to_mm = path.ganglion_mm +
               (lowest ? 0.6 : 1.0) * kRootBeyond_mm * (path.ganglion_mm - path.from_mm).normalized();
  return path;
}

/// Smallest distance of a root's centre line to bone.
double SpineModel::bone_clearance(const RootPath& path) const {
  double nearest = 10;
  for (int k = 0; k <= 40; ++k) {
    const Eigen::Vector3d x = path.from_mm + (path.to_mm - path.from_mm) * (k / 40.0);
    for (const PlacedVertebra& v : vertebrae_)
      if (x.z() > v.low_z && x.z() < v.high_z)
        nearest = std::min(nearest, v.shape.at(v.vertebra_from_world * x).distance_mm);
  }
  return nearest;
}

void SpineModel::place_roots() {
  for (std::size_t n = 0; n < vertebrae_.size(); ++n) {
    const VertebraSize& s = vertebrae_[n].shape.size();
    const bool cervical = s.level[0] == 'C', sacral = s.level == "sacrum";
    // The foramen lies between this pedicle and its neighbour's: above it in the neck, else below.
    if (cervical ? n == 0 : !sacral && n + 1 == vertebrae_.size()) continue;
    for (const int side : {1, -1}) {
      // The usual place, or where a narrow foramen leaves more room.
      RootPath path = root_path(n, side, 0, 0);
      double room = bone_clearance(path);
      for (int k = 1; k < 25 && room < s.root_diameter_mm / 2 + 0.1 && !sacral; ++k) {
        const int column = k % 5, row = k / 5;
        const RootPath beside = root_path(n, side, 0.8 * (column - 2), 0.8 * (row - 2));
        if (const double r = bone_clearance(beside); r > room) {
          path = beside;
          room = r;
        }
      }
      const std::string suffix = s.level + (side > 0 ? "_left" : "_right");
      PlacedRoot root;
      root.tube = {"root_" + suffix, path.from_mm, path.to_mm, s.root_diameter_mm / 2};
      root.root = *structure_value(root.tube.name);
      root.ganglion = *structure_value("ganglion_" + suffix);
      root.ganglion_mm = path.ganglion_mm;
      root.ganglion_radius_mm = s.ganglion_diameter_mm / 2;
      const Eigen::Vector3d half = 0.7 * root.ganglion_radius_mm * (path.to_mm - path.from_mm).normalized();
      nerves_.add({path.ganglion_mm - half, path.ganglion_mm + half, root.ganglion_radius_mm, root.ganglion,
                   Material::nerve});
      nerves_.add({path.from_mm, path.to_mm, root.tube.radius_mm, root.root, Material::nerve});
      roots_.push_back(std::move(root));
    }
  }
}

/// The anterior branches beyond the foramina: through the psoas (lumbar plexus, L1-L4), down before the wing
/// of the sacrum (L5), between the scalene muscles (neck). Thoracic ones run with the ribs.
void SpineModel::place_plexus() {
  for (const PlacedRoot& root : roots_) {
    const std::string level = structure_level(root.root);
    const bool left = root.tube.name.ends_with("_left");
    const double side = left ? 1 : -1;
    const CurvePoint start = curve_.at(root.tube.to_mm);
    std::vector<Eigen::Vector3d> line = {root.tube.to_mm};
    const auto to = [&](double u, double v, double level_on) {
      const CurvePoint c{side * u, v, start.level + level_on};
      if (c.level < double(vertebrae_.size()) + 0.5) line.push_back(curve_.point(c));
    };
    const double u = std::abs(start.left_mm), v = start.behind_mm;
    StructureValue label = root.root;
    double radius = 0.9 * root.tube.radius_mm;
    if (level[0] == 'L' && level != "L5" && level != "L6") {
      label = *structure_value(left ? "lumbar_plexus_left" : "lumbar_plexus_right");
      to(u + 5, v - 5, 0.35);
      to(u + 9, v - 9, 0.9);
      to(u + 13, v - 13, 1.6);
      radius *= 0.85;
    } else if (level == "L5" || level == "L6") {
      to(u + 2, v - 6, 0.35);
      to(u, v - 9, 0.8);
    } else if (level[0] == 'C' || level == "T1") {
      to(u + 8, v - 3, level == "T1" ? -0.2 : 0.5);
      to(u + 18, v - 5, level == "T1" ? 0.1 : 1.1);
    } else {
      continue;
    }
    nerves_.add_line(line, radius, label, Material::nerve);
  }
}

}  // namespace spinetherm
