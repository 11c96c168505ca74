// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <functional>
#include <optional>
#include <vector>

namespace spinetherm {

/// A metal tube around the catheter, from a place behind the slot to the handle: a cannula left in place.
struct MetalSleeve {
  double radius_mm = 0;  ///< its outside; inside it touches the catheter
  double from_tip_mm = 0;
  bool operator==(const MetalSleeve&) const = default;
};
/// A coaxial antenna with one ring slot: the cable's inner conductor, its dielectric and its outer conductor,
/// which ends in a metal cap that joins the two, in a closed plastic catheter. Lengths run from the tip
/// of the catheter backwards.
struct CoaxialAntenna {
  double frequency_MHz = 2450;
  double inner_radius_mm = 0, dielectric_radius_mm = 0, outer_radius_mm = 0, catheter_radius_mm = 0;
  double dielectric_permittivity = 1, catheter_permittivity = 1;
  double slot_from_tip_mm = 0, slot_to_tip_mm = 0;
  double cap_from_tip_mm = 0, cap_to_tip_mm = 0;  ///< the metal cap; before it only catheter
  std::optional<MetalSleeve> sleeve = {};
  /// Not tissue: catheter, or the tube around it.
  bool holds(double r_mm, double z_mm) const {
    return z_mm > 0 && r_mm < (sleeve && z_mm > sleeve->from_tip_mm ? sleeve->radius_mm : catheter_radius_mm);
  }
  bool operator==(const CoaxialAntenna&) const = default;
};
/// ConfigError naming the field that breaks its rule (radii that grow, a slot behind the cap, ...).
void validate(const CoaxialAntenna& antenna);

/// Relative permittivity and conductivity of tissue at the antenna's frequency.
struct Dielectric {
  double relative_permittivity = 1, conductivity_S_per_m = 0;
  bool operator==(const Dielectric&) const = default;
};
/// Tissue around the antenna: at distance r from its axis and z from its tip backwards [mm].
using DielectricAround = std::function<Dielectric(double r_mm, double z_mm)>;

/// How the field is sought.
struct AntennaFieldOptions {
  double radius_mm = 50;                  ///< of the cylinder that is solved
  double before_mm = 30, behind_mm = 60;  ///< its ends, from the tip
  double finest_mm = 0.02;                ///< cells at the edges of the slot
  double coarsest_mm = 1.0;               ///< cells far from metal; at most 1/15 of a wave
  double growth = 1.3;                    ///< of neighbouring cells
  bool operator==(const AntennaFieldOptions&) const = default;
};

/// What an antenna does with one watt that arrives at its port, where the cable enters the cylinder.
struct AntennaField {
  std::vector<double> r_mm,
      z_mm;  ///< faces of the cells: from the axis outwards, from below the tip backwards
  /// Heating of tissue and plastic [W/m3] by cell, r fastest.
  std::vector<double> power_density_W_per_m3;
  /// Mean of the square of the field's amplitude [V2/m2] by cell.
  std::vector<double> squared_field_V2_per_m2;
  std::complex<double> reflection;                         ///< Gamma at the port
  double reflected_W = 0, absorbed_W = 0, radiated_W = 0;  ///< radiated: out of the cylinder
  long unknowns = 0;
  CoaxialAntenna antenna;
  /// Square of the amplitude at a place: linear between the middles of cells, but not into the antenna or
  /// out of it, where the field jumps; 0 beyond the cylinder.
  double squared_V2_per_m2(double r_mm, double z_mm) const;
};

/// Frequency-domain field of the transverse magnetic wave that the antenna guides and radiates. For
/// u = r H_phi exp(j omega t), amplitudes,
///   d/dz (1/(r eps) du/dz) + d/dr (1/(r eps) du/dr) + omega^2 mu_0 u / r = 0,
///   eps = eps_0 eps_r - j sigma/omega,
/// on cells whose centres hold u and whose faces hold E_r and E_z (Yee 1966, doi:10.1109/TAP.1966.1138693, in
/// the half plane). Metal conducts perfectly. The integrals of 1/r and r over a cell are exact, so that the
/// wave of a coaxial line has its impedance eta ln(b/a)/2 pi on any grid. At the port a wave comes in and the
/// reflected one leaves; outer faces take what a plane wave would carry away, E = eta H. Heating is
/// sigma |E|^2 / 2 over the parts of the cells that belong to each face: all of them sum up to what enters.
/// Cells are as fine as options.finest_mm at the edges of the slot, where the field is singular. Direct
/// solution by sparse LU. ConfigError when that fails. Limits: one straight antenna, rotationally symmetric
/// tissue, no loss in the cable.
AntennaField solve_antenna(const CoaxialAntenna& antenna, const DielectricAround& tissue,
                           const AntennaFieldOptions& options = {});

}  // namespace spinetherm
