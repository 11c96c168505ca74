// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/text.h"

#include <gtest/gtest.h>

namespace spinetherm {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("muscle", "musle"), 1);
  EXPECT_EQ(edit_distance("musle", "muscle"), 1);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);  // Levenshtein's own kind of example
  EXPECT_EQ(edit_distance("info", "inof"), 2) << "a swap counts twice";
}

TEST(NearestWord, IsTheOneOfLeastDistanceAndTheFirstOfEquals) {
  EXPECT_EQ(nearest_word("lytik", {"blastic", "lytic", "mixed"}), "lytic");
  EXPECT_EQ(nearest_word("", {"abc", "ab"}), "ab");
  EXPECT_EQ(nearest_word("x", {"a", "b"}), "a");
  EXPECT_EQ(nearest_word("anything", {}), "");
}

}  // namespace
}  // namespace spinetherm
