// SPDX-License-Identifier: Apache-2.0
#include "thermal/rfa.h"

#include <gmock/gmock.h>

#include <cmath>

#include "imaging/core/error.h"
#include "thermal/electric_field.h"
#include "thermal/modality.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Device bipolar() {
  Device d;
  d.name = "two poles";
  d.modality = "rfa";
  d.shaft_diameter_mm = 1.6;
  d.length_mm = 120;
  d.poles = {{0, 6, 1.6, 1}, {8, 14, 1.6, -1}};
  d.sensors = {{"zone edge", 12, 0}};
  d.max_power_W = 15;
  d.cooled_degC = 20;
  return d;
}
Device monopolar() {
  Device d = bipolar();
  d.name = "one pole";
  d.poles = {{0, 10, 1.6, 1}};
  return d;
}
Applicator along_x() { return {.device = "two poles", .entry_mm = {60, 0.1, 0.2}, .tip_mm = {-7, 0.1, 0.2}}; }
Protocol protocol(std::vector<ProtocolStep> steps) { return {"rfa", std::move(steps)}; }

const ElectrodesSource& electrodes(const Source& s) { return std::get<ElectrodesSource>(s.what); }

TEST(PlacedPolesTest, CoverTheShaftFromTipToEntryWithoutGaps) {
  const PlacedPoles placed = place_poles(along_x(), bipolar());
  ASSERT_EQ(placed.electrodes.size(), 2U);
  ASSERT_EQ(placed.insulators.size(), 2U);
  for (double x = -6.9; x < 60; x += 0.05) {
    const Vector3d at(x, 0.1, 0.2);
    bool covered = false;
    for (const Electrode& e : placed.electrodes) covered |= contains(e.region, at);
    for (const Region& r : placed.insulators) covered |= contains(r, at);
    EXPECT_TRUE(covered) << x;
  }
  // The metal of the first pole is seen from outside over its 6 mm and no farther.
  const auto metal = [&](double x) {
    const Vector3d at(x, 0.1 + 0.799, 0.2);
    return contains(placed.electrodes[0].region, at) && !contains(placed.insulators[0], at);
  };
  EXPECT_TRUE(metal(-6));
  EXPECT_TRUE(metal(-1.1));
  EXPECT_FALSE(metal(-0.9));
  EXPECT_EQ(placed.electrodes[0].cooled_degC, 20);
  EXPECT_EQ(placed.electrodes[1].potential_V, -1);
}

TEST(PlacedPolesTest, AnInsulatingTipAndAShortPathAreSeen) {
  Device d = bipolar();
  d.poles[0].from_tip_mm = 2;
  const PlacedPoles placed = place_poles(along_x(), d);
  EXPECT_TRUE(contains(placed.insulators[0], {-6, 0.1, 0.2}));
  EXPECT_FALSE(contains(placed.electrodes[0].region, {-6, 0.1, 0.2}));
  Applicator shallow = along_x();
  shallow.entry_mm[0] = 6;
  EXPECT_THAT([&] { place_poles(shallow, d); },
              ThrowsMessage<ConfigError>(HasSubstr("beyond the entry point")));
}

TEST(RfaSources, OneForEachStepThatGivesEnergy) {
  const auto sources = make_rfa_sources({along_x()}, {bipolar()},
                                        protocol({{.duration_s = 60, .hold_degC = 50, .max_W = 8},
                                                  {.duration_s = 30},
                                                  {.duration_s = 90, .power_W = 12},
                                                  {.duration_s = 10, .voltage_V = 30}}));
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].active_s, (ActiveTimes{{0, 60}}));
  EXPECT_EQ(sources[1].active_s, (ActiveTimes{{90, 180}}));
  EXPECT_EQ(sources[2].active_s, (ActiveTimes{{180, 190}}));
  const auto& held = std::get<HoldTemperature>(electrodes(sources[0]).control);
  EXPECT_EQ(held.degC, 50);
  EXPECT_EQ(held.max_W, 8);
  EXPECT_TRUE(held.sensor_mm.isApprox(Vector3d(5, 0.1, 0.2)));
  EXPECT_EQ(std::get<ConstantPower>(electrodes(sources[1]).control).power_W, 12);
  EXPECT_EQ(electrodes(sources[2]).electrodes[0].potential_V, 15);
  EXPECT_EQ(electrodes(sources[2]).electrodes[1].potential_V, -15);
}

TEST(RfaSources, PadForOnePoleNoneForTwo) {
  const Protocol p = protocol({{.duration_s = 60, .voltage_V = 30}});
  const ElectrodesSource one = electrodes(make_rfa_sources({along_x()}, {monopolar()}, p)[0]);
  EXPECT_TRUE(one.outer_grounded);
  EXPECT_EQ(one.electrodes[0].potential_V, 30);
  EXPECT_FALSE(electrodes(make_rfa_sources({along_x()}, {bipolar()}, p)[0]).outer_grounded);
}

TEST(RfaSources, SeveralApplicatorsActInOneField) {
  Applicator second = along_x();
  second.entry_mm[1] += 12;
  second.tip_mm[1] += 12;
  const auto sources = make_rfa_sources({along_x(), second}, {bipolar(), bipolar()},
                                        protocol({{.duration_s = 60, .hold_degC = 70}}));
  ASSERT_EQ(sources.size(), 1U);
  EXPECT_EQ(electrodes(sources[0]).electrodes.size(), 4U);
  EXPECT_EQ(electrodes(sources[0]).insulators.size(), 4U);
  // Each is a channel with its own sensor and limit.
  const std::vector<ElectrodeChannel>& channels = electrodes(sources[0]).channels;
  ASSERT_EQ(channels.size(), 2U);
  EXPECT_EQ(channels[1].electrodes, (std::vector<int>{2, 3}));
  const auto& held = std::get<HoldTemperature>(channels[1].control);
  EXPECT_EQ(held.max_W, 15);
  EXPECT_TRUE(held.sensor_mm.isApprox(Vector3d(5, 12.1, 0.2)));
}

Grid around_the_poles(double h) {
  Grid grid;
  const int n = int(std::lround(28 / h));
  grid.size = {n, n, n};
  grid.spacing_mm.setConstant(h);
  grid.origin_mm.setConstant(-(n - 1) * h / 2);
  return grid;
}

Device bending() {
  Device d = bipolar();
  d.articulation = {20, 60};
  return d;
}

TEST(BentPoles, CoverTheArcWithoutGapsAndPolesDoNotTouch) {
  const Applicator a = along_x();
  const PlacedPoles placed = place_poles(a, bending());
  ASSERT_EQ(placed.electrodes.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Tube>(placed.electrodes[0].region.shape));
  for (double s = 0.1; s < 60; s += 0.05) {
    const Vector3d at = on_shaft_mm(a, bending(), s);
    int metal = 0, insulated = 0;
    for (const Electrode& e : placed.electrodes) metal += contains(e.region, at);
    for (const Region& r : placed.insulators) insulated += contains(r, at);
    EXPECT_GE(metal + insulated, 1) << s;
    EXPECT_LE(metal, 1) << s;
  }
}

TEST(BentPoles, HaveTheResistanceOfAFinerGridAndNearlyThatOfAStraightTip) {
  const Protocol p = protocol({{.duration_s = 60, .voltage_V = 20}});
  const auto ohm = [&](const Device& d, double h) {
    ElectricField field(around_the_poles(h), electrodes(make_rfa_sources({along_x()}, {d}, p)[0]), false, 1);
    EXPECT_TRUE(field.solve(Volume<float>(around_the_poles(h), 0.1F)).usable());
    return field.resistance_ohm();
  };
  const double fine = ohm(bending(), 0.35);
  EXPECT_NEAR(ohm(bending(), 0.7) / fine, 1, 0.03);
  EXPECT_NEAR(ohm(bending(), 1) / fine, 1, 0.05);
  EXPECT_NEAR(ohm(bipolar(), 0.35) / fine, 1, 0.05);
}

TEST(RfaSources, TinesWorkAgainstThePadAndRollOffGoesWithEachStep) {
  Device d = monopolar();
  d.poles.clear();
  d.cooled_degC.reset();
  d.tines = {6, 0.4, 0, 6, 90, 1};
  d.sensors = {{"tine", 0, 0, 1}};
  const auto sources =
      make_rfa_sources({along_x()}, {d},
                       protocol({{.duration_s = 60, .power_W = 5, .roll_off = RollOff{0.3, 10}},
                                 {.duration_s = 60, .hold_degC = 90}}));
  EXPECT_EQ(electrodes(sources[0]).electrodes.size(), 6U);
  EXPECT_TRUE(electrodes(sources[0]).outer_grounded);
  EXPECT_EQ(electrodes(sources[0]).roll_off, (RollOff{0.3, 10}));
  EXPECT_FALSE(electrodes(sources[1]).roll_off);
  EXPECT_TRUE(std::get<HoldTemperature>(electrodes(sources[1]).control)
                  .sensor_mm.isApprox(tine_lines_mm(along_x(), d)[0].back()));
  Applicator drawn_in = along_x();
  drawn_in.deployment = 0;
  EXPECT_THAT([&] { place_poles(drawn_in, d); }, ThrowsMessage<ConfigError>(HasSubstr("drawn in")));
}

TEST(Cannula, IsFloatingMetalThatCarriesCurrentPastThePoles) {
  Device d = bipolar();
  d.cannula = {2.4, 5};
  const Protocol p = protocol({{.duration_s = 60, .voltage_V = 20}});
  const auto ohm = [&](std::optional<double> end_mm) {
    Applicator a = along_x();
    a.cannula_from_tip_mm = end_mm;
    const ElectrodesSource s = electrodes(make_rfa_sources({a}, {d}, p)[0]);
    EXPECT_EQ(s.electrodes.size(), end_mm ? 3U : 2U);
    ElectricField field(around_the_poles(0.5), s, false, 1);
    EXPECT_TRUE(field.solve(Volume<float>(around_the_poles(0.5), 0.1F)).usable());
    return field.resistance_ohm();
  };
  const double none = ohm({}), near = ohm(15), far = ohm(19);
  EXPECT_LT(near, 0.995 * none) << "a shunt";
  EXPECT_LT(near, far);
  EXPECT_LE(far, none * 1.001);
  Applicator a = along_x();
  a.cannula_from_tip_mm = 16;
  EXPECT_THAT(rfa_warnings({a}, {d}),
              ::testing::ElementsAre(HasSubstr("ends 2.0 mm behind the active part")));
  a.cannula_from_tip_mm = 19.5;
  EXPECT_TRUE(rfa_warnings({a}, {d}).empty());
  a.cannula_from_tip_mm = 9;
  EXPECT_THAT([&] { place_poles(a, d); }, ThrowsMessage<ConfigError>(HasSubstr("short circuit")));
}

TEST(SalineHalo, LowersTheResistanceAndLeavesTheRestOfTheTissue) {
  const Grid grid = around_the_poles(0.7);
  TissueMap map;
  map.labels = Volume<std::uint8_t>(grid);
  map.tissues.resize(1);
  map.tissues[0].electrical_S_per_m = 0.1;
  add_saline_halo(map, {along_x()}, {bipolar()}, {2, 1.2});
  const Volume<float>& factor = map.factors.electrical;
  EXPECT_NEAR(*sample_nearest(factor, {-4, 1.5, 0}), 12, 1e-5);
  EXPECT_EQ(*sample_nearest(factor, {-4, 6, 0}), 1);
  EXPECT_EQ(*sample_nearest(factor, {13, 1, 0}), 1) << "beside the insulated shaft";
  Volume<float> sigma(grid, 0.1F);
  const ElectrodesSource s = electrodes(
      make_rfa_sources({along_x()}, {bipolar()}, protocol({{.duration_s = 60, .voltage_V = 20}}))[0]);
  ElectricField field(grid, s, false, 1);
  ASSERT_TRUE(field.solve(sigma).usable());
  const double without = field.resistance_ohm();
  for (std::size_t c = 0; c < sigma.values.size(); ++c) sigma[c] *= factor[c];
  ASSERT_TRUE(field.solve(sigma).usable());
  EXPECT_LT(field.resistance_ohm(), 0.4 * without);
  Protocol p = protocol({{.duration_s = 60, .voltage_V = 20}});
  p.saline_halo = SalineHalo{2, -1};
  EXPECT_THAT([&] { validate(p, bipolar()); },
              ThrowsMessage<ConfigError>(HasSubstr("saline_halo/conductivity")));
}

TEST(RfaSources, RefusalsNameTheReason) {
  const Protocol p = protocol({{.duration_s = 60, .power_W = 5}});
  const auto making = [&](const std::vector<Device>& d, const Protocol& with) {
    return [=] { make_rfa_sources(std::vector<Applicator>(d.size(), along_x()), d, with); };
  };
  EXPECT_THAT(making({}, p), ThrowsMessage<ConfigError>(HasSubstr("0 applicators")));
  EXPECT_THAT(making({bipolar(), monopolar()}, p),
              ThrowsMessage<ConfigError>(HasSubstr("monopolar and bipolar")));
  EXPECT_THAT(making({bipolar()}, protocol({{.duration_s = 60}})),
              ThrowsMessage<ConfigError>(HasSubstr("no step of the protocol gives energy")));
  Device cryo = bipolar();
  cryo.modality = "cryo";
  EXPECT_THAT(making({cryo}, p), ThrowsMessage<ConfigError>(HasSubstr("not with radiofrequency")));
  Device unlimited = bipolar();
  unlimited.max_power_W.reset();
  EXPECT_THAT(making({unlimited}, protocol({{.duration_s = 60, .hold_degC = 70}})),
              ThrowsMessage<ConfigError>(HasSubstr("no limit of power")));
}

TEST(RfaSources, ResistanceDoesNotDependOnHowTheNeedleLiesInTheGrid) {
  Grid grid;
  grid.size = {56, 56, 56};
  grid.spacing_mm.setConstant(0.5);
  grid.origin_mm.setConstant(-13.75);
  std::vector<double> ohm;
  for (const Vector3d& along : {Vector3d(1, 0, 0), Vector3d(2, -1, 0.5), Vector3d(1, 1, 1)}) {
    const Vector3d centre(0.13, -0.08, 0.21), unit = along.normalized();
    const Applicator a = {.device = "two poles", .entry_mm = centre + 40 * unit, .tip_mm = centre - 7 * unit};
    ElectrodesSource source =
        electrodes(make_rfa_sources({a}, {bipolar()}, protocol({{.duration_s = 60, .voltage_V = 20}}))[0]);
    ElectricField field(grid, source, false, 1);
    ASSERT_TRUE(field.solve(Volume<float>(grid, 0.1F)).usable());
    EXPECT_NEAR(field.power_W() * field.resistance_ohm(), 400, 0.2);
    ohm.push_back(field.resistance_ohm());
  }
  EXPECT_NEAR(ohm[1] / ohm[0], 1, 0.02);
  EXPECT_NEAR(ohm[2] / ohm[0], 1, 0.02);
}

TEST(EnergyModalities, AreFoundByNameAndRefusedWithTheKnownOnes) {
  EXPECT_THAT(
      [] { energy_modality("laser2"); },
      ThrowsMessage<ConfigError>(AllOf(HasSubstr("unknown energy 'laser2'"), HasSubstr("known: rfa"))));
}

}  // namespace
}  // namespace spinetherm
