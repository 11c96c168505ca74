// SPDX-License-Identifier: Apache-2.0
#include "datasets/cohort.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <set>

#include "datasets/embedded_tables.h"
#include "datasets/spine_model.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Cohort, KeepsTheMixOfLevelsAndKindsWhenSmallAndWhenLarge) {
  for (const auto& [count, tolerance] : std::vector<std::pair<int, double>>{{20, 0.06}, {400, 0.01}})
    for (std::uint64_t seed : {1, 9}) {
      std::vector<std::string> regions, kinds;
      for (int n = 0; n < count; ++n) {
        const SpinePhantomOptions o = draw_cohort_patient(seed, n).options;
        regions.push_back(region_of(o.lesion_level));
        kinds.emplace_back(to_string(o.lesion.kind));
      }
      for (const auto* rows : {&cohort_mix().levels, &cohort_mix().kinds})
        for (const CohortRow& row : compare_with_mix(rows == &cohort_mix().levels ? regions : kinds, *rows))
          EXPECT_NEAR(row.share, row.table, tolerance) << row.word << " of " << count << ", seed " << seed;
    }
}

TEST(Cohort, LargeOneHasTheDrawnSharesOfTheTable) {
  int posterior = 0, broken = 0, destructive = 0, open = 0;
  std::vector<std::string> grades, places, primaries;
  std::vector<double> log_size;
  constexpr int kCount = 1500;
  for (int n = 0; n < kCount; ++n) {
    const SpinePhantomOptions o = draw_cohort_patient(4, n).options;
    const LesionOptions& l = o.lesion;
    places.emplace_back(to_string(l.place));
    primaries.push_back(*o.clinical.primary);
    log_size.push_back(std::log(2 * *l.radius_mm));
    if (l.place == LesionPlace::posterior && l.kind != LesionKind::marrow) {
      ++posterior;
      grades.push_back(l.escc);
    }
    if ((l.kind == LesionKind::lytic || l.kind == LesionKind::mixed) && o.lesion_level != "sacrum") {
      ++destructive;
      broken += l.fracture > 0;
      if (l.place == LesionPlace::posterior) open += l.wall_defect_mm.has_value();
    }
    EXPECT_LE(2 * *l.radius_mm, cohort_mix().size_most_mm);
  }
  for (const auto& [words, mix] : {std::pair{&places, &cohort_mix().places},
                                   {&grades, &cohort_mix().escc},
                                   {&primaries, &cohort_mix().primaries}})
    for (const CohortRow& row : compare_with_mix(*words, *mix))
      EXPECT_NEAR(row.share, row.table, 4 * std::sqrt(row.table / double(words->size()))) << row.word;
  EXPECT_NEAR(double(broken) / destructive, cohort_mix().shares.at("fracture"), 0.05);
  EXPECT_GT(open, 50);
  const double mean = std::accumulate(log_size.begin(), log_size.end(), 0.0) / kCount;
  EXPECT_NEAR(std::exp(mean), cohort_mix().size_median_mm, 2.5);  // narrow bodies take a little
}

TEST(Cohort, PatientsAreTheirOwnAndDoNotDependOnTheNumber) {
  std::set<std::uint64_t> seeds;
  for (int n = 0; n < 50; ++n) {
    const CohortPatient p = draw_cohort_patient(7, n), again = draw_cohort_patient(7, n);
    seeds.insert(p.options.seed);
    EXPECT_EQ(p.options.seed, again.options.seed);
    EXPECT_EQ(p.options.lesion, again.options.lesion);
    EXPECT_EQ(p.options.clinical, again.options.clinical);
    EXPECT_NO_THROW(p.options.validate());
    EXPECT_NEAR(parse_lesion(lesion_words(p.options.lesion)).radius_mm.value(), *p.options.lesion.radius_mm,
                1e-9);
  }
  EXPECT_EQ(seeds.size(), 50u);
  EXPECT_EQ(draw_cohort_patient(7, 0).name, "p0001");
  EXPECT_NE(draw_cohort_patient(7, 0).options.seed, draw_cohort_patient(8, 0).options.seed);
}

TEST(Cohort, ItsPatientsCanBeMade) {
  std::set<std::string> regions;
  for (int n = 0; n < 25; ++n) {
    const CohortPatient p = draw_cohort_patient(2, n);
    const SpineModel m(p.options);
    EXPECT_EQ(m.grade().facts.escc, p.options.lesion.escc) << lesion_words(p.options.lesion);
    regions.insert(region_of(p.options.lesion_level));
  }
  EXPECT_THAT(regions, testing::IsSupersetOf({"T", "L"}));
}

TEST(Cohort, BrokenTableSaysWhere) {
  const auto broken = [](auto change, const std::string& message) {
    auto json = embedded_document("cohort_mix.json");
    change(json);
    EXPECT_THAT([&] { read_cohort_mix(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(message)));
  };
  broken([](auto& j) { j["levels"]["T"] = -1; }, "/levels/T");
  broken([](auto& j) { j["levels"]["X"] = 3; }, "/levels/X");
  broken([](auto& j) { j["shares"]["fracture"] = 1.2; }, "/shares/fracture");
  broken([](auto& j) { j["kinds"].erase("source"); }, "source");
}

TEST(Primary, IsDrawnWithTheSharesOfTheMixAndKnownByName) {
  std::vector<std::string> drawn;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) drawn.push_back(draw_primary(seed));
  for (const CohortRow& r : compare_with_mix(drawn, cohort_mix().primaries))
    EXPECT_NEAR(r.share, r.table, 0.035) << r.word;
  EXPECT_EQ(draw_primary(7), draw_primary(7));
  EXPECT_EQ(known_primary("rcc"), "RCC");
  EXPECT_THAT([] { known_primary("long"); },
              ::testing::ThrowsMessage<ConfigError>(::testing::HasSubstr("did you mean 'lung'")));
}

}  // namespace
}  // namespace spinetherm
