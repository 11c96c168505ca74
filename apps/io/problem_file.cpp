// SPDX-License-Identifier: Apache-2.0
#include "apps/io/problem_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/io/available_memory.h"
#include "apps/io/json_file.h"
#include "apps/io/region_json.h"
#include "apps/io/source_json.h"
#include "apps/io/tissue_json.h"
#include "imaging/core/error.h"
#include "imaging/read.h"
#include "imaging/write.h"
#include "thermal/fine_patch.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Eigen::Vector3d;

/// What a run needs at the least per cell [B]: the goal of the engine's design, 36 B and the labels.
constexpr double kBytesPerCell = 37;

constexpr std::array<const char*, 6> kFaces = {"x_min", "x_max", "y_min", "y_max", "z_min", "z_max"};

Grid read_grid(const JsonReader& r) {
  Grid grid;
  grid.size = r.get<std::array<int, 3>>("size");
  grid.spacing_mm = r.get<Vector3d>("spacing_mm");
  grid.origin_mm = r.get<Vector3d>("origin_mm");
  r.finish();
  grid.validate(r.pointer());
  const double need = double(grid.count()) * kBytesPerCell, have = available_memory_bytes();
  if (need > have)
    r.at("size").fail(fmt::format("{} cells need {:.1f} GB at the least", grid.count(), need / 1e9),
                      fmt::format("{:.1f} GB are free: give a coarser or smaller grid", have / 1e9));
  return grid;
}

/// Reads what a JSON text names with `read`, and checks that it lies on the grid.
template <class T, class Read>
Volume<T> read_on_grid(const JsonReader& file, const fs::path& folder, const Grid& grid, const Read& read) {
  const fs::path path = folder / file.as<std::string>();
  Volume<T> volume;
  try {
    volume = read(path);
  } catch (Error& e) {
    e.within(file.pointer());
    throw;
  }
  if (!same_geometry(volume.grid, grid))
    file.fail(fmt::format("the grid of '{}' is not the problem's", file.as<std::string>()),
              fmt::format("resample it to {} x {} x {} cells of {} x {} x {} mm, origin {}, {}, {}",
                          grid.size[0], grid.size[1], grid.size[2], grid.spacing_mm.x(), grid.spacing_mm.y(),
                          grid.spacing_mm.z(), grid.origin_mm.x(), grid.origin_mm.y(), grid.origin_mm.z()));
  volume.grid = grid;
  return volume;
}

Volume<float> read_field(const JsonReader& file, const fs::path& folder, const Grid& grid) {
  auto field = read_on_grid<float>(file, folder, grid, [](const fs::path& p) { return read_volume(p); });
  for (std::size_t n = 0; n < field.values.size(); ++n)
    if (!std::isfinite(field[n]))
      file.fail(fmt::format("'{}' is not finite in cell {}, {}, {}", file.as<std::string>(),
                            int(n % std::size_t(grid.size[0])),
                            int(n / std::size_t(grid.size[0]) % std::size_t(grid.size[1])),
                            int(n / (std::size_t(grid.size[0]) * std::size_t(grid.size[1])))),
                "give a number in every cell");
  return field;
}

std::uint8_t read_row(const JsonReader& r, std::size_t rows) {
  const int row = r.as<int>();
  if (row < 0 || std::size_t(row) >= rows)
    r.fail(fmt::format("there is no tissue {}", row), fmt::format("tissues are 0 to {}", rows - 1));
  return std::uint8_t(row);
}

Volume<std::uint8_t> read_label_file(const JsonReader& file, const fs::path& folder, const Grid& grid,
                                     std::size_t rows) {
  const auto raw =
      read_on_grid<std::uint32_t>(file, folder, grid, [](const fs::path& p) { return read_label_volume(p); });
  Volume<std::uint8_t> labels(grid);
  for (std::size_t n = 0; n < raw.values.size(); ++n) {
    if (raw[n] >= rows)
      file.fail(fmt::format("'{}' holds label {}", file.as<std::string>(), raw[n]),
                fmt::format("tissues are 0 to {}", rows - 1));
    labels[n] = std::uint8_t(raw[n]);
  }
  return labels;
}

Volume<std::uint8_t> read_layers(const JsonReader& r, const Grid& grid, std::size_t rows) {
  struct Layer {
    int axis;
    double below_mm;
    std::uint8_t tissue;
  };
  std::vector<Layer> layers;
  for (const JsonReader& e : r.elements()) {
    layers.push_back({int(e.get_word("axis", {"x", "y", "z"})), e.get<double>("below_mm"),
                      read_row(e.at("tissue"), rows)});
    e.finish();
  }
  Volume<std::uint8_t> labels(grid);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Vector3d x_mm = grid.to_world(i, j, k);
        const auto layer = std::find_if(layers.begin(), layers.end(),
                                        [&](const Layer& l) { return x_mm[l.axis] < l.below_mm; });
        if (layer == layers.end())
          r.fail(fmt::format("no layer holds the cell at {}, {}, {} mm", x_mm.x(), x_mm.y(), x_mm.z()),
                 "let the last layer reach beyond the box");
        labels(i, j, k) = layer->tissue;
      }
  return labels;
}

Volume<std::uint8_t> read_labels(const JsonReader& r, const fs::path& folder, const Grid& grid,
                                 std::size_t rows) {
  const int given = int(r.has("uniform")) + int(r.has("file")) + int(r.has("layers"));
  r.finish();
  if (given != 1)
    r.fail(given == 0 ? "no labels" : "labels of two kinds", "give one of uniform, file, layers");
  if (const auto uniform = r.find("uniform")) return Volume<std::uint8_t>(grid, read_row(*uniform, rows));
  if (const auto file = r.find("file")) return read_label_file(*file, folder, grid, rows);
  return read_layers(r.at("layers"), grid, rows);
}

Blood read_blood(const JsonReader& r) {
  const Blood blood{r.get<double>("density_kg_per_m3"), r.get<double>("specific_heat_J_per_kg_K"),
                    r.get<double>("temperature_degC")};
  r.finish();
  return blood;
}

Boundary read_one_boundary(const JsonReader& r) {
  Boundary b;
  b.kind = BoundaryKind(r.get_word("type", {"fixed", "insulated", "convective"}));
  if (b.kind != BoundaryKind::insulated) b.degC = r.get<double>("degC");
  if (b.kind == BoundaryKind::convective) b.h_W_per_m2_K = r.get<double>("h_W_per_m2_K");
  r.finish();
  return b;
}

std::array<Boundary, 6> read_boundary(const JsonReader& r) {
  std::array<Boundary, 6> faces;
  const auto all = r.find("all");
  if (all) faces.fill(read_one_boundary(*all));
  std::string missing;
  for (std::size_t f = 0; f < kFaces.size(); ++f) {
    if (const auto face = r.find(kFaces[f]))
      faces[f] = read_one_boundary(*face);
    else if (!all)
      missing += fmt::format("{}{}", missing.empty() ? "" : ", ", kFaces[f]);
  }
  r.finish();
  if (!missing.empty()) r.fail(fmt::format("no condition for {}", missing), "give them, or 'all'");
  return faces;
}

void read_initial(const JsonReader& r, const fs::path& folder, ThermalProblem& p) {
  const bool degC = r.has("degC"), from_file = r.has("file");
  r.finish();
  if (degC == from_file) r.fail(degC ? "two initial states" : "no initial state", "give one of degC, file");
  if (const auto file = r.find("file"))
    p.initial_field = read_field(*file, folder, p.grid());
  else
    p.initial_degC = r.get<double>("degC");
}

CellFactors read_factors(const JsonReader& r, const fs::path& folder, const Grid& grid) {
  CellFactors f;
  const auto read = [&](const char* key, Volume<float>& factor) {
    if (const auto file = r.find(key)) factor = read_field(*file, folder, grid);
  };
  read("conductivity", f.conductivity);
  read("heat_capacity", f.heat_capacity);
  read("perfusion", f.perfusion);
  read("electrical", f.electrical);
  r.finish();
  return f;
}

Sampling read_sampling(const JsonReader& r) {
  Sampling s{r.get<std::vector<Vector3d>>("points_mm"), r.get<std::vector<double>>("times_s")};
  r.finish();
  return s;
}

struct NamedField {
  const char* name;
  bool OutputFields::*member;
};
constexpr std::array<NamedField, 10> kFields = {{{"temperature", &OutputFields::temperature},
                                                 {"peak_temperature", &OutputFields::peak_temperature},
                                                 {"lowest_temperature", &OutputFields::lowest_temperature},
                                                 {"cem43", &OutputFields::cem43},
                                                 {"arrhenius", &OutputFields::arrhenius},
                                                 {"potential", &OutputFields::potential},
                                                 {"power_density", &OutputFields::power_density},
                                                 {"freezes", &OutputFields::freezes},
                                                 {"lowest_twice", &OutputFields::lowest_twice},
                                                 {"cell_death", &OutputFields::cell_death}}};

OutputFields read_output_fields(const JsonReader& r) {
  std::vector<std::string> known;
  for (const NamedField& f : kFields) known.emplace_back(f.name);
  OutputFields fields;
  for (const JsonReader& e : r.elements()) {
    const auto word = e.as<std::string>();
    const auto f = std::find(known.begin(), known.end(), word);
    if (f == known.end())
      e.fail(fmt::format("unknown field '{}'", word), fmt::format("known: {}", fmt::join(known, ", ")));
    fields.*kFields[std::size_t(f - known.begin())].member = true;
  }
  return fields;
}

std::vector<EarlyEnd> read_early_ends(const JsonReader& r) {
  std::vector<EarlyEnd> ends;
  for (const JsonReader& e : r.elements()) {
    ends.push_back({e.get<std::array<double, 2>>("between_s"), e.get<Vector3d>("sensor_mm"),
                    e.get_optional<double>("below_degC"), e.get_optional<double>("above_degC")});
    e.finish();
  }
  return ends;
}

std::vector<VirtualSensor> read_sensors(const JsonReader& r) {
  std::vector<VirtualSensor> sensors;
  for (const JsonReader& e : r.elements()) {
    VirtualSensor s;
    s.name = e.get_or<std::string>("name", "");
    s.at_mm = e.get<Vector3d>("at_mm");
    s.lag_s = e.get_or<double>("lag_s", 0);
    s.delay_s = e.get_or<double>("delay_s", 0);
    s.stem = e.get_or<double>("stem", 0);
    s.pickup_K_per_W = e.get_or<double>("pickup_K_per_W", 0);
    s.noise_K = e.get_or<double>("noise_K", 0);
    s.period_s = e.get_or<double>("period_s", 0);
    s.seed = read_seed(e);
    s.stop_above_degC = e.get_optional<double>("stop_above_degC");
    s.stop_below_degC = e.get_optional<double>("stop_below_degC");
    e.finish();
    sensors.push_back(std::move(s));
  }
  return sensors;
}

Json sensors_json(const std::vector<VirtualSensor>& sensors) {
  Json j = Json::array();
  for (const VirtualSensor& s : sensors) {
    Json one = {{"name", s.name},       {"at_mm", to_json(s.at_mm)},
                {"lag_s", s.lag_s},     {"delay_s", s.delay_s},
                {"stem", s.stem},       {"pickup_K_per_W", s.pickup_K_per_W},
                {"noise_K", s.noise_K}, {"period_s", s.period_s},
                {"seed", s.seed}};
    if (s.stop_above_degC) one["stop_above_degC"] = *s.stop_above_degC;
    if (s.stop_below_degC) one["stop_below_degC"] = *s.stop_below_degC;
    j.push_back(std::move(one));
  }
  return j;
}

Json early_ends_json(const std::vector<EarlyEnd>& ends) {
  Json j = Json::array();
  for (const EarlyEnd& e : ends) {
    Json one = {{"between_s", e.between_s}, {"sensor_mm", to_json(e.sensor_mm)}};
    if (e.below_degC) one["below_degC"] = *e.below_degC;
    if (e.above_degC) one["above_degC"] = *e.above_degC;
    j.push_back(std::move(one));
  }
  return j;
}

Json boundary_json(const Boundary& b) {
  if (b.kind == BoundaryKind::insulated) return {{"type", "insulated"}};
  if (b.kind == BoundaryKind::fixed) return {{"type", "fixed"}, {"degC", b.degC}};
  return {{"type", "convective"}, {"h_W_per_m2_K", b.h_W_per_m2_K}, {"degC", b.degC}};
}

Json boundaries_json(const std::array<Boundary, 6>& faces) {
  if (std::all_of(faces.begin(), faces.end(), [&](const Boundary& b) { return b == faces[0]; }))
    return {{"all", boundary_json(faces[0])}};
  Json j;
  for (std::size_t f = 0; f < kFaces.size(); ++f) j[kFaces[f]] = boundary_json(faces[f]);
  return j;
}

Json factors_json(const CellFactors& f, const WriteField& write_field) {
  Json j = Json::object();
  const auto add = [&](const char* key, const Volume<float>& factor) {
    if (!factor.empty()) j[key] = write_field(fmt::format("factor_{}", key), factor);
  };
  add("conductivity", f.conductivity);
  add("heat_capacity", f.heat_capacity);
  add("perfusion", f.perfusion);
  add("electrical", f.electrical);
  return j;
}

/// Labels of its own, else the window's: layers anew for the smaller cells, files by the nearest cell.
TissueMap read_patch(const JsonReader& r, const JsonReader& window_labels, const fs::path& folder,
                     const TissueMap& window) {
  const int ratio = r.get_or<int>("ratio", 2);
  if (ratio < 2 || ratio > 8)
    r.fail(fmt::format("the patch's cells are {} times finer", ratio), "give a ratio of 2 to 8");
  const Grid grid =
      patch_grid(window.labels.grid, r.get<Vector3d>("low_mm"), r.get<Vector3d>("high_mm"), ratio);
  TissueMap patch = refined(window, grid);
  if (const auto labels = r.find("labels"))
    patch.labels = read_labels(*labels, folder, grid, window.tissues.size());
  else if (window_labels.has("layers"))
    patch.labels = read_layers(window_labels.at("layers"), grid, window.tissues.size());
  r.finish();
  return patch;
}

}  // namespace

ThermalProblem parse_problem(const nlohmann::json& document, const fs::path& folder) {
  const JsonReader r(document);
  expect_format(r, "problem");
  ThermalProblem p;
  const Grid grid = read_grid(r.at("grid"));

  const JsonReader tissues = r.at("tissues");
  for (const JsonReader& tissue : tissues.elements()) p.tissue_map.tissues.push_back(read_tissue(tissue));
  if (p.tissue_map.tissues.empty()) tissues.fail("no tissue", "give one at the least");
  if (p.tissue_map.tissues.size() > 256) tissues.fail("more than 256 tissues", "merge some");
  p.tissue_map.labels = read_labels(r.at("labels"), folder, grid, p.tissue_map.tissues.size());
  if (const auto factors = r.find("factors")) p.tissue_map.factors = read_factors(*factors, folder, grid);
  if (const auto patch = r.find("patch")) p.patch = read_patch(*patch, r.at("labels"), folder, p.tissue_map);

  const bool perfused = std::any_of(p.tissue_map.tissues.begin(), p.tissue_map.tissues.end(),
                                    [](const Tissue& t) { return t.perfusion_per_s != 0; });
  if (perfused || r.has("blood")) p.blood = read_blood(r.at("blood"));
  read_initial(r.at("initial"), folder, p);
  p.boundary = read_boundary(r.at("boundary"));

  if (const auto sources = r.find("sources"))
    for (const JsonReader& source : sources->elements())
      p.sources.push_back(
          read_source(source, [&](const JsonReader& file) { return read_field(file, folder, grid); }));

  if (const auto ends = r.find("early_ends")) p.early_ends = read_early_ends(*ends);
  if (const auto sensors = r.find("sensors")) p.sensors = read_sensors(*sensors);
  p.until_dose_settled = r.has("until") && r.get_word("until", {"dose_settled"}) == 0;
  p.duration_s = p.until_dose_settled ? r.get_or<double>("duration_s", 0) : r.get<double>("duration_s");
  p.cem43_quarter_below_39 =
      r.has("cem43_below_39") && r.get_word("cem43_below_39", {"none", "quarter"}) == 1;
  p.voxel_applicators = r.has("applicators") && r.get_word("applicators", {"exact", "voxel"}) == 1;
  if (const auto sample = r.find("sample")) p.sample = read_sampling(*sample);
  if (const auto fields = r.find("fields")) p.fields = read_output_fields(*fields);
  r.finish();
  validate(p);
  return p;
}

ThermalProblem read_problem(const fs::path& path) {
  const nlohmann::json document = parse_json_file(path);
  try {
    return parse_problem(document, path.parent_path());
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
}

void write_problem(const ThermalProblem& p, const fs::path& path) {
  const auto name_of = [&](const std::string& name) {
    return fmt::format("{}_{}.mha", path.stem().string(), name);
  };
  const WriteField write_field = [&](const std::string& name, const Volume<float>& field) {
    write_volume(path.parent_path() / name_of(name), field);
    return name_of(name);
  };
  const Grid& grid = p.grid();
  Json j = {{"format", "spinetherm.problem"},
            {"version", 1},
            {"grid",
             {{"size", grid.size},
              {"spacing_mm", to_json(grid.spacing_mm)},
              {"origin_mm", to_json(grid.origin_mm)}}},
            {"tissues", Json::array()}};
  for (const Tissue& tissue : p.tissue_map.tissues) j["tissues"].push_back(to_json(tissue));
  const auto& labels = p.tissue_map.labels;
  if (std::all_of(labels.values.begin(), labels.values.end(), [&](auto v) { return v == labels[0]; })) {
    j["labels"] = {{"uniform", labels[0]}};
  } else {
    write_volume(path.parent_path() / name_of("labels"), labels);
    j["labels"] = {{"file", name_of("labels")}};
  }
  if (!p.tissue_map.factors.empty()) j["factors"] = factors_json(p.tissue_map.factors, write_field);
  if (p.patch) {
    const Grid& patch = p.patch->labels.grid;
    const PatchBox box = patch_box(grid, patch);
    j["patch"] = {{"low_mm", to_json(grid.to_world(box.low[0], box.low[1], box.low[2]))},
                  {"high_mm", to_json(grid.to_world(box.high[0] - 1, box.high[1] - 1, box.high[2] - 1))},
                  {"ratio", box.ratio}};
    write_volume(path.parent_path() / name_of("patch_labels"), p.patch->labels);
    j["patch"]["labels"] = {{"file", name_of("patch_labels")}};
  }
  j["blood"] = {{"density_kg_per_m3", p.blood.density_kg_per_m3},
                {"specific_heat_J_per_kg_K", p.blood.specific_heat_J_per_kg_K},
                {"temperature_degC", p.blood.temperature_degC}};
  if (p.initial_field.empty())
    j["initial"] = {{"degC", p.initial_degC}};
  else
    j["initial"] = {{"file", write_field("initial", p.initial_field)}};
  j["boundary"] = boundaries_json(p.boundary);
  j["sources"] = Json::array();
  for (std::size_t n = 0; n < p.sources.size(); ++n)
    j["sources"].push_back(to_json(p.sources[n], n, write_field));
  if (!p.early_ends.empty()) j["early_ends"] = early_ends_json(p.early_ends);
  if (!p.sensors.empty()) j["sensors"] = sensors_json(p.sensors);
  j["duration_s"] = p.duration_s;
  if (p.until_dose_settled) j["until"] = "dose_settled";
  if (p.cem43_quarter_below_39) j["cem43_below_39"] = "quarter";
  if (p.voxel_applicators) j["applicators"] = "voxel";
  Json points = Json::array();
  for (const Vector3d& x : p.sample.points_mm) points.push_back(to_json(x));
  j["sample"] = {{"points_mm", points}, {"times_s", p.sample.times_s}};
  j["fields"] = Json::array();
  for (const NamedField& f : kFields)
    if (p.fields.*f.member) j["fields"].push_back(f.name);
  write_json_file(j, path);
}

}  // namespace spinetherm
