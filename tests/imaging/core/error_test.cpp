// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace spinetherm {
namespace {

using ::testing::StrEq;
using ::testing::ThrowsMessage;

TEST(Error, ReadsAsOneLineOfThreeParts) {
  EXPECT_STREQ(IoError("does not exist", "ct.nii", "check the path").what(),
               "does not exist (ct.nii): check the path");
  EXPECT_STREQ(IoError("does not exist", "", "check the path").what(), "does not exist: check the path");
  EXPECT_STREQ(IoError("does not exist", "ct.nii", "").what(), "does not exist (ct.nii)");
}

TEST(Error, StaysOneLineWhateverAFileIsCalled) {
  EXPECT_STREQ(IoError("two\nlines", "a\r\nb", "c\n").what(), "two lines (a  b): c ");
}

TEST(Error, ContextsStackUpFromTheInside) {
  ConfigError e("spacing 0", "", "give mm");
  e.within("/images/ct");
  EXPECT_STREQ(e.what(), "spacing 0 (/images/ct): give mm");
  e.within("case.json");
  EXPECT_STREQ(e.what(), "spacing 0 (case.json: /images/ct): give mm");
  EXPECT_EQ(e.what_is_wrong(), "spacing 0");
  EXPECT_EQ(e.where(), "case.json: /images/ct");
  EXPECT_EQ(e.what_to_do(), "give mm");
}

TEST(Require, NamesTheFieldItsValueAndTheRule) {
  EXPECT_NO_THROW(require(true, "dt_s", 1, "must be > 0 s"));
  EXPECT_THAT([] { require(false, "dt_s", -1, "must be > 0 s"); },
              ThrowsMessage<ConfigError>(StrEq("dt_s = -1: must be > 0 s")));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(require(nan > 0, "dt_s", nan, "must be > 0 s"), ConfigError);
}

}  // namespace
}  // namespace spinetherm
