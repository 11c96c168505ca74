// SPDX-License-Identifier: Apache-2.0
#include "datasets/embedded_tables.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(EmbeddedTables, AreTheFilesOfTheFolders) {
  std::size_t files = 0;
  for (const char* folder : {"datasets/tables", "datasets/evidence"})
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(PROJECT_SOURCE_DIR) / folder)) {
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      EXPECT_EQ(embedded_document(entry.path().filename().string()), nlohmann::json::parse(text.str()))
          << entry.path();
      ++files;
    }
  EXPECT_EQ(embedded_tables().size(), files);
}

TEST(EmbeddedTables, EveryTableSaysWhatItIs) {
  for (const EmbeddedTable& table : embedded_tables()) {
    const auto document = embedded_document(table.name);
    EXPECT_THAT(document.value("format", ""), ::testing::StartsWith("spinetherm.")) << table.name;
    EXPECT_EQ(document.value("version", 0), 1) << table.name;
  }
}

TEST(EmbeddedTables, AnUnknownNameIsRefusedWithTheNearest) {
  EXPECT_THAT([] { embedded_document("tissue.json"); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("tissue.json"), HasSubstr("'tissues.json'"))));
}

}  // namespace
}  // namespace spinetherm
