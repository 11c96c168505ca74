// SPDX-License-Identifier: Apache-2.0
#include "thermal/canal_warming.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "imaging/core/tissue_class.h"

namespace spinetherm {
namespace {

TEST(CanalWarming, ChangesCsfAndEpiduralFatOnly) {
  TissueMap map;
  map.tissues.resize(std::size_t(TissueClass::count_));
  for (Tissue& t : map.tissues) {
    t.conductivity_W_per_m_K = 0.5;
    t.perfusion_per_s = 0.001;
  }
  const TissueMap before = map;
  add_canal_warming(map, {1.2, 0.01});
  for (std::size_t n = 0; n < map.tissues.size(); ++n) {
    const auto c = TissueClass(n);
    EXPECT_DOUBLE_EQ(map.tissues[n].conductivity_W_per_m_K, c == TissueClass::csf ? 1.2 : 0.5);
    EXPECT_DOUBLE_EQ(map.tissues[n].perfusion_per_s, c == TissueClass::epidural_fat ? 0.011 : 0.001);
    EXPECT_EQ(map.tissues[n] == before.tissues[n], c != TissueClass::csf && c != TissueClass::epidural_fat);
  }
  EXPECT_EQ(map.tissues[std::size_t(TissueClass::csf)].provenance.at("conductivity_W_per_m_K").confidence,
            Confidence::placeholder);
}

TEST(CanalWarming, RefusesWhatCannotBe) {
  TissueMap map;
  EXPECT_THROW(add_canal_warming(map, {0, 0.01}), ConfigError);
  EXPECT_THROW(add_canal_warming(map, {1, -0.01}), ConfigError);
}

}  // namespace
}  // namespace spinetherm
