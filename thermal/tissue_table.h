// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spinetherm {

/// The engine's unknown is u [K], the enthalpy relative to 37 degC over the heat capacity of the unfrozen,
/// unboiled tissue: u = H / (rho c). Between liquidus and boiling u is theta = T - 37 itself, so that tissue
/// without phase change needs no conversion. Both are kept relative to 37 degC for the digits of float.
inline constexpr double kReference_degC = 37;

/// One row per label of everything that a kernel looks up, in the kernel's arithmetic. Missing phases have
/// bounds that are never reached.
template <class Real>
struct TissueTable {
  using Row = Real[256];  // plain arrays: no library code in what is compiled per instruction set
  // theta(u): below `u_liquid` first `mushy_width` of u with slope `mushy_slope`, then `frozen_slope`; above
  // `u_boil` first `boil_width` with slope `boil_slope`, then 1.
  Row u_liquid{}, mushy_width{}, mushy_slope{}, frozen_slope{}, u_boil{}, boil_width{}, boil_slope{};
  // k(theta): k37 (1 + growth theta), theta capped at 63 K and the factor kept above 0.1; between liquidus
  // and solidus linear to `k_frozen`.
  Row k37{}, growth{}, k_frozen{}, theta_liquid{}, inverse_mushy_range{};
  /// Between these theta [K] no tissue of the table freezes or boils.
  Real calm_from = 0, calm_to = 0;
  bool has_phases = false;     ///< theta differs from u somewhere
  bool varies_with_T = false;  ///< k depends on temperature somewhere
};

/// theta [K] of u [K].
template <class Real>
[[gnu::always_inline]] inline Real theta_of_u(const TissueTable<Real>& t, int l, Real u) {
  const Real below = t.u_liquid[l] - u, above = u - t.u_boil[l];
  const Real zero = 0;
  const Real b = below > zero ? below : zero, a = above > zero ? above : zero;
  const Real b_mushy = b < t.mushy_width[l] ? b : t.mushy_width[l];
  const Real a_boil = a < t.boil_width[l] ? a : t.boil_width[l];
  return u + (b - b_mushy * t.mushy_slope[l] - (b - b_mushy) * t.frozen_slope[l]) -
         (a - a_boil * t.boil_slope[l] - (a - a_boil));
}
/// k [W/m/K] at theta [K].
template <class Real>
[[gnu::always_inline]] inline Real conductivity(const TissueTable<Real>& t, int l, Real theta) {
  const Real cap = 63, least = Real(0.1), zero = 0, one = 1;  // growth ends at 100 degC
  const Real warm = theta > t.theta_liquid[l] ? theta : t.theta_liquid[l];
  const Real capped = warm < cap ? warm : cap;
  const Real factor = one + t.growth[l] * capped;
  const Real unfrozen = t.k37[l] * (factor > least ? factor : least);
  const Real x = (t.theta_liquid[l] - theta) * t.inverse_mushy_range[l];
  const Real ice = x < zero ? zero : (x < one ? x : one);
  return unfrozen + ice * (t.k_frozen[l] - unfrozen);
}
/// The same where nothing freezes or boils, see TissueTable::calm_from.
template <class Real>
[[gnu::always_inline]] inline Real calm_conductivity(const TissueTable<Real>& t, int l, Real theta) {
  const Real least = Real(0.1), factor = 1 + t.growth[l] * theta;
  return t.k37[l] * (factor > least ? factor : least);
}

}  // namespace spinetherm
