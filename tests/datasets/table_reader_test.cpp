// SPDX-License-Identifier: Apache-2.0
#include "datasets/table_reader.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TableReaderTest : public ::testing::Test {
 protected:
  /// Reads the number under "x" of the document.
  TableNumber number(const char* x, const std::optional<Provenance>& group = {}) {
    document["x"] = nlohmann::json::parse(x);
    const JsonReader reader(document);
    return TableReader(reader).number(reader.at("x"), group);
  }
  std::string refusal(const char* x) {
    try {
      number(x);
    } catch (const ConfigError& e) {
      return e.what();
    }
    return "accepted";
  }
  nlohmann::json document = {{"sources", {{"itis", "IT'IS database 4.1"}, {"recalled", "from memory"}}}};
};

TEST_F(TableReaderTest, ANumberCarriesItsSourceConfidenceAndRange) {
  const TableNumber n =
      number(R"({"value": 0.49, "source": "itis", "confidence": "database", "range": [0.33, 0.57]})");
  EXPECT_EQ(n.value, 0.49);
  EXPECT_EQ(n.provenance.source, "IT'IS database 4.1") << "the source's text, not its key";
  EXPECT_EQ(n.provenance.confidence, Confidence::database);
  EXPECT_EQ(n.range, (std::array<double, 2>{0.33, 0.57}));
  EXPECT_FALSE(number(R"({"value": 1, "source": "itis", "confidence": "measured"})").range);
}

TEST_F(TableReaderTest, APlainNumberTakesThatOfItsGroup) {
  const Provenance group{"a paper", Confidence::measured};
  const TableNumber n = number("3.5", group);
  EXPECT_EQ(n.value, 3.5);
  EXPECT_EQ(n.provenance, group);
  EXPECT_FALSE(n.range);
}

TEST_F(TableReaderTest, ANumberOfUnknownOriginIsRefused) {
  EXPECT_THAT(refusal("3.5"), AllOf(HasSubstr("a number without a source"), HasSubstr("/x")));
  EXPECT_THAT(refusal(R"({"value": 1, "confidence": "measured"})"), HasSubstr("'source' is missing"));
  EXPECT_THAT(refusal(R"({"value": 1, "source": "itis"})"), HasSubstr("'confidence' is missing"));
  EXPECT_THAT(
      refusal(R"({"value": 1, "source": "itsi", "confidence": "measured"})"),
      AllOf(HasSubstr("unknown source 'itsi'"), HasSubstr("did you mean 'itis'"), HasSubstr("/x/source")));
  EXPECT_THAT(refusal(R"({"value": 1, "source": "itis", "confidence": "certain"})"),
              HasSubstr("/x/confidence"));
  EXPECT_THAT(refusal(R"({"value": 1, "source": "itis", "confidence": "measured", "unit": "m"})"),
              HasSubstr("unknown key 'unit'"));
  EXPECT_THAT(refusal(R"({"source": "itis", "confidence": "measured"})"), HasSubstr("'value' is missing"));
}

TEST_F(TableReaderTest, ARangeHoldsItsValue) {
  const auto with_range = [&](const char* range) {
    return refusal(
        (R"({"value": 2, "source": "itis", "confidence": "measured", "range": )" + std::string(range) + "}")
            .c_str());
  };
  EXPECT_EQ(with_range("[2, 2]"), "accepted");
  EXPECT_THAT(with_range("[3, 4]"), AllOf(HasSubstr("does not hold the value"), HasSubstr("/x/range")));
  EXPECT_THAT(with_range("[0, 1]"), HasSubstr("does not hold the value"));
  EXPECT_NE(with_range("[0]"), "accepted");
}

TEST_F(TableReaderTest, ADocumentWithoutSourcesIsRefused) {
  document.erase("sources");
  EXPECT_THAT(refusal("3.5"), HasSubstr("'sources' is missing"));
}

}  // namespace
}  // namespace spinetherm
