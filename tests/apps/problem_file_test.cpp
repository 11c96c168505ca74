// SPDX-License-Identifier: Apache-2.0
#include "apps/io/problem_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/io/available_memory.h"
#include "datasets/device_table.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/write.h"
#include "tests/apps/schema_check.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Pointer = nlohmann::json::json_pointer;

/// The example of the design, on a smaller grid.
nlohmann::json example() {
  return nlohmann::json::parse(R"(
{ "format": "spinetherm.problem", "version": 1,
  "grid": {"size": [16, 14, 12], "spacing_mm": [1, 1, 1], "origin_mm": [0, 0, 0]},
  "tissues": [{"name": "soft tissue", "density_kg_per_m3": 1060, "specific_heat_J_per_kg_K": 3600,
               "conductivity_W_per_m_K": 0.5, "conductivity_per_K": 0, "metabolic_W_per_m3": 0,
               "perfusion_per_s": 0.003,
               "perfusion": {"stops_at_arrhenius": 1, "stops_above_degC": 60, "after_freezing": "stays_off"},
               "electrical_S_per_m": 0.2, "electrical_per_K": 0, "relative_permittivity": 43, "microwave_S_per_m": 1.7,
               "drying": {"from_degC": 100, "to_degC": 105, "residual": 0.01},
               "boiling": {"latent_J_per_kg": 1.5e6, "from_degC": 99, "to_degC": 101},
               "frozen": {"density_kg_per_m3": 1000, "specific_heat_J_per_kg_K": 2000, "conductivity_W_per_m_K": 2.2,
                          "latent_J_per_kg": 250000, "solidus_degC": -8, "liquidus_degC": -0.6},
               "optical": {"absorption_per_m": 50, "reduced_scattering_per_m": 900,
                           "coagulated": {"absorption_per_m": 50, "reduced_scattering_per_m": 3000}},
               "damage": {"frequency_per_s": 7.39e39, "energy_J_per_mol": 2.577e5}}],
  "labels": {"uniform": 0},
  "blood": {"density_kg_per_m3": 1050, "specific_heat_J_per_kg_K": 3617, "temperature_degC": 37},
  "initial": {"degC": 37},
  "boundary": {"all": {"type": "fixed", "degC": 37}},
  "sources": [{"kind": "gaussian", "power_W": 5, "sigma_mm": 3, "at_mm": [7.5, 6.5, 5.5], "active_s": [[0, 600]]}],
  "duration_s": 600,
  "sample": {"points_mm": [[7.5, 6.5, 5.5]], "times_s": [60, 300, 600]},
  "fields": ["temperature", "cem43", "arrhenius"] })");
}

nlohmann::json second_tissue() {
  return {{"name", "fat"},
          {"density_kg_per_m3", 911},
          {"specific_heat_J_per_kg_K", 2348},
          {"conductivity_W_per_m_K", 0.21}};
}

std::string refusal(const nlohmann::json& document, const std::filesystem::path& folder = {}) {
  try {
    parse_problem(document, folder);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(ProblemFile, TheExampleOfTheDesignHoldsWhatItSays) {
  const ThermalProblem p = parse_problem(example(), {});
  EXPECT_EQ(p.grid().size, (std::array<int, 3>{16, 14, 12}));
  ASSERT_EQ(p.tissue_map.tissues.size(), 1U);
  const Tissue& t = p.tissue_map.tissues[0];
  EXPECT_EQ(t.name, "soft tissue");
  EXPECT_EQ(t.perfusion_rule, (PerfusionRule{1.0, 60.0, false}));
  EXPECT_EQ(t.electrical_S_per_m, 0.2);
  EXPECT_EQ(t.drying, (Drying{100, 105, 0.01}));
  EXPECT_EQ(t.boiling, (Boiling{1.5e6, 99, 101}));
  EXPECT_EQ(t.frozen, (Frozen{1000, 2000, 2.2, 250000, -8, -0.6}));
  ASSERT_TRUE(t.optical.has_value());
  EXPECT_EQ(t.optical->coagulated, (OpticalProperties{50, 3000}));
  EXPECT_EQ(t.damage, (Arrhenius{7.39e39, 2.577e5}));
  EXPECT_EQ(p.blood, Blood{});
  for (const Boundary& b : p.boundary) EXPECT_EQ(b, (Boundary{BoundaryKind::fixed, 37, 0}));
  ASSERT_EQ(p.sources.size(), 1U);
  EXPECT_EQ(p.sources[0].what, (decltype(Source::what){GaussianSource{5, 3, {7.5, 6.5, 5.5}}}));
  EXPECT_EQ(p.sources[0].active_s, (ActiveTimes{{0, 600}}));
  EXPECT_EQ(p.duration_s, 600);
  EXPECT_FALSE(p.until_dose_settled);
  EXPECT_EQ(p.sample.times_s, (std::vector<double>{60, 300, 600}));
  EXPECT_TRUE(p.fields.temperature && p.fields.cem43 && p.fields.arrhenius);
  EXPECT_FALSE(p.fields.potential || p.fields.peak_temperature);
}

TEST(ProblemFile, AnAbsentTissueKeyMeansNoSuchEffect) {
  nlohmann::json j = example();
  j["tissues"] = {second_tissue()};
  j.erase("blood");
  const ThermalProblem p = parse_problem(j, {});
  const Tissue& t = p.tissue_map.tissues[0];
  EXPECT_EQ(t.perfusion_per_s, 0);
  EXPECT_FALSE(t.electrical_S_per_m || t.drying || t.boiling || t.frozen || t.optical || t.damage);
  EXPECT_EQ(t.perfusion_rule, PerfusionRule{});
}

TEST(ProblemFile, LayersGoByTheCellCentre) {
  nlohmann::json j = example();
  j["tissues"].push_back(second_tissue());
  j["labels"] = nlohmann::json::parse(
      R"({"layers": [{"axis": "z", "below_mm": 4.5, "tissue": 1}, {"axis": "x", "below_mm": 1e9, "tissue": 0}]})");
  const ThermalProblem p = parse_problem(j, {});
  EXPECT_EQ(p.tissue_map.labels(0, 0, 4), 1);
  EXPECT_EQ(p.tissue_map.labels(0, 0, 5), 0);
}

TEST(ProblemFile, EverySourceRegionAndControlIsRead) {
  nlohmann::json j = example();
  j["sources"] = nlohmann::json::parse(R"([
    {"kind": "point", "power_W": 1, "at_mm": [1, 2, 3]},
    {"kind": "box", "power_W": 2, "centre_mm": [5, 5, 5], "half_mm": [1, 1, 2]},
    {"kind": "line", "W_per_m": -500, "a_mm": [5, 5, 1], "b_mm": [5, 5, 9]},
    {"kind": "fixed_temperature", "region": {"sphere": {"centre_mm": [3, 3, 3], "radius_mm": 2}}, "degC": 90},
    {"kind": "fixed_temperature", "region": {"capsule": {"a_mm": [10, 10, 2], "b_mm": [10, 10, 8], "radius_mm": 1}},
     "degC": [[0, 37], [30, -140]], "after": "insulated", "active_s": [[0, 300]]}])");
  const ThermalProblem p = parse_problem(j, {});
  ASSERT_EQ(p.sources.size(), 5U);
  EXPECT_EQ(std::get<LineSource>(p.sources[2].what).W_per_m, -500);
  const auto& sphere = std::get<FixedTemperatureSource>(p.sources[3].what);
  EXPECT_EQ(sphere.degC, (Curve{{0, 90}}));
  EXPECT_FALSE(sphere.insulated_when_off);
  const auto& probe = std::get<FixedTemperatureSource>(p.sources[4].what);
  EXPECT_EQ(probe.degC, (Curve{{0, 37}, {30, -140}}));
  EXPECT_TRUE(probe.insulated_when_off);
  EXPECT_EQ(probe.region, (Region{Capsule{{10, 10, 2}, {10, 10, 8}, 1}}));

  j["sources"] = nlohmann::json::parse(R"([
    {"kind": "electrodes", "outer": "insulated",
     "electrodes": [{"region": {"cylinder": {"a_mm": [4, 6, 3], "b_mm": [4, 6, 8], "radius_mm": 1}},
                     "potential_V": 10, "cooled_degC": 20},
                    {"region": {"prolate": {"centre_mm": [11, 6, 6], "axis": [0, 0, 1],
                                            "long_half_mm": 3, "short_half_mm": 1}}, "potential_V": -10}],
     "control": {"hold_degC": 70, "sensor_mm": [7, 6, 6], "max_W": 20, "roll_off": {"rise": 0.4, "off_s": 15}}}])");
  const ElectrodesSource e = std::get<ElectrodesSource>(parse_problem(j, {}).sources[0].what);
  ASSERT_EQ(e.electrodes.size(), 2U);
  EXPECT_EQ(e.electrodes[0].cooled_degC, 20);
  EXPECT_EQ(e.electrodes[1].cooled_degC, std::nullopt);
  EXPECT_FALSE(e.outer_grounded);
  EXPECT_EQ(e.control, (decltype(ElectrodesSource::control){HoldTemperature{70, {7, 6, 6}, 20}}));
  EXPECT_EQ(e.roll_off, (RollOff{0.4, 15}));
  const Region by_axis = e.electrodes[1].region;

  auto& prolate = j["sources"][0]["electrodes"][1]["region"]["prolate"];
  prolate = {{"a_mm", {11, 6, 3}}, {"b_mm", {11, 6, 9}}, {"radius_mm", 1}};
  EXPECT_EQ(std::get<ElectrodesSource>(parse_problem(j, {}).sources[0].what).electrodes[1].region, by_axis)
      << "a spheroid by its poles is the one by its half axes";
}

TEST(ProblemFile, FacesOfTheirOwnComeBeforeAll) {
  nlohmann::json j = example();
  j["boundary"] =
      nlohmann::json::parse(R"({"all": {"type": "insulated"}, "z_max": {"type": "fixed", "degC": 20},
                                            "x_min": {"type": "convective", "h_W_per_m2_K": 50, "degC": 25}})");
  const auto faces = parse_problem(j, {}).boundary;
  EXPECT_EQ(faces[x_min], (Boundary{BoundaryKind::convective, 25, 50}));
  EXPECT_EQ(faces[x_max].kind, BoundaryKind::insulated);
  EXPECT_EQ(faces[z_max], (Boundary{BoundaryKind::fixed, 20, 0}));
}

TEST(ProblemFile, EverythingSurvivesWritingAndReading) {
  const ScratchFolder folder;
  nlohmann::json j = example();
  j["tissues"].push_back(second_tissue());
  j["tissues"][1]["electrical_S_per_m"] = 0.02;
  j["labels"] = nlohmann::json::parse(
      R"({"layers": [{"axis": "y", "below_mm": 4.6, "tissue": 1}, {"axis": "y", "below_mm": 99, "tissue": 0}]})");
  j["until"] = "dose_settled";
  j["cem43_below_39"] = "quarter";
  j["applicators"] = "voxel";
  j["boundary"]["z_min"] = {{"type", "insulated"}};
  j["sources"].push_back(nlohmann::json::parse(R"(
    {"kind": "electrodes", "outer": "grounded", "control": {"constant_W": 10, "roll_off": {"rise": 0.3, "off_s": 9}},
     "insulators": [{"box": {"min_mm": [4, 4, 7], "max_mm": [6, 6, 11]}}],
     "electrodes": [{"region": {"sphere": {"centre_mm": [5, 5, 5], "radius_mm": 2}}, "potential_V": 1}]})"));
  j["sources"].push_back(nlohmann::json::parse(R"(
    {"kind": "electrodes", "outer": "grounded",
     "channels": [{"electrodes": [0], "control": {"constant_W": 3, "roll_off": {"rise": 0.3, "off_s": 9}}},
                  {"electrodes": [2], "control": {"hold_degC": 70, "sensor_mm": [5, 5, 5], "max_W": 9}}],
     "electrodes": [{"region": {"tube": {"points_mm": [[2, 2, 3], [3, 2, 4], [3, 3, 6]], "radius_mm": 0.4}}, "potential_V": 1},
                    {"region": {"tube": {"points_mm": [[6, 2, 3], [7, 2, 4]], "radius_mm": 0.4, "ends": "flat"}}, "floating": true},
                    {"region": {"sphere": {"centre_mm": [5, 6, 5], "radius_mm": 1}}, "potential_V": 1}]})"));
  ThermalProblem p = parse_problem(j, {});
  const auto& channels = std::get<ElectrodesSource>(p.sources.back().what);
  ASSERT_EQ(channels.channels.size(), 2U);
  EXPECT_TRUE(channels.channels[0].roll_off);
  EXPECT_TRUE(channels.electrodes[1].floating);
  EXPECT_TRUE(std::get<Tube>(channels.electrodes[1].region.shape).flat_ends);
  Volume<float> field(p.grid(), 1);
  for (std::size_t n = 0; n < field.values.size(); ++n) field[n] = 1 + 0.001F * float(n);
  p.tissue_map.factors.conductivity = field;
  p.initial_field = field;
  p.sources.push_back({VolumetricSource{field}, {{0, 30}, {60, 90}}, {{0, 0}, {5, 1}, {80, 0.5}}});
  p.tissue_map.tissues[0].perfusion_rule.falls_with_arrhenius = true;

  write_problem(p, folder / "problem.json");
  EXPECT_TRUE(read_problem(folder / "problem.json") == p);
  EXPECT_THAT(schema_errors(parse_json_file(folder / "problem.json"), "problem"), IsEmpty());
}

TEST(ProblemFile, AFinePatchHasTheLabelsOfItsOwnCells) {
  const ScratchFolder folder;
  nlohmann::json j = example();
  j["tissues"].push_back(second_tissue());
  j["labels"] = nlohmann::json::parse(
      R"({"layers": [{"axis": "y", "below_mm": 6.7, "tissue": 1}, {"axis": "y", "below_mm": 99, "tissue": 0}]})");
  j["patch"] = {{"low_mm", {4, 5, 4}}, {"high_mm", {9, 8, 8}}, {"ratio", 4}};
  const ThermalProblem p = parse_problem(j, {});
  ASSERT_TRUE(p.patch);
  const Volume<std::uint8_t>& labels = p.patch->labels;
  EXPECT_EQ(labels.grid.size, (std::array<int, 3>{24, 16, 20}));
  EXPECT_EQ(labels.grid.spacing_mm.x(), 0.25);
  EXPECT_EQ(labels(0, 8, 0), 1);  // y = 6.625, in a cell of the grid that reaches beyond the layer
  EXPECT_EQ(labels(0, 9, 0), 0);

  write_problem(p, folder / "problem.json");
  EXPECT_TRUE(read_problem(folder / "problem.json") == p);
  EXPECT_THAT(schema_errors(parse_json_file(folder / "problem.json"), "problem"), IsEmpty());

  j["patch"]["ratio"] = 1;
  EXPECT_THROW((void)parse_problem(j, {}), ConfigError);
  j["patch"]["ratio"] = 2;
  j["sources"][0] = {{"kind", "point"}, {"power_W", 1}, {"at_mm", {7, 6, 5}}};
  EXPECT_THROW((void)parse_problem(j, {}), ConfigError);
}

/// A document that is changed at one place, and what must be said of it.
struct BadProblem {
  const char* pointer;
  const char* value;  ///< JSON; empty: the key is removed
  std::vector<const char*> said;
};

TEST(ProblemFile, BadInputIsRefusedAtItsPlace) {
  const std::vector<BadProblem> cases = {
      {"/duratoin_s", "600", {"unknown key 'duratoin_s'", "/duratoin_s", "duration_s"}},
      {"/duration_s", "", {"'duration_s' is missing"}},
      {"/duration_s", "-1", {"(/duration_s"}},
      {"/duration_s", "\"long\"", {"(/duration_s)", "give a number"}},
      {"/format", "\"spinetherm.plan\"", {"(/format)", "spinetherm.problem"}},
      {"/version", "2", {"(/version)"}},
      {"/grid/size", "[0, 4, 4]", {"(/grid"}},
      {"/grid/size", "[4, 4]", {"(/grid/size)"}},
      {"/grid/size", "[9000, 9000, 9000]", {"(/grid"}},
      {"/grid/spacing_mm", "[1, -1, 1]", {"(/grid"}},
      {"/grid/spacing_mm", "[1, 1, 12]", {"(/grid"}},
      {"/grid/spacing", "[1, 1, 1]", {"/grid/spacing", "spacing_mm"}},
      {"/tissues", "[]", {"(/tissues)"}},
      {"/tissues/0/density_kg_per_m3", "", {"'density_kg_per_m3' is missing (/tissues/0)"}},
      {"/tissues/0/density_kg_per_m3", "-5", {"/tissues/0/density_kg_per_m3"}},
      {"/tissues/0/conductivity_W_per_m_K", "0", {"/tissues/0/conductivity_W_per_m_K"}},
      {"/tissues/0/conductivity_W_per_m_K", "-0.5", {"/tissues/0/conductivity_W_per_m_K"}},
      {"/tissues/0/perfusion_per_s", "-0.1", {"/tissues/0/perfusion_per_s"}},
      {"/tissues/0/perfusoin_per_s", "1", {"(/tissues/0/perfusoin_per_s)", "perfusion_per_s"}},
      {"/tissues/0/perfusion/after_freezing",
       "\"never\"",
       {"(/tissues/0/perfusion/after_freezing)", "stays_off"}},
      {"/tissues/0/frozen/latent_J_per_kg", "", {"'latent_J_per_kg' is missing (/tissues/0/frozen)"}},
      {"/blood", "", {"'blood' is missing"}},
      {"/labels", R"({"uniform": 1})", {"no tissue 1", "(/labels/uniform)"}},
      {"/labels", "{}", {"no labels (/labels)"}},
      {"/labels", R"({"unifrom": 0})", {"unknown key 'unifrom'", "uniform"}},
      {"/labels",
       R"({"layers": [{"axis": "z", "below_mm": 3, "tissue": 0}]})",
       {"no layer", "(/labels/layers)"}},
      {"/labels", R"({"layers": [{"axis": "w", "below_mm": 3, "tissue": 0}]})", {"(/labels/layers/0/axis)"}},
      {"/labels", R"({"file": "labels.mha"})", {"/labels/file", "labels.mha"}},
      {"/initial", R"({"degC": 37, "file": "t.mha"})", {"(/initial)"}},
      {"/boundary", R"({"x_min": {"type": "insulated"}})", {"x_max, y_min", "(/boundary)"}},
      {"/boundary/all/type", "\"open\"", {"(/boundary/all/type)", "insulated"}},
      {"/boundary/all/degC", "", {"'degC' is missing (/boundary/all)"}},
      {"/sources/0/kind", "\"gausian\"", {"(/sources/0/kind)", "gaussian"}},
      {"/sources/0/sigma_mm", "0", {"/sources/0/sigma_mm"}},
      {"/sources/0/at_mm", "[99, 0, 0]", {"/sources/0/at_mm"}},
      {"/sources/0/power_W", "-5", {"/sources/0/power_W"}},
      {"/sources/0/active_s", "[]", {"(/sources/0/active_s)"}},
      {"/sources/0/active_s", "[[10, 5]]", {"/sources/0/active_s"}},
      {"/sources/0/scale", "[]", {"(/sources/0/scale)"}},
      {"/sources/0/scale", "[[5, 1], [5, 2]]", {"/sources/0/scale/1/0"}},
      {"/until", "\"tomorrow\"", {"(/until)", "dose_settled"}},
      {"/sample/points_mm", "[[7, 7]]", {"(/sample/points_mm/0)"}},
      {"/sample/points_mm", "[[99, 7, 7]]", {"/sample/points_mm/0"}},
      {"/sample/times_s", "[-5]", {"/sample/times_s/0"}},
      {"/fields", R"(["temprature"])", {"(/fields/0)", "temperature"}},
  };
  for (const BadProblem& bad : cases) {
    SCOPED_TRACE(std::string(bad.pointer) + " = " + bad.value);
    nlohmann::json j = example();
    const Pointer pointer(bad.pointer);
    if (*bad.value == '\0')
      j[pointer.parent_pointer()].erase(pointer.back());
    else
      j[pointer] = nlohmann::json::parse(bad.value);
    const std::string message = refusal(j);
    for (const char* part : bad.said) EXPECT_THAT(message, HasSubstr(part));
    EXPECT_THAT(message, Not(HasSubstr("\n")));
  }
}

TEST(ProblemFile, MoreCellsThanFreeMemoryAreRefusedBeforeTheyAreAllocated) {
  const int n = int(std::cbrt(available_memory_bytes() / 37) * 1.1);
  if (n > 1500) GTEST_SKIP() << "this machine holds any grid";
  nlohmann::json j = example();
  j["grid"]["size"] = {n, n, n};
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("(/grid/size)"), HasSubstr("GB are free")));
}

TEST(ProblemFile, BadElectrodesAreRefusedAtTheirPlace) {
  const auto with = [](const char* electrodes, const char* control) {
    nlohmann::json j = example();
    j["sources"] = {{{"kind", "electrodes"},
                     {"outer", "grounded"},
                     {"electrodes", nlohmann::json::parse(electrodes)},
                     {"control", nlohmann::json::parse(control)}}};
    return j;
  };
  const char* const sphere =
      R"([{"region": {"sphere": {"centre_mm": [7, 7, 6], "radius_mm": 2}}, "potential_V": 1}])";
  EXPECT_EQ(refusal(with(sphere, R"({"constant_V": true})")), "accepted");
  EXPECT_THAT(refusal(with(sphere, "{}")), HasSubstr("(/sources/0/control)"));
  EXPECT_THAT(refusal(with(sphere, R"({"constant_V": true, "constant_W": 3})")), HasSubstr("two controls"));
  EXPECT_THAT(refusal(with(sphere, R"({"constant_W": -3})")), HasSubstr("/sources/0/control"));
  EXPECT_THAT(refusal(with(sphere, R"({"hold_degC": 70, "max_W": 20})")),
              HasSubstr("'sensor_mm' is missing"));
  EXPECT_THAT(refusal(with(R"([{"region": {"spere": {}}, "potential_V": 1}])", R"({"constant_V": true})")),
              AllOf(HasSubstr("unknown region 'spere'"), HasSubstr("sphere")));
  EXPECT_THAT(refusal(with(R"([{"region": {}, "potential_V": 1}])", R"({"constant_V": true})")),
              HasSubstr("(/sources/0/electrodes/0/region)"));
  EXPECT_THAT(
      refusal(with(R"([{"region": {"sphere": {"centre_mm": [7, 7, 6], "radius_mm": -2}}, "potential_V": 1}])",
                   R"({"constant_V": true})")),
      HasSubstr("/sources/0/electrodes/0/region"));
  EXPECT_THAT(
      refusal(with(R"([{"region": {"sphere": {"centre_mm": [70, 7, 6], "radius_mm": 2}}, "potential_V": 1}])",
                   R"({"constant_V": true})")),
      HasSubstr("/sources/0/electrodes/0"));
  EXPECT_THAT(
      refusal(with(R"([{"region": {"sphere": {"centre_mm": [5, 7, 6], "radius_mm": 2}}, "potential_V": 1},
                       {"region": {"sphere": {"centre_mm": [8, 7, 6], "radius_mm": 2}}, "potential_V": -1}])",
                   R"({"constant_V": true})")),
      AllOf(HasSubstr("touch"), HasSubstr("/sources/0/electrodes/1/region")));
  nlohmann::json j = with(sphere, R"({"constant_V": true})");
  j["tissues"][0].erase("electrical_S_per_m");
  EXPECT_THAT(refusal(j), HasSubstr("electrical_S_per_m"));
}

nlohmann::json with_cryoprobe() {
  nlohmann::json j = example();
  j["tissues"][0]["frozen"] = {{"density_kg_per_m3", 1000},   {"specific_heat_J_per_kg_K", 2000},
                               {"conductivity_W_per_m_K", 2}, {"latent_J_per_kg", 250000},
                               {"solidus_degC", -8},          {"liquidus_degC", -0.6}};
  j["sources"] = {{{"kind", "cryoprobe"},
                   {"device", "cryo-17g-short"},
                   {"entry_mm", {7, 7, -60}},
                   {"tip_mm", {7, 7, 8}},
                   {"active_to_tip_mm", 6},
                   {"duty", 0.5},
                   {"active_s", {{0, 20}}}}};
  return j;
}

TEST(ProblemFile, CryoprobeTakesItsNumbersFromTheDeviceUnlessItGivesThem) {
  const ThermalProblem p = parse_problem(with_cryoprobe(), {});
  const auto& s = std::get<CryoprobeSource>(p.sources[0].what);
  EXPECT_EQ(s.duty, 0.5);
  EXPECT_EQ(s.active_to_tip_mm, 6);
  EXPECT_EQ(s.diameter_mm, 1.47);
  EXPECT_LT(s.gas_degC, -100);
  EXPECT_THAT(schema_errors(with_cryoprobe(), "problem"), IsEmpty());

  const ScratchFolder folder;
  ThermalProblem full = p;
  full.early_ends = {{{0, 20}, {7, 7, 3}, -5.0, std::nullopt}};
  full.fields.freezes = full.fields.lowest_twice = full.fields.cell_death = true;
  write_problem(full, folder / "p.json");
  EXPECT_EQ(read_problem(folder / "p.json"), full);
  std::ifstream written(folder / "p.json");
  EXPECT_THAT(schema_errors(nlohmann::json::parse(written), "problem"), IsEmpty());
}

TEST(ProblemFile, BadCryoprobesAreRefusedAtTheirPlace) {
  const auto with = [](const char* pointer, const nlohmann::json& value) {
    nlohmann::json j = with_cryoprobe();
    j[Pointer(pointer)] = value;
    return refusal(j);
  };
  EXPECT_THAT(with("/sources/0/device", "bipolar-cooled-7"), HasSubstr("(/sources/0/device)"));
  EXPECT_THAT(with("/sources/0/device", "cryo-17g-shor"), HasSubstr("cryo-17g-short"));
  EXPECT_THAT(with("/sources/0/duty", 0), HasSubstr("/sources/0/duty"));
  EXPECT_THAT(with("/sources/0/duty", 1.1), HasSubstr("/sources/0/duty"));
  EXPECT_THAT(with("/sources/0/gas_degC", -250), HasSubstr("/sources/0/gas_degC"));
  EXPECT_THAT(with("/sources/0/max_W_per_m", -1), HasSubstr("/sources/0/max_W_per_m"));
  EXPECT_THAT(with("/sources/0/active_to_tip_mm", 90), HasSubstr("/sources/0/active_to_tip_mm"));
  EXPECT_THAT(with("/sources/0/active_to_tip_mm", 20), HasSubstr("/sources/0/tip_mm")) << "out of the grid";
  EXPECT_THAT(
      with("/early_ends", nlohmann::json::parse(R"([{"between_s": [0, 10], "sensor_mm": [7, 7, 3]}])")),
      HasSubstr("/early_ends/0"));
  nlohmann::json j = with_cryoprobe();
  j["tissues"][0].erase("frozen");
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("no frozen properties"), HasSubstr("/tissues/0/frozen")));
  j = with_cryoprobe();
  j["sources"].push_back(j["sources"][0]);
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("one probe"), HasSubstr("/sources/1/active_s")));
  j["sources"][1]["entry_mm"] = {7.5, 7, -60};
  EXPECT_THAT(refusal(j), HasSubstr("touch"));
  j = with_cryoprobe();
  j["sources"][0].erase("device");
  EXPECT_THAT(refusal(j), HasSubstr("is missing"));
}

nlohmann::json with_radiation() {
  nlohmann::json j = example();
  j["tissues"][0]["relative_permittivity"] = 43;
  j["tissues"][0]["microwave_S_per_m"] = 1.7;
  j["tissues"][0]["relative_permittivity_915MHz"] = 47;
  j["tissues"][0]["microwave_915MHz_S_per_m"] = 0.9;
  j["tissues"][0]["optical"] = {{"absorption_per_m", 50}, {"reduced_scattering_per_m", 1000}};
  j["tissues"][0]["optical_1064nm"] = {
      {"absorption_per_m", 40},
      {"reduced_scattering_per_m", 900},
      {"coagulated", {{"absorption_per_m", 40}, {"reduced_scattering_per_m", 3000}}}};
  j["sources"] = {
      {{"kind", "antenna"},
       {"device", "mwa-2450-16g"},
       {"power_W", 15},
       {"entry_mm", {7, 7, 60}},
       {"tip_mm", {7, 7, 2}},
       {"active_s", {{0, 20}}}},
      {{"kind", "light"}, {"power_W", 5}, {"a_mm", {3, 3, 3}}, {"b_mm", {3, 3, 6}}, {"cooled_degC", 20}}};
  return j;
}

TEST(ProblemFile, AntennasAndFibresTakeTheirNumbersFromTheDeviceUnlessTheyGiveThem) {
  const ThermalProblem p = parse_problem(with_radiation(), {});
  const auto& antenna = std::get<AntennaSource>(p.sources[0].what);
  EXPECT_EQ(antenna.antenna, device("mwa-2450-16g").antenna->antenna);
  EXPECT_EQ(antenna.cooled_degC, device("mwa-2450-16g").cooled_degC);
  EXPECT_EQ(antenna.cable_loss, device("mwa-2450-16g").antenna->cable_loss);
  const auto& light = std::get<LightSource>(p.sources[1].what);
  EXPECT_EQ(light.radius_mm, 0.825) << "of a cooled catheter";
  EXPECT_EQ(light.wavelength_nm, 980);
  EXPECT_THAT(schema_errors(with_radiation(), "problem"), IsEmpty());

  const ScratchFolder folder;
  ThermalProblem full = p;
  std::get<AntennaSource>(full.sources[0].what).shield = AntennaShield{{1, 0, 0}, 120, 0.1};
  auto& fibre = std::get<LightSource>(full.sources[1].what);
  fibre.wavelength_nm = 1064;
  fibre.entry_mm = Eigen::Vector3d(3, 3, 50);
  fibre.tip_mm = Eigen::Vector3d(3, 3, 2);
  write_problem(full, folder / "p.json");
  EXPECT_EQ(read_problem(folder / "p.json"), full);
  EXPECT_THAT(schema_errors(parse_json_file(folder / "p.json"), "problem"), IsEmpty());
}

TEST(ProblemFile, BadAntennasAndFibresAreRefusedAtTheirPlace) {
  const auto with = [](const char* pointer, const nlohmann::json& value) {
    nlohmann::json j = with_radiation();
    j[Pointer(pointer)] = value;
    return refusal(j);
  };
  EXPECT_THAT(with("/sources/0/device", "bipolar-cooled-7"),
              AllOf(HasSubstr("is no antenna"), HasSubstr("(/sources/0/device)")));
  EXPECT_THAT(with("/sources/0/device", "mwa-2450-16"), HasSubstr("mwa-2450-16g"));
  EXPECT_THAT(with("/sources/1/device", "mwa-2450-16g"), HasSubstr("is no fibre"));
  EXPECT_THAT(with("/sources/0/power_W", -1), HasSubstr("/sources/0/power_W"));
  EXPECT_THAT(with("/sources/0/cable_loss", 1), HasSubstr("/sources/0/cable_loss"));
  EXPECT_THAT(with("/sources/0/tip_mm", {7, 7, 55}), HasSubstr("/sources/0/entry_mm"));
  EXPECT_THAT(with("/sources/0/tip_mm", {70, 7, 5}), HasSubstr("/sources/0/tip_mm"));
  EXPECT_THAT(with("/sources/0/shield", {{"towards", {0, 0, 0}}, {"width_deg", 90}, {"leak", 0}}),
              HasSubstr("/sources/0/shield/towards"));
  EXPECT_THAT(with("/sources/1/wavelength_nm", 805), HasSubstr("980 and 1064"));
  EXPECT_THAT(with("/sources/1/entry_mm", {3, 3, 40}), HasSubstr("entry without a tip"));
  EXPECT_THAT(with("/sources/1/radius_mm", 0), HasSubstr("cooled fibre that takes no room"));
  EXPECT_THAT(with("/tissues/0/optical/absorption_per_m", 0), HasSubstr("absorbs no light"));
  nlohmann::json j = with_radiation();
  j["tissues"][0].erase("microwave_S_per_m");
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("at 2450 MHz"), HasSubstr("/tissues/0")));
  j = with_radiation();
  j["tissues"][0].erase("optical");
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("at 980 nm"), HasSubstr("/tissues/0")));
  j = with_radiation();
  j["sources"][0].erase("device");
  EXPECT_THAT(refusal(j), HasSubstr("neither device nor antenna"));
  j = with_radiation();
  j["sources"].push_back(j["sources"][0]);
  EXPECT_THAT(refusal(j), AllOf(HasSubstr("same place act at once"), HasSubstr("/sources/2/active_s")));
  j["sources"][2]["active_s"] = {{20, 30}};
  EXPECT_NO_THROW((void)parse_problem(j, {})) << "one step after the other";
}

TEST(ProblemFile, FieldFilesMustLieOnTheGridAndBeFinite) {
  const ScratchFolder folder;
  nlohmann::json j = example();
  const Grid grid = parse_problem(j, {}).grid();
  j["initial"] = {{"file", "T0.mha"}};
  EXPECT_THAT(refusal(j, folder.path()), AllOf(HasSubstr("/initial/file"), HasSubstr("T0.mha")));

  Grid shifted = grid;
  shifted.origin_mm.x() += 0.5;
  write_volume(folder / "T0.mha", Volume<float>(shifted, 37));
  EXPECT_THAT(refusal(j, folder.path()), AllOf(HasSubstr("(/initial/file)"), HasSubstr("not the problem's")));

  Volume<float> field(grid, 37);
  field(3, 2, 1) = std::numeric_limits<float>::quiet_NaN();
  write_volume(folder / "T0.mha", field);
  EXPECT_THAT(refusal(j, folder.path()), AllOf(HasSubstr("(/initial/file)"), HasSubstr("3, 2, 1")));

  nlohmann::json heated = example();
  heated["sources"] = {{{"kind", "volumetric"}, {"file", "T0.mha"}}};
  EXPECT_THAT(refusal(heated, folder.path()), AllOf(HasSubstr("(/sources/0/file)"), HasSubstr("3, 2, 1")));
  nlohmann::json graded = example();
  graded["factors"] = {{"conductivity", "T0.mha"}};
  EXPECT_THAT(refusal(graded, folder.path()),
              AllOf(HasSubstr("(/factors/conductivity)"), HasSubstr("3, 2, 1")));
  nlohmann::json labelled = example();
  labelled["labels"] = {{"file", "T0.mha"}};
  EXPECT_THAT(refusal(labelled, folder.path()),
              AllOf(HasSubstr("/labels/file"), HasSubstr("is no label map")));

  field(3, 2, 1) = 40;
  write_volume(folder / "T0.mha", field);
  EXPECT_EQ(parse_problem(j, folder.path()).initial_field, field);

  Volume<std::uint8_t> labels(grid, 0);
  labels(1, 1, 1) = 7;
  write_volume(folder / "labels.mha", labels);
  j["labels"] = {{"file", "labels.mha"}};
  EXPECT_THAT(refusal(j, folder.path()), AllOf(HasSubstr("holds label 7"), HasSubstr("(/labels/file)")));
}

TEST(ProblemFile, MessagesNameTheFile) {
  const ScratchFolder folder;
  nlohmann::json j = example();
  j["duration_s"] = -3;
  const auto path = folder / "bad.json";
  std::ofstream(path) << j.dump();
  try {
    read_problem(path);
    FAIL() << "accepted";
  } catch (const ConfigError& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr(path.string()), HasSubstr("/duration_s")));
  }
  EXPECT_THROW(read_problem(folder / "none.json"), IoError);
  std::ofstream(path) << "hello";
  EXPECT_THROW(read_problem(path), ConfigError);
}

TEST(ProblemFile, TheSchemaAgreesWithTheReader) {
  EXPECT_THAT(schema_errors(example(), "problem"), IsEmpty());
  nlohmann::json j = example();
  j["duratoin_s"] = 3;
  EXPECT_THAT(schema_errors(j, "problem"), HasSubstr("duratoin_s"));
  j = example();
  j["tissues"][0].erase("density_kg_per_m3");
  EXPECT_THAT(schema_errors(j, "problem"), HasSubstr("density_kg_per_m3"));
  j = example();
  j["sources"][0]["kind"] = "light";
  EXPECT_THAT(schema_errors(j, "problem"), Not(IsEmpty()));
}

}  // namespace
}  // namespace spinetherm
