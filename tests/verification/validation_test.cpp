// SPDX-License-Identifier: Apache-2.0
#include "apps/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  const ValidationRow none = validation::unknown_row("V4", "x", "mm", "-1", "no patients");
  EXPECT_EQ(none.verdict(), "unknown");
  EXPECT_FALSE(none.judged);
  EXPECT_TRUE(std::isnan(none.simulated));
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

/// All that was injured is called unsafe: the one figure of these experiments that is a matter of safety.
void expect_injured_dogs_found(const std::vector<ValidationRow>& rows) {
  const auto found = std::ranges::find_if(
      rows, [](const ValidationRow& row) { return row.quantity.find("(sensitivity)") != std::string::npos; });
  ASSERT_NE(found, rows.end());
  EXPECT_TRUE(found->judged);
  EXPECT_EQ(found->simulated, 100);
  // Nearer probes freeze the epidural space deeper, and the dogs' range is covered.
  std::vector<double> lowest_degC;
  for (const ValidationRow& row : rows)
    if (row.quantity.starts_with("lowest epidural")) lowest_degC.push_back(row.simulated);
  EXPECT_TRUE(std::ranges::is_sorted(lowest_degC));
  ASSERT_FALSE(lowest_degC.empty());
  EXPECT_LT(lowest_degC.front(), -37);
  EXPECT_GT(lowest_degC.back(), 25);
}

void expect_one_sided_zone(const std::vector<ValidationRow>& rows) {
  for (const ValidationRow& row : rows)
    if (row.judged) {
      EXPECT_TRUE(row.in_band()) << row.quantity << " " << row.simulated;
    }
}

/// More energy, a larger zone: of the bare fibre and of the charred one.
void expect_zones_that_grow(const std::vector<ValidationRow>& rows) {
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_LT(rows[0].simulated, rows[1].simulated);
  EXPECT_LT(rows[2].simulated, rows[3].simulated);
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
    EXPECT_EQ(std::isfinite(row.simulated), row.known) << row.quantity;
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
    if (!row.known) {
      EXPECT_FALSE(row.judged || row.required) << row.quantity;
    }
    if (row.id == "V1" || row.id == "V4" || row.id == "V13" || row.id == "V15") {
      EXPECT_FALSE(row.judged) << row.quantity;
    }
  }
  // What nobody has published is said to be unknown, once.
  const bool needs_more = experiment.id == "V4" || experiment.id == "V5" || experiment.id == "V15";
  EXPECT_EQ(std::ranges::count_if(rows, [](const ValidationRow& row) { return !row.known; }), needs_more);
  if (experiment.id == "V5") expect_one_sided_zone(rows);
  if (experiment.id == "V11") expect_injured_dogs_found(rows);
  if (experiment.id == "V14") expect_zones_that_grow(rows);
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
