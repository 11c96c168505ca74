// SPDX-License-Identifier: Apache-2.0
#include "datasets/virtual_patient.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "datasets/virtual_lesion.h"
#include "imaging/core/distance.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A phantom of L2 to L4, its own lesion in L2, stands for the real patient.
const RealPatient& patient() {
  static const RealPatient made = [] {
    SpinePhantomOptions o;
    o.levels = {"L2", "L3", "L4"};
    o.lesion_level = "L2";
    o.spacing_mm = 2;
    o.supersample = 2;
    o.posture = posture_preset("rigid");
    SpinePhantom p = make_spine_phantom(o);
    RealPatient real;
    real.ct = std::move(p.ct);
    real.anatomy = std::move(p.anatomy);
    real.ct_name = "phantom";
    return real;
  }();
  return made;
}

SpinePhantom with(const std::string& lesion, std::uint64_t seed = 3) {
  SpinePhantomOptions o;
  o.lesion = parse_lesion(lesion);
  o.lesion_level = "L3";
  o.spacing_mm = 2;
  o.supersample = 1;
  o.seed = seed;
  return make_virtual_patient(patient(), o);
}

/// The source's CT on the grid of the virtual one, which is a part of it.
float before(const SpinePhantom& p, int i, int j, int k) {
  return sample_nearest(patient().ct.volume, p.ct.volume.grid.to_world(i, j, k)).value();
}

template <class Visit>
void for_each_voxel(const Grid& g, const Visit& visit) {
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) visit(i, j, k);
}

/// Mean of the CT where the lesion is at least `inside_mm` deep.
double core_HU(const SpinePhantom& p, double inside_mm) {
  const Volume<float> depth = signed_distance_mm(p.lesion.mask);
  double sum = 0;
  int count = 0;
  for (std::size_t n = 0; n < depth.values.size(); ++n)
    if (double(depth[n]) < -inside_mm) {
      sum += double(p.ct.volume[n]);
      ++count;
    }
  EXPECT_GE(count, 5);
  return sum / count;
}

TEST(VirtualPatient, LyticLesionChangesTheCtInAndAboutItOnly) {
  const SpinePhantom p = with("lytic,central,size:18");
  ASSERT_EQ(p.summary.termination, Termination::reached_end);
  const Volume<float> away = distance_to_mm(p.lesion.mask);
  int changed = 0;
  for_each_voxel(p.ct.volume.grid, [&](int i, int j, int k) {
    if (p.ct.volume(i, j, k) == before(p, i, j, k)) return;
    ++changed;
    EXPECT_LT(away(i, j, k), 7.5F);
  });
  EXPECT_GT(changed, 100);
  const double hu = core_HU(p, 4);
  EXPECT_GT(hu, 30);
  EXPECT_LT(hu, 80);
}

TEST(VirtualPatient, BlasticLesionIsAsDenseAsMeasuredOnes) {
  const double hu = core_HU(with("blastic,central,size:18"), 4);
  EXPECT_GT(hu, 444);
  EXPECT_LT(hu, 654);
}

TEST(VirtualPatient, MarrowLesionLeavesTheCtAsItIs) {
  const SpinePhantom p = with("marrow,central,size:18");
  for_each_voxel(p.ct.volume.grid,
                 [&](int i, int j, int k) { ASSERT_EQ(p.ct.volume(i, j, k), before(p, i, j, k)); });
  EXPECT_GT(p.lesion.volume_ml, 1);
}

TEST(VirtualPatient, LabelIsTheBlobInBone) {
  const SpinePhantom p = with("lytic,posterior,size:14,pedicle,left,wall-defect:6");
  const Grid& g = p.ct.volume.grid;
  const StructureValue tumour = *structure_value("tumour");
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!p.lesion.mask(i, j, k)) return;
    const StructureValue was = *sample_nearest(patient().anatomy.labels, g.to_world(i, j, k));
    ASSERT_EQ(structure_level(was), "L3");
    ASSERT_EQ(p.anatomy.labels(i, j, k), tumour);
  });
  const double ball_ml = 4.0 / 3 * 3.14159265 * std::pow(7, 3) / 1000;
  EXPECT_GT(p.lesion.volume_ml, 0.5 * ball_ml);
  EXPECT_LT(p.lesion.volume_ml, 2 * ball_ml);
  EXPECT_GE(p.lesion.grade.facts.posterolateral_sides.value(), 1);
  EXPECT_GT(p.lesion.grade.facts.posterior_wall_defect_mm.value(), 2);
  EXPECT_EQ(p.lesion.grade.facts.collapse, 0);
}

TEST(VirtualPatient, MriShowsLysisDarkOnT1AndBrightOnStir) {
  const SpinePhantom p = with("lytic,central,size:18");
  const Grid& g = p.labels_mri.grid;
  const StructureValue tumour = *structure_value("tumour"), body = *structure_value("vertebra_body_L3");
  std::map<std::string, std::array<double, 2>> mean;
  const Rigid ct_from_mri = inverse(p.mri_from_cbct);
  const Volume<float> away = distance_to_mm(p.lesion.mask), depth = signed_distance_mm(p.lesion.mask);
  const Volume<float> bone = signed_distance_mm(patient().anatomy.mask("vertebra_body_L3"));
  std::array<double, 2> count{};
  for_each_voxel(g, [&](int i, int j, int k) {
    const Eigen::Vector3d x = ct_from_mri * g.to_world(i, j, k);
    const StructureValue label = p.labels_mri(i, j, k);
    if (label != tumour && label != body) return;
    const bool core = sample_nearest(depth, x).value_or(0) < -3;
    const bool marrow = sample_nearest(away, x).value_or(0) > 4 && sample_nearest(bone, x).value_or(0) < -4;
    if (!core && !marrow) return;
    const std::size_t n = core ? 0 : 1;
    ++count[n];
    mean["t1"][n] += double(p.mri_t1.volume(i, j, k));
    mean["stir"][n] += double(p.mri_stir.volume(i, j, k));
  });
  ASSERT_GE(count[0], 10) << "thick slices of a small core";
  ASSERT_GT(count[1], 20);
  EXPECT_LT(mean["t1"][0] / count[0], 0.75 * mean["t1"][1] / count[1]);
  EXPECT_GT(mean["stir"][0] / count[0], 1.5 * mean["stir"][1] / count[1]);
}

TEST(VirtualPatient, EpiduralTumourHasItsGradeAndStaysInTheCanal) {
  const StructureValue tumour = *structure_value("tumour");
  for (const std::string escc : {"1a", "1b", "2"}) {
    const SpinePhantom p = with("lytic,posterior,size:14,epidural:" + escc);
    EXPECT_EQ(p.lesion.grade.epidural.escc, escc);
    EXPECT_EQ(p.lesion.grade.facts.escc, escc);
    EXPECT_GT(p.lesion.grade.epidural.tumour_ml, 0.02) << escc;
    const Grid& g = p.ct.volume.grid;
    int all = 0, in_disc = 0;
    for_each_voxel(g, [&](int i, int j, int k) {
      if (p.anatomy.labels(i, j, k) != tumour) return;
      const StructureValue was = *sample_nearest(patient().anatomy.labels, g.to_world(i, j, k));
      EXPECT_TRUE(!is_vertebra(was) || structure_level(was) == "L3") << structure_name(was);
      ++all;
      in_disc += structure_name(was).starts_with("disc_");
    });
    EXPECT_LT(in_disc, 0.03 * all) << escc << ": of voxels at its edge alone";
  }
}

TEST(VirtualPatient, ParaspinalMassLiesBesideItsBodyOutsideOfBoneAndCanal) {
  const SpinePhantom p = with("lytic,central,size:16,left,paraspinal"),
                     none = with("lytic,central,size:16,left");
  const Grid& g = p.ct.volume.grid;
  double outside = 0;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!p.lesion.mask(i, j, k)) return;
    const Eigen::Vector3d x = g.to_world(i, j, k);
    const StructureValue was = *sample_nearest(patient().anatomy.labels, x);
    if (is_vertebra(was)) return;
    ++outside;
    EXPECT_GT(x.x(), 0) << "left";
    EXPECT_NE(was, *structure_value("dural_sac"));
    EXPECT_NE(was, *structure_value("aorta"));
  });
  EXPECT_GT(outside * g.voxel_volume_mm3() / 1000, 0.5);
  EXPECT_GT(p.lesion.volume_ml, none.lesion.volume_ml + 0.5);
  EXPECT_EQ(p.lesion.grade.epidural.escc, "0");
}

TEST(VirtualPatient, SameSeedSameBytes) {
  const SpinePhantom a = with("mixed,anterior", 5), b = with("mixed,anterior", 5),
                     c = with("mixed,anterior", 6);
  EXPECT_EQ(a.ct.volume.values, b.ct.volume.values);
  EXPECT_EQ(a.cbct.volume.values, b.cbct.volume.values);
  EXPECT_EQ(a.mri_t2.volume.values, b.mri_t2.volume.values);
  EXPECT_NE(a.lesion.mask.values, c.lesion.mask.values);
}

TEST(VirtualPatient, RefusesByName) {
  const auto refuses = [](const std::string& lesion, const std::string& level, const std::string& words) {
    SpinePhantomOptions o;
    o.lesion = parse_lesion(lesion);
    o.lesion_level = level;
    o.spacing_mm = 2;
    EXPECT_THAT([&] { make_virtual_patient(patient(), o); }, ThrowsMessage<ConfigError>(HasSubstr(words)));
  };
  refuses("lytic,fracture:0.3", "L3", "fracture");
  refuses("lytic,size:50", "L3", "does not fit into the body of L3");
  refuses("lytic", "T9", "no voxel is labelled as T9");
  refuses("lytic", "L9", "unknown level 'L9'");
  RealPatient none;
  EXPECT_THAT([&] { make_virtual_patient(none, {}); }, ThrowsMessage<ConfigError>(HasSubstr("no CT")));
  none.ct = patient().ct;
  EXPECT_THAT([&] { make_virtual_patient(none, {}); }, ThrowsMessage<ConfigError>(HasSubstr("no labels")));
}

TEST(CtNoise, IsFoundInThePhantom) {
  const CtNoise noise = measure_ct_noise(patient().ct.volume);
  EXPECT_GT(noise.sd_HU, 8);  // drawn with 15 HU
  EXPECT_LT(noise.sd_HU, 22);
}

}  // namespace
}  // namespace spinetherm
