// SPDX-License-Identifier: Apache-2.0
#include "apps/device_zone.h"

#include <gmock/gmock.h>

#include <stop_token>

#include "apps/engine_options.h"
#include "datasets/device_table.h"
#include "imaging/core/error.h"
#include "thermal/bioheat_solver.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

/// Quick, and far from exact.
DeviceZoneOptions coarse() {
  DeviceZoneOptions o;
  o.spacing_mm = o.patch_mm = 2;
  o.margin_mm = 20;
  o.most_widenings = 0;
  o.error_estimate = false;
  return o;
}
/// A device with the first `duration_s` of its protocol.
Device brief(const std::string& name, double duration_s) {
  Device d = device(name);
  d.protocol.steps.resize(1);
  d.protocol.steps[0].duration_s = duration_s;
  return d;
}

TEST(DeviceZone, StandsOnCellsThatMirrorThemselvesAcrossTheShaft) {
  const ThermalProblem problem = device_zone_problem(device("bipolar-articulating-10"), {});
  ASSERT_TRUE(problem.patch);
  for (const Grid& g : {problem.grid(), problem.patch->labels.grid})
    for (int a = 0; a < 2; ++a)
      EXPECT_NEAR(g.origin_mm[a] + g.spacing_mm[a] * (g.size[std::size_t(a)] - 1) / 2, 0, 1e-9);
  EXPECT_EQ(problem.patch->labels.grid.spacing_mm.x(), 0.5);
}

TEST(DeviceZone, IsItsOwnMirrorImageAcrossTheShaft) {
  const ThermalResult result =
      solve(device_zone_problem(brief("laser-980-cooled-10", 60), coarse()), patient_options(0));
  ASSERT_TRUE(result.summary.usable()) << result.summary.message;
  const Zone& zone = result.zones.at("cem43_over_240");
  EXPECT_GT(zone.extent_mm.x(), 5);
  EXPECT_NEAR(zone.extent_mm.x(), zone.extent_mm.y(), 0.02);
  const Volume<float>& peak = result.peak_temperature;
  const Grid& g = peak.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        EXPECT_NEAR(peak(i, j, k), peak(g.size[0] - 1 - i, j, k), 0.2);
        EXPECT_NEAR(peak(i, j, k), peak(j, i, k), 0.2);
      }
}

TEST(DeviceZone, LiesAroundTheFibre) {
  const DeviceZone z = simulated_zone(device("laser-980-cooled-10"), coarse());
  EXPECT_EQ(z.reason, "");
  EXPECT_EQ(z.criterion, "cem43_over_240");
  ASSERT_TRUE(z.length_mm && z.diameter_mm);
  EXPECT_GT(*z.length_mm, 10);
  EXPECT_GT(*z.diameter_mm, 5);
  EXPECT_LT(*z.diameter_mm, 35);
  EXPECT_FALSE(z.cut_by_box);
  EXPECT_FALSE(z.error_radius_mm);
  EXPECT_GT(z.wall_time_s, 0);
}

TEST(DeviceZone, AWeakProtocolHasNone) {
  Device d = brief("laser-980-cooled-10", 1);
  d.protocol.steps[0].power_W = 0.1;
  const DeviceZone z = simulated_zone(d, coarse());
  EXPECT_EQ(z.reason, "");
  EXPECT_EQ(z.length_mm, 0.0);
  EXPECT_EQ(z.diameter_mm, 0.0);
}

TEST(DeviceZone, IsMadeInTheMediumOfThePublishedOne) {
  const ThermalProblem gel = device_zone_problem(device("cryo-17g-short"), coarse());
  EXPECT_THAT(gel.tissue_map.tissues.at(0).name, HasSubstr("gel"));
  EXPECT_EQ(gel.initial_degC, 37);
  EXPECT_EQ(gel.duration_s, 600);  // the first of two freezes
  const ThermalProblem liver = device_zone_problem(device("mwa-2450-14g-liver"), coarse());
  EXPECT_EQ(liver.tissue_map.tissues.at(0).name, "organ");
  EXPECT_EQ(liver.tissue_map.tissues.at(0).perfusion_per_s, 0);
  EXPECT_EQ(liver.initial_degC, 20);
  EXPECT_EQ(liver.boundary[0].degC, 20);
  const ThermalProblem bone = device_zone_problem(device("bipolar-cooled-15"), coarse());
  EXPECT_GT(bone.tissue_map.tissues.at(0).perfusion_per_s, 0);
  EXPECT_EQ(bone.tissue_map.tissues.at(0).metabolic_W_per_m3, 0);
}

TEST(DeviceZone, WithoutAPublishedOneIsMadeInLivingBone) {
  const Device& cold = device("cryo-2.4mm");
  ASSERT_FALSE(cold.published_zone);
  EXPECT_EQ(zone_medium(cold).tissue, "cancellous_bone_1");
  EXPECT_TRUE(zone_medium(cold).perfused);
  EXPECT_EQ(zone_medium(cold).provenance.confidence, Confidence::placeholder);
  EXPECT_EQ(zone_criterion(cold), "under_minus20_degC");
  EXPECT_EQ(zone_criterion(device("monopolar-cooled-20")), "cem43_over_240");
  EXPECT_EQ(device_zone_problem(cold, coarse()).duration_s, 1500);
}

TEST(DeviceZone, RefusesAMediumThatNobodyKnowsOrThatLacksWhatTheEnergyNeeds) {
  Device d = device("bipolar-cooled-15");
  d.published_zone->in->tissue = "musle";
  EXPECT_THAT([&] { simulated_zone(d, coarse()); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("unknown tissue 'musle'"), HasSubstr("'muscle'"))));
  d.published_zone->in->tissue = "unknown";
  EXPECT_THAT([&] { simulated_zone(d, coarse()); },
              ThrowsMessage<ConfigError>(HasSubstr("unknown tissue 'unknown'")));
  d.published_zone->in->tissue = kWaterGel;
  EXPECT_THAT([&] { simulated_zone(d, coarse()); },
              ThrowsMessage<ConfigError>(HasSubstr("electrical_S_per_m")));
}

TEST(DeviceZone, OfARunThatWasStoppedIsUnknown) {
  std::stop_source stop;
  stop.request_stop();
  const DeviceZone z =
      simulated_zone(device("laser-980-cooled-10"), coarse(), Progress{{}, stop.get_token()});
  EXPECT_THAT(z.reason, StartsWith("cancelled"));
  EXPECT_FALSE(z.length_mm || z.diameter_mm);
  EXPECT_EQ(DeviceZone{}.reason, "not simulated");
}

TEST(DeviceZone, RefusesOptionsThatCannotBeMeant) {
  DeviceZoneOptions o;
  o.spacing_mm = 0;
  EXPECT_THAT([&] { device_zone_problem(device("bipolar-cooled-15"), o); },
              ThrowsMessage<ConfigError>(HasSubstr("spacing_mm = 0")));
}

TEST(DeviceZone, DeviatesOnlyFromWhatIsKnown) {
  EXPECT_NEAR(deviation_percent(22, 20).value(), 10, 1e-9);
  EXPECT_FALSE(deviation_percent(22, std::nullopt));
  EXPECT_FALSE(deviation_percent(std::nullopt, 20));
}

}  // namespace
}  // namespace spinetherm
