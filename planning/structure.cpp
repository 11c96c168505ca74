// SPDX-License-Identifier: Apache-2.0
#include "planning/structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "planning/body.h"
#include "planning/labelled_canal.h"

namespace spinetherm {
namespace {

using Points = std::vector<Eigen::Vector3d>;

/// Skin is collected this far around the target [mm]: an entry lies 40-120 mm behind a vertebra.
constexpr double kSkinReach_mm = 150;
/// The canal must be there this far above and below the target [mm], or it is missing.
constexpr double kCanalBeyond_mm = 10;
constexpr std::array<std::array<int, 3>, 6> kFaces = {
    {{-1, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 1, 0}, {0, 0, -1}, {0, 0, 1}}};

bool is_level_between(std::string_view level, std::string_view first, std::string_view last) {
  const auto n = level_index(level);
  return n && *n >= *level_index(first) && *n <= *level_index(last);
}

/// Centres of the faces that a mask shows to the outside, and voxel centres inside (every n-th in each axis).
Points surface_and_inside(const Volume<std::uint8_t>& mask, int every) {
  Points points;
  const Grid& g = mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!mask(i, j, k)) continue;
        if (i % every == 0 && j % every == 0 && k % every == 0) points.push_back(g.to_world(i, j, k));
        for (const auto& f : kFaces)
          if (g.contains(i + f[0], j + f[1], k + f[2]) && !mask(i + f[0], j + f[1], k + f[2]))
            points.push_back(g.to_world(Eigen::Vector3d(i + f[0] * 0.5, j + f[1] * 0.5, k + f[2] * 0.5)));
      }
  return points;
}

/// A tube of radius `radius_mm`, its ends carried on by `beyond_mm`: axis, half radius and surface.
Points tube_points(const RootTube& tube, double radius_mm, double beyond_mm, double spacing_mm) {
  const Eigen::Vector3d axis = (tube.to_mm - tube.from_mm).normalized();
  const Eigen::Vector3d from = tube.from_mm - beyond_mm * axis, to = tube.to_mm + beyond_mm * axis;
  const Eigen::Vector3d u = axis.unitOrthogonal(), v = axis.cross(u);
  const int steps = std::max(1, int(std::ceil((to - from).norm() / spacing_mm)));
  const int around = std::max(8, int(std::ceil(2 * kPi * radius_mm / spacing_mm)));
  Points points;
  for (int s = 0; s <= steps; ++s) {
    const Eigen::Vector3d centre = from + (to - from) * (double(s) / steps);
    points.push_back(centre);
    for (int a = 0; a < around; ++a) {
      const double angle = 2 * kPi * a / around;
      const Eigen::Vector3d radial = std::cos(angle) * u + std::sin(angle) * v;
      points.push_back(centre + radius_mm * radial);
      points.push_back(centre + radius_mm / 2 * radial);
    }
  }
  return points;
}

/// Vessels and organs that a patient of the level has beside the spine.
std::vector<std::string> neighbours_of(std::string_view level) {
  std::vector<std::string> names;
  const auto add = [&](std::initializer_list<const char*> more) {
    names.insert(names.end(), more.begin(), more.end());
  };
  const bool anywhere = !level_index(level);
  if (anywhere || is_level_between(level, "C1", "C7")) add({"trachea", "oesophagus"});
  if (anywhere || is_level_between(level, "T1", "T13")) add({"lung_left", "lung_right"});
  if (!anywhere && is_level_between(level, "T1", "T10")) add({"oesophagus"});
  if (anywhere || is_level_between(level, "T4", "L4")) add({"aorta"});
  if (anywhere || is_level_between(level, "L1", "L6")) add({"vena_cava", "bowel"});
  if (anywhere || is_level_between(level, "T12", "L3")) add({"kidney_left", "kidney_right"});
  if (is_level_between(level, "sacrum", "coccyx")) add({"iliac_artery", "iliac_vein", "bowel"});
  return names;
}

/// All that the builders below look at.
struct Scene {
  const Anatomy& anatomy;
  const Target& target;
  TargetShape shape;
  const StructureOptions& options;
  Volume<StructureValue> labels;  ///< around the target
  LabelledCanal canal;
  Body body;
  std::set<StructureValue> present;  ///< labels within reach

  bool labelled(const char* name) const { return present.count(*structure_value(name)) > 0; }
  Volume<std::uint8_t> mask(std::initializer_list<const char*> names) const {
    std::vector<StructureValue> values;
    for (const char* name : names) values.push_back(*structure_value(name));
    return mask_of(labels, values);
  }
};

Structure missing(std::string name, std::string reason) {
  Structure s;
  s.limit_class = limit_class_of(name);
  s.name = std::move(name);
  s.reason = std::move(reason);
  return s;
}

Structure known(std::string name, StructureStatus status, Points points, std::string reason) {
  Structure s = missing(std::move(name), std::move(reason));
  s.status = status;
  s.whereabouts = Whereabouts::known;
  s.points_mm = std::move(points);
  return s;
}

/// Lowest and highest z of the target [mm].
std::array<double, 2> height_of(const Target& target) {
  std::array<double, 2> z = {1e9, -1e9};
  const Grid& g = target.mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (target.mask(i, j, k)) {
          const double here = g.to_world(i, j, k).z();
          z = {std::min(z[0], here), std::max(z[1], here)};
        }
  return z;
}

/// A canal that ends beside the target would hide what it does not show.
void drop_incomplete_canal(Scene& scene) {
  LabelledCanal& canal = scene.canal;
  if (canal.mask.empty()) return;
  const auto z = height_of(scene.target);
  const Grid& g = canal.mask.grid;
  for (int k = 0; k < g.size[2]; ++k) {
    const double here = g.to_world(0, 0, k).z();
    if (here < z[0] - kCanalBeyond_mm || here > z[1] + kCanalBeyond_mm) continue;
    const auto first = canal.mask.values.begin() + std::ptrdiff_t(g.index(0, 0, k));
    if (std::find(first, first + std::ptrdiff_t(g.size[0]) * g.size[1], 1) !=
        first + std::ptrdiff_t(g.size[0]) * g.size[1])
      continue;
    canal.mask = {};
    canal.status = StructureStatus::missing;
    canal.reason = fmt::format("the canal has a gap at z = {:.0f} mm, beside the target", here);
    return;
  }
}

bool cord_is_seen(const Scene& scene, const char* name) {
  const auto status = scene.anatomy.status_of(name);
  return scene.labelled(name) &&
         (status == StructureStatus::imported || status == StructureStatus::segmented);
}

Structure make_dura(const Scene& scene) {
  const auto& options = scene.options;
  const bool blind = expects_cord(scene.target.level)
                         ? !cord_is_seen(scene, "cord")
                         : !cord_is_seen(scene, "cauda") && !cord_is_seen(scene, "cord");
  Structure dura;
  if (scene.labelled("dural_sac")) {
    dura = known("dura", scene.anatomy.status_of("dural_sac"),
                 surface_and_inside(scene.mask({"dural_sac", "dura", "cord", "cauda"}), 1),
                 "surface of the dural sac");
    dura.caution_at_best = dura.status == StructureStatus::estimated && blind;
  } else if (!scene.canal.mask.empty()) {
    dura = known("dura", StructureStatus::estimated, surface_and_inside(scene.canal.mask, 1),
                 "whole inner canal wall is judged (" + scene.canal.reason + ")");
    dura.caution_at_best = blind;
  } else if (scene.labelled("cord") || scene.labelled("cauda")) {
    const Volume<float> outside = signed_distance_mm(scene.mask({"cord", "cauda"}));
    Volume<std::uint8_t> envelope(outside.grid);
    for (std::size_t n = 0; n < envelope.values.size(); ++n) envelope[n] = outside[n] <= options.csf_mm;
    dura =
        known("dura", StructureStatus::estimated, surface_and_inside(envelope, 1),
              fmt::format("cord or cauda with {:g} mm around it, as {}", options.csf_mm, scene.canal.reason));
    dura.inflate_mm = options.csf_mm;
  } else {
    dura = missing("dura", scene.canal.reason);
  }
  return dura;
}

/// Cord or cauda: as labelled, else somewhere in the canal.
std::optional<Structure> make_content(const Scene& scene, const char* name, bool expected) {
  if (scene.labelled(name)) {
    Structure s = known(name, scene.anatomy.status_of(name), surface_and_inside(scene.mask({name}), 1),
                        fmt::format("{} label", name));
    s.caution_at_best = !cord_is_seen(scene, name);
    return s;
  }
  if (!expected) return std::nullopt;
  if (!scene.canal.mask.empty()) {
    Structure s = known(name, StructureStatus::estimated, surface_and_inside(scene.canal.mask, 1),
                        fmt::format("somewhere in the canal: all of it is judged ({}); an MRI is needed",
                                    scene.canal.reason));
    s.caution_at_best = true;
    return s;
  }
  return missing(name, scene.canal.reason);
}

void add_roots(const Scene& scene, std::vector<Structure>& out) {
  const auto& options = scene.options;
  std::set<std::string> seen;
  for (const RootTube& tube : scene.anatomy.roots) {
    Points points = tube_points(tube, tube.radius_mm + options.root_inflate_mm, options.root_inflate_mm,
                                options.spacing_mm);
    const bool near = std::any_of(points.begin(), points.end(), [&](const Eigen::Vector3d& x) {
      return (x - scene.shape.centre_mm).norm() <= options.reach_mm;
    });
    seen.insert(tube.name);
    if (!near) continue;
    Structure s = known(tube.name, StructureStatus::modelled, std::move(points),
                        fmt::format("straight modelled tube, envelope + {:g} mm", options.root_inflate_mm));
    s.inflate_mm = options.root_inflate_mm;
    out.push_back(std::move(s));
  }
  for (StructureValue value : scene.present) {
    const std::string name(structure_name(value));
    const bool is_root = name.starts_with("root_");
    if (!is_root && !name.starts_with("ganglion_") && !name.starts_with("lumbar_plexus_")) continue;
    if (is_root && seen.count(name)) continue;  // its tube is there, and thicker
    seen.insert(name);
    out.push_back(known(name, scene.anatomy.status_of(name),
                        surface_and_inside(mask_of(scene.labels, {value}), 1), "label"));
  }
  for (Structure& s : out)
    if (s.name.starts_with("root_") &&
        is_level_between(structure_level(*structure_value(s.name)), "T8", "L2"))
      s.also_classes.emplace_back("foramen");
  const std::string& level = scene.target.level;
  if (!level_index(level) || level == "coccyx") {
    if (seen.empty())
      out.push_back(missing("root_L5_left", "no nerve root was modelled, and the level is not known"));
    return;
  }
  for (const char* side : {"_left", "_right"})
    if (const std::string name = "root_" + level + side; !seen.count(name))
      out.push_back(missing(name, "no nerve root of this level was modelled"));
}

/// Tissue that no label claims: an organ that nobody labelled can only be there.
Points unlabelled_points(const Scene& scene) {
  const Grid& g = scene.labels.grid;
  Points points;
  for (int k = 0; k < g.size[2]; k += 2)
    for (int j = 0; j < g.size[1]; j += 2)
      for (int i = 0; i < g.size[0]; i += 2) {
        if (scene.labels(i, j, k) || (!scene.canal.mask.empty() && scene.canal.mask(i, j, k))) continue;
        const Eigen::Vector3d x = g.to_world(i, j, k);
        if ((x - scene.shape.centre_mm).norm() > scene.options.reach_mm) continue;
        if (sample_nearest(scene.target.mask, x).value_or(0)) continue;
        if (!scene.body.inside.empty() && !sample_nearest(scene.body.inside, x).value_or(0)) continue;
        points.push_back(x);
      }
  return points;
}

void add_organs(const Scene& scene, std::vector<Structure>& out) {
  for (const char* group : {"vessel", "viscera"})
    for (StructureValue value : scene.present) {
      const std::string name(structure_name(value));
      if (limit_class_of(name) != group) continue;
      out.push_back(known(name, scene.anatomy.status_of(name),
                          surface_and_inside(mask_of(scene.labels, {value}), 2), "label"));
    }
  std::vector<std::string> absent;
  for (const std::string& name : neighbours_of(scene.target.level))
    if (!scene.anatomy.has(name)) absent.push_back(name);
  if (absent.empty()) return;
  const Points points = unlabelled_points(scene);
  for (const std::string& name : absent) {
    Structure s = missing(name, "no label names it: all tissue without a label is judged in its place");
    s.whereabouts = Whereabouts::unlabelled;
    s.points_mm = points;
    out.push_back(std::move(s));
  }
}

Structure make_skin(const Scene& scene) {
  if (scene.labelled("skin"))
    return known("skin", scene.anatomy.status_of("skin"), surface_and_inside(scene.mask({"skin"}), 1),
                 "label");
  const Body& body = scene.body;
  if (body.inside.empty()) return missing("skin", "no CT to find the skin in");
  if (!body.reaches_skin) {
    Structure s = missing("skin", "the image does not reach the skin");
    s.whereabouts = Whereabouts::outside_image;
    return s;
  }
  Points points;
  const Grid& g = body.inside.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!body.inside(i, j, k)) continue;
        for (const auto& f : kFaces) {
          if (!g.contains(i + f[0], j + f[1], k + f[2]) || !body.air(i + f[0], j + f[1], k + f[2])) continue;
          const Eigen::Vector3d x =
              g.to_world(Eigen::Vector3d(i + f[0] * 0.5, j + f[1] * 0.5, k + f[2] * 0.5));
          if ((x - scene.shape.centre_mm).norm() <= kSkinReach_mm) points.push_back(x);
        }
      }
  if (points.empty()) {
    Structure s = missing("skin", "the image does not reach the skin near the target");
    s.whereabouts = Whereabouts::outside_image;
    return s;
  }
  return known("skin", StructureStatus::segmented, std::move(points), "air boundary of the CT");
}

}  // namespace

void StructureOptions::validate() const {
  require(reach_mm >= 10, "StructureOptions.reach_mm", reach_mm, "must be >= 10 mm");
  require(spacing_mm > 0 && spacing_mm <= 2, "StructureOptions.spacing_mm", spacing_mm,
          "must lie in (0, 2] mm");
  require(root_inflate_mm >= 2, "StructureOptions.root_inflate_mm", root_inflate_mm, "must be >= 2 mm");
  require(csf_mm >= 0, "StructureOptions.csf_mm", csf_mm, "must be >= 0 mm");
}

bool expects_cord(std::string_view level) {
  return !level_index(level) || is_level_between(level, "C1", "L2");
}
bool expects_cauda(std::string_view level) {
  return !level_index(level) || is_level_between(level, "L1", "coccyx");
}

std::string limit_class_of(std::string_view structure) {
  if (structure == "dura" || structure == "dural_sac" || structure == "canal") return "dura";
  if (structure == "cord" || structure == "cauda" || structure == "skin") return std::string(structure);
  if (structure.starts_with("root_") || structure.starts_with("ganglion_")) {
    const auto value = structure_value(structure);
    const std::string level = value ? structure_level(*value) : "";
    return is_level_between(level, "T2", "T12") ? "thoracic_root" : "motor_root";
  }
  if (structure.starts_with("lumbar_plexus_")) return "motor_root";
  for (const char* vessel : {"aorta", "vena_cava", "iliac_artery", "iliac_vein", "vessel"})
    if (structure == vessel) return "vessel";
  if (structure.starts_with("segmental_artery_")) return "vessel";
  for (const char* organ :
       {"lung_left", "lung_right", "oesophagus", "trachea", "bowel", "stomach", "kidney_left", "kidney_right",
        "liver", "spleen", "heart", "organ", "bladder", "pancreas", "gallbladder", "adrenal"})
    if (structure == organ) return "viscera";
  return {};
}

std::vector<Structure> find_structures(const Anatomy& anatomy, const Target& target,
                                       const Volume<float>& ct_HU, const StructureOptions& options) {
  options.validate();
  Scene scene{anatomy, target, shape_of(target), options, {}, {}, {}, {}};
  const Eigen::Vector3d centre = scene.shape.centre_mm;
  if (!anatomy.labels.grid.covers(centre))
    throw ConfigError("target lies outside the anatomy", "/target",
                      "check centre_mm and the frame of the labels");
  const Eigen::Vector3d reach = Eigen::Vector3d::Constant(options.reach_mm);
  scene.labels = labels_on(anatomy, box_grid(centre - reach, centre + reach, options.spacing_mm));
  for (StructureValue value : scene.labels.values)
    if (value) scene.present.insert(value);
  scene.canal = find_labelled_canal(anatomy, scene.labels.grid);
  drop_incomplete_canal(scene);
  scene.body = find_body(ct_HU, centre);

  std::vector<Structure> out;
  out.push_back(make_dura(scene));
  if (auto s = make_content(scene, "cord", expects_cord(target.level))) out.push_back(std::move(*s));
  if (auto s = make_content(scene, "cauda", expects_cauda(target.level))) out.push_back(std::move(*s));
  add_roots(scene, out);
  add_organs(scene, out);
  out.push_back(make_skin(scene));
  return out;
}

}  // namespace spinetherm
