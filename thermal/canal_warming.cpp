// SPDX-License-Identifier: Apache-2.0
#include "thermal/canal_warming.h"

#include "imaging/core/error.h"
#include "imaging/core/tissue_class.h"

namespace spinetherm {

void CanalWarming::validate() const {
  require(csf_conductivity_W_per_m_K > 0, "CanalWarming.csf_conductivity_W_per_m_K",
          csf_conductivity_W_per_m_K, "must be > 0 W/m/K");
  require(plexus_perfusion_per_s >= 0, "CanalWarming.plexus_perfusion_per_s", plexus_perfusion_per_s,
          "must be >= 0 1/s");
}

void add_canal_warming(TissueMap& map, const CanalWarming& warming) {
  warming.validate();
  Tissue& csf = map.tissues.at(std::size_t(TissueClass::csf));
  Tissue& fat = map.tissues.at(std::size_t(TissueClass::epidural_fat));
  const Provenance guess{"guess between published ones, see canal_warming.h", Confidence::placeholder};
  csf.conductivity_W_per_m_K = warming.csf_conductivity_W_per_m_K;
  csf.provenance["conductivity_W_per_m_K"] = guess;
  fat.perfusion_per_s += warming.plexus_perfusion_per_s;
  fat.provenance["perfusion_per_s"] = guess;
}

}  // namespace spinetherm
