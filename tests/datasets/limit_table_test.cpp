// SPDX-License-Identifier: Apache-2.0
#include "datasets/limit_table.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const ExposureLimit& limit(const std::string& id) {
  const auto& all = limit_table();
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& l) { return l.id == id; });
  if (it == all.end()) throw std::runtime_error("no limit " + id);
  return *it;
}

TEST(LimitTable, EveryClassHasLimitsAndEveryLimitASource) {
  std::set<std::string> classes;
  for (const ExposureLimit& l : limit_table()) {
    classes.insert(l.structure);
    EXPECT_FALSE(l.source.empty()) << l.id;
    EXPECT_FALSE(l.text.empty()) << l.id;
  }
  for (const std::string& c : limit_classes()) EXPECT_TRUE(classes.count(c)) << c;
}

TEST(LimitTable, HeatAndColdOfTheNeuralClassesAreAllThere) {
  for (const char* c : {"dura", "cord", "cauda", "motor_root", "thoracic_root"})
    for (const char* q : {"peak_degC", "cem43_min", "lowest_degC"})
      EXPECT_TRUE(std::any_of(limit_table().begin(), limit_table().end(),
                              [&](const auto& l) { return l.structure == c && l.quantity == q && l.unsafe; }))
          << c << " " << q;
}

TEST(LimitTable, HoldsTheNumbersOfTheVerdictTable) {
  const auto is = [](const char* id, std::optional<double> caution, std::optional<double> unsafe,
                     bool above) {
    EXPECT_EQ(limit(id).caution, caution) << id;
    EXPECT_EQ(limit(id).unsafe, unsafe) << id;
    EXPECT_EQ(limit(id).above, above) << id;
  };
  is("dura-heat-peak", 42, 45, true);
  is("dura-heat-dose", 2, 10, true);
  is("dura-cold", 15, 5, false);
  is("dura-ice-edge", 5, 2, false);
  is("cord-heat-peak", 42, 44, true);
  is("cord-cold", 20, 10, false);
  is("cauda-heat-peak", 42, 45, true);
  is("motor-root-heat-peak", 43, 45, true);
  is("motor-root-cold", 10, 0, false);
  is("vessel-heat-peak", 42, 45, true);
  is("skin-heat-dose", 10, 41, true);
  is("skin-heat-peak", std::nullopt, 48, true);
  is("intact-wall-active-part", 10, 5, false);
  is("wall-defect-active-part", std::nullopt, 5, false);
  is("sensor-mismatch", 2, 4, true);
  EXPECT_EQ(limit("vessel-heat-peak").unsafe_with, "vessel-heat-dose");
  EXPECT_EQ(limit("vessel-heat-dose").unsafe_with, "vessel-heat-peak");
}

TEST(LimitTable, RefusesWhatNobodyKnows) {
  const auto message = [](auto change) {
    auto json = embedded_document("limits.json");
    change(json["limits"][0]);
    try {
      read_limits(JsonReader(json));
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(message([](auto& l) { l["structure"] = "durra"; }), HasSubstr("/limits/0"));
  EXPECT_THAT(message([](auto& l) { l["quantity"] = "peak_K"; }), HasSubstr("/limits/0"));
  EXPECT_THAT(message([](auto& l) { l["confidence"] = "H"; }), HasSubstr("/limits/0/confidence"));
  EXPECT_THAT(message([](auto& l) { l["source"] = ""; }), HasSubstr("/limits/0/source"));
  EXPECT_THAT(message([](auto& l) { l["id"] = "cord-cold"; }), HasSubstr("cord-cold"));
}

}  // namespace
}  // namespace spinetherm
