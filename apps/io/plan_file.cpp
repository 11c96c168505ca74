// SPDX-License-Identifier: Apache-2.0
#include "apps/io/plan_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "apps/io/region_json.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "planning/verdict.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Eigen::Vector3d;

Applicator read_applicator(const JsonReader& r) {
  Applicator a;
  a.device = r.get<std::string>("device");
  a.entry_mm = r.get<Vector3d>("entry_mm");
  a.tip_mm = r.get<Vector3d>("tip_mm");
  a.roll_deg = r.get_or<double>("roll_deg", 0);
  a.deployment = r.get_or<double>("deployment", 1);
  a.cannula_from_tip_mm = r.get_optional<double>("cannula_from_tip_mm");
  r.finish();
  return a;
}

UntilSensor read_until(const JsonReader& r) {
  UntilSensor u{r.get_or<std::string>("sensor", ""), r.get_optional<Vector3d>("at_mm"),
                r.get_optional<double>("below_degC"), r.get_optional<double>("above_degC")};
  r.finish();
  return u;
}

ProtocolStep read_step(const JsonReader& r) {
  ProtocolStep s;
  s.duration_s = r.get<double>("duration_s");
  s.hold_degC = r.get_optional<double>("hold_degC");
  s.max_W = r.get_optional<double>("max_W");
  s.power_W = r.get_optional<double>("power_W");
  s.voltage_V = r.get_optional<double>("voltage_V");
  s.duty = r.get_optional<double>("duty");
  s.thaw_degC = r.get_optional<double>("thaw_degC");
  if (const auto until = r.find("until")) s.until = read_until(*until);
  if (const auto roll_off = r.find("roll_off")) {
    s.roll_off = RollOff{roll_off->get<double>("rise"), roll_off->get<double>("off_s")};
    roll_off->finish();
  }
  r.finish();
  return s;
}

Protocol read_protocol(const JsonReader& r) {
  Protocol p;
  p.modality = r.get<std::string>("modality");
  for (const JsonReader& step : r.at("steps").elements()) p.steps.push_back(read_step(step));
  if (const auto halo = r.find("saline_halo")) {
    p.saline_halo = SalineHalo{halo->get<double>("thickness_mm"), halo->get<double>("conductivity_S_per_m")};
    halo->finish();
  }
  p.beyond_spine = r.get_or<bool>("beyond_spine", false);
  if (const auto followers = r.find("applicators"))
    for (const JsonReader& n : followers->elements()) p.applicators.push_back(n.as<int>());
  p.start_s = r.get_optional<double>("start_s");
  r.finish();
  return p;
}

Protection read_protection(const JsonReader& r) {
  const auto sensor = r.find("thermocouple"), fluid = r.find("dissection"), mr = r.find("mr_thermometry"),
             nerves = r.find("neuromonitoring");
  r.finish();
  const int given =
      int(sensor.has_value()) + int(fluid.has_value()) + int(mr.has_value()) + int(nerves.has_value());
  if (given != 1)
    r.fail(given > 1 ? "two protections in one" : "no protection",
           "give one of thermocouple, mr_thermometry, neuromonitoring, dissection");
  if (sensor) {
    const Thermocouple t{sensor->get<Vector3d>("at_mm"),
                         sensor->get_or<double>("lag_s", 0),
                         sensor->get_optional<double>("stop_above_degC"),
                         sensor->get_optional<double>("stop_below_degC"),
                         sensor->get_or<double>("stem", 0),
                         sensor->get_or<double>("pickup_K_per_W", 0)};
    sensor->finish();
    return t;
  }
  if (mr) {
    const MrThermometry m{mr->get<Vector3d>("at_mm"), mr->get_or<double>("noise_K", 1),
                          mr->get_or<double>("period_s", 5), mr->get_optional<double>("stop_above_degC"),
                          read_seed(*mr)};
    mr->finish();
    return m;
  }
  if (nerves) {
    const Neuromonitoring n{nerves->get<Vector3d>("at_mm"), nerves->get_or<double>("delay_s", 0),
                            nerves->get_optional<double>("alarm_above_degC"),
                            nerves->get_optional<double>("alarm_below_degC")};
    nerves->finish();
    return n;
  }
  Dissection d{fluid->get<std::string>("medium"),
               fluid->get<std::string>("region"),
               fluid->get_optional<double>("temperature_degC"),
               {}};
  if (const auto shape = fluid->find("shape")) d.shape = read_region(*shape);
  fluid->finish();
  return d;
}

Cement read_cement(const JsonReader& r) {
  Cement c{r.get<double>("volume_ml"), r.get<Vector3d>("at_mm"), r.get_or<std::string>("material", "PMMA")};
  r.finish();
  return c;
}

/// null as well as an absent key: not computed.
template <class T>
std::optional<T> known(const JsonReader& r, const std::string& key) {
  const auto child = r.find(key);
  if (!child || child->json().is_null()) return std::nullopt;
  return child->as<T>();
}

PlanScore read_score(const JsonReader& r) {
  PlanScore s;
  s.geometric = known<double>(r, "geometric");
  s.coverage = known<double>(r, "coverage");
  s.min_margin_mm = known<double>(r, "min_margin_mm");
  s.verdict = known<std::string>(r, "verdict");
  if (s.verdict) {
    std::vector<std::string> words;
    for (const Verdict v : {Verdict::within_limits, Verdict::caution, Verdict::unknown, Verdict::unsafe})
      words.emplace_back(to_string(v));
    r.get_word("verdict", words);
  }
  r.finish();
  return s;
}

Plan parse_plan(const nlohmann::json& document) {
  const JsonReader r(document);
  expect_format(r, "plan");
  Plan p;
  p.case_path = r.get_or<std::string>("case", "");
  for (const JsonReader& a : r.at("applicators").elements()) p.applicators.push_back(read_applicator(a));
  for (const JsonReader& one : r.at("protocol").elements()) p.protocol.push_back(read_protocol(one));
  if (const auto protections = r.find("protections"))
    for (const JsonReader& one : protections->elements()) p.protections.push_back(read_protection(one));
  if (const auto cement = r.find("cement"); cement && !cement->json().is_null())
    p.cement = read_cement(*cement);
  if (const auto score = r.find("score")) p.score = read_score(*score);
  if (r.has("state")) p.state = PlanState(r.get_word("state", {"proposed", "accepted"}));
  r.finish();
  return p;
}

template <class T>
void add(Json& j, const char* key, const std::optional<T>& value) {
  if (value) j[key] = *value;
}
template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

struct ProtectionJson {
  Json operator()(const Thermocouple& t) const {
    Json j = {{"at_mm", to_json(t.at_mm)}, {"lag_s", t.lag_s}};
    add(j, "stop_above_degC", t.stop_above_degC);
    add(j, "stop_below_degC", t.stop_below_degC);
    if (t.stem != 0) j["stem"] = t.stem;
    if (t.pickup_K_per_W != 0) j["pickup_K_per_W"] = t.pickup_K_per_W;
    return {{"thermocouple", j}};
  }
  Json operator()(const MrThermometry& m) const {
    Json j = {
        {"at_mm", to_json(m.at_mm)}, {"noise_K", m.noise_K}, {"period_s", m.period_s}, {"seed", m.seed}};
    add(j, "stop_above_degC", m.stop_above_degC);
    return {{"mr_thermometry", j}};
  }
  Json operator()(const Neuromonitoring& n) const {
    Json j = {{"at_mm", to_json(n.at_mm)}, {"delay_s", n.delay_s}};
    add(j, "alarm_above_degC", n.alarm_above_degC);
    add(j, "alarm_below_degC", n.alarm_below_degC);
    return {{"neuromonitoring", j}};
  }
  Json operator()(const Dissection& d) const {
    Json j = {{"medium", d.medium}, {"region", d.region}};
    add(j, "temperature_degC", d.temperature_degC);
    if (d.shape) j["shape"] = to_json(*d.shape);
    return {{"dissection", j}};
  }
};

Json until_json(const UntilSensor& u) {
  Json j = Json::object();
  if (u.at_mm)
    j["at_mm"] = to_json(*u.at_mm);
  else
    j["sensor"] = u.sensor;
  add(j, "below_degC", u.below_degC);
  add(j, "above_degC", u.above_degC);
  return j;
}

Json protocol_json(const Protocol& p) {
  Json j = {{"modality", p.modality}, {"steps", Json::array()}};
  for (const ProtocolStep& s : p.steps) {
    Json one = {{"duration_s", s.duration_s}};
    add(one, "hold_degC", s.hold_degC);
    add(one, "max_W", s.max_W);
    add(one, "power_W", s.power_W);
    add(one, "voltage_V", s.voltage_V);
    add(one, "duty", s.duty);
    add(one, "thaw_degC", s.thaw_degC);
    if (s.until) one["until"] = until_json(*s.until);
    if (s.roll_off) one["roll_off"] = {{"rise", s.roll_off->rise}, {"off_s", s.roll_off->off_s}};
    j["steps"].push_back(std::move(one));
  }
  if (p.beyond_spine) j["beyond_spine"] = true;
  if (!p.applicators.empty()) j["applicators"] = p.applicators;
  add(j, "start_s", p.start_s);
  if (p.saline_halo)
    j["saline_halo"] = {{"thickness_mm", p.saline_halo->thickness_mm},
                        {"conductivity_S_per_m", p.saline_halo->conductivity_S_per_m}};
  return j;
}

}  // namespace

Json to_json(const Plan& p) {
  Json j = {{"format", "spinetherm.plan"}, {"version", 1}};
  if (!p.case_path.empty()) j["case"] = p.case_path;
  j["applicators"] = Json::array();
  for (const Applicator& a : p.applicators) {
    Json one = {{"device", a.device},
                {"entry_mm", to_json(a.entry_mm)},
                {"tip_mm", to_json(a.tip_mm)},
                {"roll_deg", a.roll_deg},
                {"deployment", a.deployment}};
    add(one, "cannula_from_tip_mm", a.cannula_from_tip_mm);
    j["applicators"].push_back(std::move(one));
  }
  j["protocol"] = Json::array();
  for (const Protocol& one : p.protocol) j["protocol"].push_back(protocol_json(one));
  j["protections"] = Json::array();
  for (const Protection& one : p.protections) j["protections"].push_back(std::visit(ProtectionJson{}, one));
  if (p.cement)
    j["cement"] = {{"volume_ml", p.cement->volume_ml},
                   {"at_mm", to_json(p.cement->at_mm)},
                   {"material", p.cement->material}};
  j["score"] = {{"geometric", or_null(p.score.geometric)},
                {"coverage", or_null(p.score.coverage)},
                {"min_margin_mm", or_null(p.score.min_margin_mm)},
                {"verdict", or_null(p.score.verdict)}};
  j["state"] = to_string(p.state);
  return j;
}

Plan read_plan(const fs::path& path) {
  const nlohmann::json document = parse_json_file(path);
  Plan plan;
  try {
    plan = parse_plan(document);
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
  validate(plan, path.string());
  return plan;
}

void write_plan(const Plan& plan, const fs::path& path) { write_json_file(to_json(plan), path); }

fs::path case_file_of(const Plan& plan, const fs::path& plan_file) {
  if (plan.case_path.empty())
    throw ConfigError("the plan names no case", plan_file.string() + ": /case", "add it, or give --case");
  return (plan_file.parent_path() / plan.case_path).lexically_normal();
}

}  // namespace spinetherm
