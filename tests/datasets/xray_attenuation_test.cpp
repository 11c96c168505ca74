// SPDX-License-Identifier: Apache-2.0
#include "datasets/xray_attenuation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(XrayAttenuation, EveryMaterialHasItsRowAndFallsWithEnergy) {
  for (std::size_t m = 0; m < kXrayMaterialCount; ++m) {
    EXPECT_FALSE(xray_table().materials[m].provenance.source.empty());
    double last = 1e9;
    for (double e = 20; e <= 150; e += 1.3) {
      const double mu = mass_attenuation_m2_per_kg(XrayMaterial(m), e);
      EXPECT_LT(mu, last) << to_string(XrayMaterial(m)) << " at " << e;
      last = mu;
    }
  }
}

TEST(XrayAttenuation, ValuesAreThoseOfTheTable) {
  EXPECT_NEAR(mass_attenuation_m2_per_kg(XrayMaterial::water, 60), 0.02059, 1e-9);
  EXPECT_NEAR(mass_attenuation_m2_per_kg(XrayMaterial::cortical_bone, 40), 0.06655, 1e-9);
  EXPECT_NEAR(mass_attenuation_m2_per_kg(XrayMaterial::iron, 150), 0.01964, 1e-9);
  // Between energies of the table: water at 70 keV is 0.1929 cm2/g (XCOM).
  EXPECT_NEAR(mass_attenuation_m2_per_kg(XrayMaterial::water, 70), 0.01929, 0.0001);
  EXPECT_THROW(mass_attenuation_m2_per_kg(XrayMaterial::water, 10), ConfigError);
}

TEST(XrayBeam, FilterHardensAndThicknessHardens) {
  XrayBeamOptions soft, hard;
  hard.copper_mm = 0.9;
  EXPECT_GT(make_xray_beam(hard).mean_energy_keV, make_xray_beam(soft).mean_energy_keV + 4);
  const XrayBeam beam = make_xray_beam(soft);
  EXPECT_GT(beam.mean_energy_keV, 50);
  EXPECT_LT(beam.mean_energy_keV, 70);
  double photons = 0;
  for (const XrayBin& bin : beam.bins) photons += bin.photons;
  EXPECT_NEAR(photons, 1, 1e-9);
  // Attenuation per metre falls with the thickness: the cause of cupping.
  EXPECT_GT(beam.water_line_integral(0.01) / 0.01, 1.05 * beam.water_line_integral(0.3) / 0.3);
}

TEST(XrayBeam, AHandfulOfBinsIsEnough) {
  XrayBeamOptions few, many;
  many.bins = 90;
  const XrayBeam a = make_xray_beam(few), b = make_xray_beam(many);
  EXPECT_EQ(a.bins.size(), 8u);
  EXPECT_NEAR(a.mean_energy_keV, b.mean_energy_keV, 1e-9);
  for (const double t : {0.02, 0.1, 0.2, 0.35})
    EXPECT_NEAR(a.water_line_integral(t) / b.water_line_integral(t), 1, 0.002) << t;
}

TEST(XrayBeam, HalfValueLayerIsThatOfSuchTubes) {
  // 80 kV behind 3 mm of aluminium: 2.9-3.6 mm of aluminium halve it, by the energy that passes.
  XrayBeamOptions options;
  options.tube_kV = 80;
  options.aluminium_mm = 3;
  options.copper_mm = 0;
  const XrayBeam beam = make_xray_beam(options);
  const auto passed = [&](double mm) {
    std::array<double, kXrayMaterialCount> area{};
    area[std::size_t(XrayMaterial::aluminium)] = 2699 * mm * 1e-3;
    return std::exp(-beam.line_integral(area));
  };
  double low = 0, high = 20;
  for (int n = 0; n < 40; ++n) (passed(0.5 * (low + high)) > 0.5 ? low : high) = 0.5 * (low + high);
  // The energy weighting of the detector makes it harder than air kerma does.
  EXPECT_GT(low, 2.9);
  EXPECT_LT(low, 5.5);
}

TEST(XrayAttenuation, RefusesWhatCannotBeMeant) {
  XrayBeamOptions options;
  options.tube_kV = 20;
  EXPECT_THAT([&] { make_xray_beam(options); }, ThrowsMessage<ConfigError>(HasSubstr("tube_kV = 20")));
  options = {};
  options.bins = 0;
  EXPECT_THAT([&] { make_xray_beam(options); }, ThrowsMessage<ConfigError>(HasSubstr("bins = 0")));
  options = {};
  options.copper_mm = -1;
  EXPECT_THAT([&] { make_xray_beam(options); }, ThrowsMessage<ConfigError>(HasSubstr("copper_mm = -1")));
  options = {};
  options.aluminium_mm = 1000;
  EXPECT_THAT([&] { make_xray_beam(options); }, ThrowsMessage<ConfigError>(HasSubstr("aluminium_mm = 1000")));
  const auto refused = [](auto change, const std::string& part) {
    auto json = embedded_document("xray_attenuation.json");
    change(json);
    EXPECT_THAT([&] { read_xray_table(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(part)));
  };
  refused([](auto& j) { j["materials"].erase(3); }, "'iron'");
  refused([](auto& j) { j["materials"].push_back(j["materials"][0]); }, "named twice");
  refused([](auto& j) { j["materials"][1]["mass_attenuation_cm2_per_g"].erase(0); }, "/materials/1");
  refused([](auto& j) { j["materials"][1]["mass_attenuation_cm2_per_g"][2] = -1; }, "positive");
  refused([](auto& j) { j["materials"][1].erase("source"); }, "source");
  refused([](auto& j) { j["materials"][1]["colour"] = 1; }, "colour");
  refused([](auto& j) { j["energies_keV"][1] = 1; }, "energies must rise");
  refused([](auto& j) { j["tungsten_lines"]["alpha_share"] = 2; }, "/tungsten_lines");
}

}  // namespace
}  // namespace spinetherm
