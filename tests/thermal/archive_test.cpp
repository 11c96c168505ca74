// SPDX-License-Identifier: Apache-2.0
#include "thermal/archive.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace spinetherm {
namespace {

struct Inner {
  float x = 0;
  std::vector<float> list;
};
void exchange_state(Archive& archive, Inner& inner) { archive(inner.x, inner.list); }

class State {
 public:
  void exchange_state(Archive& archive) {
    archive(text, flags, inners, maybe, nothing, by_key, matrix, point, cells);
  }
  std::string text;
  std::vector<bool> flags;
  std::vector<Inner> inners;
  std::optional<double> maybe, nothing = 1;
  std::map<std::size_t, std::string> by_key;
  Eigen::MatrixXd matrix;
  Eigen::Vector3d point{0, 0, 0};
  Volume<float> cells;
};

State filled() {
  State s;
  s.text = "text";
  s.flags = {true, false, true};
  s.inners = {{1.5F, {1, 2}}, {-0.0F, {}}};
  s.maybe = 3;
  s.nothing.reset();
  s.by_key = {{7, "seven"}, {9, ""}};
  s.matrix = Eigen::MatrixXd::Random(2, 3);
  s.point = {1, 2, 3};
  Grid grid;
  grid.size = {10, 5, 2};
  s.cells = Volume<float>(grid, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t c = 30; c < 47; ++c) s.cells[c] = float(c);
  return s;
}

TEST(Archive, GivesBackWhatWasWritten) {
  State before = filled(), after;
  Archive to;
  to(before);
  const std::vector<std::byte> bytes = to.written();
  Archive from(bytes);
  from(after);
  EXPECT_EQ(from.left(), 0U);
  EXPECT_EQ(after.text, before.text);
  EXPECT_EQ(after.flags, before.flags);
  ASSERT_EQ(after.inners.size(), 2U);
  EXPECT_EQ(after.inners[0].list, before.inners[0].list);
  EXPECT_TRUE(std::signbit(after.inners[1].x));
  EXPECT_EQ(after.maybe, before.maybe);
  EXPECT_EQ(after.nothing, std::nullopt);
  EXPECT_EQ(after.by_key, before.by_key);
  EXPECT_EQ(after.matrix, before.matrix);
  EXPECT_EQ(after.point, before.point);
  EXPECT_EQ(after.cells.grid, before.cells.grid);
  ASSERT_EQ(after.cells.values.size(), 100U);
  EXPECT_EQ(std::memcmp(after.cells.values.data(), before.cells.values.data(), 100 * sizeof(float)), 0);
}

TEST(Archive, CellsAtRestTakeNoRoom) {
  std::vector<float> rest(1000000, 37.0F);
  Archive to;
  to(rest);
  EXPECT_LT(to.written().size(), 100U);
  for (std::size_t n = 0; n < 1000; ++n) rest[5000 + n] = float(n);
  Archive again;
  again(rest);
  EXPECT_LT(again.written().size(), 4200U);
}

TEST(Archive, GoesToASinkInBlocks) {
  std::vector<float> numbers(700000);
  for (std::size_t n = 0; n < numbers.size(); ++n) numbers[n] = float(n);
  std::string text = "text";
  Archive whole;
  whole(text, numbers, text);
  std::vector<std::size_t> sizes;
  std::vector<std::byte> parts;
  Archive to([&](std::span<const std::byte> part) {
    sizes.push_back(part.size());
    parts.insert(parts.end(), part.begin(), part.end());
  });
  to(text, numbers, text);
  to.finish();
  EXPECT_EQ(parts, whole.written());
  EXPECT_THAT(sizes, testing::ElementsAre(Archive::kBlock, Archive::kBlock, parts.size() % Archive::kBlock));
}

/// Every way of ending too early, and lengths that cannot be.
TEST(Archive, RefusesWhatIsShortOrImpossible) {
  State s = filled();
  Archive to;
  to(s);
  const std::vector<std::byte> bytes = to.written();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    Archive from{std::span(bytes).first(n)};
    State read;
    EXPECT_THROW(from(read), CheckpointError) << n;
  }
  std::vector<std::byte> long_text(16, std::byte(0xff));
  Archive from(long_text);
  std::string text;
  EXPECT_THROW(from(text), CheckpointError);
  Archive from_list(long_text);
  std::vector<float> list;
  EXPECT_THROW(from_list(list), CheckpointError);
}

}  // namespace
}  // namespace spinetherm
