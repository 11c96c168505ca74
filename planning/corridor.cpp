// SPDX-License-Identifier: Apache-2.0
#include "planning/corridor.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "planning/structure.h"

namespace spinetherm {
namespace {

Volume<float> map_of(const Volume<std::uint8_t>& mask) {
  if (std::find(mask.values.begin(), mask.values.end(), 1) == mask.values.end()) return {};
  return signed_distance_mm(mask);
}

template <class Belongs>
Volume<std::uint8_t> mask_where(const Volume<StructureValue>& labels, const Belongs& belongs) {
  std::vector<std::uint8_t> member(std::size_t(1) << 16, 0);
  for (const auto& [value, name] : structure_table()) member[value] = belongs(name) ? 1 : 0;
  Volume<std::uint8_t> mask(labels.grid);
  for (std::size_t n = 0; n < mask.values.size(); ++n) mask[n] = member[labels[n]];
  return mask;
}
Volume<std::uint8_t> class_mask(const Volume<StructureValue>& labels, const std::string& limit_class) {
  return mask_where(labels, [&](const auto& name) { return limit_class_of(name) == limit_class; });
}

/// Roots without a modelled tube, ganglia and plexus: what is judged by its label.
Volume<std::uint8_t> labelled_nerves(const Volume<StructureValue>& labels,
                                     const std::vector<RootTube>& tubes) {
  return mask_where(labels, [&](const std::string& name) {
    const std::string of = limit_class_of(name);
    return (of == "motor_root" || of == "thoracic_root") &&
           std::ranges::none_of(tubes, [&](const RootTube& tube) { return tube.name == name; });
  });
}

/// The smaller distance where there are two.
Volume<float> nearer(Volume<float> a, const Volume<float>& b) {
  if (a.empty()) return b;
  for (std::size_t n = 0; n < b.values.size(); ++n) a[n] = std::min(a[n], b[n]);
  return a;
}

/// Distance to the nearest tube's surface; empty when no tube comes near.
Volume<float> root_map(const std::vector<RootTube>& roots, const Grid& g) {
  const double reach = (g.to_world(g.size[0], g.size[1], g.size[2]) - g.centre_mm()).norm();
  std::vector<RootTube> near;
  for (const auto& tube : roots)
    if (((tube.from_mm + tube.to_mm) / 2 - g.centre_mm()).norm() < reach) near.push_back(tube);
  if (near.empty()) return {};
  Volume<float> out(g);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        double best = std::numeric_limits<double>::infinity();
        for (const auto& tube : near) {
          const Eigen::Vector3d ab = tube.to_mm - tube.from_mm;
          const double t =
              std::clamp((x - tube.from_mm).dot(ab) / std::max(ab.squaredNorm(), 1e-9), 0.0, 1.0);
          best = std::min(best, (x - tube.from_mm - t * ab).norm() - tube.radius_mm);
        }
        out(i, j, k) = float(best);
      }
  return out;
}

std::vector<CanalSlice> slices_of(const Volume<std::uint8_t>& canal) {
  const Grid& g = canal.grid;
  std::vector<CanalSlice> slices(std::size_t(g.size[2]));
  for (int k = 0; k < g.size[2]; ++k) {
    int front = g.size[1], back = -1;
    double sum_x = 0, count = 0;
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (canal(i, j, k)) {
          front = std::min(front, j);
          back = std::max(back, j);
          sum_x += i;
          ++count;
        }
    if (count == 0) continue;
    CanalSlice& s = slices[std::size_t(k)];
    s.known = true;
    s.front_mm = g.to_world(0, front, k).y();
    s.middle_mm = (s.front_mm + g.to_world(0, back, k).y()) / 2;
    s.centre_x_mm = g.to_world(Eigen::Vector3d(sum_x / count, 0, k)).x();
  }
  return slices;
}

/// The part of [low, high] that an image covers.
void clip_to(const Grid& image, Eigen::Vector3d& low, Eigen::Vector3d& high) {
  Eigen::Vector3d first = Eigen::Vector3d::Constant(std::numeric_limits<double>::infinity()), last = -first;
  for (int corner = 0; corner < 8; ++corner) {
    const Eigen::Vector3d x =
        image.to_world((corner & 1) ? image.size[0] - 1 : 0, (corner & 2) ? image.size[1] - 1 : 0,
                       (corner & 4) ? image.size[2] - 1 : 0);
    first = first.cwiseMin(x);
    last = last.cwiseMax(x);
  }
  low = low.cwiseMax(first);
  high = high.cwiseMin(last);
}

}  // namespace

bool TrilinearCell::locate(const Grid& grid, const Eigen::Vector3d& x_mm) {
  const Eigen::Vector3d ijk = (x_mm - grid.origin_mm).cwiseQuotient(grid.spacing_mm);
  std::array<int, 3> low{};
  std::array<double, 3> f{};
  for (std::size_t a = 0; a < 3; ++a) {
    const double v = ijk[Eigen::Index(a)];
    if (!(v >= 0 && v <= grid.size[a] - 1)) return false;
    low[a] = std::min(int(v), std::max(grid.size[a] - 2, 0));
    f[a] = v - low[a];
  }
  for (std::size_t corner = 0; corner < 8; ++corner) {
    const int u = int(corner & 1), v = int(corner >> 1 & 1), w = int(corner >> 2 & 1);
    index_[corner] =
        grid.index(std::min(low[0] + u, grid.size[0] - 1), std::min(low[1] + v, grid.size[1] - 1),
                   std::min(low[2] + w, grid.size[2] - 1));
    weight_[corner] = (u ? f[0] : 1 - f[0]) * (v ? f[1] : 1 - f[1]) * (w ? f[2] : 1 - f[2]);
  }
  return true;
}

double TrilinearCell::operator()(const Volume<float>& map) const {
  double sum = 0;
  for (std::size_t corner = 0; corner < 8; ++corner) sum += weight_[corner] * double(map[index_[corner]]);
  return sum;
}

const CanalSlice* CorridorMaps::slice_at(double z_mm) const {
  if (slices.empty()) return nullptr;
  const Grid& g = near_grid();
  const int last = int(slices.size()) - 1;
  const double place = std::round((z_mm - g.origin_mm.z()) / g.spacing_mm.z());
  const int at = int(std::clamp(place, 0.0, double(last)));
  for (int off = 0; off <= last; ++off)
    for (const int k : {at - off, at + off})
      if (k >= 0 && k <= last && slices[std::size_t(k)].known) return &slices[std::size_t(k)];
  return nullptr;
}

CorridorMaps corridor_maps(const Anatomy& anatomy, const Target& target, const Volume<float>& ct_HU,
                           const CorridorSettings& settings) {
  const TargetShape shape = shape_of(target);
  if (!anatomy.labels.grid.covers(shape.centre_mm))
    throw ConfigError("target lies outside the anatomy", "/target",
                      "check centre_mm and the frame of the labels");
  const Eigen::Vector3d centre = shape.centre_mm, near = Eigen::Vector3d::Constant(settings.near_mm);
  const Grid fine = box_grid(centre - near, centre + near, settings.spacing_mm);
  CorridorMaps maps;
  maps.canal = find_labelled_canal(anatomy, fine);
  const Volume<StructureValue> labels = labels_on(anatomy, fine);

  const std::string own_name = "vertebra_" + target.level;
  const bool own_known = structure_value(own_name) && anatomy.has(own_name);
  maps.bone_name = own_known ? own_name : "all bone";
  const StructureValue implant = *structure_value("implant"), rib = *structure_value("rib"),
                       tumour = *structure_value("tumour");
  Volume<std::uint8_t> own(fine), other(fine), metal(fine);
  for (int k = 0; k < fine.size[2]; ++k)
    for (int j = 0; j < fine.size[1]; ++j)
      for (int i = 0; i < fine.size[0]; ++i) {
        const StructureValue v = labels(i, j, k);
        const bool is_own = own_known ? is_vertebra(v) && structure_level(v) == target.level : is_bone(v);
        const bool in_target = v == tumour || sample_nearest(target.mask, fine.to_world(i, j, k)).value_or(0);
        own(i, j, k) = is_own || in_target;
        other(i, j, k) = is_bone(v) && v != rib && !is_own && !in_target;
        metal(i, j, k) = v == implant;
      }
  maps.bone_mm = signed_distance_mm(own);
  maps.other_bone_mm = map_of(other);
  maps.implant_mm = map_of(metal);
  if (!maps.canal.mask.empty()) {
    maps.canal_mm = map_of(maps.canal.mask);
    maps.slices = slices_of(maps.canal.mask);
  }
  maps.roots_mm = nearer(root_map(anatomy.roots, fine), map_of(labelled_nerves(labels, anatomy.roots)));
  maps.vessels_mm = map_of(class_mask(labels, "vessel"));
  maps.viscera_mm = map_of(class_mask(labels, "viscera"));

  Eigen::Vector3d low = centre - Eigen::Vector3d(settings.wide_mm, settings.near_mm, settings.tall_mm);
  Eigen::Vector3d high = centre + Eigen::Vector3d(settings.wide_mm, settings.wide_mm, settings.tall_mm);
  clip_to(anatomy.labels.grid, low, high);
  const Volume<StructureValue> far_labels = labels_on(anatomy, box_grid(low, high, 2 * settings.spacing_mm));
  maps.far_vessels_mm = map_of(class_mask(far_labels, "vessel"));
  maps.far_viscera_mm = map_of(class_mask(far_labels, "viscera"));
  maps.body = find_body(ct_HU, centre);

  if (maps.canal_mm.empty()) maps.unknowns.push_back("canal: " + maps.canal.reason);
  if (maps.roots_mm.empty()) maps.unknowns.emplace_back("nerve roots: none was modelled near the target");
  if (maps.far_vessels_mm.empty()) maps.unknowns.emplace_back("vessels: no label near the target");
  if (maps.far_viscera_mm.empty())
    maps.unknowns.emplace_back("lung, bowel, kidney: no label near the target");
  return maps;
}

}  // namespace spinetherm
