// SPDX-License-Identifier: Apache-2.0
#include "thermal/tissue_law.h"

#include <fmt/format.h>

#include <algorithm>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// A bound that no temperature reaches; its square still fits into a float.
constexpr double kNever_K = 1e9;

/// Volumetric heat capacities [J/m3/K] of the phases.
struct Capacities {
  double unfrozen = 0, mushy = 0, frozen = 0, boiling = 0;
};
/// Latent heat spread evenly: (c_frozen + c_unfrozen)/2 + L/(T_liquidus - T_solidus), and c + L/(to - from).
Capacities capacities(const Tissue& t) {
  Capacities c;
  c.unfrozen = t.density_kg_per_m3 * t.specific_heat_J_per_kg_K;
  if (t.frozen) {
    c.frozen = t.frozen->density_kg_per_m3 * t.frozen->specific_heat_J_per_kg_K;
    c.mushy = (c.frozen + c.unfrozen) / 2 + t.frozen->density_kg_per_m3 * t.frozen->latent_J_per_kg /
                                                (t.frozen->liquidus_degC - t.frozen->solidus_degC);
  }
  if (t.boiling)
    c.boiling = c.unfrozen + t.density_kg_per_m3 * t.boiling->latent_J_per_kg /
                                 (t.boiling->to_degC - t.boiling->from_degC);
  return c;
}

}  // namespace

template <class Real>
TissueTable<Real> make_tissue_table(const std::vector<Tissue>& tissues) {
  TissueTable<Real> table;
  table.calm_from = Real(-kNever_K);
  table.calm_to = Real(63);  // where the growth of k ends
  for (std::size_t n = 0; n < std::min<std::size_t>(tissues.size(), 256); ++n) {
    const Tissue& t = tissues[n];
    const Capacities c = capacities(t);
    table.u_liquid[n] = Real(-kNever_K);
    table.theta_liquid[n] = Real(-kNever_K);
    table.mushy_width[n] = table.boil_width[n] = 1;
    table.mushy_slope[n] = table.frozen_slope[n] = table.boil_slope[n] = 1;
    table.u_boil[n] = Real(kNever_K);
    table.k37[n] = table.k_frozen[n] = Real(t.conductivity_W_per_m_K);
    table.growth[n] = Real(t.conductivity_per_K);
    if (t.conductivity_per_K != 0) table.varies_with_T = true;
    if (t.frozen) {
      const double range_K = t.frozen->liquidus_degC - t.frozen->solidus_degC;
      table.u_liquid[n] = table.theta_liquid[n] = Real(t.frozen->liquidus_degC - kReference_degC);
      table.mushy_width[n] = Real(range_K * c.mushy / c.unfrozen);
      table.mushy_slope[n] = Real(c.unfrozen / c.mushy);
      table.frozen_slope[n] = Real(c.unfrozen / c.frozen);
      table.k_frozen[n] = Real(t.frozen->conductivity_W_per_m_K);
      table.inverse_mushy_range[n] = Real(1 / range_K);
      table.has_phases = table.varies_with_T = true;
    }
    if (t.boiling && t.boiling->latent_J_per_kg > 0) {
      table.u_boil[n] = Real(t.boiling->from_degC - kReference_degC);
      table.boil_width[n] = Real((t.boiling->to_degC - t.boiling->from_degC) * c.boiling / c.unfrozen);
      table.boil_slope[n] = Real(c.unfrozen / c.boiling);
      table.has_phases = true;
    }
    table.calm_from = std::max(table.calm_from, table.u_liquid[n]);
    table.calm_to = std::min(table.calm_to, table.u_boil[n]);
  }
  return table;
}
template TissueTable<float> make_tissue_table(const std::vector<Tissue>&);
template TissueTable<double> make_tissue_table(const std::vector<Tissue>&);

double u_of_theta(const Tissue& t, double theta) {
  const Capacities c = capacities(t);
  if (t.frozen) {
    const double liquid = t.frozen->liquidus_degC - kReference_degC;
    const double solid = t.frozen->solidus_degC - kReference_degC;
    if (theta < liquid)
      return liquid + (std::max(theta, solid) - liquid) * c.mushy / c.unfrozen +
             std::min(theta - solid, 0.0) * c.frozen / c.unfrozen;
  }
  if (t.boiling && t.boiling->latent_J_per_kg > 0) {
    const double from = t.boiling->from_degC - kReference_degC, to = t.boiling->to_degC - kReference_degC;
    if (theta > from)
      return from + (std::min(theta, to) - from) * c.boiling / c.unfrozen + std::max(theta - to, 0.0);
  }
  return theta;
}

double electrical_S_per_m(const Tissue& t, double T_degC) {
  if (!t.electrical_S_per_m)
    throw ConfigError(fmt::format("tissue '{}' has no electrical conductivity", t.name), "",
                      "electrodes need electrical_S_per_m");
  const auto grown = [&](double T) {
    return *t.electrical_S_per_m *
           std::max(1 + t.electrical_per_K * (std::min(T, 100.0) - kReference_degC), 0.1);
  };
  if (!t.drying || T_degC <= t.drying->from_degC) return grown(T_degC);
  const double peak = grown(t.drying->from_degC);
  const double x = std::min((T_degC - t.drying->from_degC) / (t.drying->to_degC - t.drying->from_degC), 1.0);
  return peak * (1 - (1 - t.drying->residual) * x * x * (3 - 2 * x));
}

}  // namespace spinetherm
