// SPDX-License-Identifier: Apache-2.0
#include "planning/labelled_canal.h"

#include <gtest/gtest.h>

#include "imaging/core/error.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using testing::make_spine;
using testing::SpineOptions;

const Grid kRoi = box_grid({-40, -40, -30}, {40, 40, 30}, 1);

/// Overlap with the tube the fixture is made of.
double dice(const Volume<std::uint8_t>& mask) {
  double both = 0, sum = 0;
  const Grid& g = mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const bool truth = testing::in_canal(x.x(), x.y());
        both += truth && mask(i, j, k);
        sum += double(truth) + double(mask(i, j, k) != 0);
      }
  return 2 * both / sum;
}

TEST(FindLabelledCanal, TakesTheLabelWithItsContent) {
  const LabelledCanal c = find_labelled_canal(make_spine().anatomy, kRoi);
  EXPECT_EQ(c.status, StructureStatus::imported);
  EXPECT_GT(dice(c.mask), 0.999);
}

TEST(FindLabelledCanal, EstimatesTheRingAndCarriesItThroughTheForamina) {
  SpineOptions o;
  o.canal = o.content = false;
  const LabelledCanal c = find_labelled_canal(make_spine(o).anatomy, kRoi);
  EXPECT_EQ(c.status, StructureStatus::estimated);
  EXPECT_GT(dice(c.mask), 0.95);
  o.spacing_mm = 3;  // as a routine CT
  EXPECT_GT(dice(find_labelled_canal(make_spine(o).anatomy, kRoi).mask), 0.85);
}

TEST(FindLabelledCanal, IsMissingWhereNothingEnclosesIt) {
  SpineOptions o;
  o.canal = o.content = o.pedicles = false;
  const LabelledCanal c = find_labelled_canal(make_spine(o).anatomy, kRoi);
  EXPECT_EQ(c.status, StructureStatus::missing);
  EXPECT_TRUE(c.mask.empty());
  o.content = true;  // a cord alone tells nothing of the wall
  EXPECT_TRUE(find_labelled_canal(make_spine(o).anatomy, kRoi).mask.empty());
}

TEST(FindLabelledCanal, ADiscInAHollowEndplateIsNoCanal) {
  SpineOptions o;
  o.canal = o.content = false;
  auto spine = make_spine(o);
  const Grid& g = spine.anatomy.labels.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        if (x.z() > 9 && x.z() < 20 && testing::in_ellipse(x.x(), x.y(), 0, -28, 14, 10))
          spine.anatomy.labels(i, j, k) = 0;
      }
  const LabelledCanal c = find_labelled_canal(spine.anatomy, kRoi);
  EXPECT_GT(dice(c.mask), 0.95);
  EXPECT_EQ(sample_nearest(c.mask, {0, -28, 12}), 0);
}

TEST(FindLabelledCanal, RefusesAnObliqueGrid) {
  Grid oblique = kRoi;
  oblique.direction.col(0).swap(oblique.direction.col(1));
  EXPECT_THROW(find_labelled_canal(make_spine().anatomy, oblique), ConfigError);
}

}  // namespace
}  // namespace spinetherm
