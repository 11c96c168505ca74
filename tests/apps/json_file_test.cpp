// SPDX-License-Identifier: Apache-2.0
#include "apps/io/json_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::ElementsAre;

TEST(JsonFile, KeepsTheOrderAndEndsWithALine) {
  const ScratchFolder scratch;
  write_json_file({{"z", 1}, {"a", "ä"}}, scratch / "x.json");
  std::ifstream in(scratch / "x.json");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, "{\n  \"z\": 1,\n  \"a\": \"ä\"\n}\n");
}

TEST(JsonFile, WhatJsonLacksBecomesNullAndBrokenTextStaysReadable) {
  const ScratchFolder scratch;
  write_json_file({{"nan", std::numeric_limits<double>::quiet_NaN()},
                   {"infinity", std::numeric_limits<double>::infinity()},
                   {"latin-1", "caf\xe9"}},
                  scratch / "x.json");
  const auto back = parse_json_file(scratch / "x.json");
  EXPECT_EQ(back["nan"], nullptr);
  EXPECT_EQ(back["infinity"], nullptr);
  EXPECT_EQ(back["latin-1"].get<std::string>().substr(0, 3), "caf");
}

TEST(JsonFile, ReplacesAsAWholeOrNotAtAll) {
  const ScratchFolder scratch;
  write_json_file({{"version", 1}}, scratch / "x.json");
  write_json_file({{"version", 2}}, scratch / "x.json");
  EXPECT_EQ(parse_json_file(scratch / "x.json")["version"], 2);
  EXPECT_THROW(write_json_file(Json::object(), scratch / "none/x.json"), IoError);
  std::filesystem::create_directory(scratch / "folder");
  EXPECT_THROW(write_json_file(Json::object(), scratch / "folder"), IoError);
  EXPECT_THAT(scratch.listing(), ElementsAre("folder/", "x.json"));
}

}  // namespace
}  // namespace spinetherm
