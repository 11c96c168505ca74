// SPDX-License-Identifier: Apache-2.0
#include "imaging/dural_sac.h"

#include <algorithm>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "imaging/resample.h"

namespace spinetherm {

std::optional<Canal> canal_from_vertebrae(const Anatomy& anatomy) {
  const std::vector<std::string> levels = anatomy.levels_present();
  if (levels.empty()) return std::nullopt;
  const Grid& g = anatomy.labels.grid;
  Volume<std::uint8_t> bone(g);
  Eigen::Vector3d low = Eigen::Vector3d::Constant(1e9), high = -low;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (is_vertebra(anatomy.labels(i, j, k))) {
          bone(i, j, k) = 1;
          low = low.cwiseMin(g.to_world(i, j, k));
          high = high.cwiseMax(g.to_world(i, j, k));
        }
  const auto seed = centroid_mm(anatomy.mask("vertebra_" + levels[levels.size() / 2]));
  // Half a voxel of the map and a rim beyond, so that nothing outside counts as enclosed by the box.
  const Eigen::Vector3d rim = Eigen::Vector3d::Constant(g.spacing_mm.maxCoeff() / 2 + 3);
  const auto labelled = resample_nearest<std::uint8_t>(bone, box_grid(low - rim, high + rim, 1));
  // Bone is 1000 and all else 0, so that any threshold between makes the labels the wall.
  Volume<float> image(labelled.grid);
  for (std::size_t n = 0; n < image.values.size(); ++n) image[n] = labelled[n] ? 1000.0f : 0.0f;
  CanalOptions options;
  options.threshold_HU = 500;
  CanalSearch search = find_canal_on_grid(image, *seed, options);
  if (search.canal)
    search.canal->quality = "canal estimated from the labels of the vertebrae: the hole that they enclose";
  return std::move(search.canal);
}

void DuralSacOptions::validate() const {
  require(epidural_mm >= 0 && epidural_mm <= 5, "DuralSacOptions.epidural_mm", epidural_mm,
          "must be in [0, 5] mm");
}

void add_dural_sac(Anatomy& anatomy, const DuralSacOptions& options) {
  options.validate();
  if (anatomy.has("dural_sac")) return;
  const Grid& g = anatomy.labels.grid;
  const auto value = [](std::string_view name) { return structure_value(name).value(); };
  const StructureValue canal = value("canal"), sac = value("dural_sac");
  Volume<std::uint8_t> cord = mask_of(anatomy.labels, {value("cord"), value("cauda")});
  Volume<std::uint8_t> whole = mask_of(anatomy.labels, {value("cord"), value("cauda"), canal});
  std::string source = "the canal of the map";
  if (!anatomy.has("canal")) {
    if (const auto estimated = canal_from_vertebrae(anatomy)) {
      const auto on_grid = resample_nearest<std::uint8_t>(estimated->mask, g);
      for (std::size_t n = 0; n < whole.values.size(); ++n)
        if (on_grid[n] && anatomy.labels[n] == 0) whole[n] = 1;
      source = "the hole that the labelled vertebrae enclose";
    } else {
      source = "the cord's own label, as no canal is known";
    }
  }
  if (std::find(whole.values.begin(), whole.values.end(), 1) == whole.values.end()) {
    anatomy.warnings.emplace_back("no dural sac: neither a canal nor a cord is known");
    return;
  }
  const Volume<float> depth = signed_distance_mm(whole);
  bool any_sac = false, any_canal = false;
  for (std::size_t n = 0; n < whole.values.size(); ++n) {
    StructureValue& label = anatomy.labels[n];
    if (cord[n] || !whole[n]) continue;
    const bool within = double(depth[n]) <= -options.epidural_mm;
    any_sac = any_sac || within;
    any_canal = any_canal || !within;
    label = within ? sac : canal;
  }
  if (any_canal) anatomy.status.try_emplace("canal", StructureStatus::estimated);
  if (!any_canal) anatomy.status.erase("canal");
  if (!any_sac && !anatomy.has("cord") && !anatomy.has("cauda")) return;
  // A cord that fills its canal is its own sac: the structure is known, and holds no voxel beside the cord.
  anatomy.status["dural_sac"] = StructureStatus::estimated;
  anatomy.warnings.push_back(
      "dural sac estimated from " + source +
      ": its surface may be a few millimetres off, more where bone leaves the canal open");
}

}  // namespace spinetherm
