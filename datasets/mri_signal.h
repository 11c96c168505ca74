// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "datasets/material_render.h"
#include "imaging/core/image.h"
#include "imaging/core/json_reader.h"

namespace spinetherm {

/// Spin echo, relative to water at full signal: PD (1 - exp(-TR / T1)) exp(-TE / T2).
double spin_echo_signal(double proton_density, double t1_ms, double t2_ms, double tr_ms, double te_ms);
/// Inversion recovery with a spin echo: PD (1 - 2 exp(-TI / T1) + exp(-TR / T1)) exp(-TE / T2). Negative
/// where the magnetisation has not passed zero: species within a voxel add with their sign, and the image is
/// the magnitude of the sum.
double inversion_recovery_signal(double proton_density, double t1_ms, double t2_ms, double tr_ms,
                                 double te_ms, double ti_ms);

/// How the tissues of a family of appearance differ from the table's means: each material's T1, T2 and proton
/// density times 1 + sd * z, z normal and cut at 1.5, drawn from `seed`. 0: the means.
struct TissueSpread {
  double t1 = 0, t2 = 0, proton_density = 0;  ///< standard deviations [-]
  std::uint64_t seed = 1;
  void validate() const;
};

/// One weighting of an examination. The defaults are turbo spin echoes of the spine at 1.5 T, computed as
/// spin echoes: their fat would be brighter (J coupling).
struct MrSequence {
  Modality weighting = Modality::mr_t2;  ///< mr_t1, mr_t2 or mr_stir
  double tr_ms = 3500, te_ms = 100;
  double ti_ms = 0;                  ///< 0: no inversion
  double bandwidth_Hz_per_px = 200;  ///< of the readout: sets the chemical shift
  double snr = 22;                   ///< cord over the noise of each channel; 15-40 clinically
  TissueSpread tissues = {};         ///< the same for every weighting of an examination
  void validate() const;
};
/// T1 550/12, T2 3500/100, STIR 4000/50/160 [ms].
MrSequence mr_sequence(Modality weighting);

/// Signals of the water and of the fat in each material; they add up to the material's. Texture changes both
/// by the material's share.
struct SpeciesSignals {
  MaterialValues water{}, fat{};
};
SpeciesSignals species_signals(const MrSequence& q);

/// A row of datasets/tables/mr_species.json: what part of a material's protons are fat.
struct MrSpecies {
  double fat_fraction = 0;
  double water_t1_ms = 0, water_t2_ms = 0;  ///< 0: those of the material
  Provenance fat, water;
};
using MrSpeciesTable = std::array<MrSpecies, kMaterialCount>;
const MrSpeciesTable& mr_species_table();
/// Reads a document of the format "spinetherm.mr_species". ConfigError with the JSON pointer.
MrSpeciesTable read_mr_species(const JsonReader& document);

}  // namespace spinetherm
