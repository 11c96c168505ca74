// SPDX-License-Identifier: Apache-2.0
#include "datasets/antenna_geometry.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

TEST(AntennaGeometry, SurvivesWritingAndReading) {
  const CoaxialAntenna a{915, 0.1, 0.4, 0.6, 0.9, 2.1, 2.6, 8, 9, 0.3, 0.6};
  nlohmann::json j = to_json(a);
  EXPECT_EQ(j.size(), 11U);
  EXPECT_EQ(read_antenna_geometry(JsonReader(j)), a);
  j.erase("slot_to_tip_mm");
  EXPECT_THROW(read_antenna_geometry(JsonReader(j)), ConfigError);
}

}  // namespace
}  // namespace spinetherm
