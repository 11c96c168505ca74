// SPDX-License-Identifier: Apache-2.0
#include "imaging/label_conventions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(LabelConventions, TablesAreWholeAndUnique) {
  for (const auto& [name, count] : std::vector<std::pair<std::string, std::size_t>>{
           {"totalsegmentator-v2", 117}, {"totalsegmentator-v1", 104}, {"verse", 28}}) {
    const LabelConvention& c = label_convention(name);
    EXPECT_EQ(c.values.size(), count);
    std::set<std::string> names;
    for (std::size_t n = 0; n < c.values.size(); ++n) {
      EXPECT_EQ(c.values[n].value, n + 1);
      EXPECT_FALSE(structure_name(c.values[n].structure).empty());
      names.insert(c.values[n].foreign_name);
    }
    EXPECT_EQ(names.size(), count);
  }
}

TEST(LabelConventions, TheNumberTwentyMeansThreeThings) {
  const auto name = [](const char* convention, std::uint32_t value) {
    return structure_name(label_convention(convention).find(value)->structure);
  };
  EXPECT_EQ(name("totalsegmentator-v2", 20), "bowel");
  EXPECT_EQ(name("totalsegmentator-v1", 20), "vertebra_L3");
  EXPECT_EQ(name("verse", 20), "vertebra_L1");
  EXPECT_EQ(name("totalsegmentator-v2", 29), "vertebra_L3");
  EXPECT_EQ(name("totalsegmentator-v2", 43), "vertebra_T1");
  EXPECT_EQ(name("totalsegmentator-v2", 50), "vertebra_C1");
  EXPECT_EQ(name("totalsegmentator-v2", 79), "cord");
  EXPECT_EQ(name("totalsegmentator-v2", 12), "lung_right");
  EXPECT_EQ(name("totalsegmentator-v1", 92), "vertebra_sacrum");
  EXPECT_EQ(name("totalsegmentator-v1", 7), "aorta");
  EXPECT_EQ(name("verse", 28), "vertebra_T13");
  EXPECT_EQ(name("spinetherm", *structure_value("cord")), "cord");
  EXPECT_EQ(label_convention("verse").find(29), nullptr);
}

TEST(LabelConventions, UnknownNameIsRefusedWithTheNearest) {
  EXPECT_THAT([] { label_convention("totalsegmentator"); },
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 'totalsegmentator-v")));
}

TEST(LabelConventions, OwnValuesAreTheTableOfStructures) {
  const LabelConvention& own = label_convention("spinetherm");
  EXPECT_FALSE(own.expects_vertebrae) << "our own maps may hold anything";
  ASSERT_EQ(own.values.size(), structure_table().size());
  for (const auto& [value, name] : structure_table()) {
    ASSERT_NE(own.find(value), nullptr) << name;
    EXPECT_EQ(own.find(value)->structure, value) << name;
  }
}

TEST(LabelConventions, OnlyTotalSegmentatorsCordRunsOnToTheSacrum) {
  for (const LabelConvention& c : label_conventions()) {
    EXPECT_EQ(c.cord_holds_cauda, c.name.starts_with("totalsegmentator")) << c.name;
    EXPECT_TRUE(
        std::is_sorted(c.values.begin(), c.values.end(),
                       [](const LabelMeaning& a, const LabelMeaning& b) { return a.value < b.value; }))
        << c.name << ": find() searches by halves";
  }
}

TEST(LabelConventions, SidesAreThoseOfTheirNames) {
  for (const LabelConvention& c : label_conventions())
    for (const LabelMeaning& m : c.values) {
      const std::string name(structure_name(m.structure));
      if (name.ends_with("_left") || name.ends_with("_right")) {
        EXPECT_NE(m.foreign_name.find(name.ends_with("_left") ? "left" : "right"), std::string::npos)
            << c.name << " " << m.foreign_name << " -> " << name;
      }
    }
}

TEST(LabelConventions, EveryForeignKindHasValuesAndAReason) {
  for (const ForeignLabelKind& kind : foreign_label_kinds()) {
    EXPECT_FALSE(kind.values.empty()) << kind.name;
    EXPECT_THAT(kind.reason, HasSubstr("give ")) << kind.name << ": says what to do";
  }
}

}  // namespace
}  // namespace spinetherm
