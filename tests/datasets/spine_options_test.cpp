// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_options.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(SpineOptions, EveryVariantHasAWordThatIsReadBack) {
  for (const SpineVariant v :
       {SpineVariant::none, SpineVariant::t13, SpineVariant::ribs_11, SpineVariant::cervical_rib,
        SpineVariant::lumbarised_s1, SpineVariant::sacralised_l5})
    EXPECT_EQ(parse_spine_variant(to_string(v)), v);
  EXPECT_THAT([] { parse_spine_variant("t14"); },
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 't13'")));
}

TEST(SpineOptions, VariantsAddALevelWhereItBelongs) {
  const auto usual = spine_levels(SpineVariant::none), t13 = spine_levels(SpineVariant::t13),
             l6 = spine_levels(SpineVariant::lumbarised_s1);
  EXPECT_EQ(usual.front(), "C3");
  EXPECT_EQ(usual.back(), "sacrum");
  EXPECT_EQ(t13.size(), usual.size() + 1);
  EXPECT_EQ(*(std::find(t13.begin(), t13.end(), "T12") + 1), "T13");
  EXPECT_EQ(*(std::find(t13.begin(), t13.end(), "T13") + 1), "L1");
  EXPECT_EQ(l6[l6.size() - 2], "L6");
}

TEST(SpineOptions, WhatNoSpineHasIsRefusedByName) {
  const auto refuses = [](const char* name, const auto& change) {
    SpineOptions o;
    EXPECT_NO_THROW(o.validate());
    change(o);
    EXPECT_THAT([&] { o.validate(); }, ThrowsMessage<ConfigError>(HasSubstr(name)));
  };
  refuses("SpineOptions.size", [](auto& o) { o.size = 1.5; });
  refuses("SpineOptions.age_years", [](auto& o) { o.age_years = 12; });
  refuses("SpineOptions.kyphosis_deg", [](auto& o) { o.kyphosis_deg = 90; });
  refuses("SpineOptions.lordosis_deg", [](auto& o) { o.lordosis_deg = -5; });
  refuses("SpineOptions.cervical_lordosis_deg", [](auto& o) { o.cervical_lordosis_deg = 60; });
  refuses("SpineOptions.scoliosis_deg", [](auto& o) { o.scoliosis_deg = 41; });
  refuses("SpineOptions.degeneration", [](auto& o) { o.degeneration = 1.1; });
  refuses("SpineOptions.spread", [](auto& o) { o.spread = -0.1; });
}

}  // namespace
}  // namespace spinetherm
