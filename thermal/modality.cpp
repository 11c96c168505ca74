// SPDX-License-Identifier: Apache-2.0
#include "thermal/modality.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

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

namespace {

/// When each protocol of a plan begins, and who follows it.
std::vector<TimedProtocol> in_time(const std::vector<Device>& devices,
                                   const std::vector<Protocol>& protocols) {
  std::vector<TimedProtocol> out;
  for (std::size_t p = 0; p < protocols.size(); ++p) {
    const Protocol& protocol = protocols[p];
    const std::string where = fmt::format("/protocol/{}", p);
    TimedProtocol timed{protocol, protocol.start_s.value_or(out.empty() ? 0 : out.back().end_s()), {}};
    if (!(timed.begin_s >= 0 && std::isfinite(timed.begin_s)))
      throw ConfigError(fmt::format("start_s = {}", timed.begin_s), where + "/start_s",
                        "give seconds of 0 or above");
    for (const int n : protocol.applicators) {
      if (n < 0 || std::size_t(n) >= devices.size())
        throw ConfigError(fmt::format("there is no applicator {}", n), where + "/applicators",
                          fmt::format("they count from 0 to {}", devices.size() - 1));
      if (timed.followers.empty() || !timed.follows(std::size_t(n)))
        timed.followers.push_back(std::size_t(n));
    }
    for (std::size_t n = 0; n < devices.size() && protocol.applicators.empty(); ++n)
      if (devices[n].modality == protocol.modality) timed.followers.push_back(n);
    if (timed.followers.empty())
      throw ConfigError(fmt::format("no applicator works with the protocol's energy, {}", protocol.modality),
                        where, "place a device of this energy, or leave the protocol out");
    out.push_back(std::move(timed));
  }
  return out;
}

void require_one_at_a_time(const std::vector<TimedProtocol>& protocols, std::size_t applicators) {
  for (std::size_t n = 0; n < applicators; ++n) {
    bool followed = false;
    for (std::size_t p = 0; p < protocols.size(); ++p) {
      if (!protocols[p].follows(n)) continue;
      followed = true;
      for (std::size_t q = 0; q < p; ++q)
        if (protocols[q].follows(n) && protocols[p].begin_s < protocols[q].end_s() &&
            protocols[q].begin_s < protocols[p].end_s())
          throw ConfigError(fmt::format("applicator {} follows the protocols {} and {} at once", n, q, p),
                            fmt::format("/protocol/{}/start_s", p), "let one end before the other begins");
    }
    if (!followed)
      throw ConfigError(fmt::format("applicator {} follows no protocol", n),
                        fmt::format("/applicators/{}", n), "add one of its energy, or leave it out");
  }
}

void require_alone(const std::vector<TimedProtocol>& protocols, const EarlyEnd& end, std::size_t owner) {
  for (std::size_t q = 0; q < protocols.size(); ++q)
    if (q != owner && end.between_s[0] < protocols[q].end_s() && protocols[q].begin_s < end.between_s[1])
      throw ConfigError(
          fmt::format("a step that a sensor may end lies beside protocol {}, whose times it would shift", q),
          fmt::format("/protocol/{}/steps", owner), "let them act one after the other");
}

}  // namespace

PlanSchedule schedule_plan(const std::vector<Applicator>& applicators, const std::vector<Device>& devices,
                           const std::vector<Protocol>& protocols) {
  const std::vector<TimedProtocol> timed = in_time(devices, protocols);
  require_one_at_a_time(timed, devices.size());
  PlanSchedule out;
  for (const EnergyModality& energy : energy_modalities()) {
    std::vector<Applicator> own;
    std::vector<Device> of_own;
    std::vector<std::size_t> number(devices.size(), devices.size());
    for (std::size_t n = 0; n < devices.size(); ++n) {
      if (devices[n].modality != energy.name) continue;
      number[n] = own.size();
      own.push_back(applicators[n]);
      of_own.push_back(devices[n]);
    }
    std::vector<TimedProtocol> of_energy;
    for (TimedProtocol one : timed) {
      if (one.protocol.modality != energy.name) continue;
      for (std::size_t& n : one.followers) {
        if (number[n] == devices.size())
          throw ConfigError(
              fmt::format("applicator {} works with {}, not with {}", n, devices[n].modality, energy.name),
              "/protocol", "let it follow a protocol of its own energy");
        n = number[n];
      }
      of_energy.push_back(std::move(one));
    }
    if (!of_energy.empty())
      std::ranges::move(energy.make_sources(own, of_own, of_energy), std::back_inserter(out.sources));
  }
  for (std::size_t p = 0; p < timed.size(); ++p) {
    energy_modality(timed[p].protocol.modality);
    out.duration_s = std::max(out.duration_s, timed[p].end_s());
    for (EarlyEnd& end : make_early_ends(applicators, devices, timed[p].protocol, timed[p].begin_s)) {
      require_alone(timed, end, p);
      out.early_ends.push_back(std::move(end));
    }
  }
  return out;
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
