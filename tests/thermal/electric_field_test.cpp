// SPDX-License-Identifier: Apache-2.0
#include "thermal/electric_field.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/closed_form.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double kSigma = 0.2;

/// A cube of cells around 0.
Grid cube(int n, double h_mm) {
  Grid g;
  g.size = {n, n, n};
  g.spacing_mm.setConstant(h_mm);
  g.origin_mm.setConstant(-(n - 1) * h_mm / 2);
  return g;
}

Vector3d anywhere_in_a_cell(std::mt19937& rng, double h_mm) {
  std::uniform_real_distribution<double> u(-0.5, 0.5);
  const double x = u(rng), y = u(rng), z = u(rng);
  return h_mm * Vector3d(x, y, z);
}

double sum(const Volume<float>& q) {
  double s = 0;
  for (const float v : q.values) s += double(v);
  return s * q.grid.voxel_volume_mm3() * 1e-9;
}

ElectricField solved(const Grid& grid, const ElectrodesSource& source, double sigma = kSigma,
                     bool voxel = false, int threads = 1) {
  ElectricField field(grid, source, voxel, threads);
  const ElectricSummary summary = field.solve(Volume<float>(grid, float(sigma)));
  EXPECT_TRUE(summary.usable()) << summary.message;
  return field;
}

/// Sum of q over the cells, V I from the currents and R I^2 are one number.
void expect_power_identity(const ElectricField& field, double volts) {
  EXPECT_NEAR(sum(field.power_W_per_m3()) / field.power_W(), 1, 1e-5);
  EXPECT_NEAR(volts * field.current_A() / field.power_W(), 1, 1e-4);
  EXPECT_NEAR(field.resistance_ohm() * field.current_A() / volts, 1, 1e-4);
}

TEST(ElectricField, SphereInAGroundedCubeAtAnySubCellPosition) {
  std::mt19937 rng(1);
  for (const double cells : {2.0, 4.0, 5.3}) {
    const double a = 1.7, h = a / cells;
    const Grid grid = cube(48, h);
    for (int n = 0; n < 3; ++n) {
      const ElectrodesSource source = {.electrodes = {{{Sphere{anywhere_in_a_cell(rng, h), a}}, 20}}};
      const ElectricField field = solved(grid, source);
      const double expected = sphere_resistance_ohm(kSigma, a) - grounded_cube_correction_ohm(kSigma, 48 * h);
      // The constant of the cube is for a << L: at L = 9 a it is right to 0.5 %.
      EXPECT_NEAR(field.resistance_ohm() / expected, 1, cells < 4 ? 0.01 : 0.006) << cells;
      expect_power_identity(field, 20);
    }
  }
}

TEST(ElectricField, SphereInAGroundedShell) {
  std::mt19937 rng(2);
  const double h = 0.5;
  const Vector3d at = anywhere_in_a_cell(rng, h);
  const auto shell = std::make_shared<const Region>(Region{Sphere{at, 12}});
  const ElectrodesSource source = {.electrodes = {{{Sphere{at, 2}}, 20}, {{Outside{shell}}, 0}},
                                   .outer_grounded = false};
  const ElectricField field = solved(cube(52, h), source);
  EXPECT_NEAR(field.resistance_ohm() / sphere_in_shell_resistance_ohm(kSigma, 2, 12), 1, 2e-3);
  for (const double r : {3.0, 4.0, 6.0}) {
    const double expected = 20 * (1 / r - 1 / 12.0) / (1 / 2.0 - 1 / 12.0);
    EXPECT_NEAR(*sample_linear(field.potential_V(), at + Vector3d(0.6 * r, 0.8 * r, 0)), expected, 0.1) << r;
    const double q = kSigma * std::pow(20 * 1e3 / (r * r * (1 / 2.0 - 1 / 12.0)), 2);
    EXPECT_NEAR(*sample_linear(field.power_W_per_m3(), at + Vector3d(0, 0.6 * r, -0.8 * r)) / q, 1, 0.06)
        << r;
  }
}

TEST(ElectricField, TwoSpheresBipolarAndInParallel) {
  std::mt19937 rng(3);
  const double a = 2, h = 0.5, d = 6;
  const Vector3d at = anywhere_in_a_cell(rng, h), half = d / 2 * Vector3d(2, -1, 2) / 3;
  ElectrodesSource source = {.electrodes = {{{Sphere{at - half, a}}, 10}, {{Sphere{at + half, a}}, -10}},
                             .outer_grounded = false};
  const Grid grid = cube(80, h);
  const ElectricField bipolar = solved(grid, source);
  EXPECT_NEAR(bipolar.resistance_ohm() * two_spheres_bipolar_A(kSigma, a, d, 10) / 20, 1, 0.01);
  expect_power_identity(bipolar, 20);
  source.electrodes[1].potential_V = 10;
  source.outer_grounded = true;
  const ElectricField both = solved(grid, source);
  const double endless = 10 / (2 * two_spheres_parallel_A(kSigma, a, d, 10));
  EXPECT_NEAR(both.resistance_ohm() / (endless - grounded_cube_correction_ohm(kSigma, 40)), 1, 0.005);
}

TEST(ElectricField, ProlateSpheroidAtAnyAngle) {
  std::mt19937 rng(4);
  const double A = 2.5, b = 0.75, h = b / 4;
  for (const Vector3d& axis : {Vector3d(0, 0, 1), Vector3d(1, 2, -0.7)}) {
    const ElectrodesSource source = {.electrodes = {{{Prolate{anywhere_in_a_cell(rng, h), axis, A, b}}, 20}}};
    const ElectricField field = solved(cube(72, h), source);
    const double expected =
        prolate_resistance_ohm(kSigma, A, b) - grounded_cube_correction_ohm(kSigma, 72 * h);
    EXPECT_NEAR(field.resistance_ohm() / expected, 1, 0.01);
    expect_power_identity(field, 20);
  }
}

TEST(ElectricField, CoaxialCylindersEvenWhenTheGridIsAsCoarseAsTheRadius) {
  std::mt19937 rng(5);
  for (const double h : {0.8, 0.4}) {
    const Vector3d at = anywhere_in_a_cell(rng, h).cwiseProduct(Vector3d(0, 1, 1));
    Grid grid = cube(int(18 / h), h);
    grid.size[0] = 6;
    const auto cylinder = [&](double r) {
      return Region{Cylinder{at - Vector3d(100, 0, 0), at + Vector3d(100, 0, 0), r}};
    };
    const auto shell = std::make_shared<const Region>(cylinder(8));
    const ElectrodesSource source = {.electrodes = {{cylinder(0.8), 20}, {{Outside{shell}}, 0}},
                                     .outer_grounded = false};
    const double expected = std::log(10.0) / (2 * kPi * kSigma * 6 * h * 1e-3);
    EXPECT_NEAR(solved(grid, source).resistance_ohm() / expected, 1, h > 0.5 ? 0.015 : 0.004);
  }
}

TEST(ElectricField, CapsuleDoesNotFeelTheGrid) {
  // No closed form: two grids at unlike angles and positions must agree, at a quarter of the radius and at
  // the radius.
  std::mt19937 rng(6);
  std::vector<double> ohm;
  for (const double h : {0.2, 0.25, 0.4, 0.8}) {
    const Vector3d at = anywhere_in_a_cell(rng, h);
    const Vector3d along = h < 0.25 ? Vector3d(0, 0, 3) : Vector3d(1, 2, -2);
    const ElectrodesSource source = {.electrodes = {{{Capsule{at - along, at + along, 0.8}}, 20}}};
    ohm.push_back(solved(cube(int(std::lround(16 / h)), h), source).resistance_ohm());
  }
  EXPECT_NEAR(ohm[1] / ohm[0], 1, 0.01);
  EXPECT_NEAR(ohm[2] / ohm[0], 1, 0.02);
  EXPECT_NEAR(ohm[3] / ohm[0], 1, 0.04);
}

TEST(ElectricField, LayeredSphere) {
  // Conductivity 0.5 to 5 mm, 0.08 beyond: cells of the interface take the mean of their parts.
  const double a = 2, b = 6, h = 0.5;
  const Grid grid = cube(96, h);
  Volume<float> sigma(grid);
  for (int k = 0; k < 96; ++k)
    for (int j = 0; j < 96; ++j)
      for (int i = 0; i < 96; ++i) sigma(i, j, k) = grid.to_world(i, j, k).norm() < b ? 0.5F : 0.08F;
  ElectricField field(grid, {.electrodes = {{{Sphere{{0.1, 0.2, -0.05}, a}}, 20}}}, false, 1);
  ASSERT_TRUE(field.solve(sigma).usable());
  const double expected =
      layered_sphere_resistance_ohm(0.5, 0.08, a, b) - grounded_cube_correction_ohm(0.08, 48);
  EXPECT_NEAR(field.resistance_ohm() / expected, 1, 0.02);
}

TEST(ElectricField, InsulatedShaftCarriesNoCurrent) {
  // A pole flush with its insulated shaft: without the insulator the shaft is tissue and the resistance
  // lower.
  const double h = 0.4;
  const Vector3d tip(0.1, 0.15, -4), axis(0, 0, 1);
  const Region pole{Cylinder{tip, tip + 5 * axis, 0.8}},
      shaft{Cylinder{tip + 5 * axis, tip + 50 * axis, 0.8}};
  const Grid grid = cube(48, h);
  ElectrodesSource source = {.electrodes = {{pole, 20}}};
  const double bare = solved(grid, source).resistance_ohm();
  source.insulators = {shaft};
  const ElectricField field = solved(grid, source);
  EXPECT_GT(field.resistance_ohm(), 1.01 * bare);
  EXPECT_EQ(*sample_nearest(field.power_W_per_m3(), Vector3d(0.1, 0.15, 5)), 0);
  expect_power_identity(field, 20);
  // A sleeve over the whole of the pole but its last 2 mm.
  source.insulators = {Region{Cylinder{tip + 2 * axis, tip + 50 * axis, 1.0}}};
  EXPECT_GT(solved(grid, source).resistance_ohm(), 1.4 * field.resistance_ohm());
}

TEST(ElectricField, MirroredElectrodesGiveMirroredPower) {
  const Vector3d x(2.3, 0, 0);
  const ElectrodesSource source = {.electrodes = {{{Sphere{-x, 1}}, 8}, {{Sphere{x, 1}}, -8}},
                                   .outer_grounded = false};
  const ElectricField field = solved(cube(32, 0.5), source);
  const Volume<float>& q = field.power_W_per_m3();
  for (int k = 0; k < 32; ++k)
    for (int j = 0; j < 32; ++j)
      for (int i = 0; i < 16; ++i) {
        EXPECT_NEAR(q(i, j, k), q(31 - i, j, k), 1e-3 * q(i, j, k) + 1) << i << ' ' << j << ' ' << k;
        EXPECT_NEAR(field.potential_V()(i, j, k), -field.potential_V()(31 - i, j, k), 1e-4);
      }
}

TEST(ElectricField, OneAndTwoThreadsAgreeToTheBit) {
  const ElectrodesSource source = {.electrodes = {{{Capsule{{-1, 0, 2}, {2, 1, -1}, 0.9}}, 15}}};
  const Grid grid = cube(40, 0.5);
  const ElectricField one = solved(grid, source, kSigma, false, 1),
                      two = solved(grid, source, kSigma, false, 2);
  EXPECT_EQ(one.power_W_per_m3(), two.power_W_per_m3());
  EXPECT_EQ(one.potential_V(), two.potential_V());
  EXPECT_EQ(one.current_A(), two.current_A());
}

TEST(ElectricField, StrongContrastsConverge) {
  const Grid grid = cube(48, 0.5);
  Volume<float> sigma(grid);
  for (int k = 0; k < 48; ++k)
    for (int j = 0; j < 48; ++j)
      for (int i = 0; i < 48; ++i) {
        const Vector3d x = grid.to_world(i, j, k);
        const double r = std::hypot(x[0] - 4, x[1]);
        sigma(i, j, k) = r < 3 ? 2.0F : r < 3.6 ? 0.02F : x[2] > 8 ? 0.0F : x[1] > 5 ? 0.45F : 0.087F;
      }
  ElectricField field(grid, {.electrodes = {{{Sphere{{-3, 0, 0}, 1}}, 20}}}, false, 1);
  const ElectricSummary summary = field.solve(sigma);
  EXPECT_TRUE(summary.usable()) << summary.message;
  EXPECT_LE(summary.iterations, 60);
  EXPECT_NEAR(sum(field.power_W_per_m3()), 20 * field.current_A(), 1e-4 * field.power_W());
  EXPECT_EQ(*sample_nearest(field.power_W_per_m3(), Vector3d(0, 0, 10)), 0);
}

TEST(ElectricField, ASecondSolveStartsFromTheFirst) {
  const Grid grid = cube(32, 0.5);
  ElectricField field(grid, {.electrodes = {{{Sphere{{0.2, 0, 0}, 1.5}}, 20}}}, false, 1);
  Volume<float> sigma(grid, 0.2F);
  const int first = field.solve(sigma).iterations;
  const double ohm = field.resistance_ohm();
  for (float& s : sigma.values) s *= 1.25F;
  EXPECT_LT(field.solve(sigma).iterations, first);
  EXPECT_NEAR(field.resistance_ohm(), ohm / 1.25, 1e-4 * ohm);
}

TEST(ElectricField, VoxelElectrodesAreWholeCellsHeldOnTheirFaces) {
  // One cell held at 1 V between grounded faces: a chain of half-cell and whole links, by hand.
  Grid grid = cube(1, 1);
  grid.size = {5, 1, 1};
  const ElectrodesSource source = {
      .electrodes = {{{Box{{-0.5, -0.5, -0.5}, {0.4, 0.5, 0.5}}}, 1}, {{Box{{3.6, -9, -9}, {9, 9, 9}}}, 0}},
      .outer_grounded = false};
  const ElectricField field = solved(grid, source, 1, true);
  EXPECT_NEAR(field.resistance_ohm(), 3e3, 1e-2);  // 3 mm of 1 mm2 at 1 S/m between the faces
  EXPECT_NEAR(field.potential_V()[2], 0.5, 1e-6);
}

TEST(ElectricField, TinesThinnerThanACellHaveTheResistanceOfAFineGrid) {
  // Six tines of 0.4 mm in quarter circles, as one electrode: on a grid of h they are lines of current; at h
  // / 5 their surfaces are resolved.
  std::vector<Electrode> tines;
  for (int n = 0; n < 6; ++n) {
    std::vector<Vector3d> line;
    const double azimuth = 2 * kPi * n / 6 + 0.2;
    for (int p = 0; p <= 12; ++p) {
      const double a = kPi / 2 * p / 12, out = 0.8 + 5 * (1 - std::cos(a));
      line.emplace_back(out * std::cos(azimuth) + 0.13, out * std::sin(azimuth) - 0.21,
                        5 * std::sin(a) - 2.4);
    }
    tines.push_back({{Tube{line, 0.2, false}}, 20});
  }
  const ElectrodesSource source = {.electrodes = tines};
  const auto ohm = [&](double h) {
    return solved(cube(int(std::lround(18 / h)), h), source).resistance_ohm();
  };
  const double fine = ohm(0.2);
  EXPECT_NEAR(ohm(1) / fine, 1, 0.03);
  EXPECT_NEAR(ohm(0.5) / fine, 1, 0.03);
}

TEST(ElectricField, AThinWireHasItsResistanceAtAnyAngleAndPlace) {
  std::mt19937 rng(11);
  const ElectrodesSource fine = {.electrodes = {{{Capsule{{0, 0, -4}, {0, 0, 4}, 0.2}}, 20}}};
  const double expected = solved(cube(96, 0.1667), fine).resistance_ohm();
  for (const Vector3d& axis : {Vector3d(0, 0, 1), Vector3d(1, 2, -0.7), Vector3d(1, 1, 1)}) {
    const Vector3d half = 4 * axis.normalized(), at = anywhere_in_a_cell(rng, 1);
    const ElectrodesSource wire = {.electrodes = {{{Tube{{at - half, at + half}, 0.2, false}}, 20}}};
    const ElectricField field = solved(cube(16, 1), wire);
    EXPECT_NEAR(field.resistance_ohm() / expected, 1, 0.03);
    expect_power_identity(field, 20);
  }
}

TEST(ElectricField, AFloatingSphereInAUniformFieldIsADipole) {
  // Plates at the ends of an insulated box: E = 20 V / 30 mm between them. V = -E (r - a^3 / r^2) cos(angle).
  const double h = 0.5, a = 2;
  const Grid grid = cube(64, h);
  const Vector3d at(0.07, -0.11, 0.13);
  Electrode sphere;
  sphere.region = {Sphere{at, a}};
  sphere.floating = true;
  const ElectrodesSource source = {.electrodes = {{{Box{{-16, -16, -16}, {-15, 16, 16}}}, 10},
                                                  {{Box{{15, -16, -16}, {16, 16, 16}}}, -10},
                                                  sphere},
                                   .outer_grounded = false};
  const ElectricField field = solved(grid, source);
  const double E_V_per_mm = 20.0 / 30, there_V = -E_V_per_mm * at.x();
  ASSERT_EQ(field.scale().size(), 2U);
  EXPECT_NEAR(field.scale()[1], there_V, 0.02) << "the potential of the plane that it lies on";
  for (const Vector3d& away :
       {Vector3d(3.5, 0, 0), Vector3d(2.5, 2.5, 0), Vector3d(-3, 1, -2), Vector3d(0, 4, 0)}) {
    const double r = away.norm();
    const double dipole = there_V - E_V_per_mm * away.x() * (1 - a * a * a / (r * r * r));
    EXPECT_NEAR(*sample_linear(field.potential_V(), at + away), dipole, 0.04) << away.transpose();
  }
  // No net current, and all of the power comes from the plates.
  EXPECT_NEAR(field.current_A() * 20 / field.power_W(), 1, 1e-4);
}

/// Two bipolar probes of two spheres each; each is a channel.
ElectrodesSource two_channels() {
  return {.electrodes = {{{Sphere{{-4.1, -2, 0.1}, 1}}, 1},
                         {{Sphere{{-4.1, 2, 0.1}, 1}}, -1},
                         {{Sphere{{3.9, -2.2, 0.3}, 1}}, 1},
                         {{Sphere{{3.9, 2.2, 0.3}, 1}}, -1}},
          .outer_grounded = false,
          .channels = {{{0, 1}}, {{2, 3}}}};
}

TEST(ElectricField, ChannelsAddUpToTheFieldOfTheirPotentials) {
  const Grid grid = cube(40, 0.5);
  ElectricField joint = solved(grid, two_channels());
  ASSERT_EQ(joint.channels(), 2U);
  joint.drive({12, 5});
  ElectrodesSource as_driven = two_channels();
  as_driven.channels.clear();
  const std::array<double, 4> volts = {12, -12, 5, -5};
  for (std::size_t n = 0; n < 4; ++n) as_driven.electrodes[n].potential_V = volts[n];
  const ElectricField direct = solved(grid, as_driven);
  EXPECT_NEAR(joint.power_W() / direct.power_W(), 1, 1e-4);
  EXPECT_NEAR(joint.current_A() / direct.current_A(), 1, 1e-4);
  EXPECT_NEAR((joint.channel_power_W(0) + joint.channel_power_W(1)) / joint.power_W(), 1, 1e-4);
  double worst = 0;
  for (std::size_t c = 0; c < grid.count(); ++c)
    worst = std::max(worst, std::abs(double(joint.potential_V()[c] - direct.potential_V()[c])));
  EXPECT_LT(worst, 1e-3);
}

TEST(ElectricField, EachChannelGetsItsPowerAndOneWithoutFloatsOpen) {
  const Grid grid = cube(40, 0.5);
  ElectrodesSource pad = two_channels();  // four poles against a pad: they raise each other's potential
  pad.outer_grounded = true;
  for (Electrode& e : pad.electrodes) e.potential_V = 1;
  for (const ElectrodesSource& source : {two_channels(), pad}) {
    ElectricField field = solved(grid, source);
    field.drive(field.scales_for({3.0, 7.0}));
    EXPECT_NEAR(field.channel_power_W(0), 3, 1e-3);
    EXPECT_NEAR(field.channel_power_W(1), 7, 2e-3);
    EXPECT_NEAR(field.power_W(), 10, 2e-3);
    const std::vector<double> one_off = field.scales_for({0.0, 5.0});
    field.drive(one_off);
    EXPECT_NEAR(field.channel_power_W(0), 0, 1e-3);
    EXPECT_NEAR(field.channel_power_W(1), 5, 2e-3);
    EXPECT_NEAR(field.channel_current_A(0), 0, 0.02 * field.channel_current_A(1));
  }
}

TEST(ElectricField, BadInputIsRefused) {
  const Grid grid = cube(24, 0.5);
  const auto making = [&](const ElectrodesSource& s) {
    return [&grid, s] { const ElectricField field(grid, s, false, 1); };
  };
  const Electrode ball = {{Sphere{{0, 0, 0}, 1}}, 10};
  EXPECT_THAT(making({}), ThrowsMessage<ConfigError>(HasSubstr("no electrodes")));
  EXPECT_THAT(making({.electrodes = {ball}, .outer_grounded = false}),
              ThrowsMessage<ConfigError>(HasSubstr("no difference of potential")));
  EXPECT_THAT(making({.electrodes = {ball, {{Sphere{{1.5, 0, 0}, 1}}, -10}}}),
              ThrowsMessage<ConfigError>(HasSubstr("overlap")));
  EXPECT_THAT(making({.electrodes = {ball, {{Sphere{{2.05, 0, 0}, 1}}, -10}}}),
              ThrowsMessage<ConfigError>(HasSubstr("touch")));
  EXPECT_THAT(making({.electrodes = {ball, {{Sphere{{40, 0, 0}, 1}}, -10}}}),
              ThrowsMessage<ConfigError>(HasSubstr("electrode 1 touches no tissue")));
  EXPECT_THAT(making({.electrodes = {{{Sphere{{6, 0, 0}, 1}}, 10}}}),
              ThrowsMessage<ConfigError>(HasSubstr("grounded outer face")));
  Grid turned = grid;
  turned.direction = Eigen::AngleAxisd(0.2, Vector3d::UnitZ()).toRotationMatrix();
  EXPECT_THROW(ElectricField(turned, {.electrodes = {ball}}, false, 1), ConfigError);
  ElectricField field(grid, {.electrodes = {ball}}, false, 1);
  Volume<float> sigma(grid, 0.2F);
  sigma[77] = std::nanf("");
  EXPECT_THAT([&] { field.solve(sigma); }, ThrowsMessage<ConfigError>(HasSubstr("cell 77")));
}

TEST(ElectricField, CancelComesBackInTheSummary) {
  std::stop_source stop;
  stop.request_stop();
  const Grid grid = cube(16, 0.5);
  ElectricField field(grid, {.electrodes = {{{Sphere{{0, 0, 0}, 1}}, 10}}}, false, 1);
  const ElectricSummary summary = field.solve(Volume<float>(grid, 0.2F), 1e-6, {.stop = stop.get_token()});
  EXPECT_EQ(summary.termination, Termination::cancelled);
  EXPECT_FALSE(summary.usable());
}

}  // namespace
}  // namespace spinetherm
