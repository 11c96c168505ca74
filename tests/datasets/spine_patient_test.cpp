// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_patient.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

SpineOptions mean() {
  SpineOptions o;
  o.spread = 0;
  return o;
}

TEST(SpinePatient, MeanIsTheTable) {
  const SpinePatient p = draw_patient(mean(), 1);
  ASSERT_EQ(p.levels.size(), vertebra_table().rows.size());
  for (std::size_t n = 0; n < p.levels.size(); ++n)
    for (const VertebraColumn& c : vertebra_columns())
      EXPECT_NEAR(p.levels[n].size.*c.member, vertebra_table().rows[n].*c.member, 1e-9)
          << c.name << " " << p.levels[n].size.level;
  EXPECT_EQ(p.size, 1);
  EXPECT_EQ(p.degeneration, 0);
  EXPECT_EQ(draw_patient(mean(), 2).levels[3].size, p.levels[3].size);
}

TEST(SpinePatient, CurvesOfTheMeanLie) {
  const SpinePatient p = draw_patient(mean(), 1);
  EXPECT_NEAR(p.cervical_lordosis_deg, 12, 3);
  EXPECT_NEAR(p.kyphosis_deg, 30, 4);
  EXPECT_NEAR(p.lordosis_deg, 46, 4);
}

TEST(SpinePatient, SpreadIsThatOfTheTable) {
  constexpr int kPatients = 400;
  for (const auto& [level, member, tolerance] : {std::tuple{"L3", &VertebraSize::body_width_upper_mm, 0.2},
                                                 std::tuple{"T4", &VertebraSize::pedicle_width_mm, 0.2},
                                                 std::tuple{"C5", &VertebraSize::canal_width_mm, 0.2},
                                                 std::tuple{"L2", &VertebraSize::pedicle_angle_deg, 0.25}}) {
    double sum = 0, squares = 0;
    for (int seed = 0; seed < kPatients; ++seed) {
      const SpinePatient p = draw_patient({}, std::uint64_t(seed));
      const double v = p.levels[*p.find(level)].size.*member;
      sum += v;
      squares += v * v;
    }
    const std::size_t n = *draw_patient(mean(), 1).find(level);
    const double average = sum / kPatients, sd = std::sqrt(squares / kPatients - average * average);
    EXPECT_NEAR(average, vertebra_table().rows[n].*member, 0.03 * std::abs(average)) << level;
    EXPECT_NEAR(sd / vertebra_table().deviations[n].*member, 1, tolerance) << level;
  }
}

TEST(SpinePatient, NeighboursAreAlike) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const SpinePatient p = draw_patient({}, seed);
    const SpinePatient m = draw_patient(mean(), 0);
    for (std::size_t n = 0; n + 1 < p.levels.size(); ++n) {
      const auto ratio = [&](std::size_t k) {
        return p.levels[k].size.body_width_lower_mm / m.levels[k].size.body_width_lower_mm;
      };
      EXPECT_LT(std::abs(ratio(n) - ratio(n + 1)), 0.15) << seed << " " << p.levels[n].size.level;
    }
  }
}

TEST(SpinePatient, EveryPatientIsPossible) {
  for (const bool held_out : {false, true})
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      SpineOptions o;
      o.held_out = held_out;
      const SpinePatient p = draw_patient(o, seed);
      EXPECT_GT(p.size, 0.75);
      EXPECT_LT(p.size, 1.25);
      for (const PatientLevel& level : p.levels) {
        const VertebraSize& s = level.size;
        EXPECT_LT(s.sac_width_mm, s.canal_width_mm) << seed << s.level;
        EXPECT_LE(s.epidural_ventral_mm + s.sac_depth_mm, s.canal_depth_mm) << seed << s.level;
        EXPECT_GT(s.disc_below_mm, s.level == "sacrum" ? -1 : 1) << seed << s.level;
        EXPECT_TRUE(s.level == "sacrum" || s.pedicle_width_mm > 2) << seed << s.level;
        if (s.cord_width_mm <= 0) continue;
        EXPECT_GT(s.cord_width_mm, 2) << seed << s.level;
        EXPECT_LT(s.cord_width_mm, s.sac_width_mm) << seed << s.level;
        EXPECT_LT(s.cord_ventral_gap_mm + s.cord_depth_mm, s.sac_depth_mm) << seed << s.level;
        EXPECT_GE(s.cord_ventral_gap_mm - s.cord_prone_shift_mm, 0.79) << seed << s.level;
      }
    }
}

TEST(SpinePatient, GivenValuesAreKeptAndChangeNothingElse) {
  SpineOptions o;
  o.kyphosis_deg = 60;
  o.lordosis_deg = 20;
  const SpinePatient p = draw_patient(o, 9);
  EXPECT_NEAR(p.kyphosis_deg, 60, 1e-6);
  EXPECT_NEAR(p.lordosis_deg, 20, 1e-6);
  const SpinePatient q = draw_patient({}, 9);
  EXPECT_EQ(p.levels[12].size.canal_width_mm, q.levels[12].size.canal_width_mm);
  EXPECT_EQ(p.cervical_lordosis_deg, q.cervical_lordosis_deg);
  o.degeneration = 1;
  const auto grade = [](const SpinePatient& patient) {
    double sum = 0;
    for (const PatientLevel& level : patient.levels) sum += level.disc_degeneration;
    return sum / double(patient.levels.size());
  };
  EXPECT_GT(grade(draw_patient(o, 9)), 0.6);
  o.degeneration = 0;
  EXPECT_EQ(grade(draw_patient(o, 9)), 0);
  o.seed = 77;  // of the patient, whatever the phantom's seed
  EXPECT_EQ(draw_patient(o, 1).levels[5].size, draw_patient(o, 2).levels[5].size);
  EXPECT_NE(draw_patient({}, 1).levels[5].size, draw_patient({}, 2).levels[5].size);
}

TEST(SpinePatient, VariantsCountAsTheyShould) {
  const auto patient = [](SpineVariant variant) {
    SpineOptions o = mean();
    o.variant = variant;
    return draw_patient(o, 1);
  };
  EXPECT_EQ(rib_pairs(patient(SpineVariant::none)), 12);
  EXPECT_EQ(rib_pairs(patient(SpineVariant::t13)), 13);
  EXPECT_EQ(rib_pairs(patient(SpineVariant::ribs_11)), 11);
  EXPECT_EQ(rib_pairs(patient(SpineVariant::cervical_rib)), 13);
  EXPECT_TRUE(patient(SpineVariant::t13).find("T13"));
  EXPECT_TRUE(patient(SpineVariant::lumbarised_s1).find("L6"));
  EXPECT_FALSE(patient(SpineVariant::none).find("L6"));
  EXPECT_EQ(patient(SpineVariant::lumbarised_s1).levels.size(),
            patient(SpineVariant::none).levels.size() + 1);
  const SpinePatient fused = patient(SpineVariant::sacralised_l5);
  EXPECT_GT(fused.levels[*fused.find("L5")].size.transverse_tip_mm, 50);
  for (const auto variant : {SpineVariant::none, SpineVariant::t13, SpineVariant::lumbarised_s1}) {
    std::vector<std::string> names;
    for (const PatientLevel& level : patient(variant).levels) names.push_back(level.size.level);
    EXPECT_EQ(names, spine_levels(variant));
    EXPECT_EQ(parse_spine_variant(to_string(variant)), variant);
  }
}

TEST(SpinePatient, RefusesWhatNobodyHas) {
  SpineOptions o;
  o.size = 2;
  EXPECT_THAT([&] { draw_patient(o, 1); }, ThrowsMessage<ConfigError>(HasSubstr("SpineOptions.size = 2")));
  o = {};
  o.degeneration = -0.1;
  EXPECT_THROW(o.validate(), ConfigError);
  o = {};
  o.scoliosis_deg = std::nan("");
  EXPECT_THROW(o.validate(), ConfigError);
  EXPECT_THAT([] { parse_spine_variant("t31"); }, ThrowsMessage<ConfigError>(HasSubstr("'t13'")));
}

}  // namespace
}  // namespace spinetherm
