// SPDX-License-Identifier: Apache-2.0
#include "apps/io/result_file.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "apps/io/region_json.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/read.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Eigen::Vector3d;

struct NamedVolume {
  const char* name;
  Volume<float> ThermalResult::*member;
};
constexpr std::array<NamedVolume, 12> kVolumes = {{{"temperature", &ThermalResult::temperature},
                                                   {"peak_temperature", &ThermalResult::peak_temperature},
                                                   {"lowest_temperature", &ThermalResult::lowest_temperature},
                                                   {"cem43", &ThermalResult::cem43},
                                                   {"arrhenius", &ThermalResult::arrhenius},
                                                   {"potential", &ThermalResult::potential},
                                                   {"power_density", &ThermalResult::power_density},
                                                   {"peak_time_s", &ThermalResult::peak_time_s},
                                                   {"lowest_time_s", &ThermalResult::lowest_time_s},
                                                   {"freezes", &ThermalResult::freezes},
                                                   {"lowest_twice", &ThermalResult::lowest_twice},
                                                   {"cell_death", &ThermalResult::cell_death}}};

constexpr std::array<Termination, 6> kTerminations = {Termination::not_run,   Termination::reached_end,
                                                      Termination::converged, Termination::not_converged,
                                                      Termination::cancelled, Termination::diverged};

/// JSON has no NaN and no infinity: null, so that the document holds what its text will.
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json number(const std::optional<double>& v) { return v ? number(*v) : Json(nullptr); }
Json numbers(const std::vector<double>& list) {
  Json j = Json::array();
  for (const double v : list) j.push_back(number(v));
  return j;
}

Json samples_json(const std::vector<Sample>& samples) {
  Json j = Json::array();
  for (const Sample& s : samples)
    j.push_back({{"at_mm", to_json(s.at_mm)},
                 {"t_s", s.t_s},
                 {"degC", number(s.T_degC)},
                 {"cem43_min", number(s.cem43_min)},
                 {"arrhenius", number(s.arrhenius)}});
  return j;
}

Json electrical_json(const std::optional<ElectricalHistory>& e) {
  if (!e) return nullptr;
  Json j = {{"times_s", numbers(e->times_s)},
            {"resistance_ohm", numbers(e->resistance_ohm)},
            {"power_W", numbers(e->power_W)},
            {"current_A", numbers(e->current_A)},
            {"voltage_V", numbers(e->voltage_V)}};
  for (const ChannelHistory& c : e->channels)
    j["channels"].push_back({{"resistance_ohm", numbers(c.resistance_ohm)},
                             {"power_W", numbers(c.power_W)},
                             {"current_A", numbers(c.current_A)},
                             {"voltage_V", numbers(c.voltage_V)}});
  return j;
}

Json radiation_json(const RadiationHistory& r) {
  Json j = {{"times_s", numbers(r.times_s)}, {"sources", Json::array()}};
  for (const RadiationHistory::Source& s : r.sources)
    j["sources"].push_back({{"power_W", numbers(s.power_W)},
                            {"reflected_W", numbers(s.reflected_W)},
                            {"cable_W", numbers(s.cable_W)},
                            {"absorbed_W", numbers(s.absorbed_W)},
                            {"radiated_W", numbers(s.radiated_W)}});
  return j;
}

Json cryo_json(const CryoHistory& c) {
  Json j = {{"times_s", numbers(c.times_s)}, {"probes", Json::array()}};
  for (const CryoHistory::Probe& p : c.probes)
    j["probes"].push_back({{"extraction_W", numbers(p.extraction_W)},
                           {"gas_degC", numbers(p.gas_degC)},
                           {"wall_degC", numbers(p.wall_degC)},
                           {"free_from_s", number(p.free_from_s)}});
  return j;
}

std::optional<double> read_number(const JsonReader& r, const std::string& key) {
  const JsonReader child = r.at(key);
  return child.json().is_null() ? std::nullopt : std::optional<double>(child.as<double>());
}
/// null back to what it stood for, where the value type has no other word for it.
double read_number_or(const JsonReader& r, const std::string& key, double unknown) {
  return read_number(r, key).value_or(unknown);
}
std::vector<double> read_numbers(const JsonReader& r, const std::string& key, double unknown) {
  std::vector<double> out;
  for (const JsonReader& e : r.at(key).elements())
    out.push_back(e.json().is_null() ? unknown : e.as<double>());
  return out;
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ThermalResult parse_result(const nlohmann::json& document) {
  const JsonReader r(document);
  expect_format(r, "result");
  ThermalResult result;
  std::vector<std::string> words;
  for (const Termination t : kTerminations) words.emplace_back(to_string(t));
  result.summary.termination = kTerminations[r.get_word("termination", words)];
  result.summary.message = r.get<std::string>("message");
  result.summary.simulated_s = r.get<double>("simulated_s");
  result.summary.steps = r.get<int>("steps");
  result.summary.wall_time_s = r.get<double>("wall_time_s");
  result.summary.peak_memory_MB = r.get<double>("peak_memory_MB");

  for (const JsonReader& e : r.at("samples").elements()) {
    result.samples.push_back({e.get<Vector3d>("at_mm"), e.get<double>("t_s"), read_number_or(e, "degC", kNaN),
                              read_number_or(e, "cem43_min", kNaN), read_number(e, "arrhenius")});
    e.finish();
  }
  for (const auto& [key, volume] : r.at("volumes_ml").members())
    result.zones[key].volume_ml = volume.as<double>();
  for (const auto& [key, extent] : r.at("extents_mm").members())
    result.zones[key].extent_mm = extent.as<Vector3d>();
  for (const JsonReader& key : r.at("zones_cut_by_box").elements())
    result.zones[key.as<std::string>()].touches_box = true;

  const JsonReader electrical = r.at("electrical");
  if (!electrical.json().is_null()) {
    result.electrical = ElectricalHistory{
        read_numbers(electrical, "times_s", kNaN),   read_numbers(electrical, "resistance_ohm", kInfinity),
        read_numbers(electrical, "power_W", kNaN),   read_numbers(electrical, "current_A", kNaN),
        read_numbers(electrical, "voltage_V", kNaN), {}};
    if (const auto channels = electrical.find("channels"))
      for (const JsonReader& c : channels->elements()) {
        result.electrical->channels.push_back(
            {read_numbers(c, "resistance_ohm", kInfinity), read_numbers(c, "power_W", kNaN),
             read_numbers(c, "current_A", kNaN), read_numbers(c, "voltage_V", kNaN)});
        c.finish();
      }
    electrical.finish();
  }
  if (const auto radiation = r.find("radiation")) {
    result.radiation.emplace();
    result.radiation->times_s = read_numbers(*radiation, "times_s", kNaN);
    for (const JsonReader& s : radiation->at("sources").elements()) {
      result.radiation->sources.push_back(
          {read_numbers(s, "power_W", kNaN), read_numbers(s, "reflected_W", kNaN),
           read_numbers(s, "cable_W", kNaN), read_numbers(s, "absorbed_W", kNaN),
           read_numbers(s, "radiated_W", kNaN)});
      s.finish();
    }
    radiation->finish();
  }
  if (const auto cryo = r.find("cryo")) {
    result.cryo.emplace();
    result.cryo->times_s = read_numbers(*cryo, "times_s", kNaN);
    for (const JsonReader& p : cryo->at("probes").elements()) {
      result.cryo->probes.push_back({read_numbers(p, "extraction_W", kNaN), read_numbers(p, "gas_degC", kNaN),
                                     read_numbers(p, "wall_degC", kNaN), read_number(p, "free_from_s")});
      p.finish();
    }
    cryo->finish();
  }
  if (const auto ended = r.find("ended_early"))
    for (const JsonReader& e : ended->elements()) {
      result.ended_early.push_back(
          {e.get<double>("from_s"), e.get<double>("planned_to_s"), e.get<double>("at_s")});
      e.finish();
    }
  if (const auto sensors = r.find("sensors"))
    for (const JsonReader& s : sensors->elements()) {
      result.sensors.push_back({s.get<std::string>("name"), s.get<Vector3d>("at_mm"),
                                read_numbers(s, "times_s", kNaN), read_numbers(s, "degC", kNaN),
                                read_numbers(s, "reading_degC", kNaN), read_number(s, "stopped_s")});
      s.finish();
    }
  if (const auto cement = r.find("cement")) {
    result.cement = CementRecord{cement->get<double>("volume_ml"), cement->get<double>("waited_s"),
                                 cement->get<double>("placed_s"), cement->get<double>("hottest_degC")};
    cement->finish();
  }
  const JsonReader energy = r.at("energy");
  result.energy = {read_number_or(energy, "in_J", kNaN), read_number_or(energy, "stored_J", kNaN),
                   read_number_or(energy, "out_J", kNaN), read_number_or(energy, "relative_residual", kNaN),
                   energy.find("regridded_J") ? read_number_or(energy, "regridded_J", kNaN) : kNaN};
  energy.finish();
  const JsonReader estimate = r.at("error_estimate");
  result.error_estimate = {read_number(estimate, "zone_radius_mm"), read_number(estimate, "peak_K")};
  estimate.finish();
  result.warnings = r.get<std::vector<std::string>>("warnings");
  r.finish();
  return result;
}

}  // namespace

Json to_json(const ThermalResult& r) {
  Json j = {{"format", "spinetherm.result"},
            {"version", 1},
            {"termination", std::string(to_string(r.summary.termination))},
            {"message", r.summary.message},
            {"simulated_s", r.summary.simulated_s},
            {"samples", samples_json(r.samples)},
            {"volumes_ml", Json::object()},
            {"extents_mm", Json::object()},
            {"zones_cut_by_box", Json::array()}};
  for (const auto& [key, zone] : r.zones) {
    j["volumes_ml"][key] = zone.volume_ml;
    j["extents_mm"][key] = to_json(zone.extent_mm);
    if (zone.touches_box) j["zones_cut_by_box"].push_back(key);
  }
  j["electrical"] = electrical_json(r.electrical);
  if (r.radiation) j["radiation"] = radiation_json(*r.radiation);
  if (r.cryo) j["cryo"] = cryo_json(*r.cryo);
  if (!r.ended_early.empty()) {
    j["ended_early"] = Json::array();
    for (const EndedEarly& e : r.ended_early)
      j["ended_early"].push_back({{"from_s", e.from_s}, {"planned_to_s", e.planned_to_s}, {"at_s", e.at_s}});
  }
  for (const SensorHistory& s : r.sensors)
    j["sensors"].push_back({{"name", s.name},
                            {"at_mm", to_json(s.at_mm)},
                            {"times_s", numbers(s.times_s)},
                            {"degC", numbers(s.truth_degC)},
                            {"reading_degC", numbers(s.reading_degC)},
                            {"stopped_s", number(s.stopped_s)}});
  if (r.cement)
    j["cement"] = {{"volume_ml", r.cement->volume_ml},
                   {"waited_s", r.cement->waited_s},
                   {"placed_s", r.cement->placed_s},
                   {"hottest_degC", r.cement->hottest_degC}};
  j["energy"] = {{"in_J", number(r.energy.in_J)},
                 {"stored_J", number(r.energy.stored_J)},
                 {"out_J", number(r.energy.out_J)},
                 {"relative_residual", number(r.energy.relative_residual)},
                 {"regridded_J", number(r.energy.regridded_J)}};
  j["steps"] = r.summary.steps;
  j["wall_time_s"] = r.summary.wall_time_s;
  j["peak_memory_MB"] = r.summary.peak_memory_MB;
  j["error_estimate"] = {{"zone_radius_mm", number(r.error_estimate.zone_radius_mm)},
                         {"peak_K", number(r.error_estimate.peak_K)}};
  j["warnings"] = r.warnings;
  return j;
}

void write_result(const ThermalResult& result, const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory / "fields", error);
  if (error) throw IoError("cannot be made", (directory / "fields").string(), error.message());
  for (const NamedVolume& v : kVolumes)
    if (!(result.*v.member).empty())
      write_volume(directory / "fields" / fmt::format("{}.mha", v.name), result.*v.member);
  write_json_file(to_json(result), directory / "result.json");
}

ThermalResult read_result(const fs::path& directory) {
  const fs::path path = directory / "result.json";
  const nlohmann::json document = parse_json_file(path);
  try {
    ThermalResult result = parse_result(document);
    for (const NamedVolume& v : kVolumes) {
      const fs::path field = directory / "fields" / fmt::format("{}.mha", v.name);
      if (fs::exists(field)) result.*v.member = read_volume(field);
    }
    return result;
  } catch (ConfigError& e) {
    e.within(path.string());
    throw;
  }
}

}  // namespace spinetherm
