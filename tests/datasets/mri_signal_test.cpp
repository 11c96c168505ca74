// SPDX-License-Identifier: Apache-2.0
#include "datasets/mri_signal.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(MriSignal, SpinEchoFollowsItsEquation) {
  EXPECT_NEAR(spin_echo_signal(0.8, 1000, 40, 500, 15), 0.8 * (1 - std::exp(-0.5)) * std::exp(-0.375), 1e-12);
  EXPECT_NEAR(spin_echo_signal(1, 1000, 1e9, 1e9, 1), 1, 1e-6);  // all relaxed, no decay
}

TEST(MriSignal, InversionRecoveryFollowsItsEquationAndKeepsItsSign) {
  const double s = inversion_recovery_signal(0.9, 1000, 50, 4000, 50, 160);
  EXPECT_NEAR(s, 0.9 * (1 - 2 * std::exp(-0.16) + std::exp(-4.0)) * std::exp(-1), 1e-12);
  EXPECT_LT(s, 0);
  // What passes zero at TI gives no signal: TI = T1 (ln 2 - ln(1 + exp(-TR / T1))).
  const double t1 = 260, ti = t1 * (std::log(2.0) - std::log1p(std::exp(-4000 / t1)));
  EXPECT_NEAR(inversion_recovery_signal(1, t1, 80, 4000, 50, ti), 0, 1e-12);
}

/// Magnitude of all protons of a material.
double signal(const MrSequence& q, Material m) {
  const SpeciesSignals s = species_signals(q);
  return std::abs(s.water[m] + s.fat[m]);
}

TEST(MriSignal, ContrastOfEachWeightingIsThatOfASpine) {
  const auto t1 = mr_sequence(Modality::mr_t1), t2 = mr_sequence(Modality::mr_t2),
             stir = mr_sequence(Modality::mr_stir);
  using M = Material;
  // T1: fat, marrow, soft tissue, fluid.
  EXPECT_GT(signal(t1, M::fat), signal(t1, M::trabecular_bone));
  EXPECT_GT(signal(t1, M::trabecular_bone), 1.4 * signal(t1, M::tumour_lytic));
  EXPECT_GT(signal(t1, M::trabecular_bone), 1.4 * signal(t1, M::nucleus));
  EXPECT_GT(signal(t1, M::cord), 1.3 * signal(t1, M::csf));
  // T2: fluid, then disc and cord, then muscle.
  for (std::size_t n = 0; n < kMaterialCount; ++n)
    EXPECT_LE(signal(t2, M(n)), signal(t2, M::csf)) << to_string(M(n));
  EXPECT_GT(signal(t2, M::csf), 2 * signal(t2, M::cord));
  EXPECT_GT(signal(t2, M::cord), 2 * signal(t2, M::muscle));
  EXPECT_GT(signal(t2, M::nucleus), 2 * signal(t2, M::annulus));
  // STIR: fat goes, the tumour shines in dark marrow.
  EXPECT_LT(signal(stir, M::fat), 0.25 * signal(t1, M::fat));
  EXPECT_GT(signal(stir, M::tumour_lytic), 1.5 * signal(stir, M::trabecular_bone));
  EXPECT_GT(signal(stir, M::tumour_marrow), 1.5 * signal(stir, M::trabecular_bone));
  for (const auto& q : {t1, t2, stir}) {
    EXPECT_EQ(signal(q, M::cortical_bone), 0);
    EXPECT_EQ(signal(q, M::blood), 0);  // flow void
  }
}

TEST(MriSignal, MarrowIsWaterAndFatByTheTable) {
  const auto q = mr_sequence(Modality::mr_t2);
  const SpeciesSignals s = species_signals(q);
  const auto n = std::size_t(Material::trabecular_bone);
  const MrSpecies& row = mr_species_table()[n];
  const MaterialProperties &m = material_table()[n], &fat = material_table()[std::size_t(Material::fat)];
  ASSERT_GT(row.fat_fraction, 0.25);
  EXPECT_NEAR(s.fat.mean[n],
              spin_echo_signal(row.fat_fraction * m.proton_density, fat.t1_ms, fat.t2_ms, 3500, 100), 1e-12);
  EXPECT_NEAR(s.water.mean[n],
              spin_echo_signal((1 - row.fat_fraction) * m.proton_density, row.water_t1_ms, row.water_t2_ms,
                               3500, 100),
              1e-12);
  EXPECT_EQ(s.fat[Material::csf], 0);
  EXPECT_EQ(s.water[Material::fat], 0);
}

TEST(MriSignal, RefusesSequencesThatCannotBeMeant) {
  const auto refused = [](const char* name, auto change) {
    MrSequence q;
    change(q);
    EXPECT_THAT([&] { species_signals(q); }, ThrowsMessage<ConfigError>(HasSubstr(name)));
  };
  refused("tr_ms", [](auto& q) { q.tr_ms = 0; });
  refused("te_ms", [](auto& q) { q.te_ms = 4000; });
  refused("ti_ms", [](auto& q) { q.ti_ms = 3450; });
  refused("snr = -1", [](auto& q) { q.snr = -1; });
  refused("weighting", [](auto& q) { q.weighting = Modality::ct; });
  EXPECT_THROW(mr_sequence(Modality::ct), ConfigError);
}

TEST(MriSignal, TableRefusesWhatCannotBe) {
  const auto refused = [](const char* rows, const char* pointer) {
    const auto json = nlohmann::json::parse(
        std::string(
            R"({"format": "spinetherm.mr_species", "version": 1, "sources": {"s": "x"}, "species": [)") +
        rows + "]}");
    EXPECT_THAT([&] { read_mr_species(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(pointer)));
  };
  refused(R"({"name": "fatt", "fat": {"source": "s", "confidence": "recalled", "fraction": 1}})",
          "/species/0");
  refused(R"({"name": "fat", "fat": {"source": "s", "confidence": "recalled", "fraction": 1.5}})",
          "/species/0/fat");
  refused(R"({"name": "fat", "fat": {"source": "s", "confidence": "recalled", "fraction": 0.5}})", "water");
}

}  // namespace
}  // namespace spinetherm
