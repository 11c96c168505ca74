// SPDX-License-Identifier: Apache-2.0
// What must hold for any problem, whatever its numbers: symmetries, threads, cancelling.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <stop_token>
#include <thread>

#include "imaging/core/units.h"
#include "tests/thermal/thermal_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/error_estimate.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using Cell = std::array<int, 3>;

/// A map of the box onto a box: of points, cells of the new grid to cells of the old one, and faces.
struct Symmetry {
  std::function<Vector3d(const Vector3d&)> point;
  std::function<Cell(const Cell&)> source_cell;
  std::array<std::size_t, 6> source_face{};
  std::array<int, 3> source_axis{};
};

/// Needs a grid whose numbers are exact in binary.
Symmetry mirror(const Grid& g, int axis) {
  const double sum_mm = 2 * g.origin_mm[axis] + (g.size[std::size_t(axis)] - 1) * g.spacing_mm[axis];
  Symmetry s;
  s.point = [=](const Vector3d& x) {
    Vector3d y = x;
    y[axis] = sum_mm - x[axis];
    return y;
  };
  s.source_cell = [n = g.size[std::size_t(axis)], axis](const Cell& c) {
    Cell d = c;
    d[std::size_t(axis)] = n - 1 - c[std::size_t(axis)];
    return d;
  };
  s.source_face = {0, 1, 2, 3, 4, 5};
  std::swap(s.source_face[std::size_t(2 * axis)], s.source_face[std::size_t(2 * axis + 1)]);
  s.source_axis = {0, 1, 2};
  return s;
}
/// The new axes x, y, z are the old y, z, x.
Symmetry permutation() {
  Symmetry s;
  s.point = [](const Vector3d& x) { return Vector3d(x.y(), x.z(), x.x()); };
  s.source_cell = [](const Cell& c) { return Cell{c[2], c[0], c[1]}; };
  s.source_face = {2, 3, 4, 5, 0, 1};
  s.source_axis = {1, 2, 0};
  return s;
}

Region mapped(const Region& region, const Symmetry& s) {
  Region out = region;
  if (auto* sphere = std::get_if<Sphere>(&out.shape)) sphere->centre_mm = s.point(sphere->centre_mm);
  if (auto* capsule = std::get_if<Capsule>(&out.shape)) {
    capsule->a_mm = s.point(capsule->a_mm);
    capsule->b_mm = s.point(capsule->b_mm);
  }
  if (auto* box = std::get_if<Box>(&out.shape)) {
    const Vector3d a = s.point(box->min_mm), b = s.point(box->max_mm);
    *box = {a.cwiseMin(b), a.cwiseMax(b)};
  }
  return out;
}

ThermalProblem mapped(const ThermalProblem& p, const Symmetry& s) {
  ThermalProblem out = p;
  Grid grid = p.grid();
  for (std::size_t a = 0; a < 3; ++a) {
    const auto from = std::size_t(s.source_axis[a]);
    grid.size[a] = p.grid().size[from];
    grid.spacing_mm[Eigen::Index(a)] = p.grid().spacing_mm[Eigen::Index(from)];
    grid.origin_mm[Eigen::Index(a)] = p.grid().origin_mm[Eigen::Index(from)];
  }
  out.tissue_map.labels = Volume<std::uint8_t>(grid);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Cell c = s.source_cell({i, j, k});
        out.tissue_map.labels(i, j, k) = p.tissue_map.labels(c[0], c[1], c[2]);
      }
  for (std::size_t f = 0; f < 6; ++f) out.boundary[f] = p.boundary[s.source_face[f]];
  for (Source& source : out.sources) {
    if (auto* gaussian = std::get_if<GaussianSource>(&source.what))
      gaussian->at_mm = s.point(gaussian->at_mm);
    if (auto* held = std::get_if<FixedTemperatureSource>(&source.what))
      held->region = mapped(held->region, s);
    if (auto* set = std::get_if<ElectrodesSource>(&source.what)) {
      for (Electrode& e : set->electrodes) e.region = mapped(e.region, s);
      for (Region& r : set->insulators) r = mapped(r, s);
    }
  }
  return out;
}

struct Unlike {
  std::size_t cells = 0;
  double most_K = 0;
};
Unlike unlike(const ThermalResult& original, const ThermalResult& image, const Symmetry& s) {
  const Grid& g = image.temperature.grid;
  Unlike u;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Cell c = s.source_cell({i, j, k});
        const double d =
            std::abs(double(image.temperature(i, j, k)) - double(original.temperature(c[0], c[1], c[2])));
        u.cells += d != 0;
        u.most_K = std::max(u.most_K, d);
      }
  return u;
}

/// Two tissues, one of which freezes; a freezing ball, a Gaussian, every kind of boundary.
ThermalProblem heat_and_cold() {
  UniformTissue t;
  t.perfusion_per_s = 0.003;
  ThermalProblem p = uniform_problem(t, {18, 16, 14}, 1);
  Tissue bone = p.tissue_map.tissues[0];
  bone.conductivity_W_per_m_K = 0.3;
  bone.conductivity_per_K = 0.002;
  bone.frozen = Frozen{1000, 2000, 1.8, 100e3, -8, -0.6};
  p.tissue_map.tissues.push_back(bone);
  for (int k = 0; k < 14; ++k)
    for (int j = 0; j < 16; ++j)
      for (int i = 0; i < 18; ++i) p.tissue_map.labels(i, j, k) = i + j > 14;
  p.boundary[x_min] = {BoundaryKind::convective, 20, 60};
  p.boundary[y_max].kind = BoundaryKind::insulated;
  p.sources = {{GaussianSource{2, 1.5, {4.25, 7.5, 6}}, {{0, 20}}},
               {FixedTemperatureSource{{Sphere{{12.25, 9.5, 6.75}, 1.75}}, {{0, 37}, {10, -60}}}, {{0, 30}}}};
  p.duration_s = 40;
  p.fields.temperature = true;
  return p;
}

/// A cooled and an uncooled electrode with an insulator in tissue whose conductivity grows and dries.
ThermalProblem current() {
  UniformTissue t;
  t.perfusion_per_s = 0.003;
  ThermalProblem p = uniform_problem(t, {20, 18, 16}, 1);
  Tissue& tissue = p.tissue_map.tissues[0];
  tissue.electrical_S_per_m = 0.2;
  tissue.electrical_per_K = 0.015;
  tissue.drying = Drying{};
  ElectrodesSource electrodes;
  electrodes.electrodes = {{{Capsule{{6.25, 8.5, 5.75}, {6.25, 8.5, 8.25}, 1.25}}, 12, 20},
                           {{Sphere{{13.5, 9.25, 7.75}, 1.5}}, -10}};
  electrodes.insulators = {{Box{{9.5, 4.5, 4.5}, {10.5, 8.5, 9.5}}}};
  p.sources = {{electrodes, {{0, 25}}}};
  p.duration_s = 30;
  p.fields.temperature = true;
  return p;
}

TEST(EngineSymmetry, AMirroredProblemWithHeatAndColdGivesTheMirroredAnswerBitForBit) {
  const ThermalProblem p = heat_and_cold();
  const ThermalResult original = solve(p);
  ASSERT_TRUE(original.summary.usable()) << original.summary.message;
  for (int axis = 0; axis < 3; ++axis) {
    const Symmetry s = mirror(p.grid(), axis);
    EXPECT_EQ(unlike(original, solve(mapped(p, s)), s).cells, 0U) << axis;
  }
}

/// The potential is solved by an iteration that sweeps the cells in an order: to its tolerance, not to the
/// bit.
TEST(EngineSymmetry, AMirroredProblemWithCurrentGivesTheMirroredAnswer) {
  const ThermalProblem p = current();
  const ThermalResult original = solve(p);
  ASSERT_TRUE(original.summary.usable()) << original.summary.message;
  for (int axis = 0; axis < 3; ++axis) {
    const Symmetry s = mirror(p.grid(), axis);
    const Unlike u = unlike(original, solve(mapped(p, s)), s);
    EXPECT_LT(u.most_K, 2e-3) << axis;
  }
}

TEST(EngineSymmetry, TheAxesOfAProblemCanBePermuted) {
  for (const auto& make : {heat_and_cold, current}) {
    const ThermalProblem p = make();
    BioheatOptions o;
    o.double_precision = true;
    const Unlike u = unlike(solve(p, o), solve(mapped(p, permutation()), o), permutation());
    EXPECT_LT(u.most_K, 2e-3);
  }
}

/// One octant beside the whole: faces that pass neither heat nor current are planes of symmetry.
TEST(EngineSymmetry, AnOctantOfAnElectrodeIsAnEighthOfTheWhole) {
  UniformTissue t;
  t.perfusion_per_s = 0.003;
  const auto problem = [&](int n, double origin_mm) {
    ThermalProblem p = uniform_problem(t, {n, n, n}, 0.5);
    p.tissue_map.labels.grid.origin_mm.setConstant(origin_mm);
    Tissue& tissue = p.tissue_map.tissues[0];
    tissue.electrical_S_per_m = 0.2;
    p.boundary.fill({BoundaryKind::insulated, 0, 0});
    const Region ball{Sphere{{0, 0, 0}, 7}};
    ElectrodesSource electrodes;
    electrodes.electrodes = {{{Sphere{{0, 0, 0}, 1.5}}, 10},
                             {{Outside{std::make_shared<const Region>(ball)}}, 0, 37}};
    electrodes.outer_grounded = false;
    p.sources = {{electrodes}};
    p.duration_s = 60;
    p.fields.temperature = true;
    return p;
  };
  BioheatOptions o;
  o.double_precision = true;
  const ThermalResult whole = solve(problem(30, -7.25), o), octant = solve(problem(15, 0.25), o);
  ASSERT_TRUE(whole.summary.usable() && octant.summary.usable());
  double most_K = 0;
  for (int k = 0; k < 15; ++k)
    for (int j = 0; j < 15; ++j)
      for (int i = 0; i < 15; ++i)
        most_K = std::max(most_K, std::abs(double(whole.temperature(15 + i, 15 + j, 15 + k)) -
                                           double(octant.temperature(i, j, k))));
  // Beside the electrode the plane cuts what the stencil is corrected from: 0.1 % of the rise.
  EXPECT_LT(most_K, 0.02);
  EXPECT_NEAR(whole.electrical->power_W.back() / 8 / octant.electrical->power_W.back(), 1, 1e-3);
  EXPECT_NEAR(whole.electrical->resistance_ohm.back() * 8 / octant.electrical->resistance_ohm.back(), 1,
              1e-3);
}

/// A needle with two poles, turned in the plane and out of it: the zone must not see the grid.
TEST(EngineRotation, OfANeedleMovesItsZoneByLessThanTheErrorEstimate) {
  UniformTissue t;
  t.perfusion_per_s = 0.002;
  const Vector3d middle_mm(14.6, 15.3, 14.8);
  const auto run = [&](const Vector3d& along) {
    ThermalProblem p = uniform_problem(t, {30, 30, 30}, 1);
    Tissue& tissue = p.tissue_map.tissues[0];
    tissue.electrical_S_per_m = 0.25;
    tissue.electrical_per_K = 0.015;
    ElectrodesSource electrodes;
    const auto pole = [&](double from, double to, double V) {
      return Electrode{{Capsule{middle_mm + from * along, middle_mm + to * along, 1}}, V, {}};
    };
    electrodes.electrodes = {pole(-7, -2.5, 1), pole(2.5, 7, -1)};
    electrodes.insulators = {{Capsule{middle_mm - 2.5 * along, middle_mm + 2.5 * along, 1}}};
    electrodes.outer_grounded = false;
    electrodes.control = ConstantPower{5};
    p.sources = {{electrodes}};
    p.duration_s = 120;
    ThermalResult r = solve(p);
    add_error_estimate(p, {}, r);
    return r;
  };
  const auto radius_mm = [](const ThermalResult& r) {
    return std::cbrt(3 * r.zones.at("over_50_degC").volume_ml * 1e3 / (4 * kPi));
  };
  const auto rad = [](double degrees) { return degrees * kPi / 180; };
  const ThermalResult straight = run({1, 0, 0});
  ASSERT_TRUE(straight.error_estimate.zone_radius_mm);
  EXPECT_GT(radius_mm(straight), 4);
  for (const double degrees : {17.0, 45.0})
    for (const double tilt : {0.0, 30.0}) {
      const Vector3d along(std::cos(rad(degrees)) * std::cos(rad(tilt)),
                           std::sin(rad(degrees)) * std::cos(rad(tilt)), std::sin(rad(tilt)));
      const ThermalResult turned = run(along);
      ASSERT_TRUE(turned.error_estimate.zone_radius_mm);
      EXPECT_LT(std::abs(radius_mm(turned) - radius_mm(straight)),
                *straight.error_estimate.zone_radius_mm + *turned.error_estimate.zone_radius_mm);
    }
}

TEST(EngineThreads, OneTwoAndThreeGiveTheSameBits) {
  for (const auto& make : {heat_and_cold, current}) {
    ThermalProblem p = make();
    const Grid small = p.grid();
    // Large enough for three threads to share.
    ThermalProblem large = p;
    large.tissue_map.labels = Volume<std::uint8_t>([&] {
      Grid g = small;
      g.size = {48, 48, 48};
      return g;
    }());
    large.boundary[z_min] = {BoundaryKind::convective, 20, 60};  // not at rest: all cells are stepped
    large.duration_s = 6;
    const auto run = [&](int threads) {
      BioheatOptions o;
      o.threads = threads;
      return solve(large, o);
    };
    const ThermalResult one = run(1);
    ASSERT_TRUE(one.summary.usable()) << one.summary.message;
    for (const int threads : {2, 3}) {
      const ThermalResult other = run(threads);
      EXPECT_EQ(one.temperature.values, other.temperature.values) << threads;
      EXPECT_EQ(one.energy.in_J, other.energy.in_J) << threads;
      EXPECT_EQ(one.energy.out_J, other.energy.out_J) << threads;
      EXPECT_EQ(one.summary.stages, other.summary.stages) << threads;
    }
  }
}

/// Seconds of the processor from the request to the return, on one thread (the slowest), for a run on 96^3
/// cells that would last much longer. Not of the clock: a machine that is busy with other things proves
/// nothing.
double cancelled_after_s(ThermalProblem p, int wait_ms) {
  Grid g = p.grid();
  g.size = {96, 96, 96};
  p.tissue_map.labels = Volume<std::uint8_t>(g);
  p.boundary[z_min] = {BoundaryKind::convective, 20, 60};
  p.duration_s = 3600;
  BioheatOptions o;
  o.threads = 1;
  std::stop_source stop;
  std::atomic<std::clock_t> asked{0};
  std::thread watch([&] {
    const std::clock_t begin = std::clock();
    while (std::clock() - begin < wait_ms * CLOCKS_PER_SEC / 1000)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    asked = std::clock();
    stop.request_stop();
  });
  const ThermalResult r = solve(p, o, {.report = {}, .stop = stop.get_token()});
  const std::clock_t returned = std::clock();
  watch.join();
  EXPECT_EQ(r.summary.termination, Termination::cancelled) << r.summary.message;
  return double(returned - asked) / CLOCKS_PER_SEC;
}

/// Seconds of the processor for one pass over the 96^3 cells as a stage of a step makes it: two arrays read,
/// one written. Larger than caches, so a machine whose memory others load slows it as it slows the engine.
double pass_s() {
  std::vector<float> a(96 * 96 * 96, 1.0F), b = a, c = a;
  const int passes = 40;
  const std::clock_t begin = std::clock();
  for (int n = 0; n < passes; ++n)
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = 0.4F * b[i] + 0.5F * c[(i + std::size_t(n)) % c.size()];
  EXPECT_GT(a[7], 0);
  return double(std::clock() - begin) / CLOCKS_PER_SEC / passes;
}

// A fifth of a second is some 200 to 300 passes over the cells, on one thread; counted in passes, so that a
// busy machine proves nothing against the engine.
TEST(EngineCancel, ReturnsWithinAFewHundredPassesOverTheCells) {
  for (const auto& make : {heat_and_cold, current})
    for (const int wait_ms : {50, 120, 200, 300, 600}) {
      const double before_s = pass_s();
      const double took_s = cancelled_after_s(make(), wait_ms);
      EXPECT_LT(took_s / std::max(before_s, pass_s()), 500) << wait_ms;
    }
}

}  // namespace
}  // namespace spinetherm
