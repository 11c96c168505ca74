// SPDX-License-Identifier: Apache-2.0
#include "thermal/problem.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "imaging/core/error.h"
#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;

/// 20 mm across, cell centres from 0 to 19 mm; two spherical electrodes 10 mm apart.
ThermalProblem good() {
  ThermalProblem p = uniform_problem({}, {20, 20, 20}, 1);
  p.tissue_map.tissues[0].electrical_S_per_m = 0.2;
  p.duration_s = 60;
  p.sample = {{{9, 9, 9}}, {0, 30, 60}};
  ElectrodesSource electrodes;
  electrodes.electrodes = {{{Sphere{{5, 10, 10}, 2}}, 10, 20}, {{Sphere{{15, 10, 10}, 2}}, -10}};
  electrodes.insulators = {{Box{{8, 8, 8}, {9, 9, 9}}}};
  electrodes.control = HoldTemperature{70, {10, 10, 10}, 20};
  electrodes.roll_off = RollOff{0.4, 15};
  p.sources = {{PointSource{1, {3, 3, 3}}, {{0, 30}, {40, 50}}},
               {GaussianSource{1, 2, {9, 9, 9}}},
               {BoxSource{1, {9, 9, 9}, {2, 2, 2}}},
               {LineSource{-500, {2, 2, 2}, {2, 2, 12}}},
               {FixedTemperatureSource{{Sphere{{10, 4, 4}, 2}}, {{0, 37}, {30, -140}}}},
               {electrodes},
               {VolumetricSource{Volume<float>(p.grid(), 1e4F)}}};
  return p;
}
enum { kPoint, kGaussian, kBox, kLine, kFixed, kElectrodes, kVolumetric };
template <class What>
What& get(ThermalProblem& p, int n) {
  return std::get<What>(p.sources[std::size_t(n)].what);
}
ElectrodesSource& electrodes(ThermalProblem& p) { return get<ElectrodesSource>(p, kElectrodes); }

std::string refused(const std::function<void(ThermalProblem&)>& spoil) {
  ThermalProblem p = good();
  spoil(p);
  try {
    validate(p);
  } catch (const ConfigError& e) {
    EXPECT_FALSE(e.what_to_do().empty()) << e.what();
    return e.where();
  }
  return "";
}

TEST(ProblemValidation, AcceptsAGoodProblem) {
  EXPECT_NO_THROW(validate(good()));
  EXPECT_EQ(refused([](ThermalProblem& p) { p.sources.clear(); }), "");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.sample = {}; }), "");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.sample.points_mm = {{-0.5, 19.5, 19.5}};
            }),
            "");  // on the outer faces
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.duration_s = 0;
              p.until_dose_settled = true;
            }),
            "");
}

TEST(ProblemValidation, RefusesTissueByItsRow) {
  EXPECT_EQ(refused([](ThermalProblem& p) { p.tissue_map.tissues[0].conductivity_W_per_m_K = 0; }),
            "/tissues/0/conductivity_W_per_m_K");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.tissue_map.tissues[0].conductivity_W_per_m_K = -0.5; }),
            "/tissues/0/conductivity_W_per_m_K");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.tissue_map.tissues[0].density_kg_per_m3 = NAN; }),
            "/tissues/0/density_kg_per_m3");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.tissue_map.tissues[0].electrical_S_per_m.reset(); }),
            "/tissues/0/electrical_S_per_m");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.tissue_map.labels[0] = 1; }), "/labels");
  // A row that no cell uses needs no electrical conductivity.
  EXPECT_EQ(refused([](ThermalProblem& p) { p.tissue_map.tissues.push_back(soft_tissue({})); }), "");
}

TEST(ProblemValidation, RefusesGridsThatItCannotSolveOn) {
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.tissue_map.labels.grid.spacing_mm = {0.4, 4, 1};
            }),
            "/grid/spacing_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.tissue_map.labels.grid.direction =
                  Eigen::AngleAxisd(0.1, Vector3d::UnitZ()).toRotationMatrix();
            }),
            "/grid/direction");
  EXPECT_THAT(refused([](ThermalProblem& p) { p.tissue_map.labels.grid.spacing_mm[1] = NAN; }),
              HasSubstr("/grid"));
  EXPECT_THAT(refused([](ThermalProblem& p) { p.tissue_map.labels.grid.spacing_mm[1] = 0; }),
              HasSubstr("/grid"));
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.tissue_map.labels.grid.size = {1500, 1500, 1500};
            }),
            "/grid/size");  // 243 GB
}

TEST(ProblemValidation, RefusesBloodStartAndFaces) {
  EXPECT_EQ(refused([](ThermalProblem& p) { p.blood.density_kg_per_m3 = 0; }), "/blood/density_kg_per_m3");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.blood.specific_heat_J_per_kg_K = NAN; }),
            "/blood/specific_heat_J_per_kg_K");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.blood.temperature_degC = -300; }), "/blood/temperature_degC");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.initial_degC = NAN; }), "/initial/degC");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.initial_degC = 1e6; }), "/initial/degC");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.initial_field = Volume<float>(p.grid(), 37);
              p.initial_field[5] = NAN;
            }),
            "/initial/file");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.initial_field = Volume<float>(p.grid(), 37);
              p.initial_field.grid.origin_mm[0] = 1;
            }),
            "/initial/file");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.boundary[x_max].degC = NAN; }), "/boundary/x_max/degC");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.boundary[z_min] = {BoundaryKind::convective, 37, -1};
            }),
            "/boundary/z_min/h_W_per_m2_K");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.boundary[y_max] = {BoundaryKind::insulated, NAN, 0}; }), "");
}

TEST(ProblemValidation, RefusesTimesThatCannotBeMeant) {
  EXPECT_EQ(refused([](ThermalProblem& p) { p.duration_s = -1; }), "/duration_s");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.duration_s = 0;
              p.sample.times_s = {};
            }),
            "/duration_s");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.duration_s = INFINITY; }), "/duration_s");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.sample.times_s[2] = 61; }), "/sample/times_s/2");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.sample.times_s[0] = -1; }), "/sample/times_s/0");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.sample.times_s[2] = 61;
              p.until_dose_settled = true;
            }),
            "");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.sources[0].active_s[1] = {40, 40};
            }),
            "/sources/0/active_s/1/1");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.sources[0].active_s[0] = {-1, 40};
            }),
            "/sources/0/active_s/0/0");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              p.sources[0].active_s[0] = {1, NAN};
            }),
            "/sources/0/active_s/0/1");
}

TEST(ProblemValidation, RefusesFactorsThatCannotBeMeant) {
  const auto with = [](const Curve& scale, int source = kPoint) {
    return refused([&](ThermalProblem& p) { p.sources[std::size_t(source)].scale = scale; });
  };
  EXPECT_EQ(with({{0, 0}, {10, 1}, {20, -1}}), "");
  EXPECT_EQ(with({{0, 0}, {0, 1}}), "/sources/0/scale/1/0");
  EXPECT_EQ(with({{NAN, 0}}), "/sources/0/scale/0/0");
  EXPECT_EQ(with({{0, 0}, {5, INFINITY}}), "/sources/0/scale/1/1");
  EXPECT_EQ(with({{0, 1}}, kFixed), "/sources/4/scale");
  EXPECT_EQ(with({{0, 1}}, kElectrodes), "/sources/5/scale");
}

TEST(ProblemValidation, AFaceMayCutAnElectrodeOnlyAsAPlaneOfSymmetry) {
  const auto cut = [](ThermalProblem& p) {
    electrodes(p).electrodes[0].region = {Sphere{{-0.5, 10, 10}, 2}};
    p.boundary[x_min].kind = BoundaryKind::insulated;
    electrodes(p).outer_grounded = false;
  };
  EXPECT_EQ(refused(cut), "");
  EXPECT_EQ(refused([&](ThermalProblem& p) {
              cut(p);
              p.boundary[x_min].kind = BoundaryKind::fixed;
            }),
            "/sources/5/electrodes/0/region");
  EXPECT_EQ(refused([&](ThermalProblem& p) {
              cut(p);
              electrodes(p).outer_grounded = true;
            }),
            "/sources/5/electrodes/0/region");
  EXPECT_EQ(refused([&](ThermalProblem& p) {
              cut(p);
              electrodes(p).electrodes[0].region = {Sphere{{-3, 10, 10}, 2}};
            }),
            "/sources/5/electrodes/0/region");
}

TEST(ProblemValidation, RefusesWhatLiesOutsideTheGrid) {
  EXPECT_EQ(refused([](ThermalProblem& p) { p.sample.points_mm[0][2] = 19.6; }), "/sample/points_mm/0");
  EXPECT_EQ(refused([](ThermalProblem& p) { p.sample.points_mm[0][0] = NAN; }), "/sample/points_mm/0");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              get<PointSource>(p, kPoint).at_mm = {0, -0.6, 0};
            }),
            "/sources/0/at_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              get<GaussianSource>(p, kGaussian).at_mm = {25, 0, 0};
            }),
            "/sources/1/at_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<BoxSource>(p, kBox).half_mm[1] = 11; }),
            "/sources/2/centre_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<LineSource>(p, kLine).b_mm[2] = 20; }), "/sources/3/b_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              get<FixedTemperatureSource>(p, kFixed).region = {Sphere{{30, 4, 4}, 2}};
            }),
            "/sources/4/region");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              electrodes(p).electrodes[1].region = {Sphere{{18, 10, 10}, 2}};
            }),
            "/sources/5/electrodes/1/region");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              std::get<HoldTemperature>(electrodes(p).control).sensor_mm = {10, 10, 20};
            }),
            "/sources/5/control/sensor_mm");
}

TEST(ProblemValidation, RefusesPowersAndSizes) {
  EXPECT_EQ(refused([](ThermalProblem& p) { get<PointSource>(p, kPoint).power_W = -1; }),
            "/sources/0/power_W");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<GaussianSource>(p, kGaussian).power_W = NAN; }),
            "/sources/1/power_W");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<GaussianSource>(p, kGaussian).sigma_mm = 0; }),
            "/sources/1/sigma_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<BoxSource>(p, kBox).power_W = INFINITY; }),
            "/sources/2/power_W");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<BoxSource>(p, kBox).half_mm[0] = 0; }), "/sources/2/half_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<LineSource>(p, kLine).W_per_m = NAN; }),
            "/sources/3/W_per_m");
  EXPECT_EQ(
      refused([](ThermalProblem& p) { get<LineSource>(p, kLine).b_mm = get<LineSource>(p, kLine).a_mm; }),
      "/sources/3/b_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<FixedTemperatureSource>(p, kFixed).degC.clear(); }),
            "/sources/4/degC");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<FixedTemperatureSource>(p, kFixed).degC[1][0] = 0; }),
            "/sources/4/degC/1/0");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<FixedTemperatureSource>(p, kFixed).degC[1][1] = -274; }),
            "/sources/4/degC/1/1");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              get<FixedTemperatureSource>(p, kFixed).region = {Sphere{{10, 4, 4}, 0}};
            }),
            "/sources/4/region/sphere/radius_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { get<VolumetricSource>(p, kVolumetric).power_W_per_m3[9] = NAN; }),
            "/sources/6/file");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              get<VolumetricSource>(p, kVolumetric).power_W_per_m3.grid.size[0] = 19;
            }),
            "/sources/6/file");
}

TEST(ProblemValidation, RefusesElectrodesThatCannotWork) {
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).electrodes.clear(); }), "/sources/5/electrodes");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              electrodes(p).electrodes[1].potential_V = 10;
              electrodes(p).outer_grounded = false;
            }),
            "/sources/5/electrodes");
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).electrodes[1].potential_V = 10; }),
            "");  // both against the grounded faces
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).electrodes[0].potential_V = NAN; }),
            "/sources/5/electrodes/0/potential_V");
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).electrodes[0].cooled_degC = -300; }),
            "/sources/5/electrodes/0/cooled_degC");
  EXPECT_EQ(refused([](ThermalProblem& p) {
              electrodes(p).insulators[0] = {Box{{1, 1, 1}, {0, 2, 2}}};
            }),
            "/sources/5/insulators/0/box/max_mm");
  EXPECT_EQ(refused([](ThermalProblem& p) { std::get<HoldTemperature>(electrodes(p).control).degC = NAN; }),
            "/sources/5/control/hold_degC");
  EXPECT_EQ(refused([](ThermalProblem& p) { std::get<HoldTemperature>(electrodes(p).control).max_W = 0; }),
            "/sources/5/control/max_W");
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).control = ConstantPower{-1}; }),
            "/sources/5/control/constant_W");
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).roll_off->rise = 0; }),
            "/sources/5/control/roll_off/rise");
  EXPECT_EQ(refused([](ThermalProblem& p) { electrodes(p).roll_off->off_s = NAN; }),
            "/sources/5/control/roll_off/off_s");
}

TEST(ProblemValidation, RefusesElectrodesOfDifferentPotentialThatTouch) {
  const auto with = [](const Region& second, double potential_V = -10) {
    return refused([&](ThermalProblem& p) { electrodes(p).electrodes[1] = {second, potential_V}; });
  };
  // The first one is a sphere of 2 mm at (5, 10, 10).
  EXPECT_EQ(with({Sphere{{8.9, 10, 10}, 2}}), "/sources/5/electrodes/1/region");
  EXPECT_EQ(with({Sphere{{9.1, 10, 10}, 2}}), "");
  EXPECT_EQ(with({Sphere{{5, 10, 10}, 0.5}}), "/sources/5/electrodes/1/region");  // one inside the other
  EXPECT_EQ(with({Capsule{{8, 2, 10}, {8, 18, 10}, 1.01}}), "/sources/5/electrodes/1/region");
  EXPECT_EQ(with({Capsule{{8, 2, 10}, {8, 18, 10}, 0.99}}), "");
  EXPECT_EQ(with({Cylinder{{5, 10, 12.1}, {5, 10, 18}, 1}}), "");
  EXPECT_EQ(with({Cylinder{{5, 10, 11.9}, {5, 10, 18}, 1}}), "/sources/5/electrodes/1/region");
  EXPECT_EQ(with({Box{{7.1, 5, 5}, {9, 15, 15}}}), "");
  EXPECT_EQ(with({Box{{6.9, 5, 5}, {9, 15, 15}}}), "/sources/5/electrodes/1/region");
  EXPECT_EQ(with({Sphere{{8.9, 10, 10}, 2}}, 10), "");  // one pole of two pieces
  const auto around = [](double radius_mm) {
    return Region{Outside{std::make_shared<const Region>(Region{Sphere{{5, 10, 10}, radius_mm}})}};
  };
  EXPECT_EQ(with(around(4)), "");
  EXPECT_EQ(with(around(1.9)), "/sources/5/electrodes/1/region");
}

TEST(SourceActivity, IntervalsAreHalfOpenAndNoneMeansAlways) {
  Source s{PointSource{1, {0, 0, 0}}, {{10, 20}, {30, 40}}};
  EXPECT_FALSE(is_active(s, 9.99));
  EXPECT_TRUE(is_active(s, 10));
  EXPECT_FALSE(is_active(s, 20));
  EXPECT_TRUE(is_active(s, 39.99));
  s.active_s.clear();
  EXPECT_TRUE(is_active(s, 1e9));
}

}  // namespace
}  // namespace spinetherm
