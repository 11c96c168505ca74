// SPDX-License-Identifier: Apache-2.0
// The program on documents, as a user runs it: numbers of the reference tables, typed here by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "imaging/core/json_reader.h"
#include "tests/apps/schema_check.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::IsEmpty;

const std::filesystem::path kProblems = PROJECT_SOURCE_DIR "/tests/verification/problems";

nlohmann::json simulate(const std::string& name) {
  const ScratchFolder folder;
  const auto problem = kProblems / (name + ".json");
  EXPECT_THAT(schema_errors(parse_json_file(problem), "problem"), IsEmpty());
  const Ran ran = run_program({"simulate", problem.string(), "--json", "--out", folder / "out"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  if (ran.code != 0) return nlohmann::json::object();
  const nlohmann::json result = parse_json_text(ran.out, "stdout");
  EXPECT_EQ(parse_json_file(folder / "out" / "result.json"), result) << "the file is what was printed";
  EXPECT_THAT(schema_errors(result, "result"), IsEmpty());
  return result;
}

/// Checks every sample at distance `r_mm` from the origin and time `t_s` (there is one at the least).
void expect_rise(const nlohmann::json& result, double r_mm, double t_s, double rise_K, double gate_K) {
  int found = 0;
  for (const auto& s : result.value("samples", nlohmann::json::array())) {
    const Eigen::Vector3d x(s["at_mm"][0], s["at_mm"][1], s["at_mm"][2]);
    if (std::abs(x.norm() - r_mm) > 1e-6 || std::abs(double(s["t_s"]) - t_s) > 1e-6) continue;
    EXPECT_NEAR(double(s["degC"]) - 37, rise_K, gate_K)
        << "r = " << r_mm << " mm, t = " << t_s << " s, " << s["at_mm"];
    ++found;
  }
  EXPECT_GT(found, 0) << "no sample at " << r_mm << " mm, " << t_s << " s";
}

/// 1 % of the rise from 3 mm on, 0.5 % from 5 mm on.
void expect_sphere(const nlohmann::json& result, double r_mm, double t_s, double T_degC) {
  expect_rise(result, r_mm, t_s, T_degC - 37, (r_mm < 5 ? 0.01 : 0.005) * (T_degC - 37));
}

TEST(ProblemFiles, SphereWithoutPerfusion) {
  const auto result = simulate("a_sphere");
  expect_sphere(result, 3, 30, 52.705649);
  expect_sphere(result, 3, 120, 57.91097);
  expect_sphere(result, 5, 30, 40.369671);
  expect_sphere(result, 5, 120, 45.467323);
}

TEST(ProblemFiles, SphereInPerfusedTissue) {
  const auto result = simulate("a_sphere_perfused");
  expect_sphere(result, 3, 30, 51.236219);
  expect_sphere(result, 3, 120, 54.162357);
  expect_sphere(result, 3, 600, 54.526521);
  expect_sphere(result, 5, 30, 39.824968);
  expect_sphere(result, 5, 120, 42.605183);
  expect_sphere(result, 5, 600, 43.059356);
  expect_sphere(result, 8, 600, 38.656177);
}

TEST(ProblemFiles, GaussianSource) {
  const auto result = simulate("b_gaussian");
  const double gate = 0.1 / 78.574426;
  expect_rise(result, 0, 10, 25.035176, 0.1);
  expect_rise(result, 3, 10, 16.08856, 0.1);
  for (const auto& [r, rise] : {std::pair{0, 78.574426}, {3, 56.595127}, {6, 22.206758}, {10, 3.0989833}})
    expect_rise(result, r, 60, rise, gate * 78.574426);
  for (const auto& [r, rise] : {std::pair{0, 118.33338}, {3, 91.995874}, {6, 47.403598}, {10, 14.912387}})
    expect_rise(result, r, 300, rise, gate * 118.33338);
}

TEST(ProblemFiles, BoxSource) {
  const auto result = simulate("b_box");
  const double gate = 0.1 / 78.574426;
  expect_rise(result, 0, 10, 56.368907, gate * 140.882);
  expect_rise(result, 4, 10, 2.5001537, gate * 140.882);
  expect_rise(result, 0, 60, 140.882, gate * 140.882);
  expect_rise(result, 4, 60, 33.962909, gate * 140.882);
  expect_rise(result, 10, 60, 6.0425066, gate * 140.882);
  expect_rise(result, std::sqrt(75.0), 60, 3.857556, gate * 140.882);
}

TEST(ProblemFiles, PointSource) {
  const auto result = simulate("b_point");
  expect_rise(result, 5, 60, 29.650632, 0.1);
  expect_rise(result, 10, 60, 0.80377911, 0.1);
}

TEST(ProblemFiles, SlabAndHalfSpace) {
  auto result = simulate("c_slab");
  for (const auto& [x, rise] : {std::pair{1, 15.922573}, {2, 6.3853675}, {5, 0.058791901}})
    expect_rise(result, x, 10, rise, 0.06);
  for (const auto& [x, rise] : {std::pair{1, 23.281746}, {2, 17.401733}, {5, 5.5890124}, {10, 0.30301758}})
    expect_rise(result, x, 60, rise, 0.03);
  for (const auto& [x, rise] : {std::pair{1, 25.514035}, {5, 12.832124}, {10, 4.784929}, {15, 1.4122936}})
    expect_rise(result, x, 300, rise, 0.03);
  for (const auto& [x, rise] : {std::pair{1, 25.773982}, {5, 13.980643}, {10, 6.3158648}, {15, 2.4299231}})
    expect_rise(result, x, 1200, rise, 0.03);
  result = simulate("c_half_space");
  for (const auto& [x, rise] : {std::pair{1, 16.102446}, {2, 6.4996064}, {5, 0.060312523}})
    expect_rise(result, x, 10, rise, 0.06);
  for (const auto& [x, rise] : {std::pair{1, 27.306078}, {5, 17.184362}, {10, 7.7817545}, {15, 2.7208401}})
    expect_rise(result, x, 300, rise, 0.03);
  for (const auto& [x, rise] : {std::pair{1, 28.650898}, {5, 23.339284}, {10, 17.184362}, {15, 11.928719}})
    expect_rise(result, x, 1200, rise, 0.03);
}

TEST(ProblemFiles, ResistanceOfElectrodes) {
  for (const auto& [name, ohm, power_W] :
       {std::tuple{"e_sphere_in_shell", 185.68077, 400 / 185.68077}, {"e_two_spheres", 317.635, 1.2593071}}) {
    SCOPED_TRACE(name);
    const auto result = simulate(name);
    ASSERT_TRUE(result.contains("electrical"));
    EXPECT_NEAR(double(result["electrical"]["resistance_ohm"][0]), ohm, 0.03 * ohm);
    EXPECT_NEAR(double(result["electrical"]["power_W"][0]), power_W, 0.03 * power_W);
  }
}

TEST(ProblemFiles, Layers) {
  auto result = simulate("f_layers");
  for (const auto& [x, T] : {std::pair{5, (90 + 71.703287) / 2},
                             {11, (71.703287 + 66.099919) / 2},
                             {17, (66.099919 + 37.179308) / 2},
                             {24, (37.179308 + 37) / 2}})
    expect_rise(result, x, 20000, T - 37, 1e-3);
  result = simulate("f_heated_layer");
  for (const auto& [x, T] : {std::pair{2, 68.384615},
                             {5, 100.46154},
                             {8, 114.53846},
                             {15, 94.692308},
                             {20, 75.461538},
                             {25, 56.230769}})
    expect_rise(result, x, 20000, T - 37, 0.1);
}

TEST(ProblemFiles, Dose) {
  const auto dose = [](const std::string& name) {
    const auto result = simulate(name);
    return result.contains("samples") ? result["samples"].at(0) : nlohmann::json::object();
  };
  const auto cem43 = [&](const std::string& name) { return dose(name).value("cem43_min", std::nan("")); };
  EXPECT_NEAR(cem43("g_constant_45"), 40, 0.04);
  EXPECT_NEAR(cem43("g_ramp"), 91.9704, 0.092);
  EXPECT_NEAR(cem43("g_cooling"), 32.334328, 0.0323);
  const auto at_50 = dose("g_constant_50");
  EXPECT_NEAR(at_50.value("arrhenius", std::nan("")), 1, 1e-3);
  EXPECT_NEAR(at_50.value("cem43_min", std::nan("")), 128 * 61.053102 / 60, 0.13);
}

}  // namespace
}  // namespace spinetherm
