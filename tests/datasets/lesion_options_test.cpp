// SPDX-License-Identifier: Apache-2.0
#include "datasets/lesion_options.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

void expect_refused(const std::string& words, const std::string& message, const std::string& advice = "") {
  EXPECT_THAT([&] { parse_lesion(words); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr(message), HasSubstr(advice))))
      << words;
}

TEST(LesionWords, SayWhatTheyMean) {
  const LesionOptions l = parse_lesion("blastic,pedicle,right");
  EXPECT_EQ(l.kind, LesionKind::blastic);
  EXPECT_EQ(l.place, LesionPlace::pedicle);
  EXPECT_EQ(l.side, -1);
  EXPECT_EQ(l.pedicles, 0);

  const LesionOptions m =
      parse_lesion("mixed,posterior,pedicle,both,size:18,wall-defect:8,epidural:1b,paraspinal,fracture:0.3");
  EXPECT_EQ(m.place, LesionPlace::posterior);
  EXPECT_EQ(m.pedicles, 2);
  EXPECT_EQ(m.radius_mm, 9);
  EXPECT_EQ(m.wall_defect_mm, 8);
  EXPECT_EQ(m.escc, "1b");
  EXPECT_TRUE(m.paraspinal);
  EXPECT_EQ(m.fracture, 0.3);
  EXPECT_EQ(parse_lesion("wall-defect").wall_defect_mm, 6);
}

TEST(LesionWords, AreWrittenAsTheyAreRead) {
  for (const char* words :
       {"lytic,posterior,left", "marrow,central,right,size:12", "blastic,pedicle,left",
        "mixed,posterior,pedicle,both,size:18,wall-defect:8,epidural:2,paraspinal,fracture:0.6"})
    EXPECT_EQ(lesion_words(parse_lesion(words)), words);
}

TEST(LesionWords, UnknownOnesNameTheNearest) {
  expect_refused("lytik", "'lytic'", "posterior");
  expect_refused("lytic,epidurl:1b", "'epidural'");
  expect_refused("lytic,,posterior", "unknown lesion word ''");
}

TEST(LesionWords, ThatExcludeEachOtherAreRefusedByName) {
  expect_refused("lytic,blastic", "second word", "mixed");
  expect_refused("anterior,posterior", "second word", "one place");
  expect_refused("size:10,size:12", "second word");
  expect_refused("marrow,wall-defect", "marrow and wall-defect exclude each other", "lytic");
  expect_refused("blastic,wall-defect:5", "blastic and wall-defect exclude each other", "mixed");
  expect_refused("lytic,anterior,wall-defect", "anterior and wall-defect exclude each other", "posterior");
  expect_refused("lytic,posterior,both", "'both' without a pedicle");
  EXPECT_NO_THROW(parse_lesion("lytic,anterior,epidural:1a"));  // by the veins, without touching the wall
  LesionOptions gap;
  gap.wall_gap_mm = 5;
  EXPECT_THAT([&] { parse_lesion("wall-defect", gap); }, ThrowsMessage<ConfigError>(HasSubstr("gap")));
}

TEST(LesionWords, ValuesOutOfRangeAreRefused) {
  expect_refused("fracture:0.9", "fracture of 0.9", "0.1 to 0.7");
  expect_refused("fracture:0", "fracture");
  expect_refused("fracture:-0.2", "fracture of -0.2");
  expect_refused("fracture", "lacks its value");
  expect_refused("fracture:a third", "needs a number");
  expect_refused("fracture:nan", "needs a number");
  expect_refused("epidural:1d", "epidural grade '1d'", "1a, 1b");
  expect_refused("epidural:", "epidural grade ''");
  expect_refused("wall-defect:40", "wall_defect_mm = 40");
  expect_refused("size:0", "size = 0");
  expect_refused("paraspinal:3", "takes no value");
}

TEST(LesionOptions, OnlyADestructiveLesionAtTheWallOpensIt) {
  EXPECT_FALSE(parse_lesion("lytic,posterior").opens_wall());
  EXPECT_TRUE(parse_lesion("lytic,posterior,wall-defect").opens_wall());
  EXPECT_TRUE(parse_lesion("lytic,posterior,epidural:1a").opens_wall());
  EXPECT_FALSE(parse_lesion("marrow,posterior,epidural:1a").opens_wall());
  EXPECT_FALSE(parse_lesion("lytic,central,epidural:1a").opens_wall());
}

}  // namespace
}  // namespace spinetherm
