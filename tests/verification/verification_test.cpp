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
}

TEST(VerificationCases, AreChosenByLetter) {
  EXPECT_EQ(choose_verification_cases("a,g", false).size(), 2U);
  EXPECT_THAT([] { choose_verification_cases("a,z", false); },
              ThrowsMessage<ConfigError>(HasSubstr("unknown case 'z'")));
  for (const VerificationCase& c : choose_verification_cases("", false)) EXPECT_TRUE(c.gated) << c.id;
  EXPECT_EQ(choose_verification_cases("", true).size(), verification_cases().size());
}

/// Every gated case, with the reference's parameters (seed 1) and with drawn ones.
class Verification : public ::testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Verification, HoldsItsGates) {
  const auto& [id, seed] = GetParam();
  const auto rows = choose_verification_cases(id, false).at(0).run({std::uint64_t(seed), 0}, {});
  ASSERT_FALSE(rows.empty());
  for (const VerificationRow& row : rows)
    EXPECT_TRUE(row.passed()) << row.quantity << ": exact " << row.exact << ", computed " << row.computed
                              << ", error " << row.error() << " " << row.unit << ", gate " << row.gate;
}

std::vector<std::string> gated_cases() {
  std::vector<std::string> ids;
  for (const VerificationCase& c : choose_verification_cases("", false)) ids.emplace_back(c.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Seeds, Verification,
                         ::testing::Combine(::testing::ValuesIn(gated_cases()), ::testing::Values(1, 2, 3)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_seed_" +
                                  std::to_string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace spinetherm
