// SPDX-License-Identifier: Apache-2.0
#include "datasets/antenna_geometry.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace spinetherm {
namespace {

using Member = std::pair<const char*, double CoaxialAntenna::*>;
constexpr std::array<Member, 11> kMembers = {
    {{"frequency_MHz", &CoaxialAntenna::frequency_MHz},
     {"inner_radius_mm", &CoaxialAntenna::inner_radius_mm},
     {"dielectric_radius_mm", &CoaxialAntenna::dielectric_radius_mm},
     {"outer_radius_mm", &CoaxialAntenna::outer_radius_mm},
     {"catheter_radius_mm", &CoaxialAntenna::catheter_radius_mm},
     {"dielectric_permittivity", &CoaxialAntenna::dielectric_permittivity},
     {"catheter_permittivity", &CoaxialAntenna::catheter_permittivity},
     {"slot_from_tip_mm", &CoaxialAntenna::slot_from_tip_mm},
     {"slot_to_tip_mm", &CoaxialAntenna::slot_to_tip_mm},
     {"cap_from_tip_mm", &CoaxialAntenna::cap_from_tip_mm},
     {"cap_to_tip_mm", &CoaxialAntenna::cap_to_tip_mm}}};

}  // namespace

CoaxialAntenna read_antenna_geometry(const JsonReader& reader) {
  CoaxialAntenna antenna;
  for (const auto& [key, member] : kMembers) antenna.*member = reader.get<double>(key);
  if (const auto sleeve = reader.find("sleeve")) {
    antenna.sleeve = MetalSleeve{sleeve->get<double>("radius_mm"), sleeve->get<double>("from_tip_mm")};
    sleeve->finish();
  }
  return antenna;
}

nlohmann::ordered_json to_json(const CoaxialAntenna& antenna) {
  nlohmann::ordered_json j;
  for (const auto& [key, member] : kMembers) j[key] = antenna.*member;
  if (antenna.sleeve)
    j["sleeve"] = {{"radius_mm", antenna.sleeve->radius_mm}, {"from_tip_mm", antenna.sleeve->from_tip_mm}};
  return j;
}

}  // namespace spinetherm
