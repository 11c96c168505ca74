// SPDX-License-Identifier: Apache-2.0
#include "apps/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Page, CarriesTheBannerTwiceAndNothingFromTheNetwork) {
  Page page{"Plan <L3>",
            "sub",
            "<b>box</b>",
            {{"Exposure", "<p>x</p>", false}, {"Tissues", "<p>y</p>", true}},
            "foot"};
  const std::string html = page_html(page);
  const auto first = html.find(kBanner);
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(html.find(kBanner, first + 1), std::string::npos);
  EXPECT_THAT(html, HasSubstr("Plan &lt;L3&gt;"));
  EXPECT_THAT(html, HasSubstr("<b>box</b>"));
  EXPECT_THAT(html, HasSubstr("<details><summary>Tissues</summary><p>y</p>"));
  EXPECT_THAT(html, HasSubstr("<h2>Exposure</h2><p>x</p>"));
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
}

TEST(Page, OfASyntheticPatientSaysSoInTitleHeadingAndBanners) {
  Page page{"Plan", "", "", {}, ""};
  EXPECT_THAT(page_html(page), Not(HasSubstr("SYNTHETIC")));
  page.mark = "SYNTHETIC";
  const std::string html = page_html(page);
  EXPECT_THAT(html, HasSubstr("<title>SYNTHETIC: Plan"));
  EXPECT_THAT(html, HasSubstr("<h1><span class=\"mark\">SYNTHETIC</span> Plan</h1>"));
  EXPECT_THAT(html, HasSubstr("<div class=\"banner\">SYNTHETIC images, not of a patient. Simulation"));
}

TEST(Page, VerdictWordsInTablesBecomeBadgesAndTextIsEscaped) {
  const std::string html = table_html({{"structure", "verdict"}, {{"a<b", "within_limits"}}});
  EXPECT_THAT(html, HasSubstr("a&lt;b"));
  EXPECT_THAT(html, HasSubstr("badge within_limits\">within limits<"));
}

}  // namespace
}  // namespace spinetherm
