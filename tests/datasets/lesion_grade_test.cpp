// SPDX-License-Identifier: Apache-2.0
#include "datasets/lesion_grade.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

StructureValue value(const char* name) { return *structure_value(name); }

/// A straight canal drawn on a grid of 0.5 mm: sac of radius 7, cord of radius 3 in its middle.
struct DrawnCanal {
  Volume<StructureValue> before;
  DrawnCanal() : before(box_grid({-12, -12, 0}, {12, 12, 8}, 0.5)) {
    paint(before, "canal", {0, 0}, 9);
    paint(before, "dural_sac", {0, 0}, 7);
    paint(before, "cord", {0, 0}, 3);
  }
  static void paint(Volume<StructureValue>& labels, const char* name, const Eigen::Vector2d& centre,
                    double radius) {
    for (int k = 0; k < labels.grid.size[2]; ++k)
      for (int j = 0; j < labels.grid.size[1]; ++j)
        for (int i = 0; i < labels.grid.size[0]; ++i)
          if ((labels.grid.to_world(i, j, k).head<2>() - centre).norm() < radius)
            labels(i, j, k) = value(name);
  }
  /// All of the canal in front of y is tumour.
  static void fill_front(Volume<StructureValue>& labels, double y) {
    for (int k = 0; k < labels.grid.size[2]; ++k)
      for (int j = 0; j < labels.grid.size[1]; ++j)
        for (int i = 0; i < labels.grid.size[0]; ++i)
          if (labels(i, j, k) != 0 && labels.grid.to_world(i, j, k).y() < y)
            labels(i, j, k) = value("tumour");
  }
};

TEST(EpiduralGrade, DrawnCanalsHaveTheGradeThatARadiologistWouldGive) {
  const DrawnCanal canal;
  const auto grade = [&](double y) {
    Volume<StructureValue> labels = canal.before;
    DrawnCanal::fill_front(labels, y);
    return measure_epidural(labels, canal.before);
  };
  EXPECT_EQ(measure_epidural(canal.before, canal.before).escc, "0");
  EXPECT_EQ(grade(-7.1).escc, "1a");  // epidural fat only
  const EpiduralMeasure b = grade(-4.6);
  EXPECT_EQ(b.escc, "1b");  // in the sac's place, off the cord
  EXPECT_NEAR(*b.cord_gap_mm, 1.5, 0.51);
  EXPECT_EQ(grade(-2.8).escc, "1c");
  EXPECT_EQ(grade(-1.0).escc, "2");
  Volume<StructureValue> flat = canal.before;  // all CSF gone, half of the cord left
  DrawnCanal::fill_front(flat, 0);
  for (auto& v : flat.values)
    if (v == value("dural_sac")) v = value("tumour");
  const EpiduralMeasure three = measure_epidural(flat, canal.before);
  EXPECT_EQ(three.escc, "3");
  EXPECT_NEAR(*three.cord_ratio, 0.5, 0.06);
  EXPECT_EQ(*three.csf_left, 0);
}

TEST(EpiduralGrade, BelowTheConusTheSacStandsForTheCord) {
  DrawnCanal canal;
  for (auto& v : canal.before.values)
    if (v == value("cord")) v = value("cauda");
  const auto grade = [&](double y) {
    Volume<StructureValue> labels = canal.before;
    DrawnCanal::fill_front(labels, y);
    return measure_epidural(labels, canal.before);
  };
  EXPECT_EQ(grade(-5).escc, "1b");
  EXPECT_EQ(grade(-2).escc, "1c");
  EXPECT_EQ(grade(1.5).escc, "2");
  EXPECT_EQ(grade(5).escc, "3");
  EXPECT_FALSE(grade(5).by_cord);
  EXPECT_FALSE(grade(5).cord_gap_mm.has_value());
}

TEST(EpiduralGrade, RefusesGridsThatDiffer) {
  const DrawnCanal canal;
  Volume<StructureValue> other(box_grid({0, 0, 0}, {5, 5, 5}, 1));
  EXPECT_THROW(measure_epidural(other, canal.before), ConfigError);
}

SpinePhantomOptions with(const std::string& levels, const std::string& words, std::uint64_t seed = 1) {
  SpinePhantomOptions o;
  o.levels = parse_levels(levels);
  o.lesion = parse_lesion(words);
  o.seed = seed;
  return o;
}

/// The phantom's canal behind the lesion, with or without it.
Volume<StructureValue> canal_labels(const SpineModel& m, double spacing, bool with_lesion) {
  const Eigen::Vector3d c = m.lesion().centre_mm;
  const SpineSection s = m.section(c.z());
  Volume<StructureValue> out(
      box_grid({-16, s.canal_y - 14, c.z() - 24}, {16, s.canal_y + 14, c.z() + 24}, spacing));
  for (int k = 0; k < out.grid.size[2]; ++k)
    for (int j = 0; j < out.grid.size[1]; ++j)
      for (int i = 0; i < out.grid.size[0]; ++i) {
        const Eigen::Vector3d x = out.grid.to_world(i, j, k);
        out(i, j, k) = (with_lesion ? m.at(x) : m.healthy_at(x)).label;
      }
  return out;
}

class EpiduralGradeOf : public testing::TestWithParam<std::tuple<const char*, const char*>> {};
TEST_P(EpiduralGradeOf, PhantomIsTheOneThatWasAskedFor) {
  const auto [level, escc] = GetParam();
  for (std::uint64_t seed : {1, 2}) {
    const SpineModel m(with(level, std::string("lytic,posterior,epidural:") + escc, seed));
    const LesionGrade grade = m.grade();
    EXPECT_EQ(grade.facts.escc, escc);
    EXPECT_EQ(grade.epidural.escc, escc);
    // The labels of a CT show the same or the next grade: the film of CSF between 1b and 1c is thinner than a
    // voxel. The thin layer of grade 1a and the conus, 24 voxels of 1 mm, are beyond them.
    if (std::string(escc) != "1a" && std::string(level) != "L1") {
      const std::vector<std::string> grades = {"0", "1a", "1b", "1c", "2", "3"};
      const auto rank = [&](const std::string& g) { return std::ranges::find(grades, g) - grades.begin(); };
      const std::string coarse = measure_epidural(canal_labels(m, 1, true), canal_labels(m, 1, false)).escc;
      EXPECT_LE(std::abs(rank(coarse) - rank(escc)), 1) << "at 1 mm " << coarse;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(AllLevels, EpiduralGradeOf,
                         testing::Combine(testing::Values("C5", "T1", "T7", "T11", "L1", "L3", "L5"),
                                          testing::Values("0", "1a", "1b", "1c", "2", "3")),
                         [](const auto& i) {
                           return std::string(std::get<0>(i.param)) + "_" + std::get<1>(i.param);
                         });

TEST(EpiduralCurtain, IsTwoLobedAndTheCordYieldsWithoutHoles) {
  const SpineModel m(with("T6-T8", "lytic,posterior,epidural:1b"));
  const double z = m.lesion().curtain.z_mm;
  const SpineSection s = m.section(z);
  const auto depth = [&](double x) {
    double thick = 0;
    for (double y = s.canal_y - s.canal_b - 1; y < s.canal_y + s.canal_b; y += 0.05)
      thick += m.at({x, y, z}).label == value("tumour") ? 0.05 : 0;
    return thick;
  };
  EXPECT_GT(depth(0.45 * s.canal_a), depth(0) + 0.5);  // the ligament holds the middle
  EXPECT_GT(depth(-0.45 * s.canal_a), depth(0) + 0.3);
  EXPECT_GE(depth(0.45 * s.canal_a), depth(-0.45 * s.canal_a) - 0.06);  // thicker on its side
  // Compressed canals: from front to back no label comes twice, and the cord's area goes down smoothly.
  const SpineModel three(with("T6-T8", "lytic,posterior,epidural:3"));
  const double z3 = three.lesion().curtain.z_mm;
  const SpineSection s3 = three.section(z3);
  double last = -1, jump = 0;
  for (double off = 0; off < 16; off += 0.25) {
    double area = 0;
    for (double x = -8; x <= 8; x += 0.25)
      for (double y = s3.canal_y - s3.canal_b; y < s3.canal_y + s3.canal_b; y += 0.25)
        area +=
            three.at({x, y + three.section(z3 + off).canal_y - s3.canal_y, z3 + off}).label == value("cord");
    area *= 0.0625;
    if (last > 0) jump = std::max(jump, std::abs(area - last));
    last = area;
  }
  EXPECT_LT(jump, 6) << "mm2 in a quarter of a millimetre";
}

TEST(LesionGrade, SinsOfThePhantom) {
  const LesionGrade small = SpineModel(with("T8", "lytic,central,size:10")).grade();
  EXPECT_EQ(small.facts.level, "T8");
  EXPECT_EQ(small.facts.collapse, 0);
  EXPECT_EQ(small.facts.alignment_points, 0);
  EXPECT_EQ(small.facts.posterolateral_sides, 0);
  EXPECT_EQ(small.facts.posterior_wall_defect_mm, 0);
  EXPECT_LT(*small.facts.body_involved, 0.2);
  EXPECT_EQ(small.sins_imaging, 1 + 2);  // semirigid, lytic
  EXPECT_EQ(small.sins.lowest, 3);
  EXPECT_EQ(small.sins.highest, 6);  // pain 0-3
  EXPECT_THAT(small.sins.unknown_items, testing::ElementsAre("pain"));

  const LesionGrade bad =
      SpineModel(with("T6", "lytic,posterior,pedicle,both,size:22,fracture:0.6,epidural:2")).grade();
  EXPECT_NEAR(*bad.facts.collapse, 0.6, 0.08);
  EXPECT_EQ(bad.facts.alignment_points, 2);
  EXPECT_EQ(bad.facts.posterolateral_sides, 2);
  EXPECT_EQ(bad.sins_imaging, 1 + 2 + 2 + 3 + 3);
  EXPECT_EQ(bad.facts.escc, "2");

  const LesionGrade sacral = SpineModel(with("L5-S1", "blastic,central,size:12")).grade();
  EXPECT_EQ(sacral.facts.level, "S1");
  EXPECT_EQ(sacral.sins_imaging, 3);  // junction, blastic
}

TEST(LesionGrade, MeasuresWhatWasAskedFor) {
  for (double share : {0.15, 0.3, 0.5})
    EXPECT_NEAR(*SpineModel(with("L2", "lytic,central,size:12,fracture:" + std::to_string(share)))
                     .grade()
                     .facts.collapse,
                share, 0.06);
  for (double width : {5.0, 8.0}) {
    const LesionGrade g =
        SpineModel(with("L3", "lytic,posterior,wall-defect:" + std::to_string(width))).grade();
    EXPECT_NEAR(*g.facts.posterior_wall_defect_mm, width, 1.6);
  }
  EXPECT_EQ(SpineModel(with("L3", "mixed,posterior,pedicle,right")).grade().facts.posterolateral_sides, 1);
  const LesionGrade large = SpineModel(with("L3", "lytic,central,size:44")).grade();
  EXPECT_GT(*large.facts.body_involved, 0.5);
  EXPECT_GT(large.body_volume_ml, 20);
}

TEST(MaskExtent, OfASphereAndABox) {
  Volume<std::uint8_t> mask(box_grid({-12, -12, -12}, {12, 12, 12}, 0.5));
  EXPECT_EQ(measure_extent(mask).largest_diameter_mm, 0);
  for (int k = 0; k < mask.grid.size[2]; ++k)
    for (int j = 0; j < mask.grid.size[1]; ++j)
      for (int i = 0; i < mask.grid.size[0]; ++i)
        mask(i, j, k) = mask.grid.to_world(i, j, k).cwiseQuotient(Eigen::Vector3d(10, 5, 8)).norm() < 1;
  EXPECT_NEAR(measure_extent(mask).largest_diameter_mm, 20, 0.7);
  EXPECT_NEAR(measure_extent(mask).box_mm.y(), 10, 0.6);
  EXPECT_NEAR(measure_extent(mask).box_mm.z(), 16, 0.6);
}

}  // namespace
}  // namespace spinetherm
