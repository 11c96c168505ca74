// SPDX-License-Identifier: Apache-2.0
#include "thermal/tissue.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

Tissue full() {
  Tissue t = soft_tissue({});
  t.electrical_S_per_m = 0.2;
  t.relative_permittivity = 43;
  t.microwave_S_per_m = 1.7;
  t.drying = Drying{};
  t.boiling = Boiling{1.5e6, 99, 101};
  t.frozen = Frozen{1000, 2000, 2.2, 250e3, -8, -0.6};
  t.optical = Optical{{50, 900}, OpticalProperties{50, 3000}};
  t.damage = Arrhenius{7.39e39, 2.577e5};
  t.perfusion_rule = {.stops_at_arrhenius = 1, .stops_above_degC = 60};
  return t;
}

/// Where the refused value sits, relative to the tissue; "" when it is accepted.
std::string refused(const std::function<void(Tissue&)>& spoil) {
  Tissue t = full();
  spoil(t);
  try {
    validate(t, "");
  } catch (const ConfigError& e) {
    EXPECT_FALSE(e.what_is_wrong().empty());
    EXPECT_FALSE(e.what_to_do().empty()) << e.what();
    return e.where();
  }
  return "";
}

TEST(TissueValidation, AcceptsWhatTissueCanBe) {
  EXPECT_EQ(refused([](Tissue&) {}), "");
  EXPECT_EQ(refused([](Tissue& t) { t.perfusion_per_s = 0; }), "");
  EXPECT_EQ(refused([](Tissue& t) { t.electrical_S_per_m = 0; }), "");
  EXPECT_EQ(refused([](Tissue& t) { t.metabolic_W_per_m3 = -5; }), "");
  EXPECT_EQ(refused([](Tissue& t) { t.conductivity_per_K = -0.01; }), "");
}

TEST(TissueValidation, RefusesWithThePointerOfTheValue) {
  for (const double bad : {0.0, -1.0, double(NAN), double(INFINITY)}) {
    EXPECT_EQ(refused([&](Tissue& t) { t.density_kg_per_m3 = bad; }), "/density_kg_per_m3");
    EXPECT_EQ(refused([&](Tissue& t) { t.specific_heat_J_per_kg_K = bad; }), "/specific_heat_J_per_kg_K");
    EXPECT_EQ(refused([&](Tissue& t) { t.conductivity_W_per_m_K = bad; }), "/conductivity_W_per_m_K");
    EXPECT_EQ(refused([&](Tissue& t) { t.frozen->density_kg_per_m3 = bad; }), "/frozen/density_kg_per_m3");
    EXPECT_EQ(refused([&](Tissue& t) { t.frozen->specific_heat_J_per_kg_K = bad; }),
              "/frozen/specific_heat_J_per_kg_K");
    EXPECT_EQ(refused([&](Tissue& t) { t.frozen->conductivity_W_per_m_K = bad; }),
              "/frozen/conductivity_W_per_m_K");
    EXPECT_EQ(refused([&](Tissue& t) { t.damage->frequency_per_s = bad; }), "/damage/frequency_per_s");
    EXPECT_EQ(refused([&](Tissue& t) { t.damage->energy_J_per_mol = bad; }), "/damage/energy_J_per_mol");
    EXPECT_EQ(refused([&](Tissue& t) { t.perfusion_rule.stops_at_arrhenius = bad; }),
              "/perfusion/stops_at_arrhenius");
    EXPECT_EQ(refused([&](Tissue& t) { t.drying->residual = bad; }), "/drying/residual");
    EXPECT_EQ(refused([&](Tissue& t) { t.relative_permittivity = bad; }), "/relative_permittivity");
  }
  for (const double bad : {-1e-3, double(NAN), double(INFINITY)}) {
    EXPECT_EQ(refused([&](Tissue& t) { t.perfusion_per_s = bad; }), "/perfusion_per_s");
    EXPECT_EQ(refused([&](Tissue& t) { t.electrical_S_per_m = bad; }), "/electrical_S_per_m");
    EXPECT_EQ(refused([&](Tissue& t) { t.microwave_S_per_m = bad; }), "/microwave_S_per_m");
    EXPECT_EQ(refused([&](Tissue& t) { t.boiling->latent_J_per_kg = bad; }), "/boiling/latent_J_per_kg");
    EXPECT_EQ(refused([&](Tissue& t) { t.frozen->latent_J_per_kg = bad; }), "/frozen/latent_J_per_kg");
    EXPECT_EQ(refused([&](Tissue& t) { t.optical->native.absorption_per_m = bad; }),
              "/optical/absorption_per_m");
    EXPECT_EQ(refused([&](Tissue& t) { t.optical->coagulated->reduced_scattering_per_m = bad; }),
              "/optical/coagulated/reduced_scattering_per_m");
  }
  EXPECT_EQ(refused([](Tissue& t) { t.metabolic_W_per_m3 = NAN; }), "/metabolic_W_per_m3");
}

TEST(TissueValidation, RefusesGrowthThatEndsInNegativeProperties) {
  EXPECT_EQ(refused([](Tissue& t) { t.conductivity_per_K = -0.02; }), "/conductivity_per_K");
  EXPECT_EQ(refused([](Tissue& t) { t.conductivity_per_K = NAN; }), "/conductivity_per_K");
  EXPECT_EQ(refused([](Tissue& t) { t.electrical_per_K = -0.02; }), "/electrical_per_K");
}

TEST(TissueValidation, RefusesPhasesInTheWrongOrder) {
  EXPECT_EQ(refused([](Tissue& t) { t.frozen->liquidus_degC = -8; }), "/frozen/liquidus_degC");
  EXPECT_EQ(refused([](Tissue& t) { t.frozen->liquidus_degC = 40; }), "/frozen/liquidus_degC");
  EXPECT_EQ(refused([](Tissue& t) { t.frozen->solidus_degC = -300; }), "/frozen/solidus_degC");
  EXPECT_EQ(refused([](Tissue& t) { t.boiling->to_degC = 99; }), "/boiling/to_degC");
  EXPECT_EQ(refused([](Tissue& t) { t.boiling->from_degC = 30; }), "/boiling/from_degC");
  EXPECT_EQ(refused([](Tissue& t) { t.drying->to_degC = 100; }), "/drying/to_degC");
  EXPECT_EQ(refused([](Tissue& t) { t.perfusion_rule.stops_above_degC = NAN; }),
            "/perfusion/stops_above_degC");
}

TEST(TissueValidation, PerfusionCannotStopAtADamageThatIsNotDefined) {
  EXPECT_EQ(refused([](Tissue& t) { t.damage.reset(); }), "/perfusion/stops_at_arrhenius");
  EXPECT_EQ(refused([](Tissue& t) {
              t.perfusion_rule = {};
              t.perfusion_rule.falls_with_arrhenius = true;
              t.damage.reset();
            }),
            "/perfusion/falls_with_arrhenius");
}

std::string refused_map(const std::function<void(TissueMap&)>& spoil) {
  TissueMap map = uniform_problem({}, {3, 4, 5}, 1).tissue_map;
  map.tissues.push_back(full());
  spoil(map);
  try {
    validate(map);
  } catch (const ConfigError& e) {
    return e.where();
  }
  return "";
}

TEST(TissueMapValidation, RefusesLabelsWithoutTissueAndFactorsThatDoNotFit) {
  EXPECT_EQ(refused_map([](TissueMap& m) { m.labels[7] = 1; }), "");
  EXPECT_EQ(refused_map([](TissueMap& m) { m.labels[7] = 2; }), "/labels");
  EXPECT_EQ(refused_map([](TissueMap& m) { m.labels.values.pop_back(); }), "/labels");
  EXPECT_EQ(refused_map([](TissueMap& m) { m.tissues.clear(); }), "/tissues");
  EXPECT_EQ(refused_map([](TissueMap& m) { m.tissues.resize(257, full()); }), "/tissues");
  EXPECT_EQ(refused_map([](TissueMap& m) { m.tissues[1].density_kg_per_m3 = 0; }),
            "/tissues/1/density_kg_per_m3");
  EXPECT_EQ(refused_map([](TissueMap& m) { m.labels.grid.size = {0, 4, 5}; }).substr(0, 5), "/grid");
  const auto factor = [](float value, Volume<float> CellFactors::*which) {
    return refused_map([&](TissueMap& m) {
      m.factors.*which = Volume<float>(m.labels.grid, 1);
      (m.factors.*which)[3] = value;
    });
  };
  EXPECT_EQ(factor(1, &CellFactors::conductivity), "");
  EXPECT_EQ(factor(0, &CellFactors::conductivity), "/factors/conductivity");
  EXPECT_EQ(factor(NAN, &CellFactors::heat_capacity), "/factors/heat_capacity");
  EXPECT_EQ(factor(0, &CellFactors::perfusion), "");
  EXPECT_EQ(factor(-1, &CellFactors::perfusion), "/factors/perfusion");
  EXPECT_EQ(factor(0, &CellFactors::electrical), "");
  EXPECT_EQ(factor(INFINITY, &CellFactors::electrical), "/factors/electrical");
  EXPECT_EQ(refused_map([](TissueMap& m) {
              m.factors.conductivity = Volume<float>(m.labels.grid, 1);
              m.factors.conductivity.grid.origin_mm[0] += 1;
            }),
            "/factors/conductivity");
}

}  // namespace
}  // namespace spinetherm
