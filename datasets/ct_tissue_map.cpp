// SPDX-License-Identifier: Apache-2.0
#include "datasets/ct_tissue_map.h"

#include <algorithm>
#include <cmath>

#include "datasets/image_filters.h"
#include "datasets/labelled_vertebra.h"
#include "datasets/solid.h"
#include "datasets/value_noise.h"

namespace spinetherm {
namespace {

constexpr double kSmoothing_mm = 0.8;  ///< of the CT's noise before its numbers are read
constexpr double kAir_HU = -850, kPureFat_HU = -110, kLungTop_HU = -300;
constexpr double kFat_HU = -85, kMuscle_HU = 25;          ///< between them both share a voxel
constexpr double kBoneFrom_HU = 120, kBone_HU = 250;      ///< of bone that no label names
constexpr double kCortexFrom_HU = 150, kCortex_HU = 550;  ///< above the marrow
constexpr double kShell_mm = 0.9;                         ///< of cortex, at the surface of every bone
constexpr double kSurface_mm = 0.6;                       ///< of smoothing of the bone's surface
constexpr double kFlavum_mm = 3.5, kDura_mm = 0.35, kSacOffBone_mm = 0.5;
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

bool is_spine(StructureValue v) { return is_vertebra(v) || structure_name(v) == "bone"; }

/// 1 in discs: columns along z between two bones of the spine, in front of the canal.
Volume<std::uint8_t> find_disc_voxels(const Volume<float>& hu, const Volume<StructureValue>& labels,
                                      const CanalTube& canal) {
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
          const SpineSection s = canal.section(x.z());
          const double front = s.canal_y - s.canal_b;
          const bool in_front = x.y() < front && x.y() > front - kDiscDepth_mm &&
                                std::abs(x.x() - canal.middle_x(x.z())) < kDiscHalfWidth_mm;
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

/// Share of a voxel that lies within a surface at this distance.
double cover(double distance_mm, double width_mm) {
  return std::clamp(0.5 - distance_mm / width_mm, 0.0, 1.0);
}

double texture_of(Material m, double value, double mean) {
  const double per = material_table()[std::size_t(m)].hu_texture;
  return per > 0 ? std::clamp((value - mean) / per, -kMostTexture, kMostTexture) : 0.0;
}

const std::vector<Material>& materials_by_label() {
  static const std::vector<Material> list = [] {
    std::vector<Material> all;
    for (const auto& [value, name] : structure_table()) {
      if (all.size() <= value) all.resize(std::size_t(value) + 1, kByNumber);
      all[value] = material_of_label(name);
    }
    return all;
  }();
  return list;
}

bool in_canal(StructureValue v) {
  static const StructureValue first = *structure_value("canal"), last = *structure_value("cauda");
  return v >= first && v <= last;
}

}  // namespace

void MaterialMixture::over(Material material, double share, double texture) {
  if (share <= 0) return;
  for (Part& p : parts_) {
    p.share *= 1 - share;
    p.texture *= 1 - share;
  }
  Part& p = parts_[std::size_t(material)];
  p.share += share;
  p.texture += share * texture;
}

double MaterialMixture::value(const MaterialValues& values) const {
  double sum = 0;
  for (std::size_t n = 0; n < kMaterialCount; ++n)
    if (parts_[n].share > 0)
      sum += parts_[n].share * values.mean[n] + parts_[n].texture * values.per_texture[n];
  return sum;
}

double MaterialMixture::share(Material material) const { return parts_[std::size_t(material)].share; }

Material MaterialMixture::dominant() const {
  std::size_t best = 0;
  for (std::size_t n = 1; n < kMaterialCount; ++n)
    if (parts_[n].share > parts_[best].share) best = n;
  return Material(best);
}

StructureValue CtTissueMap::canal_part(const Eigen::Vector3d& x, const EpiduralCurtain& curtain) const {
  const double bone = sample_linear(bone_mm, x).value_or(0);
  if (bone < 0) return 0;
  const SpineSection s = canal.section(x.z());
  const Eigen::Vector3d p = canal.to_section(x);
  const StructureValue part = canal_label(s, curtain.before(s, p));
  static const StructureValue only_canal = *structure_value("canal");
  return part != 0 && bone < kSacOffBone_mm ? only_canal : part;
}

/// Canal, sac and what is in it, over what is there.
void CtTissueMap::add_canal(const Eigen::Vector3d& x, double bone, double height_share,
                            const EpiduralCurtain& curtain, MaterialMixture& m) const {
  const double width = labels.grid.spacing_mm.minCoeff();
  const SpineSection s = canal.section(x.z());
  const Eigen::Vector3d now = canal.to_section(x);
  const double rim = canal_distance(s, now);
  if (rim > kFlavum_mm + width) return;
  const double off_bone = cover(-bone, width);
  if (now.y() > s.canal_y + 0.3 * s.canal_b)
    m.over(Material::ligament, off_bone * cover(-rim, width) * cover(rim - kFlavum_mm, width));
  const double inside = off_bone * cover(rim, width);
  if (inside <= 0) return;
  m.over(Material::epidural_fat, inside, 0.3 * value_noise(x / 2, seed + 5));
  if (now.y() < s.canal_y - 0.5 * s.canal_b && height_share < 0.35)
    m.over(Material::epidural_vein, 0.8 * inside);
  const Eigen::Vector3d p = curtain.before(s, now);
  const double sac = std::max(sac_distance(s, p), kSacOffBone_mm - bone);
  const double in_sac = cover(sac, width);
  m.over(Material::csf, in_sac);
  m.over(Material::ligament, 0.7 * std::exp(-sac * sac / (2 * kDura_mm * kDura_mm)) * inside);
  m.over(Material::cord, in_sac * cover(cord_distance(s, p), width));
  const double bundle = cover(cauda_distance(s, p), 2 * width);
  if (bundle > 0) {
    const double strands = value_noise({p.x() / 1.5, p.y() / 1.5, p.z() / 40}, seed + 17);
    m.over(Material::cauda, in_sac * bundle * smooth_step(-0.6, 0.5, strands));
  }
}

MaterialMixture CtTissueMap::at(int i, int j, int k, const EpiduralCurtain& curtain) const {
  const Grid& g = labels.grid;
  const std::size_t n = g.index(i, j, k);
  const double width = g.spacing_mm.minCoeff();
  const Eigen::Vector3d x = g.to_world(i, j, k);
  const double value = double(smooth_hu[n]), bone = double(bone_mm[n]), disc = double(disc_mm[n]);
  const MaterialTable& table = material_table();
  MaterialMixture m;
  m.over(Material::fat, 1, 0.3 * texture_of(Material::fat, value, table[std::size_t(Material::fat)].hu));
  m.over(Material::muscle, smooth_step(kFat_HU, kMuscle_HU, value),
         0.3 * texture_of(Material::muscle, value, table[std::size_t(Material::muscle)].hu));
  m.over(Material::air, std::clamp((kPureFat_HU - value) / (kPureFat_HU - kAir_HU), 0.0, 1.0));
  const std::vector<Material>& by_label = materials_by_label();
  const StructureValue label = labels[n];
  const Material given = label < by_label.size() && !in_canal(label) ? by_label[label] : kByNumber;
  if (given == Material::lung)
    m.over(given, value < kLungTop_HU ? 1 : 0);
  else if (given != kByNumber)
    m.over(given, smooth_step(kFat_HU, -20, value));
  else {
    const double share = smooth_step(kBoneFrom_HU, kBone_HU, value);
    m.over(Material::posterior_bone, share);
    m.over(Material::cortical_bone,
           share * smooth_step(marrow_HU + kCortexFrom_HU, marrow_HU + kCortex_HU, value));
  }
  if (disc < 1) {
    m.over(Material::annulus, cover(disc, width));
    m.over(Material::inner_annulus, cover(disc + kAnnulus_mm, 2));
    m.over(Material::nucleus_worn, cover(disc + kInnerAnnulus_mm, 2));
  }
  const SpineSection s = canal.section(x.z());
  if (bone < 1) {
    const bool behind = x.y() > s.canal_y - s.canal_b;
    const Material spongy = behind ? Material::posterior_bone : Material::trabecular_bone;
    const double fatty = smooth_step(-90, -10, value);  // labels reach into fat
    const double share = cover(bone, width) * fatty;
    m.over(spongy, share, texture_of(spongy, value, behind ? marrow_HU + 60 : marrow_HU));
    const double shell = cover(bone, width) * cover(-kShell_mm - bone, width);
    const double dense = smooth_step(marrow_HU + kCortexFrom_HU, marrow_HU + kCortex_HU, value);
    m.over(Material::cortical_bone, share * std::max(shell, dense));
  }
  // 0 behind the middle of a body, 1 at a disc: the veins lie behind the bodies.
  const double at_disc = sample_linear(disc_mm, {x.x(), s.canal_y - s.canal_b - 4, x.z()}).value_or(9);
  add_canal(x, bone, std::clamp(1 - at_disc / 8, 0.0, 1.0), curtain, m);
  return m;
}

CtTissueMap map_ct_tissues(const Volume<float>& hu, const Anatomy& anatomy, const Volume<std::uint8_t>& canal,
                           std::uint64_t seed) {
  const Grid& g = anatomy.labels.grid;
  CtTissueMap out;
  out.labels = anatomy.labels;
  out.seed = std::uint32_t(seed);
  out.canal = fit_canal_tube(canal, anatomy);
  out.smooth_hu = blur(hu, Eigen::Vector3d::Constant(kSmoothing_mm));
  Volume<std::uint8_t> bone(g);
  const StructureValue rib = structure_value("rib").value_or(0), tumour = *structure_value("tumour");
  for (std::size_t n = 0; n < bone.values.size(); ++n) {
    const StructureValue v = out.labels[n];
    bone[n] = is_spine(v) || (rib != 0 && v == rib) || v == tumour;
  }
  out.bone_mm = blur(smooth_distance_mm(bone, g), Eigen::Vector3d::Constant(kSurface_mm));
  const Volume<std::uint8_t> discs = find_disc_voxels(out.smooth_hu, out.labels, out.canal);
  out.disc_mm = blur(smooth_distance_mm(discs, g), Eigen::Vector3d::Constant(1.2));

  std::vector<double> marrow;
  for (int k = 0; k < g.size[2]; ++k) {
    const SpineSection s = out.canal.section(g.to_world(0, 0, k).z());
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (double(out.bone_mm(i, j, k)) < -4 && g.to_world(i, j, k).y() < s.canal_y - s.canal_b)
          marrow.push_back(double(out.smooth_hu(i, j, k)));
  }
  out.marrow_HU = median(std::move(marrow), material_table()[std::size_t(Material::trabecular_bone)].hu);

  const bool has_cord = anatomy.has("cord");
  bool below_cord = false;
  for (const SpineSection& s : out.canal.sections) below_cord = below_cord || s.cord_a == 0;
  out.notes.emplace_back("the dural sac is a tube in the canal, of its share in the table");
  out.notes.emplace_back(has_cord ? "the cord lies where it is labelled, its size that of the table"
                                  : "no cord is labelled: place and size are those of the table");
  if (below_cord) out.notes.emplace_back("the cauda is a modelled bundle of strands");
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        StructureValue& label = out.labels(i, j, k);
        if (!in_canal(label) && label != 0) continue;
        label = out.canal_part(g.to_world(i, j, k));
      }
  return out;
}

}  // namespace spinetherm
