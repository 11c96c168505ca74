// SPDX-License-Identifier: Apache-2.0
#include "datasets/ct_tissue_map.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "datasets/image_filters.h"
#include "datasets/value_noise.h"
#include "datasets/voxel_corners.h"
#include "imaging/core/distance.h"

namespace spinetherm {
namespace {

constexpr double kSmoothing_mm = 0.8;  ///< of the CT's noise before its numbers are read
constexpr double kLungTop_HU = -300, kAirTop_HU = -850, kFatTop_HU = -25, kBone_HU = 180;
constexpr double kDisc_mm = 16, kDiscHalfWidth_mm = 30, kDiscDepth_mm = 48, kDiscDark_HU = 10;
constexpr double kAnnulus_mm = 4, kInnerAnnulus_mm = 7;
constexpr double kMostTexture = 2;

bool starts(std::string_view name, std::string_view with) { return name.starts_with(with); }

/// Soft tissues and vessels that a label names; kByNumber: their CT number tells.
constexpr Material kByNumber = Material::count_;
Material material_of_label(std::string_view name) {
  if (starts(name, "disc_")) return Material::inner_annulus;
  if (name == "aorta" || name == "vena_cava" || name == "vessel" || starts(name, "iliac_") ||
      starts(name, "segmental_artery"))
    return Material::blood;
  if (starts(name, "lung_")) return Material::lung;
  if (starts(name, "kidney_")) return Material::kidney;
  if (name == "liver") return Material::liver;
  if (name == "spleen" || name == "organ" || name == "oesophagus" || name == "bowel" || name == "stomach")
    return Material::organ;
  if (starts(name, "root_") || starts(name, "ganglion_") || starts(name, "lumbar_plexus"))
    return Material::nerve;
  if (name == "cord") return Material::cord;
  if (name == "dural_sac" || name == "dura") return Material::csf;
  return kByNumber;
}

Material material_of_hu(double hu) {
  if (hu < kAirTop_HU) return Material::air;
  if (hu < kLungTop_HU) return Material::lung;
  if (hu < kFatTop_HU) return Material::fat;
  return Material::muscle;
}

bool is_spine(StructureValue v) { return is_vertebra(v) || structure_name(v) == "bone"; }

/// Centre and front wall of the canal in each axial slice; slices without it take the nearest one's.
struct CanalSlice {
  double x = 0, y = 0, front = 0;
};
std::vector<CanalSlice> canal_slices(const Volume<std::uint8_t>& canal) {
  const Grid& g = canal.grid;
  std::vector<std::optional<CanalSlice>> found(std::size_t(g.size[2]));
  for (int k = 0; k < g.size[2]; ++k) {
    double x = 0, y = 0, front = 1e9;
    int count = 0;
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (canal(i, j, k)) {
          const Eigen::Vector3d at = g.to_world(i, j, k);
          x += at.x();
          y += at.y();
          front = std::min(front, at.y() - g.spacing_mm.y() / 2);
          ++count;
        }
    if (count > 0) found[std::size_t(k)] = CanalSlice{x / count, y / count, front};
  }
  std::vector<CanalSlice> out(found.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    for (std::size_t step = 0; step < found.size(); ++step) {
      if (k >= step && found[k - step]) {
        out[k] = *found[k - step];
        break;
      }
      if (k + step < found.size() && found[k + step]) {
        out[k] = *found[k + step];
        break;
      }
    }
  return out;
}

/// 1 in discs: columns along z between two bones of the spine, in front of the canal.
Volume<std::uint8_t> find_disc_voxels(const Volume<float>& hu, const Volume<StructureValue>& labels,
                                      const std::vector<CanalSlice>& canal) {
  const Grid& g = labels.grid;
  Volume<std::uint8_t> out(g);
  const int most = int(std::ceil(kDisc_mm / g.spacing_mm.z()));
#pragma omp parallel for schedule(dynamic)
  for (int j = 0; j < g.size[1]; ++j)
    for (int i = 0; i < g.size[0]; ++i) {
      int below = -1;
      for (int k = 0; k < g.size[2]; ++k) {
        if (!is_spine(labels(i, j, k))) continue;
        const int gap = below < 0 ? 0 : k - below - 1;
        if (gap > 0 && gap <= most) {
          const StructureValue a = labels(i, j, below), b = labels(i, j, k);
          const bool same = structure_level(a) == structure_level(b) && is_vertebra(a);
          double sum = 0;
          for (int n = below + 1; n < k; ++n) sum += double(hu(i, j, n));
          const Eigen::Vector3d x = g.to_world(i, j, (below + k) / 2);
          const CanalSlice& c = canal[std::size_t((below + k) / 2)];
          const bool in_front =
              x.y() < c.front && x.y() > c.front - kDiscDepth_mm && std::abs(x.x() - c.x) < kDiscHalfWidth_mm;
          if (!same && in_front && sum / gap > kDiscDark_HU)
            for (int n = below + 1; n < k; ++n) out(i, j, n) = 1;
        }
        below = k;
      }
    }
  return out;
}

double median(std::vector<double> values, double otherwise) {
  if (values.empty()) return otherwise;
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

CtTissueMap map_ct_tissues(const Volume<float>& hu, const Anatomy& anatomy, const Volume<std::uint8_t>& canal,
                           const std::string& level, std::uint64_t seed) {
  const Volume<StructureValue>& labels = anatomy.labels;
  const Grid& g = labels.grid;
  CtTissueMap out{MaterialVolume(g), 0, {}};
  const Volume<float> smooth = blur(hu, Eigen::Vector3d::Constant(kSmoothing_mm));
  const std::vector<CanalSlice> slices = canal_slices(canal);
  const Volume<std::uint8_t> discs = find_disc_voxels(smooth, labels, slices);

  Volume<std::uint8_t> bone(g), beside(g);  // beside: neither bone nor disc
  const StructureValue rib = structure_value("rib").value_or(0), tumour = *structure_value("tumour");
  for (std::size_t n = 0; n < labels.values.size(); ++n) {
    bone[n] = is_spine(labels[n]) || (rib != 0 && labels[n] == rib) || labels[n] == tumour;
    beside[n] = !bone[n] && !discs[n];
  }
  const Volume<float> depth = signed_distance_mm(bone), into_disc = distance_to_mm(beside),
                      in_canal = signed_distance_mm(canal);
  std::vector<double> marrow;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (depth(i, j, k) < -4 && g.to_world(i, j, k).y() < slices[std::size_t(k)].front)
          marrow.push_back(double(smooth(i, j, k)));
  const MaterialTable& table = material_table();
  out.marrow_HU = median(std::move(marrow), table[std::size_t(Material::trabecular_bone)].hu);
  const double cortical_HU = std::max(300.0, out.marrow_HU + 200);
  const double layer_mm = 0.75 * g.spacing_mm.minCoeff();

  const bool has_cord = anatomy.has("cord") || anatomy.has("cauda");
  const bool has_sac = anatomy.has("dural_sac") || anatomy.has("dura");
  const bool below_conus = level_index(level).value_or(0) >= *level_index("L2");
  if (!has_sac) out.notes.push_back("no dural sac is labelled: CSF was modelled 1 mm within the canal");
  if (!has_cord)
    out.notes.push_back(below_conus ? "no cauda is labelled: the MRI shows a modelled one"
                                    : "no cord is labelled: the MRI shows a modelled one of 9 x 7 mm");
  const auto strand = [&](const Eigen::Vector3d& x) {
    const Eigen::Vector3d p(x.x() / 1.7, x.y() / 1.7, x.z() / 40);
    return value_noise(p, std::uint32_t(seed) + 17) > -0.1 ? Material::cauda : Material::csf;
  };
  const auto texture_of = [&](Material m, double value, double mean) {
    const double per = table[std::size_t(m)].hu_texture;
    return per > 0 ? float(std::clamp((value - mean) / per, -kMostTexture, kMostTexture)) : 0.0f;
  };
  const std::vector<Material> by_label = [] {
    std::vector<Material> all;
    for (const auto& [value, name] : structure_table()) {
      if (all.size() <= value) all.resize(std::size_t(value) + 1, kByNumber);
      all[value] = material_of_label(name);
    }
    return all;
  }();
  const StructureValue cauda = *structure_value("cauda");

#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const std::size_t n = g.index(i, j, k);
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const CanalSlice& slice = slices[std::size_t(k)];
        const StructureValue label = labels[n];
        const Material given = label < by_label.size() ? by_label[label] : kByNumber;
        const double value = double(smooth[n]);
        Material& m = out.materials.material[n];
        float& texture = out.materials.texture[n];
        if (bone[n]) {
          const bool behind = x.y() > slice.front || label == rib;
          m = behind ? Material::posterior_bone : Material::trabecular_bone;
          if (value < -60)
            m = Material::fat;  // labels reach into it
          else if (value > cortical_HU || double(depth[n]) > -layer_mm)
            m = Material::cortical_bone;
          else
            texture = texture_of(m, value, behind ? out.marrow_HU + 60 : out.marrow_HU);
          continue;
        }
        if (canal[n]) {
          const double wall = -double(in_canal[n]);
          const Eigen::Vector2d from((x.x() - slice.x) / 4.5, (x.y() - slice.y) / 3.5);
          if (label == cauda)
            m = strand(x);
          else if (given != kByNumber)
            m = given;
          else if (!has_sac && wall > 1)
            m = Material::csf;
          else
            m = value < kFatTop_HU ? Material::epidural_fat : Material::epidural_vein;
          if (!has_cord && m == Material::csf) {
            if (below_conus ? from.norm() < 1.5 && x.y() > slice.y - 2 : from.norm() < 1)
              m = below_conus ? strand(x) : Material::cord;
          }
          continue;
        }
        if (discs[n]) {
          const double d = double(into_disc[n]);
          m = d < kAnnulus_mm        ? Material::annulus
              : d < kInnerAnnulus_mm ? Material::inner_annulus
                                     : Material::nucleus_worn;
          continue;
        }
        if (given != kByNumber)
          m = given;
        else
          m = value > kBone_HU ? Material::posterior_bone : material_of_hu(value);
        if (given != kByNumber && given != Material::lung && value < kFatTop_HU)
          m = value < kLungTop_HU ? Material::air : Material::fat;
        if (m == Material::posterior_bone && value > cortical_HU) m = Material::cortical_bone;
        if (m == Material::muscle || m == Material::fat)
          texture = 0.3f * texture_of(m, value, table[std::size_t(m)].hu);
      }
  return out;
}

MaterialPoint material_near(const MaterialVolume& materials, const Eigen::Vector3d& x) {
  const Grid& g = materials.material.grid;
  if (!g.covers(x)) return {};
  std::array<double, kMaterialCount> weight{}, texture{};
  MaterialPoint best;
  for_each_corner(g, x, [&](std::size_t voxel, double w) {
    const auto m = std::size_t(materials.material[voxel]);
    weight[m] += w;
    texture[m] += w * double(materials.texture[voxel]);
    if (weight[m] > weight[std::size_t(best.material)]) best.material = Material(m);
  });
  const auto m = std::size_t(best.material);
  best.texture = weight[m] > 0 ? float(texture[m] / weight[m]) : 0.0f;
  return best;
}

}  // namespace spinetherm
