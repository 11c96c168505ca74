// SPDX-License-Identifier: Apache-2.0
#include "thermal/modality.h"

#include <fmt/format.h>

#include "imaging/core/error.h"
#include "thermal/cryo.h"
#include "thermal/laser.h"
#include "thermal/mwa.h"
#include "thermal/rfa.h"

namespace spinetherm {

const std::vector<EnergyModality>& energy_modalities() {
  static const std::vector<EnergyModality> table = {
      {"rfa", "radiofrequency electrodes: resistive heating by current between poles or to a pad",
       make_rfa_sources},
      {"mwa", "microwave antennas: dielectric heating at 915 MHz or 2.45 GHz", make_mwa_sources},
      {"cryo", "cryoprobes: cooling by expanding gas, freezing and thawing in turn", make_cryo_sources},
      {"laser", "fibres: light of 980 or 1064 nm that scatters and is absorbed", make_laser_sources},
  };
  return table;
}

std::vector<EarlyEnd> make_early_ends(const std::vector<Applicator>& applicators,
                                      const std::vector<Device>& devices, const Protocol& protocol,
                                      double begin_s) {
  const auto place = [&](const std::string& name, const std::string& where) {
    std::vector<std::string> known;
    for (std::size_t n = 0; n < devices.size(); ++n)
      for (const DeviceSensor& s : devices[n].sensors) {
        if (s.name == name) return sensor_mm(applicators[n], devices[n], s);
        known.push_back(s.name);
      }
    throw ConfigError(
        fmt::format("no applicator has a sensor '{}'", name), where,
        known.empty() ? "none has a sensor: give at_mm" : fmt::format("known: {}", fmt::join(known, ", ")));
  };
  std::vector<EarlyEnd> ends;
  double t_s = begin_s;
  for (std::size_t n = 0; n < protocol.steps.size(); ++n) {
    const ProtocolStep& step = protocol.steps[n];
    const double from_s = t_s;
    t_s += step.duration_s;
    if (!step.until) continue;
    const std::string where = fmt::format("/protocol/steps/{}/until/sensor", n);
    ends.push_back({{from_s, t_s},
                    step.until->at_mm ? *step.until->at_mm : place(step.until->sensor, where),
                    step.until->below_degC,
                    step.until->above_degC});
  }
  return ends;
}

const EnergyModality& energy_modality(std::string_view name) {
  std::vector<std::string> known;
  for (const EnergyModality& m : energy_modalities()) {
    if (m.name == name) return m;
    known.emplace_back(m.name);
  }
  throw ConfigError(fmt::format("unknown energy '{}'", name), "/modality",
                    fmt::format("known: {}", fmt::join(known, ", ")));
}

}  // namespace spinetherm
