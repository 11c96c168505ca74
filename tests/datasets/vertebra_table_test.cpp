// SPDX-License-Identifier: Apache-2.0
#include "datasets/vertebra_table.h"

#include <gmock/gmock.h>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(VertebraTable, RunsFromC3ToTheSacrumInOrder) {
  const auto& rows = vertebra_table().rows;
  ASSERT_EQ(rows.size(), 23u);
  EXPECT_EQ(rows.front().level, "C3");
  EXPECT_EQ(rows.back().level, "sacrum");
  EXPECT_EQ(vertebra_size("L3").pedicle_width_mm, 10);
  EXPECT_EQ(vertebra_size("T4").pedicle_width_mm, 4.7);
  EXPECT_THAT([] { vertebra_size("C1"); }, ThrowsMessage<ConfigError>(HasSubstr("from C3 to sacrum")));
}

TEST(VertebraTable, EveryColumnHasItsSource) {
  EXPECT_EQ(vertebra_table().provenance.size(), 32u);
  for (const auto& [column, provenance] : vertebra_table().provenance)
    EXPECT_GT(provenance.source.size(), 3u) << column;
}

TEST(VertebraTable, SacFitsTheCanalAndTheCordTheSac) {
  for (const VertebraSize& v : vertebra_table().rows) {
    EXPECT_LT(v.sac_width_mm, v.canal_width_mm) << v.level;
    EXPECT_LE(v.epidural_ventral_mm + v.sac_depth_mm, v.canal_depth_mm) << v.level;
    if (v.cord_width_mm > 0) {
      EXPECT_LT(v.cord_width_mm, v.sac_width_mm) << v.level;
      EXPECT_LT(v.cord_ventral_gap_mm + v.cord_depth_mm, v.sac_depth_mm) << v.level;
    }
  }
}

TEST(VertebraTable, ThoracicCordLiesVentrally) {
  // Dorsal CSF 4.0-8.5 mm at T5-T6, ventral 1-3 mm (domain review).
  for (const char* level : {"T5", "T6"}) {
    const VertebraSize& v = vertebra_size(level);
    const double dorsal = v.sac_depth_mm - v.cord_ventral_gap_mm - v.cord_depth_mm;
    EXPECT_GE(dorsal, 4.0) << level;
    EXPECT_LE(dorsal, 8.5) << level;
    EXPECT_GE(v.cord_ventral_gap_mm, 1) << level;
    EXPECT_LE(v.cord_ventral_gap_mm, 3) << level;
  }
}

TEST(VertebraTable, RefusesAShortOrMissingColumn) {
  auto json = embedded_document("vertebrae.json");
  json["columns"]["canal_width_mm"]["values"].erase(0);
  EXPECT_THAT([&] { read_vertebrae(JsonReader(json)); },
              ThrowsMessage<ConfigError>(HasSubstr("/columns/canal_width_mm/values")));
  json = embedded_document("vertebrae.json");
  json["columns"].erase("canal_width_mm");
  EXPECT_THAT([&] { read_vertebrae(JsonReader(json)); },
              ThrowsMessage<ConfigError>(HasSubstr("canal_width_mm")));
  json = embedded_document("vertebrae.json");
  json["columns"]["canal_width_mm"].erase("sd_percent");
  EXPECT_THAT([&] { read_vertebrae(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr("spread")));
  json = embedded_document("vertebrae.json");
  json["columns"]["wedge_deg"]["sd"] = -1;
  EXPECT_THAT([&] { read_vertebrae(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr("negative")));
  json = embedded_document("vertebrae.json");
  json["columns"]["canal_width_mm"].erase("source");
  EXPECT_THAT([&] { read_vertebrae(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr("source")));
}

}  // namespace
}  // namespace spinetherm
