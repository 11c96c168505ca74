// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "imaging/core/json_reader.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// What X-rays of the simulated tubes pass: the basis of the body, implants (steel counts as iron), filters.
enum class XrayMaterial { water, cortical_bone, titanium, iron, aluminium, copper, count_ };
inline constexpr std::size_t kXrayMaterialCount = std::size_t(XrayMaterial::count_);
std::string_view to_string(XrayMaterial material);

/// A row of datasets/tables/xray_attenuation.json.
struct XrayMaterialRow {
  double density_kg_per_m3 = 0;
  std::vector<double> mass_attenuation_m2_per_kg;  ///< at the table's energies
  Provenance provenance;
};

/// K lines of a tungsten anode.
struct TungstenLines {
  double edge_keV = 0, share_at_120_kV = 0, exponent = 0;
  double alpha_keV = 0, beta_keV = 0, alpha_share = 0;
  Provenance provenance;
};

struct XrayTable {
  std::vector<double> energies_keV;
  std::array<XrayMaterialRow, kXrayMaterialCount> materials;
  TungstenLines tungsten;
  const XrayMaterialRow& operator[](XrayMaterial material) const { return materials[std::size_t(material)]; }
};
const XrayTable& xray_table();

/// Reads a document of the format "spinetherm.xray_attenuation"; every material must have one row.
XrayTable read_xray_table(const JsonReader& document);

/// Total mass attenuation [m2/kg], linear between the table's energies in log-log. ConfigError outside them.
double mass_attenuation_m2_per_kg(XrayMaterial material, double energy_keV);

/// A photon energy, or a part of a spectrum with what it meets.
struct XrayBin {
  double energy_keV = 0;                                                ///< mean of its photons
  double photons = 0;                                                   ///< share of all photons
  std::array<double, kXrayMaterialCount> mass_attenuation_m2_per_kg{};  ///< mean, weighted by energy
};

struct XrayBeamOptions {
  double tube_kV = 110;
  double aluminium_mm = 4, copper_mm = 0.2;  ///< filter, the tube's own included
  int bins = 8;                              ///< of equal width in energy
  bool operator==(const XrayBeamOptions&) const = default;
  void validate() const;
};

/// Photons of a tungsten tube behind its filter: Kramers' law N(E) = (E0 / E - 1) for the continuum (Phil Mag
/// 1923) and the K lines, from 20 keV up. The detector sums the energy of all photons that reach it.
struct XrayBeam {
  std::vector<XrayBin> bins;
  double mean_energy_keV = 0;
  /// -log of the share of the energy that passes area densities [kg/m2] of each material.
  double line_integral(const std::array<double, kXrayMaterialCount>& area_kg_per_m2) const;
  double water_line_integral(double thickness_m) const;
};
XrayBeam make_xray_beam(const XrayBeamOptions& options);

}  // namespace spinetherm
