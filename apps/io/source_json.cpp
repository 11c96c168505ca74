// SPDX-License-Identifier: Apache-2.0
#include "apps/io/source_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/io/region_json.h"
#include "datasets/antenna_geometry.h"
#include "datasets/device_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;
using Eigen::Vector3d;

const std::vector<std::string> kKinds = {"volumetric",        "point",      "gaussian",  "box",     "line",
                                         "fixed_temperature", "electrodes", "cryoprobe", "antenna", "light"};

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string read_kind(const JsonReader& r) {
  const JsonReader kind = r.at("kind");
  auto word = kind.as<std::string>();
  if (holds(kKinds, word)) return word;
  const std::string known = fmt::format("known: {}", fmt::join(kKinds, ", "));
  kind.fail(fmt::format("unknown source kind '{}'", word),
            fmt::format("did you mean '{}'? {}", nearest_word(word, kKinds), known));
}

/// A number, or [[t_s, value], ...].
Curve read_curve(const JsonReader& r) {
  if (r.json().is_number()) return {{0, r.as<double>()}};
  return r.as<Curve>();
}

FixedTemperatureSource read_fixed_temperature(const JsonReader& r) {
  FixedTemperatureSource s;
  s.region = read_region(r.at("region"));
  s.degC = read_curve(r.at("degC"));
  if (r.has("after")) s.insulated_when_off = r.get_word("after", {"tissue", "insulated"}) == 1;
  return s;
}

template <class Controlled>  // a source or one of its channels
void read_control(const JsonReader& r, Controlled& s) {
  const int given = int(r.has("constant_V")) + int(r.has("constant_W")) + int(r.has("hold_degC"));
  if (given != 1)
    r.fail(given == 0 ? "no control" : "two controls at once",
           "give one of constant_V, constant_W, hold_degC");
  if (const auto constant_V = r.find("constant_V")) {
    if (!constant_V->as<bool>()) constant_V->fail("false", "write true, or choose another control");
    s.control = ConstantVoltage{};
  } else if (r.has("constant_W")) {
    s.control = ConstantPower{r.get<double>("constant_W")};
  } else {
    s.control =
        HoldTemperature{r.get<double>("hold_degC"), r.get<Vector3d>("sensor_mm"), r.get<double>("max_W")};
  }
  if (const auto roll_off = r.find("roll_off")) {
    s.roll_off = RollOff{roll_off->get<double>("rise"), roll_off->get<double>("off_s")};
    roll_off->finish();
  }
  r.finish();
}

ElectrodesSource read_electrodes(const JsonReader& r) {
  ElectrodesSource s;
  for (const JsonReader& e : r.at("electrodes").elements()) {
    Electrode one;
    one.region = read_region(e.at("region"));
    if (const auto floating = e.find("floating")) {
      one.floating = floating->as<bool>();
      if (!one.floating) floating->fail("false", "write true, or give potential_V instead");
      if (const auto potential = e.find("potential_V"))
        potential->fail("a potential for floating metal", "remove it: the field decides");
    } else {
      one.potential_V = e.get<double>("potential_V");
    }
    one.cooled_degC = e.get_optional<double>("cooled_degC");
    s.electrodes.push_back(std::move(one));
    e.finish();
  }
  if (const auto insulators = r.find("insulators"))
    for (const JsonReader& region : insulators->elements()) s.insulators.push_back(read_region(region));
  s.outer_grounded = r.get_word("outer", {"grounded", "insulated"}) == 0;
  const auto control = r.find("control"), channels = r.find("channels");
  if (control && channels) channels->fail("channels beside a control", "give each channel its own control");
  if (control) read_control(*control, s);
  if (!channels) return s;
  for (const JsonReader& c : channels->elements()) {
    ElectrodeChannel channel;
    for (const JsonReader& number : c.at("electrodes").elements())
      channel.electrodes.push_back(number.as<int>());
    if (const auto own = c.find("control")) read_control(*own, channel);
    channel.output = c.get_optional<int>("output");
    c.finish();
    s.channels.push_back(std::move(channel));
  }
  if (s.channels.empty()) channels->fail("no channel", "give one, or remove the key");
  return s;
}

/// What the device of the catalogue says, and each number that the source gives itself instead. Without a
/// device all numbers must be there.
CryoprobeSource read_cryoprobe(const JsonReader& r) {
  CryoprobeSource s;
  s.entry_mm = r.get<Vector3d>("entry_mm");
  s.tip_mm = r.get<Vector3d>("tip_mm");
  s.duty = r.get_or<double>("duty", 1);
  std::optional<Device> known;
  if (const auto name = r.find("device")) {
    s.device = name->as<std::string>();
    try {
      known = device(s.device);
    } catch (Error& e) {
      e.within(name->pointer());
      throw;
    }
    if (!known->cryo) name->fail(fmt::format("'{}' is no cryoprobe", s.device), "see: spinetherm devices");
  }
  const auto number = [&](const char* key, double of_device) {
    return known ? r.get_or<double>(key, of_device) : r.get<double>(key);
  };
  const CryoPart part = known ? *known->cryo : CryoPart{};
  s.diameter_mm = number("diameter_mm", known ? known->shaft_diameter_mm : 0);
  s.active_from_tip_mm = number("active_from_tip_mm", part.from_tip_mm);
  s.active_to_tip_mm = number("active_to_tip_mm", part.to_tip_mm);
  s.gas_degC = number("gas_degC", part.gas_degC);
  s.film_W_per_m2_K = number("film_W_per_m2_K", part.film_W_per_m2_K);
  s.max_W_per_m = number("max_W_per_m", part.max_W_per_m);
  s.ramp_s = number("ramp_s", part.ramp_s);
  return s;
}

struct ControlJson {
  Json operator()(const ConstantVoltage&) const { return {{"constant_V", true}}; }
  Json operator()(const ConstantPower& c) const { return {{"constant_W", c.power_W}}; }
  Json operator()(const HoldTemperature& c) const {
    return {{"hold_degC", c.degC}, {"sensor_mm", to_json(c.sensor_mm)}, {"max_W", c.max_W}};
  }
};

template <class Controlled>
Json control_json(const Controlled& s) {
  Json j = std::visit(ControlJson{}, s.control);
  if (s.roll_off) j["roll_off"] = {{"rise", s.roll_off->rise}, {"off_s", s.roll_off->off_s}};
  return j;
}

/// The device that a source names, which has to have `part`; empty: it names none.
template <class Part>
std::optional<Device> named_device(const JsonReader& r, std::optional<Part> Device::*part,
                                   std::string_view what) {
  const auto name = r.find("device");
  if (!name) return std::nullopt;
  try {
    Device known = device(name->as<std::string>());
    if (!(known.*part)) name->fail(fmt::format("'{}' is no {}", known.name, what), "see: spinetherm devices");
    return known;
  } catch (ConfigError& e) {
    if (e.where() == "device") e.within(name->pointer());
    throw;
  }
}

AntennaSource read_antenna(const JsonReader& r) {
  AntennaSource s;
  const std::optional<Device> known = named_device(r, &Device::antenna, "antenna");
  if (known) {
    s.device = known->name;
    s.antenna = known->antenna->antenna;
    s.cable_loss = known->antenna->cable_loss;
    s.cooled_degC = known->cooled_degC;
  }
  s.power_W = r.get<double>("power_W");
  s.entry_mm = r.get<Vector3d>("entry_mm");
  s.tip_mm = r.get<Vector3d>("tip_mm");
  if (const auto antenna = r.find("antenna")) {
    s.antenna = read_antenna_geometry(*antenna);
    antenna->finish();
  } else if (!known) {
    r.fail("neither device nor antenna", "name a device, or give the antenna's geometry");
  }
  s.cable_loss = r.get_or<double>("cable_loss", s.cable_loss);
  if (r.has("cooled_degC")) s.cooled_degC = r.get<double>("cooled_degC");
  if (const auto shield = r.find("shield")) {
    s.shield = AntennaShield{shield->get<Vector3d>("towards"), shield->get<double>("width_deg"),
                             shield->get<double>("leak")};
    shield->finish();
  }
  return s;
}

LightSource read_light(const JsonReader& r) {
  LightSource s;
  const std::optional<Device> known = named_device(r, &Device::light, "fibre");
  if (known) {
    s.device = known->name;
    s.wavelength_nm = known->light->wavelength_nm;
    s.radius_mm = known->shaft_diameter_mm / 2;
    s.cooled_degC = known->cooled_degC;
  }
  s.power_W = r.get<double>("power_W");
  s.a_mm = r.get<Vector3d>("a_mm");
  s.b_mm = r.get<Vector3d>("b_mm");
  s.wavelength_nm = r.get_or<double>("wavelength_nm", s.wavelength_nm);
  if (r.has("cooled_degC")) s.cooled_degC = r.get<double>("cooled_degC");
  // A cooled fibre runs in a catheter; that of the catalogue's cooled devices where none is given.
  constexpr double kCooledRadius_mm = 0.825;
  s.radius_mm = r.get_or<double>("radius_mm", s.cooled_degC && !known ? kCooledRadius_mm : s.radius_mm);
  if (r.has("entry_mm")) s.entry_mm = r.get<Vector3d>("entry_mm");
  if (r.has("tip_mm")) s.tip_mm = r.get<Vector3d>("tip_mm");
  return s;
}

struct SourceJson {
  std::size_t number;
  const WriteField& write_field;

  Json operator()(const VolumetricSource& s) const {
    return {{"kind", "volumetric"},
            {"file", write_field(fmt::format("source_{}", number), s.power_W_per_m3)}};
  }
  Json operator()(const PointSource& s) const {
    return {{"kind", "point"}, {"power_W", s.power_W}, {"at_mm", to_json(s.at_mm)}};
  }
  Json operator()(const GaussianSource& s) const {
    return {
        {"kind", "gaussian"}, {"power_W", s.power_W}, {"sigma_mm", s.sigma_mm}, {"at_mm", to_json(s.at_mm)}};
  }
  Json operator()(const BoxSource& s) const {
    return {{"kind", "box"},
            {"power_W", s.power_W},
            {"centre_mm", to_json(s.centre_mm)},
            {"half_mm", to_json(s.half_mm)}};
  }
  Json operator()(const LineSource& s) const {
    return {{"kind", "line"}, {"W_per_m", s.W_per_m}, {"a_mm", to_json(s.a_mm)}, {"b_mm", to_json(s.b_mm)}};
  }
  Json operator()(const FixedTemperatureSource& s) const {
    return {{"kind", "fixed_temperature"},
            {"region", to_json(s.region)},
            {"degC", Json(s.degC)},
            {"after", s.insulated_when_off ? "insulated" : "tissue"}};
  }
  Json operator()(const CryoprobeSource& s) const {
    Json j = {{"kind", "cryoprobe"}};
    if (!s.device.empty()) j["device"] = s.device;
    j["entry_mm"] = to_json(s.entry_mm);
    j["tip_mm"] = to_json(s.tip_mm);
    j["duty"] = s.duty;
    j["diameter_mm"] = s.diameter_mm;
    j["active_from_tip_mm"] = s.active_from_tip_mm;
    j["active_to_tip_mm"] = s.active_to_tip_mm;
    j["gas_degC"] = s.gas_degC;
    j["film_W_per_m2_K"] = s.film_W_per_m2_K;
    j["max_W_per_m"] = s.max_W_per_m;
    j["ramp_s"] = s.ramp_s;
    return j;
  }
  Json operator()(const AntennaSource& s) const {
    Json j = {{"kind", "antenna"}};
    if (!s.device.empty()) j["device"] = s.device;
    j["power_W"] = s.power_W;
    j["entry_mm"] = to_json(s.entry_mm);
    j["tip_mm"] = to_json(s.tip_mm);
    j["antenna"] = to_json(s.antenna);
    j["cable_loss"] = s.cable_loss;
    if (s.cooled_degC) j["cooled_degC"] = *s.cooled_degC;
    if (s.shield)
      j["shield"] = {{"towards", to_json(s.shield->towards)},
                     {"width_deg", s.shield->width_deg},
                     {"leak", s.shield->leak}};
    return j;
  }
  Json operator()(const LightSource& s) const {
    Json j = {{"kind", "light"}};
    if (!s.device.empty()) j["device"] = s.device;
    j["power_W"] = s.power_W;
    j["a_mm"] = to_json(s.a_mm);
    j["b_mm"] = to_json(s.b_mm);
    j["wavelength_nm"] = s.wavelength_nm;
    j["radius_mm"] = s.radius_mm;
    if (s.entry_mm) j["entry_mm"] = to_json(*s.entry_mm);
    if (s.tip_mm) j["tip_mm"] = to_json(*s.tip_mm);
    if (s.cooled_degC) j["cooled_degC"] = *s.cooled_degC;
    return j;
  }
  Json operator()(const ElectrodesSource& s) const {
    Json j = {{"kind", "electrodes"}, {"electrodes", Json::array()}};
    for (const Electrode& e : s.electrodes) {
      Json one = {{"region", to_json(e.region)}};
      if (e.floating)
        one["floating"] = true;
      else
        one["potential_V"] = e.potential_V;
      if (e.cooled_degC) one["cooled_degC"] = *e.cooled_degC;
      j["electrodes"].push_back(std::move(one));
    }
    for (const Region& region : s.insulators) j["insulators"].push_back(to_json(region));
    j["outer"] = s.outer_grounded ? "grounded" : "insulated";
    if (s.channels.empty()) j["control"] = control_json(s);
    for (const ElectrodeChannel& c : s.channels) {
      Json one = {{"electrodes", c.electrodes}, {"control", control_json(c)}};
      if (c.output) one["output"] = *c.output;
      j["channels"].push_back(std::move(one));
    }
    return j;
  }
};

}  // namespace

Source read_source(const JsonReader& r, const ReadField& read_field) {
  Source source;
  const std::string kind = read_kind(r);
  if (kind == "volumetric")
    source.what = VolumetricSource{read_field(r.at("file"))};
  else if (kind == "point")
    source.what = PointSource{r.get<double>("power_W"), r.get<Vector3d>("at_mm")};
  else if (kind == "gaussian")
    source.what =
        GaussianSource{r.get<double>("power_W"), r.get<double>("sigma_mm"), r.get<Vector3d>("at_mm")};
  else if (kind == "box")
    source.what =
        BoxSource{r.get<double>("power_W"), r.get<Vector3d>("centre_mm"), r.get<Vector3d>("half_mm")};
  else if (kind == "line")
    source.what = LineSource{r.get<double>("W_per_m"), r.get<Vector3d>("a_mm"), r.get<Vector3d>("b_mm")};
  else if (kind == "fixed_temperature")
    source.what = read_fixed_temperature(r);
  else if (kind == "cryoprobe")
    source.what = read_cryoprobe(r);
  else if (kind == "antenna")
    source.what = read_antenna(r);
  else if (kind == "light")
    source.what = read_light(r);
  else
    source.what = read_electrodes(r);
  if (const auto active = r.find("active_s")) {
    source.active_s = active->as<ActiveTimes>();
    if (source.active_s.empty()) active->fail("a source that never acts", "give times, or remove the key");
  }
  if (const auto scale = r.find("scale")) {
    source.scale = scale->as<Curve>();
    if (source.scale.empty())
      scale->fail("a curve without a corner", "give [[t_s, factor], ...], or remove the key");
  }
  r.finish();
  return source;
}

Json to_json(const Source& source, std::size_t number, const WriteField& write_field) {
  Json j = std::visit(SourceJson{number, write_field}, source.what);
  if (!source.active_s.empty()) j["active_s"] = source.active_s;
  if (!source.scale.empty()) j["scale"] = source.scale;
  return j;
}

}  // namespace spinetherm
