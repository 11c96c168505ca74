// SPDX-License-Identifier: Apache-2.0
#include "apps/io/tissue_json.h"

#include <nlohmann/json.hpp>

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

PerfusionRule read_perfusion_rule(const JsonReader& r) {
  PerfusionRule rule;
  rule.stops_at_arrhenius = r.get_optional<double>("stops_at_arrhenius");
  rule.stops_above_degC = r.get_optional<double>("stops_above_degC");
  if (r.has("after_freezing"))
    rule.returns_after_freezing = r.get_word("after_freezing", {"stays_off", "returns"}) == 1;
  rule.falls_with_arrhenius = r.get_or<bool>("falls_with_arrhenius", false);
  r.finish();
  return rule;
}

Drying read_drying(const JsonReader& r) {
  const Drying d{r.get<double>("from_degC"), r.get<double>("to_degC"), r.get<double>("residual")};
  r.finish();
  return d;
}

Boiling read_boiling(const JsonReader& r) {
  const Boiling b{r.get<double>("latent_J_per_kg"), r.get<double>("from_degC"), r.get<double>("to_degC")};
  r.finish();
  return b;
}

Frozen read_frozen(const JsonReader& r) {
  Frozen f;
  f.density_kg_per_m3 = r.get<double>("density_kg_per_m3");
  f.specific_heat_J_per_kg_K = r.get<double>("specific_heat_J_per_kg_K");
  f.conductivity_W_per_m_K = r.get<double>("conductivity_W_per_m_K");
  f.latent_J_per_kg = r.get<double>("latent_J_per_kg");
  f.solidus_degC = r.get<double>("solidus_degC");
  f.liquidus_degC = r.get<double>("liquidus_degC");
  r.finish();
  return f;
}

OpticalProperties read_optical_properties(const JsonReader& r) {
  return {r.get<double>("absorption_per_m"), r.get<double>("reduced_scattering_per_m")};
}

Optical read_optical(const JsonReader& r) {
  Optical o;
  o.native = read_optical_properties(r);
  if (const auto coagulated = r.find("coagulated")) {
    o.coagulated = read_optical_properties(*coagulated);
    coagulated->finish();
  }
  r.finish();
  return o;
}

Arrhenius read_damage(const JsonReader& r) {
  const Arrhenius a{r.get<double>("frequency_per_s"), r.get<double>("energy_J_per_mol")};
  r.finish();
  return a;
}

Json optical_properties_json(const OpticalProperties& o) {
  return {{"absorption_per_m", o.absorption_per_m}, {"reduced_scattering_per_m", o.reduced_scattering_per_m}};
}

Json perfusion_rule_json(const PerfusionRule& rule) {
  Json j = Json::object();
  if (rule.stops_at_arrhenius) j["stops_at_arrhenius"] = *rule.stops_at_arrhenius;
  if (rule.stops_above_degC) j["stops_above_degC"] = *rule.stops_above_degC;
  j["after_freezing"] = rule.returns_after_freezing ? "returns" : "stays_off";
  if (rule.falls_with_arrhenius) j["falls_with_arrhenius"] = true;
  return j;
}

Json frozen_json(const Frozen& f) {
  return {{"density_kg_per_m3", f.density_kg_per_m3},
          {"specific_heat_J_per_kg_K", f.specific_heat_J_per_kg_K},
          {"conductivity_W_per_m_K", f.conductivity_W_per_m_K},
          {"latent_J_per_kg", f.latent_J_per_kg},
          {"solidus_degC", f.solidus_degC},
          {"liquidus_degC", f.liquidus_degC}};
}

}  // namespace

Tissue read_tissue(const JsonReader& r) {
  Tissue t;
  t.name = r.get<std::string>("name");
  t.density_kg_per_m3 = r.get<double>("density_kg_per_m3");
  t.specific_heat_J_per_kg_K = r.get<double>("specific_heat_J_per_kg_K");
  t.conductivity_W_per_m_K = r.get<double>("conductivity_W_per_m_K");
  t.conductivity_per_K = r.get_or<double>("conductivity_per_K", 0);
  t.metabolic_W_per_m3 = r.get_or<double>("metabolic_W_per_m3", 0);
  t.perfusion_per_s = r.get_or<double>("perfusion_per_s", 0);
  if (const auto rule = r.find("perfusion")) t.perfusion_rule = read_perfusion_rule(*rule);
  t.electrical_S_per_m = r.get_optional<double>("electrical_S_per_m");
  t.electrical_per_K = r.get_or<double>("electrical_per_K", 0);
  t.relative_permittivity = r.get_optional<double>("relative_permittivity");
  t.microwave_S_per_m = r.get_optional<double>("microwave_S_per_m");
  t.relative_permittivity_915MHz = r.get_optional<double>("relative_permittivity_915MHz");
  t.microwave_915MHz_S_per_m = r.get_optional<double>("microwave_915MHz_S_per_m");
  if (const auto drying = r.find("drying")) t.drying = read_drying(*drying);
  if (const auto boiling = r.find("boiling")) t.boiling = read_boiling(*boiling);
  if (const auto frozen = r.find("frozen")) t.frozen = read_frozen(*frozen);
  if (const auto optical = r.find("optical")) t.optical = read_optical(*optical);
  if (const auto optical = r.find("optical_1064nm")) t.optical_1064nm = read_optical(*optical);
  if (const auto damage = r.find("damage")) t.damage = read_damage(*damage);
  r.finish();
  return t;
}

Json to_json(const Tissue& t) {
  Json j = {{"name", t.name},
            {"density_kg_per_m3", t.density_kg_per_m3},
            {"specific_heat_J_per_kg_K", t.specific_heat_J_per_kg_K},
            {"conductivity_W_per_m_K", t.conductivity_W_per_m_K},
            {"conductivity_per_K", t.conductivity_per_K},
            {"metabolic_W_per_m3", t.metabolic_W_per_m3},
            {"perfusion_per_s", t.perfusion_per_s},
            {"perfusion", perfusion_rule_json(t.perfusion_rule)}};
  if (t.electrical_S_per_m) j["electrical_S_per_m"] = *t.electrical_S_per_m;
  j["electrical_per_K"] = t.electrical_per_K;
  if (t.relative_permittivity) j["relative_permittivity"] = *t.relative_permittivity;
  if (t.microwave_S_per_m) j["microwave_S_per_m"] = *t.microwave_S_per_m;
  if (t.relative_permittivity_915MHz) j["relative_permittivity_915MHz"] = *t.relative_permittivity_915MHz;
  if (t.microwave_915MHz_S_per_m) j["microwave_915MHz_S_per_m"] = *t.microwave_915MHz_S_per_m;
  if (t.drying)
    j["drying"] = {
        {"from_degC", t.drying->from_degC}, {"to_degC", t.drying->to_degC}, {"residual", t.drying->residual}};
  if (t.boiling)
    j["boiling"] = {{"latent_J_per_kg", t.boiling->latent_J_per_kg},
                    {"from_degC", t.boiling->from_degC},
                    {"to_degC", t.boiling->to_degC}};
  if (t.frozen) j["frozen"] = frozen_json(*t.frozen);
  const auto optical_json = [](const Optical& o) {
    Json one = optical_properties_json(o.native);
    if (o.coagulated) one["coagulated"] = optical_properties_json(*o.coagulated);
    return one;
  };
  if (t.optical) j["optical"] = optical_json(*t.optical);
  if (t.optical_1064nm) j["optical_1064nm"] = optical_json(*t.optical_1064nm);
  if (t.damage)
    j["damage"] = {{"frequency_per_s", t.damage->frequency_per_s},
                   {"energy_J_per_mol", t.damage->energy_J_per_mol}};
  return j;
}

}  // namespace spinetherm
