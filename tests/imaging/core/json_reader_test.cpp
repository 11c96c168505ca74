// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(JsonReader, RefusesAnUnknownKeyWithItsPointerAndTheNearestKnownOne) {
  const auto document = parse_json_text(R"({"solver": {"durration_s": 3}})", "job.json");
  const JsonReader reader(document);
  const JsonReader solver = reader.at("solver");
  solver.get_or<double>("duration_s", 1);
  EXPECT_THAT([&] { solver.finish(); },
              ThrowsMessage<ConfigError>(
                  "unknown key 'durration_s' (/solver/durration_s): did you mean 'duration_s'?"));
}

TEST(JsonReader, NamesAMisspeltKeyRatherThanAMissingOne) {
  const auto document = parse_json_text(R"({"durration_s": 3})", "job.json");
  EXPECT_THAT([&] { JsonReader(document).get<double>("duration_s"); },
              ThrowsMessage<ConfigError>(HasSubstr("unknown key 'durration_s' (/durration_s)")));
  const auto empty = parse_json_text("{}", "job.json");
  EXPECT_THAT([&] { JsonReader(empty).get<double>("duration_s"); },
              ThrowsMessage<ConfigError>(HasSubstr("key 'duration_s' is missing")));
}

TEST(JsonReader, RefusesNumbersThatAreNotFiniteAndListsOfTheWrongLength) {
  const auto document = parse_json_text(R"({"a": [1, 2], "b": "x", "c": 1.5})", "job.json");
  const JsonReader reader(document);
  EXPECT_THROW(reader.get<Eigen::Vector3d>("a"), ConfigError);
  EXPECT_THROW(reader.get<double>("b"), ConfigError);
  EXPECT_THROW(reader.get<int>("c"), ConfigError);
  EXPECT_THROW(parse_json_text("{\"a\": 1e999}", "job.json"), ConfigError);
  EXPECT_THROW(parse_json_text("{\"a\": NaN}", "job.json"), ConfigError);
}

TEST(JsonReader, RefusesARepeatedKey) {
  EXPECT_THAT([] { parse_json_text(R"({"a": 1, "a": 2})", "job.json"); },
              ThrowsMessage<ConfigError>(HasSubstr("key 'a' is given twice (job.json)")));
  EXPECT_NO_THROW(parse_json_text(R"({"a": {"b": 1}, "c": {"b": 2}})", "job.json"));
}

TEST(JsonReader, ChecksTheFormatLine) {
  const auto plan = parse_json_text(R"({"format": "spinetherm.plan", "version": 1})", "x");
  EXPECT_NO_THROW(expect_format(JsonReader(plan), "plan"));
  EXPECT_THROW(expect_format(JsonReader(plan), "case"), ConfigError);
  const auto newer = parse_json_text(R"({"format": "spinetherm.plan", "version": 2})", "x");
  EXPECT_THROW(expect_format(JsonReader(newer), "plan"), ConfigError);
}

TEST(Error, GrowsContextFromTheInsideOut) {
  try {
    try {
      throw ConfigError("radius is 0 mm", "/target/radii_mm/0", "give a positive radius");
    } catch (Error& e) {
      e.within("case.json");
      throw;
    }
  } catch (const ConfigError& e) {
    EXPECT_STREQ(e.what(), "radius is 0 mm (case.json: /target/radii_mm/0): give a positive radius");
  }
}

}  // namespace
}  // namespace spinetherm
