// SPDX-License-Identifier: Apache-2.0
#include "datasets/mri_signal.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {

double spin_echo_signal(double proton_density, double t1_ms, double t2_ms, double tr_ms, double te_ms) {
  return proton_density * (1 - std::exp(-tr_ms / t1_ms)) * std::exp(-te_ms / t2_ms);
}

double inversion_recovery_signal(double proton_density, double t1_ms, double t2_ms, double tr_ms,
                                 double te_ms, double ti_ms) {
  return proton_density * (1 - 2 * std::exp(-ti_ms / t1_ms) + std::exp(-tr_ms / t1_ms)) *
         std::exp(-te_ms / t2_ms);
}

void MrSequence::validate() const {
  if (weighting != Modality::mr_t1 && weighting != Modality::mr_t2 && weighting != Modality::mr_stir)
    throw ConfigError("no weighting of MR", "MrSequence.weighting", "use T1, T2 or STIR");
  require(tr_ms > 0 && tr_ms < 30000, "MrSequence.tr_ms", tr_ms, "must lie in (0, 30000) ms");
  require(te_ms > 0 && te_ms < tr_ms, "MrSequence.te_ms", te_ms,
          "must lie between 0 and the repetition time");
  require(ti_ms >= 0 && ti_ms < tr_ms - te_ms, "MrSequence.ti_ms", ti_ms,
          "must lie between 0 and the repetition time less the echo time");
  require(bandwidth_Hz_per_px > 0, "MrSequence.bandwidth_Hz_per_px", bandwidth_Hz_per_px, "must be > 0");
  require(snr > 0, "MrSequence.snr", snr, "must be > 0");
  tissues.validate();
}

void TissueSpread::validate() const {
  for (const double sd : {t1, t2, proton_density})
    require(sd >= 0 && sd <= 0.3, "TissueSpread", sd, "a share in [0, 0.3]");
}

namespace {

/// Factors of one material.
struct TissueFactors {
  double t1 = 1, t2 = 1, proton_density = 1;
};
TissueFactors factors_of(const TissueSpread& spread, std::size_t material) {
  constexpr std::uint64_t kTissueStream = 0x7469737375;
  constexpr double kFurthest = 1.5;
  auto rng = trial_rng(spread.seed, (kTissueStream << 8) + material);
  std::normal_distribution<double> normal(0, 1);
  const auto factor = [&](double sd) { return 1 + sd * std::clamp(normal(rng), -kFurthest, kFurthest); };
  TissueFactors out;
  out.t1 = factor(spread.t1);
  out.t2 = factor(spread.t2);
  out.proton_density = factor(spread.proton_density);
  return out;
}

}  // namespace

MrSequence mr_sequence(Modality weighting) {
  switch (weighting) {
    case Modality::mr_t1:
      return {Modality::mr_t1, 550, 12, 0, 150, 22, {}};
    case Modality::mr_stir:
      return {Modality::mr_stir, 4000, 50, 160, 200, 16, {}};
    case Modality::mr_t2:
      return {};
    default:
      throw ConfigError("no weighting of MR", "mr_sequence", "use T1, T2 or STIR");
  }
}

SpeciesSignals species_signals(const MrSequence& q) {
  q.validate();
  const auto signal = [&](double pd, double t1, double t2) {
    return q.ti_ms > 0 ? inversion_recovery_signal(pd, t1, t2, q.tr_ms, q.te_ms, q.ti_ms)
                       : spin_echo_signal(pd, t1, t2, q.tr_ms, q.te_ms);
  };
  const MaterialProperties& pure_fat = material_table()[std::size_t(Material::fat)];
  const TissueFactors of_fat = factors_of(q.tissues, std::size_t(Material::fat));
  SpeciesSignals out;
  for (std::size_t n = 0; n < kMaterialCount; ++n) {
    const MaterialProperties& p = material_table()[n];
    const MrSpecies& s = mr_species_table()[n];
    const bool own = s.water_t1_ms > 0;
    const TissueFactors f = factors_of(q.tissues, n);
    const double density = p.proton_density * f.proton_density;
    out.water.mean[n] = signal((1 - s.fat_fraction) * density, f.t1 * (own ? s.water_t1_ms : p.t1_ms),
                               f.t2 * (own ? s.water_t2_ms : p.t2_ms));
    out.fat.mean[n] =
        signal(s.fat_fraction * density, of_fat.t1 * pure_fat.t1_ms, of_fat.t2 * pure_fat.t2_ms);
    out.water.per_texture[n] = p.signal_texture * out.water.mean[n];
    out.fat.per_texture[n] = p.signal_texture * out.fat.mean[n];
  }
  return out;
}

MrSpeciesTable read_mr_species(const JsonReader& document) {
  expect_format(document, "mr_species");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  std::vector<std::string> names;
  for (std::size_t n = 0; n < kMaterialCount; ++n) names.emplace_back(to_string(Material(n)));
  MrSpeciesTable out;
  std::array<bool, kMaterialCount> found{};
  for (const JsonReader& r : document.at("species").elements()) {
    const std::size_t n = r.get_word("name", names);
    if (found[n]) r.at("name").fail("a material is named twice", "keep one row of each");
    found[n] = true;
    MrSpecies& s = out[n];
    const JsonReader fat = r.at("fat");
    s.fat = table.provenance(fat);
    s.fat_fraction = table.number(fat.at("fraction"), s.fat).value;
    if (!(s.fat_fraction > 0 && s.fat_fraction <= 1)) fat.fail("a share of fat lies in (0, 1]", "correct it");
    fat.finish();
    if (s.fat_fraction < 1) {
      const JsonReader water = r.at("water");
      s.water = table.provenance(water);
      s.water_t1_ms = table.number(water.at("t1_ms"), s.water).value;
      s.water_t2_ms = table.number(water.at("t2_ms"), s.water).value;
      if (s.water_t1_ms <= 0 || s.water_t2_ms <= 0)
        water.fail("relaxation times must be positive", "give T1 and T2 in ms");
      water.finish();
    }
    r.finish();
  }
  document.finish();
  return out;
}

const MrSpeciesTable& mr_species_table() {
  static const MrSpeciesTable table = [] {
    const auto json = embedded_document("mr_species.json");
    return read_mr_species(JsonReader(json));
  }();
  return table;
}

}  // namespace spinetherm
