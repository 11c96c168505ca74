// SPDX-License-Identifier: Apache-2.0
#include "planning/limit.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ExposureLimit peak() {
  ExposureLimit limit;
  limit.id = "dura-heat-peak";
  limit.structure = "dura";
  limit.quantity = "peak_degC";
  limit.caution = 42;
  limit.unsafe = 45;
  return limit;
}

TEST(Limit, ARowOfTheTableIsValid) { EXPECT_NO_THROW(validate(peak(), "limits/0")); }

TEST(Limit, UnknownWordsAreNamedWithTheNearestOne) {
  ExposureLimit limit = peak();
  limit.quantity = "peak_degc";
  EXPECT_THAT([&] { validate(limit, "limits/0"); },
              ThrowsMessage<ConfigError>(HasSubstr("(limits/0/quantity): did you mean 'peak_degC'?")));
  limit = peak();
  limit.structure = "duar";
  EXPECT_THAT([&] { validate(limit, "l"); }, ThrowsMessage<ConfigError>(HasSubstr("'dura'")));
  limit = peak();
  limit.when = {"nosensor"};
  EXPECT_THAT([&] { validate(limit, "l"); }, ThrowsMessage<ConfigError>(HasSubstr("'no_sensor'")));
}

TEST(Limit, BoundsMustBeThereAndInOrder) {
  ExposureLimit limit = peak();
  limit.caution = 46;
  EXPECT_THAT([&] { validate(limit, "l"); },
              ThrowsMessage<ConfigError>(HasSubstr("unsafe before it is caution")));
  limit.above = false;  // cold: caution comes at the higher temperature
  EXPECT_NO_THROW(validate(limit, "l"));
  limit.caution.reset();
  limit.unsafe.reset();
  EXPECT_THAT([&] { validate(limit, "l"); }, ThrowsMessage<ConfigError>(HasSubstr("has no bound")));
}

TEST(LimitTable, IdsAreUniqueAndPartnersExistInTheSameClass) {
  EXPECT_THAT(
      [] {
        validate(std::vector<ExposureLimit>{peak(), peak()}, "limits");
      },
      ThrowsMessage<ConfigError>(HasSubstr("occurs twice (limits/1/id)")));
  ExposureLimit with = peak();
  with.id = "other";
  with.unsafe_with = "dura-heat-dose";
  EXPECT_THAT(
      [&] {
        validate(std::vector<ExposureLimit>{peak(), with}, "limits");
      },
      ThrowsMessage<ConfigError>(HasSubstr("/1/unsafe_with")));
  with.unsafe_with = "dura-heat-peak";
  EXPECT_NO_THROW(validate(std::vector<ExposureLimit>{peak(), with}, "limits"));
}

}  // namespace
}  // namespace spinetherm
