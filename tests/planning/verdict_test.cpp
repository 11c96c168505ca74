// SPDX-License-Identifier: Apache-2.0
#include "planning/verdict.h"

#include <gtest/gtest.h>

namespace spinetherm {
namespace {

TEST(VerdictOrder, UnsafeThenUnknownThenCautionThenWithinLimits) {
  using enum Verdict;
  EXPECT_EQ(worst(unsafe, unknown), unsafe);
  EXPECT_EQ(worst(caution, unknown), unknown);
  EXPECT_EQ(worst(within_limits, caution), caution);
  EXPECT_EQ(worst(within_limits, within_limits), within_limits);
}

TEST(VerdictOrder, ReferThenUnknownThenProceedWithThenProceed) {
  using enum EligibilityVerdict;
  EXPECT_EQ(worst(unknown, refer), refer);
  EXPECT_EQ(worst(proceed_with, unknown), unknown);
  EXPECT_EQ(worst(proceed, proceed_with), proceed_with);
}

TEST(VerdictWords, JsonWordsAndTheTitleThatNeverSaysSafe) {
  EXPECT_EQ(to_string(Verdict::within_limits), "within_limits");
  EXPECT_EQ(title(Verdict::within_limits), "no limit exceeded in the simulation");
  EXPECT_EQ(to_string(EligibilityVerdict::proceed_with), "proceed_with");
}

}  // namespace
}  // namespace spinetherm
