// SPDX-License-Identifier: Apache-2.0
#include "datasets/ct_tissue_map.h"

#include <gmock/gmock.h>

#include <map>

#include "datasets/labelled_vertebra.h"
#include "datasets/spine_phantom.h"
#include "planning/labelled_canal.h"

namespace spinetherm {
namespace {

TEST(MaterialMixture, SharesAddUpToOneAndWhatLiesOverHides) {
  MaterialMixture m;
  m.over(Material::fat, 1);
  m.over(Material::muscle, 0.25);
  m.over(Material::csf, 0.4);
  EXPECT_NEAR(m.share(Material::fat), 0.45, 1e-12);
  EXPECT_NEAR(m.share(Material::muscle), 0.15, 1e-12);
  EXPECT_NEAR(m.share(Material::csf), 0.4, 1e-12);
  EXPECT_EQ(m.dominant(), Material::fat);
  MaterialValues v{};
  v[Material::fat] = 10;
  v[Material::muscle] = 20;
  v[Material::csf] = 30;
  EXPECT_NEAR(m.value(v), 4.5 + 3 + 12, 1e-9);
  m.over(Material::cord, 1);
  EXPECT_NEAR(m.share(Material::cord), 1, 1e-12);
}

/// A phantom's CT and labels stand for a real patient's.
struct Mapped {
  SpinePhantom p;
  CtTissueMap map;
};
const Mapped& mapped() {
  static const Mapped made = [] {
    SpinePhantomOptions o;
    o.levels = {"L2", "L3"};
    o.lesion = parse_lesion("lytic,central,size:8");
    o.spacing_mm = 1.5;
    o.supersample = 2;
    o.ct.noise_HU = 5;
    Mapped out{make_spine_phantom(o), {}};
    Anatomy a = out.p.anatomy;
    out.map = map_ct_tissues(out.p.ct.volume, a, find_labelled_canal(a, a.labels.grid).mask, 3);
    return out;
  }();
  return made;
}

/// Mean share of materials where the patient has the structure, so far within it.
double mean_share(const std::string& structure, std::initializer_list<Material> materials,
                  double within_mm = 2) {
  const Mapped& m = mapped();
  const Volume<float> depth = smooth_distance_mm(m.p.anatomy.mask(structure), m.p.anatomy.labels.grid);
  const Grid& g = depth.grid;
  double sum = 0, count = 0;
  for (int k = 4; k < g.size[2] - 4; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (double(depth(i, j, k)) > -within_mm) continue;
        const MaterialMixture mixture = m.map.at(i, j, k);
        for (const Material material : materials) sum += mixture.share(material);
        ++count;
      }
  EXPECT_GT(count, 20) << structure;
  return sum / count;
}

TEST(CtTissueMap, LabelsAndNumbersBecomeTheirTissues) {
  EXPECT_GT(mean_share("vertebra_body_L3", {Material::trabecular_bone, Material::cortical_bone}), 0.9);
  EXPECT_GT(mean_share("vertebra_body_L3", {Material::trabecular_bone}), 0.6);
  EXPECT_GT(mean_share("aorta", {Material::blood}), 0.9);
  EXPECT_GT(mean_share("muscle", {Material::muscle}), 0.8);
  EXPECT_GT(mean_share("fat", {Material::fat}), 0.7);
  EXPECT_GT(mean_share("dural_sac", {Material::csf, Material::cauda}, 0.7), 0.8);
  const auto table = material_table()[std::size_t(Material::trabecular_bone)];
  EXPECT_NEAR(mapped().map.marrow_HU, table.hu, 80);
}

TEST(CtTissueMap, SacStaysOffTheBoneAndFlavumClosesTheCanalBehind) {
  const CtTissueMap& map = mapped().map;
  const Grid& g = map.labels.grid;
  const StructureValue sac = *structure_value("dural_sac");
  int sac_voxels = 0, behind = 0, spilled = 0;
  for (int k = 4; k < g.size[2] - 4; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const SpineSection s = map.canal.section(x.z());
        const Eigen::Vector3d p = map.canal.to_section(x);
        if (map.labels(i, j, k) == sac) {
          ++sac_voxels;
          EXPECT_GE(map.bone_mm(i, j, k), 0.4F);
          EXPECT_LT(canal_distance(s, p), 0);
        }
        const MaterialMixture m = map.at(i, j, k);
        if (canal_distance(s, p) > 1.5 && m.share(Material::csf) > 0.05) ++spilled;
        if (std::abs(p.x()) < 3 && p.y() > s.canal_y && std::abs(canal_distance(s, p) - 1.7) < 0.8 &&
            map.bone_mm(i, j, k) > 1.5F) {
          ++behind;
          EXPECT_GT(m.share(Material::ligament), 0.5);
        }
      }
  EXPECT_GT(sac_voxels, 500);
  EXPECT_GT(behind, 5) << "between the laminae";
  EXPECT_EQ(spilled, 0);
}

TEST(CanalTube, LiesInTheLabelledCanalWithTheCordInItsSac) {
  const Mapped& m = mapped();
  const Grid& g = m.map.labels.grid;
  const Volume<std::uint8_t> canal = find_labelled_canal(m.p.anatomy, g).mask;
  double both = 0, either = 0;
  for (int k = 6; k < g.size[2] - 6; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const bool tube = canal_distance(m.map.canal.section(x.z()), m.map.canal.to_section(x)) < 0;
        both += tube && canal(i, j, k);
        either += tube + int(canal(i, j, k));
      }
  EXPECT_GT(2 * both / either, 0.9) << "Dice";
  const double l2_z = inverse(measure_vertebra(m.p.anatomy, "L2").vertebra_from_world).translation_mm.z();
  for (double z = g.to_world(0, 0, 6).z(); z < g.to_world(0, 0, g.size[2] - 6).z(); z += 3) {
    const SpineSection s = m.map.canal.section(z);
    EXPECT_LT(s.sac_a, s.canal_a);
    EXPECT_LT(s.sac_y + s.sac_b, s.canal_y + s.canal_b);
    EXPECT_GT(s.sac_y - s.sac_b, s.canal_y - s.canal_b);
    if (z > l2_z) continue;  // the conus
    EXPECT_EQ(s.cord_a, 0) << "no cord below L2";
    EXPECT_EQ(canal_label(s, {0, s.sac_y + 0.4 * s.sac_b, z}), *structure_value("cauda"));
    EXPECT_EQ(canal_label(s, {0, s.sac_y - 0.8 * s.sac_b, z}), *structure_value("dural_sac"));
    EXPECT_EQ(canal_label(s, {0, s.canal_y + 1.2 * s.canal_b, z}), 0);
  }
}

}  // namespace
}  // namespace spinetherm
