// SPDX-License-Identifier: Apache-2.0
#include "apps/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "apps/validation_detail.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ValidationRow row_of(double simulated) {
  ValidationRow row;
  row.simulated = simulated;
  row.low = 1;
  row.high = 2;
  return row;
}

TEST(ValidationRow, IsJudgedByItsBandAndANumberThatIsNoneIsOut) {
  EXPECT_EQ(row_of(1).verdict(), "in band");
  EXPECT_EQ(row_of(2).verdict(), "in band");
  EXPECT_EQ(row_of(2.01).verdict(), "out of band");
  EXPECT_EQ(row_of(std::nan("")).verdict(), "out of band");
  ValidationRow printed = row_of(1.5);
  printed.judged = false;
  EXPECT_EQ(printed.verdict(), "printed");
}

TEST(ValidationExperiments, AreChosenById) {
  EXPECT_EQ(choose_validation_experiments("V2,V8").size(), 2U);
  EXPECT_EQ(choose_validation_experiments("").size(), validation_experiments().size());
  EXPECT_THAT([] { choose_validation_experiments("V2,V99"); },
              ThrowsMessage<ConfigError>(HasSubstr("unknown experiment 'V99'")));
}

/// A ball of radius 5 mm around the origin, by distance.
Volume<float> distance_field(double cell_mm) {
  Volume<float> field(validation::cells_in({-10, -10, -10}, {10, 10, 10}, cell_mm));
  const Grid& g = field.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) field(i, j, k) = float(g.to_world(i, j, k).norm());
  return field;
}

TEST(ValidationMeasures, AreaAndEdgeOfABallInThePlaneThroughIt) {
  const Volume<float> field = distance_field(0.5);
  const int k = 20;  // 0.25 mm above its middle
  EXPECT_NEAR(validation::area_below_mm2(field, k, 5), M_PI * (25 - 0.0625), 0.5);
  EXPECT_NEAR(validation::edge_below_mm(field, {0, 0, 0}, {0.6, 0.8, 0}, 0, 5), 5, 0.05);
  EXPECT_EQ(validation::edge_below_mm(field, {0, 0, 0}, {1, 0, 0}, 6, 5), 0);
  EXPECT_TRUE(std::isnan(validation::edge_below_mm(field, {0, 0, 0}, {1, 0, 0}, 0, 50)));
}

/// Every experiment: numbers that are some, inputs and cause named, the rules that must hold kept. What is
/// out of its band is a finding of the table and fails nothing.
class Validation : public ::testing::TestWithParam<std::string> {};

TEST_P(Validation, NamesConfidenceAndCauseOfEveryNumber) {
  const ValidationExperiment experiment = choose_validation_experiments(GetParam()).at(0);
  EXPECT_FALSE(experiment.source.empty());
  const auto rows = experiment.run({}, {});
  ASSERT_FALSE(rows.empty());
  std::set<std::string> quantities;
  int rules = 0;
  for (const ValidationRow& row : rows) {
    EXPECT_EQ(row.id, experiment.id);
    EXPECT_TRUE(std::isfinite(row.simulated)) << row.quantity;
    EXPECT_TRUE(quantities.insert(row.quantity + row.unit).second) << row.quantity;
    EXPECT_FALSE(row.published.empty()) << row.quantity;
    EXPECT_FALSE(row.cause.empty()) << row.quantity;
    EXPECT_EQ(row.cause.find('\n'), std::string::npos) << row.quantity;
    EXPECT_LT(row.low, row.high) << row.quantity;
    // No experiment is known well enough for inputs that were all measured.
    EXPECT_NE(row.confidence, Confidence::measured) << row.quantity;
    if (row.required) {
      ++rules;
      EXPECT_TRUE(row.in_band()) << row.quantity << ": " << row.simulated << " " << row.unit;
    }
    if (row.id == "V1") {
      EXPECT_FALSE(row.judged) << row.quantity;
    }
  }
  // Overshoot: above 0 K, rising with power, and with the depth of the sensor behind the dura.
  EXPECT_EQ(rules, experiment.id == "V2" ? 3 : 0);
}

std::vector<std::string> experiment_ids() {
  std::vector<std::string> ids;
  for (const ValidationExperiment& e : validation_experiments()) ids.emplace_back(e.id);
  return ids;
}
INSTANTIATE_TEST_SUITE_P(Experiments, Validation, ::testing::ValuesIn(experiment_ids()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace spinetherm
