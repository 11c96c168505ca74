// SPDX-License-Identifier: Apache-2.0
#include "datasets/device_table.h"

#include "datasets/antenna_geometry.h"
#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"
#include "imaging/core/tissue_class.h"

namespace spinetherm {
namespace {

double keep(Device& d, const TableReader& table, const JsonReader& parent, const std::string& key) {
  const TableNumber n = table.number(parent.at(key));
  d.provenance[key] = n.provenance;
  return n.value;
}
std::optional<double> keep_optional(Device& d, const TableReader& table, const JsonReader& parent,
                                    const std::string& key) {
  return parent.has(key) ? std::optional(keep(d, table, parent, key)) : std::nullopt;
}

UntilSensor read_until(const JsonReader& r) {
  UntilSensor u;
  u.sensor = r.get<std::string>("sensor");
  u.below_degC = r.get_optional<double>("below_degC");
  u.above_degC = r.get_optional<double>("above_degC");
  r.finish();
  return u;
}

ProtocolStep read_step(const JsonReader& r) {
  ProtocolStep step;
  step.duration_s = r.get<double>("duration_s");
  step.hold_degC = r.get_optional<double>("hold_degC");
  step.max_W = r.get_optional<double>("max_W");
  step.power_W = r.get_optional<double>("power_W");
  step.voltage_V = r.get_optional<double>("voltage_V");
  step.duty = r.get_optional<double>("duty");
  step.thaw_degC = r.get_optional<double>("thaw_degC");
  if (const auto until = r.find("until")) step.until = read_until(*until);
  if (const auto roll_off = r.find("roll_off")) {
    step.roll_off = RollOff{roll_off->get<double>("rise"), roll_off->get<double>("off_s")};
    roll_off->finish();
  }
  r.finish();
  return step;
}

/// What only radiofrequency devices have: the metal poles.
void read_rfa(const JsonReader& r, const TableReader& table, Device& d) {
  if (const auto articulation = r.find("articulation")) {
    d.provenance["articulation"] = table.provenance(*articulation);
    d.articulation = {articulation->get<double>("length_mm"), articulation->get<double>("angle_deg")};
    articulation->finish();
  }
  if (const auto tines = r.find("tines")) {
    d.provenance["tines"] = table.provenance(*tines);
    d.tines = {tines->get<int>("count"),          tines->get<double>("diameter_mm"),
               tines->get<double>("from_tip_mm"), tines->get<double>("bend_radius_mm"),
               tines->get<double>("turn_deg"),    tines->get<double>("polarity")};
    tines->finish();
  }
  const auto poles = r.find("poles");
  if (!poles) {
    if (!d.tines) r.fail("neither poles nor tines", "give one");
    return;
  }
  d.provenance["poles"] = table.provenance(*poles);
  for (const JsonReader& p : poles->at("list").elements()) {
    d.poles.push_back({p.get<double>("from_tip_mm"), p.get<double>("to_tip_mm"), p.get<double>("diameter_mm"),
                       p.get<double>("polarity")});
    p.finish();
  }
  poles->finish();
}

/// What only cryoprobes have: the part that cools, its gas and what it can take.
void read_cryo(const JsonReader& r, const TableReader& table, Device& d) {
  const JsonReader part = r.at("cooling_part");
  d.provenance["cooling_part"] = table.provenance(part);
  CryoPart c;
  c.from_tip_mm = part.get<double>("from_tip_mm");
  c.to_tip_mm = part.get<double>("to_tip_mm");
  part.finish();
  c.gas_degC = keep(d, table, r, "gas_degC");
  c.film_W_per_m2_K = keep(d, table, r, "film_W_per_m2_K");
  c.max_W_per_m = keep(d, table, r, "max_W_per_m");
  c.ramp_s = keep(d, table, r, "ramp_s");
  d.cryo = c;
}

/// What only microwave devices have: the antenna, what its cable loses and, where one side is shielded, how.
void read_mwa(const JsonReader& r, const TableReader& table, Device& d) {
  const JsonReader part = r.at("antenna");
  d.provenance["antenna"] = table.provenance(part);
  AntennaPart a;
  a.antenna = read_antenna_geometry(part);
  part.finish();
  a.cable_loss = keep(d, table, r, "cable_loss");
  if (const auto shield = r.find("shield")) {
    d.provenance["shield"] = table.provenance(*shield);
    a.shield_width_deg = shield->get<double>("width_deg");
    a.shield_leak = shield->get<double>("leak");
    shield->finish();
  }
  d.antenna = a;
}

/// What only lasers have: where light leaves the fibre.
void read_laser(const JsonReader& r, const TableReader& table, Device& d) {
  const JsonReader part = r.at("light");
  d.provenance["light"] = table.provenance(part);
  d.light = {part.get<double>("from_tip_mm"), part.get<double>("to_tip_mm"),
             part.get<double>("wavelength_nm")};
  part.finish();
}

/// What a device of each energy has beside the common keys. To add an energy: a function and a row.
struct DeviceReader {
  std::string modality;
  void (*read)(const JsonReader&, const TableReader&, Device&);
};
const std::vector<DeviceReader>& device_readers() {
  static const std::vector<DeviceReader> readers = {
      {"rfa", read_rfa}, {"mwa", read_mwa}, {"cryo", read_cryo}, {"laser", read_laser}};
  return readers;
}

ZoneMedium read_medium(const JsonReader& r, const TableReader& table) {
  std::vector<std::string> words(kTissueClassWords.begin(), kTissueClassWords.end());
  std::erase(words, to_string(TissueClass::unknown));
  words.emplace_back(kWaterGel);
  ZoneMedium m{words[r.get_word("tissue", words)], r.get<bool>("perfused"), r.get<double>("start_degC"),
               table.provenance(r)};
  r.finish();
  return m;
}

void read_zone(const JsonReader& device, const TableReader& table, Device& d) {
  const auto r = device.find("published_zone");
  if (!r) return;
  d.provenance["published_zone"] = table.provenance(*r);
  if (r->has("length_mm") || r->has("diameter_mm")) {
    PublishedZone z{r->get<double>("length_mm"), r->get<double>("diameter_mm"), r->get<std::string>("medium"),
                    table.provenance(*r)};
    if (const auto in = r->find("in")) {
      z.in = read_medium(*in, table);
      d.provenance["published_zone/in"] = z.in->provenance;
    }
    const std::vector<std::string> criteria(kZoneCriteria.begin(), kZoneCriteria.end());
    if (r->has("criterion")) z.criterion = criteria[r->get_word("criterion", criteria)];
    z.steps = r->get_or<int>("steps", 0);
    d.published_zone = z;
  }
  r->finish();
}

Device read_device(const JsonReader& r, const TableReader& table) {
  Device d;
  d.name = r.get<std::string>("name");
  d.title = r.get<std::string>("title");
  std::vector<std::string> energies;
  for (const DeviceReader& reader : device_readers()) energies.push_back(reader.modality);
  const DeviceReader& energy = device_readers()[r.get_word("modality", energies)];
  d.modality = energy.modality;
  d.shaft_diameter_mm = keep(d, table, r, "shaft_diameter_mm");
  d.length_mm = keep(d, table, r, "length_mm");
  if (const auto sensors = r.find("sensors")) {
    d.provenance["sensors"] = table.provenance(*sensors);
    for (const JsonReader& s : sensors->at("list").elements()) {
      d.sensors.push_back({s.get<std::string>("name"), s.get<double>("from_tip_mm"),
                           s.get_or<double>("off_axis_mm", 0), s.get_or<int>("tine", 0)});
      s.finish();
    }
    sensors->finish();
  }
  if (const auto cannula = r.find("cannula")) {
    d.provenance["cannula"] = table.provenance(*cannula);
    d.cannula = {cannula->get<double>("diameter_mm"), cannula->get<double>("back_off_mm")};
    cannula->finish();
  }
  d.cooled_degC = keep_optional(d, table, r, "cooled_degC");
  d.max_power_W = keep_optional(d, table, r, "max_power_W");
  d.max_degC = keep_optional(d, table, r, "max_degC");
  const JsonReader protocol = r.at("protocol");
  d.provenance["protocol"] = table.provenance(protocol);
  d.protocol.modality = d.modality;
  for (const JsonReader& step : protocol.at("steps").elements()) d.protocol.steps.push_back(read_step(step));
  d.protocol.beyond_spine = protocol.get_or<bool>("beyond_spine", false);
  protocol.finish();
  read_zone(r, table, d);
  energy.read(r, table, d);
  r.finish();
  try {
    validate(d);
    validate(d.protocol, d);
  } catch (Error& e) {
    e.within(r.pointer());
    throw;
  }
  return d;
}

}  // namespace

std::vector<Device> read_devices(const JsonReader& document) {
  expect_format(document, "devices");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  std::vector<Device> out;
  for (const JsonReader& r : document.at("devices").elements()) {
    Device d = read_device(r, table);
    for (const Device& other : out)
      if (other.name == d.name) r.at("name").fail("the device '" + d.name + "' is named twice", "rename one");
    out.push_back(std::move(d));
  }
  document.finish();
  return out;
}

const std::vector<Device>& device_table() {
  static const std::vector<Device> devices = [] {
    const auto json = embedded_document("devices.json");
    return read_devices(JsonReader(json));
  }();
  return devices;
}

const Device& find_device(const std::vector<Device>& devices, std::string_view name) {
  std::vector<std::string> known;
  std::string list;
  for (const Device& d : devices) {
    if (d.name == name) return d;
    known.push_back(d.name);
    list += (list.empty() ? "" : ", ") + d.name;
  }
  throw ConfigError("unknown device '" + std::string(name) + "'", "device",
                    known.empty() ? "no device is known"
                                  : "did you mean '" + nearest_word(name, known) + "'? known: " + list);
}

const Device& device(std::string_view name) { return find_device(device_table(), name); }

std::vector<Device> load_devices(const std::filesystem::path& path) {
  const auto json = parse_json_file(path);
  try {
    const JsonReader document(json);
    auto devices = read_devices(document);
    for (std::size_t n = 0; n < devices.size(); ++n)
      for (const Device& built_in : device_table())
        if (built_in.name == devices[n].name)
          document.at("devices").elements()[n].fail("the device '" + built_in.name + "' is built in",
                                                    "give yours another name");
    return devices;
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
}

}  // namespace spinetherm
