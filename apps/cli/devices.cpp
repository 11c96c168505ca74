// SPDX-License-Identifier: Apache-2.0
#include "datasets/device_table.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/table_command.h"
#include "apps/device_zone.h"
#include "datasets/antenna_geometry.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

Json step_json(const ProtocolStep& s) {
  Json out = {{"duration_s", s.duration_s}};
  if (s.hold_degC) out["hold_degC"] = *s.hold_degC;
  if (s.max_W) out["max_W"] = *s.max_W;
  if (s.power_W) out["power_W"] = *s.power_W;
  if (s.voltage_V) out["voltage_V"] = *s.voltage_V;
  if (s.duty) out["duty"] = *s.duty;
  if (s.thaw_degC) out["thaw_degC"] = *s.thaw_degC;
  if (s.until) {
    out["until"] = {{"sensor", s.until->sensor}};
    if (s.until->below_degC) out["until"]["below_degC"] = *s.until->below_degC;
    if (s.until->above_degC) out["until"]["above_degC"] = *s.until->above_degC;
  }
  return out;
}

Json provenance_json(const Provenance& p) {
  return {{"confidence", to_string(p.confidence)}, {"source", p.source}};
}

Json medium_json(const ZoneMedium& m) {
  return {{"tissue", m.tissue},
          {"perfused", m.perfused},
          {"start_degC", m.start_degC},
          {"confidence", to_string(m.provenance.confidence)},
          {"source", m.provenance.source}};
}

Json number_json(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

Json published_json(const PublishedZone& z) {
  Json out = {{"length_mm", z.length_mm}, {"diameter_mm", z.diameter_mm}, {"medium", z.medium}};
  if (z.in) out["in"] = medium_json(*z.in);
  if (!z.criterion.empty()) out["criterion"] = z.criterion;
  if (z.steps > 0) out["steps"] = z.steps;
  return out;
}

std::optional<double> published_length_mm(const Device& d) {
  return d.published_zone ? std::optional(d.published_zone->length_mm) : std::nullopt;
}
std::optional<double> published_diameter_mm(const Device& d) {
  return d.published_zone ? std::optional(d.published_zone->diameter_mm) : std::nullopt;
}

Json simulated_json(const Device& d, const DeviceZone& z) {
  return {{"length_mm", number_json(z.length_mm)},
          {"diameter_mm", number_json(z.diameter_mm)},
          {"criterion", z.criterion},
          {"in", medium_json(z.medium)},
          {"steps", z.steps},
          {"cut_by_box", z.cut_by_box},
          {"error_radius_mm", number_json(z.error_radius_mm)},
          {"deviation_percent",
           {{"length", number_json(deviation_percent(z.length_mm, published_length_mm(d)))},
            {"diameter", number_json(deviation_percent(z.diameter_mm, published_diameter_mm(d)))}}},
          {"reason", z.reason},
          {"widenings", z.widenings},
          {"steps_taken", z.steps_taken},
          {"wall_time_s", z.wall_time_s},
          {"warnings", z.warnings}};
}

Json device_json(const Device& d) {
  Json out = {{"name", d.name},
              {"title", d.title},
              {"modality", d.modality},
              {"shaft_diameter_mm", d.shaft_diameter_mm},
              {"length_mm", d.length_mm}};
  Json poles = Json::array(), sensors = Json::array(), steps = Json::array(), sources = Json::object();
  for (const DevicePole& p : d.poles)
    poles.push_back({{"from_tip_mm", p.from_tip_mm},
                     {"to_tip_mm", p.to_tip_mm},
                     {"diameter_mm", p.diameter_mm},
                     {"polarity", p.polarity}});
  for (const DeviceSensor& s : d.sensors)
    sensors.push_back(
        {{"name", s.name}, {"from_tip_mm", s.from_tip_mm}, {"off_axis_mm", s.off_axis_mm}, {"tine", s.tine}});
  for (const ProtocolStep& s : d.protocol.steps) steps.push_back(step_json(s));
  for (const auto& [key, p] : d.provenance) sources[key] = provenance_json(p);
  out["poles"] = poles;
  if (d.articulation)
    out["articulation"] = {{"length_mm", d.articulation->length_mm},
                           {"angle_deg", d.articulation->angle_deg}};
  if (d.tines)
    out["tines"] = {{"count", d.tines->count},
                    {"diameter_mm", d.tines->diameter_mm},
                    {"from_tip_mm", d.tines->from_tip_mm},
                    {"bend_radius_mm", d.tines->bend_radius_mm},
                    {"turn_deg", d.tines->turn_deg},
                    {"polarity", d.tines->polarity}};
  if (d.cannula)
    out["cannula"] = {{"diameter_mm", d.cannula->diameter_mm}, {"back_off_mm", d.cannula->back_off_mm}};
  out["sensors"] = sensors;
  if (d.cryo)
    out["cryo"] = {{"from_tip_mm", d.cryo->from_tip_mm}, {"to_tip_mm", d.cryo->to_tip_mm},
                   {"gas_degC", d.cryo->gas_degC},       {"film_W_per_m2_K", d.cryo->film_W_per_m2_K},
                   {"max_W_per_m", d.cryo->max_W_per_m}, {"ramp_s", d.cryo->ramp_s}};
  if (d.antenna) {
    out["antenna"] = to_json(d.antenna->antenna);
    out["cable_loss"] = d.antenna->cable_loss;
    if (d.antenna->shield_width_deg)
      out["shield"] = {{"width_deg", *d.antenna->shield_width_deg}, {"leak", d.antenna->shield_leak}};
  }
  if (d.light)
    out["light"] = {{"from_tip_mm", d.light->from_tip_mm},
                    {"to_tip_mm", d.light->to_tip_mm},
                    {"wavelength_nm", d.light->wavelength_nm}};
  if (d.cooled_degC) out["cooled_degC"] = *d.cooled_degC;
  if (d.max_power_W) out["max_power_W"] = *d.max_power_W;
  if (d.max_degC) out["max_degC"] = *d.max_degC;
  out["protocol"] = steps;
  out["beyond_spine"] = d.protocol.beyond_spine;
  out["published_zone"] = nullptr;
  if (d.published_zone) out["published_zone"] = published_json(*d.published_zone);
  out["sources"] = sources;
  return out;
}

std::string zone_text(const Device& d) {
  if (!d.published_zone) return "not known";
  return fmt::format("{:g} x {:g} mm", d.published_zone->length_mm, d.published_zone->diameter_mm);
}

std::string step_text(const ProtocolStep& s, bool cold) {
  std::string text = fmt::format("{:g} s", s.duration_s);
  if (s.duty) text += *s.duty == 1 ? " freeze" : fmt::format(" freeze, {:g} % of the time", 100 * *s.duty);
  if (s.thaw_degC) text += fmt::format(" thaw at {:g} degC", *s.thaw_degC);
  if (cold && !s.duty && !s.thaw_degC) text += " passive thaw";
  if (s.hold_degC) text += fmt::format(" at {:g} degC", *s.hold_degC);
  if (s.power_W) text += fmt::format(" at {:g} W", *s.power_W);
  if (s.voltage_V) text += fmt::format(" at {:g} V", *s.voltage_V);
  if (s.max_W) text += fmt::format(", at most {:g} W", *s.max_W);
  if (s.until)
    text += fmt::format(", or until '{}' is {} {:g} degC", s.until->sensor,
                        s.until->below_degC ? "below" : "above",
                        s.until->below_degC ? *s.until->below_degC : *s.until->above_degC);
  return text;
}

void print_list() {
  std::vector<std::vector<std::string>> rows = {{"name", "energy", "shaft mm", "poles", "zone", "title"}};
  for (const Device& d : device_table())
    rows.push_back({d.name, d.modality, fmt::format("{:g}", d.shaft_diameter_mm),
                    std::to_string(d.poles.size()), zone_text(d), d.title});
  print_columns(rows);
}

void print_device(const Device& d) {
  std::cout << fmt::format("{}: {}\n", d.name, d.title);
  std::vector<std::vector<std::string>> rows = {{"what", "value", "source"}};
  const auto add = [&](const char* key, const std::string& value) {
    const auto p = d.provenance.find(key);
    rows.push_back({key, value, p == d.provenance.end() ? "" : source_line(p->second)});
  };
  const auto number = [](std::optional<double> v) { return v ? fmt::format("{:g}", *v) : "none"; };
  add("shaft_diameter_mm", number(d.shaft_diameter_mm));
  add("length_mm", number(d.length_mm));
  std::string poles, sensors, steps;
  for (const DevicePole& p : d.poles)
    poles += fmt::format("{}{:+g}: {:g} to {:g}", poles.empty() ? "" : ", ", p.polarity, p.from_tip_mm,
                         p.to_tip_mm);
  for (const DeviceSensor& s : d.sensors)
    sensors += fmt::format("{}'{}' at {:g}", sensors.empty() ? "" : ", ", s.name, s.from_tip_mm);
  for (const ProtocolStep& s : d.protocol.steps)
    steps += (steps.empty() ? "" : "; ") + step_text(s, d.cryo.has_value());
  if (!d.poles.empty()) add("poles", poles + " mm from the tip");
  if (d.cryo) {
    add("cooling_part", fmt::format("{:g} to {:g} mm from the tip", d.cryo->from_tip_mm, d.cryo->to_tip_mm));
    add("gas_degC", number(d.cryo->gas_degC));
    add("film_W_per_m2_K", number(d.cryo->film_W_per_m2_K));
    add("max_W_per_m", number(d.cryo->max_W_per_m));
    add("ramp_s", number(d.cryo->ramp_s));
  }
  if (d.antenna) {
    const AntennaPart& a = *d.antenna;
    add("antenna", fmt::format("{:g} MHz, slot {:g} to {:g} mm from the tip", a.antenna.frequency_MHz,
                               a.antenna.slot_from_tip_mm, a.antenna.slot_to_tip_mm));
    add("cable_loss", fmt::format("{:g} % of the power on each way", 100 * a.cable_loss));
    if (a.shield_width_deg)
      add("shield", fmt::format("{:g} deg, lets {:g} % through", *a.shield_width_deg, 100 * a.shield_leak));
  }
  if (d.light) {
    const LightPart& l = *d.light;
    add("light", l.to_tip_mm > l.from_tip_mm
                     ? fmt::format("{:g} nm, {:g} to {:g} mm from the tip", l.wavelength_nm, l.from_tip_mm,
                                   l.to_tip_mm)
                     : fmt::format("{:g} nm, bare end {:g} mm from the tip", l.wavelength_nm, l.from_tip_mm));
  }
  if (d.articulation)
    add("articulation", fmt::format("the last {:g} mm bend by {:g} deg", d.articulation->length_mm,
                                    d.articulation->angle_deg));
  if (d.tines)
    add("tines", fmt::format("{} of {:g} mm in arcs of {:g} mm by {:g} deg", d.tines->count,
                             d.tines->diameter_mm, d.tines->bend_radius_mm, d.tines->turn_deg));
  if (d.cannula)
    add("cannula", fmt::format("{:g} mm, ends {:g} mm or more behind the active part", d.cannula->diameter_mm,
                               d.cannula->back_off_mm));
  add("sensors", sensors.empty() ? "none" : sensors + " mm from the tip");
  add("cooled_degC", number(d.cooled_degC));
  add("max_power_W", number(d.max_power_W));
  add("max_degC", number(d.max_degC));
  add("protocol", steps + (d.protocol.beyond_spine ? "; more than a spine bears (beyond_spine)" : ""));
  add("published_zone", zone_text(d));
  print_columns(rows);
}

std::string medium_text(const ZoneMedium& m) {
  const bool gel = m.tissue == kWaterGel;
  return fmt::format("{}{}, from {:g} degC", m.tissue,
                     gel          ? ""
                     : m.perfused ? ", living"
                                  : ", without blood",
                     m.start_degC);
}

std::string criterion_text(const DeviceZone& z, const Device& d) {
  if (std::size_t(z.steps) == d.protocol.steps.size()) return z.criterion;
  return fmt::format("{} after {} of {} steps", z.criterion, z.steps, d.protocol.steps.size());
}

/// The published zone beside the simulated one.
void print_zones(const Device& d, const DeviceZone& z) {
  const auto published = [](std::optional<double> mm) {
    return mm ? fmt::format("{:g}", *mm) : std::string("not known");
  };
  const auto simulated = [&](std::optional<double> mm) {
    return mm ? fmt::format("{}{:.1f}", z.cut_by_box ? ">= " : "", *mm) : std::string("not known");
  };
  const auto deviation = [](std::optional<double> simulated_mm, std::optional<double> published_mm) {
    const auto percent = deviation_percent(simulated_mm, published_mm);
    return percent ? fmt::format("{:+.0f} %", *percent) : std::string("not known");
  };
  const auto row = [&](const char* what, std::optional<double> simulated_mm,
                       std::optional<double> published_mm) {
    return std::vector<std::string>{
        what,
        published(published_mm),
        simulated(simulated_mm),
        deviation(simulated_mm, published_mm),
        criterion_text(z, d),
        medium_text(z.medium),
        d.published_zone ? std::string(to_string(d.published_zone->provenance.confidence)) : "not known"};
  };
  std::cout << '\n';
  print_columns({{"zone", "published mm", "simulated mm", "deviation", "criterion", "simulated in",
                  "published figure is"},
                 row("length", z.length_mm, published_length_mm(d)),
                 row("diameter", z.diameter_mm, published_diameter_mm(d))});
  std::cout << fmt::format("medium and criterion: {}\n", source_line(z.medium.provenance));
  if (!z.reason.empty()) std::cout << "no simulated zone: " << z.reason << '\n';
  if (z.length_mm == 0.0) std::cout << "no tissue reached the criterion\n";
  if (z.error_radius_mm)
    std::cout << fmt::format(
        "error of the simulation about {:.2g} mm of the zone's radius, without that of "
        "properties and device\n",
        *z.error_radius_mm);
  for (const std::string& warning : z.warnings) std::cout << "warning: " << warning << '\n';
  std::cout << fmt::format("simulated in {:.1f} s; nothing is fitted to the published zone\n", z.wall_time_s);
}

int show_device(const Device& d, bool simulate, const CommandContext& context) {
  std::optional<DeviceZone> zone;
  if (simulate) {
    DeviceZoneOptions options;
    options.threads = context.threads;
    zone = simulated_zone(d, options, context.progress);
    throw_if_cancelled(context.progress);
  }
  if (context.json) {
    Json out = device_json(d);
    out["simulated_zone"] = zone ? simulated_json(d, *zone) : Json(nullptr);
    print_json(out);
  } else {
    print_device(d);
    if (zone)
      print_zones(d, *zone);
    else
      std::cout << "\nsimulated zone: not simulated (--no-simulation)\n";
  }
  if (zone && !zone->reason.empty())
    throw ComputationFailed("the simulation ended without a zone: " + zone->reason, d.name,
                            "its published zone stands alone");
  return kExitDone;
}

}  // namespace

Run devices_command(CLI::App& app) {
  const auto request = add_table_request(app, "device");
  const auto no_simulation = std::make_shared<bool>(false);
  app.add_flag("--no-simulation", *no_simulation,
               "leaves out of 'show' the zone that the engine makes of the standard protocol");
  app.footer(
      "Published zones are what was published or recalled. 'show' simulates the standard protocol in the\n"
      "same medium, or in living cancellous bone where none is known, which takes from seconds to\n"
      "minutes, and prints both; nothing is fitted.");
  return [request, no_simulation](const CommandContext& context) -> int {
    if (wants_one(*request)) return show_device(device(request->name), !*no_simulation, context);
    if (context.json) {
      Json all = Json::array();
      for (const Device& d : device_table()) all.push_back(device_json(d));
      print_json(Json{{"devices", all}});
    } else {
      print_list();
    }
    return kExitDone;
  };
}

}  // namespace spinetherm
