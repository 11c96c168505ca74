// SPDX-License-Identifier: Apache-2.0
#include "apps/io/points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<NamedPoint> read_text(const std::string& text) {
  const ScratchFolder scratch;
  const auto file = scratch / "p.mrk.json";
  std::ofstream(file) << text;
  return read_points(file);
}

std::string slicer(const std::string& system, const std::string& point) {
  return R"({"@schema": "https://raw.githubusercontent.com/slicer/slicer/x.json#", "markups": [{"type": "Fiducial",
    "coordinateSystem": ")" +
         system + R"(", "display": {"opacity": 1.0}, "controlPoints": [)" + point + "]}]}";
}
constexpr const char* kPoint =
    R"({"id": "1", "label": "tip", "position": [1.5, -2, 3], "selected": true, "positionStatus": "defined"})";

TEST(Points, ReadsSlicerMarkupsInEitherSystem) {
  EXPECT_THAT(read_text(slicer("LPS", kPoint)), ElementsAre(NamedPoint{"tip", {1.5, -2, 3}}));
  EXPECT_THAT(read_text(slicer("RAS", kPoint)), ElementsAre(NamedPoint{"tip", {-1.5, 2, 3}}));
  EXPECT_THAT(read_text(slicer("0", kPoint)), ElementsAre(NamedPoint{"tip", {-1.5, 2, 3}}));
  EXPECT_THAT(read_text(slicer("1", kPoint)), ElementsAre(NamedPoint{"tip", {1.5, -2, 3}}));
}

TEST(Points, OurOwnFormRoundTrips) {
  const std::vector<NamedPoint> points = {{"a", {0.1, -0.2, 1e-9}}, {"b", {1, 2, 3}}};
  EXPECT_EQ(read_text(points_json(points).dump()), points);
}

TEST(Points, RefusesWhatHasNoCertainPosition) {
  EXPECT_THAT(
      [] { read_text(slicer("XYZ", kPoint)); },
      ThrowsMessage<ConfigError>(AllOf(HasSubstr("p.mrk.json"), HasSubstr("/markups/0/coordinateSystem"))));
  EXPECT_THAT([] { read_text(slicer("LPS", R"({"label": "tip", "positionStatus": "undefined"})")); },
              ThrowsMessage<ConfigError>(HasSubstr("'tip' was never placed")));
  EXPECT_THAT([] { read_text(slicer("LPS", R"({"label": "tip", "position": [1, 2]})")); },
              ThrowsMessage<ConfigError>(HasSubstr("/markups/0/controlPoints/0/position")));
  EXPECT_THAT([] { read_text(slicer("LPS", "")); },
              ThrowsMessage<ConfigError>(HasSubstr("no control points")));
  EXPECT_THAT([] { read_text(R"({"points": []})"); }, ThrowsMessage<ConfigError>(HasSubstr("no points")));
  EXPECT_THAT([] { read_text(R"({"points": [{"name": "a", "at_mm": [1, 2, 3], "at": 1}]})"); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("unknown key 'at'"), HasSubstr("'at_mm'"))));
  EXPECT_THAT([] { read_text("[1, 2]"); }, ThrowsMessage<ConfigError>(HasSubstr("p.mrk.json")));
}

}  // namespace
}  // namespace spinetherm
