// SPDX-License-Identifier: Apache-2.0
#include "thermal/active_rows.h"

#include <gtest/gtest.h>

namespace spinetherm {
namespace {

RowStretches one_cell(const ActiveRows& rows, int i, int j, int k) {
  RowStretches s = no_stretches(rows.size);
  s.begin[rows.row(j, k)] = i;
  s.end[rows.row(j, k)] = i + 1;
  return s;
}

bool is_active(const ActiveRows& rows, int i, int j, int k) {
  return i >= rows.begin[rows.row(j, k)] && i < rows.end[rows.row(j, k)];
}

TEST(ActiveRows, AllOrNothing) {
  const ActiveRows none = make_active_rows({5, 6, 7}, false), all = make_active_rows({5, 6, 7}, true);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.cells(), 0);
  EXPECT_FALSE(all.empty());
  EXPECT_EQ(all.cells(), 5 * 6 * 7);
  EXPECT_EQ(all.high, (std::array<int, 3>{5, 6, 7}));
}

TEST(ActiveRows, ABoxIsCutToTheGrid) {
  ActiveRows rows = make_active_rows({5, 6, 7}, false);
  EXPECT_TRUE(include_box(rows, {3, -2, 5}, {9, 2, 7}));
  EXPECT_EQ(rows.cells(), 2 * 2 * 2);
  EXPECT_EQ(rows.low, (std::array<int, 3>{3, 0, 5}));
  EXPECT_EQ(rows.high, (std::array<int, 3>{5, 2, 7}));
  EXPECT_FALSE(include_box(rows, {3, 0, 5}, {5, 2, 7}));
}

TEST(ActiveRows, CellsBelowAPlaneAreCounted) {
  ActiveRows rows = make_active_rows({5, 6, 7}, false);
  include_box(rows, {0, 0, 2}, {5, 1, 4});
  EXPECT_EQ(rows.cells_below[2], 0);
  EXPECT_EQ(rows.cells_below[3], 5);
  EXPECT_EQ(rows.cells_below[7], 10);
}

TEST(ActiveRows, WarmthInTheMiddleDoesNotMakeThemGrow) {
  ActiveRows rows = make_active_rows({20, 20, 20}, false);
  include_box(rows, {5, 5, 5}, {12, 12, 12});
  EXPECT_FALSE(grow(rows, one_cell(rows, 8, 8, 8), 3));
  EXPECT_EQ(rows.cells(), 7 * 7 * 7);
}

TEST(ActiveRows, WarmthAtTheEdgeMakesThemGrowOnAllSidesOfIt) {
  ActiveRows rows = make_active_rows({20, 20, 20}, false);
  include_box(rows, {5, 5, 5}, {12, 12, 12});
  EXPECT_TRUE(grow(rows, one_cell(rows, 11, 8, 8), 3));
  EXPECT_TRUE(is_active(rows, 14, 8, 8));
  EXPECT_FALSE(is_active(rows, 15, 8, 8));
  EXPECT_TRUE(is_active(rows, 14, 11, 8));
  EXPECT_FALSE(is_active(rows, 14, 12, 8));
  EXPECT_TRUE(is_active(rows, 14, 8, 5));
  EXPECT_TRUE(is_active(rows, 5, 5, 5)) << "what was active stays so";
  EXPECT_FALSE(is_active(rows, 13, 4, 4));
}

TEST(ActiveRows, AtTheEdgeOfTheGridNothingIsLeftToGrow) {
  ActiveRows rows = make_active_rows({6, 6, 6}, true);
  EXPECT_FALSE(grow(rows, one_cell(rows, 5, 0, 5), 3));
}

TEST(ActiveRows, StretchesFillWholeUnits) {
  ActiveRows rows = make_active_rows({40, 5, 5}, false);
  rows.unit = 16;
  ASSERT_TRUE(include_box(rows, {18, 2, 2}, {34, 3, 3}));
  EXPECT_EQ(rows.begin[rows.row(2, 2)], 16);
  EXPECT_EQ(rows.end[rows.row(2, 2)], 40) << "the row ends before the unit";
  EXPECT_EQ(rows.cells(), 24);
}

TEST(ActiveRows, KnowsWhatIsReadOfTheRowsAround) {
  ActiveRows rows = make_active_rows({40, 5, 5}, false);
  ASSERT_TRUE(include_box(rows, {10, 2, 2}, {20, 3, 3}));
  const auto reach = [&](int j, int k) { return rows.reach[rows.row(j, k)]; };
  EXPECT_EQ(reach(2, 2), (ActiveRows::Reach{9, 21, 10, 20}));
  // Flows to the stretch are worked out in the row and plane before it, not behind.
  EXPECT_EQ(reach(1, 2), (ActiveRows::Reach{9, 21, 10, 20}));
  EXPECT_EQ(reach(2, 1), (ActiveRows::Reach{9, 21, 10, 20}));
  EXPECT_EQ(reach(3, 2), (ActiveRows::Reach{9, 21, 0, 0}));
  EXPECT_EQ(reach(2, 3), (ActiveRows::Reach{9, 21, 0, 0}));
  EXPECT_EQ(reach(1, 1), ActiveRows::Reach{});
}

}  // namespace
}  // namespace spinetherm
