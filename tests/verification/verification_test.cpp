// SPDX-License-Identifier: Apache-2.0
#include "apps/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(VerificationRow, AGateThatIsBrokenAndANumberThatIsNoneFail) {
  EXPECT_TRUE((VerificationRow{"x", "K", 1, 1.05, 0.1}).passed());
  EXPECT_FALSE((VerificationRow{"x", "K", 1, 1.2, 0.1}).passed());
  EXPECT_FALSE((VerificationRow{"x", "K", 1, std::nan(""), 0.1}).passed());
  EXPECT_FALSE((VerificationRow{"order", "-", 2, 2.5, 0.1}).passed());
  EXPECT_TRUE((VerificationRow{"order", "-", 2, 2.5, 0.1, true}).passed());
  EXPECT_TRUE((VerificationRow{"order", "-", 2, 1.95, 0.1, true}).passed());
  EXPECT_FALSE((VerificationRow{"order", "-", 2, 1.85, 0.1, true}).passed());
  EXPECT_FALSE((VerificationRow{"order", "-", 2, std::nan(""), 0.1, true}).passed());
}

TEST(VerificationCases, AreChosenByLetter) {
  EXPECT_EQ(choose_verification_cases("a,g").size(), 2U);
  EXPECT_THAT([] { choose_verification_cases("a,z"); },
              ThrowsMessage<ConfigError>(HasSubstr("unknown case 'z'")));
  EXPECT_EQ(choose_verification_cases("").size(), verification_cases().size());
}

/// Every case, with the reference's parameters (seed 1) and with drawn ones.
class Verification : public ::testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Verification, HoldsItsGates) {
  const auto& [id, seed] = GetParam();
  const auto rows = choose_verification_cases(id).at(0).run({std::uint64_t(seed), 0}, {});
  ASSERT_FALSE(rows.empty());
  for (const VerificationRow& row : rows)
    EXPECT_TRUE(row.passed()) << row.quantity << ": exact " << row.exact << ", computed " << row.computed
                              << ", error " << row.error() << " " << row.unit << ", gate " << row.gate;
}

std::vector<std::string> case_ids() {
  std::vector<std::string> ids;
  for (const VerificationCase& c : verification_cases()) ids.emplace_back(c.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Verification,
                         ::testing::Combine(::testing::ValuesIn(case_ids()), ::testing::Values(1, 2, 3)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_seed_" +
                                  std::to_string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace spinetherm
