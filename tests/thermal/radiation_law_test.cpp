// SPDX-License-Identifier: Apache-2.0
#include "thermal/radiation_law.h"

#include <gtest/gtest.h>

#include <cmath>

namespace spinetherm {
namespace {

Tissue liver() {
  Tissue t;
  t.relative_permittivity = 43.03;
  t.microwave_S_per_m = 1.69;
  t.relative_permittivity_915MHz = 46.76;
  t.optical = Optical{{50, 1000}, OpticalProperties{60, 3000}};
  return t;
}

TEST(RadiationLaw, TissueIsKnownNearTwoFrequencies) {
  EXPECT_EQ(microwave_of(liver(), 2450), (Dielectric{43.03, 1.69}));
  EXPECT_EQ(microwave_of(liver(), 2400), (Dielectric{43.03, 1.69}));
  EXPECT_FALSE(microwave_of(liver(), 915)) << "its conductivity is missing";
  EXPECT_FALSE(microwave_of(liver(), 5800));
  EXPECT_TRUE(is_microwave_MHz(902));
  EXPECT_FALSE(is_microwave_MHz(0.48));
}

TEST(RadiationLaw, PermittivityAndConductivityFallWithHeat) {
  const Dielectric at{40, 2};
  EXPECT_DOUBLE_EQ(heated(at, 37).relative_permittivity, 40);
  EXPECT_DOUBLE_EQ(heated(at, 37).conductivity_S_per_m, 2);
  for (double T = 0; T < 130; T += 5) {
    EXPECT_LT(heated(at, T + 5).conductivity_S_per_m, heated(at, T).conductivity_S_per_m) << T;
    EXPECT_LT(heated(at, T + 5).relative_permittivity, heated(at, T).relative_permittivity) << T;
  }
  // 1 - 1/(1 + e^0.6) over that at 37 degC.
  EXPECT_NEAR(heated(at, 100).conductivity_S_per_m / 2,
              (1 - 1 / (1 + std::exp(0.6))) / (1 - 1 / (1 + std::exp(6.58 - 0.0598 * 37))), 1e-12);
  EXPECT_EQ(heated(at, -40), heated(at, 0)) << "not known for ice";
  EXPECT_GE(heated({1.5, 1}, 200).relative_permittivity, 1);
}

TEST(RadiationLaw, CoagulationGoesWithTheDamagedPart) {
  const Tissue t = liver();
  const Optical* optical = optical_of(t, 980);
  ASSERT_NE(optical, nullptr);
  EXPECT_EQ(optical_of(t, 1064), nullptr);
  EXPECT_EQ(coagulated(*optical, 0), optical->native);
  EXPECT_NEAR(coagulated(*optical, 1).reduced_scattering_per_m, 1000 + 2000 * (1 - std::exp(-1)), 1e-9);
  EXPECT_NEAR(coagulated(*optical, 50).absorption_per_m, 60, 1e-9);
  Optical native = *optical;
  native.coagulated.reset();
  EXPECT_EQ(coagulated(native, 50), native.native);
}

}  // namespace
}  // namespace spinetherm
