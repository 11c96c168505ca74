// SPDX-License-Identifier: Apache-2.0
#include "datasets/neural_shift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace spinetherm {
namespace {

SpineModel model_of(const char* range) {
  SpinePhantomOptions o;
  o.levels = parse_levels(range);
  o.spine.spread = 0;  // the table's own shifts
  return SpineModel(o);
}
double canal_z(const SpineModel& m, const std::string& level) {
  for (const auto& v : m.vertebrae())
    if (v.shape.size().level == level)
      return (v.world_from_vertebra * Eigen::Vector3d(0, v.shape.canal_y(), 0)).z();
  ADD_FAILURE() << level;
  return 0;
}

TEST(NeuralShift, TheCordMovesBackwardsByTheTable) {
  const SpineModel m = model_of("T10-L1");
  const NeuralShift shift(m, 1);
  for (const auto& [level, mm] : {std::pair{"T11", 2.2}, std::pair{"T10", 1.3}}) {
    const double z = canal_z(m, level);
    EXPECT_NEAR(shift.dorsal_mm(z), mm, 0.02) << level;
    const SpineSection s = m.section(z);
    for (const double x : {-0.5, 0.0, 0.5})  // as a whole
      EXPECT_NEAR(shift.supine_from_prone({x * s.cord_a, s.cord_y, z}).y() - s.cord_y, mm, 0.02) << level;
  }
  // At T12 by 3.4 mm, or what the fluid behind the cord allows.
  const double z = canal_z(m, "T12");
  const SpineSection s = m.section(z);
  const double room = s.sac_y + s.sac_b - s.cord_y - s.cord_b;
  EXPECT_NEAR(shift.dorsal_mm(z), std::min(3.4, 0.7 * room), 0.1);
  EXPECT_EQ(NeuralShift(m, 0).dorsal_mm(z), 0);
}

TEST(NeuralShift, NeitherTheWallOfTheSacNorBoneMoves) {
  const SpineModel m = model_of("T11-L1");
  const NeuralShift shift(m, 1);
  for (double z = m.low_mm().z(); z < m.high_mm().z(); z += 3.7) {
    const SpineSection s = m.section(z);
    for (double a = 0; a < 6.28; a += 0.3) {
      const Eigen::Vector3d wall(1.0001 * s.sac_a * std::cos(a), s.sac_y + 1.0001 * s.sac_b * std::sin(a), z);
      EXPECT_EQ(shift.supine_from_prone(wall), wall);
      const Eigen::Vector3d within(0.999 * s.sac_a * std::cos(a), s.sac_y + 0.999 * s.sac_b * std::sin(a), z);
      EXPECT_LT((shift.supine_from_prone(within) - within).norm(), 0.1);
    }
  }
}

TEST(NeuralShift, HasAnInverseAndFoldsNowhere) {
  for (const char* range : {"C4-C6", "T5-T7", "T11-L2", "L3-L5"}) {
    const SpineModel m = model_of(range);
    const NeuralShift shift(m, 1);
    double least = 1;
    for (double z = m.low_mm().z(); z < m.high_mm().z(); z += 2.3) {
      const SpineSection s = m.section(z);
      for (double x = -s.sac_a; x < s.sac_a; x += 0.9)
        for (double y = s.sac_y - s.sac_b; y < s.sac_y + s.sac_b; y += 0.4) {
          const Eigen::Vector3d p(x, y, z), q = shift.supine_from_prone(p);
          ASSERT_LT((shift.prone_from_supine(q) - p).norm(), 1e-9) << range;
          const double slope = (shift.supine_from_prone({x, y + 1e-4, z}).y() - q.y()) / 1e-4;
          least = std::min(least, slope);
        }
    }
    EXPECT_GT(least, 0.29) << range;
  }
}

TEST(NeuralShift, TheCordStaysInTheSac) {
  const SpineModel m = model_of("T8-L1");
  const NeuralShift shift(m, 1);
  for (double z = m.low_mm().z(); z < m.high_mm().z(); z += 2) {
    const SpineSection s = m.section(z);
    if (s.cord_a < 2.5) continue;
    EXPECT_LT(shift.supine_from_prone({0, s.cord_y + s.cord_b, z}).y(), s.sac_y + s.sac_b) << z;
  }
}

}  // namespace
}  // namespace spinetherm
