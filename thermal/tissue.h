// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/volume.h"

namespace spinetherm {

/// How far a number can be trusted; shown wherever it is used.
enum class Confidence { measured, database, recalled, placeholder };
constexpr std::string_view to_string(Confidence c) {
  switch (c) {
    case Confidence::measured:
      return "measured";
    case Confidence::database:
      return "database";
    case Confidence::recalled:
      return "recalled";
    case Confidence::placeholder:
      return "placeholder";
  }
  return "placeholder";
}
struct Provenance {
  std::string source;
  Confidence confidence = Confidence::placeholder;
  bool operator==(const Provenance&) const = default;
};

/// When perfusion ends for good.
struct PerfusionRule {
  std::optional<double> stops_at_arrhenius = {};  ///< damage integral [-]
  std::optional<double> stops_above_degC = {};    ///< ever reached
  bool returns_after_freezing = false;            ///< default: stasis stays
  /// w exp(-Omega): what a first-order damage law leaves open.
  bool falls_with_arrhenius = false;
  bool operator==(const PerfusionRule&) const = default;
};
/// Electrical conductivity falls smoothly to `residual` of its peak over [from, to].
struct Drying {
  double from_degC = 100, to_degC = 105, residual = 0.01;
  bool operator==(const Drying&) const = default;
};
/// Latent heat of water spread evenly over [from, to].
struct Boiling {
  double latent_J_per_kg = 0, from_degC = 99, to_degC = 101;
  bool operator==(const Boiling&) const = default;
};
/// Between solidus and liquidus the latent heat is spread evenly and k is linear in T.
struct Frozen {
  double density_kg_per_m3 = 0, specific_heat_J_per_kg_K = 0, conductivity_W_per_m_K = 0;
  double latent_J_per_kg = 0, solidus_degC = -8, liquidus_degC = -0.6;
  bool operator==(const Frozen&) const = default;
};
struct OpticalProperties {
  double absorption_per_m = 0, reduced_scattering_per_m = 0;
  bool operator==(const OpticalProperties&) const = default;
};
struct Optical {
  OpticalProperties native;
  std::optional<OpticalProperties> coagulated = {};
  bool operator==(const Optical&) const = default;
};
/// First-order damage: dOmega/dt = A exp(-E / (R T)).
struct Arrhenius {
  double frequency_per_s = 0, energy_J_per_mol = 0;
  bool operator==(const Arrhenius&) const = default;
};

/// Thermal, electrical and damage properties of one tissue, SI and degC. An empty optional means: no such
/// effect; what the energy at hand needs must be there, or the run is refused.
/// k(T) = k37 (1 + conductivity_per_K (T - 37)), growth capped at 100 degC; sigma(T) likewise, then `drying`.
struct Tissue {
  std::string name;
  double density_kg_per_m3 = 0;
  double specific_heat_J_per_kg_K = 0;
  double conductivity_W_per_m_K = 0;
  double conductivity_per_K = 0;
  double metabolic_W_per_m3 = 0;
  double perfusion_per_s = 0;  ///< volume of blood per volume of tissue and second
  PerfusionRule perfusion_rule = {};
  std::optional<double> electrical_S_per_m = {};
  double electrical_per_K = 0;
  std::optional<double> relative_permittivity = {};
  std::optional<double> microwave_S_per_m = {};  ///< at 2.45 GHz, as the permittivity above
  std::optional<double> relative_permittivity_915MHz = {};
  std::optional<double> microwave_915MHz_S_per_m = {};
  std::optional<Drying> drying = {};
  std::optional<Boiling> boiling = {};
  std::optional<Frozen> frozen = {};
  std::optional<Optical> optical = {};  ///< at 980 nm
  std::optional<Optical> optical_1064nm = {};
  std::optional<Arrhenius> damage = {};
  /// By key of the problem format ("conductivity_W_per_m_K"); empty for a bare problem.
  std::map<std::string, Provenance> provenance = {};
  bool operator==(const Tissue&) const = default;
};

/// Factors on the table's values, cell by cell, beside the labels: graded bone, perfusion shutdown, cement.
/// An empty volume means 1 everywhere.
struct CellFactors {
  Volume<float> conductivity, heat_capacity, perfusion, electrical;
  bool empty() const {
    return conductivity.empty() && heat_capacity.empty() && perfusion.empty() && electrical.empty();
  }
  bool operator==(const CellFactors&) const = default;
};

/// Tissue of every cell: label -> row of `tissues`.
struct TissueMap {
  Volume<std::uint8_t> labels;
  std::vector<Tissue> tissues;
  CellFactors factors;
  bool operator==(const TissueMap&) const = default;
};

/// Throws ConfigError ("/tissues/2/density_kg_per_m3") for a value out of range or a label without a row.
void validate(const TissueMap& map);
void validate(const Tissue& tissue, const std::string& where);

}  // namespace spinetherm
