// SPDX-License-Identifier: Apache-2.0
#include "thermal/laser.h"

#include <fmt/format.h>

#include "imaging/core/error.h"
#include "thermal/powered_steps.h"

namespace spinetherm {
namespace {

LightSource source_of(const Applicator& applicator, const Device& device) {
  if (device.modality != "laser" || !device.light)
    throw ConfigError(
        fmt::format("the device '{}' works with '{}', not with light", device.name, device.modality),
        "/applicators", "choose a device of the protocol's energy");
  const LightPart& part = *device.light;
  const double path_mm = (applicator.tip_mm - applicator.entry_mm).norm();
  if (!(path_mm > part.to_tip_mm))
    throw ConfigError(fmt::format("the diffuser of '{}' ends {} mm from the tip, beyond the entry point at "
                                  "{} mm",
                                  device.name, part.to_tip_mm, path_mm),
                      "/applicators", "place the tip deeper or the entry farther out");
  LightSource s;
  s.device = device.name;
  s.wavelength_nm = part.wavelength_nm;
  s.a_mm = on_shaft_mm(applicator, device, part.from_tip_mm);
  s.b_mm = on_shaft_mm(applicator, device, part.to_tip_mm);
  s.radius_mm = device.shaft_diameter_mm / 2;
  s.entry_mm = applicator.entry_mm;
  s.tip_mm = applicator.tip_mm;
  s.cooled_degC = device.cooled_degC;
  return s;
}

}  // namespace

std::vector<Source> make_laser_sources(const std::vector<Applicator>& applicators,
                                       const std::vector<Device>& devices,
                                       const std::vector<TimedProtocol>& protocols) {
  return powered_steps(applicators, devices, protocols, source_of);
}

}  // namespace spinetherm
