// SPDX-License-Identifier: Apache-2.0
#include "thermal/mwa.h"

#include <fmt/format.h>

#include "imaging/core/error.h"
#include "thermal/powered_steps.h"

namespace spinetherm {
namespace {

/// Both walls of a cannula of unknown diameter, play included.
constexpr double kCannulaWalls_mm = 0.9;
/// Least distance of a cannula from the slot where the device states none: 5-10 mm by practice.
constexpr double kBackOff_mm = 5;

AntennaSource source_of(const Applicator& applicator, const Device& device) {
  if (device.modality != "mwa" || !device.antenna)
    throw ConfigError(
        fmt::format("the device '{}' works with '{}', not with microwaves", device.name, device.modality),
        "/applicators", "choose a device of the protocol's energy");
  const AntennaPart& part = *device.antenna;
  const double path_mm = (applicator.tip_mm - applicator.entry_mm).norm();
  if (!(path_mm > part.antenna.slot_to_tip_mm))
    throw ConfigError(fmt::format("the slot of '{}' lies {} mm from the tip, beyond the entry point at {} mm",
                                  device.name, part.antenna.slot_to_tip_mm, path_mm),
                      "/applicators", "place the tip deeper or the entry farther out");
  AntennaSource s;
  s.device = device.name;
  s.antenna = part.antenna;
  s.entry_mm = applicator.entry_mm;
  s.tip_mm = applicator.tip_mm;
  s.cable_loss = part.cable_loss;
  s.cooled_degC = device.cooled_degC;
  if (const auto& end_mm = applicator.cannula_from_tip_mm; end_mm && *end_mm < path_mm) {
    if (*end_mm <= part.antenna.slot_to_tip_mm)
      throw ConfigError(fmt::format("the cannula of '{}' ends {} mm from the tip, over the slot at {} mm",
                                    device.name, *end_mm, part.antenna.slot_to_tip_mm),
                        "/applicators", "pull it back: metal over the slot is a short circuit");
    const double diameter_mm =
        device.cannula ? device.cannula->diameter_mm : device.shaft_diameter_mm + kCannulaWalls_mm;
    s.antenna.sleeve = MetalSleeve{diameter_mm / 2, *end_mm};
  }
  if (part.shield_width_deg)
    s.shield = AntennaShield{-roll_direction(applicator), *part.shield_width_deg, part.shield_leak};
  return s;
}

}  // namespace

std::vector<Source> make_mwa_sources(const std::vector<Applicator>& applicators,
                                     const std::vector<Device>& devices,
                                     const std::vector<TimedProtocol>& protocols) {
  return powered_steps(applicators, devices, protocols, source_of);
}

std::vector<std::string> mwa_warnings(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices) {
  std::vector<std::string> warnings;
  for (std::size_t n = 0; n < devices.size(); ++n) {
    const auto& end_mm = applicators[n].cannula_from_tip_mm;
    if (!devices[n].antenna || !end_mm) continue;
    const double gap_mm = *end_mm - devices[n].antenna->antenna.slot_to_tip_mm,
                 wanted_mm = devices[n].cannula ? devices[n].cannula->back_off_mm : kBackOff_mm;
    if (gap_mm < wanted_mm)
      warnings.push_back(fmt::format(
          "probe {}: the metal cannula ends {:.1f} mm behind the slot of the antenna and reflects the field: "
          "pull it back {:g} mm at least",
          n + 1, gap_mm, wanted_mm));
  }
  return warnings;
}

}  // namespace spinetherm
