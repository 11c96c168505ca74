// SPDX-License-Identifier: Apache-2.0
#include "datasets/tissue_table.h"

#include <gmock/gmock.h>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"
#include "thermal/tissue_map.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const TissueRow& row(TissueClass c) { return tissue_rows().at(std::size_t(c)); }

/// Keys of all numbers that a tissue has.
std::vector<std::string> keys_of(const Tissue& t) {
  std::vector<std::string> keys = {"density_kg_per_m3", "specific_heat_J_per_kg_K", "conductivity_W_per_m_K",
                                   "metabolic_W_per_m3", "perfusion_per_s"};
  const auto add = [&](bool there, std::initializer_list<const char*> more) {
    if (there) keys.insert(keys.end(), more.begin(), more.end());
  };
  add(t.conductivity_per_K != 0, {"conductivity_per_K"});
  add(t.electrical_S_per_m.has_value(), {"electrical_S_per_m"});
  add(t.electrical_per_K != 0, {"electrical_per_K"});
  add(t.relative_permittivity.has_value(), {"relative_permittivity"});
  add(t.microwave_S_per_m.has_value(), {"microwave_S_per_m"});
  add(t.relative_permittivity_915MHz.has_value(), {"relative_permittivity_915MHz"});
  add(t.microwave_915MHz_S_per_m.has_value(), {"microwave_915MHz_S_per_m"});
  add(t.perfusion_rule.stops_at_arrhenius.has_value(), {"perfusion/stops_at_arrhenius"});
  add(t.perfusion_rule.stops_above_degC.has_value(), {"perfusion/stops_above_degC"});
  add(t.drying.has_value(), {"drying/from_degC", "drying/to_degC", "drying/residual"});
  add(t.boiling.has_value(), {"boiling/latent_J_per_kg", "boiling/from_degC", "boiling/to_degC"});
  add(t.frozen.has_value(),
      {"frozen/density_kg_per_m3", "frozen/specific_heat_J_per_kg_K", "frozen/conductivity_W_per_m_K",
       "frozen/latent_J_per_kg", "frozen/solidus_degC", "frozen/liquidus_degC"});
  add(t.optical.has_value(), {"optical/absorption_per_m", "optical/reduced_scattering_per_m"});
  add(t.optical && t.optical->coagulated,
      {"optical/coagulated/absorption_per_m", "optical/coagulated/reduced_scattering_per_m"});
  add(t.optical_1064nm.has_value(),
      {"optical_1064nm/absorption_per_m", "optical_1064nm/reduced_scattering_per_m"});
  add(t.optical_1064nm && t.optical_1064nm->coagulated,
      {"optical_1064nm/coagulated/absorption_per_m", "optical_1064nm/coagulated/reduced_scattering_per_m"});
  add(t.damage.has_value(), {"damage/frequency_per_s", "damage/energy_J_per_mol"});
  return keys;
}

TEST(TissueTable, EveryClassHasARowInItsPlace) {
  ASSERT_EQ(tissue_rows().size(), std::size_t(TissueClass::count_));
  ASSERT_EQ(tissue_table().size(), std::size_t(TissueClass::count_));
  for (std::size_t n = 0; n < tissue_rows().size(); ++n) {
    EXPECT_EQ(tissue_rows()[n].tissue_class, TissueClass(n));
    EXPECT_EQ(tissue_table()[n], tissue_rows()[n].tissue);
    EXPECT_GT(tissue_table()[n].density_kg_per_m3, 0);
  }
}

TEST(TissueTable, EveryNumberHasItsSource) {
  for (const TissueRow& r : tissue_rows())
    for (const std::string& key : keys_of(r.tissue)) {
      const auto found = r.tissue.provenance.find(key);
      ASSERT_NE(found, r.tissue.provenance.end()) << r.tissue.name << " " << key;
      EXPECT_GT(found->second.source.size(), 3u) << r.tissue.name << " " << key;
    }
}

TEST(TissueTable, HasNoSourceForANumberThatIsNotThere) {
  for (const TissueRow& r : tissue_rows()) {
    const auto keys = keys_of(r.tissue);
    for (const auto& [key, provenance] : r.tissue.provenance)
      EXPECT_THAT(keys, testing::Contains(key)) << r.tissue.name;
  }
}

TEST(TissueTable, UnknownIsNoTissueOfItsOwn) {
  Tissue heat = row(TissueClass::muscle).tissue;
  heat.name = "unknown (heat as muscle)";
  EXPECT_EQ(row(TissueClass::unknown).tissue, heat);
}

TEST(TissueTable, CancellousGradesAreTheMixtureThatTheyClaim) {
  ASSERT_EQ(tissue_ingredients().size(), 2u);
  const Tissue &bone = row(TissueClass::cortical_bone).tissue, &red = tissue_ingredients()[0].tissue,
               &yellow = tissue_ingredients()[1].tissue;
  double last_band = 0;
  for (const auto c : {TissueClass::cancellous_bone_0, TissueClass::cancellous_bone_1,
                       TissueClass::cancellous_bone_2, TissueClass::cancellous_bone_3}) {
    const TissueRow& r = row(c);
    ASSERT_TRUE(r.mixture && r.hu_band);
    const double b = r.mixture->bone_volume_fraction, m = r.mixture->red_marrow_fraction;
    const std::array<double, 3> f = {b, (1 - b) * m, (1 - b) * (1 - m)};
    const auto volume = [&](auto value) {
      return f[0] * value(bone) + f[1] * value(red) + f[2] * value(yellow);
    };
    const auto density = [](const Tissue& t) { return t.density_kg_per_m3; };
    const double rho = volume(density);
    const auto near = [&](double found, double expected, const char* what) {
      EXPECT_NEAR(found, expected, 1e-3 * expected) << r.tissue.name << " " << what;
    };
    near(r.tissue.density_kg_per_m3, rho, "density");
    near(r.tissue.specific_heat_J_per_kg_K,
         volume([](const Tissue& t) { return t.density_kg_per_m3 * t.specific_heat_J_per_kg_K; }) / rho,
         "heat");
    near(r.tissue.conductivity_W_per_m_K, volume([](const Tissue& t) { return t.conductivity_W_per_m_K; }),
         "k");
    near(*r.tissue.electrical_S_per_m, volume([](const Tissue& t) { return *t.electrical_S_per_m; }),
         "sigma");
    near(*r.tissue.relative_permittivity, volume([](const Tissue& t) { return *t.relative_permittivity; }),
         "eps");
    near(*r.tissue.microwave_S_per_m, volume([](const Tissue& t) { return *t.microwave_S_per_m; }),
         "sigma at 2.45 GHz");
    near(*r.tissue.relative_permittivity_915MHz,
         volume([](const Tissue& t) { return *t.relative_permittivity_915MHz; }), "eps at 915 MHz");
    near(*r.tissue.microwave_915MHz_S_per_m,
         volume([](const Tissue& t) { return *t.microwave_915MHz_S_per_m; }), "sigma at 915 MHz");
    near(r.tissue.boiling->latent_J_per_kg,
         volume([](const Tissue& t) { return t.density_kg_per_m3 * t.boiling->latent_J_per_kg; }) / rho,
         "boil");
    near(r.tissue.frozen->latent_J_per_kg,
         volume([](const Tissue& t) { return t.density_kg_per_m3 * t.frozen->latent_J_per_kg; }) / rho,
         "ice");
    // Background of patients: 0.5-2e-3 1/s.
    EXPECT_EQ(r.range.at("perfusion_per_s"), (std::array<double, 2>{5e-4, 2e-3}));
    // The band holds the CT number of the mixture: 1400, 40 and -80 HU.
    const double hu = f[0] * 1400 + f[1] * 40 + f[2] * -80;
    EXPECT_GE(hu, (*r.hu_band)[0]);
    EXPECT_LT(hu, (*r.hu_band)[1]);
    if (c != TissueClass::cancellous_bone_0) {
      EXPECT_EQ((*r.hu_band)[0], last_band);
    }
    last_band = (*r.hu_band)[1];
  }
}

TEST(TissueTable, TheTissueMapGradesBoneByTheseBands) {
  const auto grades = TissueMapOptions{}.bone_grades_HU;
  for (std::size_t n = 0; n < 4; ++n)
    EXPECT_EQ(grades[n], (*row(TissueClass(std::size_t(TissueClass::cancellous_bone_0) + n)).hu_band)[1])
        << n;
}

TEST(TissueTable, EveryFrequencyAndWavelengthIsKnownWhereOneIs) {
  for (const TissueRow& r : tissue_rows()) {
    const Tissue& t = r.tissue;
    EXPECT_EQ(t.relative_permittivity_915MHz.has_value(), t.relative_permittivity.has_value()) << t.name;
    EXPECT_EQ(t.microwave_915MHz_S_per_m.has_value(), t.microwave_S_per_m.has_value()) << t.name;
    EXPECT_EQ(t.optical_1064nm.has_value(), t.optical.has_value()) << t.name;
    // Relaxation: with frequency the permittivity falls and the conductivity rises.
    if (t.microwave_S_per_m && *t.microwave_S_per_m > 0) {
      EXPECT_GE(*t.relative_permittivity_915MHz, *t.relative_permittivity) << t.name;
      EXPECT_LT(*t.microwave_915MHz_S_per_m, *t.microwave_S_per_m) << t.name;
    }
    // Air and cement do not coagulate.
    const bool living = r.tissue_class != TissueClass::air && r.tissue_class != TissueClass::cement;
    for (const auto& optical : {t.optical, t.optical_1064nm})
      if (optical && !living) {
        EXPECT_FALSE(optical->coagulated) << t.name;
      } else if (optical) {
        ASSERT_TRUE(optical->coagulated) << t.name;
        EXPECT_EQ(optical->coagulated->absorption_per_m, optical->native.absorption_per_m) << t.name;
        EXPECT_NEAR(optical->coagulated->reduced_scattering_per_m,
                    3 * optical->native.reduced_scattering_per_m, 1e-9)
            << t.name;
      }
  }
}

TEST(TissueTable, MediaAreKnownByName) {
  for (const char* name : {"D5W", "saline", "CO2"}) {
    const Tissue& medium = dissection_medium(name);
    EXPECT_EQ(medium.name, name);
    EXPECT_TRUE(medium.electrical_S_per_m && medium.microwave_S_per_m && medium.optical && medium.frozen);
    EXPECT_EQ(medium.perfusion_per_s, 0);
  }
  EXPECT_GT(*dissection_medium("saline").electrical_S_per_m,
            100 * *dissection_medium("D5W").electrical_S_per_m);
  EXPECT_LT(dissection_medium("CO2").conductivity_W_per_m_K, 0.02);
  EXPECT_THROW(dissection_medium("glue"), ConfigError);
}

TEST(TissueTable, WhatIsGuessedOfLightIsAPlaceholder) {
  for (const TissueClass c : {TissueClass::tumour_lytic, TissueClass::cancellous_bone_1, TissueClass::disc})
    EXPECT_EQ(row(c).tissue.provenance.at("optical_1064nm/absorption_per_m").confidence,
              Confidence::placeholder)
        << row(c).tissue.name;
  const auto& muscle = row(TissueClass::muscle).tissue.provenance;
  EXPECT_EQ(muscle.at("optical_1064nm/absorption_per_m").confidence, Confidence::placeholder);
  EXPECT_EQ(muscle.at("optical_1064nm/reduced_scattering_per_m").confidence, Confidence::measured);
}

TEST(TissueTable, NeuralTissueHasTheCordsOwnDamageSet) {
  for (const auto c : {TissueClass::cord, TissueClass::nerve}) {
    ASSERT_TRUE(row(c).tissue.damage);
    EXPECT_NEAR(row(c).tissue.damage->energy_J_per_mol, 6.8032e5, 50);
    // ED50: the integral reaches ln 2 in 648 s at 45 degC.
    const double rate =
        row(c).tissue.damage->frequency_per_s *
        std::exp(-row(c).tissue.damage->energy_J_per_mol / (8.31446261815324 * (45 + 273.15)));
    EXPECT_NEAR(rate * 648, std::log(2.0), 1e-3);
  }
  EXPECT_NEAR(row(TissueClass::tumour_lytic).tissue.damage->energy_J_per_mol, 2.577e5, 1);
}

TEST(TissueTable, SinksThatAHeatVerdictMustNotCountAreOff) {
  EXPECT_EQ(row(TissueClass::csf).tissue.perfusion_per_s, 0);
  EXPECT_LT(row(TissueClass::epidural_fat).tissue.perfusion_per_s, 1e-3);
}

nlohmann::json document() { return embedded_document("tissues.json"); }
auto reading(const nlohmann::json& json) {
  return [&json] { read_tissues(JsonReader(json)); };
}

TEST(TissueTable, RefusesANumberWithoutSource) {
  auto json = document();
  json["tissues"][3]["density_kg_per_m3"] = 911;
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("/tissues/3/density_kg_per_m3")));
  json = document();
  json["tissues"][3]["density_kg_per_m3"]["source"] = "itiss";
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("'itis'")));
  json = document();
  json["tissues"][3]["density_kg_per_m3"].erase("confidence");
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("confidence")));
}

TEST(TissueTable, RefusesAMissingClassAnUnknownKeyAndAnImpossibleValue) {
  auto json = document();
  json["tissues"].erase(5);
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("'skin'")));
  json = document();
  json["tissues"].erase(4);
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("/tissues/0/heat_as")));
  json = document();
  json["tissues"][4]["perfusionn"] = 1;
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("perfusionn")));
  json = document();
  json["tissues"][4]["density_kg_per_m3"]["value"] = -1;
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("/tissues/4")));
  json = document();
  json["tissues"][4]["class"] = "fat";
  EXPECT_THAT(reading(json), ThrowsMessage<ConfigError>(HasSubstr("named twice")));
}

}  // namespace
}  // namespace spinetherm
