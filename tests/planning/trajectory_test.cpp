// SPDX-License-Identifier: Apache-2.0
#include "planning/trajectory.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "tests/planning/synthetic_spine.h"

namespace spinetherm {
namespace {

using testing::make_spine;
using testing::make_target;
using testing::SpineOptions;

TrajectoryOptions quick() {
  TrajectoryOptions o;
  o.goals = 4;
  o.step_deg = 2.5;
  return o;
}

/// Smallest distance [mm] from the axis of a path to the fixture's canal, by sampling its ellipse.
double canal_distance(const Trajectory& t) {
  double best = 1e9;
  for (double s = 0; s <= 1; s += 0.002) {
    const Eigen::Vector3d x = t.tip_mm + s * (t.entry_mm - t.tip_mm);
    for (int a = 0; a < 360; a += 2) {
      const double angle = a * 3.14159265 / 180;
      const Eigen::Vector2d wall(testing::kCanalHalfWidth * std::cos(angle),
                                 testing::kCanalHalfDepth * std::sin(angle));
      if (testing::in_canal(x.x(), x.y())) return -1;
      best = std::min(best, (x.head<2>() - wall).norm());
    }
  }
  return best;
}

TEST(FindTrajectories, GoesThroughThePedicleAndNotTheCanal) {
  const auto spine = make_spine();
  const auto target = make_target();
  const auto search = find_trajectories(spine.anatomy, target, spine.ct_HU, quick());
  ASSERT_EQ(search.termination, Termination::reached_end);
  ASSERT_FALSE(search.ranked.empty()) << ::testing::PrintToString(search.reasons);
  const Trajectory& best = search.ranked.front();
  EXPECT_EQ(best.kind, ApproachKind::transpedicular);
  EXPECT_EQ(best.side, "left");
  EXPECT_GT(best.entry_mm.x(), 0);  // the patient's left
  const Eigen::Vector3d pedicle = testing::pedicle_centre(1);
  EXPECT_LT((pedicle - best.tip_mm).cross(best.direction()).norm(),
            6);  // half of the pedicle's width and height
  for (const auto& t : search.ranked) {
    EXPECT_GE(canal_distance(t), 1.2 + 1 - 0.6) << to_string(t.kind);  // radius, rule, half a voxel
    EXPECT_GT(t.entry_mm.y(), t.tip_mm.y());                           // from behind
    EXPECT_NEAR(t.clearance_mm.at("canal"), canal_distance(t) - 1.2, 1.1);
  }
}

TEST(FindTrajectories, TipLiesBeyondTheGoalAndShortOfTheFrontCortex) {
  const auto spine = make_spine();
  auto o = quick();
  o.tip_beyond_goal_mm = 10;
  for (const auto& t : find_trajectories(spine.anatomy, make_target(), spine.ct_HU, o).ranked) {
    EXPECT_NEAR((t.tip_mm - t.goal_mm).norm(), 10, 1e-9);
    EXPECT_GT((t.tip_mm - t.goal_mm).dot(t.direction()), 9.99);
    EXPECT_GT(t.tip_mm.y(), -43 + 2);  // the body's front is at -43
  }
}

TEST(FindTrajectories, EntryLiesOnTheSkin) {
  const auto spine = make_spine();
  for (const auto& t : find_trajectories(spine.anatomy, make_target(), spine.ct_HU, quick()).ranked) {
    EXPECT_FALSE(t.entry_on_image_edge);
    const double r = std::hypot(t.entry_mm.x() / 74, (t.entry_mm.y() + 10) / 80);
    EXPECT_NEAR(r, 1, 0.03);
  }
}

TEST(FindTrajectories, EntryOnTheImageEdgeIsStated) {
  SpineOptions crop;
  crop.edge_mm = 45;
  auto spine = make_spine(crop);
  const auto search = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, quick());
  ASSERT_FALSE(search.ranked.empty());
  int on_edge = 0;
  for (const auto& t : search.ranked) {
    EXPECT_LE(t.entry_mm.y(), 45.6);
    if (!t.entry_on_image_edge) {  // steep ones still leave through the flank
      EXPECT_NEAR(std::hypot(t.entry_mm.x() / 74, (t.entry_mm.y() + 10) / 80), 1, 0.03);
      continue;
    }
    EXPECT_GT(t.entry_mm.y(), 42);
    ++on_edge;
    EXPECT_THAT(t.reasons, ::testing::Contains(::testing::HasSubstr("edge of the image")));
  }
  EXPECT_GT(on_edge, 0);
}

TEST(FindTrajectories, ARightTargetIsReachedFromTheRight) {
  const auto spine = make_spine();
  const auto search = find_trajectories(spine.anatomy, make_target({-9, -23, 2}), spine.ct_HU, quick());
  ASSERT_FALSE(search.ranked.empty());
  EXPECT_EQ(search.ranked.front().side, "right");
  EXPECT_LT(search.ranked.front().entry_mm.x(), 0);
}

TEST(FindTrajectories, WorksOnCoarseLabelsAndWithAnEstimatedCanal) {
  SpineOptions o;
  o.spacing_mm = 3;
  o.canal = o.content = false;
  const auto spine = make_spine(o);
  const auto search = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, quick());
  ASSERT_FALSE(search.ranked.empty()) << ::testing::PrintToString(search.reasons);
  EXPECT_EQ(search.ranked.front().kind, ApproachKind::transpedicular);
  EXPECT_GT(canal_distance(search.ranked.front()), 0.5);
}

TEST(FindTrajectories, ResultDoesNotDependOnTheThreads) {
  const auto spine = make_spine();
  auto o = quick();
  o.threads = 1;
  const auto one = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, o);
  o.threads = 2;
  const auto two = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, o);
  EXPECT_EQ(one.rejected_by, two.rejected_by);
  ASSERT_EQ(one.ranked.size(), two.ranked.size());
  for (std::size_t n = 0; n < one.ranked.size(); ++n) {
    EXPECT_EQ(one.ranked[n].tip_mm, two.ranked[n].tip_mm);
    EXPECT_EQ(one.ranked[n].entry_mm, two.ranked[n].entry_mm);
    EXPECT_EQ(one.ranked[n].score, two.ranked[n].score);
  }
}

TEST(FindTrajectories, CountsWhatEachLimitAloneRemoves) {
  const auto spine = make_spine();
  auto o = quick();
  const auto free = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, o);
  EXPECT_GT(free.rejected_by.at("corridor"), 0);
  EXPECT_EQ(free.rejected_by.count("length"), 0U);
  o.length_mm = 60;  // less than the way from the skin
  const auto shorter = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, o);
  EXPECT_EQ(shorter.accepted, 0);
  EXPECT_TRUE(shorter.ranked.empty());
  // Whatever kept all other limits is now removed by the length alone.
  EXPECT_EQ(shorter.rejected_by.at("length"), free.accepted);
  EXPECT_THAT(shorter.reasons, ::testing::Contains(::testing::HasSubstr("'length' alone removes")));
}

TEST(FindTrajectories, WithoutACanalThereIsNoPathAndTheReasonIsSaid) {
  SpineOptions o;
  o.canal = o.content = o.pedicles = false;
  const auto spine = make_spine(o);
  const auto search = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, quick());
  EXPECT_TRUE(search.ranked.empty());
  EXPECT_THAT(search.reasons, ::testing::Contains(::testing::HasSubstr("the canal is not known")));
}

TEST(FindTrajectories, AVesselInThePedicleClosesIt) {
  auto spine = make_spine();
  const Grid& g = spine.anatomy.labels.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        if (x.x() > 12 && (x - Eigen::Vector3d(16, 12, 8)).norm() < 9)
          spine.anatomy.labels(i, j, k) = *structure_value("aorta");
      }
  const auto search = find_trajectories(spine.anatomy, make_target(), spine.ct_HU, quick());
  EXPECT_GT(search.rejected_by.at("vessels"), 0);
  for (const auto& t : search.ranked) EXPECT_GE(t.clearance_mm.at("vessels"), 3);
}

TEST(FindTrajectories, CanBeCancelledAndRefusesBadOptions) {
  const auto spine = make_spine();
  std::stop_source stop;
  stop.request_stop();
  const auto search =
      find_trajectories(spine.anatomy, make_target(), spine.ct_HU, quick(), {{}, stop.get_token()});
  EXPECT_EQ(search.termination, Termination::cancelled);
  auto o = quick();
  o.step_deg = 0;
  EXPECT_THAT([&] { find_trajectories(spine.anatomy, make_target(), spine.ct_HU, o); },
              ::testing::ThrowsMessage<ConfigError>(::testing::HasSubstr("TrajectoryOptions.step_deg = 0")));
}

}  // namespace
}  // namespace spinetherm
