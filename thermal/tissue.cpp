// SPDX-License-Identifier: Apache-2.0
#include "thermal/tissue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// Refuses NaN as well: every comparison with NaN is false.
void check(bool holds, double value, const std::string& where, std::string_view rule) {
  if (!holds) throw ConfigError(fmt::format("{} is not possible", value), where, std::string(rule));
}

void positive(double value, const std::string& where) {
  check(value > 0 && std::isfinite(value), value, where, "give a value above 0");
}
void not_negative(double value, const std::string& where) {
  check(value >= 0 && std::isfinite(value), value, where, "give a value of 0 or above");
}
void finite(double value, const std::string& where) {
  check(std::isfinite(value), value, where, "give a finite number");
}
/// Conductivities must stay positive up to 100 degC, where their growth ends.
void slope(double per_K, const std::string& where) {
  check(1 + per_K * 63 > 0 && std::isfinite(per_K), per_K, where,
        "the property must stay positive up to 100 degC: give a value above -0.0158 per K");
}
/// Below absolute zero, or where no tissue is any more, a temperature is a slip of the pen.
void temperature(double degC, const std::string& where) {
  check(degC > -273.15 && degC < 1000, degC, where, "give degrees Celsius between -273 and 1000");
}

void validate(const OpticalProperties& o, const std::string& where) {
  not_negative(o.absorption_per_m, where + "/absorption_per_m");
  not_negative(o.reduced_scattering_per_m, where + "/reduced_scattering_per_m");
}

void validate_factor(const Volume<float>& factor, const Grid& grid, const std::string& where,
                     bool may_be_zero) {
  if (factor.empty()) return;
  if (factor.grid != grid || factor.values.size() != grid.count())
    throw ConfigError("the factors are on another grid than the labels", where, "resample them");
  for (const float f : factor.values)
    check(std::isfinite(f) && (f > 0 || (may_be_zero && f == 0)), f, where,
          may_be_zero ? "factors are 0 or above" : "factors are above 0");
}

}  // namespace

void validate(const Tissue& t, const std::string& where) {
  positive(t.density_kg_per_m3, where + "/density_kg_per_m3");
  positive(t.specific_heat_J_per_kg_K, where + "/specific_heat_J_per_kg_K");
  positive(t.conductivity_W_per_m_K, where + "/conductivity_W_per_m_K");
  slope(t.conductivity_per_K, where + "/conductivity_per_K");
  finite(t.metabolic_W_per_m3, where + "/metabolic_W_per_m3");
  not_negative(t.perfusion_per_s, where + "/perfusion_per_s");
  if (t.perfusion_rule.stops_at_arrhenius) {
    positive(*t.perfusion_rule.stops_at_arrhenius, where + "/perfusion/stops_at_arrhenius");
    if (!t.damage)
      throw ConfigError("perfusion stops at a damage integral that is not defined",
                        where + "/perfusion/stops_at_arrhenius",
                        "give the tissue `damage`, or remove stops_at_arrhenius");
  }
  if (t.perfusion_rule.falls_with_arrhenius && !t.damage)
    throw ConfigError("perfusion falls with a damage integral that is not defined",
                      where + "/perfusion/falls_with_arrhenius",
                      "give the tissue `damage`, or remove falls_with_arrhenius");
  if (t.perfusion_rule.stops_above_degC)
    temperature(*t.perfusion_rule.stops_above_degC, where + "/perfusion/stops_above_degC");
  if (t.electrical_S_per_m) not_negative(*t.electrical_S_per_m, where + "/electrical_S_per_m");
  slope(t.electrical_per_K, where + "/electrical_per_K");
  if (t.relative_permittivity) {
    const double e = *t.relative_permittivity;
    check(e >= 1 && std::isfinite(e), e, where + "/relative_permittivity", "give a value of 1 or above");
  }
  if (t.microwave_S_per_m) not_negative(*t.microwave_S_per_m, where + "/microwave_S_per_m");
  if (t.relative_permittivity_915MHz) {
    const double e = *t.relative_permittivity_915MHz;
    check(e >= 1 && std::isfinite(e), e, where + "/relative_permittivity_915MHz",
          "give a value of 1 or above");
  }
  if (t.microwave_915MHz_S_per_m)
    not_negative(*t.microwave_915MHz_S_per_m, where + "/microwave_915MHz_S_per_m");
  if (t.drying) {
    temperature(t.drying->from_degC, where + "/drying/from_degC");
    temperature(t.drying->to_degC, where + "/drying/to_degC");
    check(t.drying->to_degC > t.drying->from_degC, t.drying->to_degC, where + "/drying/to_degC",
          "give a temperature above from_degC");
    check(t.drying->residual > 0 && t.drying->residual <= 1, t.drying->residual, where + "/drying/residual",
          "give a fraction in (0, 1]");
  }
  if (t.boiling) {
    not_negative(t.boiling->latent_J_per_kg, where + "/boiling/latent_J_per_kg");
    check(t.boiling->from_degC > 37 && t.boiling->from_degC < 1000, t.boiling->from_degC,
          where + "/boiling/from_degC", "give a temperature above 37 degC");
    check(t.boiling->to_degC > t.boiling->from_degC && t.boiling->to_degC < 1000, t.boiling->to_degC,
          where + "/boiling/to_degC", "give a temperature above from_degC");
  }
  if (t.frozen) {
    const std::string f = where + "/frozen";
    positive(t.frozen->density_kg_per_m3, f + "/density_kg_per_m3");
    positive(t.frozen->specific_heat_J_per_kg_K, f + "/specific_heat_J_per_kg_K");
    positive(t.frozen->conductivity_W_per_m_K, f + "/conductivity_W_per_m_K");
    not_negative(t.frozen->latent_J_per_kg, f + "/latent_J_per_kg");
    temperature(t.frozen->solidus_degC, f + "/solidus_degC");
    check(t.frozen->liquidus_degC > t.frozen->solidus_degC && t.frozen->liquidus_degC < 37,
          t.frozen->liquidus_degC, f + "/liquidus_degC",
          "give a temperature above solidus_degC and below 37 degC");
  }
  if (t.optical) {
    validate(t.optical->native, where + "/optical");
    if (t.optical->coagulated) validate(*t.optical->coagulated, where + "/optical/coagulated");
  }
  if (t.optical_1064nm) {
    validate(t.optical_1064nm->native, where + "/optical_1064nm");
    if (t.optical_1064nm->coagulated)
      validate(*t.optical_1064nm->coagulated, where + "/optical_1064nm/coagulated");
  }
  if (t.damage) {
    positive(t.damage->frequency_per_s, where + "/damage/frequency_per_s");
    positive(t.damage->energy_J_per_mol, where + "/damage/energy_J_per_mol");
  }
}

void validate(const TissueMap& map) {
  map.labels.grid.validate("/grid");
  if (map.labels.values.size() != map.labels.grid.count())
    throw ConfigError("the labels do not fill the grid", "/labels", "give one label per cell");
  if (map.tissues.empty()) throw ConfigError("there is no tissue", "/tissues", "give at least one");
  if (map.tissues.size() > 256)
    throw ConfigError(fmt::format("{} tissues", map.tissues.size()), "/tissues", "at most 256 are possible");
  for (std::size_t n = 0; n < map.tissues.size(); ++n)
    validate(map.tissues[n], fmt::format("/tissues/{}", n));

  std::array<bool, 256> used{};
  for (const std::uint8_t label : map.labels.values) used[label] = true;
  for (std::size_t label = map.tissues.size(); label < used.size(); ++label)
    if (used[label])
      throw ConfigError(fmt::format("label {} has no tissue: there are {}", label, map.tissues.size()),
                        "/labels", "labels count the rows of `tissues` from 0");
  validate_factor(map.factors.conductivity, map.labels.grid, "/factors/conductivity", false);
  validate_factor(map.factors.heat_capacity, map.labels.grid, "/factors/heat_capacity", false);
  validate_factor(map.factors.perfusion, map.labels.grid, "/factors/perfusion", true);
  validate_factor(map.factors.electrical, map.labels.grid, "/factors/electrical", true);
}

}  // namespace spinetherm
