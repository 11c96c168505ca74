// SPDX-License-Identifier: Apache-2.0
#include "thermal/antenna_cache.h"

#include <gtest/gtest.h>

#include "tests/thermal/antenna_fixture.h"

namespace spinetherm {
namespace {

TEST(AntennaCache, GivesTheSameFieldForTheSameTissue) {
  const auto first = cached_antenna_field(slot_antenna(), everywhere(kLiver));
  EXPECT_EQ(first.get(), cached_antenna_field(slot_antenna(), everywhere(kLiver)).get());
  EXPECT_EQ(first->reflection, solve_antenna(slot_antenna(), everywhere(kLiver)).reflection);

  // Another ring of tissue, another antenna, other cells.
  const auto ringed = [](double r, double z) {
    return r < 2.5 && r > 2 && z > 5 && z < 6 ? Dielectric{20, 1} : kLiver;
  };
  EXPECT_NE(first.get(), cached_antenna_field(slot_antenna(), ringed).get());
  CoaxialAntenna other = slot_antenna();
  other.slot_to_tip_mm += 0.1;
  EXPECT_NE(first.get(), cached_antenna_field(other, everywhere(kLiver)).get());
  AntennaFieldOptions coarse;
  coarse.finest_mm = 0.05;
  EXPECT_NE(first.get(), cached_antenna_field(slot_antenna(), everywhere(kLiver), coarse).get());
}

/// The last ones are kept, the oldest is forgotten.
TEST(AntennaCache, HoldsSixteenFields) {
  AntennaFieldOptions rough;
  rough.finest_mm = 0.2;
  rough.coarsest_mm = 2;
  const auto field_at = [&](int n) {
    return cached_antenna_field(slot_antenna(), everywhere({30.0 + n, 1}), rough);
  };
  const std::weak_ptr<const AntennaField> oldest = field_at(0);
  EXPECT_FALSE(oldest.expired());
  for (int n = 1; n <= 16; ++n) field_at(n);
  EXPECT_TRUE(oldest.expired());
  EXPECT_EQ(field_at(16).get(), field_at(16).get());
}

}  // namespace
}  // namespace spinetherm
